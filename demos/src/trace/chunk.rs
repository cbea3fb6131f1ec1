//! Events as their thread puts them down: sixteen bytes each, and no more work than that.
//!
//! This is what runs in the middle of a loop that is recorded. So it stores the numbers it has at
//! hand; to make the few bytes of the file of them is the keeper's work, on another thread.
//!
//! ```text
//! number of the task, source or timer │ ns since the chunk began │ more │ kind │ bits
//!               8 bytes               │         4 bytes          │  2   │  1   │  1
//! ```
//!
//! Which task is being polled, which source is ready, which timer has fired is told by the records
//! before, so a wake and a wait need not say it again; a chunk begins with what its thread was
//! doing then. A timer takes two records, the second with its deadline. An event with a text, or
//! one that is rare, is put beside the records as the file has it, and its record only says when.

use std::collections::HashMap;

use super::block::Block;
use super::decode::Bytes;
use super::encode::{Numbers, put_event};
use super::event::{Cause, Direction, Event, How, Spot};

/// How many records a thread gathers before it hands them over: few enough to stay in the nearest
/// caches, beside what the loop itself has there.
const RECORDS: usize = 512;

/// How many bytes it gathers beside them.
const BESIDE: usize = 16 << 10;

/// The kind of a record whose event is beside. The kinds of the others are those of their events.
const IS_BESIDE: u8 = u8::MAX;

/// The kind of the second record of a timer: its deadline.
const IS_DUE: u8 = u8::MAX - 1;

/// The bit of a record that has a number where there might be none.
const IS_SOME: u8 = 2;

/// What a thread is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Doing {
    /// Nothing that would be a cause.
    #[default]
    Nothing,
    /// Taking in what other threads woke.
    Intake,
    /// Polling a task.
    Task(u64),
    /// Polling a task that is not to be seen.
    Unseen,
    /// Waking those who waited for a source.
    Source(u64, Direction),
    /// Waking who waited for a timer.
    Timer(u64),
    /// Making a call of the pool, or waking who waited for it.
    Call,
}

impl Doing {
    /// The task that is polled, if it is one to be seen.
    #[inline]
    pub(super) fn task(self) -> Option<u64> {
        match self {
            Self::Task(task) => Some(task),
            _ => None,
        }
    }
}

/// Deadlines by timer. One that was put off is told of when its slot's time has come and it moves
/// to another: not before, for a keep-alive is put off by each message.
pub(super) type Dues = HashMap<u64, u64>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Record {
    number: u64,
    after: u32,
    more: u16,
    kind: u8,
    bits: u8,
}

/// Events of one thread in the order in which they happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chunk {
    thread: u16,
    begins: u64,
    /// What the thread was doing before the first event.
    doing: Doing,
    /// The first so many are written; the rest is room.
    records: Vec<Record>,
    count: usize,
    beside: Vec<u8>,
    /// The time from which on it has no room; zero before it has begun.
    full_at: u64,
}

