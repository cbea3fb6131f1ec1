//! One turn: wait, note what came, wake whom it concerns.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use parking_lot::MutexGuard;

use crate::contain::{contain, wake_all};
use crate::poller::{Event, Ready};
use crate::reactor::Core;
use crate::table::Chunk;
use crate::token::Token;

/// What one turn needs, kept from turn to turn. Its lock makes polls take turns.
#[derive(Default)]
pub(crate) struct Turn {
    events: Vec<Event>,
    wakers: Vec<Waker>,
    /// For an observer: each event that found its source, and how many wakers there were after it.
    told: Vec<(Event, usize)>,
    /// The table's chunks as of the last turn that met a new one: no lock to find a slot.
    chunks: Vec<Arc<Chunk>>,
}

impl Core {
    /// See [`Reactor::poll`](crate::Reactor::poll).
    #[inline]
    pub(crate) fn poll(&self, timeout: Option<Duration>) -> io::Result<usize> {
        let (mut turn, timeout) = match self.turn.try_lock() {
            Some(turn) => (turn, timeout),
            None => match self.await_turn(timeout) {
                Some((turn, left)) => (turn, left),
                None => return Ok(0),
            },
        };
        if self.watch.is_on() {
            return self.watched_poll(turn, timeout);
        }
        let timeout = self.fall_asleep(timeout);
        let result = self.wait(&mut turn, timeout);
        let delivered = self.deliver(&mut turn, |_, _| {});
        // Wakers are other people's code: they run outside the lock. One is the usual number.
        match turn.wakers.pop() {
            None => MutexGuard::unlock_fair(turn), // to the next in line, or we take it again
            Some(only) if turn.wakers.is_empty() => {
                MutexGuard::unlock_fair(turn);
                contain(|| only.wake());
            }
            Some(last) => {
                turn.wakers.push(last);
                self.wake_many(turn);
            }
        }
        result.map(|()| delivered)
    }

    #[inline(never)]
    fn wake_many(&self, mut turn: MutexGuard<'_, Turn>) {
        let mut wakers = std::mem::take(&mut turn.wakers);
        MutexGuard::unlock_fair(turn);
        wake_all(wakers.drain(..));
        if let Some(mut turn) = self.turn.try_lock() {
            turn.wakers = wakers; // for its room
        }
    }

    /// The same, telling the observer.
    #[cold]
    fn watched_poll(
        &self,
        mut turn: MutexGuard<'_, Turn>,
        timeout: Option<Duration>,
    ) -> io::Result<usize> {
        let timeout = self.fall_asleep(timeout);
        self.watch.tell(|observer| observer.waits(timeout));
        let result = self.wait(&mut turn, timeout);
        self.watch
            .tell(|observer| observer.waited(turn.events.len()));
        let mut told = std::mem::take(&mut turn.told);
        let delivered = self.deliver(&mut turn, |event, wakers| told.push((event, wakers)));
        let mut wakers = std::mem::take(&mut turn.wakers);
        MutexGuard::unlock_fair(turn);
        self.tell_and_wake(&mut told, &mut wakers);
        if let Some(mut turn) = self.turn.try_lock() {
            (turn.told, turn.wakers) = (told, wakers); // for their room
        }
        result.map(|()| delivered)
    }

    /// Each event is told before the wakers are woken that it found. With it is how many wakers
    /// there were by then. Leaves both lists empty.
    #[cold]
    fn tell_and_wake(&self, told: &mut Vec<(Event, usize)>, wakers: &mut Vec<Waker>) {
        let (mut wakers, mut woken, sources) = (wakers.drain(..), 0, told.len());
        for (Event { token, ready }, so_far) in told.drain(..) {
            self.watch
                .tell(|observer| observer.ready(token.into(), ready));
            wake_all(wakers.by_ref().take(so_far - woken));
            woken = so_far;
        }
        self.watch.tell(|observer| observer.delivered(sources));
    }

    /// Another thread polls. Our turn, and how much of `timeout` is left for it; `None`: the other
    /// polled for the whole of it.
    #[cold]
    fn await_turn(
        &self,
        timeout: Option<Duration>,
    ) -> Option<(MutexGuard<'_, Turn>, Option<Duration>)> {
        match timeout {
            Some(Duration::ZERO) => None,
            Some(timeout) => {
                let begin = Instant::now();
                let turn = self.turn.try_lock_for(timeout)?;
                Some((turn, Some(timeout.saturating_sub(begin.elapsed()))))
            }
            None => Some((self.turn.lock(), None)),
        }
    }

    /// How long to wait: not at all, if somebody has rung.
    #[inline]
    fn fall_asleep(&self, timeout: Option<Duration>) -> Option<Duration> {
        match timeout {
            Some(Duration::ZERO) => timeout,
            _ if self.bell.alarm.fall_asleep() => timeout,
            _ => Some(Duration::ZERO),
        }
    }

    #[inline]
    fn wait(&self, turn: &mut Turn, timeout: Option<Duration>) -> io::Result<()> {
        let result = self.bell.poller.wait(&mut turn.events, timeout);
        self.bell.alarm.wake_up();
        result
    }

    /// Notes every event in its slot and collects the wakers. `told` hears of each event that
    /// found its source, and how many wakers there are after it.
    #[inline(always)] // `told` is nothing, but for those who watch
    fn deliver(&self, turn: &mut Turn, mut told: impl FnMut(Event, usize)) -> usize {
        let Turn {
            events,
            wakers,
            chunks,
            ..
        } = turn;
        let mut delivered = 0;
        for event in &*events {
            let Event { token, ready } = *event;
            let chunk = match chunks.get(token.index() / Chunk::LEN) {
                Some(chunk) => chunk,
                None => match self.new_chunk(chunks, token) {
                    Some(chunk) => chunk,
                    None => continue, // Token::WAKE: the wait has ended, that is all it says
                },
            };
            if chunk.slot(token).deliver(token, ready, wakers) {
                delivered += 1;
                told(*event, wakers.len());
            }
        }
        events.clear();
        if delivered > 0 && self.starved.any() {
            self.retry(wakers, told);
        }
        delivered
    }

    #[cold]
    fn new_chunk<'a>(
        &self,
        chunks: &'a mut Vec<Arc<Chunk>>,
        token: Token,
    ) -> Option<&'a Arc<Chunk>> {
        if token.index() < Token::MAX_SOURCES {
            self.table.copy_new_chunks(chunks);
        }
        chunks.get(token.index() / Chunk::LEN)
    }

    /// Lets the starved try again: an event of our own making.
    #[cold]
    fn retry(&self, wakers: &mut Vec<Waker>, mut told: impl FnMut(Event, usize)) {
        for (chunk, token) in self.starved.take() {
            let ready = Ready::READABLE;
            if chunk.slot(token).deliver(token, ready, wakers) {
                told(Event { token, ready }, wakers.len());
            }
        }
    }

    /// A descriptor was closed: there is room for one more.
    pub(crate) fn closed_one(&self) {
        if !self.starved.any() {
            return;
        }
        let (mut wakers, mut told) = (Vec::new(), Vec::new());
        self.retry(&mut wakers, |event, wakers| told.push((event, wakers)));
        self.tell_and_wake(&mut told, &mut wakers);
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").finish_non_exhaustive()
    }
}
