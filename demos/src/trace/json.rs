//! A trace as JSON, one object a line: what the page reads, and what other programs can.
//!
//! ```text
//! {"handrolled_trace":1,"program":"event-loop run","started":"…","workers":["loop"],"dropped":0}
//! {"t":0,"e":"turn"}
//! {"t":1200,"e":"spawn","task":7,"name":"I1","at":"demos/src/program/session.rs:10","by":3}
//! {"t":1900,"e":"wake","task":7,"by":{"timer":9}}
//! ```
//!
//! `t` is in nanoseconds since the trace began, `w` the thread's place in `workers` (not there: 0),
//! `e` the kind. Readers pass over fields and kinds they do not know.

use serde::Serialize;

use super::event::{Cause, Direction, Entry, Event, Spot};
use super::file::Header;
use super::reader::Trace;

/// The first line.
#[derive(Debug, Serialize)]
struct First<'a> {
    handrolled_trace: u64,
    #[serde(flatten)]
    header: &'a Header,
    workers: &'a [&'a str],
    dropped: u64,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    captions: &'a [Caption<'a>],
}

/// A remark on the event of this index.
#[derive(Debug, Serialize)]
struct Caption<'a> {
    at: usize,
    text: &'a str,
}

#[derive(Serialize)]
struct Line<'a> {
    t: u64,
    #[serde(skip_serializing_if = "is_zero")]
    w: u16,
    #[serde(flatten)]
    event: Told<'a>,
}

fn is_zero(number: &u16) -> bool {
    *number == 0
}

#[derive(Serialize)]
#[serde(tag = "e", rename_all = "kebab-case")]
enum Told<'a> {
    Turn,
    Spawn {
        task: u64,
        #[serde(skip_serializing_if = "str::is_empty")]
        name: &'a str,
        at: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<u64>,
    },
    Poll {
        task: u64,
    },
    Polled {
        task: u64,
        ready: bool,
    },
    Wake {
        task: u64,
        by: By<'a>,
    },
    End {
        task: u64,
        how: &'static str,
    },
    Park {
        ns: Option<u64>,
    },
    Unpark {
        events: u32,
    },
    Source {
        source: u64,
        fd: i32,
        #[serde(skip_serializing_if = "str::is_empty")]
        what: &'a str,
    },
    Gone {
        source: u64,
    },
    Wait {
        source: u64,
        dir: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        task: Option<u64>,
    },
    Ready {
        source: u64,
        read: bool,
        write: bool,
    },
    Timer {
        timer: u64,
        due: u64,
        #[serde(flatten)]
        spot: Option<Place>,
        #[serde(skip_serializing_if = "Option::is_none")]
        task: Option<u64>,
    },
    Move {
        timer: u64,
        #[serde(flatten)]
        spot: Place,
    },
    Fire {
        timer: u64,
    },
    Cancel {
        timer: u64,
    },
    Steal {
        from: u16,
        tasks: u32,
    },
    Job {
        job: u64,
        at: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        task: Option<u64>,
    },
    JobBegin {
        job: u64,
        thread: &'a str,
    },
    JobEnd {
        job: u64,
    },
    Input {
        n: u64,
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        task: Option<u64>,
    },
    Output {
        n: u64,
        text: &'a str,
        ok: bool,
    },
    Note {
        text: &'a str,
    },
}

#[derive(Serialize)]
struct Place {
    level: u8,
    slot: u8,
}

impl From<Spot> for Place {
    fn from(Spot { level, slot }: Spot) -> Self {
        Self { level, slot }
    }
}

/// A cause, as an object with one field that says which.
#[derive(Serialize)]
#[serde(untagged)]
enum By<'a> {
    Itself {
        #[serde(rename = "self")]
        itself: bool,
    },
    Task {
        task: u64,
    },
    Timer {
        timer: u64,
    },
    Source {
        source: u64,
        dir: &'static str,
    },
    Thread {
        thread: &'a str,
    },
    Other {
        other: bool,
    },
}

/// What numbers of the trace stand for.
pub trait Names {
    /// The name of a thread.
    fn thread(&self, number: u16) -> &str;
    /// A place in the source.
    fn place(&self, number: u32) -> &str;
}

impl Names for Trace<'_> {
    fn thread(&self, number: u16) -> &str {
        Trace::thread(self, number)
    }

    fn place(&self, number: u32) -> &str {
        Trace::place(self, number)
    }
}

/// The version of this form; the file's is another.
const VERSION: u64 = 1;

