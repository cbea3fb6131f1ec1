//! A recording in a few lines: how long, how busy, and what stood out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::event::{Cause, Event};
use super::file::Header;
use super::story::{Poll, Story};
use super::words::{moment, span, task};
use crate::program::escape::escape;
use crate::program::quantity::{counted, grouped};

/// The summary.
#[must_use]
pub fn summary(story: &Story<'_>) -> String {
    let trace = story.trace;
    let begin = trace.entries.first().map_or(0, |entry| entry.at);
    let end = trace.entries.last().map_or(0, |entry| entry.at);
    let mut text = String::new();
    let Header {
        program, started, ..
    } = &trace.header;
    let what = match program.as_str() {
        "" => "of what, the file does not say".to_owned(), // it breaks off before that
        program => format!("{}, {}", escape(program), escape(started)),
    };
    let _ = writeln!(
        text,
        "{what}: {} of {}",
        counted(trace.entries.len(), "event"),
        span(end.saturating_sub(begin)),
    );
    polls(story, &mut text);
    threads(story, end, &mut text);
    wakes(story, &mut text);
    timers(story, &mut text);
    inputs(story, &mut text);
    text
}

fn polls(story: &Story<'_>, text: &mut String) {
    let polls = story.polls();
    let lengths = polls.iter().map(|poll| story.length(poll));
    let total = lengths.fold(0, u64::saturating_add);
    let tasks = story.tasks().count();
    let _ = writeln!(
        text,
        "\npolls           {} of {}, {} in all",
        grouped(polls.len()),
        counted(tasks, "task"),
        span(total),
    );
    let empty = polls.iter().filter(|poll| did_nothing(story, poll)).count();
    let share = empty * 100 / polls.len().max(1);
    let _ = writeln!(
        text,
        "empty polls     {} ({share}%): the task was not ready, and left no new waker, \
         woke nobody and spawned nothing",
        grouped(empty),
    );
    let mut longest: Vec<&Poll> = polls.iter().collect();
    longest.sort_by_key(|poll| std::cmp::Reverse(story.length(poll)));
    for (place, poll) in longest.iter().take(3).enumerate() {
        let head = if place == 0 { "longest polls" } else { "" };
        let _ = writeln!(
            text,
            "{head:<15} {} at {}: {}",
            span(story.length(poll)),
            moment(story.at(poll.begin)),
            task(story, poll.task),
        );
    }
}

/// Whether a poll brought nothing about: woken for nothing, or too early.
fn did_nothing(story: &Story<'_>, poll: &Poll) -> bool {
    let Some(end) = poll.end else { return false };
    let inside = &story.trace.entries[poll.begin + 1..=end];
    inside
        .iter()
        .filter(|entry| entry.thread == poll.thread)
        .all(|entry| matches!(entry.event, Event::Polled { ready: false, .. }))
}

fn threads(story: &Story<'_>, end: u64, text: &mut String) {
    let trace = story.trace;
    let seen: BTreeSet<u16> = trace.entries.iter().map(|entry| entry.thread).collect();
    for number in seen {
        let Some(name) = trace.threads.get(usize::from(number)) else {
            continue;
        };
        let of_thread = || trace.entries.iter().filter(|entry| entry.thread == number);
        let Some(first) = of_thread().next() else {
            continue;
        };
        let (mut since, mut parked, mut parks, mut turns) = (None, 0, 0usize, 0usize);
        for entry in of_thread() {
            match entry.event {
                Event::Park { patience } if patience != Some(0) => since = Some(entry.at),
                Event::Unpark { .. } => {
                    if let Some(since) = since.take() {
                        (parked, parks) = (parked + (entry.at - since), parks + 1);
                    }
                }
                Event::Turn => turns += 1,
                _ => {}
            }
        }
        if parks + turns > 0 {
            let all = u128::from(end.saturating_sub(first.at)).max(1);
            let share = u128::from(parked) * 100 / all;
            let _ = writeln!(
                text,
                "{:<15} parked {} ({share}%) in {}; {}",
                escape(name),
                span(parked),
                counted(parks, "wait"),
                counted(turns, "turn"),
            );
        }
    }
}

fn wakes(story: &Story<'_>, text: &mut String) {
    let mut by: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &story.trace.entries {
        if let Event::Wake { by: cause, .. } = entry.event {
            let cause = match cause {
                Cause::Itself => "itself",
                Cause::Task(_) => "other tasks",
                Cause::Timer(_) => "timers",
                Cause::Source(..) => "sources",
                Cause::Thread(_) => "the pool",
                Cause::Unknown => "other threads",
            };
            *by.entry(cause).or_default() += 1;
        }
    }
    let total: usize = by.values().sum();
    let mut by: Vec<_> = by.into_iter().collect();
    by.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    let by: Vec<String> = by
        .iter()
        .map(|(cause, count)| format!("{cause} {}", grouped(*count)))
        .collect();
    let _ = writeln!(
        text,
        "wakes           {}: {}",
        grouped(total),
        by.join(", ")
    );
}

fn timers(story: &Story<'_>, text: &mut String) {
    let mut late: Vec<u64> = story
        .timers()
        .filter_map(|(_, timer)| Some(story.at(timer.fired?).saturating_sub(timer.due)))
        .collect();
    late.sort_unstable();
    let cancelled = story
        .timers()
        .filter(|(_, timer)| timer.cancelled.is_some())
        .count();
    let all = story.timers().count();
    if all > 0 {
        let _ = write!(
            text,
            "timers          {}: {} fired, {} cancelled",
            grouped(all),
            grouped(late.len()),
            grouped(cancelled)
        );
        if let (Some(median), Some(worst)) = (late.get(late.len() / 2), late.last()) {
            let _ = write!(
                text,
                "; late by {} (median), {} (most)",
                span(*median),
                span(*worst)
            );
        }
        text.push('\n');
    }
}

fn inputs(story: &Story<'_>, text: &mut String) {
    let numbers = story.inputs();
    let mut times: Vec<(u64, u64)> = Vec::new();
    for &number in &numbers {
        if let (Some(input), Some(output)) = story.input(number) {
            times.push((story.at(output).saturating_sub(story.at(input)), number));
        }
    }
    if !numbers.is_empty() {
        let _ = write!(
            text,
            "inputs          {}, {} with an output",
            grouped(numbers.len()),
            grouped(times.len())
        );
        if let Some((time, number)) = times.iter().max() {
            let _ = write!(text, "; the slowest is I{number}, {}", span(*time));
        }
        text.push('\n');
    }
}
