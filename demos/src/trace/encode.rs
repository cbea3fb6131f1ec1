//! Events as bytes. The format of the file is told in [`file`](super::file).
//!
//! Done for what is rare, or has a text; the rest is put down in words (`chunk.rs`).

use super::event::{Cause, Direction, Event, Spot};

/// The longest event without a text: a timer has six numbers.
const LONGEST: usize = 64;

/// Appends a number: seven bits a byte, the lowest first, the top bit says that more follow.
#[inline]
pub fn put(bytes: &mut Vec<u8>, number: u64) {
    let mut numbers = Numbers::new();
    numbers.put(number);
    numbers.append_to(bytes);
}

/// Appends a text: its length in bytes, then its bytes.
pub fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

/// Appends a cause.
pub(super) fn put_cause(bytes: &mut Vec<u8>, cause: Cause) {
    let mut numbers = Numbers::new();
    numbers.put_cause(cause);
    numbers.append_to(bytes);
}

/// What an event has before its text, or all of it: put together on the stack, so that the vector
/// is asked for room once and not for each byte.
struct Numbers {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Numbers {
    #[inline(always)]
    fn new() -> Self {
        Self {
            bytes: [0; LONGEST],
            length: 0,
        }
    }

    /// An event of this kind, so many nanoseconds after the one before it.
    #[inline(always)]
    fn event(kind: u8, after: u64) -> Self {
        let mut numbers = Self::new();
        numbers.byte(kind);
        numbers.put(after);
        numbers
    }

    #[inline(always)]
    fn poll(&mut self, task: u64) {
        self.put(task);
    }

    #[inline(always)]
    fn polled(&mut self, task: u64, ready: bool) {
        self.put(task << 1 | u64::from(ready));
    }

    #[inline(always)]
    fn wake(&mut self, task: u64, by: Cause) {
        self.put(task);
        self.put_cause(by);
    }

    #[inline(always)]
    fn wait(&mut self, source: u64, direction: Direction, task: Option<u64>) {
        self.put_halves(source);
        self.byte(direction as u8);
        self.put_option(task);
    }

    #[inline(always)]
    fn ready(&mut self, source: u64, read: bool, write: bool) {
        self.put_halves(source);
        self.byte(u8::from(read) | u8::from(write) << 1);
    }

    #[inline(always)]
    fn byte(&mut self, byte: u8) {
        debug_assert!(self.length < LONGEST, "an event is longer than any can be");
        self.bytes[self.length % LONGEST] = byte; // never so many: spares the check
        self.length += 1;
    }

    #[inline(always)]
    fn put(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    /// A number made of two halves that are both small, such as a place and a generation.
    #[inline(always)]
    fn put_halves(&mut self, number: u64) {
        self.put(number & 0xffff_ffff);
        self.put(number >> 32);
    }

    /// A number that may be missing.
    #[inline(always)]
    fn put_option(&mut self, number: Option<u64>) {
        self.put(number.map_or(0, |number| number.saturating_add(1)));
    }

    fn put_spot(&mut self, spot: Option<Spot>) {
        let number = |spot: Spot| u64::from(spot.level) << 6 | u64::from(spot.slot & 63);
        self.put_option(spot.map(number));
    }

    #[inline(always)]
    fn put_cause(&mut self, cause: Cause) {
        match cause {
            Cause::Unknown => self.byte(0),
            Cause::Itself => self.byte(1),
            Cause::Task(task) => {
                self.byte(2);
                self.put(task);
            }
            Cause::Timer(timer) => {
                self.byte(3);
                self.put_halves(timer);
            }
            Cause::Source(source, direction) => {
                self.byte(4 + direction as u8);
                self.put_halves(source);
            }
            Cause::Thread(thread) => {
                self.byte(6);
                self.put(thread.into());
            }
        }
    }

    /// Appends all that was put, as bytes of a fixed number and then fewer: a copy without a loop.
    #[inline(always)]
    fn append_to(&self, bytes: &mut Vec<u8>) {
        let end = bytes.len() + self.length;
        bytes.extend_from_slice(&self.bytes);
        bytes.truncate(end);
    }
}

/// Appends an event that happened so many nanoseconds after the one before it.
pub fn put_event(bytes: &mut Vec<u8>, after: u64, event: &Event<'_>) {
    let mut out = Numbers::event(event.kind(), after);
    match *event {
        Event::Turn => {}
        Event::Poll { task } => out.poll(task),
        Event::Polled { task, ready } => out.polled(task, ready),
        Event::Wake { task, by } => out.wake(task, by),
        Event::Park { patience } => out.put_option(patience),
        Event::Unpark { events } => out.put(events.into()),
        Event::Wait {
            source,
            direction,
            task,
        } => out.wait(source, direction, task),
        Event::Ready {
            source,
            read,
            write,
        } => out.ready(source, read, write),
        _ => return put_rarer(bytes, out, event),
    }
    out.append_to(bytes);
}

/// The rest of [`put_event`].
fn put_rarer(bytes: &mut Vec<u8>, mut out: Numbers, event: &Event<'_>) {
    match *event {
        Event::End { task, how } => {
            out.put(task);
            out.byte(how as u8);
        }
        Event::Gone { source } => out.put_halves(source),
        Event::Timer {
            timer,
            due,
            spot,
            task,
        } => {
            out.put_halves(timer);
            out.put(due);
            out.put_spot(spot);
            out.put_option(task);
        }
        Event::Move { timer, spot } => {
            out.put_halves(timer);
            out.put_spot(Some(spot));
        }
        Event::Fire { timer } | Event::Cancel { timer } => out.put_halves(timer),
        Event::Steal { from, tasks } => {
            out.put(from.into());
            out.put(tasks.into());
        }
        Event::Job { job, place, task } => {
            out.put(job);
            out.put(place.into());
            out.put_option(task);
        }
        Event::JobBegin { job } | Event::JobEnd { job } => out.put(job),
        _ => return put_told(bytes, &mut out, event),
    }
    out.append_to(bytes);
}

/// The events with a text.
fn put_told(bytes: &mut Vec<u8>, out: &mut Numbers, event: &Event<'_>) {
    let (text, place, task) = match *event {
        Event::Spawn {
            task,
            name,
            place,
            by,
        } => {
            out.put(task);
            (name, Some(place), Some(by))
        }
        Event::Source { source, fd, what } => {
            out.put_halves(source);
            out.put(u64::from(fd as u32));
            (what, None, None)
        }
        Event::Input { number, text, task } => {
            out.put(number);
            (text, None, Some(task))
        }
        Event::Output { number, text, ok } => {
            out.put(number << 1 | u64::from(ok));
            (text, None, None)
        }
        Event::Note { text } => (text, None, None),
        _ => return out.append_to(bytes), // the others were written by the callers
    };
    out.append_to(bytes);
    put_text(bytes, text);
    let mut rest = Numbers::new();
    if let Some(place) = place {
        rest.put(place.into());
    }
    if let Some(task) = task {
        rest.put_option(task);
    }
    rest.append_to(bytes);
}
