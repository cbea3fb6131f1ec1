//! Events as their thread puts them down, and as the file has them: mostly a word of eight bytes.
//!
//! This is what runs in the middle of a loop that is recorded. So it stores the numbers it has at
//! hand, and nobody works on them after: the keeper copies the words into the file as they are.
//! They are read by `told.rs`.
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
use super::word::{
    AFTER, IS_BESIDE, IS_PACKED, IS_TIME, NUMBER, UNPACKED, WIDE, bits_of_source, cause, fits,
    last_and_end, number_and_bits, pack, some, word,
};

/// How many words a thread gathers before it hands them over: few enough to stay in the nearest
/// caches, beside what the loop itself has there.
const WORDS: usize = 512;

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
    /// The words that are put down, and room for more; none before it has begun.
    words: Vec<[u8; 8]>,
    /// How many are put down.
    len: usize,
    /// How many there were when the last poll, or wait of its task, had been put down.
    open: usize,
    /// How many events there are.
    count: u64,
    /// The memory for words, until it begins.
    spare: Vec<[u8; 8]>,
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
        self.len >= self.words.len()
    }

    /// Begins it, at a time and with what the thread is doing.
    pub(super) fn begin(&mut self, at: u64, doing: Doing) {
        if self.words.is_empty() {
            self.words = std::mem::take(&mut self.spare);
            self.words.resize(WORDS, [0; 8]);
        }
        (self.begins, self.ends, self.doing) = (at, at, doing);
    }

    /// Puts an event down. Who waits, sleeps or wakes is what the thread is doing: see above.
    /// Time does not go back: an event that is earlier than the last counts as simultaneous.
    #[inline(always)] // what kind of event it is, is known where it is put down
    pub(super) fn push(&mut self, at: u64, event: &Event<'_>) {
        if !self.try_push(at, event) {
            self.push_rarely(at, event);
        }
    }

    /// Puts an event down if it is one of the common ones, and one word that has room: whether it
    /// was. Calls nothing, so that a notice of which this is all needs no registers saved.
    #[inline(always)]
    pub(super) fn try_push(&mut self, at: u64, event: &Event<'_>) -> bool {
        if let Event::Polled { task, ready } = *event {
            return self.try_push_polled(at, task, ready);
        }
        let (number, bits) = match *event {
            Event::Poll { task } => (task, 0),
            Event::Wake { task, by } if !matches!(by, Cause::Thread(_)) => (task, cause(by)),
            Event::Wait { source, .. } | Event::Ready { source, .. } if source & UNPACKED == 0 => {
                (pack(source), bits_of_source(event) | IS_PACKED)
            }
            _ => return false,
        };
        let after = at.wrapping_sub(self.ends); // a time that went back does not fit
        let Some(place) = self.words.get_mut(self.len) else {
            return false;
        };
        if !fits(after, number) {
            return false;
        }
        *place = word(event.kind(), bits, after, number).to_le_bytes();
        self.ends = at;
        self.len += 1;
        self.count += 1;
        if let Event::Poll { .. } | Event::Wait { task: Some(_), .. } = event {
            self.open = self.len;
        }
        true
    }

    /// A poll is over. If the last word is the poll's, or the wait's in it, that one tells it as
    /// well.
    #[inline(always)]
    fn try_push_polled(&mut self, at: u64, task: u64, ready: bool) -> bool {
        let after = at.wrapping_sub(self.ends);
        if self.open != self.len || !fits(after, task) {
            return false;
        }
        let Some(last) = self.words.get_mut(self.len.wrapping_sub(1)) else {
            return false;
        };
        let end = last_and_end(u64::from_le_bytes(*last), task, ready);
        if end == 0 {
            return false;
        }
        *last = (end | after << AFTER).to_le_bytes();
        self.ends = at;
        self.count += 1;
        true
    }

    /// As `push`, for all events.
    #[cold]
    #[inline(never)]
    fn push_rarely(&mut self, at: u64, event: &Event<'_>) {
        match *event {
            Event::Polled { task, ready } => self.word(at, event.kind(), ready.into(), task),
            Event::Timer {
                timer,
                due,
                spot,
                task,
            } => {
                let bits = some(task) | u8::from(spot.is_some());
                self.push_timer(at, event.kind(), bits, timer, spot, due);
            }
            _ => match number_and_bits(event) {
                Some((number, bits)) => self.word(at, event.kind(), bits, number),
                None => self.push_beside(at, event),
            },
        }
        match *event {
            Event::Poll { .. } | Event::Wait { task: Some(_), .. } => self.open = self.len,
            Event::Wake {
                by: Cause::Thread(thread),
                ..
            } => self.more([thread.into()]),
            _ => {}
        }
    }

    /// Puts down that a timer moved, with its deadline: that may be another than was told last.
    pub(super) fn push_move(&mut self, at: u64, timer: u64, spot: Spot, due: u64) {
        let kind = Event::Move { timer, spot }.kind();
        self.push_timer(at, kind, 0, timer, Some(spot), due);
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
        let (words, _) = bytes.as_chunks();
        self.more(words.iter().map(|word| u64::from_le_bytes(*word)));
    }

    fn more(&mut self, words: impl IntoIterator<Item = u64>) {
        for word in words {
            match self.words.get_mut(self.len) {
                Some(place) => *place = word.to_le_bytes(),
                None => self.words.push(word.to_le_bytes()),
            }
            self.len += 1;
        }
    }

    fn word(&mut self, at: u64, kind: u8, bits: u8, number: u64) {
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
            words: self.words.get(..self.len).unwrap_or_default().to_vec(),
            spare: Vec::new(),
            ..*self
        };
        (self.count, self.open, self.len) = (0, 0, 0);
        self.spare = std::mem::take(&mut self.words);
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
        size_of::<Self>() + self.len * 8
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
        bytes.extend_from_slice(self.words[..self.len].as_flattened());
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
