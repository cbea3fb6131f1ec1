//! Each event in words.

use super::event::{Cause, Direction, Event, How};
use super::story::Story;
use crate::program::escape::escape;
use crate::program::quantity::{counted, human_duration};
use std::time::Duration;

/// A time span, as a person writes it.
#[must_use]
pub fn span(nanos: u64) -> String {
    human_duration(Duration::from_nanos(nanos))
}

/// A moment of the trace, in milliseconds.
#[must_use]
pub fn moment(at: u64) -> String {
    format!("{}.{:03}ms", at / 1_000_000, at / 1_000 % 1_000)
}

/// `task 7 (I1)`.
#[must_use]
pub fn task(story: &Story<'_>, task: u64) -> String {
    match story.life(task).map(|life| life.name) {
        None | Some("") => format!("task {task}"),
        Some(name) => format!("task {task} ({})", escape(name)),
    }
}

/// `source 3 (tcp with 127.0.0.1:80)`.
#[must_use]
pub fn source(story: &Story<'_>, source: u64) -> String {
    match story.source(source) {
        Some((_, what)) if !what.is_empty() => format!("source {source} ({})", escape(what)),
        Some((fd, _)) => format!("source {source} (descriptor {fd})"),
        None => format!("source {source}"),
    }
}

/// Who or what woke a task.
#[must_use]
pub fn cause(story: &Story<'_>, by: Cause) -> String {
    match by {
        Cause::Itself => "itself".to_owned(),
        Cause::Task(by) => task(story, by),
        Cause::Timer(timer) => format!("timer {timer}"),
        Cause::Source(number, Direction::Read) => {
            format!("{}, which can be read", source(story, number))
        }
        Cause::Source(number, Direction::Write) => {
            format!("{}, which can be written", source(story, number))
        }
        Cause::Thread(thread) => format!("the thread {}", escape(story.trace.thread(thread))),
        Cause::Unknown => "somebody outside: another thread, or what is not recorded".to_owned(),
    }
}

/// The entry in words.
#[must_use]
pub fn sentence(story: &Story<'_>, index: usize) -> String {
    let (at, place) = (story.at(index), |number| story.trace.place(number));
    match story.event(index) {
        Event::Turn => "a turn begins: what is ready is run".to_owned(),
        Event::Spawn {
            task: number,
            place: number_of_place,
            by,
            ..
        } => {
            let by = by.map_or(String::new(), |by| format!(" by {}", task(story, by)));
            let place = place(number_of_place);
            format!(
                "{} is spawned{by}, at {}",
                task(story, number),
                escape(place)
            )
        }
        Event::Poll { task: number } => format!("{} is polled", task(story, number)),
        Event::Polled {
            task: number,
            ready,
        } => {
            let poll = story.poll_around(index);
            let took = span(poll.map_or(0, |poll| story.length(&poll)));
            let result = if ready { "is done" } else { "has to wait" };
            format!("{} {result}, after {took}", task(story, number))
        }
        Event::Wake { task: number, by } => {
            format!("{} is woken by {}", task(story, number), cause(story, by))
        }
        Event::End { task: number, how } => {
            let how = match how {
                How::Output => "gives its output",
                How::Panicked => "has panicked",
                How::Cancelled => "is called off",
            };
            format!("{} {how}", task(story, number))
        }
        Event::Park { patience: None } => {
            "checking for input: waits until something comes".to_owned()
        }
        Event::Park { patience: Some(0) } => "checking for input, without waiting".to_owned(),
        Event::Park {
            patience: Some(patience),
        } => format!("checking for input: waits {} at most", span(patience)),
        Event::Unpark { events: 0 } => "goes on: no news".to_owned(),
        Event::Unpark { events } => {
            format!("goes on: {} of news", counted(events as usize, "piece"))
        }
        Event::Input { number, text, .. } => {
            format!("I{number} available, sent for processing: {}", escape(text))
        }
        Event::Output { number, text, .. } => {
            format!("O{number} ready, sent for display: {}", escape(text))
        }
        Event::Note { text } => format!("({})", escape(text)),
        _ => sentence_on_waiting(story, index, at),
    }
}

/// What somebody waits for, comes and goes.
fn sentence_on_waiting(story: &Story<'_>, index: usize, at: u64) -> String {
    match story.event(index) {
        Event::Source {
            source: number, fd, ..
        } => format!("{} comes, descriptor {fd}", source(story, number)),
        Event::Gone { source: number } => format!("{} goes", source(story, number)),
        Event::Wait {
            source: number,
            direction,
            task,
        } => {
            let direction = direction.name();
            let waits = whose(story, task, &format!("waits to {direction}"));
            format!("{waits}: {}", source(story, number))
        }
        Event::Ready {
            source: number,
            read,
            write,
        } => {
            let what = match (read, write) {
                (true, true) => "can be read and written",
                (false, true) => "can be written",
                _ => "can be read",
            };
            format!("{} {what}", source(story, number))
        }
        Event::Timer {
            timer,
            due,
            spot,
            task,
        } => {
            let until = span(due.saturating_sub(at));
            let spot = spot.map_or(String::new(), |spot| {
                format!(", on level {} in slot {}", spot.level, spot.slot)
            });
            let waits = whose(story, task, &format!("waits for timer {timer}"));
            format!("{waits}: due in {until}{spot}")
        }
        Event::Move { timer, spot } => {
            format!(
                "timer {timer} comes down to level {}, slot {}",
                spot.level, spot.slot
            )
        }
        Event::Fire { timer } => {
            let late = span(at.saturating_sub(story.timer(timer).due));
            format!("timer {timer} is due, {late} late")
        }
        Event::Cancel { timer } => {
            let early = span(story.timer(timer).due.saturating_sub(at));
            format!("timer {timer} is cancelled, {early} before it is due")
        }
        _ => sentence_on_work(story, index, at),
    }
}

/// Who takes work from whom.
fn sentence_on_work(story: &Story<'_>, index: usize, at: u64) -> String {
    match story.event(index) {
        Event::Steal { from, tasks } => {
            let tasks = counted(tasks as usize, "task");
            format!("takes {tasks} from {}", escape(story.trace.thread(from)))
        }
        Event::Job { job, place, task } => {
            let place = escape(story.trace.place(place));
            format!(
                "{}, at {place}",
                whose(story, task, &format!("hands call {job} to the pool"))
            )
        }
        Event::JobBegin { job } => format!("call {job} begins"),
        Event::JobEnd { job } => {
            let begun = story.call(job).begun.map_or(at, |begun| story.at(begun));
            format!(
                "call {job} is made, after {}",
                span(at.saturating_sub(begun))
            )
        }
        _ => String::new(), // told by the callers
    }
}

fn whose(story: &Story<'_>, number: Option<u64>, verb: &str) -> String {
    match number {
        Some(number) => format!("{} {verb}", task(story, number)),
        None => format!("somebody {verb}"),
    }
}
