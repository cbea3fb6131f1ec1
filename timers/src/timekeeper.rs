//! What the sleeps of a loop have in common: its clock, and how to end its wait.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::moderation::Moderation;
use crate::observe::Watch;
use crate::ticks::Ticks;
use crate::virtual_time::Member;

/// Knows what time it is, and until when the loop waits.
pub(crate) struct Timekeeper {
    pub(crate) clock: Clock,
    pub(crate) ticks: Ticks,
    pub(crate) watch: Watch,
    pub(crate) moderation: Moderation,
    pub(crate) member: Option<Member>,
    host: Option<Waker>,
    /// When the loop last looked at the clock, in nanoseconds. Orders nothing: an older value only
    /// makes [`Sleep::postpone`](crate::Sleep::postpone) count from an earlier time. `NOT_LOOKED`
    /// when this turn of the loop had no reason to look.
    looked: AtomicU64,
    /// The tick that the loop's wait is to end at. A sleep armed for an earlier one wakes the
    /// host. `NOBODY_WAITS` while the loop runs.
    ///
    /// No wake-up is lost: before a wait, `patience` stores `u64::MAX`, then takes each shard's
    /// lock to see its next deadline, then stores the least (or that it rests, and will look again
    /// before a sleep armed now could fire). Arming a sleep inserts it under the
    /// shard's lock, then loads this. Whichever took the lock first: either `patience` saw the new
    /// deadline, or the arming thread sees what `patience` stored before it looked, or something
    /// newer, and wakes. The lock orders the two, so the accesses need no order of their own.
    waits_until: AtomicU64,
    /// The thread that waits, by its number.
    waiter: AtomicU32,
}

const NOBODY_WAITS: u64 = 0;

/// What a [`Timekeeper`] is made with.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) clock: Clock,
    pub(crate) tick: Duration,
    pub(crate) moderation: Duration,
    pub(crate) host: Option<Waker>,
    pub(crate) watch: Watch,
}

/// The loop has not looked at the clock in this turn.
const NOT_LOOKED: u64 = u64::MAX;

impl Timekeeper {
    pub(crate) fn new(settings: Settings) -> Self {
        let Settings { clock, host, .. } = settings;
        Timekeeper {
            ticks: Ticks::new(clock.now(), settings.tick),
            member: clock.join(host.clone()),
            clock,
            watch: settings.watch,
            moderation: Moderation::new(settings.moderation),
            host,
            looked: AtomicU64::new(NOT_LOOKED),
            waits_until: AtomicU64::new(NOBODY_WAITS),
            waiter: AtomicU32::new(0),
        }
    }

    /// The time, in nanoseconds since the epoch.
    pub(crate) fn now(&self) -> u64 {
        self.ticks.nanos(self.clock.now())
    }

    /// `duration` from now, in nanoseconds since the epoch.
    pub(crate) fn after(&self, duration: Duration) -> u64 {
        self.now().saturating_add(nanos(duration))
    }

    /// When the loop last looked at the clock, in nanoseconds since the epoch. If it did not in
    /// this turn, it does now.
    #[inline]
    pub(crate) fn looked(&self) -> u64 {
        match self.looked.load(Ordering::Relaxed) {
            NOT_LOOKED => self.ticks.nanos(self.look()),
            looked => looked,
        }
    }

    pub(crate) fn look(&self) -> Instant {
        let now = self.clock.now();
        self.looks_at(now);
        now
    }

    /// Notes the time, and returns it in nanoseconds since the epoch.
    pub(crate) fn looks_at(&self, now: Instant) -> u64 {
        let nanos = self.ticks.nanos(now);
        self.looked.store(nanos, Ordering::Relaxed);
        nanos
    }

    /// This turn has no reason to look at the clock.
    pub(crate) fn does_not_look(&self) {
        self.looked.store(NOT_LOOKED, Ordering::Relaxed);
    }

    /// Announces that this thread may wait for ever.
    pub(crate) fn begins_to_wait(&self) {
        self.waiter.store(thread_number(), Ordering::Relaxed);
        self.waits_until.store(u64::MAX, Ordering::Relaxed);
    }

    /// Announces until when: the next deadline, or the end of a rest if that is later. Returns it
    /// in nanoseconds since the epoch.
    pub(crate) fn waits_until(&self, next: Option<u64>) -> Option<u64> {
        let deadline = next.map(|tick| self.ticks.nanos_of(tick));
        let rests_until = self.moderation.rests_until();
        let rests = deadline.is_some_and(|at| at < rests_until);
        let announced = match next {
            // no sleep that is armed meanwhile could end it earlier
            Some(_) if rests => NOBODY_WAITS,
            Some(tick) => tick,
            None => u64::MAX,
        };
        self.waits_until.store(announced, Ordering::Relaxed);
        deadline.map(|at| at.max(rests_until))
    }

    /// Whoever waited runs again, if it is this thread.
    pub(crate) fn wait_ends(&self) {
        if self.waiter.load(Ordering::Relaxed) == thread_number() {
            self.waiter.store(0, Ordering::Relaxed);
            self.waits_until.store(NOBODY_WAITS, Ordering::Relaxed);
            if let Some(member) = &self.member {
                member.busy();
            }
        }
    }

    /// Ends the loop's wait if it would go on beyond `tick`. Called after a sleep was armed for
    /// it, without any borrow.
    #[inline]
    pub(crate) fn armed(&self, tick: u64) {
        if tick < self.waits_until.load(Ordering::Relaxed)
            && let Some(host) = &self.host
        {
            host.wake_by_ref();
        }
    }
}

/// A small number for the calling thread, from 1 up; never reused.
pub(crate) fn thread_number() -> u32 {
    static THREADS: AtomicU32 = AtomicU32::new(1);
    thread_local! {
        static NUMBER: Cell<u32> = const { Cell::new(0) };
    }
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(THREADS.fetch_add(1, Ordering::Relaxed));
        }
        number.get()
    })
}

/// A duration in nanoseconds, cut to what 64 bits hold.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
