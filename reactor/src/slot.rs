//! One place in the table: the readiness word, and the wakers of those who wait for it to change.
//!
//! # Why no wake-up is lost
//!
//! A task that wants to sleep leaves its waker under the lock and *then* sets its waiter bit with
//! a read-modify-write ([`Slot::leave`]). An event sets the ready bit and takes the waiter bit
//! in one read-modify-write ([`Slot::deliver`]). Nothing but read-modify-writes changes the word,
//! and those of one word are in one order:
//!
//! * event first: the task's own operation returns a word with the ready bit in it, and the task
//!   does not sleep;
//! * task first: the event finds the waiter bit, takes the lock, and the waker is there, since it
//!   was left before the bit was set.
//!
//! An event that finds no waiter bit touches no lock: that is the common case of a busy source.
//! No user code (clone, drop or wake of a waker) runs under the lock.

use std::io;
use std::task::{Context, Poll, Waker};

use crate::readiness::{Direction, Ready, Word};
use crate::sync::{AtomicU64, Mutex, Ordering};
use crate::token::Token;

/// Who is waiting, so that a waker can be replaced or taken back.
#[derive(Debug, Default)]
pub(crate) enum Waiter {
    /// The one task that owns the direction, through the `poll_…` functions. The last to come
    /// replaces the one before.
    #[default]
    Owner,
    /// One of any number of futures. Zero until it has waited for the first time.
    Listed(u64),
}

#[derive(Debug)]
struct Listed {
    id: u64,
    direction: Direction,
    waker: Waker,
}

/// The futures that wait beside the owners.
#[derive(Debug, Default)]
struct List {
    last_id: u64,
    entries: Vec<Listed>,
}

#[derive(Debug, Default)]
struct Waiters {
    /// Of each direction.
    owners: [Option<Waker>; 2],
    /// Boxed and made at first use: most sources never have more than their two owners.
    list: Option<Box<List>>,
}

impl Waiters {
    fn owner(&mut self, direction: Direction) -> &mut Option<Waker> {
        &mut self.owners[direction as usize]
    }

    /// Keeps `waker`; returns the one it replaces, for the caller to drop outside the lock.
    #[inline]
    fn keep(&mut self, direction: Direction, waiter: &mut Waiter, waker: Waker) -> Option<Waker> {
        match waiter {
            Waiter::Listed(id) => self.list(direction, id, waker),
            Waiter::Owner => self.owner(direction).replace(waker),
        }
    }

    #[cold]
    fn list(&mut self, direction: Direction, id: &mut u64, waker: Waker) -> Option<Waker> {
        let list = self.list.get_or_insert_default();
        if let Some(entry) = list.entries.iter_mut().find(|entry| entry.id == *id) {
            return Some(std::mem::replace(&mut entry.waker, waker));
        }
        list.last_id += 1;
        *id = list.last_id;
        list.entries.push(Listed {
            id: *id,
            direction,
            waker,
        });
        None
    }

    /// Moves the wakers of `direction` into `out`.
    #[inline(always)] // twice in `deliver`, and small
    fn take(&mut self, direction: Direction, out: &mut Vec<Waker>) {
        if let Some(waker) = self.owner(direction).take() {
            out.push(waker);
        }
        if let Some(list) = &mut self.list {
            list.take(direction, out);
        }
    }
}

impl List {
    #[cold]
    fn take(&mut self, direction: Direction, out: &mut Vec<Waker>) {
        let woken = self
            .entries
            .extract_if(.., |entry| entry.direction == direction);
        out.extend(woken.map(|entry| entry.waker));
    }
}

#[cold]
fn shut() -> io::Error {
    io::Error::other("the reactor of this source was dropped")
}

/// A line of the table. 64 bytes, so that two sources do not share a cache line.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Slot {
    word: AtomicU64,
    waiters: Mutex<Waiters>,
}

impl Slot {
    /// A vacant slot.
    pub(crate) fn vacant() -> Slot {
        Slot {
            word: AtomicU64::new(0),
            waiters: Mutex::new(Waiters::default()),
        }
    }

    #[inline]
    pub(crate) fn load(&self) -> Word {
        // Acquire: pairs with the release in `deliver`; what the event announced has happened.
        Word(self.word.load(Ordering::Acquire))
    }

    /// A new source moves in. Only the table calls this, and only for a vacant slot.
    pub(crate) fn open(&self) -> u32 {
        let generation = self.load().generation();
        self.word.swap(Word::fresh(generation).0, Ordering::AcqRel);
        generation
    }

    /// The source moves out: the generation changes, so that late events find nobody. Returns the
    /// wakers that were left, for the caller to drop: who waits here is being dropped as well.
    #[must_use]
    pub(crate) fn close(&self) -> Vec<Waker> {
        let next = self.load().generation().wrapping_add(1);
        self.word.swap(Word::vacant(next).0, Ordering::AcqRel);
        let mut left = Vec::new();
        let mut waiters = self.waiters.lock();
        waiters.take(Direction::Read, &mut left);
        waiters.take(Direction::Write, &mut left);
        waiters.list = None;
        left
    }

