//! A bounded pool of threads for work that blocks.

mod crew;
mod job;
mod places;
pub(crate) mod report;
pub(crate) mod watch;

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use parking_lot::RwLock;

use crate::blocking::crew::{Crew, Queued};
use crate::blocking::job::{Job, JobCell};
use crate::blocking::report::BlockingReport;
use crate::blocking::watch::{JobEnd, JobObserver, Watch};
use crate::error::JoinError;

/// Runs closures that block (files, DNS, databases) on threads of their own, under any executor.
///
/// Both the threads and the queue in front of them are bounded: when the queue is full,
/// `run(…).await` waits for a place without blocking its thread. Threads start when jobs outnumber
/// them and retire after `keep_alive` without work. Cloning gives another handle to the same pool;
/// when the last one is gone, the threads finish what is queued and end.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// let pool = executor::BlockingPool::builder().max_threads(4).queue(64).build()?;
/// let text = executor::block_on(pool.run(|| std::fs::read_to_string("Cargo.toml"))).unwrap()?;
/// assert!(text.contains("[package]"));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct BlockingPool {
    front: Arc<Front>,
}

struct Front {
    // None once shut down: with the last sender gone, the threads end.
    sender: RwLock<Option<Sender<Queued>>>,
    receiver: Receiver<Queued>,
    crew: Arc<Crew>,
    watch: Option<Arc<Watch>>,
}

/// Sets a [`BlockingPool`] up.
#[derive(Clone)]
#[must_use]
pub struct BlockingBuilder {
    max_threads: usize,
    queue: usize,
    thread_name: String,
    keep_alive: Duration,
    observer: Option<Arc<dyn JobObserver>>,
}

impl BlockingBuilder {
    /// At most this many threads; 64 by default, at least 1.
    pub fn max_threads(mut self, threads: usize) -> Self {
        self.max_threads = threads.max(1);
        self
    }

    /// At most this many jobs that wait for a thread; 1,024 by default, at least 1 and at most
    /// 1,048,576. The places are made at once, each of 24 bytes.
    pub fn queue(mut self, jobs: usize) -> Self {
        self.queue = jobs.clamp(1, 1 << 20);
        self
    }

    /// What the threads are called; `blocking` by default.
    pub fn thread_name(mut self, name: impl Into<String>) -> Self {
        self.thread_name = name.into();
        self
    }

    /// How long a thread without work stays; 10 s by default.
    pub fn keep_alive(mut self, idle: Duration) -> Self {
        self.keep_alive = idle;
        self
    }

    /// Tells an observer what happens to the jobs; see [`JobObserver`].
    pub fn observer(mut self, observer: impl JobObserver + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Makes the pool. No thread is started before the first job.
    ///
    /// # Errors
    /// When the thread name cannot be one: it contains a zero byte.
    pub fn build(self) -> io::Result<BlockingPool> {
        if self.thread_name.contains('\0') {
            let message = "a thread name contains no zero byte";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let (sender, receiver) = bounded(self.queue);
        let crew = Crew::new(self.max_threads, self.thread_name, self.keep_alive);
        let front = Front {
            sender: RwLock::new(Some(sender)),
            receiver,
            crew,
            watch: self.observer.map(Watch::new),
        };
        Ok(BlockingPool {
            front: Arc::new(front),
        })
    }
}

impl BlockingPool {
    /// Sets a pool up.
    pub fn builder() -> BlockingBuilder {
        BlockingBuilder {
            max_threads: 64,
            queue: 1024,
            thread_name: "blocking".to_string(),
            keep_alive: Duration::from_secs(10),
            observer: None,
        }
    }

    /// Runs a job on a thread of the pool and gives its result.
    ///
    /// It is submitted when the future is first polled. A panic comes back as a [`JoinError`]. If
    /// the future is dropped before the job began, the job never runs; after that it runs to its
    /// end and its result is dropped on the thread that ran it.
    ///
    /// # Panics
    /// Its first poll does, when the system refuses even the pool's first thread.
    ///
    /// The job goes to another thread, and may outlive whoever submits it:
    /// ```compile_fail,E0277
    /// let pool = executor::BlockingPool::builder().build().unwrap();
    /// let counter = std::rc::Rc::new(1);
    /// let _ = pool.run(move || *counter); // `Rc` is not `Send`
    /// ```
    /// ```compile_fail,E0597
    /// let pool = executor::BlockingPool::builder().build().unwrap();
    /// let counter = 1;
    /// let borrowed = &counter;
    /// let _ = pool.run(move || *borrowed); // the job may outlive `counter`
    /// ```
    #[track_caller]
    pub fn run<F, T>(&self, job: F) -> Blocking<F, T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let watched = self.front.watch.as_ref().map(Watch::job);
        Blocking {
            pool: self.clone(),
            cell: JobCell::new(job, Location::caller(), watched),
            submission: Submission::New,
        }
    }

    /// Submits a job at once, or gives it back when the queue is full or the pool is shut down.
    ///
    /// # Errors
    /// The job itself, when there was no place for it.
    ///
    /// # Panics
    /// As the first poll of [`run`](Self::run) does.
    #[track_caller]
    pub fn try_run<F, T>(&self, job: F) -> Result<Blocking<F, T>, F>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let mut made = self.run(job);
        if !self.front.crew.places.anyone_waits() {
            made.announce(); // before it can begin
            if let Ok(()) = self.front.submit(made.cell.clone()) {
                return Ok(made);
            }
            made.cell.tell_end(JobEnd::Cancelled);
        }
        Err(made.cell.take_back())
    }

