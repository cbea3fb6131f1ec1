//! What is known of one source, in one 64-bit word. Pure: no atomics, no system calls, no wakers.
//!
//! ```text
//!   | tick : 24 | generation : 32 | SHUT | DRAIN | WRITER | READER | WRITABLE | READABLE |
//! ```
//!
//! Each direction walks round a small circle:
//!
//! ```text
//!             1 event                       READABLE: an operation may succeed
//!      ┌──────────────────▶ ready           READER:   somebody left a waker
//!      │                      │ 2 drained
//!   waiting ◀───────────── not ready
//!             3 wait
//! ```
//!
//! 1. [`Word::event`], by the thread that polls: sets READABLE, takes READER away, adds a tick.
//! 2. [`Word::drained`], by an operation that saw `WouldBlock`: takes READABLE away, but only if no
//!    event came since the operation began. The tick is how it knows. Without it, data arriving
//!    between the failed read and the clearing would be forgotten, and an edge-triggered poller
//!    does not tell twice (`epoll(7)`, "Level-triggered and edge-triggered"). tokio numbers its
//!    events for the same reason.
//! 3. [`Word::wait`], by a task about to sleep: sets READER, unless READABLE came in the meantime.
//!
//! A slot starts ready in both directions: the first operation simply tries, and so also gets what
//! the value had taken from the descriptor before. (Connections just made start with WRITABLE alone:
//! see `FirstRead`.)

use std::ops::BitOr;

/// One of the two ways data can flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the descriptor to the program.
    Read,
    /// From the program to the descriptor.
    Write,
}

/// What an event says of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ready(u8);

impl Ready {
    /// Nothing.
    pub const NONE: Ready = Ready(0);
    /// A read would not block: data, end of stream, or an error to collect.
    pub const READABLE: Ready = Ready(READABLE as u8);
    /// A write would not block: room, or an error to collect.
    pub const WRITABLE: Ready = Ready(WRITABLE as u8);
    /// The peer has closed, an error is pending, or urgent data came: from now on a read that
    /// returns less than was asked for does not prove that the descriptor is drained.
    pub const HANGUP: Ready = Ready(DRAIN as u8);

    /// Whether all of `other` is in `self`.
    #[must_use]
    pub const fn contains(self, other: Ready) -> bool {
        self.0 & other.0 == other.0
    }

    /// Those whom it concerns: READER is two bits above READABLE, WRITER two above WRITABLE.
    const fn waiter_bits(self) -> u64 {
        (self.0 as u64 & (READABLE | WRITABLE)) << 2
    }
}

impl BitOr for Ready {
    type Output = Ready;

    fn bitor(self, other: Ready) -> Ready {
        Ready(self.0 | other.0)
    }
}

const READABLE: u64 = 1;
const WRITABLE: u64 = 1 << 1;
const READER: u64 = 1 << 2;
const WRITER: u64 = 1 << 3;
/// Sticky: a short read proves nothing any more, read until `WouldBlock`.
const DRAIN: u64 = 1 << 4;
/// Sticky: the reactor has gone, nobody will report anything.
const SHUT: u64 = 1 << 5;
const GENERATION_SHIFT: u32 = 8;
/// The tick is at the top, so that its overflow falls out of the word.
const TICK: u64 = 1 << 40;
const TICKS: u64 = !(TICK - 1);

impl Direction {
    const fn ready_bit(self) -> u64 {
        match self {
            Direction::Read => READABLE,
            Direction::Write => WRITABLE,
        }
    }

    const fn waiter_bit(self) -> u64 {
        match self {
            Direction::Read => READER,
            Direction::Write => WRITER,
        }
    }
}

/// The word. Every method that changes something returns the new word for the caller to store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(pub(crate) u64);

impl Word {
    /// A source that has just moved in: nothing is known, so both directions are worth a try.
    pub(crate) const fn fresh(generation: u32) -> Word {
        Word(((generation as u64) << GENERATION_SHIFT) | READABLE | WRITABLE)
    }

    pub(crate) const fn generation(self) -> u32 {
        (self.0 >> GENERATION_SHIFT) as u32
    }

    pub(crate) const fn is_ready(self, direction: Direction) -> bool {
        self.0 & direction.ready_bit() != 0
    }

    /// A slot nobody lives in, waiting for its next source.
    pub(crate) const fn vacant(generation: u32) -> Word {
        Word((generation as u64) << GENERATION_SHIFT)
    }

    /// Whether somebody left a waker for `direction`.
    pub(crate) const fn is_awaited(self, direction: Direction) -> bool {
        self.0 & direction.waiter_bit() != 0
    }

    pub(crate) const fn is_shut(self) -> bool {
        self.0 & SHUT != 0
    }

    /// Whether a short read proves that there is nothing left to read.
    pub(crate) const fn short_read_drains(self) -> bool {
        self.0 & DRAIN == 0
    }

    /// Arrow 1: an event arrived. The waiters of the directions it names are the caller's to wake.
    #[must_use]
    pub(crate) const fn event(self, ready: Ready) -> Word {
        let served = ready.waiter_bits();
        Word(((self.0 | ready.0 as u64) & !served).wrapping_add(TICK))
    }

    /// Whom such an event concerns: a word of their waiter bits alone.
    pub(crate) const fn served(self, ready: Ready) -> Word {
        Word(self.0 & ready.waiter_bits())
    }

    /// Whether there is a waiter bit in a word of waiter bits alone.
    pub(crate) const fn anybody(self) -> bool {
        self.0 != 0
    }

    /// Arrow 2: an operation found nothing. `seen` is the word from before the operation. `None`
    /// if an event came since: the readiness stays, the operation has to be tried again.
    #[must_use]
    pub(crate) const fn drained(self, seen: Word, direction: Direction) -> Option<Word> {
        if (self.0 ^ seen.0) & TICKS != 0 {
            return None;
        }
        Some(Word(self.0 & !direction.ready_bit()))
    }

    /// Arrow 3: the bit that a task sets before it sleeps. What it finds in the word as it does so
    /// decides whether it may sleep; see `Slot::leave`.
    pub(crate) const fn wait(direction: Direction) -> u64 {
        direction.waiter_bit()
    }

    /// The reactor went away: everybody is woken and finds out.
    pub(crate) const SHUT: u64 = SHUT;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_during_an_operation_is_not_forgotten() {
        let before = Word::fresh(3);
        let after = before.event(Ready::READABLE);
        assert_eq!(after.drained(before, Direction::Read), None);
        let cleared = after.drained(after, Direction::Read).unwrap();
        assert!(!cleared.is_ready(Direction::Read));
        assert!(cleared.is_ready(Direction::Write));
    }

    #[test]
    fn an_event_takes_only_the_waiters_it_can_serve() {
        let waiting = Word(READER | WRITER);
        let word = waiting.event(Ready::READABLE);
        assert!(!word.is_awaited(Direction::Read));
        assert!(word.is_awaited(Direction::Write));
    }

    #[test]
    fn ticks_wrap_without_touching_their_neighbours() {
        let word = Word(TICKS | (u64::from(u32::MAX) << GENERATION_SHIFT));
        let next = word.event(Ready::READABLE | Ready::HANGUP);
        assert_eq!(next.generation(), u32::MAX);
        assert_eq!(next.0 & TICKS, 0);
        assert!(!next.short_read_drains());
    }
}
