//! A trace with its threads of events drawn out: the life of each task, each poll with its end.

use std::collections::HashMap;

use super::event::{Event, Spot};
use super::reader::Trace;

/// A trace, and where in it to find what belongs together. Places are indices of its entries.
#[derive(Debug)]
pub struct Story<'a> {
    /// The trace.
    pub trace: &'a Trace<'a>,
    tasks: HashMap<u64, Life<'a>>,
    timers: HashMap<u64, Timer>,
    sources: HashMap<u64, (i32, &'a str)>,
    calls: HashMap<u64, Call>,
    inputs: HashMap<u64, (Option<usize>, Option<usize>)>,
    polls: Vec<Poll>,
}

/// A task.
#[derive(Clone, Debug, Default)]
pub struct Life<'a> {
    /// Its name, or nothing.
    pub name: &'a str,
    /// Where it was spawned in the trace.
    pub spawned: Option<usize>,
    /// The entries that are about it: spawn, wakes, waits, timers, calls, polls, end.
    pub entries: Vec<usize>,
}

/// A timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timer {
    /// When it is due.
    pub due: u64,
    /// Whose it is.
    pub task: Option<u64>,
    /// Where it waits.
    pub spot: Option<Spot>,
    /// The entry that inserted it, or moved its deadline last.
    pub inserted: Option<usize>,
    /// The entry that tells that it fired.
    pub fired: Option<usize>,
    /// The entry that tells that it was cancelled.
    pub cancelled: Option<usize>,
}

/// A call that blocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Call {
    /// Whose it is.
    pub task: Option<u64>,
    /// The entries of its life: handed over, begun, made.
    pub queued: Option<usize>,
    /// See `queued`.
    pub begun: Option<usize>,
    /// See `queued`.
    pub made: Option<usize>,
}

/// One poll: its first entry, and its last if it ended.
#[derive(Clone, Copy, Debug)]
pub struct Poll {
    /// The task.
    pub task: u64,
    /// The thread.
    pub thread: u16,
    /// Its first entry.
    pub begin: usize,
    /// Its last.
    pub end: Option<usize>,
}

impl<'a> Story<'a> {
    /// Reads a trace once, from its begin to its end.
    #[must_use]
    pub fn of(trace: &'a Trace<'a>) -> Self {
        let mut story = Story {
            trace,
            tasks: HashMap::new(),
            timers: HashMap::new(),
            sources: HashMap::new(),
            calls: HashMap::new(),
            inputs: HashMap::new(),
            polls: Vec::new(),
        };
        let mut open = HashMap::new();
        for (index, entry) in trace.entries.iter().enumerate() {
            if let Some(task) = task_of(&entry.event) {
                let life = story.tasks.entry(task).or_default();
                life.entries.push(index);
                if let Event::Spawn { name, .. } = entry.event {
                    (life.name, life.spawned) = (name, Some(index));
                }
            }
            match entry.event {
                Event::Poll { task } => {
                    open.insert(entry.thread, story.polls.len());
                    story.polls.push(Poll {
                        task,
                        thread: entry.thread,
                        begin: index,
                        end: None,
                    });
                }
                Event::Polled { .. } => {
                    if let Some(poll) = open.remove(&entry.thread) {
                        story.polls[poll].end = Some(index);
                    }
                }
                _ => story.take_in(index),
            }
        }
        story
    }

    fn take_in(&mut self, index: usize) {
        match self.trace.entries[index].event {
            Event::Timer {
                timer,
                due,
                spot,
                task,
            } => {
                let known = self.timers.entry(timer).or_default();
                (known.due, known.spot, known.inserted) = (due, spot, Some(index));
                known.task = known.task.or(task);
            }
            Event::Fire { timer } => self.timers.entry(timer).or_default().fired = Some(index),
            Event::Cancel { timer } => {
                self.timers.entry(timer).or_default().cancelled = Some(index);
            }
            Event::Source { source, fd, what } => {
                self.sources.insert(source, (fd, what));
            }
            Event::Job { job, task, .. } => {
                let call = self.calls.entry(job).or_default();
                (call.queued, call.task) = (Some(index), task);
            }
            Event::JobBegin { job } => self.calls.entry(job).or_default().begun = Some(index),
            Event::JobEnd { job } => self.calls.entry(job).or_default().made = Some(index),
            Event::Input { number, .. } => {
                self.inputs.entry(number).or_default().0 = Some(index);
            }
            Event::Output { number, .. } => {
                self.inputs.entry(number).or_default().1 = Some(index);
            }
            _ => {}
        }
    }

