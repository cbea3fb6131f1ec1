//! Reads the file that [`file`](super::file) describes, into one list in the order of time.

use std::collections::HashMap;

use super::block::Entries;
use super::decode::{Bytes, Malformed};
use super::event::{Entry, Event};
use super::file::{Header, MAGIC, Unreadable, VERSION};
use super::numbers::Numbers;
use super::told::{Dues, Told};

/// How many events are read at most unless it is said otherwise: some 300 MB of memory.
pub const MOST: usize = 5_000_000;

/// A trace, read.
#[derive(Clone, Debug, Default)]
pub struct Trace<'a> {
    /// What is told of the whole.
    pub header: Header,
    /// Places in the source, by number.
    pub places: Vec<&'a str>,
    /// Names of threads, by number.
    pub threads: Vec<&'a str>,
    /// What happened, in the order of time. Timers and sources are numbered from 1, in the order
    /// in which they appear.
    pub entries: Vec<Entry<'a>>,
    /// How many events were not kept.
    pub lost: u64,
    /// How many blocks I do not know, and passed over.
    pub passed_over: usize,
    /// The file ends at this byte, and not with its end.
    pub broken_off: Option<usize>,
}

impl<'a> Trace<'a> {
    /// Reads a trace of at most so many events.
    ///
    /// A trace that breaks off is read as far as it goes; see [`broken_off`](Self::broken_off).
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(file: &'a [u8], most: usize) -> Result<Self, Unreadable> {
        let Some(rest) = file.strip_prefix(MAGIC) else {
            return Err(match file {
                [] => Unreadable::Empty,
                _ => Unreadable::NotATrace,
            });
        };
        let mut trace = Trace::default();
        let mut rest = Bytes(rest);
        let Ok(version) = rest.number() else {
            trace.broken_off = Some(file.len());
            return Ok(trace);
        };
        match version {
            0 => return Err(Unreadable::Damaged(MAGIC.len(), "there is no version 0")),
            1..=VERSION => {}
            newer => return Err(Unreadable::Newer(newer)),
        }
        let (mut ended, mut dues) = (false, Dues::new());
        while !ended && !rest.is_empty() {
            let at = file.len() - rest.0.len();
            let Ok((tag, payload, sum)) = block(&mut rest) else {
                trace.broken_off = Some(at);
                break;
            };
            let mut check = crc32fast::Hasher::new();
            check.update(&[tag]);
            check.update(payload);
            if check.finalize() != sum {
                return Err(Unreadable::Damaged(
                    at,
                    "the checksum is not that of the content",
                ));
            }
            ended = tag == b'Z';
            trace
                .take_in(tag, payload, most, &mut dues)
                .map_err(|malformed| Unreadable::Damaged(at, malformed.0))?;
            if trace.entries.len() > most {
                return Err(Unreadable::TooLarge(most));
            }
        }
        if !ended {
            trace.broken_off.get_or_insert(file.len());
        }
        trace.entries.sort_by_key(|entry| entry.at); // stable: a thread's order is kept
        let mut numbers = Numbers::default();
        for entry in &mut trace.entries {
            entry.event = numbers.renumber(entry.event);
        }
        trace.tell_inputs_their_tasks();
        Ok(trace)
    }

    /// An input is told of when it is taken in, and then its task is spawned and called after it.
    fn tell_inputs_their_tasks(&mut self) {
        let mut inputs = HashMap::new();
        for index in 0..self.entries.len() {
            match self.entries[index].event {
                Event::Input {
                    number, task: None, ..
                } => drop(inputs.insert(number, index)),
                Event::Spawn { task, name, .. } => {
                    let number = name
                        .strip_prefix('I')
                        .and_then(|number| number.parse().ok());
                    let input = number.and_then(|number: u64| inputs.remove(&number));
                    let input = input.and_then(|index| self.entries.get_mut(index));
                    if let Some(Event::Input { task: of_it, .. }) =
                        input.map(|entry| &mut entry.event)
                    {
                        *of_it = Some(task);
                    }
                }
                _ => {}
            }
        }
    }

    /// The name of a thread.
    #[must_use]
    pub fn thread(&self, number: u16) -> &'a str {
        match self.threads.get(usize::from(number)) {
            Some(&name) if !name.is_empty() => name,
            _ => "a thread without a name",
        }
    }

    /// A place in the source.
    #[must_use]
    pub fn place(&self, number: u32) -> &'a str {
        self.places.get(number as usize).copied().unwrap_or("?")
    }

    fn take_in(
        &mut self,
        tag: u8,
        payload: &'a [u8],
        most: usize,
        dues: &mut Dues,
    ) -> Result<(), Malformed> {
        let mut bytes = Bytes(payload);
        match tag {
            b'H' => {
                self.header = serde_json::from_slice(payload)
                    .map_err(|_| Malformed("the header is not what a header is"))?;
            }
            b'P' => {
                let first = bytes.number()?;
                if first != self.places.len() as u64 {
                    return Err(Malformed("places in the source are missing"));
                }
                while !bytes.is_empty() {
                    self.places.push(bytes.text()?);
                }
            }
            b'T' => {
                let number = usize::from(bytes.small::<u16>()?);
                if number >= self.threads.len() {
                    self.threads.resize(number + 1, "");
                }
                self.threads[number] = bytes.text()?;
            }
            b'E' => {
                let thread = bytes.small()?;
                self.lost = self.lost.saturating_add(bytes.number()?);
                let at = bytes.number()?;
                self.append(Entries { thread, at, bytes }, most)?;
            }
            b'W' => self.append(Told::read(payload, dues)?, most)?,
            b'Z' => {
                if bytes.number()? != self.entries.len() as u64 {
                    return Err(Malformed("the number of events is not what the end says"));
                }
                self.lost = self.lost.max(bytes.number()?);
            }
            _ => self.passed_over += 1,
        }
        Ok(())
    }

    fn append(
        &mut self,
        entries: impl Iterator<Item = Result<Entry<'a>, Malformed>>,
        most: usize,
    ) -> Result<(), Malformed> {
        // One more than may be read is enough to say so.
        let room = most.saturating_add(1).saturating_sub(self.entries.len());
        for entry in entries.take(room) {
            self.entries.push(entry?);
        }
        Ok(())
    }
}

/// The next block: tag, payload and checksum. Fails if there is not all of it.
fn block<'a>(rest: &mut Bytes<'a>) -> Result<(u8, &'a [u8], u32), Malformed> {
    let tag = rest.byte()?;
    let length = rest.number()?;
    let payload = rest.take(length)?;
    let sum = rest.take(4)?;
    let sum = sum.try_into().map_err(|_| Malformed("it breaks off"))?;
    Ok((tag, payload, u32::from_le_bytes(sum)))
}
