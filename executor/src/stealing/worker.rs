//! A worker: takes the next task, polls it, searches, rests.
//!
//! ```text
//!            ┌──────────────── run: LIFO slot, own ring, injector every 8 ◀───┐
//!            ▼ nothing left                                                   │ found
//!   close ◀─ search: injector, half of another's ring ────────────────────────┤
//!            │ nothing there either                                           │
//!            ▼                                                                │
//!          rest: lie down, look again, park ──▶ get up (now searching) ───────┘
//! ```
//!
//! **The LIFO slot** holds the task spawned last, or woken last while the ring is empty: it runs
//! next, while what it is about is in the cache. Three in a row at most, then it queues like the
//! others; so two tasks that wake each other cannot keep the ring waiting. With others in the ring a
//! woken task queues behind them: a connection whose streams wake it one after the other is polled
//! once for all of them, and not once between any two.
//!
//! # Invariants
//! 1. A worker's pointer is in the thread-local only while `enter` runs on that thread, which
//!    borrows the worker.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::home::Home;
use super::live;
use super::magazine::{self, Magazines};
use super::park::Park;
use super::pool::Pool;
use super::ring::CAPACITY;
use super::state::{Begin, Outcome};
use super::task::{Header, Runnable, Suspended};
use super::watch::Watch;
use crate::checkpoint;
use crate::error::{Payload, contain};
use crate::observe::Observer;
use crate::stage::{Polled, TaskVTable};
use crate::sync::{replace_worker, worker};

/// The LIFO slot is used so many times in a row.
const STREAK_MAX: u32 = 3;
/// The injector is looked at every so many polls.
const INJECTOR_EVERY: u32 = 8;
/// So many tasks are taken from the injector at once.
const BATCH_MAX: usize = if CAPACITY < 128 { CAPACITY } else { 128 };
/// The worker's own side: nobody else sees it.
pub(super) struct Worker<'a> {
    pub(super) pool: &'a Arc<Pool>,
    pub(super) index: usize,
    pub(super) magazines: Magazines<'a>,
    pub(super) home: &'a Home,
    pub(super) watch: Option<&'a Watch>,
    tick: Cell<u32>,
    streak: Cell<u32>,
    /// The task whose future is being polled, to know a task that wakes itself; null between polls.
    polling: Cell<*const Header>,
    /// It has.
    woke_itself: Cell<bool>,
    pub(super) random: Cell<u32>,
    pub(super) searching: Cell<bool>,
    /// In `park`: what is woken now came from the driver.
    pub(super) parked: Cell<bool>,
    /// Something was queued since the last fence.
    pub(super) unannounced: Cell<bool>,
    leaving: Cell<bool>,
    /// There is no other worker.
    pub(super) alone: bool,
    /// Our place to wait is one that must not be left alone for long.
    pub(super) driver: Cell<bool>,
    pub(super) driven: Cell<(u32, Option<Instant>)>,
    /// As the guard: the polls of each home at the last look.
    pub(super) seen: Cell<Vec<u64>>,
}

/// Queues a task that the caller has just got the run right of, wherever the caller is.
pub(super) fn schedule(task: Runnable) {
    if task.header().tag().is_some() {
        task.tell_wake();
    }
    let pool = task.home().pool.as_ptr();
    with_worker(pool, |worker| match worker {
        Some(worker) => {
            worker.home.counters.wakes.add(1);
            worker.push_woken(task);
        }
        // The pool cannot go before this task is complete, but it may as soon as it is queued.
        None => {
            if let Some(pool) = task.home().pool.upgrade() {
                pool.wakes_outside.fetch_add(1, Relaxed);
                pool.inject(task);
            }
        }
    });
}

