//! Reads what threads put down: the words of `chunk.rs` back into events, whatever these may be.

use std::collections::HashMap;

use super::chunk::Doing;
use super::decode::{Bytes, Malformed, how};
use super::event::{Cause, Direction, Entry, Event, Spot};
use super::word::{
    AFTER, BITS, IS_BESIDE, IS_LAST, IS_PACKED, IS_SOME, IS_TIME, IS_WHOLE, NUMBER, PACKED, WIDE,
};

/// Deadlines by timer. One that was put off is told of when its slot's time has come and it moves
/// to another: not before, for a keep-alive is put off by each message.
pub(super) type Dues = HashMap<u64, u64>;

/// The events of a block of words, one after the other; after an error there are no more.
#[derive(Debug)]
pub(super) struct Told<'a, 'd> {
    thread: u16,
    at: u64,
    doing: Doing,
    bytes: Bytes<'a>,
    /// The end of a poll of one word, when its begin was given.
    next: Option<(u64, Event<'a>)>,
    dues: &'d mut Dues,
}

/// A word, in its parts.
#[derive(Clone, Copy)]
struct Word {
    kind: u8,
    bits: u8,
    number: u64,
}

impl Word {
    fn has(self, bit: u8) -> bool {
        self.bits & bit != 0
    }

    /// The number of a source, which may be packed.
    fn source(self) -> u64 {
        if !self.has(IS_PACKED) {
            return self.number;
        }
        let low = self.number & ((1 << PACKED) - 1);
        low | self.number >> PACKED << NUMBER
    }
}

impl<'a, 'd> Told<'a, 'd> {
    /// The events of a block, after those that `dues` knows of.
    ///
    /// # Errors
    /// It does not begin as such a block does.
    pub(super) fn read(content: &'a [u8], dues: &'d mut Dues) -> Result<Self, Malformed> {
        let mut bytes = Bytes(content);
        Ok(Self {
            thread: bytes.small()?,
            at: bytes.number()?,
            doing: bytes.cause()?.into(),
            bytes,
            next: None,
            dues,
        })
    }

    fn word(&mut self) -> Result<u64, Malformed> {
        let bytes = self.bytes.take(8)?;
        let bytes = bytes.try_into().map_err(|_| Malformed("it breaks off"))?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn event(&mut self) -> Result<Event<'a>, Malformed> {
        let mut word = self.word()?;
        while word as u8 & 31 == IS_TIME {
            self.at = self.at.saturating_add(self.word()?);
            word = self.word()?;
        }
        let after = (word & u64::from(u32::MAX)) >> AFTER;
        let parts = Word {
            kind: word as u8 & 31,
            bits: word as u8 >> BITS,
            number: match word >> WIDE & 1 {
                0 => word >> NUMBER,
                _ => word >> NUMBER | self.word()? << NUMBER,
            },
        };
        if parts.kind == IS_WHOLE {
            let (task, ready) = (parts.number, parts.has(1));
            self.next = Some((after, Event::Polled { task, ready }));
            self.doing = Doing::Task(task);
            return Ok(Event::Poll { task });
        }
        if let (IS_LAST, Some(task)) = (parts.kind, self.doing.task()) {
            self.next = Some((after, Event::Polled { task, ready: false }));
            return Ok(self.wait(parts));
        }
        self.at = self.at.saturating_add(after);
        self.event_of(parts)
    }

    fn wait(&self, word: Word) -> Event<'a> {
        Event::Wait {
            source: word.source(),
            direction: direction(word.has(1)),
            task: self.doing.task().filter(|_| word.has(IS_SOME)),
        }
    }

