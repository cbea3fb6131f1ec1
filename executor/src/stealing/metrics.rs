//! What each worker has done so far, in counters that cost a load and a store.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What an executor has done so far; from [`Executor::metrics`](crate::Executor::metrics).
///
/// Numbers of different workers are not taken at the same instant.
///
/// ```
/// let executor = executor::Executor::builder().workers(2).build()?;
/// executor::block_on(executor.spawn(executor::yield_now())).unwrap();
/// let metrics = executor.metrics();
/// assert_eq!(metrics.workers.len(), 2);
/// assert_eq!(metrics.workers.iter().map(|worker| worker.injected).sum::<u64>(), 1);
/// assert_eq!(metrics.workers.iter().map(|worker| worker.wakes).sum::<u64>(), 1);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExecutorMetrics {
    /// Each worker's own.
    pub workers: Vec<WorkerMetrics>,
    /// Times a task became ready by a wake or an abort from a thread that is none of the workers.
    pub wakes_outside: u64,
    /// Tasks that have been suspended and are not done: those that wait, those that will go on.
    pub live: usize,
}

/// What one worker has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerMetrics {
    /// Runs of tasks: polls, and the drops of aborted ones.
    pub polls: u64,
    /// Times a task became ready by a wake or an abort on this worker, or while it was polled here.
    /// Repeated wakes of a task that is ready already are not counted.
    pub wakes: u64,
    /// Times it took tasks out of another worker's ring.
    pub steals: u64,
    /// Tasks it took from the injector: spawned or woken outside, or from a full ring.
    pub injected: u64,
    /// Times its ring was full.
    pub overflows: u64,
    /// Times it rested.
    pub parks: u64,
    /// The longest poll, if polls are measured: with an observer, or after the builder's
    /// `measure_polls`.
    pub longest_poll: Option<Duration>,
}

/// A number that one thread writes and all may read.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    /// By the one thread: no read-modify-write.
    #[inline]
    pub(super) fn add(&self, more: u64) {
        self.0.store(self.get().wrapping_add(more), Relaxed);
    }

    /// By the one thread: the greater of it and `value`.
    pub(super) fn raise(&self, value: u64) {
        self.0.store(self.get().max(value), Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// One worker's counters. No protocol rests on them, so they are std's atomics in a model too.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) polls: Counter,
    pub(super) wakes: Counter,
    pub(super) steals: Counter,
    pub(super) injected: Counter,
    pub(super) overflows: Counter,
    pub(super) parks: Counter,
    pub(super) longest_poll_ns: Counter,
}

impl Counters {
    pub(super) fn read(&self, measured: bool) -> WorkerMetrics {
        let longest_poll = Duration::from_nanos(self.longest_poll_ns.get());
        WorkerMetrics {
            polls: self.polls.get(),
            wakes: self.wakes.get(),
            steals: self.steals.get(),
            injected: self.injected.get(),
            overflows: self.overflows.get(),
            parks: self.parks.get(),
            longest_poll: measured.then_some(longest_poll),
        }
    }
}
