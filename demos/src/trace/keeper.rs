//! Keeps what is recorded, on a thread of its own: the loop's must not wait for a disk.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use super::block::Block;
use super::chunk::Chunk;
use super::feed::{Feed, Liner};
use super::file::Header;
use super::recorder::Recorder;
use super::told::{Dues, Told};
use super::writer::Writer;

/// Takes what is recorded from the threads, until the recording ends.
#[derive(Debug)]
pub struct Keeper {
    thread: JoinHandle<io::Result<Kept>>,
}

/// What was kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Events in the file.
    pub events: u64,
    /// Events that are not, for want of room or time.
    pub lost: u64,
    /// The file's length.
    pub bytes: u64,
}

impl Keeper {
    /// Starts to keep what `recorder` records, in a file, in a feed, or in both.
    ///
    /// # Errors
    /// The operating system's, if it gives no thread.
    pub fn start(
        recorder: &Recorder,
        file: Option<KeptFile>,
        feed: Option<Arc<Feed>>,
    ) -> io::Result<Self> {
        let recorder = recorder.clone();
        let thread = std::thread::Builder::new()
            .name("keeper".to_owned())
            .spawn(move || keep(&recorder, file, feed.as_deref()))?;
        Ok(Self { thread })
    }

    /// Ends the recording and waits until all is written.
    ///
    /// # Errors
    /// The operating system's: the disk is full, for example. What was written by then is good.
    pub fn finish(self, recorder: &Recorder) -> io::Result<Kept> {
        recorder.end();
        let broken = |_| io::Error::other("the thread that writes the trace panicked");
        self.thread.join().map_err(broken)?
    }
}

/// The keeper's life.
fn keep(recorder: &Recorder, file: Option<KeptFile>, feed: Option<&Feed>) -> io::Result<Kept> {
    let mut file = Ok(file);
    let (mut liner, mut dues) = (Liner::default(), Dues::new());
    while let Some(chunks) = recorder.outbox().take() {
        if let Some(feed) = feed {
            let blocks = chunks.iter().map(|chunk| block(chunk, &mut dues));
            let blocks: Vec<Block> = blocks.collect();
            feed.push(liner.lines(recorder, &blocks));
        }
        // When the file can take no more, those who watch still can.
        if let Ok(Some(open)) = &mut file
            && let Err(error) = open.take(recorder, &chunks)
        {
            file = Err(error);
        }
    }
    if let Some(feed) = feed {
        feed.push(liner.rest());
    }
    match file? {
        Some(file) => file.end(recorder),
        None => Ok(Kept::default()),
    }
}

/// The file of a recording, as long as it goes on.
#[derive(Debug)]
pub struct KeptFile {
    writer: Writer<File>,
    header: Header,
    limit: u64,
    names: Written,
    kept: Kept,
}

impl KeptFile {
    /// A new file at `path`, of at most `limit` bytes; what comes later is counted.
    ///
    /// # Errors
    /// The operating system's, if there can be no such file.
    pub fn create(path: &Path, header: &Header, limit: u64) -> io::Result<Self> {
        Ok(Self {
            writer: Writer::new(File::create(path)?, header)?,
            header: header.clone(),
            limit,
            names: Written::default(),
            kept: Kept::default(),
        })
    }

    fn take(&mut self, recorder: &Recorder, chunks: &VecDeque<Chunk>) -> io::Result<()> {
        let header = recorder.completed(&self.header);
        if header != self.header {
            self.writer.header(&header)?;
            self.header = header;
        }
        self.names.write_new(recorder, &mut self.writer)?;
        for chunk in chunks {
            if self.writer.written() + chunk.bytes() as u64 > self.limit {
                self.kept.lost += chunk.count();
            } else {
                self.kept.events += chunk.count();
                self.writer.words(chunk)?;
            }
        }
        Ok(())
    }

    fn end(self, recorder: &Recorder) -> io::Result<Kept> {
        let mut kept = self.kept;
        kept.lost += recorder.outbox().lost();
        kept.bytes = self.writer.end(kept.lost)?.metadata()?.len();
        Ok(kept)
    }
}

/// How many of the names are in the file already.
#[derive(Debug, Default)]
struct Written {
    threads: usize,
    places: usize,
}

impl Written {
    /// Writes what is new. Called after events were taken and before they are written, so that no
    /// event is before the names it uses.
    fn write_new<W: io::Write>(
        &mut self,
        recorder: &Recorder,
        writer: &mut Writer<W>,
    ) -> io::Result<()> {
        for name in recorder.threads_from(self.threads) {
            let number = u16::try_from(self.threads).unwrap_or(u16::MAX);
            writer.thread(number, &name)?;
            self.threads += 1;
        }
        let places = recorder.places_from(self.places);
        if !places.is_empty() {
            self.places += places.len();
            writer.places(&places)?;
        }
        Ok(())
    }
}

/// What a recorder without a keeper holds, as a file.
#[must_use]
pub fn to_file(recorder: &Recorder, header: &Header) -> Vec<u8> {
    file_of(recorder, header, &blocks(recorder))
}

/// What a recorder without a keeper holds.
pub(super) fn blocks(recorder: &Recorder) -> Vec<Block> {
    recorder.flush();
    let chunks = recorder.outbox().copy();
    let mut dues = Dues::new();
    chunks.iter().map(|chunk| block(chunk, &mut dues)).collect()
}

/// A chunk's events in a form that can be changed.
fn block(chunk: &Chunk, dues: &mut Dues) -> Block {
    let mut bytes = Vec::new();
    chunk.append_to(&mut bytes);
    let mut block = Block::new(chunk.thread());
    // Just written: it can be read.
    for entry in Told::read(&bytes, dues).into_iter().flatten().flatten() {
        block.push(entry.at, &entry.event);
    }
    block
}

/// A file of these blocks, with the names that the recorder knows.
pub(super) fn file_of(recorder: &Recorder, header: &Header, blocks: &[Block]) -> Vec<u8> {
    let header = recorder.completed(header);
    let written = Writer::new(Vec::new(), &header).and_then(|mut writer| {
        Written::default().write_new(recorder, &mut writer)?;
        for block in blocks {
            writer.events(block)?;
        }
        writer.end(recorder.outbox().lost())
    });
    written.unwrap_or_default() // a vector takes all
}
