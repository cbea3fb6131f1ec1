//! 'Why is task 7 not running?': what a task does, or what it waits for, at a moment.

use super::event::{Cause, Direction, Event};
use super::story::{Life, Story};
use super::words::{cause, moment, sentence, source, span, task};

/// The answer, at a moment of the trace (`None`: at its end).
///
/// # Errors
/// A sentence: there is no such task in the trace, or not at that time.
pub fn why_idle(story: &Story<'_>, name: &str, at: Option<u64>) -> Result<String, String> {
    let Some(number) = story.find_task(name) else {
        return Err(unknown_task(story, name));
    };
    let (Some(life), Some(last)) = (story.life(number), story.trace.entries.last()) else {
        return Err(unknown_task(story, name));
    };
    let now = at.unwrap_or(last.at);
    let past: Vec<usize> = life
        .entries
        .iter()
        .copied()
        .filter(|&entry| story.at(entry) <= now)
        .collect();
    let who = task(story, number);
    if past.is_empty() {
        return Err(format!("{who} is not there yet at {}", moment(now)));
    }
    let mut text = format!("At {}, {who} ", moment(now));
    text.push_str(&state(story, number, life, &past, now));
    text.push_str("\n\nIts last steps:\n");
    for &entry in past.iter().rev().take(8).rev() {
        text.push_str(&format!(
            "  {:>14}  {}\n",
            moment(story.at(entry)),
            sentence(story, entry)
        ));
    }
    Ok(text)
}

fn unknown_task(story: &Story<'_>, name: &str) -> String {
    let mut names: Vec<String> = story
        .tasks()
        .filter(|(_, name)| !name.is_empty())
        .map(|(task, name)| format!("{task} ({name})"))
        .collect();
    names.sort_by_key(|name| {
        name.split(' ')
            .next()
            .and_then(|number| number.parse::<u64>().ok())
    });
    names.truncate(12);
    let name = crate::program::escape::shortened(name);
    format!(
        "there is no task `{name}` in this recording; there are {} …",
        names.join(", ")
    )
}

/// What the task is doing, as the end of a sentence.
fn state(story: &Story<'_>, number: u64, life: &Life<'_>, past: &[usize], now: u64) -> String {
    let find = |wanted: fn(&Event<'_>) -> bool| {
        past.iter()
            .copied()
            .rev()
            .find(|&entry| wanted(&story.event(entry)))
    };
    if let Some(end) = find(|event| matches!(event, Event::End { .. })) {
        let ago = span(now.saturating_sub(story.at(end)));
        return format!("is no more: {ago} ago {}.", sentence(story, end));
    }
    let poll = find(|event| matches!(event, Event::Poll { .. }));
    let polled = find(|event| matches!(event, Event::Polled { .. }));
    if let Some(poll) = poll
        && polled.is_none_or(|polled| polled < poll)
    {
        let time = span(now.saturating_sub(story.at(poll)));
        return format!(
            "is running: its poll began {time} ago. While it goes on, its thread does nothing else."
        );
    }
    let wakes = |after: usize| {
        let mut entries = past.iter().copied().filter(move |&entry| entry > after);
        entries.find(|&entry| matches!(story.event(entry), Event::Wake { .. }))
    };
    let woken = match poll {
        None => life.spawned,
        Some(poll) => wakes(poll),
    };
    match (woken, polled) {
        (Some(woken), _) => queued(story, number, woken, now),
        (None, Some(polled)) => waiting(story, life, polled, now),
        (None, None) => "is not told of: the recording began later.".to_owned(),
    }
}

