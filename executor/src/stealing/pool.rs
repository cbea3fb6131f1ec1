//! What the workers share, and what may be done to it from any thread.

use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use super::builder::PanicPolicy;
use super::ending::Ending;
use super::home::Home;
use super::idle::Idle;
use super::injector::Injector;
use super::live;
use super::magazine::Depot;
use super::metrics::ExecutorMetrics;
use super::ring::Apart;
use super::task::Runnable;
use super::watch::Watch;
use super::worker::Worker;
use crate::sync::{Ordering, fence, yield_now};

/// The workers' homes, the injector and the idle word. It outlives its executor as long as
/// somebody can still hand it a task.
pub(super) struct Pool {
    pub(super) homes: Box<[Home]>,
    pub(super) injector: Injector,
    pub(super) depot: Depot,
    pub(super) idle: Apart<Idle>,
    /// Whether a sleeper is on guard (see `worker.rs`).
    pub(super) guarded: AtomicBool,
    pub(super) ending: Ending,
    /// For the metrics only.
    pub(super) wakes_outside: AtomicU64,
    pub(super) settings: Settings,
}

/// What the builder chose.
#[derive(Default)]
pub(super) struct Settings {
    pub(super) watch: Option<Watch>,
    pub(super) panics: PanicPolicy,
}

impl Pool {
    pub(super) fn new(workers: usize, settings: Settings) -> Arc<Self> {
        Arc::new_cyclic(|pool| Self {
            homes: (0..workers).map(|_| Home::new(pool.clone())).collect(),
            injector: Injector::new(),
            depot: Depot::new(),
            idle: Apart(Idle::new(workers)),
            guarded: AtomicBool::new(false),
            ending: Ending::new(workers),
            wakes_outside: AtomicU64::new(0),
            settings,
        })
    }

    /// Any thread that is not a worker of this pool: queues a task.
    pub(super) fn inject(&self, task: Runnable) {
        self.injector.push(task);
        self.announce();
        if self.idle.0.is_closed() {
            // The workers may have looked for the last time. The fence in `announce` and the one
            // in `close` see to it that we or the last worker find the task.
            self.cancel_injected();
        }
    }

    /// After work was put where others can see it: wakes one of them if need be.
    pub(super) fn announce(&self) {
        fence(Ordering::SeqCst); // pairs with the fence in `Idle::sleep`
        if let Some(worker) = self.idle.0.notify() {
            self.homes[worker].unpark();
        }
    }

    /// Whether there is something to search for.
    pub(super) fn has_queued(&self) -> bool {
        !self.injector.is_empty() || self.homes.iter().any(|home| home.queued() > 0)
    }

    /// How many tasks have been suspended and are not yet complete.
    pub(super) fn live(&self) -> usize {
        self.homes.iter().map(|home| home.live.len()).sum()
    }

    pub(super) fn metrics(&self) -> ExecutorMetrics {
        let measured = self.settings.watch.is_some();
        let workers = self.homes.iter().map(|home| home.counters.read(measured));
        ExecutorMetrics {
            workers: workers.collect(),
            wakes_outside: self.wakes_outside.load(Relaxed),
            live: self.live(),
        }
    }

    /// Whether no task is left at all. Only meaningful when every worker sleeps.
    pub(super) fn is_quiet(&self) -> bool {
        self.idle.0.all_asleep() && !self.has_queued() && self.live() == 0
    }

    /// Stops the workers. What is left of the tasks is cancelled by the last one to leave.
    pub(super) fn close(&self) {
        if self.idle.0.close() {
            for home in &self.homes {
                home.unpark();
            }
        }
    }

    /// A task has panicked; its handle is yet to be told.
    #[cold]
    pub(super) fn note_panic(&self) {
        match self.settings.panics {
            PanicPolicy::Contain => {}
            PanicPolicy::Shutdown => self.close(),
            PanicPolicy::Abort => std::process::abort(),
        }
    }

    /// These workers' threads could not be started: they count as gone.
    pub(super) fn never_started(&self, workers: usize) {
        for _ in 0..workers {
            if self.ending.leave() {
                self.ending.finish(); // no worker was ever there, so no task was
            }
        }
    }

    /// Cancels a task because the pool is closed, and remembers it for the report.
    pub(super) fn abandon(&self, task: Runnable) {
        self.ending.note_unfinished(task.header().spawned_at());
        live::unsettle(&task);
        task.cancel();
    }

    fn cancel_injected(&self) -> bool {
        let mut tasks = Vec::new();
        while self.injector.take(usize::MAX, |task| tasks.push(task)) > 0 {}
        let any = !tasks.is_empty();
        tasks.into_iter().for_each(|task| self.abandon(task));
        any
    }

    /// The last worker to leave: cancels every task there is.
    ///
    /// A task is idle and on a live list, or in a queue, or on its way into one by a thread that
    /// has just woken it: then it is on a live list too, and we wait until it has arrived.
    pub(super) fn cancel_all(&self, worker: &Worker<'_>) {
        loop {
            let mut any = worker.cancel_queued() | self.cancel_injected();
            for home in &self.homes {
                let idle = home.live.claim_idle();
                any |= !idle.is_empty();
                idle.into_iter().for_each(|task| self.abandon(task));
            }
            if !any {
                if self.live() == 0 {
                    break;
                }
                yield_now(); // a waker holds a task in its hands: it will push
            }
        }
        self.ending.finish();
    }

    /// Where the tasks that are being polled now were spawned.
    pub(super) fn running(&self) -> Vec<&'static Location<'static>> {
        self.homes.iter().filter_map(Home::running).collect()
    }
}
