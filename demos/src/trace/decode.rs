//! Events read from bytes, whatever these may be: what cannot be is an error, never a panic.

use std::fmt;

use super::event::{Cause, Direction, Event, How, Spot};

/// Bytes that are no trace, or no longer one. Its `Display` says what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Malformed {}

/// Bytes, read from the front.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    ///
    /// # Errors
    /// There is none.
    pub fn byte(&mut self) -> Result<u8, Malformed> {
        let (&first, rest) = self.0.split_first().ok_or(Malformed("it breaks off"))?;
        self.0 = rest;
        Ok(first)
    }

    /// The next number.
    ///
    /// # Errors
    /// It breaks off, or has more than 64 bits.
    pub fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Malformed("a number has more than 64 bits"))
    }

    /// So many bytes.
    ///
    /// # Errors
    /// There are fewer.
    pub fn take(&mut self, length: u64) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(Malformed("it breaks off"))?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next text.
    ///
    /// # Errors
    /// It breaks off, or is not UTF-8.
    pub fn text(&mut self) -> Result<&'a str, Malformed> {
        let length = self.number()?;
        std::str::from_utf8(self.take(length)?).map_err(|_| Malformed("a text is not UTF-8"))
    }

    /// The next number, which has to fit.
    ///
    /// # Errors
    /// It breaks off, or is too large.
    pub fn small<T: TryFrom<u64>>(&mut self) -> Result<T, Malformed> {
        T::try_from(self.number()?).map_err(|_| Malformed("a number is too large"))
    }

    fn halves(&mut self) -> Result<u64, Malformed> {
        let (low, high): (u32, u32) = (self.small()?, self.small()?);
        Ok(u64::from(high) << 32 | u64::from(low))
    }

    fn option(&mut self) -> Result<Option<u64>, Malformed> {
        Ok(self.number()?.checked_sub(1))
    }

    fn direction(&mut self) -> Result<Direction, Malformed> {
        match self.byte()? {
            0 => Ok(Direction::Read),
            1 => Ok(Direction::Write),
            _ => Err(Malformed("a direction is neither read nor write")),
        }
    }

    pub(super) fn cause(&mut self) -> Result<Cause, Malformed> {
        Ok(match self.byte()? {
            0 => Cause::Unknown,
            1 => Cause::Itself,
            2 => Cause::Task(self.number()?),
            3 => Cause::Timer(self.halves()?),
            4 => Cause::Source(self.halves()?, Direction::Read),
            5 => Cause::Source(self.halves()?, Direction::Write),
            6 => Cause::Thread(self.small()?),
            _ => return Err(Malformed("a wake has a cause that is not known")),
        })
    }

    fn spot(&mut self) -> Result<Option<Spot>, Malformed> {
        let spot = |number: u64| match u8::try_from(number >> 6) {
            Ok(level) => Ok(Spot {
                level,
                slot: number as u8 & 63,
            }),
            Err(_) => Err(Malformed("the wheel has no such level")),
        };
        self.option()?.map(spot).transpose()
    }

    /// The next event, and how many nanoseconds it happened after the one before it.
    ///
    /// # Errors
    /// It breaks off, or has something in it that cannot be.
    pub fn event(&mut self) -> Result<(u64, Event<'a>), Malformed> {
        let kind = self.byte()?;
        let after = self.number()?;
        let event = match kind {
            0 => Event::Turn,
            1 => Event::Spawn {
                task: self.number()?,
                name: self.text()?,
                place: self.small()?,
                by: self.option()?,
            },
            2 => Event::Poll {
                task: self.number()?,
            },
            3 => {
                let number = self.number()?;
                Event::Polled {
                    task: number >> 1,
                    ready: number & 1 == 1,
                }
            }
            4 => Event::Wake {
                task: self.number()?,
                by: self.cause()?,
            },
            5 => Event::End {
                task: self.number()?,
                how: how(self.byte()?)?,
            },
            6 => Event::Park {
                patience: self.option()?,
            },
            7 => Event::Unpark {
                events: self.small()?,
            },
            8 => Event::Source {
                source: self.halves()?,
                fd: self.small::<u32>()? as i32,
                what: self.text()?,
            },
            9 => Event::Gone {
                source: self.halves()?,
            },
            10 => Event::Wait {
                source: self.halves()?,
                direction: self.direction()?,
                task: self.option()?,
            },
            11 => {
                let (source, bits) = (self.halves()?, self.byte()?);
                Event::Ready {
                    source,
                    read: bits & 1 != 0,
                    write: bits & 2 != 0,
                }
            }
            _ => self.rarer(kind)?,
        };
        Ok((after, event))
    }

    /// The rest of [`event`](Self::event).
    fn rarer(&mut self, kind: u8) -> Result<Event<'a>, Malformed> {
        Ok(match kind {
            12 => Event::Timer {
                timer: self.halves()?,
                due: self.number()?,
                spot: self.spot()?,
                task: self.option()?,
            },
            13 => Event::Move {
                timer: self.halves()?,
                spot: self.spot()?.ok_or(Malformed("a timer moves to no place"))?,
            },
            14 => Event::Fire {
                timer: self.halves()?,
            },
            15 => Event::Cancel {
                timer: self.halves()?,
            },
            16 => Event::Steal {
                from: self.small()?,
                tasks: self.small()?,
            },
            17 => Event::Job {
                job: self.number()?,
                place: self.small()?,
                task: self.option()?,
            },
            18 => Event::JobBegin {
                job: self.number()?,
            },
            19 => Event::JobEnd {
                job: self.number()?,
            },
            20 => Event::Input {
                number: self.number()?,
                text: self.text()?,
                task: self.option()?,
            },
            21 => {
                let number = self.number()?;
                Event::Output {
                    number: number >> 1,
                    text: self.text()?,
                    ok: number & 1 == 1,
                }
            }
            22 => Event::Note { text: self.text()? },
            _ => return Err(Malformed("an event is of a kind that is not known")),
        })
    }
}