    /// When an entry happened.
    #[must_use]
    pub fn at(&self, index: usize) -> u64 {
        self.trace.entries[index].at
    }

    /// What happened there.
    #[must_use]
    pub fn event(&self, index: usize) -> Event<'a> {
        self.trace.entries[index].event
    }

    /// A task's life.
    #[must_use]
    pub fn life(&self, task: u64) -> Option<&Life<'a>> {
        self.tasks.get(&task)
    }

    /// All tasks' numbers and names.
    pub fn tasks(&self) -> impl Iterator<Item = (u64, &'a str)> {
        self.tasks.iter().map(|(&task, life)| (task, life.name))
    }

    /// A timer's.
    #[must_use]
    pub fn timer(&self, timer: u64) -> Timer {
        self.timers.get(&timer).copied().unwrap_or_default()
    }

    /// All timers.
    pub fn timers(&self) -> impl Iterator<Item = (u64, Timer)> {
        self.timers.iter().map(|(&number, &timer)| (number, timer))
    }

    /// A source's descriptor, and what it is.
    #[must_use]
    pub fn source(&self, source: u64) -> Option<(i32, &'a str)> {
        self.sources.get(&source).copied()
    }

    /// A call's.
    #[must_use]
    pub fn call(&self, job: u64) -> Call {
        self.calls.get(&job).copied().unwrap_or_default()
    }

    /// All calls.
    pub fn calls(&self) -> impl Iterator<Item = (u64, Call)> {
        self.calls.iter().map(|(&number, &call)| (number, call))
    }

    /// Where an input was taken in, and where its output went out.
    #[must_use]
    pub fn input(&self, number: u64) -> (Option<usize>, Option<usize>) {
        self.inputs.get(&number).copied().unwrap_or_default()
    }

    /// All numbers of inputs, in order.
    #[must_use]
    pub fn inputs(&self) -> Vec<u64> {
        let mut numbers: Vec<u64> = self.inputs.keys().copied().collect();
        numbers.sort_unstable();
        numbers
    }

    /// All polls, in the order of their begins.
    #[must_use]
    pub fn polls(&self) -> &[Poll] {
        &self.polls
    }

    /// The poll in which an entry happened, if it was in one.
    #[must_use]
    pub fn poll_around(&self, index: usize) -> Option<Poll> {
        let thread = self.trace.entries[index].thread;
        let before = &self.polls[..self.polls.partition_point(|poll| poll.begin <= index)];
        let last = before.iter().rev().find(|poll| poll.thread == thread)?;
        last.end.is_none_or(|end| index <= end).then_some(*last)
    }

    /// How long a poll took; to the end of the trace, if it did not end.
    #[must_use]
    pub fn length(&self, poll: &Poll) -> u64 {
        self.end_of(poll).saturating_sub(self.at(poll.begin))
    }

    /// When a poll ended.
    #[must_use]
    pub fn end_of(&self, poll: &Poll) -> u64 {
        let last = self.trace.entries.last().map_or(0, |entry| entry.at);
        poll.end.map_or(last, |end| self.at(end))
    }

    /// A task by number or by name; the last one of that name.
    #[must_use]
    pub fn find_task(&self, text: &str) -> Option<u64> {
        let by_number = text
            .parse()
            .ok()
            .filter(|task| self.tasks.contains_key(task));
        let named = self.tasks.iter().filter(|(_, life)| life.name == text);
        by_number.or_else(|| named.map(|(task, _)| *task).max())
    }
}

/// The task that an event is about.
#[must_use]
pub fn task_of(event: &Event<'_>) -> Option<u64> {
    match *event {
        Event::Spawn { task, .. }
        | Event::Poll { task }
        | Event::Polled { task, .. }
        | Event::Wake { task, .. }
        | Event::End { task, .. } => Some(task),
        Event::Wait { task, .. }
        | Event::Timer { task, .. }
        | Event::Job { task, .. }
        | Event::Input { task, .. } => task,
        _ => None,
    }
}
