//! Events as their thread puts them down, and as the file has them: mostly a word of eight bytes.
//!
//! This is what runs in the middle of a loop that is recorded. So it stores the numbers it has at
//! hand, and nobody works on them after: the keeper copies the words into the file as they are.
//! They are read by `told.rs`.
//!
//! ```text
//! number of the task, source or timer │ ns since the word before │ wide │ bits │ kind
//!               32 bits               │         23 bits          │  1   │  3   │  5
//! ```
//!
//! Which task is being polled, which source is ready, which timer has fired is told by the words
//! before, so a wake and a wait need not say it again; a chunk begins with what its thread was
//! doing then. The end of a poll is no word if nothing happened since its begin, or since its task
//! began to wait for a source, and that was at the time of the word before: it is told by the kind
//! of that word, whose nanoseconds are those up to the poll's end.
//!
//! What does not fit has a word more: the upper half of a number (`wide`), a longer time before
//! it, the number of a thread that woke. A timer has two more, its place in the wheel and its
//! deadline. An event with a text, or one that is rare, follows its word as `encode.rs` makes it,
//! its bytes filled up to whole words.

use super::encode::{put, put_cause, put_event};
use super::event::{Cause, Direction, Event, Spot};

/// How many words a thread gathers before it hands them over: few enough to stay in the nearest
/// caches, beside what the loop itself has there.
const WORDS: usize = 512;

/// At least as many as an event without a text takes.
const EVENT: usize = 8;

/// The kind of a word that is no event: the time before the next one is in a word of its own.
pub(super) const IS_TIME: u8 = 31;

/// The kind of a word whose event follows as bytes; its number is how many there are.
pub(super) const IS_BESIDE: u8 = 30;

/// The kind of a word that is a poll and its end.
pub(super) const IS_WHOLE: u8 = 29;

/// The kind of a word that is a wait and the end of the poll it was told in.
pub(super) const IS_LAST: u8 = 28;

/// The kind of a wait.
const WAIT: u8 = 10;

/// The bit of a word that has a number where there might be none.
pub(super) const IS_SOME: u8 = 2;

/// Where in a word its bits are, whether it is wide, the time, the number.
pub(super) const BITS: u32 = 5;
pub(super) const WIDE: u32 = 8;
pub(super) const AFTER: u32 = 9;
pub(super) const NUMBER: u32 = 32;

/// What a thread is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Doing {
    /// Nothing that would be a cause.
    #[default]
    Nothing,
    /// Taking in what other threads woke.
    Intake,
    /// Polling a task.
    Task(u64),
    /// Polling a task that is not to be seen.
    Unseen,
    /// Waking those who waited for a source.
    Source(u64, Direction),
    /// Waking who waited for a timer.
    Timer(u64),
    /// Making a call of the pool, or waking who waited for it.
    Call,
}

impl Doing {
    /// The task that is polled, if it is one to be seen.
    #[inline]
    pub(super) fn task(self) -> Option<u64> {
        match self {
            Self::Task(task) => Some(task),
            _ => None,
        }
    }

    /// As the cause of a wake, if it is one that wakes leave unsaid.
    fn cause(self) -> Cause {
        match self {
            Self::Task(task) => Cause::Task(task),
            Self::Source(source, direction) => Cause::Source(source, direction),
            Self::Timer(timer) => Cause::Timer(timer),
            Self::Nothing | Self::Intake | Self::Unseen | Self::Call => Cause::Unknown,
        }
    }
}

impl From<Cause> for Doing {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Task(task) => Self::Task(task),
            Cause::Source(source, direction) => Self::Source(source, direction),
            Cause::Timer(timer) => Self::Timer(timer),
            Cause::Itself | Cause::Thread(_) | Cause::Unknown => Self::Nothing,
        }
    }
}

/// Events of one thread in the order in which they happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chunk {
    thread: u16,
    begins: u64,
    /// When the last event happened.
    ends: u64,
    /// What the thread was doing before the first event.
    doing: Doing,
    words: Vec<[u8; 8]>,
    /// How many words there were when the last poll, or wait of its task, had been put down.
    open: usize,
    /// How many words it may have before it has to begin anew; none before it has begun.
    room: usize,
    /// How many events there are.
    count: u64,
}