impl Chunk {
    pub(super) fn new(thread: u16) -> Self {
        Self {
            thread,
            ..Self::default()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether it has to begin anew before an event at this time is put down.
    #[inline]
    pub(super) fn has_no_room(&self, at: u64) -> bool {
        self.count >= RECORDS || at >= self.full_at
    }

    /// Begins it, at a time and with what the thread is doing.
    pub(super) fn begin(&mut self, at: u64, doing: Doing) {
        self.records.resize(RECORDS + 1, Record::default()); // the last one may take two
        (self.begins, self.doing) = (at, doing);
        self.full_at = at.saturating_add(u64::from(u32::MAX));
    }

    /// Puts an event down. Who waits, sleeps or wakes is what the thread is doing: see above.
    #[inline(always)] // what kind of event it is, is known where it is put down
    pub(super) fn push(&mut self, at: u64, event: &Event<'_>) {
        let (number, bits, more) = match *event {
            Event::Turn => (0, 0, 0),
            Event::Poll { task } => (task, 0, 0),
            Event::Polled { task, ready } => (task, u8::from(ready), 0),
            Event::Wake { task, by } => (task, cause(by), thread(by)),
            Event::End { task, how } => (task, how as u8, 0),
            Event::Park { patience } => (patience.unwrap_or(0), some(patience), 0),
            Event::Unpark { events } => (events.into(), 0, 0),
            Event::Wait {
                source,
                direction,
                task,
            } => (source, direction as u8 | some(task), 0),
            Event::Ready {
                source,
                read,
                write,
            } => (source, u8::from(read) | u8::from(write) << 1, 0),
            Event::Timer {
                timer, spot, task, ..
            } => (timer, some(task) | u8::from(spot.is_some()), place(spot)),
            Event::Fire { timer } | Event::Cancel { timer } => (timer, 0, 0),
            _ => return self.push_beside(at, event),
        };
        self.record(at, event.kind(), number, bits, more);
        if let Event::Timer { due, .. } = *event {
            self.record(at, IS_DUE, due, 0, 0);
        }
    }

    /// Puts down that a timer moved, with its deadline: that may be another than was told last.
    pub(super) fn push_move(&mut self, at: u64, timer: u64, spot: Spot, due: u64) {
        let kind = Event::Move { timer, spot }.kind();
        self.record(at, kind, timer, 0, place(Some(spot)));
        self.record(at, IS_DUE, due, 0, 0);
    }

    #[inline(always)]
    fn record(&mut self, at: u64, kind: u8, number: u64, bits: u8, more: u16) {
        let after = at.saturating_sub(self.begins) as u32; // it has room
        debug_assert!(self.count < self.records.len(), "a record without room");
        if let Some(room) = self.records.get_mut(self.count) {
            *room = Record {
                number,
                after,
                more,
                kind,
                bits,
            };
            self.count += 1;
        }
    }

    #[cold]
    fn push_beside(&mut self, at: u64, event: &Event<'_>) {
        put_event(&mut self.beside, 0, event);
        self.record(at, IS_BESIDE, 0, 0, 0);
        if self.beside.len() >= BESIDE {
            self.full_at = 0;
        }
    }

    /// What was put down, in memory of just its size; goes on empty, in the memory it has.
    pub(super) fn take(&mut self) -> Self {
        let taken = Self {
            records: self.records[..self.count].to_vec(),
            beside: self.beside.clone(),
            ..*self
        };
        (self.count, self.full_at) = (0, 0);
        self.beside.clear();
        taken
    }

    /// When it begins.
    #[cfg(test)]
    pub(super) fn begins(&self) -> u64 {
        self.begins
    }

    fn written(&self) -> &[Record] {
        &self.records[..self.count]
    }

    /// How many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(self.written()) + self.beside.len()
    }

    /// How many events there are.
    pub(super) fn count(&self) -> u64 {
        let events = self.written().iter().filter(|record| record.kind != IS_DUE);
        events.count() as u64
    }

    /// The events as the file has them; `dues` are the deadlines of the timers so far.
    pub(super) fn block(&self, dues: &mut Dues) -> Block {
        let mut block = Block::new(self.thread);
        block
            .bytes
            .reserve((self.count + 8) * 8 + self.beside.len());
        let (mut doing, mut beside) = (self.doing, Bytes(&self.beside));
        let mut records = self.written().iter();
        while let Some(record) = records.next() {
            let at = self.begins + u64::from(record.after);
            if record.is_common() {
                let mut numbers = Numbers::event(record.kind, block.one_more(at));
                record.put(&mut doing, &mut numbers);
                numbers.append_to(&mut block.bytes);
                continue;
            }
            let event = match record.kind {
                IS_BESIDE => beside.event().ok().map(|(_, event)| event),
                _ => record.event(&mut doing, records.as_slice(), dues),
            };
            if let Some(event) = event {
                block.push(at, &event);
            }
        }
        block
    }
}

impl Record {
    /// Whether it is one of the five that make up nearly all of a busy loop's trace.
    #[inline(always)]
    fn is_common(&self) -> bool {
        matches!(self.kind, 2..=4 | 10 | 11)
    }

    /// The numbers of such an event, without a stop at the event as a value: the keeper's time is
    /// spent here. Notes what the thread is doing then.
    #[inline(always)]
    fn put(&self, doing: &mut Doing, out: &mut Numbers) {
        let (number, bit) = (self.number, |bit: u8| self.bits & bit != 0);
        match self.kind {
            2 => {
                *doing = Doing::Task(number);
                out.poll(number);
            }
            3 => out.polled(number, bit(1)),
            4 => out.wake(number, self.cause(*doing)),
            10 => {
                let task = doing.task().filter(|_| bit(IS_SOME));
                out.wait(number, direction(bit(1)), task);
            }
            _ => {
                *doing = Doing::Source(number, direction(!bit(1)));
                out.ready(number, bit(1), bit(2));
            }
        }
    }

