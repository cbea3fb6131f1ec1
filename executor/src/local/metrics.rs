//! Counters of a `LocalExecutor`.

use std::time::Duration;

use crate::local::ready::ReadyQueue;
use crate::sync::Cell;

/// What an executor has done so far; from
/// [`LocalExecutor::metrics`](crate::LocalExecutor::metrics).
///
/// ```
/// let executor = executor::LocalExecutor::new();
/// let task = executor.spawn(executor::yield_now());
/// executor.block_on(task).unwrap();
/// let metrics = executor.metrics();
/// assert_eq!((metrics.spawned, metrics.polls, metrics.wakes, metrics.ended), (1, 2, 1, 1));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LocalMetrics {
    /// Tasks spawned.
    pub spawned: u64,
    /// Tasks whose future is gone, whatever they came to.
    pub ended: u64,
    /// Tasks whose future is still there.
    pub live: u64,
    /// Runs of tasks taken from the ready queue: polls, and the drops of aborted ones. Inside a
    /// task, those of the whole batch.
    pub polls: u64,
    /// Times a task that waited, or was just being polled, became ready: by a wake on this thread,
    /// by one from another as it was taken in, or by an abort. Repeated wakes of a task that is
    /// ready already are not counted.
    pub wakes: u64,
    /// Batches that had something to run.
    pub batches: u64,
    /// Tasks that were woken by other threads, counted as they were taken in.
    pub remote_wakes: u64,
    /// Times `block_on` parked its thread.
    pub parks: u64,
    /// The longest poll, if polls are measured: with an observer, or after the builder's
    /// `measure_polls`.
    pub longest_poll: Option<Duration>,
}

/// The counters, in plain cells of the owner thread.
pub(crate) struct Counters {
    pub(crate) spawned: Cell<u64>,
    pub(crate) ended: Cell<u64>,
    pub(crate) batches: Cell<u64>,
    pub(crate) remote_wakes: Cell<u64>,
    pub(crate) parks: Cell<u64>,
}

impl Counters {
    pub(crate) fn new() -> Self {
        Counters {
            spawned: Cell::new(0),
            ended: Cell::new(0),
            batches: Cell::new(0),
            remote_wakes: Cell::new(0),
            parks: Cell::new(0),
        }
    }

    pub(crate) fn metrics(
        &self,
        ready: &ReadyQueue,
        longest_poll: Option<Duration>,
    ) -> LocalMetrics {
        LocalMetrics {
            spawned: self.spawned.get(),
            ended: self.ended.get(),
            live: self.spawned.get() - self.ended.get(),
            // What the queue counts anyway: all that it was given, and what was taken out.
            polls: ready.taken(),
            wakes: ready.pushed() - self.spawned.get(),
            batches: self.batches.get(),
            remote_wakes: self.remote_wakes.get(),
            parks: self.parks.get(),
            longest_poll,
        }
    }
}

/// Adds to a counter.
#[inline]
pub(crate) fn count(counter: &Cell<u64>, more: u64) {
    counter.set(counter.get() + more);
}
