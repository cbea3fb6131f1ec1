//! A word: an event in eight bytes.
//!
//! ```text
//! number of the task, source or timer │ ns since the word before │ wide │ bits │ kind
//!               32 bits               │         23 bits          │  1   │  3   │  5
//! ```
//!
//! A source's number has two halves, of 32 bits each: its place in a table, and who was there
//! before. It is packed where 20 and 12 bits are enough for them.

use super::event::{Cause, Event};

/// The kind of a word that is no event: the time before the next one is in a word of its own.
pub(super) const IS_TIME: u8 = 31;

/// The kind of a word whose event follows as bytes; its number is how many there are.
pub(super) const IS_BESIDE: u8 = 30;

/// The kind of a word that is a poll and its end.
pub(super) const IS_WHOLE: u8 = 29;

/// The kind of a word that is a wait and the end of the poll it was told in.
pub(super) const IS_LAST: u8 = 28;

/// The kind of a wait.
pub(super) const WAIT: u8 = 10;

/// The bit of a word that has a number where there might be none.
pub(super) const IS_SOME: u8 = 2;

/// The bit of a word whose source is packed.
pub(super) const IS_PACKED: u8 = 4;

/// How many bits of a packed source's number are those of its lower half.
pub(super) const PACKED: u32 = 20;

/// The bits of a source's number that have no room when it is packed.
pub(super) const UNPACKED: u64 = u32::MAX as u64 >> PACKED << PACKED | u64::MAX << (64 - PACKED);

/// Where in a word its bits are, whether it is wide, the time, the number.
pub(super) const BITS: u32 = 5;
pub(super) const WIDE: u32 = 8;
pub(super) const AFTER: u32 = 9;
pub(super) const NUMBER: u32 = 32;

/// What the word of an event says beside its kind; `None` if the event is no single word. The word
/// of a wake by a thread is followed by another.
#[inline(always)]
pub(super) fn number_and_bits(event: &Event<'_>) -> Option<(u64, u8)> {
    Some(match *event {
        Event::Turn => (0, 0),
        Event::Poll { task } => (task, 0),
        Event::Wake { task, by } => (task, cause(by)),
        Event::End { task, how } => (task, how as u8),
        Event::Park { patience } => (patience.unwrap_or(0), some(patience)),
        Event::Unpark { events } => (events.into(), 0),
        Event::Wait { source, .. } | Event::Ready { source, .. } => {
            let bits = bits_of_source(event);
            match source & UNPACKED {
                0 => (pack(source), bits | IS_PACKED),
                _ => (source, bits),
            }
        }
        Event::Fire { timer } | Event::Cancel { timer } => (timer, 0),
        _ => return None,
    })
}

/// What the word of a source says in its bits.
#[inline(always)]
pub(super) fn bits_of_source(event: &Event<'_>) -> u8 {
    match *event {
        Event::Wait {
            direction, task, ..
        } => direction as u8 | some(task),
        Event::Ready { read, write, .. } => u8::from(read) | u8::from(write) << 1,
        _ => 0,
    }
}

/// A source's number in 32 bits: its lower half, and above that its upper one.
#[inline(always)]
pub(super) fn pack(source: u64) -> u64 {
    (source | source >> (NUMBER - PACKED)) & u64::from(u32::MAX)
}

/// Whether a time and a number have room in one word.
#[inline(always)]
pub(super) fn fits(after: u64, number: u64) -> bool {
    after >> (NUMBER - AFTER) | number >> NUMBER == 0
}

#[inline(always)]
pub(super) fn word(kind: u8, bits: u8, after: u64, number: u64) -> u64 {
    u64::from(kind) | u64::from(bits) << BITS | after << AFTER | number << NUMBER
}

/// The word of a poll or of a wait as one that tells the end of the task's poll as well, without
/// its time; zero if it cannot.
#[inline(always)]
pub(super) fn last_and_end(last: u64, task: u64, ready: bool) -> u64 {
    let poll = Event::Poll { task }.kind();
    if last == word(poll, 0, 0, task) {
        return word(IS_WHOLE, ready.into(), 0, task);
    }
    let bits = 7 << BITS;
    let wait = u64::from(WAIT);
    if last & u64::from(u32::MAX) & !bits == wait && !ready {
        return last ^ wait ^ u64::from(IS_LAST);
    }
    0
}

#[inline(always)]
pub(super) fn some(number: Option<u64>) -> u8 {
    if number.is_some() { IS_SOME } else { 0 }
}

#[inline(always)]
pub(super) fn cause(by: Cause) -> u8 {
    match by {
        Cause::Unknown => 0,
        Cause::Itself => 1,
        Cause::Task(_) => 2,
        Cause::Timer(_) => 3,
        Cause::Source(..) => 4,
        Cause::Thread(_) => 5,
    }
}