    /// The event, if it is another and a first record; notes what the thread is doing then.
    fn event(&self, doing: &mut Doing, next: &[Self], dues: &mut Dues) -> Option<Event<'static>> {
        let (number, bit) = (self.number, |bit: u8| self.bits & bit != 0);
        Some(match self.kind {
            0 => Event::Turn,
            5 => Event::End {
                task: number,
                how: [How::Output, How::Panicked, How::Cancelled][usize::from(self.bits % 3)],
            },
            6 => Event::Park {
                patience: bit(IS_SOME).then_some(number),
            },
            7 => Event::Unpark {
                events: number as u32,
            },
            _ => return self.event_of_timer(doing, next, dues),
        })
    }

    fn event_of_timer(
        &self,
        doing: &mut Doing,
        next: &[Self],
        dues: &mut Dues,
    ) -> Option<Event<'static>> {
        let (number, due) = (self.number, next.first().map_or(0, |due| due.number));
        let task = doing.task().filter(|_| self.bits & IS_SOME != 0);
        Some(match self.kind {
            12 => {
                dues.insert(number, due);
                Event::Timer {
                    timer: number,
                    due,
                    spot: (self.bits & 1 != 0).then_some(self.spot()),
                    task,
                }
            }
            13 if dues.insert(number, due) == Some(due) => Event::Move {
                timer: number,
                spot: self.spot(),
            },
            13 => Event::Timer {
                timer: number,
                due,
                spot: Some(self.spot()),
                task: None,
            },
            14 => {
                dues.remove(&number);
                *doing = Doing::Timer(number);
                Event::Fire { timer: number }
            }
            15 => {
                dues.remove(&number);
                Event::Cancel { timer: number }
            }
            _ => return None,
        })
    }

    #[inline(always)]
    fn cause(&self, doing: Doing) -> Cause {
        match (self.bits, doing) {
            (1, _) => Cause::Itself,
            (2, Doing::Task(task)) => Cause::Task(task),
            (3, Doing::Timer(timer)) => Cause::Timer(timer),
            (4, Doing::Source(source, direction)) => Cause::Source(source, direction),
            (5, _) => Cause::Thread(self.more),
            _ => Cause::Unknown,
        }
    }

    fn spot(&self) -> Spot {
        let [level, slot] = self.more.to_be_bytes();
        Spot { level, slot }
    }
}

#[inline]
fn some(number: Option<u64>) -> u8 {
    if number.is_some() { IS_SOME } else { 0 }
}

#[inline]
fn place(spot: Option<Spot>) -> u16 {
    spot.map_or(0, |spot| u16::from_be_bytes([spot.level, spot.slot]))
}

#[inline]
fn cause(by: Cause) -> u8 {
    match by {
        Cause::Unknown => 0,
        Cause::Itself => 1,
        Cause::Task(_) => 2,
        Cause::Timer(_) => 3,
        Cause::Source(..) => 4,
        Cause::Thread(_) => 5,
    }
}

#[inline]
fn thread(by: Cause) -> u16 {
    match by {
        Cause::Thread(number) => number,
        _ => 0,
    }
}

