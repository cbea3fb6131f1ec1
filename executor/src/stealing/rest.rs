//! A worker without work: it searches, rests, stands guard; and how a busy one asks its driver.
//!
//! **The guard.** What is put into the LIFO slot is not announced: mostly it runs at once, and
//! waking another core for it would cost a hundred times the poll. But if the poll at hand goes on
//! for a second, the slot would wait for that second. So a worker that rests while others are awake
//! stands guard, one at a time: it sleeps for some milliseconds only, and then takes the slot of
//! any worker that is still in the poll it was in at the last look. When all rest, nobody does, and
//! an idle pool makes no system call.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::park::Park;
use super::task::Runnable;
use super::worker::Worker;
use crate::error::contain;
use crate::sync::{Ordering, fence};

/// The driver is asked after so many polls, if time has passed as well …
const DRIVE_AFTER: u32 = 64;
const DRIVE_AFTER_TIME: Duration = Duration::from_micros(200);
/// … and after so many at the latest.
const DRIVE_AT_LATEST: u32 = 1024;
/// So long the guard sleeps.
const GUARD_SLEEPS: Duration = Duration::from_millis(4);

impl Worker<'_> {
    /// Looks for a task where others have theirs.
    pub(super) fn search(&self) -> Option<Runnable> {
        if !self.searching.get() {
            if !self.pool.idle.0.search() {
                return None;
            }
            self.searching.set(true);
        }
        self.take_injected().or_else(|| self.steal())
    }

    fn steal(&self) -> Option<Runnable> {
        let homes = &self.pool.homes;
        let start = self.random() as usize % homes.len();
        let others = (0..homes.len()).map(|step| (start + step) % homes.len());
        let mut others = others.filter(|&other| other != self.index);
        let (from, (first, tasks)) =
            others.find_map(|other| Some((other, homes[other].steal(self.home)?)))?;
        self.home.counters.steals.add(1);
        self.tell(|observer| observer.stole(from, tasks));
        Some(first)
    }

    fn random(&self) -> u32 {
        // xorshift32 (Marsaglia, 2003): enough to spread thieves.
        let mut x = self.random.get();
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        self.random.set(x);
        x
    }

    /// Lies down, looks once more, parks, gets up.
    pub(super) fn rest(&self, park: &mut impl Park) {
        self.home.polls_nothing();
        let idle = &self.pool.idle.0;
        let asleep = idle.sleep(self.index, self.searching.replace(false));
        let seen = self.pool.has_queued();
        if !asleep.closed && !seen {
            if asleep.all && self.pool.ending.is_awaited() && self.pool.is_quiet() {
                self.pool.ending.quiet();
            }
            let guard = !asleep.all && !self.pool.guarded.swap(true, Relaxed);
            self.home.counters.parks.add(1);
            self.tell(|observer| observer.parks());
            self.parked.set(true);
            contain(|| park.park(guard.then_some(GUARD_SLEEPS)));
            self.parked.set(false);
            self.tell(|observer| observer.unparks());
            if guard {
                self.pool.guarded.store(false, Relaxed);
            }
            idle.get_up(self.index);
            self.searching.set(true);
            self.driven.set((0, None));
            if guard {
                self.relieve();
            }
            return;
        }
        idle.get_up(self.index);
        self.searching.set(true);
    }

    /// The last searcher has found something. Who made work public while it searched left the
    /// waking to it; so if there is more, the next one is woken. Also if this worker has come from
    /// a driver, and no guard will look after that.
    pub(super) fn pass_on(&self) {
        fence(Ordering::SeqCst); // as in `Pool::announce`, which comes too late to look at queues
        let unattended = self.driver.get() && !self.pool.guarded.load(Relaxed);
        if unattended || self.pool.has_queued() {
            self.pool.announce();
        }
    }

    /// The guard's round: takes the LIFO slot of workers that are still in the poll they were in
    /// at the last round.
    fn relieve(&self) {
        let mut seen = self.seen.take();
        for (index, home) in self.pool.homes.iter().enumerate() {
            let polls = home.counters.polls.get();
            let stuck = std::mem::replace(&mut seen[index], polls) == polls;
            if stuck
                && index != self.index
                && let Some(task) = home.take_lifo()
            {
                self.tell(|observer| observer.stole(index, 1));
                self.push_back(task);
            }
        }
        self.seen.set(seen);
    }

    /// Asks the driver for events between two polls, now and then.
    #[inline]
    pub(super) fn drive(&self, park: &mut impl Park) {
        if !self.driver.get() {
            return;
        }
        let (polls, since) = self.driven.get();
        self.driven.set((polls + 1, since));
        if (polls + 1).is_multiple_of(DRIVE_AFTER) {
            self.drive_if_due(park);
        }
    }

    #[cold]
    fn drive_if_due(&self, park: &mut impl Park) {
        let (polls, since) = self.driven.get();
        let now = Instant::now();
        let since = since.unwrap_or(now);
        if polls < DRIVE_AT_LATEST && now - since < DRIVE_AFTER_TIME {
            return self.driven.set((polls, Some(since)));
        }
        self.driven.set((0, Some(now)));
        self.parked.set(true);
        contain(|| park.park(Some(Duration::ZERO)));
        self.parked.set(false);
        if self.home.queued() > 0 {
            self.announce();
            self.flush();
        }
    }
}
