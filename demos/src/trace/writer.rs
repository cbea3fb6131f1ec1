//! Writes the file that [`file`](super::file) describes, a whole block at a time.

use std::io::{self, Write};

use super::block::Block;
use super::chunk::Chunk;
use super::encode::{put, put_text};
use super::file::{Header, MAGIC, VERSION};

/// Writes a trace. Every call writes whole blocks: whatever ends the program, the file is good up
/// to the last of them.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    /// A block that is being put together.
    whole: Vec<u8>,
    places: u64,
    written: u64,
    events: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a trace.
    ///
    /// # Errors
    /// The place's it is written to.
    pub fn new(out: W, header: &Header) -> io::Result<Self> {
        let mut writer = Self {
            out,
            whole: Vec::new(),
            places: 0,
            written: 0,
            events: 0,
        };
        let mut start = MAGIC.to_vec();
        put(&mut start, VERSION);
        writer.out.write_all(&start)?;
        writer.written = start.len() as u64;
        writer.header(header)?;
        Ok(writer)
    }

    /// Replaces the header: what was not known at the begin is known now.
    ///
    /// # Errors
    /// The place's it is written to.
    pub fn header(&mut self, header: &Header) -> io::Result<()> {
        self.block(b'H', |bytes| {
            // Of strings and numbers alone: cannot fail.
            bytes.extend(serde_json::to_vec(header).unwrap_or_default());
        })
    }

    /// Adds places in the source; their numbers go on from those before.
    ///
    /// # Errors
    /// The place's it is written to.
    pub fn places(&mut self, places: &[String]) -> io::Result<()> {
        let first = self.places;
        self.places += places.len() as u64;
        self.block(b'P', |bytes| {
            put(bytes, first);
            places.iter().for_each(|place| put_text(bytes, place));
        })
    }

    /// Names a thread.
    ///
    /// # Errors
    /// The place's it is written to.
    pub fn thread(&mut self, number: u16, name: &str) -> io::Result<()> {
        self.block(b'T', |bytes| {
            put(bytes, number.into());
            put_text(bytes, name);
        })
    }

    /// Adds events.
    ///
    /// # Errors
    /// The place's it is written to.
    pub fn events(&mut self, events: &Block) -> io::Result<()> {
        self.events += events.count;
        self.block(b'E', |bytes| {
            put(bytes, events.thread.into());
            put(bytes, events.lost);
            put(bytes, events.begins);
            bytes.extend_from_slice(&events.bytes);
        })
    }

    /// Adds events as their thread put them down.
    pub(super) fn words(&mut self, events: &Chunk) -> io::Result<()> {
        self.events += events.count();
        self.block(b'W', |bytes| events.append_to(bytes))
    }

    /// Ends the trace: from now on a reader knows that nothing is missing but what was `lost`.
    ///
    /// # Errors
    /// The place's it is written to.
    pub fn end(mut self, lost: u64) -> io::Result<W> {
        let events = self.events;
        self.block(b'Z', |bytes| {
            put(bytes, events);
            put(bytes, lost);
        })?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// How many bytes the file has.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    fn block(&mut self, tag: u8, fill: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let mut payload = std::mem::take(&mut self.whole);
        payload.clear();
        payload.push(tag);
        fill(&mut payload);
        let mut length = Vec::with_capacity(10);
        put(&mut length, payload.len() as u64 - 1);
        let sum = crc32fast::hash(&payload);
        payload.extend(sum.to_le_bytes());
        payload.splice(1..1, length);
        self.written += payload.len() as u64;
        self.whole = payload;
        // One write: a program that is killed leaves a whole block or, seldom, a part of one.
        self.out.write_all(&self.whole)
    }
}
