//! A trace for Perfetto (ui.perfetto.dev) and chrome://tracing: the 'Trace Event Format', as JSON.
//!
//! Each thread is a track: polls and waits are slices on it, an arrow leads from a wake to the poll
//! it brought about. Inputs are spans of their own, from I to O; so are timers and calls.
//! (Google, *Trace Event Format*: `ph` is the phase, `ts` and `dur` are in microseconds.)

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::event::{Cause, Event};
use super::story::{Story, task_of};
use super::words::{sentence, task};

/// The trace as one JSON object.
#[must_use]
pub fn export(story: &Story<'_>) -> String {
    let mut export = Export {
        story,
        events: Vec::new(),
        arrows: HashMap::new(),
        last_arrow: 0,
    };
    export.name_threads();
    for index in 0..story.trace.entries.len() {
        export.entry(index);
    }
    export.polls();
    export.waits();
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
    events: Vec<Value>,
    /// Wakes that have brought no poll about yet, by task.
    arrows: HashMap<u64, u64>,
    last_arrow: u64,
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
        event.insert("ts".to_owned(), micros(entry.at).into());
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
                self.arrows.insert(task, self.last_arrow);
                let name = match by {
                    Cause::Timer(_) => "timer",
                    Cause::Source(..) => "source",
                    Cause::Itself | Cause::Task(_) => "task",
                    Cause::Thread(_) | Cause::Unknown => "thread",
                };
                self.push(
                    "s",
                    index,
                    name,
                    json!({"cat": "wakes", "id": self.last_arrow}),
                );
            }
            Event::Poll { task } => {
                if let Some(arrow) = self.arrows.remove(&task) {
                    let more = json!({"cat": "wakes", "id": arrow, "bp": "e"});
                    self.push("f", index, "wakes", more);
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
            Event::Polled { .. }
            | Event::Park { .. }
            | Event::Unpark { .. }
            | Event::JobEnd { .. } => {}
            other => {
                let more = json!({"s": "t", "cat": other.name(), "args": {"says": words()}});
                self.push("i", index, other.name(), more);
            }
        }
    }

    fn call(&mut self, index: usize, job: u64) {
        let call = self.story.call(job);
        let end = call.made.unwrap_or(self.story.trace.entries.len() - 1);
        let length = self.story.at(end).saturating_sub(self.story.at(index));
        let for_task = call.task.map(|number| task(self.story, number));
        let more = json!({"cat": "call", "dur": micros(length), "args": {"for": for_task}});
        self.push("X", index, &format!("call {job}"), more);
    }

    fn polls(&mut self) {
        for poll in self.story.polls() {
            let length = micros(self.story.length(poll));
            let ready = poll.end.is_some_and(|end| {
                matches!(self.story.event(end), Event::Polled { ready: true, .. })
            });
            let more = json!({"cat": "poll", "dur": length, "args": {"ready": ready}});
            let name =
                task_of(&self.story.event(poll.begin)).map(|number| task(self.story, number));
            self.push("X", poll.begin, &name.unwrap_or_default(), more);
        }
    }

    fn waits(&mut self) {
        let mut since: HashMap<u16, usize> = HashMap::new();
        for (index, entry) in self.story.trace.entries.iter().enumerate() {
            match entry.event {
                Event::Park { .. } => drop(since.insert(entry.thread, index)),
                Event::Unpark { events } => {
                    if let Some(park) = since.remove(&entry.thread) {
                        let length = micros(entry.at.saturating_sub(self.story.at(park)));
                        let more =
                            json!({"cat": "wait", "dur": length, "args": {"events": events}});
                        self.push("X", park, "waits", more);
                    }
                }
                _ => {}
            }
        }
    }
}
