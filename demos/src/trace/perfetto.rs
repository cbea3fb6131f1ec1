//! A trace for Perfetto (ui.perfetto.dev) and chrome://tracing: the 'Trace Event Format', as JSON.
//!
//! Each thread is a track: polls and waits are slices on it, an arrow leads from a wake to the poll
//! it brought about. Inputs are spans of their own, from I to O; so are timers and calls.
//! (Google, *Trace Event Format*: `ph` is the phase, `ts` and `dur` are in microseconds.)
//!
//! What a loop does between two looks at the clock has one time in a trace. Viewers go by time
//! alone, and would have an arrow begin at whatever else happened then: so no two events have the
//! same time here, and of such a group each is two nanoseconds after the one before.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::event::{Cause, Entry, Event};
use super::story::Story;
use super::words::{sentence, task};

/// The trace as one JSON object.
#[must_use]
pub fn export(story: &Story<'_>) -> String {
    let mut export = Export {
        story,
        times: times(story),
        events: Vec::new(),
        arrows: HashMap::new(),
        last_arrow: 0,
    };
    export.name_threads();
    for index in 0..story.trace.entries.len() {
        export.entry(index);
    }
    let whole = json!({
        "traceEvents": export.events,
        "displayTimeUnit": "ns",
        "otherData": {
            "program": story.trace.header.program,
            "started": story.trace.header.started,
        },
    });
    whole.to_string()
}

struct Export<'s, 'a> {
    story: &'s Story<'a>,
    /// The time at which each entry is shown.
    times: Vec<u64>,
    events: Vec<Value>,
    /// Wakes that have brought no poll about yet, by task: an arrow's number and name, which its
    /// two ends must have in common.
    arrows: HashMap<u64, (u64, &'static str)>,
    last_arrow: u64,
}

/// The entries' times, a little apart where they are the same.
fn times(story: &Story<'_>) -> Vec<u64> {
    let mut free = 0;
    let apart = |entry: &Entry<'_>| {
        let time = entry.at.max(free);
        free = time.saturating_add(2);
        time
    };
    story.trace.entries.iter().map(apart).collect()
}

fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1000.0
}

impl Export<'_, '_> {
    fn push(&mut self, phase: &str, index: usize, name: &str, more: Value) {
        let entry = &self.story.trace.entries[index];
        let mut event = Map::new();
        event.insert("ph".to_owned(), phase.into());
        event.insert("name".to_owned(), name.into());
        event.insert("pid".to_owned(), 1.into());
        event.insert("tid".to_owned(), (u64::from(entry.thread) + 1).into());
        event.insert("ts".to_owned(), micros(self.times[index]).into());
        if let Value::Object(more) = more {
            event.extend(more);
        }
        self.events.push(Value::Object(event));
    }

    fn name_threads(&mut self) {
        let program = &self.story.trace.header.program;
        self.events.push(json!({
            "ph": "M", "name": "process_name", "pid": 1, "tid": 0, "args": {"name": program},
        }));
        for (number, name) in self.story.trace.threads.iter().enumerate() {
            self.events.push(json!({
                "ph": "M", "name": "thread_name", "pid": 1, "tid": number + 1,
                "args": {"name": name},
            }));
        }
    }

    fn entry(&mut self, index: usize) {
        let words = || sentence(self.story, index);
        match self.story.event(index) {
            Event::Wake { task, by } => {
                // An arrow has to begin in a slice: this is the wake's own, a nanosecond long.
                let says = json!({"cat": "wake", "dur": 0.001, "args": {"says": words()}});
                self.push("X", index, "wake", says);
                if self.arrows.contains_key(&task) {
                    return; // it is woken already
                }
                self.last_arrow += 1;
                let name = match by {
                    Cause::Timer(_) => "wake by timer",
                    Cause::Source(..) => "wake by source",
                    Cause::Itself | Cause::Task(_) => "wake by task",
                    Cause::Thread(_) | Cause::Unknown => "wake by thread",
                };
                self.arrows.insert(task, (self.last_arrow, name));
                self.push(
                    "s",
                    index,
                    name,
                    json!({"cat": "wakes", "id": self.last_arrow}),
                );
            }
            Event::Poll { task } => {
                self.poll(index);
                if let Some((arrow, name)) = self.arrows.remove(&task) {
                    let more = json!({"cat": "wakes", "id": arrow, "bp": "e"});
                    self.push("f", index, name, more);
                }
            }
            Event::Input { number, text, .. } => {
                let more = json!({"cat": "input", "id": number, "args": {"line": text}});
                self.push("b", index, &format!("I{number}"), more);
            }
            Event::Output { number, text, ok } => {
                let more = json!({"cat": "input", "id": number, "args": {"says": text, "ok": ok}});
                self.push("e", index, &format!("I{number}"), more);
            }
            Event::Timer { timer, .. } => {
                let more = json!({"cat": "timer", "id": timer, "args": {"says": words()}});
                self.push("b", index, &format!("timer {timer}"), more);
            }
            Event::Fire { timer } | Event::Cancel { timer } => {
                let more = json!({"cat": "timer", "id": timer, "args": {"says": words()}});
                self.push("e", index, &format!("timer {timer}"), more);
            }
            Event::JobBegin { job } => self.call(index, job),
            Event::Park { .. } => self.wait(index),
            Event::Polled { .. } | Event::Unpark { .. } | Event::JobEnd { .. } => {}
            other => {
                let more = json!({"s": "t", "cat": other.name(), "args": {"says": words()}});
                self.push("i", index, other.name(), more);
            }
        }
    }

    /// From one entry to another; to the end of the trace, if there is none.
    fn length(&self, begin: usize, end: Option<usize>) -> f64 {
        let end = end.unwrap_or(self.times.len().saturating_sub(1));
        micros(self.times[end].saturating_sub(self.times[begin]))
    }

    fn call(&mut self, index: usize, job: u64) {
        let call = self.story.call(job);
        let length = self.length(index, call.made);
        let for_task = call.task.map(|number| task(self.story, number));
        let more = json!({"cat": "call", "dur": length, "args": {"for": for_task}});
        self.push("X", index, &format!("call {job}"), more);
    }

    fn poll(&mut self, index: usize) {
        let polls = self.story.polls();
        let Ok(poll) = polls.binary_search_by_key(&index, |poll| poll.begin) else {
            return;
        };
        let poll = polls[poll];
        let last = poll.end.map(|end| self.story.event(end));
        let ready = matches!(last, Some(Event::Polled { ready: true, .. }));
        let length = self.length(index, poll.end);
        let more = json!({"cat": "poll", "dur": length, "args": {"ready": ready}});
        self.push("X", index, &task(self.story, poll.task), more);
    }

    fn wait(&mut self, index: usize) {
        let entries = &self.story.trace.entries;
        let after = entries.iter().enumerate().skip(index + 1);
        let mut same_thread = after.filter(|(_, entry)| entry.thread == entries[index].thread);
        // A thread that waits does nothing but go on.
        let next = same_thread.next().map(|(end, entry)| (end, entry.event));
        let (end, events) = match next {
            Some((end, Event::Unpark { events })) => (end, events),
            _ => return,
        };
        let length = self.length(index, Some(end));
        let more = json!({"cat": "wait", "dur": length, "args": {"events": events}});
        self.push("X", index, "waits", more);
    }
}