/// The first line of a trace that has these threads.
#[must_use]
pub fn first_line(header: &Header, workers: &[&str], dropped: u64) -> String {
    to_text(&First {
        handrolled_trace: VERSION,
        header,
        workers,
        dropped,
        captions: &[],
    })
}

/// All lines of a trace; the program's remarks become captions of the header.
#[must_use]
pub fn lines(trace: &Trace<'_>) -> String {
    let is_note = |entry: &&Entry<'_>| matches!(entry.event, Event::Note { .. });
    let mut captions = Vec::new();
    let mut index = 0;
    for entry in &trace.entries {
        match entry.event {
            Event::Note { text } => captions.push(Caption { at: index, text }),
            _ => index += 1,
        }
    }
    let mut text = to_text(&First {
        handrolled_trace: VERSION,
        header: &trace.header,
        workers: &trace.threads,
        dropped: trace.lost,
        captions: &captions,
    });
    for entry in trace.entries.iter().filter(|entry| !is_note(entry)) {
        text.push_str(&line(entry, trace));
    }
    text
}

/// The line of an event.
#[must_use]
pub fn line(entry: &Entry<'_>, names: &impl Names) -> String {
    to_text(&Line {
        t: entry.at,
        w: entry.thread,
        event: told(entry, names),
    })
}

fn to_text(line: &impl Serialize) -> String {
    // Of the types above none can fail: no map with odd keys, no writer.
    let mut text = serde_json::to_string(line).unwrap_or_default();
    text.push('\n');
    text
}

fn told<'a>(entry: &Entry<'a>, names: &'a impl Names) -> Told<'a> {
    match entry.event {
        Event::Turn => Told::Turn,
        Event::Spawn {
            task,
            name,
            place,
            by,
        } => {
            let at = names.place(place);
            Told::Spawn { task, name, at, by }
        }
        Event::Poll { task } => Told::Poll { task },
        Event::Polled { task, ready } => Told::Polled { task, ready },
        Event::Wake { task, by } => {
            let by = cause(by, names);
            Told::Wake { task, by }
        }
        Event::End { task, how } => {
            let how = how.name();
            Told::End { task, how }
        }
        Event::Park { patience } => Told::Park { ns: patience },
        Event::Unpark { events } => Told::Unpark { events },
        Event::Source { source, fd, what } => Told::Source { source, fd, what },
        Event::Gone { source } => Told::Gone { source },
        Event::Wait {
            source,
            direction,
            task,
        } => {
            let dir = direction.name();
            Told::Wait { source, dir, task }
        }
        Event::Ready {
            source,
            read,
            write,
        } => Told::Ready {
            source,
            read,
            write,
        },
        _ => told_of_the_rest(entry, names),
    }
}

fn told_of_the_rest<'a>(entry: &Entry<'a>, names: &'a impl Names) -> Told<'a> {
    match entry.event {
        Event::Timer {
            timer,
            due,
            spot,
            task,
        } => {
            let spot = spot.map(Place::from);
            Told::Timer {
                timer,
                due,
                spot,
                task,
            }
        }
        Event::Move { timer, spot } => {
            let spot = spot.into();
            Told::Move { timer, spot }
        }
        Event::Fire { timer } => Told::Fire { timer },
        Event::Cancel { timer } => Told::Cancel { timer },
        Event::Steal { from, tasks } => Told::Steal { from, tasks },
        Event::Job { job, place, task } => {
            let at = names.place(place);
            Told::Job { job, at, task }
        }
        Event::JobBegin { job } => {
            let thread = names.thread(entry.thread);
            Told::JobBegin { job, thread }
        }
        Event::JobEnd { job } => Told::JobEnd { job },
        Event::Input { number, text, task } => {
            let n = number;
            Told::Input { n, text, task }
        }
        Event::Output { number, text, ok } => {
            let n = number;
            Told::Output { n, text, ok }
        }
        Event::Note { text } => Told::Note { text },
        _ => Told::Turn, // not reached: the others were told by the caller
    }
}

fn cause<'a>(cause: Cause, names: &'a impl Names) -> By<'a> {
    let dir = Direction::name;
    match cause {
        Cause::Itself => By::Itself { itself: true },
        Cause::Task(task) => By::Task { task },
        Cause::Timer(timer) => By::Timer { timer },
        Cause::Source(source, direction) => By::Source {
            source,
            dir: dir(direction),
        },
        Cause::Thread(thread) => By::Thread {
            thread: names.thread(thread),
        },
        Cause::Unknown => By::Other { other: true },
    }
}