/// It is ready. What is its thread doing?
fn queued(story: &Story<'_>, number: u64, woken: usize, now: u64) -> String {
    let time = span(now.saturating_sub(story.at(woken)));
    let why = match story.event(woken) {
        Event::Wake { by, .. } => format!("woken by {}", cause(story, by)),
        _ => "just spawned".to_owned(),
    };
    let running = story.polls().iter().filter(|poll| {
        poll.task != number && story.at(poll.begin) <= now && story.end_of(poll) >= now
    });
    let running: Vec<String> = running
        .map(|poll| {
            let since = span(now.saturating_sub(story.at(poll.begin)));
            let thread = story.trace.thread(poll.thread);
            format!(
                "{thread} has been polling {} for {since}",
                task(story, poll.task)
            )
        })
        .collect();
    let running = if running.is_empty() {
        "no thread is polling anything at this moment".to_owned()
    } else {
        running.join(", ")
    };
    format!("is ready since {time} ({why}) and waits for its turn: {running}.")
}

/// It waits. For what, and what about that?
fn waiting(story: &Story<'_>, life: &Life<'_>, polled: usize, now: u64) -> String {
    let mut reasons: Vec<String> = Vec::new();
    for (number, timer) in story.timers() {
        let mine = timer
            .inserted
            .is_some_and(|entry| life.entries.contains(&entry));
        let over = [timer.fired, timer.cancelled].into_iter().flatten();
        let over = over.map(|entry| story.at(entry)).any(|at| at <= now);
        if mine && !over && timer.inserted.is_some_and(|entry| story.at(entry) <= now) {
            let due = match timer.due.checked_sub(now) {
                Some(left) => format!("due in {}", span(left)),
                None => format!(
                    "due since {}, and not fired",
                    span(now.saturating_sub(timer.due))
                ),
            };
            reasons.push(format!("timer {number}, {due}"));
        }
    }
    for (number, direction) in waits(story, life, now) {
        let what = source(story, number);
        let direction = match direction {
            Direction::Read => "something to read from",
            Direction::Write => "room to write to",
        };
        reasons.push(format!("{direction} {what}"));
    }
    for (number, call) in story.calls() {
        let is_before = |entry: Option<usize>| entry.is_some_and(|entry| story.at(entry) <= now);
        let mine = call
            .queued
            .is_some_and(|entry| life.entries.contains(&entry));
        if mine && is_before(call.queued) && !is_before(call.made) {
            let state = match call.begun.filter(|_| is_before(call.begun)) {
                Some(begun) => {
                    let thread = story.trace.thread(story.trace.entries[begun].thread);
                    format!(
                        "which {thread} has been making for {}",
                        span(now.saturating_sub(story.at(begun)))
                    )
                }
                None => "for which no thread of the pool is free".to_owned(),
            };
            reasons.push(format!("call {number}, {state}"));
        }
    }
    reasons.sort();
    let since = span(now.saturating_sub(story.at(polled)));
    if reasons.is_empty() {
        return format!(
            "waits since {since}, and nobody has woken it since. It left its waker with no timer, \
             source or call: another task or thread has to wake it (a channel, a lock, a handle). \
             If nobody will, its wake-up was lost."
        );
    }
    format!(
        "waits since {since}, for whichever comes first:\n  * {}",
        reasons.join("\n  * ")
    )
}

/// The sources that a task waits for: told of since it was last woken by them.
fn waits(story: &Story<'_>, life: &Life<'_>, now: u64) -> Vec<(u64, Direction)> {
    let mut waits: Vec<(u64, Direction)> = Vec::new();
    for &entry in life.entries.iter().filter(|&&entry| story.at(entry) <= now) {
        match story.event(entry) {
            Event::Wait {
                source, direction, ..
            } if !waits.contains(&(source, direction)) => waits.push((source, direction)),
            Event::Wake {
                by: Cause::Source(source, direction),
                ..
            } => waits.retain(|wait| *wait != (source, direction)),
            _ => {}
        }
    }
    let gone = |number: u64| {
        story.trace.entries.iter().any(|entry| {
            entry.at <= now && matches!(entry.event, Event::Gone { source } if source == number)
        })
    };
    waits.retain(|(source, _)| !gone(*source));
    waits
}
