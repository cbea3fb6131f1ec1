//! Keeps what is recorded, on a thread of its own: the loop's must not wait for a disk.

use std::fs::File;
use std::io;
use std::path::Path;
use std::thread::JoinHandle;

use super::block::Block;
use super::file::Header;
use super::recorder::Recorder;
use super::writer::Writer;

/// How large a file becomes unless it is said otherwise.
pub const LIMIT: u64 = 64 << 20;

/// Writes a recording into a file until the recording ends.
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
    /// Starts to keep what `recorder` records in the file at `path`, of at most `limit` bytes; what
    /// comes later is counted.
    ///
    /// # Errors
    /// The operating system's, if there can be no such file or no thread.
    pub fn start(
        recorder: &Recorder,
        header: &Header,
        path: &Path,
        limit: u64,
    ) -> io::Result<Self> {
        let writer = Writer::new(File::create(path)?, header)?;
        let recorder = recorder.clone();
        let thread = std::thread::Builder::new()
            .name("keeper".to_owned())
            .spawn(move || keep(&recorder, writer, limit))?;
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
fn keep(recorder: &Recorder, mut writer: Writer<File>, limit: u64) -> io::Result<Kept> {
    let mut names = Written::default();
    let mut kept = Kept::default();
    while let Some(blocks) = recorder.outbox().take() {
        names.write_new(recorder, &mut writer)?;
        for block in blocks {
            if writer.written() + block.bytes.len() as u64 > limit {
                kept.lost += block.count;
            } else {
                kept.events += block.count;
                writer.events(&block)?;
            }
        }
    }
    kept.lost += recorder.outbox().lost();
    kept.bytes = writer.end(kept.lost)?.metadata()?.len();
    Ok(kept)
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
    recorder.flush();
    let blocks: Vec<Block> = recorder.outbox().copy();
    let written = Writer::new(Vec::new(), header).and_then(|mut writer| {
        Written::default().write_new(recorder, &mut writer)?;
        for block in &blocks {
            writer.events(block)?;
        }
        writer.end(recorder.outbox().lost())
    });
    written.unwrap_or_default() // a vector takes all
}