impl Chunk {
    pub(super) fn new(thread: u16) -> Self {
        Self {
            thread,
            ..Self::default()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether it has to begin anew before an event is put down.
    #[inline]
    pub(super) fn has_no_room(&self) -> bool {
        self.words.len() >= self.room
    }

    /// Begins it, at a time and with what the thread is doing.
    pub(super) fn begin(&mut self, at: u64, doing: Doing) {
        self.words.reserve(WORDS + EVENT);
        (self.begins, self.ends, self.doing, self.room) = (at, at, doing, WORDS);
    }

    /// Puts an event down. Who waits, sleeps or wakes is what the thread is doing: see above.
    /// Time does not go back: an event that is earlier than the last counts as simultaneous.
    #[inline(always)] // what kind of event it is, is known where it is put down
    pub(super) fn push(&mut self, at: u64, event: &Event<'_>) {
        let (number, bits) = match *event {
            Event::Turn => (0, 0),
            Event::Poll { task } => (task, 0),
            Event::Polled { task, ready } => return self.push_polled(at, task, ready),
            Event::Wake { task, by } => (task, cause(by)),
            Event::End { task, how } => (task, how as u8),
            Event::Park { patience } => (patience.unwrap_or(0), some(patience)),
            Event::Unpark { events } => (events.into(), 0),
            Event::Wait {
                source,
                direction,
                task,
            } => (source, direction as u8 | some(task)),
            Event::Ready {
                source,
                read,
                write,
            } => (source, u8::from(read) | u8::from(write) << 1),
            Event::Timer {
                timer,
                due,
                spot,
                task,
            } => {
                let bits = some(task) | u8::from(spot.is_some());
                return self.push_timer(at, event.kind(), bits, timer, spot, due);
            }
            Event::Fire { timer } | Event::Cancel { timer } => (timer, 0),
            _ => return self.push_beside(at, event),
        };
        self.word(at, event.kind(), bits, number);
        match *event {
            Event::Poll { .. } | Event::Wait { task: Some(_), .. } => self.open = self.words.len(),
            Event::Wake {
                by: Cause::Thread(thread),
                ..
            } => self.words.push(u64::from(thread).to_le_bytes()),
            _ => {}
        }
    }

    /// Puts down that a timer moved, with its deadline: that may be another than was told last.
    pub(super) fn push_move(&mut self, at: u64, timer: u64, spot: Spot, due: u64) {
        let kind = Event::Move { timer, spot }.kind();
        self.push_timer(at, kind, 0, timer, Some(spot), due);
    }

    /// A poll is over. The last word tells it as well, if there is room for it.
    #[inline(always)]
    fn push_polled(&mut self, at: u64, task: u64, ready: bool) {
        let after = at.wrapping_sub(self.ends);
        let kind = Event::Polled { task, ready }.kind();
        if self.open != self.words.len() || !fits(after, task) {
            return self.word(at, kind, ready.into(), task);
        }
        let Some(last) = self.words.last_mut() else {
            return self.word(at, kind, ready.into(), task);
        };
        let end = last_and_end(u64::from_le_bytes(*last), task, ready);
        if end == 0 {
            return self.word(at, kind, ready.into(), task);
        }
        *last = (end | after << AFTER).to_le_bytes();
        self.ends = at;
        self.count += 1;
    }

    #[cold]
    fn push_timer(
        &mut self,
        at: u64,
        kind: u8,
        bits: u8,
        timer: u64,
        spot: Option<Spot>,
        due: u64,
    ) {
        let (low, high) = (timer & u64::from(u32::MAX), timer >> NUMBER);
        let place = spot.map_or(0, |spot| u16::from_be_bytes([spot.level, spot.slot]));
        self.word(at, kind, bits, low);
        self.more([u64::from(place) << NUMBER | high, due]);
    }

    #[cold]
    fn push_beside(&mut self, at: u64, event: &Event<'_>) {
        let mut bytes = Vec::new();
        put_event(&mut bytes, 0, event);
        self.word(at, IS_BESIDE, 0, bytes.len() as u64);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        self.words.extend(bytes.as_chunks().0);
    }

    fn more(&mut self, numbers: impl IntoIterator<Item = u64>) {
        self.words.extend(numbers.into_iter().map(u64::to_le_bytes));
    }

    #[inline(always)]
    fn word(&mut self, at: u64, kind: u8, bits: u8, number: u64) {
        let after = at.wrapping_sub(self.ends); // a time that went back does not fit
        if !fits(after, number) {
            return self.words(at, kind, bits, number);
        }
        self.ends = at;
        self.count += 1;
        self.words
            .push(word(kind, bits, after, number).to_le_bytes());
    }

    /// As `word`, for one that is wide or comes after a long time.
    #[cold]
    #[inline(never)]
    fn words(&mut self, at: u64, kind: u8, bits: u8, number: u64) {
        let mut after = at.saturating_sub(self.ends);
        self.ends += after;
        if !fits(after, 0) {
            self.more([u64::from(IS_TIME), after]);
            after = 0;
        }
        let high = number >> NUMBER;
        let wide = u64::from(high > 0) << WIDE;
        self.more([word(kind, bits, after, number & u64::from(u32::MAX)) | wide]);
        self.more((high > 0).then_some(high));
        self.count += 1;
    }

    /// What was put down, in memory of just its size; goes on empty, in the memory it has.
    pub(super) fn take(&mut self) -> Self {
        let taken = Self {
            words: self.words.clone(),
            ..*self
        };
        (self.count, self.open, self.room) = (0, 0, 0);
        self.words.clear();
        taken
    }

    /// The thread's number.
    pub(super) fn thread(&self) -> u16 {
        self.thread
    }

    /// When it begins.
    #[cfg(test)]
    pub(super) fn begins(&self) -> u64 {
        self.begins
    }

    /// How many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.words)
    }

    /// How many events there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Appends it as the file has it: the content of a block.
    pub(super) fn append_to(&self, bytes: &mut Vec<u8>) {
        put(bytes, self.thread.into());
        put(bytes, self.begins);
        put_cause(bytes, self.doing.cause());
        bytes.extend_from_slice(self.words.as_flattened());
    }
}

/// Whether a time and a number have room in one word.
#[inline(always)]
fn fits(after: u64, number: u64) -> bool {
    after >> (NUMBER - AFTER) | number >> NUMBER == 0
}

#[inline(always)]
fn word(kind: u8, bits: u8, after: u64, number: u64) -> u64 {
    u64::from(kind) | u64::from(bits) << BITS | after << AFTER | number << NUMBER
}

/// The word of a poll or of a wait as one that tells the end of the task's poll as well, without
/// its time; zero if it cannot.
#[inline(always)]
fn last_and_end(last: u64, task: u64, ready: bool) -> u64 {
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
fn some(number: Option<u64>) -> u8 {
    if number.is_some() { IS_SOME } else { 0 }
}

#[inline(always)]
fn cause(by: Cause) -> u8 {
    match by {
        Cause::Unknown => 0,
        Cause::Itself => 1,
        Cause::Task(_) => 2,
        Cause::Timer(_) => 3,
        Cause::Source(..) => 4,
        Cause::Thread(_) => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_bounded() {
        let mut chunk = Chunk::new(0);
        assert!(chunk.has_no_room());
        chunk.begin(5, Doing::Nothing);
        assert!(!chunk.has_no_room());
        (0..WORDS).for_each(|_| chunk.push(5, &Event::Turn));
        assert!(chunk.has_no_room());
        assert_eq!(chunk.take().count(), WORDS as u64);
        assert!(
            chunk.is_empty() && chunk.has_no_room(),
            "it has to begin first"
        );
        chunk.begin(5, Doing::Nothing);
        let text = &"x".repeat(WORDS * 8);
        chunk.push(5, &Event::Note { text });
        assert!(chunk.has_no_room());
    }
}