    /// The event of a word; notes what the thread is doing then.
    fn event_of(&mut self, word: Word) -> Result<Event<'a>, Malformed> {
        let number = word.number;
        let task = self.doing.task().filter(|_| word.has(IS_SOME));
        Ok(match word.kind {
            0 => Event::Turn,
            2 => {
                self.doing = Doing::Task(number);
                Event::Poll { task: number }
            }
            3 => Event::Polled {
                task: number,
                ready: word.has(1),
            },
            4 => Event::Wake {
                task: number,
                by: self.cause(word.bits)?,
            },
            5 => Event::End {
                task: number,
                how: how(word.bits)?,
            },
            6 => Event::Park {
                patience: word.has(IS_SOME).then_some(number),
            },
            7 => Event::Unpark {
                events: u32::try_from(number).unwrap_or(u32::MAX),
            },
            10 => self.wait(word),
            11 => {
                let (read, write) = (word.has(1), word.has(2));
                let source = word.source();
                self.doing = Doing::Source(source, direction(!read));
                Event::Ready {
                    source,
                    read,
                    write,
                }
            }
            IS_BESIDE => self.beside(number)?,
            _ => self.event_of_timer(word, task)?,
        })
    }

    fn event_of_timer(&mut self, word: Word, task: Option<u64>) -> Result<Event<'a>, Malformed> {
        Ok(match word.kind {
            12 | 13 => {
                let (more, due) = (self.word()?, self.word()?);
                let timer = word.number | more << NUMBER;
                let [level, slot] = ((more >> NUMBER) as u16).to_be_bytes();
                let spot = Spot { level, slot };
                let before = self.dues.insert(timer, due);
                if word.kind == 13 && before == Some(due) {
                    return Ok(Event::Move { timer, spot });
                }
                Event::Timer {
                    timer,
                    due,
                    spot: (word.kind == 13 || word.has(1)).then_some(spot),
                    task,
                }
            }
            14 => {
                self.dues.remove(&word.number);
                self.doing = Doing::Timer(word.number);
                Event::Fire { timer: word.number }
            }
            15 => {
                self.dues.remove(&word.number);
                Event::Cancel { timer: word.number }
            }
            _ => return Err(Malformed("a word is of a kind that is not known")),
        })
    }

    fn cause(&mut self, bits: u8) -> Result<Cause, Malformed> {
        Ok(match (bits, self.doing) {
            (1, _) => Cause::Itself,
            (2, Doing::Task(task)) => Cause::Task(task),
            (3, Doing::Timer(timer)) => Cause::Timer(timer),
            (4, Doing::Source(source, direction)) => Cause::Source(source, direction),
            (5, _) => match u16::try_from(self.word()?) {
                Ok(thread) => Cause::Thread(thread),
                Err(_) => return Err(Malformed("there is no such thread")),
            },
            _ => Cause::Unknown,
        })
    }

    /// An event that follows as bytes.
    fn beside(&mut self, length: u64) -> Result<Event<'a>, Malformed> {
        let mut words = Bytes(self.bytes.take(length.div_ceil(8).saturating_mul(8))?);
        let mut bytes = Bytes(words.take(length)?);
        match bytes.event()? {
            (0, event) if bytes.is_empty() => Ok(event),
            _ => Err(Malformed("an event is not as long as its word says")),
        }
    }
}

