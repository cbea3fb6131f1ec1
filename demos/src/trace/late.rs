//! 'Why was O1 late?': the way from an input to its output, and where the time went.
//!
//! The answer is found from its end: the output was given in a poll; that task was polled since it
//! was woken; who woke it did so in a poll of its own, or was a timer, a source, a thread; and so
//! on, back to the input. Read forwards again, it is a chain in which each link is the cause of
//! the next.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::event::{Cause, Event};
use super::story::{Poll, Story};
use super::words::{moment, sentence, source, span, task};

/// What a task was doing between two moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// Being polled.
    Running,
    /// Woken, and not polled yet.
    Queued,
    /// Waiting for somebody to wake it.
    Waiting,
}

/// How many links back are looked at; a chain is as long as its input's life.
const LINKS: usize = 1000;

/// How many links are told: those in the middle of a longer chain are left out.
const TOLD: usize = 40;

/// Waits for a turn shorter than this need no explanation.
const SHORT: u64 = 100_000;

/// The answer.
///
/// # Errors
/// A sentence: there is no such input or output in the trace.
pub fn why_late(story: &Story<'_>, number: u64) -> Result<String, String> {
    let (input, output) = story.input(number);
    let Some(input) = input else {
        return Err(unknown_input(story, number));
    };
    let Some(output) = output else {
        return Err(format!(
            "I{number} was taken in at {} and has no output in this recording; \
             --why-idle I{number} tells what its task waits for",
            moment(story.at(input))
        ));
    };
    let (begin, end) = (story.at(input), story.at(output));
    let mut text = format!(
        "O{number} went out {} after I{number} was taken in.\n",
        span(end.saturating_sub(begin))
    );
    let links = chain(story, input, output);
    text.push_str("\nStep by step, each the cause of the next:\n");
    let left_out = links.len().saturating_sub(TOLD);
    for (place, link) in links.iter().enumerate() {
        if left_out > 0 && place == TOLD / 2 {
            let _ = writeln!(text, "  {:>14}  {left_out} more steps of this kind", "…");
        }
        if place < TOLD / 2 || place >= TOLD / 2 + left_out {
            let _ = writeln!(text, "  {:>14}  {}", moment(link.at), link.text);
        }
    }
    if let Event::Input {
        task: Some(of_input),
        ..
    } = story.event(input)
    {
        text.push_str(&where_time_went(story, of_input, begin, end));
    }
    Ok(text)
}

fn unknown_input(story: &Story<'_>, number: u64) -> String {
    match (story.inputs().first(), story.inputs().last()) {
        (Some(first), Some(last)) => {
            format!("there is no I{number} in this recording; there are I{first} to I{last}")
        }
        _ => "there are no inputs in this recording".to_owned(),
    }
}

/// One link of a chain.
struct Link {
    at: u64,
    text: String,
}

/// The chain from one entry to another, the earliest link first.
fn chain(story: &Story<'_>, first: usize, last: usize) -> Vec<Link> {
    let mut links = vec![told(story, last)];
    let mut here = last;
    while links.len() < LINKS {
        let Some(poll) = story.poll_around(here) else {
            break;
        };
        let Some(woken) = woken_for(story, &poll) else {
            break;
        };
        links.push(turn_link(story, woken, &poll));
        if woken <= first {
            break;
        }
        links.push(told(story, woken));
        let Some(before) = origin(story, woken, &mut links) else {
            break;
        };
        if before <= first {
            break;
        }
        here = before;
    }
    links.retain(|link| link.at >= story.at(first));
    links.push(told(story, first));
    links.reverse();
    links.dedup_by(|one, other| one.text == other.text);
    links
}

fn told(story: &Story<'_>, index: usize) -> Link {
    Link {
        at: story.at(index),
        text: sentence(story, index),
    }
}

/// The wake, or the spawn, for which a task was polled.
fn woken_for(story: &Story<'_>, poll: &Poll) -> Option<usize> {
    let life = story.life(poll.task)?;
    let place = life.entries.partition_point(|&entry| entry < poll.begin);
    let before = life.entries[..place].iter().rev();
    // The first wake since the poll before: later ones found it woken.
    let mut found = None;
    for &entry in before {
        match story.event(entry) {
            Event::Wake { .. } | Event::Spawn { .. } => found = Some(entry),
            Event::Poll { .. } => break,
            _ => {}
        }
    }
    found
}

/// That a task was polled, and what it had to wait for after it was woken.
fn turn_link(story: &Story<'_>, woken: usize, poll: &Poll) -> Link {
    let queued = story.at(poll.begin).saturating_sub(story.at(woken));
    let mut text = format!("{} is polled", task(story, poll.task));
    if queued >= SHORT {
        let _ = write!(text, ", {} after it was ready", span(queued));
        if let Some(busy) = meanwhile(story, story.at(woken), story.at(poll.begin), poll) {
            let _ = write!(text, "; meanwhile {busy}");
        }
    }
    let took = story.length(poll);
    if took >= SHORT {
        let _ = write!(text, "; the poll takes {}", span(took));
    }
    Link {
        at: story.at(poll.begin),
        text,
    }
}