/// Whether this thread is just polling that task. If so its wake is noted in the worker: it holds
/// the run right, so there is nobody to tell but itself, and no read-modify-write is needed.
#[inline]
pub(super) fn wakes_itself(task: NonNull<Header>) -> bool {
    // SAFETY: by 1 it is alive, and stays so for the length of this call.
    let Some(worker) = (unsafe { worker().cast::<Worker<'_>>().as_ref() }) else {
        return false;
    };
    let itself = worker.polling.get() == task.as_ptr().cast_const();
    if itself {
        worker.woke_itself.set(true);
    }
    itself
}

/// Runs `then` with the worker of `pool` that this thread is, if it is one. What `then` moves into a
/// task is moved once: handed through here by value it was copied on the stack first, and the copy
/// waited for stores just made (a tenth of a chain of spawns).
#[inline]
pub(super) fn with_worker<R>(pool: *const Pool, then: impl FnOnce(Option<&Worker<'_>>) -> R) -> R {
    // SAFETY: by 1 it is alive, and stays so for the length of this call.
    let worker = unsafe { worker().cast::<Worker<'_>>().as_ref() };
    then(worker.filter(|worker| ptr::eq(Arc::as_ptr(worker.pool), pool)))
}

/// Takes the memory of a task back: into a magazine if this thread is a worker's, of whatever pool.
///
/// # Safety
/// It came from `magazine.rs` for a task with this table, and is no longer used.
#[inline]
pub(super) unsafe fn recycle(memory: NonNull<u8>, vtable: &'static TaskVTable) {
    // SAFETY: by 1 it is alive, and stays so for the length of this call.
    match unsafe { worker().cast::<Worker<'_>>().as_ref() } {
        // SAFETY: as the caller promises.
        Some(worker) => unsafe { worker.magazines.recycle(memory, vtable) },
        // SAFETY: as the caller promises.
        None => unsafe { magazine::release(memory, vtable) },
    }
}

/// Whether this thread is a worker of `pool`.
pub(super) fn is_worker(pool: &Arc<Pool>) -> bool {
    with_worker(Arc::as_ptr(pool), |worker| worker.is_some())
}

impl<'a> Worker<'a> {
    pub(super) fn new(pool: &'a Arc<Pool>, index: usize) -> Self {
        Self {
            pool,
            index,
            magazines: Magazines::new(&pool.depot),
            home: &pool.homes[index],
            watch: pool.settings.watch.as_ref(),
            tick: Cell::new(0),
            streak: Cell::new(0),
            polling: Cell::new(ptr::null()),
            woke_itself: Cell::new(false),
            random: Cell::new(0x9E37_79B9 ^ (index as u32 + 1)),
            searching: Cell::new(false),
            parked: Cell::new(false),
            unannounced: Cell::new(false),
            leaving: Cell::new(false),
            alone: pool.homes.len() == 1,
            driver: Cell::new(false),
            driven: Cell::new((0, None)),
            seen: Cell::new(vec![0; pool.homes.len()]),
        }
    }

    /// Makes this thread the worker's for the length of `body`.
    pub(super) fn enter<R>(&self, body: impl FnOnce() -> R) -> R {
        struct Leave(*const ());
        impl Drop for Leave {
            fn drop(&mut self) {
                replace_worker(self.0);
            }
        }
        let _leave = Leave(replace_worker(ptr::from_ref(self).cast()));
        body()
    }

    /// The life of a worker, until the pool is closed.
    pub(super) fn work(&self, park: &mut impl Park) {
        let mut known = false;
        contain(|| {
            self.home.set_unparker(park.unparker());
            self.driver.set(park.is_driver());
            known = true;
        });
        if !known {
            self.pool.close(); // whom nobody can wake must not lie down
        }
        self.enter(|| {
            self.tell(|observer| observer.worker_starts(self.index));
            while !self.pool.idle.0.is_closed() {
                while let Some(task) = self.next() {
                    self.run(task);
                    self.drive(park);
                }
                match self.search() {
                    Some(task) => self.run(task),
                    None => self.rest(park),
                }
            }
            self.leave();
        });
    }

    /// The next task of our own queues, with a look into the injector now and then.
    #[inline]
    fn next(&self) -> Option<Runnable> {
        let tick = self.tick.get().wrapping_add(1);
        self.tick.set(tick);
        if tick.is_multiple_of(INJECTOR_EVERY) {
            if self.pool.idle.0.is_closed() {
                return None;
            }
            if let Some(task) = self.take_injected() {
                return Some(task);
            }
        }
        if self.streak.get() < STREAK_MAX {
            if let Some(task) = self.home.take_lifo() {
                self.streak.set(self.streak.get() + 1);
                return Some(task);
            }
        } else if let Some(task) = self.home.take_lifo() {
            self.push_back(task);
        }
        self.streak.set(0);
        self.home.pop()
    }

    /// Takes a batch of the injector: one to run, the others into our ring, which is not filled
    /// beyond its half. Were it filled, what the tasks at hand spawn would push half of it out
    /// again, back into the injector: each of 1,000 pairs of tasks was moved to and fro many times
    /// (2,456 instructions a pair, against 1,730).
    pub(super) fn take_injected(&self) -> Option<Runnable> {
        if self.pool.injector.is_empty() {
            return None;
        }
        let room = (CAPACITY / 2).saturating_sub(self.home.queued());
        let mut first = None;
        let taken = self
            .pool
            .injector
            .take(BATCH_MAX.min(room + 1), |task| match first {
                None => first = Some(task),
                Some(_) => self.push_back(task),
            });
        self.home.counters.injected.add(taken as u64);
        if taken > 1 || !self.pool.injector.is_empty() {
            self.pool.announce(); // who lay down meanwhile saw neither
        }
        first
    }

    fn run(&self, mut task: Runnable) {
        if self.searching.get() {
            self.found();
        }
        self.home.poll_begins(&task);
        match task.begin() {
            Begin::Cancel => cancel(task),
            Begin::Poll => match self.watch {
                Some(watch) => self.poll_watched(watch, task),
                None => match self.poll(&mut task) {
                    Polled::Pending => self.suspend(task, |_| ()),
                    Polled::Ready => finish(task),
                    Polled::Panicked(payload) => fail(task, payload),
                },
            },
        }
        self.flush();
    }

    /// A search has come to its end, with a task.
    #[cold]
    fn found(&self) {
        self.searching.set(false);
        if self.pool.idle.0.found() {
            self.pass_on();
        }
    }

    /// Tells the observer, if there is one.
    pub(super) fn tell(&self, notice: impl FnOnce(&dyn Observer)) {
        if let Some(watch) = self.watch {
            watch.tell(notice);
        }
    }

    /// In a model: runs all there is to run, without resting.
    #[cfg(all(test, loom))]
    pub(super) fn run_all(&self) {
        while let Some(task) = self.next().or_else(|| self.take_injected()) {
            self.run(task);
        }
    }

    #[inline]
    pub(super) fn poll(&self, task: &mut Runnable) -> Polled {
        checkpoint::refill();
        self.woke_itself.set(false);
        self.polling.set(ptr::from_ref(task.header()));
        let polled = task.poll();
        self.polling.set(ptr::null()); // its memory may soon be another task's
        polled
    }

    /// Whether another poll is owed to the task that was polled just now.
    #[inline]
    pub(super) fn is_woken(&self, task: &Runnable) -> bool {
        self.woke_itself.get() || task.header().state.is_notified()
    }

    /// After a poll that was pending; `requeued` is called if it was woken meanwhile.
    #[inline]
    pub(super) fn suspend(&self, task: Runnable, requeued: impl FnOnce(&Runnable)) {
        if task.place().is_none() && !self.is_woken(&task) {
            live::settle(self.home, &task);
        }
        match task.suspend(self.woke_itself.get()) {
            Suspended::Idle => {}
            // To the back, and without an announcement: there are no more tasks than before.
            Suspended::Requeue(task) => {
                requeued(&task);
                self.home.counters.wakes.add(1);
                self.push_back(task);
            }
            Suspended::Cancel(task) => cancel(task),
        }
    }

    pub(super) fn home(&self) -> &'a Home {
        self.home
    }

    /// Whether tasks spawned here will never be polled.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.get()
    }

    /// Cancels what is in our own queues. Whether there was anything.
    pub(super) fn cancel_queued(&self) -> bool {
        let mut any = false;
        loop {
            let Some(task) = self.home.pop().or_else(|| self.home.take_lifo()) else {
                return any;
            };
            self.pool.abandon(task);
            any = true;
        }
    }

    pub(super) fn leave(&self) {
        self.leaving.set(true);
        self.home.polls_nothing();
        self.cancel_queued();
        if self.pool.ending.leave() {
            self.pool.cancel_all(self);
        }
    }
}

#[inline]
pub(super) fn finish(task: Runnable) {
    live::unsettle(&task);
    task.complete(Outcome::Output);
}

#[cold]
pub(super) fn fail(task: Runnable, payload: Box<Payload>) {
    live::unsettle(&task);
    task.fail(payload);
}

#[cold]
fn cancel(task: Runnable) {
    live::unsettle(&task);
    task.cancel();
}
