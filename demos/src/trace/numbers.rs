//! Small numbers for timers and sources.
//!
//! A crate's number for a timer says where in its tables the timer is, and who was there before:
//! right for a machine, and nothing a person could keep in mind or a browser hold exactly. So they
//! are counted from 1, in the order in which they appear.

use std::collections::{HashMap, VecDeque};

use super::event::{Cause, Direction, Event};

/// How many timers and sources that are gone are remembered: a wake may be told of a little later.
const REMEMBERED: usize = 4096;

/// The numbers given so far. It remembers what is there, and a bounded number of what was.
#[derive(Debug, Default)]
pub struct Numbers {
    timers: Numbering,
    sources: Numbering,
    /// By source: which task waited for which direction last.
    waits: HashMap<u64, Vec<(u64, Direction)>>,
}

#[derive(Debug, Default)]
struct Numbering {
    known: HashMap<u64, u64>,
    last: u64,
    gone: VecDeque<u64>,
}

impl Numbering {
    fn of(&mut self, number: u64) -> u64 {
        *self.known.entry(number).or_insert_with(|| {
            self.last += 1;
            self.last
        })
    }

    /// As `of`, for the last time but for latecomers.
    fn of_one_that_goes(&mut self, number: u64) -> u64 {
        let small = self.of(number);
        self.gone.push_back(number);
        if self.gone.len() > REMEMBERED
            && let Some(oldest) = self.gone.pop_front()
        {
            self.known.remove(&oldest);
        }
        small
    }
}

impl Numbers {
    /// The event with small numbers in it.
    pub fn renumber<'a>(&mut self, mut event: Event<'a>) -> Event<'a> {
        match &mut event {
            Event::Timer { timer, .. } | Event::Move { timer, .. } => {
                *timer = self.timers.of(*timer);
            }
            Event::Fire { timer } | Event::Cancel { timer } => {
                *timer = self.timers.of_one_that_goes(*timer);
            }
            Event::Source { source, .. } | Event::Ready { source, .. } => {
                *source = self.sources.of(*source);
            }
            Event::Gone { source } => {
                *source = self.sources.of_one_that_goes(*source);
                self.waits.remove(source);
            }
            Event::Wait {
                source,
                direction,
                task,
            } => {
                *source = self.sources.of(*source);
                if let Some(task) = task {
                    let waits = self.waits.entry(*source).or_default();
                    waits.retain(|(waiter, _)| waiter != task);
                    waits.push((*task, *direction));
                }
            }
            Event::Wake { task, by } => *by = self.renumber_cause(*task, *by),
            _ => {}
        }
        event
    }

    /// A source that became ready in both directions wakes a task for the one it waited for.
    fn renumber_cause(&mut self, task: u64, cause: Cause) -> Cause {
        match cause {
            Cause::Timer(timer) => Cause::Timer(self.timers.of(timer)),
            Cause::Source(source, direction) => {
                let source = self.sources.of(source);
                let mut waits = self.waits.get(&source).into_iter().flatten();
                let waited = waits.find(|(waiter, _)| *waiter == task);
                Cause::Source(
                    source,
                    waited.map_or(direction, |(_, direction)| *direction),
                )
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_from_one_and_never_given_twice() {
        let mut numbers = Numbers::default();
        let timer = |numbers: &mut Numbers, timer| match numbers.renumber(Event::Fire { timer }) {
            Event::Fire { timer } => timer,
            other => panic!("{other:?}"),
        };
        assert_eq!(timer(&mut numbers, 7 << 32), 1);
        let late = Event::Wake {
            task: 1,
            by: Cause::Timer(7 << 32),
        };
        let by = Cause::Timer(1);
        assert_eq!(numbers.renumber(late), Event::Wake { task: 1, by });
        for number in 0..10_000 {
            assert_eq!(timer(&mut numbers, number), number + 2);
        }
        assert!(numbers.timers.known.len() <= REMEMBERED + 1, "bounded");
    }

    #[test]
    fn a_wake_is_for_what_the_task_waited_for() {
        let mut numbers = Numbers::default();
        numbers.renumber(Event::Wait {
            source: 1 << 40,
            direction: Direction::Write,
            task: Some(5),
        });
        let wake = |task| Event::Wake {
            task,
            by: Cause::Source(1 << 40, Direction::Read),
        };
        let cause = |event| match event {
            Event::Wake { by, .. } => by,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            cause(numbers.renumber(wake(5))),
            Cause::Source(1, Direction::Write)
        );
        assert_eq!(
            cause(numbers.renumber(wake(6))),
            Cause::Source(1, Direction::Read)
        );
    }
}
