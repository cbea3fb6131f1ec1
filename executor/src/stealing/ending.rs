//! The end of a pool: who still works, what was left undone, and the bell for those who wait.

use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

type Spawned = &'static Location<'static>;

/// What a shutdown found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Tasks whose futures were dropped before they were done: where they were spawned and how
    /// many there, most first.
    pub unfinished: Vec<(&'static Location<'static>, usize)>,
    /// Tasks that were still in the middle of a poll when the shutdown gave up waiting: where each
    /// was spawned. Such a task blocks its thread. The tasks that are neither done nor dropped
    /// because of that are not counted above.
    pub stuck: Vec<&'static Location<'static>>,
}

impl ShutdownReport {
    /// Whether every task had come to its end.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.unfinished.is_empty() && self.stuck.is_empty()
    }
}

impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_clean() {
            return f.write_str("every task is done");
        }
        let dropped: usize = self.unfinished.iter().map(|(_, count)| count).sum();
        write!(
            f,
            "{dropped} {} unfinished, {} stuck in a poll",
            if dropped == 1 { "task" } else { "tasks" },
            self.stuck.len()
        )?;
        for (location, count) in &self.unfinished {
            write!(f, "\n  {count} unfinished, spawned at {location}")?;
        }
        for location in &self.stuck {
            write!(f, "\n  stuck in a poll, spawned at {location}")?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Progress {
    quiet: bool,
    finished: bool,
    unfinished: HashMap<Spawned, usize>,
}

pub(super) struct Ending {
    /// Workers that have not left.
    present: AtomicUsize,
    /// Somebody waits for the pool to become quiet. Written under the lock.
    awaited: AtomicUsize,
    progress: Mutex<Progress>,
    bell: Condvar,
}

impl Ending {
    pub(super) fn new(workers: usize) -> Self {
        Self {
            present: AtomicUsize::new(workers),
            awaited: AtomicUsize::new(0),
            progress: Mutex::default(),
            bell: Condvar::new(),
        }
    }

    /// A worker leaves. True if it is the last one.
    pub(super) fn leave(&self) -> bool {
        self.present.fetch_sub(1, Ordering::AcqRel) == 1
    }

    pub(super) fn note_unfinished(&self, spawned_at: Spawned) {
        *self
            .progress
            .lock()
            .unfinished
            .entry(spawned_at)
            .or_default() += 1;
    }

    /// From now on the last worker to fall asleep says when nothing is left. A SeqCst fence must
    /// follow, and a look by the caller itself.
    pub(super) fn await_quiet(&self) {
        self.awaited.store(1, Ordering::Relaxed);
    }

    pub(super) fn is_awaited(&self) -> bool {
        self.awaited.load(Ordering::Relaxed) != 0
    }

    pub(super) fn quiet(&self) {
        self.progress.lock().quiet = true;
        self.bell.notify_all();
    }

    pub(super) fn finish(&self) {
        self.progress.lock().finished = true;
        self.bell.notify_all();
    }

    /// Waits until no task is left, which is also so when a panic has shut the pool down; without
    /// a deadline for as long as it takes.
    pub(super) fn wait_quiet(&self, deadline: Option<Instant>) {
        let mut progress = self.progress.lock();
        while !progress.quiet && !progress.finished {
            let Some(deadline) = deadline else {
                self.bell.wait(&mut progress);
                continue;
            };
            if self.bell.wait_until(&mut progress, deadline).timed_out() {
                return;
            }
        }
    }

    /// Waits until every worker has left and every task is gone. False at the deadline.
    pub(super) fn wait_finished(&self, deadline: Instant) -> bool {
        let mut progress = self.progress.lock();
        while !progress.finished {
            if self.bell.wait_until(&mut progress, deadline).timed_out() {
                return progress.finished;
            }
        }
        true
    }

    pub(super) fn unfinished(&self) -> Vec<(Spawned, usize)> {
        let mut list: Vec<_> = self
            .progress
            .lock()
            .unfinished
            .iter()
            .map(|(at, count)| (*at, *count))
            .collect();
        list.sort_by_key(|(at, count)| (std::cmp::Reverse(*count), at.file(), at.line()));
        list
    }
}