fn direction(writes: bool) -> Direction {
    if writes {
        Direction::Write
    } else {
        Direction::Read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts events down, each after what the thread does then, and reads them again.
    fn there_and_back(told: &[(Doing, Event<'_>)]) {
        let mut chunk = Chunk::new(3);
        chunk.begin(1000, told[0].0);
        for (at, (_, event)) in (1000..).zip(told) {
            chunk.push(at, event);
        }
        let block = chunk.block(&mut Dues::new());
        let read: Vec<_> = block.entries().map(|entry| entry.unwrap()).collect();
        let events: Vec<_> = told.iter().map(|(_, event)| *event).collect();
        assert_eq!(
            read.iter().map(|entry| entry.event).collect::<Vec<_>>(),
            events
        );
        assert!(
            (1000..)
                .zip(&read)
                .all(|(at, entry)| (entry.at, entry.thread) == (at, 3))
        );
        assert_eq!(
            (chunk.count(), block.count),
            (events.len() as u64, events.len() as u64)
        );
    }

    #[test]
    fn what_is_put_down_is_what_is_read() {
        let (task, source, timer) = (7, 3 << 32 | 9, 5 << 32 | 1);
        let spot = Spot {
            level: 10,
            slot: 63,
        };
        let polled = Doing::Task(task);
        let wake = |task, by| Event::Wake { task, by };
        let (read, write) = (Direction::Read, Direction::Write);
        there_and_back(&[
            (Doing::Nothing, Event::Turn),
            (polled, Event::Poll { task }),
            (polled, wake(task, Cause::Itself)),
            (polled, wake(8, Cause::Task(task))),
            (
                polled,
                Event::Wait {
                    source,
                    direction: read,
                    task: Some(task),
                },
            ),
            (
                polled,
                Event::Wait {
                    source,
                    direction: write,
                    task: Some(task),
                },
            ),
            (
                polled,
                Event::Timer {
                    timer,
                    due: u64::MAX,
                    spot: Some(spot),
                    task: Some(task),
                },
            ),
            (
                polled,
                Event::Timer {
                    timer,
                    due: 0,
                    spot: None,
                    task: Some(task),
                },
            ),
            (
                polled,
                Event::Spawn {
                    task: 9,
                    name: "tea",
                    place: 3,
                    by: Some(task),
                },
            ),
            (polled, Event::Note { text: "" }),
            (
                polled,
                Event::End {
                    task,
                    how: How::Panicked,
                },
            ),
            (polled, Event::Polled { task, ready: true }),
            (
                Doing::Nothing,
                Event::Wait {
                    source,
                    direction: read,
                    task: None,
                },
            ),
            (
                Doing::Nothing,
                Event::Timer {
                    timer,
                    due: 5,
                    spot: None,
                    task: None,
                },
            ),
            (Doing::Nothing, Event::Cancel { timer }),
            (Doing::Nothing, Event::Park { patience: None }),
            (Doing::Nothing, Event::Park { patience: Some(0) }),
            (Doing::Nothing, Event::Unpark { events: 3 }),
            (
                Doing::Nothing,
                Event::Ready {
                    source,
                    read: true,
                    write: true,
                },
            ),
            (Doing::Nothing, wake(1, Cause::Source(source, read))),
            (
                Doing::Nothing,
                Event::Ready {
                    source,
                    read: false,
                    write: true,
                },
            ),
            (Doing::Nothing, wake(1, Cause::Source(source, write))),
            (Doing::Nothing, Event::Fire { timer }),
            (Doing::Nothing, wake(2, Cause::Timer(timer))),
            (Doing::Nothing, wake(3, Cause::Thread(u16::MAX))),
            (Doing::Nothing, wake(4, Cause::Unknown)),
            (Doing::Nothing, Event::Steal { from: 1, tasks: 2 }),
        ]);
    }

    #[test]
    fn a_chunk_begins_with_what_its_thread_does() {
        let by_task = Event::Wake {
            task: 2,
            by: Cause::Task(1),
        };
        there_and_back(&[(Doing::Task(1), by_task)]);
        let by_timer = Event::Wake {
            task: 2,
            by: Cause::Timer(1),
        };
        there_and_back(&[(Doing::Timer(1), by_timer)]);
        let by_source = Event::Wake {
            task: 2,
            by: Cause::Source(1, Direction::Write),
        };
        there_and_back(&[(Doing::Source(1, Direction::Write), by_source)]);
    }

    #[test]
    fn a_chunk_is_bounded_in_records_bytes_and_time() {
        let mut chunk = Chunk::new(0);
        assert!(chunk.has_no_room(0));
        chunk.begin(5, Doing::Nothing);
        let last = 4 + u64::from(u32::MAX);
        assert!(!chunk.has_no_room(last) && chunk.has_no_room(last + 1));
        (0..RECORDS).for_each(|_| chunk.push(5, &Event::Turn));
        assert!(chunk.has_no_room(5));
        assert_eq!(chunk.take().count(), RECORDS as u64);
        assert!(
            chunk.is_empty() && chunk.has_no_room(5),
            "it has to begin first"
        );
        chunk.begin(5, Doing::Nothing);
        let text = &"x".repeat(BESIDE);
        chunk.push(5, &Event::Note { text });
        assert!(chunk.has_no_room(5));
    }

    #[test]
    fn a_timer_that_was_put_off_has_its_new_deadline_when_it_moves() {
        let (timer, spot) = (7, Spot { level: 1, slot: 2 });
        let mut chunk = Chunk::new(0);
        chunk.begin(0, Doing::Nothing);
        let inserted = |due| Event::Timer {
            timer,
            due,
            spot: Some(spot),
            task: None,
        };
        chunk.push(0, &inserted(100));
        chunk.push_move(1, timer, spot, 100);
        chunk.push_move(2, timer, spot, 300);
        chunk.push_move(3, timer, spot, 300);
        chunk.push(4, &Event::Fire { timer });
        let block = chunk.block(&mut Dues::new());
        let read: Vec<_> = block.entries().map(|entry| entry.unwrap().event).collect();
        let (moved, fired) = (Event::Move { timer, spot }, Event::Fire { timer });
        assert_eq!(read, [inserted(100), moved, inserted(300), moved, fired]);
        assert_eq!(chunk.count(), 5);
    }
}
