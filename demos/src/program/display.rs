//! Where outputs go: standard output, without the loop ever waiting for it.
//!
//! Whoever reads our output may be slow, or stopped. A `write` from the loop would then hold
//! every timer and socket of the process, and a terminal or pipe cannot simply be made
//! non-blocking: that flag belongs to the open file, which other processes share. So text is
//! collected here, and a task hands all that was collected to a thread of its own, one write at a
//! time. Nothing is lost, and memory stays bounded: over a megabyte the program takes no more input
//! until the reader has caught up.
//!
//! The thread is not one of the pool's that processing uses: were they all busy, nothing would be
//! told, not even that.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use executor::BlockingPool;

use crate::handle::Handle;

/// How many bytes may be waiting before no more input is taken.
const ROOM: usize = 1 << 20;

/// Where the bytes end up.
pub type Sink = Box<dyn Write + Send>;

/// A handle to the display. Cheap to clone.
#[derive(Clone)]
pub struct Display {
    state: Rc<RefCell<State>>,
}

#[derive(Default)]
struct State {
    /// Shown, not yet handed to the thread.
    collected: Vec<u8>,
    /// How many bytes the thread has, not yet written.
    in_writing: usize,
    /// Why nothing more can be written.
    broken: Option<io::Error>,
    /// The writer task, when it waits for something to write.
    writer: Option<Waker>,
    /// The program, when it waits for room or for all to be written.
    waits: Option<Waker>,
    /// The program, to be told bad news. Apart from the above: were it woken by each write, a
    /// program that shows what it does when woken would never sleep again.
    alarm: Option<Waker>,
}

impl Display {
    /// Starts the task that writes to `sink`.
    ///
    /// # Errors
    /// The operating system's, if it gives no thread.
    pub fn new(handle: &Handle, sink: Sink) -> io::Result<Self> {
        let display = Self {
            state: Rc::default(),
        };
        let thread = BlockingPool::builder()
            .max_threads(1)
            .queue(1)
            .thread_name("display")
            .build()?;
        let writer = display
            .clone()
            .write_all(handle.clone(), thread, Arc::new(Mutex::new(sink)));
        // Detached: it ends with the loop, or when the reader is gone.
        drop(handle.spawner.spawn(writer));
        Ok(display)
    }

    /// Takes text to be written. Never waits; after an error it is dropped.
    pub fn show(&self, text: &str) {
        let mut state = self.state.borrow_mut();
        if state.broken.is_none() {
            state.collected.extend_from_slice(text.as_bytes());
            wake(&mut state.writer);
        }
    }

    /// Ready when there is room for more.
    pub fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll_until(cx, |state| state.collected.len() + state.in_writing < ROOM)
    }

    /// Ready when all that was shown is written.
    pub fn poll_written(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll_until(cx, |state| state.collected.len() + state.in_writing == 0)
    }

    /// Why nothing more can be written, if that is so. Otherwise the task of `cx` is woken when
    /// it becomes so.
    pub fn poll_broken(&self, cx: &Context<'_>) -> Poll<io::Error> {
        let mut state = self.state.borrow_mut();
        match &state.broken {
            Some(error) => Poll::Ready(io::Error::new(error.kind(), error.to_string())),
            None => {
                state.alarm = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn poll_until(&self, cx: &Context<'_>, enough: impl Fn(&State) -> bool) -> Poll<()> {
        let mut state = self.state.borrow_mut();
        if state.broken.is_some() || enough(&state) {
            return Poll::Ready(());
        }
        state.waits = Some(cx.waker().clone());
        Poll::Pending
    }

    async fn write_all(self, handle: Handle, thread: BlockingPool, sink: Arc<Mutex<Sink>>) {
        loop {
            let bytes = poll_fn(|cx| self.poll_collected(cx)).await;
            let sink = Arc::clone(&sink);
            let held = handle.timers.clock().hold();
            let written = thread.run(move || {
                let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
                sink.write_all(&bytes).and_then(|()| sink.flush())
            });
            let written = written
                .await
                .unwrap_or_else(|error| Err(io::Error::other(error.to_string())));
            drop(held);
            let mut state = self.state.borrow_mut();
            state.in_writing = 0;
            wake(&mut state.waits);
            if let Err(error) = written {
                state.broken = Some(error);
                state.collected = Vec::new();
                wake(&mut state.alarm);
                return;
            }
        }
    }

    fn poll_collected(&self, cx: &Context<'_>) -> Poll<Vec<u8>> {
        let mut state = self.state.borrow_mut();
        if state.collected.is_empty() {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state.in_writing = state.collected.len();
        Poll::Ready(std::mem::take(&mut state.collected))
    }
}

impl fmt::Debug for Display {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Display")
            .field("broken", &self.state.borrow().broken)
            .finish_non_exhaustive()
    }
}

/// Wakes and forgets. A wake only queues the task: nothing of it runs while `State` is borrowed.
fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
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