    /// How many threads there are now.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.front.crew.threads()
    }

    /// Takes no more jobs, cancels those that have not begun, and waits for the rest, which blocks
    /// this thread for at most `patience`. Threads that are still at work then are left to
    /// themselves.
    pub fn shutdown(&self, patience: Duration) -> BlockingReport {
        let crew = &self.front.crew;
        crew.closed.store(true, Ordering::Relaxed);
        *self.front.sender.write() = None;
        let mut cancelled = 0;
        for job in self.front.receiver.try_iter() {
            cancelled += usize::from(job.cancel());
            crew.remove_job();
        }
        crew.places.call_all();
        let (cancelled_by_threads, running) = crew.wait_for_end(patience);
        BlockingReport {
            cancelled: cancelled + cancelled_by_threads,
            running,
        }
    }
}

/// Why a job was not queued.
enum NoPlace {
    Full,
    Closed,
}

impl Front {
    fn submit(&self, job: Queued) -> Result<(), NoPlace> {
        let sender = self.sender.read();
        let Some(sender) = &*sender else {
            return Err(NoPlace::Closed);
        };
        let grow = self.crew.add_job();
        let sent = sender.try_send(job);
        if grow {
            // Also when the queue was full: then every thread is busy and one more helps.
            self.crew.start_thread(self.receiver.clone());
        }
        sent.map_err(|refused| {
            self.crew.remove_job();
            match refused {
                TrySendError::Full(_) => NoPlace::Full,
                TrySendError::Disconnected(_) => NoPlace::Closed,
            }
        })
    }
}

impl fmt::Debug for BlockingBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingBuilder")
            .field("max_threads", &self.max_threads)
            .field("queue", &self.queue)
            .field("thread_name", &self.thread_name)
            .field("keep_alive", &self.keep_alive)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for BlockingPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingPool")
            .field("threads", &self.threads())
            .finish_non_exhaustive()
    }
}

/// The result of a blocking job, to be awaited.
///
/// [`BlockingPool::run`] says what becomes of the job when this is dropped.
#[must_use = "the job is submitted when this is first polled"]
pub struct Blocking<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    pool: BlockingPool,
    cell: Arc<JobCell<F, T>>,
    submission: Submission,
}

enum Submission {
    New,
    /// In line for a place, with this ticket.
    InLine(u64),
    Made,
}

impl<F, T> Blocking<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    /// Tries to get a place; false when it has to wait. True also when there will be none, as the
    /// pool is closed: then the job is cancelled.
    fn submit(&mut self, cx: &mut Context<'_>) -> bool {
        let is_new = matches!(self.submission, Submission::New);
        if is_new {
            self.announce();
        }
        let front = &self.pool.front;
        let places = &front.crew.places;
        if is_new && !places.anyone_waits() {
            match front.submit(self.cell.clone()) {
                Ok(()) => return true,
                Err(NoPlace::Closed) => return self.refused(),
                Err(NoPlace::Full) => {}
            }
        }
        let ticket = match self.submission {
            Submission::InLine(ticket) => Some(ticket),
            _ => None,
        };
        // In line first, then one more look: see `Places`.
        let (ticket, is_first) = places.wait(ticket, cx.waker().clone());
        self.submission = Submission::InLine(ticket);
        if !is_first {
            return false;
        }
        let looked = front.submit(self.cell.clone());
        if let Err(NoPlace::Full) = looked {
            return false;
        }
        places.leave(ticket);
        places.one_is_free(); // if not, the next in line finds that out
        match looked {
            Ok(()) => self.submitted(),
            Err(_) => self.refused(),
        }
    }

    /// Before it can begin. If no thread can be started, which panics, its drop cancels the job.
    fn announce(&mut self) {
        self.cell.tell_queued();
        self.submission = Submission::Made;
    }

    fn submitted(&mut self) -> bool {
        self.submission = Submission::Made;
        true
    }

    fn refused(&mut self) -> bool {
        self.cell.cancel();
        self.submitted()
    }
}

impl<F, T> Future for Blocking<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !matches!(self.submission, Submission::Made) && !self.submit(cx) {
            return Poll::Pending;
        }
        self.cell.poll(cx)
    }
}

impl<F, T> Unpin for Blocking<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
}

impl<F, T> Drop for Blocking<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    fn drop(&mut self) {
        if let Submission::InLine(ticket) = self.submission {
            // Perhaps it was called, and goes without taking its place: that is for the next in line.
            self.pool.front.crew.places.leave(ticket);
            self.pool.front.crew.places.one_is_free();
        }
        if !matches!(self.submission, Submission::New) {
            self.cell.abandon();
        }
    }
}

impl<F, T> fmt::Debug for Blocking<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking").finish_non_exhaustive()
    }
}
