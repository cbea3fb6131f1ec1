//! Watching the jobs of a blocking pool: what an observer is told.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::error::contain;

/// A job's number; no two jobs of one pool have the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(u64);

impl JobId {
    /// The number itself, counted from 1 in the order in which the jobs were made.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JobId({})", self.0)
    }
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEnd {
    /// It gave its result.
    Output,
    /// It panicked.
    Panicked,
    /// It never began: whoever awaited it went, the pool was shut down, or `try_run` found no
    /// place for it.
    Cancelled,
}

/// Told what happens to the jobs of a [`BlockingPool`](crate::BlockingPool), by the threads that do
/// it, at the same time. Each job that is queued ends. Panics of an observer are contained.
///
/// ```
/// use std::panic::Location;
/// use std::sync::{Arc, Mutex};
/// use executor::{BlockingPool, JobEnd, JobId, JobObserver, block_on};
///
/// #[derive(Clone, Default)]
/// struct Trace(Arc<Mutex<Vec<String>>>);
///
/// impl JobObserver for Trace {
///     fn job_queued(&self, job: JobId, _: &'static Location<'static>) {
///         self.0.lock().unwrap().push(format!("{job} queued"));
///     }
///     fn job_begins(&self, job: JobId) {
///         self.0.lock().unwrap().push(format!("{job} begins"));
///     }
///     fn job_ends(&self, job: JobId, end: JobEnd) {
///         self.0.lock().unwrap().push(format!("{job} ends: {end:?}"));
///     }
/// }
///
/// let trace = Trace::default();
/// let pool = BlockingPool::builder().observer(trace.clone()).build()?;
/// assert_eq!(block_on(pool.run(|| 6 * 7)).unwrap(), 42);
/// assert_eq!(*trace.0.lock().unwrap(), ["#1 queued", "#1 begins", "#1 ends: Output"]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait JobObserver: Send + Sync {
    /// A job was submitted at `location`: it is put into the queue, or in line for a place there.
    /// Told by the thread that submits, within the poll that does if it is one.
    fn job_queued(&self, job: JobId, location: &'static Location<'static>) {
        let _ = (job, location);
    }

    /// A thread of the pool, this one, begins a job.
    fn job_begins(&self, job: JobId) {
        let _ = job;
    }

    /// A job is over. Told by the pool's thread if it had begun, and before whoever awaits it is
    /// woken.
    fn job_ends(&self, job: JobId, end: JobEnd) {
        let _ = (job, end);
    }
}

/// What an observed pool has beside the rest.
pub(crate) struct Watch {
    observer: Arc<dyn JobObserver>,
    last_id: AtomicU64,
}

impl Watch {
    pub(crate) fn new(observer: Arc<dyn JobObserver>) -> Arc<Self> {
        Arc::new(Watch {
            observer,
            last_id: AtomicU64::new(0),
        })
    }

    /// A number for a new job.
    pub(crate) fn job(self: &Arc<Self>) -> WatchedJob {
        WatchedJob {
            watch: self.clone(),
            id: JobId(self.last_id.fetch_add(1, Relaxed) + 1),
        }
    }
}

/// What an observed job has in its cell.
pub(crate) struct WatchedJob {
    watch: Arc<Watch>,
    id: JobId,
}

impl WatchedJob {
    pub(crate) fn queued(&self, location: &'static Location<'static>) {
        contain(|| self.watch.observer.job_queued(self.id, location));
    }

    pub(crate) fn begins(&self) {
        contain(|| self.watch.observer.job_begins(self.id));
    }

    pub(crate) fn ends(&self, end: JobEnd) {
        contain(|| self.watch.observer.job_ends(self.id, end));
    }
}
