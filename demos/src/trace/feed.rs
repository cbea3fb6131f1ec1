//! What those who watch are sent: the last events as lines, each with its number.
//!
//! Everybody reads from the same lines, and remembers the number of the last one he had: a slow
//! reader costs no memory, and when lines he has not had are gone for want of room, he sees by
//! the numbers that some are missing. Who comes when the first are gone is told what is left of
//! them, in lines without numbers.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::block::Block;
use super::json::{self, Names};
use super::numbers::Numbers;
use super::past::{Change, Past};
use super::recorder::Recorder;

/// How much a reader is given at once.
const CHUNK: usize = 64 << 10;

/// A thread that has not handed over for so long is not waited for: it is in a long poll.
const LONG: u64 = 1_000_000_000;

/// The last events, as lines.
#[derive(Debug)]
pub struct Feed {
    state: Mutex<State>,
    limit: usize,
}

#[derive(Debug, Default)]
struct State {
    /// The number of the first line that is kept.
    first: u64,
    lines: VecDeque<(String, Change)>,
    past: Past,
    bytes: usize,
    readers: Vec<Waker>,
    /// How many read, and how many did so far.
    open: usize,
    opened: usize,
}

impl Feed {
    /// A feed that keeps so many bytes of lines.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            state: Mutex::default(),
            limit,
        }
    }

    /// Adds lines, and wakes who waits for some.
    pub(super) fn push(&self, lines: impl IntoIterator<Item = (String, Change)>) {
        let mut state = self.lock();
        for line in lines {
            state.bytes += line.0.len();
            state.lines.push_back(line);
            while state.bytes > self.limit {
                let Some((oldest, change)) = state.lines.pop_front() else {
                    break;
                };
                state.bytes -= oldest.len();
                let number = state.first;
                state.past.take_in(number, oldest, change);
                state.first += 1;
            }
        }
        let readers = std::mem::take(&mut state.readers);
        drop(state);
        readers.into_iter().for_each(Waker::wake);
    }

    /// The lines from this number on, as server-sent events, and the number of the next one; not
    /// ready while there are none.
    pub fn poll_from(&self, next: u64, cx: &Context<'_>) -> Poll<(String, u64)> {
        let mut state = self.lock();
        let begin = next.max(state.first);
        let skipped = usize::try_from(begin - state.first).unwrap_or(usize::MAX);
        let mut text = String::new();
        if next == 0 {
            for line in state.past.lines() {
                let _ = write!(text, "data: {line}\n\n");
            }
        }
        let mut number = begin;
        for (line, _) in state.lines.iter().skip(skipped) {
            let _ = write!(text, "id: {number}\ndata: {line}\n\n");
            number += 1;
            if text.len() >= CHUNK {
                break;
            }
        }
        if !text.is_empty() {
            return Poll::Ready((text, number));
        }
        if !state
            .readers
            .iter()
            .any(|reader| reader.will_wake(cx.waker()))
        {
            state.readers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// The number that the next line will have.
    #[must_use]
    pub fn next(&self) -> u64 {
        let state = self.lock();
        state.first + state.lines.len() as u64
    }

    /// How many lines were dropped for want of room.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.lock().first
    }

    /// Somebody reads until what this gives is dropped.
    pub(super) fn open(&self) {
        let mut state = self.lock();
        (state.open, state.opened) = (state.open + 1, state.opened + 1);
        let readers = std::mem::take(&mut state.readers);
        drop(state);
        readers.into_iter().for_each(Waker::wake); // who waits for the first one
    }

    pub(super) fn close(&self) {
        self.lock().open -= 1;
    }

    /// How many read.
    #[must_use]
    pub fn readers(&self) -> usize {
        self.lock().open
    }

    /// Ready when somebody reads, or did.
    pub(super) fn poll_first(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.opened > 0 {
            return Poll::Ready(());
        }
        state.readers.push(cx.waker().clone());
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic within leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Turns blocks into lines, in the order of time as far as that is known.
#[derive(Debug, Default)]
pub(super) struct Liner {
    numbers: Numbers,
    /// Lines that an earlier event of another thread may yet come before.
    waiting: Vec<(u64, (String, Change))>,
    threads: Vec<String>,
    places: Vec<String>,
}

impl Names for Liner {
    fn thread(&self, number: u16) -> &str {
        self.threads
            .get(usize::from(number))
            .map_or("", String::as_str)
    }

    fn place(&self, number: u32) -> &str {
        self.places.get(number as usize).map_or("?", String::as_str)
    }
}

impl Liner {
    /// The lines that are complete now.
    pub(super) fn lines(
        &mut self,
        recorder: &Recorder,
        blocks: &[Block],
    ) -> impl Iterator<Item = (String, Change)> {
        // Asked for before the blocks are looked at: what is handed over later begins later.
        let complete = recorder.complete_until();
        self.threads
            .extend(recorder.threads_from(self.threads.len()));
        self.places.extend(recorder.places_from(self.places.len()));
        for block in blocks {
            for mut entry in block.entries().map_while(Result::ok) {
                entry.event = self.numbers.renumber(entry.event);
                let mut line = json::line(&entry, self);
                line.pop(); // its end
                self.waiting.push((entry.at, (line, Change::of(&entry))));
            }
        }
        self.waiting.sort_by_key(|(at, _)| *at);
        let newest = self.waiting.last().map_or(0, |(at, _)| *at);
        let until = complete.max(newest.saturating_sub(LONG));
        let count = self.waiting.partition_point(|(at, _)| *at < until);
        self.waiting.drain(..count).map(|(_, line)| line)
    }

    /// What is left at the end.
    pub(super) fn rest(&mut self) -> impl Iterator<Item = (String, Change)> {
        self.waiting.drain(..).map(|(_, line)| line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::event::{Entry, Event, How};

    #[test]
    fn everybody_reads_the_same_and_sees_what_is_missing() {
        let cx = Context::from_waker(Waker::noop());
        let feed = Feed::new(20);
        assert!(feed.poll_from(0, &cx).is_pending());
        let line = |number: usize| (format!("line{number}"), Change::default());
        feed.push((0..4).map(line));
        let (text, next) = match feed.poll_from(0, &cx) {
            Poll::Ready(read) => read,
            Poll::Pending => panic!("there are lines"),
        };
        assert_eq!(text.matches("data: ").count(), 4);
        assert!(text.starts_with("id: 0\ndata: line0\n\n"));
        assert_eq!(next, 4);
        assert!(feed.poll_from(next, &cx).is_pending());
        feed.push((4..9).map(line));
        let read = feed.poll_from(next, &cx);
        assert!(matches!(read, Poll::Ready((text, 9)) if text.starts_with("id: 5\n")));
        assert_eq!((feed.dropped(), feed.next()), (5, 9));
    }

    #[test]
    fn who_comes_late_is_told_what_is_left_of_what_was() {
        let feed = Feed::new(20);
        let (at, thread, place) = (0, 0, 0);
        for task in 0..3 {
            let (name, by) = ("", None);
            let event = Event::Spawn {
                task,
                name,
                place,
                by,
            };
            let change = Change::of(&Entry { at, thread, event });
            feed.push([(format!("spawn{task}"), change)]);
        }
        let how = How::Output;
        let event = Event::End { task: 0, how };
        let change = Change::of(&Entry { at, thread, event });
        feed.push([
            ("end0".to_owned(), change),
            ("and more of it".to_owned(), change),
        ]);
        let Poll::Ready((text, next)) = feed.poll_from(0, &Context::from_waker(Waker::noop()))
        else {
            panic!("there are lines");
        };
        assert_eq!((feed.dropped(), next), (3, 5));
        let past = "data: spawn1\n\ndata: spawn2\n\n";
        // Its spawn is among what is gone, its end is yet to come.
        let past = format!("data: spawn0\n\n{past}");
        assert_eq!(
            text,
            format!("{past}id: 3\ndata: end0\n\nid: 4\ndata: and more of it\n\n")
        );
    }
}