impl<'a> Iterator for Told<'a, '_> {
    type Item = Result<Entry<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let event = match self.next.take() {
            Some((after, event)) => {
                self.at = self.at.saturating_add(after);
                Ok(event)
            }
            None if self.bytes.is_empty() => return None,
            None => self.event(),
        };
        if event.is_err() {
            self.bytes = Bytes(&[]);
        }
        Some(event.map(|event| Entry {
            at: self.at,
            thread: self.thread,
            event,
        }))
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
    use crate::trace::chunk::Chunk;
    use crate::trace::event::How;

    fn read(chunk: &Chunk, dues: &mut Dues) -> Vec<Entry<'static>> {
        let mut bytes = Vec::new();
        chunk.append_to(&mut bytes);
        let read = Told::read(bytes.leak(), dues).unwrap();
        read.map(|entry| entry.unwrap()).collect()
    }

    /// Puts events down, each after what the thread does then, and reads them again.
    fn there_and_back(told: &[(Doing, Event<'_>)]) {
        let mut chunk = Chunk::new(3);
        chunk.begin(1000, told[0].0);
        for (at, (_, event)) in (1000..).zip(told) {
            chunk.push(at, event);
        }
        let read = read(&chunk, &mut Dues::new());
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
        assert_eq!(chunk.count(), events.len() as u64);
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

    /// What is read of events that happened at these times.
    fn told(events: &[(u64, Event<'static>)]) -> (usize, Vec<(u64, Event<'static>)>) {
        let mut chunk = Chunk::new(0);
        chunk.begin(0, Doing::Nothing);
        let empty = chunk.bytes();
        events.iter().for_each(|(at, event)| chunk.push(*at, event));
        let read = read(&chunk, &mut Dues::new());
        let read = read.iter().map(|entry| (entry.at, entry.event)).collect();
        ((chunk.bytes() - empty) / 8, read)
    }

    #[test]
    fn a_poll_in_which_nothing_happens_is_one_word() {
        let (task, ready) = (7, false);
        let (begin, end) = (Event::Poll { task }, Event::Polled { task, ready });
        let turn = Event::Turn;
        let whole = [
            (5, turn),
            (5, begin),
            (5 + (1 << 23) - 1, end),
            (1 << 24, turn),
        ];
        assert_eq!(told(&whole), (3, whole.to_vec()));
        let too_long = [(5, turn), (5, begin), (5 + (1 << 23), end), (1 << 24, turn)];
        assert_eq!(told(&too_long), (6, too_long.to_vec()));
        let begins_later = [(5, turn), (6, begin), (9, end)];
        assert_eq!(told(&begins_later), (3, begins_later.to_vec()));
        let wake = Event::Wake {
            task: 8,
            by: Cause::Task(7),
        };
        let something_happens = [(5, begin), (6, wake), (7, end)];
        assert_eq!(told(&something_happens), (3, something_happens.to_vec()));
        let (task, ready) = (u64::MAX >> 1, true);
        let wide = [
            (0, Event::Poll { task }),
            (0, Event::Polled { task, ready }),
        ];
        assert_eq!(told(&wide), (4, wide.to_vec()));
    }

    #[test]
    fn a_wait_that_ends_its_poll_is_one_word() {
        let (task, ready) = (7, false);
        let (begin, end) = (Event::Poll { task }, Event::Polled { task, ready });
        let wait = |direction, source| Event::Wait {
            source,
            direction,
            task: Some(task),
        };
        let (read, write) = (Direction::Read, Direction::Write);
        let usual = [(5, begin), (5, wait(read, 3)), (900, end)];
        assert_eq!(told(&usual), (2, usual.to_vec()));
        let two = [
            (5, begin),
            (5, wait(read, 3)),
            (5, wait(write, 4)),
            (900, end),
        ];
        assert_eq!(told(&two), (3, two.to_vec()));
        let wide = [(5, begin), (5, wait(read, 1 << 44 | 3)), (900, end)];
        assert_eq!(told(&wide), (4, wide.to_vec()));
        let later = [(5, begin), (6, wait(write, 3)), (900, end)];
        assert_eq!(told(&later), (3, later.to_vec()));
        let done = Event::Polled { task, ready: true };
        let over = [(5, begin), (5, wait(write, 3)), (900, done)];
        assert_eq!(told(&over), (3, over.to_vec()));
    }

    #[test]
    fn a_source_that_is_not_its_places_first_has_one_word_while_its_halves_have_room() {
        let (read, write) = (true, true);
        let words = |source| {
            let ready = Event::Ready {
                source,
                read,
                write,
            };
            let told = told(&[(5, ready)]);
            assert_eq!(told.1, [(5, ready)]);
            told.0
        };
        let (last, most) = ((1 << 20) - 1, (1 << 12) - 1);
        assert!([0, last, 1 << 32, most << 32 | last].map(words) == [1; 4]);
        assert!([last + 1, u32::MAX.into()].map(words) == [1; 2]);
        assert!([1 << 32 | (last + 1), (most + 1) << 32, u64::MAX].map(words) == [2; 3]);
    }

    #[test]
    fn a_deadline_that_looks_like_the_begin_of_a_poll_is_none() {
        let task = 7;
        let (timer, spot) = (1, None);
        let due = task << NUMBER | u64::from(Event::Poll { task }.kind());
        let sleep = Event::Timer {
            timer,
            due,
            spot,
            task: Some(task),
        };
        let (begin, end) = (Event::Poll { task }, Event::Polled { task, ready: true });
        let all = [(0, begin), (0, sleep), (3, end)];
        assert_eq!(told(&all).1, all);
    }

    #[test]
    fn long_times_are_told_and_time_does_not_go_back() {
        let turn = Event::Turn;
        let times = [1 << 23, 1 << 40, 1 << 62, u64::MAX];
        let all: Vec<_> = times.iter().map(|at| (*at, turn)).collect();
        assert_eq!(told(&all).1, all);
        let back = told(&[(100, turn), (90, turn), (110, turn)]).1;
        assert_eq!(back, [(100, turn), (100, turn), (110, turn)]);
    }

    #[test]
    fn whatever_the_words_reading_them_ends() {
        let mut chunk = Chunk::new(1);
        chunk.begin(5, Doing::Timer(3));
        chunk.push(
            6,
            &Event::Note {
                text: "tea for two",
            },
        );
        chunk.push(1 << 40, &Event::Fire { timer: 1 << 33 });
        let mut bytes = Vec::new();
        chunk.append_to(&mut bytes);
        let read = |bytes: &[u8]| {
            let mut dues = Dues::new();
            Told::read(bytes, &mut dues).map(|told| told.filter(Result::is_err).count())
        };
        assert_eq!(read(&bytes), Ok(0));
        let refused = |length: usize| read(&bytes[..length]) != Ok(0);
        let head = bytes.len() % 8;
        assert!((0..bytes.len()).filter(|at| at % 8 != head).all(refused));
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                let _ = read(&changed); // an error or other events, never a panic
            }
        }
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
        let read = read(&chunk, &mut Dues::new());
        let read: Vec<_> = read.iter().map(|entry| entry.event).collect();
        let (moved, fired) = (Event::Move { timer, spot }, Event::Fire { timer });
        assert_eq!(read, [inserted(100), moved, inserted(300), moved, fired]);
        assert_eq!(chunk.count(), 5);
    }
}