pub(super) fn how(byte: u8) -> Result<How, Malformed> {
    match byte {
        0 => Ok(How::Output),
        1 => Ok(How::Panicked),
        2 => Ok(How::Cancelled),
        _ => Err(Malformed("a task ended in a way that is not known")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::encode::put_event;

    /// One of each kind, with numbers small and large.
    fn one_of_each() -> Vec<Event<'static>> {
        let task = 7;
        vec![
            Event::Turn,
            Event::Spawn {
                task,
                name: "I1",
                place: 300,
                by: Some(0),
            },
            Event::Spawn {
                task: u64::MAX,
                name: "",
                place: u32::MAX,
                by: None,
            },
            Event::Poll { task },
            Event::Polled { task, ready: false },
            Event::Polled {
                task: u64::MAX >> 1,
                ready: true,
            },
            Event::Wake {
                task,
                by: Cause::Itself,
            },
            Event::Wake {
                task,
                by: Cause::Task(8),
            },
            Event::Wake {
                task,
                by: Cause::Timer(u64::MAX),
            },
            Event::Wake {
                task,
                by: Cause::Source(3 << 32 | 1, Direction::Read),
            },
            Event::Wake {
                task,
                by: Cause::Source(3, Direction::Write),
            },
            Event::Wake {
                task,
                by: Cause::Thread(65_535),
            },
            Event::Wake {
                task,
                by: Cause::Unknown,
            },
            Event::End {
                task,
                how: How::Output,
            },
            Event::End {
                task,
                how: How::Panicked,
            },
            Event::End {
                task,
                how: How::Cancelled,
            },
            Event::Park { patience: None },
            Event::Park { patience: Some(0) },
            Event::Unpark { events: 2 },
            Event::Source {
                source: 0,
                fd: -1,
                what: "tcp 127.0.0.1:80",
            },
            Event::Gone { source: 0 },
            Event::Wait {
                source: 2,
                direction: Direction::Write,
                task: Some(task),
            },
            Event::Ready {
                source: 2,
                read: true,
                write: false,
            },
            Event::Timer {
                timer: 1 << 32,
                due: 5_000_000_000,
                spot: Some(Spot {
                    level: 10,
                    slot: 63,
                }),
                task: None,
            },
            Event::Timer {
                timer: 1,
                due: 0,
                spot: None,
                task: Some(1),
            },
            Event::Move {
                timer: 1,
                spot: Spot { level: 0, slot: 0 },
            },
            Event::Fire { timer: 1 },
            Event::Cancel { timer: 1 },
            Event::Steal {
                from: 3,
                tasks: 128,
            },
            Event::Job {
                job: 4,
                place: 0,
                task: Some(task),
            },
            Event::JobBegin { job: 4 },
            Event::JobEnd { job: 4 },
            Event::Input {
                number: 1,
                text: "sleep 300ms\u{1f375}",
                task: Some(task),
            },
            Event::Output {
                number: 1,
                text: "</script>",
                ok: true,
            },
            Event::Note {
                text: "O2 goes out before O1",
            },
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        let events = one_of_each();
        let mut bytes = Vec::new();
        for (after, event) in (0..).zip(&events) {
            put_event(&mut bytes, after * 1_000_003, event);
        }
        let mut read = Bytes(&bytes);
        for (after, event) in (0..).zip(&events) {
            assert_eq!(read.event(), Ok((after * 1_000_003, *event)));
        }
        assert!(read.is_empty());
        let kinds: std::collections::BTreeSet<_> = events.iter().map(Event::kind).collect();
        assert_eq!(
            kinds.len(),
            crate::trace::event::KINDS.len(),
            "one of each kind"
        );
    }

    #[test]
    fn an_event_is_a_handful_of_bytes() {
        let size = |event| {
            let mut bytes = Vec::new();
            put_event(&mut bytes, 900, &event);
            bytes.len()
        };
        assert_eq!(size(Event::Poll { task: 100 }), 4);
        assert_eq!(
            size(Event::Ready {
                source: 5,
                read: true,
                write: false
            }),
            6
        );
        assert_eq!(
            size(Event::Wake {
                task: 100,
                by: Cause::Itself
            }),
            5
        );
    }

    #[test]
    fn whatever_the_bytes_reading_them_ends() {
        for event in one_of_each() {
            let mut bytes = Vec::new();
            put_event(&mut bytes, 1, &event);
            for length in 0..bytes.len() {
                assert!(
                    Bytes(&bytes[..length]).event().is_err(),
                    "{event:?} cut at {length}"
                );
            }
            for at in 0..bytes.len() {
                for bit in 0..8 {
                    let mut changed = bytes.clone();
                    changed[at] ^= 1 << bit;
                    let _ = Bytes(&changed).event(); // an error or another event, never a panic
                }
            }
        }
        let eleven = [0xff; 11];
        assert_eq!(
            Bytes(&eleven).number(),
            Err(Malformed("a number has more than 64 bits"))
        );
    }
}
