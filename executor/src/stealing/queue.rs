//! Where a worker puts a task, and who is told of it.

use std::sync::atomic::Ordering::Relaxed;

use super::injector::Chain;
use super::task::Runnable;
use super::worker::Worker;

impl Worker<'_> {
    /// Queues a task that was woken on this thread: next if nothing else waits in the ring, else
    /// behind what does.
    pub(super) fn push_woken(&self, task: Runnable) {
        if self.home.queued() == 0 {
            return self.push_next(task);
        }
        self.push_back(task);
        if !self.parked.get() {
            self.announce();
        }
    }

    /// Queues a task that was spawned on this thread, or woken while nothing else waits: it runs
    /// next. What was to run next goes to the back.
    pub(super) fn push_next(&self, task: Runnable) {
        if self.parked.get() {
            // From the driver, in its order. Announced when the worker gets up.
            return self.push_back(task);
        }
        match self.home.put_lifo(task) {
            Some(before) => {
                self.push_back(before);
                self.announce();
            }
            None => self.call_guard(),
        }
    }

    /// Tells the others of something in our ring: at once if one of them is seen asleep, and in
    /// any case after this poll, by `flush`. Between the two the plain read may miss one that is
    /// just lying down; if this poll is a long one, the guard finds it.
    pub(super) fn announce(&self) {
        if self.pool.idle.0.seems_busy() {
            self.unannounced.set(!self.alone);
        } else {
            self.pool.announce();
        }
    }

    /// Something waits here that is not announced: if others sleep and none is on guard, one gets
    /// up, finds nothing, and lies down as the guard.
    #[inline]
    fn call_guard(&self) {
        if !self.pool.guarded.load(Relaxed) && !self.pool.idle.0.seems_busy() {
            self.pool.announce();
        }
    }

    /// One fence for all that was queued in a poll.
    #[inline]
    pub(super) fn flush(&self) {
        if self.unannounced.get() {
            self.unannounced.set(false);
            self.pool.announce();
        }
    }

    pub(super) fn push_back(&self, task: Runnable) {
        if let Err(task) = self.home.push(task) {
            self.overflow(task);
        }
    }

    /// The ring is full: its older half and the new task go where everybody can take them.
    #[cold]
    fn overflow(&self, task: Runnable) {
        self.home.counters.overflows.add(1);
        let mut chain: Option<Chain> = None;
        self.home.pop_half(|task| {
            chain = Some(match chain.take() {
                None => Chain::new(task),
                Some(chain) => chain.add(task),
            });
        });
        let chain = match chain {
            None => Chain::new(task),
            Some(chain) => chain.add(task),
        };
        self.pool.injector.push_chain(chain);
        self.announce();
    }
}
