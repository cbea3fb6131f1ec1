//! Which entries of a trace are told.

use std::ops::RangeInclusive;

use super::event::{Cause, Event, KINDS};
use super::story::{Story, task_of};

/// What an entry has to be to be told. Nothing is asked of it by default.
#[derive(Clone, Debug)]
pub struct Filter {
    /// About this task: its own doings, and what it does to others.
    pub task: Option<u64>,
    /// About this input: it, its output, and its task.
    pub input: Option<u64>,
    /// Of one of these kinds; of any, if there are none.
    pub kinds: Vec<u8>,
    /// Then.
    pub times: RangeInclusive<u64>,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            task: None,
            input: None,
            kinds: Vec::new(),
            times: 0..=u64::MAX,
        }
    }
}

/// A kind's number by its name.
///
/// # Errors
/// A sentence with the names there are.
pub fn kind(name: &str) -> Result<u8, String> {
    let found = KINDS.iter().position(|kind| *kind == name);
    // There are far fewer kinds than 256.
    found
        .map(|number| number as u8)
        .ok_or_else(|| format!("the kinds are {}", KINDS.join(", ")))
}

impl Filter {
    /// Whether an entry is told.
    #[must_use]
    pub fn takes(&self, story: &Story<'_>, index: usize) -> bool {
        let entry = &story.trace.entries[index];
        let kind = self.kinds.is_empty() || self.kinds.contains(&entry.event.kind());
        kind && self.times.contains(&entry.at)
            && self.task.is_none_or(|task| is_about(story, index, task))
            && self
                .input
                .is_none_or(|number| is_about_input(story, index, number))
    }
}

fn is_about_input(story: &Story<'_>, index: usize, number: u64) -> bool {
    if let Event::Input { number: of, .. } | Event::Output { number: of, .. } = story.event(index) {
        return of == number;
    }
    let input = story.input(number).0.map(|input| story.event(input));
    let task = input.and_then(|input| task_of(&input));
    task.is_some_and(|task| is_about(story, index, task))
}

fn is_about(story: &Story<'_>, index: usize, task: u64) -> bool {
    let event = story.event(index);
    if task_of(&event) == Some(task) {
        return true;
    }
    match event {
        Event::Wake { by, .. } => by == Cause::Task(task),
        Event::Spawn { by, .. } => by == Some(task),
        Event::Move { timer, .. } | Event::Fire { timer } | Event::Cancel { timer } => {
            story.timer(timer).task == Some(task)
        }
        Event::JobBegin { job } | Event::JobEnd { job } => story.call(job).task == Some(task),
        Event::Ready { source, .. } => {
            let life = story.life(task);
            let mut entries = life.into_iter().flat_map(|life| &life.entries);
            entries.any(|&entry| {
                matches!(story.event(entry), Event::Wait { source: of, .. } if of == source)
            })
        }
        _ => false,
    }
}
