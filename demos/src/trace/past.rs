//! What is left of the past: for those who begin to watch when its lines are gone.
//!
//! Who is shown a loop from the middle must know which tasks there are, and which sources, timers
//! and calls, and what each is at. So of the lines that go for want of room those are kept that
//! something alive still depends on: of a task its spawn and its last poll, of a timer the line
//! that inserted it and its last move. That is bounded by what is alive.

use std::collections::{BTreeMap, HashMap};

use super::event::{Direction, Entry, Event};

/// Something that a line brings about, and another ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Fact {
    Spawned(u64),
    Woken(u64),
    Polled(u64),
    Suspended(u64),
    Parked(u16),
    Registered(u64),
    Awaited(u64, Direction),
    Inserted(u64),
    Moved(u64),
    Queued(u64),
    Begun(u64),
    Taken(u64),
}

/// What a line changes: a fact it brings about, and those it ends.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Change {
    begins: Option<Fact>,
    ends: [Option<Fact>; 4],
}

impl Change {
    pub(super) fn of(entry: &Entry<'_>) -> Self {
        use Fact::*;
        let begins = |fact| (Some(fact), [None; 4]);
        let (begins, ends) = match entry.event {
            Event::Spawn { task, .. } => begins(Spawned(task)),
            Event::Wake { task, .. } => begins(Woken(task)),
            Event::Poll { task } => {
                let ends = [Some(Woken(task)), Some(Suspended(task)), None, None];
                (Some(Polled(task)), ends)
            }
            Event::Polled { task, ready: false } => begins(Suspended(task)),
            Event::Polled { task, .. } => (None, life(task)),
            Event::End { task, .. } => (None, life(task)),
            Event::Park { .. } => begins(Parked(entry.thread)),
            Event::Unpark { .. } => (None, [Some(Parked(entry.thread)), None, None, None]),
            Event::Source { source, .. } => begins(Registered(source)),
            Event::Gone { source } => {
                let [read, write] = waits(source, true, true);
                (None, [Some(Registered(source)), read, write, None])
            }
            Event::Wait {
                source, direction, ..
            } => begins(Awaited(source, direction)),
            Event::Ready {
                source,
                read,
                write,
            } => {
                let [read, write] = waits(source, read, write);
                (None, [read, write, None, None])
            }
            Event::Timer { timer, .. } => (
                Some(Inserted(timer)),
                [Some(Moved(timer)), None, None, None],
            ),
            Event::Move { timer, .. } => begins(Moved(timer)),
            Event::Fire { timer } | Event::Cancel { timer } => (
                None,
                [Some(Inserted(timer)), Some(Moved(timer)), None, None],
            ),
            Event::Job { job, .. } => begins(Queued(job)),
            Event::JobBegin { job } => begins(Begun(job)),
            Event::JobEnd { job } => (None, [Some(Queued(job)), Some(Begun(job)), None, None]),
            Event::Input { number, .. } => begins(Taken(number)),
            Event::Output { number, .. } => (None, [Some(Taken(number)), None, None, None]),
            Event::Turn | Event::Steal { .. } | Event::Note { .. } => (None, [None; 4]),
        };
        Self { begins, ends }
    }
}

/// All that may be known of a task.
fn life(task: u64) -> [Option<Fact>; 4] {
    [Fact::Spawned, Fact::Woken, Fact::Polled, Fact::Suspended].map(|fact| Some(fact(task)))
}

fn waits(source: u64, read: bool, write: bool) -> [Option<Fact>; 2] {
    let awaited = |direction| Some(Fact::Awaited(source, direction));
    [
        awaited(Direction::Read).filter(|_| read),
        awaited(Direction::Write).filter(|_| write),
    ]
}

/// Lines that are gone but for what they tell of the living.
#[derive(Debug, Default)]
pub(super) struct Past {
    facts: HashMap<Fact, u64>,
    /// By number, and so in the order in which they came.
    lines: BTreeMap<u64, String>,
}

impl Past {
    /// The line of this number goes.
    pub(super) fn take_in(&mut self, number: u64, line: String, change: Change) {
        for fact in change.ends.into_iter().flatten() {
            if let Some(number) = self.facts.remove(&fact) {
                self.lines.remove(&number);
            }
        }
        if let Some(fact) = change.begins {
            if let Some(before) = self.facts.insert(fact, number) {
                self.lines.remove(&before);
            }
            self.lines.insert(number, line);
        }
    }

    /// The lines that still count, oldest first.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.values().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::event::{Cause, How};

    fn left_of(events: &[Event<'_>]) -> Vec<usize> {
        let mut past = Past::default();
        for (number, &event) in events.iter().enumerate() {
            let (at, thread) = (0, 0);
            let change = Change::of(&Entry { at, thread, event });
            past.take_in(number as u64, number.to_string(), change);
        }
        past.lines().map(|line| line.parse().unwrap()).collect()
    }

    #[test]
    fn of_a_task_its_spawn_and_its_last_poll_are_left() {
        let spawn = |task| Event::Spawn {
            task,
            name: "",
            place: 0,
            by: None,
        };
        let poll = |task| Event::Poll { task };
        let polled = |task| Event::Polled { task, ready: false };
        let wake = |task| Event::Wake {
            task,
            by: Cause::Unknown,
        };
        let mut events = vec![spawn(1), poll(1), polled(1), wake(1), spawn(2), poll(1)];
        assert_eq!(left_of(&events), [0, 4, 5], "it is being polled");
        events.push(polled(1));
        assert_eq!(left_of(&events), [0, 4, 5, 6]);
        events.extend([wake(1), poll(2)]);
        assert_eq!(left_of(&events), [0, 4, 5, 6, 7, 8]);
        let how = How::Output;
        events.push(Event::End { task: 1, how });
        assert_eq!(left_of(&events), [4, 8]);
        events.push(Event::Polled {
            task: 2,
            ready: true,
        });
        assert!(left_of(&events).is_empty());
    }

    #[test]
    fn what_waits_is_left_until_it_has_what_it_waits_for() {
        let (source, timer, job) = (1, 2, 3);
        let wait = |direction| Event::Wait {
            source,
            direction,
            task: None,
        };
        let ready = |read, write| Event::Ready {
            source,
            read,
            write,
        };
        let (fd, what) = (4, "pipe");
        let mut events = vec![
            Event::Source { source, fd, what },
            wait(Direction::Read),
            wait(Direction::Write),
            ready(true, false),
        ];
        assert_eq!(left_of(&events), [0, 2]);
        events.extend([wait(Direction::Read), Event::Gone { source }]);
        assert!(left_of(&events).is_empty());
        let (due, spot, task) = (9, None, None);
        let again = Event::Timer {
            timer,
            due,
            spot,
            task,
        };
        let place = 0;
        events = vec![again, again, Event::Job { job, place, task }];
        assert_eq!(left_of(&events), [1, 2]);
        events.extend([Event::JobBegin { job }, Event::Fire { timer }]);
        assert_eq!(left_of(&events), [2, 3]);
        events.extend([Event::JobEnd { job }, Event::Park { patience: None }]);
        assert_eq!(left_of(&events), [6]);
        events.push(Event::Unpark { events: 0 });
        assert!(left_of(&events).is_empty());
    }
}