    /// An event arrived: notes it and moves the wakers of whom it concerns into `out`. Returns
    /// whether the event was for the source that lives here now.
    #[inline(always)] // into the turn's loop over the events
    pub(crate) fn deliver(&self, token: Token, ready: Ready, out: &mut Vec<Waker>) -> bool {
        let mut word = self.load();
        loop {
            if !token.is_of(word.generation()) {
                return false;
            }
            // AcqRel: the release pairs with the acquire in `load` and in the `fetch_or` of
            // `leave`, whichever of them the task gets to.
            let (new, order) = (word.event(ready).0, Ordering::AcqRel);
            match self
                .word
                .compare_exchange_weak(word.0, new, order, Ordering::Acquire)
            {
                Ok(_) => break,
                Err(actual) => word = Word(actual),
            }
        }
        let served = word.served(ready);
        if served.anybody() {
            // If the source moves out here and another one in, that one is woken once too often.
            let mut waiters = self.waiters.lock();
            if served.is_awaited(Direction::Read) {
                waiters.take(Direction::Read, out);
            }
            if served.is_awaited(Direction::Write) {
                waiters.take(Direction::Write, out);
            }
        }
        true
    }

    /// The reactor went away. Wakes (through `out`) everybody; from now on waiting is an error.
    pub(crate) fn shut(&self, out: &mut Vec<Waker>) {
        self.word.fetch_or(Word::SHUT, Ordering::AcqRel);
        let mut waiters = self.waiters.lock();
        waiters.take(Direction::Read, out);
        waiters.take(Direction::Write, out);
    }

    /// Whether an operation in `direction` is worth trying; if not, leaves the task's waker.
    ///
    /// Returns the word as evidence for [`Slot::drained`]. `arm` is called before going to sleep: a
    /// poller that reports only once has to be asked again.
    #[inline(always)] // the usual answer is in the word, and costs less than a call
    pub(crate) fn poll_ready(
        &self,
        direction: Direction,
        waiter: &mut Waiter,
        cx: &mut Context<'_>,
        arm: impl FnOnce() -> io::Result<()>,
    ) -> Poll<io::Result<Word>> {
        let word = self.load();
        if word.is_ready(direction) {
            return Poll::Ready(Ok(word));
        }
        self.sleep(direction, waiter, cx, arm)
    }

    fn sleep(
        &self,
        direction: Direction,
        waiter: &mut Waiter,
        cx: &mut Context<'_>,
        arm: impl FnOnce() -> io::Result<()>,
    ) -> Poll<io::Result<Word>> {
        let word = self.leave(direction, waiter, cx);
        if word.is_shut() {
            return Poll::Ready(Err(shut()));
        }
        if word.is_ready(direction) {
            return Poll::Ready(Ok(word)); // the waker stays: one wake-up too many does no harm
        }
        match arm() {
            Ok(()) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// Leaves the waker, then sets the waiter bit. Returns the word from before.
    #[inline(never)]
    fn leave(&self, direction: Direction, waiter: &mut Waiter, cx: &Context<'_>) -> Word {
        let waker = cx.waker().clone();
        let replaced; // dropped after the lock
        let word;
        {
            let mut waiters = self.waiters.lock();
            replaced = waiters.keep(direction, waiter, waker);
            // AcqRel: pairs with `deliver`; see the argument at the top of this file.
            word = self.word.fetch_or(Word::wait(direction), Ordering::AcqRel);
        }
        drop(replaced);
        Word(word)
    }

    /// An operation found nothing: clears the readiness, unless an event came since `seen`.
    #[inline]
    pub(crate) fn drained(&self, direction: Direction, seen: Word) {
        // Nearly always nothing at all has happened since.
        if let Err(word) = self.clear(direction, seen, seen) {
            self.drained_since(direction, seen, word);
        }
    }

    #[cold]
    fn drained_since(&self, direction: Direction, seen: Word, mut word: Word) {
        while let Err(actual) = self.clear(direction, seen, word) {
            word = actual;
        }
    }

    /// Makes `word` one that is not ready. If it is another by now: which.
    #[inline(always)]
    fn clear(&self, direction: Direction, seen: Word, word: Word) -> Result<(), Word> {
        let Some(new) = word.drained(seen, direction) else {
            return Ok(()); // it stays ready
        };
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        match self
            .word
            .compare_exchange_weak(word.0, new.0, success, failure)
        {
            Ok(_) => Ok(()),
            Err(actual) => Err(Word(actual)),
        }
    }

    /// Takes back the waker of a future that no longer waits. The caller drops it.
    pub(crate) fn forget(&self, waiter: &Waiter) -> Option<Waker> {
        let Waiter::Listed(id) = *waiter else {
            return None;
        };
        let mut waiters = self.waiters.lock();
        let entries = &mut waiters.list.as_mut()?.entries;
        let place = entries.iter().position(|entry| entry.id == id)?;
        Some(entries.swap_remove(place).waker)
    }
}
