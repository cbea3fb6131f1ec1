//! Where lines come from: a terminal or pipe through the reactor, a regular file through a thread.
//!
//! epoll refuses regular files (EPERM): to the kernel they are always ready, and a read that
//! waits for the disk waits nevertheless. So what the reactor refuses is read on a thread, one
//! chunk at a time; the lines that come out are the same.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use executor::BlockingPool;
use futures::channel::mpsc;
use futures::{AsyncReadExt, SinkExt};
use reactor::Stdin;

use super::lines::{Line, Lines};
use crate::host::HostHandle;
use crate::trace::remark::from_elsewhere;

/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// How many lines may be waiting to be taken in. At the limit reading stops, and whoever writes
/// into the pipe feels it.
const WAITING: usize = 64;

/// Lines as they come; ends at the end of input, after an error if there was one.
pub type Incoming = mpsc::Receiver<io::Result<Line>>;

/// The two ways to read.
enum Feed {
    /// The reactor says when there is something to read.
    Watched(Stdin),
    /// A thread waits for it.
    Threaded(BlockingPool, File),
}

/// Starts to read standard input, as lines of at most `max_line` bytes.
///
/// # Errors
/// The operating system's.
pub fn read_stdin(handle: &HostHandle, max_line: usize) -> io::Result<Incoming> {
    let threaded = || Feed::threaded(File::from(rustix::io::dup(io::stdin())?));
    let feed = if handle.timers.clock().is_virtual() {
        threaded()?
    } else {
        Stdin::new(&handle.reactor)
            .map(Feed::Watched)
            .or_else(|_refused| threaded())?
    };
    Ok(start(handle, feed, max_line))
}

/// Starts to read the file at `path`, as lines of at most `max_line` bytes. A named pipe is fine:
/// the thread waits until somebody writes.
///
/// # Errors
/// The operating system's.
pub fn read_file(handle: &HostHandle, path: &Path, max_line: usize) -> io::Result<Incoming> {
    let feed = Feed::threaded(File::open(path)?)?;
    Ok(start(handle, feed, max_line))
}

fn start(handle: &HostHandle, feed: Feed, max_line: usize) -> Incoming {
    let (lines, incoming) = mpsc::channel(WAITING);
    let task = read(handle.clone(), feed, Lines::new(max_line), lines);
    // Detached: it ends with the input, or when nobody wants lines any more.
    drop(handle.spawner.spawn_named("reader", task));
    incoming
}

async fn read(
    handle: HostHandle,
    mut feed: Feed,
    mut lines: Lines,
    mut sender: mpsc::Sender<io::Result<Line>>,
) {
    let mut ready = Vec::new();
    loop {
        let chunk = feed.next(&handle).await;
        match &chunk {
            Ok(bytes) if bytes.is_empty() => lines.finish(|line| ready.push(Ok(line))),
            Ok(bytes) => lines.push(bytes, |line| ready.push(Ok(line))),
            Err(error) => {
                lines.finish(|line| ready.push(Ok(line)));
                ready.push(Err(io::Error::new(error.kind(), error.to_string())));
            }
        }
        // A repeatable run begins when all is read.
        let at_the_end = chunk.as_ref().map_or(true, Vec::is_empty);
        if handle.timers.clock().is_virtual() && !at_the_end {
            continue;
        }
        for line in ready.drain(..) {
            if sender.send(line).await.is_err() {
                return; // no more input is wanted
            }
        }
        if at_the_end {
            return;
        }
    }
}

impl Feed {
    fn threaded(file: File) -> io::Result<Self> {
        let thread = BlockingPool::builder()
            .max_threads(1)
            .queue(1)
            .thread_name("reader")
            .build()?;
        Ok(Self::Threaded(thread, file))
    }

    /// The next bytes; none at the end.
    async fn next(&mut self, handle: &HostHandle) -> io::Result<Vec<u8>> {
        let mut chunk = vec![0; CHUNK];
        // A line may yet come: a virtual clock must not run ahead of it.
        let _held = handle.timers.clock().hold();
        match self {
            Self::Watched(stdin) => {
                let length = stdin.read(&mut chunk).await?;
                chunk.truncate(length);
                Ok(chunk)
            }
            Self::Threaded(thread, file) => {
                let mut file = file.try_clone()?;
                if handle.timers.clock().is_virtual() {
                    // When a thread is done is nobody's promise, and a repeatable run can have
                    // none of that. Where time is virtual, nothing is late because of a read.
                    let length = file.read(&mut chunk)?;
                    chunk.truncate(length);
                    return Ok(chunk);
                }
                let read = thread.run(move || {
                    let length = file.read(&mut chunk)?;
                    chunk.truncate(length);
                    Ok(chunk)
                });
                from_elsewhere(read)
                    .await
                    .unwrap_or_else(|error| Err(io::Error::other(error.to_string())))
            }
        }
    }
}
