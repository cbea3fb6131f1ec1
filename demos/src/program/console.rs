//! Standard output as a display, without the loop ever waiting for it.
//!
//! Whoever reads our output may be slow, or stopped. A `write` from the loop would then hold
//! every timer and socket of the process, and a terminal or pipe cannot simply be made
//! non-blocking: that flag belongs to the open file, which other processes share. So text is
//! collected, and a task hands all that was collected to a thread, one write at a time. Nothing
//! is lost, and memory stays bounded: over a megabyte the program takes no more input until the
//! reader has caught up.
//!
//! The thread is a blocking pool of one, apart from the pool that processing uses: were all
//! threads there busy, nothing would be told, not even that.

use std::future::poll_fn;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use executor::BlockingPool;

use super::display::Display;
use crate::host::HostHandle;
use crate::trace::remark::from_elsewhere;

/// Where the bytes end up.
pub type Sink = Box<dyn Write + Send>;

/// Starts the task that carries text to `sink`, and gives the end to put text in.
///
/// # Errors
/// The operating system's, if it gives no thread.
pub fn start(handle: &HostHandle, sink: Sink) -> io::Result<Display> {
    let display = Display::default();
    let thread = BlockingPool::builder()
        .max_threads(1)
        .queue(1)
        .thread_name("display")
        .build()?;
    let carrier = carry(
        display.clone(),
        handle.clone(),
        thread,
        Arc::new(Mutex::new(sink)),
    );
    // Detached: it ends with the loop, or when the reader is gone.
    drop(handle.spawner.spawn_named("display", carrier));
    Ok(display)
}

async fn carry(display: Display, handle: HostHandle, thread: BlockingPool, sink: Arc<Mutex<Sink>>) {
    while let Some(bytes) = poll_fn(|cx| display.poll_take(cx)).await {
        let sink = Arc::clone(&sink);
        let write = move || {
            let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
            sink.write_all(&bytes).and_then(|()| sink.flush())
        };
        // When a thread is done is nobody's promise, and a repeatable run can have none of that.
        // Where time is virtual, nothing is late because of a write.
        if handle.timers.clock().is_virtual() {
            match write() {
                Ok(()) => display.sent(),
                Err(error) => display.broke(error),
            }
            continue;
        }
        let write = thread.run(write);
        let written = from_elsewhere(write)
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error.to_string())));
        match written {
            Ok(()) => display.sent(),
            Err(error) => display.broke(error),
        }
    }
}

/// Standard output as a sink: no buffer of its own, and patient with a terminal that somebody
/// else has made non-blocking.
///
/// # Errors
/// The operating system's, if the descriptor cannot be duplicated.
pub fn stdout() -> io::Result<Sink> {
    let stdout = rustix::io::dup(io::stdout())?;
    Ok(Box::new(Patient(std::fs::File::from(stdout))))
}

struct Patient(std::fs::File);

impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    use rustix::event::{PollFd, PollFlags, poll};
                    poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], None)?;
                }
                done => return done,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