/// What made a wake happen: tells it, and gives the entry in whose poll it lies.
fn origin(story: &Story<'_>, woken: usize, links: &mut Vec<Link>) -> Option<usize> {
    let by = match story.event(woken) {
        Event::Wake { by, .. } => by,
        Event::Spawn { .. } => return Some(woken),
        _ => return None,
    };
    let woken_task = super::story::task_of(&story.event(woken))?;
    match by {
        Cause::Itself | Cause::Task(_) => Some(woken),
        Cause::Timer(number) => {
            let timer = story.timer(number);
            if let Some(fired) = timer.fired {
                let late = story.at(fired).saturating_sub(timer.due);
                let mut link = told(story, fired);
                if late >= SHORT
                    && let Some(busy) = busy_thread(story, timer.due, story.at(fired), fired)
                {
                    let _ = write!(link.text, "; meanwhile {busy}");
                }
                links.push(link);
            }
            let inserted = timer.inserted?;
            links.push(told(story, inserted));
            Some(inserted)
        }
        Cause::Source(number, direction) => {
            let life = story.life(woken_task)?;
            let place = life.entries.partition_point(|&entry| entry < woken);
            let waited = life.entries[..place].iter().rev().copied().find(|&entry| {
                matches!(story.event(entry), Event::Wait { source, direction: way, .. }
                    if source == number && way == direction)
            });
            let waited = waited?;
            let time = span(story.at(woken).saturating_sub(story.at(waited)));
            let what = source(story, number);
            links.push(Link {
                at: story.at(woken),
                text: format!("news of {what}, after {time}"),
            });
            links.push(told(story, waited));
            Some(waited)
        }
        Cause::Thread(_) => {
            let mine = story
                .calls()
                .filter(|(_, call)| call.task == Some(woken_task));
            let made = mine.filter_map(|(_, call)| Some((call.made?, call)));
            let (made, call) = made
                .filter(|(made, _)| *made < woken)
                .max_by_key(|(made, _)| *made)?;
            for entry in [Some(made), call.begun, call.queued].into_iter().flatten() {
                links.push(told(story, entry));
            }
            call.queued
        }
        Cause::Unknown => None,
    }
}

/// Which other tasks the poll's thread polled between two moments, the longest first.
fn meanwhile(story: &Story<'_>, from: u64, to: u64, poll: &Poll) -> Option<String> {
    busy(story, from, to, poll.thread)
}

fn busy_thread(story: &Story<'_>, from: u64, to: u64, index: usize) -> Option<String> {
    busy(story, from, to, story.trace.entries[index].thread)
}

fn busy(story: &Story<'_>, from: u64, to: u64, thread: u16) -> Option<String> {
    let mut by_task: BTreeMap<u64, u64> = BTreeMap::new();
    for poll in story.polls().iter().filter(|poll| poll.thread == thread) {
        let overlap = story
            .end_of(poll)
            .min(to)
            .saturating_sub(story.at(poll.begin).max(from));
        if overlap > 0 {
            let sum = by_task.entry(poll.task).or_default();
            *sum = u64::saturating_add(*sum, overlap);
        }
    }
    let mut by_task: Vec<_> = by_task.into_iter().collect();
    by_task.sort_by_key(|&(_, time)| std::cmp::Reverse(time));
    let told = by_task.iter().take(3);
    let told: Vec<String> = told
        .map(|&(number, time)| format!("{} for {}", task(story, number), span(time)))
        .collect();
    (!told.is_empty()).then(|| format!("the thread polled {}", told.join(", ")))
}

/// How long the task ran, was ready, and waited, and how long its output took from there.
fn where_time_went(story: &Story<'_>, of_input: u64, begin: u64, end: u64) -> String {
    let mut times: BTreeMap<State, (u64, u32)> = BTreeMap::new();
    let (mut state, mut since, mut woken) = (State::Queued, begin, false);
    let mut ended = None;
    let entries = story.life(of_input).map_or(&[][..], |life| &life.entries);
    for &entry in entries {
        let at = story.at(entry).max(begin).min(end); // the end may come first in a bad file
        let next = match story.event(entry) {
            Event::Poll { .. } => State::Running,
            Event::Polled { ready: true, .. } => {
                ended = Some(at);
                State::Running
            }
            Event::Polled { .. } if std::mem::take(&mut woken) => State::Queued,
            Event::Polled { .. } => State::Waiting,
            Event::Wake { .. } if state == State::Waiting => State::Queued,
            Event::Wake { .. } => {
                woken |= state == State::Running;
                continue;
            }
            _ => continue,
        };
        let (time, count) = times.entry(state).or_default();
        (*time, *count) = (*time + at.saturating_sub(since), *count + 1);
        (state, since) = (next, at);
        if ended.is_some() {
            break;
        }
    }
    let mut text = format!("\nOf this, {}:\n", task(story, of_input));
    let mut line = |what: &str, time: u64, count: u32| {
        let times = if count == 1 { "time" } else { "times" };
        let _ = writeln!(text, "  {:>14}  {what} ({count} {times})", span(time));
    };
    for (state, what) in [
        (State::Waiting, "waited for somebody to wake it"),
        (State::Queued, "was ready, and waited for its turn"),
        (State::Running, "was polled"),
    ] {
        let (time, count) = times.get(&state).copied().unwrap_or_default();
        line(what, time, count);
    }
    if let Some(ended) = ended {
        let rest = span(end.saturating_sub(ended));
        let _ = writeln!(text, "  {rest:>14}  from its end to the output");
    }
    text
}
