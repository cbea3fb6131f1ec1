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
    /// For pollers that are not compiled in: where they leave what they found.
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
        let (delivered, result) = self.wait(&mut turn, timeout, |_| {}, |_, _| {});
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
        let mut told = std::mem::take(&mut turn.told);
        let found = |events| self.watch.tell(|observer| observer.waited(events));
        let tell = |event, wakers| told.push((event, wakers));
        let (delivered, result) = self.wait(&mut turn, timeout, found, tell);
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
        let Some(observer) = self.watch.observer() else {
            told.clear();
            return wake_all(wakers.drain(..)); // they wait, whoever watches
        };
        let sources = told.len();
        let (mut wakers, mut events) = (wakers.drain(..), told.drain(..));
        let (mut woken, mut found) = (0, 0);
        // One room for all that may panic; after a panic it goes on with what is next.
        while !contain(|| {
            loop {
                while woken < found {
                    woken += 1;
                    if let Some(waker) = wakers.next() {
                        waker.wake();
                    }
                }
                let Some((Event { token, ready }, so_far)) = events.next() else {
                    return;
                };
                found = so_far;
                observer.ready(token.into(), ready);
            }
        }) {}
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

    /// Waits, notes every event in its slot and collects the wakers. Returns how many events found
    /// their source. `found` hears how many came; then `told` hears of each that found its source,
    /// and how many wakers there are after it.
    #[inline(always)] // `found` and `told` are nothing, but for those who watch
    fn wait(
        &self,
        turn: &mut Turn,
        timeout: Option<Duration>,
        found: impl FnOnce(usize),
        mut told: impl FnMut(Event, usize),
    ) -> (usize, io::Result<()>) {
        let woken = |events| {
            self.bell.alarm.wake_up();
            found(events);
        };
        let mut delivery = Delivery {
            core: self,
            chunks: &mut turn.chunks,
            wakers: &mut turn.wakers,
            delivered: 0,
            told: &mut told,
        };
        let poller = &self.bell.poller;
        let result = poller.wait(&mut turn.events, timeout, woken, &mut delivery);
        let delivered = delivery.delivered;
        if delivered > 0 && self.starved.any() {
            self.retry(&mut turn.wakers, told);
        }
        (delivered, result)
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

/// The events of one wait, on their way to their slots.
struct Delivery<'a, F> {
    core: &'a Core,
    chunks: &'a mut Vec<Arc<Chunk>>,
    wakers: &'a mut Vec<Waker>,
    /// How many found their source.
    delivered: usize,
    told: F,
}

impl<F: FnMut(Event, usize)> Extend<Event> for Delivery<'_, F> {
    #[inline(always)]
    fn extend<I: IntoIterator<Item = Event>>(&mut self, events: I) {
        for event in events {
            let Event { token, ready } = event;
            let chunk = match self.chunks.get(token.index() / Chunk::LEN) {
                Some(chunk) => chunk,
                None => match self.core.new_chunk(self.chunks, token) {
                    Some(chunk) => chunk,
                    None => continue, // Token::WAKE: the wait has ended, that is all it says
                },
            };
            if chunk.slot(token).deliver(token, ready, self.wakers) {
                self.delivered += 1;
                (self.told)(event, self.wakers.len());
            }
        }
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").finish_non_exhaustive()
    }
}
