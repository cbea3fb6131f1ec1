//! Events as bytes. The format of the file is told in [`file`](super::file).
//!
//! Done by the keeper's thread for all that the others put down in their `chunk`s.

use super::event::{Cause, Event, Spot};

/// Appends a number: seven bits a byte, the lowest first, the top bit says that more follow.
#[inline]
pub fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Appends a text: its length in bytes, then its bytes.
pub fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

/// Appends a number made of two halves that are both small, such as a place and a generation.
#[inline]
fn put_halves(bytes: &mut Vec<u8>, number: u64) {
    put(bytes, number & 0xffff_ffff);
    put(bytes, number >> 32);
}

/// Appends a number that may be missing.
#[inline]
fn put_option(bytes: &mut Vec<u8>, number: Option<u64>) {
    put(bytes, number.map_or(0, |number| number.saturating_add(1)));
}

fn put_cause(bytes: &mut Vec<u8>, cause: Cause) {
    match cause {
        Cause::Unknown => bytes.push(0),
        Cause::Itself => bytes.push(1),
        Cause::Task(task) => {
            bytes.push(2);
            put(bytes, task);
        }
        Cause::Timer(timer) => {
            bytes.push(3);
            put_halves(bytes, timer);
        }
        Cause::Source(source, direction) => {
            bytes.push(4 + direction as u8);
            put_halves(bytes, source);
        }
        Cause::Thread(thread) => {
            bytes.push(6);
            put(bytes, thread.into());
        }
    }
}

fn put_spot(bytes: &mut Vec<u8>, spot: Option<Spot>) {
    let number = |spot: Spot| u64::from(spot.level) << 6 | u64::from(spot.slot & 63);
    put_option(bytes, spot.map(number));
}

/// Appends an event that happened so many nanoseconds after the one before it.
#[inline]
pub fn put_event(bytes: &mut Vec<u8>, after: u64, event: &Event<'_>) {
    bytes.push(event.kind());
    put(bytes, after);
    match *event {
        Event::Turn => {}
        Event::Spawn {
            task,
            name,
            place,
            by,
        } => {
            put(bytes, task);
            put_text(bytes, name);
            put(bytes, place.into());
            put_option(bytes, by);
        }
        Event::Poll { task } => put(bytes, task),
        Event::Polled { task, ready } => put(bytes, task << 1 | u64::from(ready)),
        Event::Wake { task, by } => {
            put(bytes, task);
            put_cause(bytes, by);
        }
        Event::End { task, how } => {
            put(bytes, task);
            bytes.push(how as u8);
        }
        Event::Park { patience } => put_option(bytes, patience),
        Event::Unpark { events } => put(bytes, events.into()),
        Event::Source { source, fd, what } => {
            put_halves(bytes, source);
            put(bytes, u64::from(fd as u32));
            put_text(bytes, what);
        }
        Event::Gone { source } => put_halves(bytes, source),
        Event::Wait {
            source,
            direction,
            task,
        } => {
            put_halves(bytes, source);
            bytes.push(direction as u8);
            put_option(bytes, task);
        }
        Event::Ready {
            source,
            read,
            write,
        } => {
            put_halves(bytes, source);
            bytes.push(u8::from(read) | u8::from(write) << 1);
        }
        _ => put_rarer(bytes, event),
    }
}

/// The rest of [`put_event`].
fn put_rarer(bytes: &mut Vec<u8>, event: &Event<'_>) {
    match *event {
        Event::Timer {
            timer,
            due,
            spot,
            task,
        } => {
            put_halves(bytes, timer);
            put(bytes, due);
            put_spot(bytes, spot);
            put_option(bytes, task);
        }
        Event::Move { timer, spot } => {
            put_halves(bytes, timer);
            put_spot(bytes, Some(spot));
        }
        Event::Fire { timer } | Event::Cancel { timer } => put_halves(bytes, timer),
        Event::Steal { from, tasks } => {
            put(bytes, from.into());
            put(bytes, tasks.into());
        }
        Event::Job { job, place, task } => {
            put(bytes, job);
            put(bytes, place.into());
            put_option(bytes, task);
        }
        Event::JobBegin { job } | Event::JobEnd { job } => put(bytes, job),
        Event::Input { number, text, task } => {
            put(bytes, number);
            put_text(bytes, text);
            put_option(bytes, task);
        }
        Event::Output { number, text, ok } => {
            put(bytes, number << 1 | u64::from(ok));
            put_text(bytes, text);
        }
        Event::Note { text } => put_text(bytes, text),
        _ => {} // the commoner ones were written by the caller
    }
}
