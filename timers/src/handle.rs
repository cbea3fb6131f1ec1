//! The handle that makes sleeps, and the loop's side of it: how long to wait, and firing.

use std::cell::Cell;
use std::fmt;
use std::future::IntoFuture;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::arena::Key;
use crate::builder::Builder;
use crate::clock::Clock;
use crate::firing::Firing;
use crate::interval::Interval;
use crate::observe::{TimerId, Watch};
use crate::seeded;
use crate::shard::{NOTHING, Shard};
use crate::sharing::{Local, Shared, Sharing};
use crate::sleep::Sleep;
use crate::ticks::Ticks;
use crate::timeout::Timeout;
use crate::virtual_time::Member;

/// Timers of one thread: no locks, not `Send`.
pub type LocalTimers = Timers<Local>;

/// Timers that threads share: `Send` and `Sync`, a wheel and a lock for each shard.
pub type SharedTimers = Timers<Shared>;

/// Makes sleeps, intervals and timeouts, and fires them when their loop says so. Clones are
/// handles to the same timers.
///
/// Nothing happens by itself: a loop asks for [`patience`](Timers::patience), waits no longer than
/// that, and calls [`fire`](Timers::fire).
///
/// ```
/// use std::time::Duration;
/// use timers::{Clock, LocalTimers};
///
/// let timers = LocalTimers::new(Clock::monotonic());
/// let nap = timers.sleep(Duration::from_millis(20));
/// let mut nap = std::pin::pin!(nap);
/// let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
/// while nap.as_mut().poll(&mut cx).is_pending() {
///     std::thread::sleep(timers.patience().unwrap());
///     timers.fire();
/// }
/// # use std::future::Future;
/// ```
pub struct Timers<S: Sharing> {
    inner: S::Ref<Inner<S>>,
}

pub(crate) struct Inner<S: Sharing> {
    clock: Clock,
    ticks: Ticks,
    host: Option<Waker>,
    watch: Watch,
    member: Option<Member>,
    /// When the loop last looked at the clock, in nanoseconds. Orders nothing: an older value only
    /// makes [`Sleep::postpone`] count from an earlier time. `NOT_LOOKED` when this turn of the
    /// loop had no reason to look.
    looked: AtomicU64,
    /// The tick that the loop's wait is to end at. A sleep armed for an earlier one wakes the
    /// host. `NOBODY_WAITS` while the loop runs.
    ///
    /// No wake-up is lost: before a wait, `patience` stores `u64::MAX`, then takes each shard's
    /// lock to see its next deadline, then stores the least. Arming a sleep inserts it under the
    /// shard's lock, then loads this. Whichever took the lock first: either `patience` saw the new
    /// deadline, or the arming thread sees what `patience` stored before it looked, or something
    /// newer, and wakes. The lock orders the two, so the accesses need no order of their own.
    waits_until: AtomicU64,
    /// The thread that waits, by its number.
    waiter: AtomicU32,
    shards: Box<[Shard<S>]>,
}

const NOBODY_WAITS: u64 = 0;

/// The loop has not looked at the clock in this turn.
const NOT_LOOKED: u64 = u64::MAX;

impl LocalTimers {
    /// Timers on `clock` for one thread.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        LocalTimers::builder(clock).build()
    }

    /// Settings other than the defaults.
    pub fn builder(clock: Clock) -> Builder<Local> {
        Builder::new(clock, 1)
    }
}

impl SharedTimers {
    /// Timers on `clock` for many threads, whose loop is woken through `host` when a sleep is
    /// armed that must end its wait.
    #[must_use]
    pub fn new(clock: Clock, host: Waker) -> Self {
        SharedTimers::builder(clock).host(host).build()
    }

    /// Settings other than the defaults.
    pub fn builder(clock: Clock) -> Builder<Shared> {
        let shards = std::thread::available_parallelism().map_or(1, usize::from);
        Builder::new(clock, shards)
    }
}

impl<S: Sharing> Timers<S> {
    pub(crate) fn build(
        clock: Clock,
        tick: Duration,
        shards: usize,
        host: Option<Waker>,
        watch: Watch,
    ) -> Self {
        let inner = Inner {
            ticks: Ticks::new(clock.now(), tick),
            member: clock.join(host.clone()),
            clock,
            host,
            watch,
            looked: AtomicU64::new(NOT_LOOKED),
            waits_until: AtomicU64::new(NOBODY_WAITS),
            waiter: AtomicU32::new(0),
            shards: (0..shards).map(|_| Shard::new()).collect(),
        };
        Timers {
            inner: S::share(inner),
        }
    }

    /// The clock these timers go by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// A future that is ready `duration` from now. Counts from this call, not from its first poll.
    /// A duration beyond all time (584 years) is cut to that.
    pub fn sleep(&self, duration: Duration) -> Sleep<S> {
        Sleep::new(self.clone(), self.inner.after(duration))
    }

    /// A future that is ready at `deadline`; one in the past is ready after the loop's next turn.
    pub fn sleep_until(&self, deadline: Instant) -> Sleep<S> {
        Sleep::new(self.clone(), self.inner.ticks.nanos(deadline))
    }

    /// `future`, given up when it is not ready within `duration`, counted from its first poll.
    /// See [`Timeout`].
    pub fn timeout<F: IntoFuture>(
        &self,
        duration: Duration,
        future: F,
    ) -> Timeout<F::IntoFuture, S> {
        Timeout::after(
            future.into_future(),
            Sleep::new(self.clone(), u64::MAX),
            duration,
        )
    }

    /// `future`, given up at `deadline`. See [`Timeout`].
    pub fn timeout_at<F: IntoFuture>(
        &self,
        deadline: Instant,
        future: F,
    ) -> Timeout<F::IntoFuture, S> {
        Timeout::at(future.into_future(), self.sleep_until(deadline))
    }

    /// Ticks that are `period` apart, the first one `period` from now.
    pub fn interval(&self, period: Duration) -> Interval<S> {
        Interval::new(self.sleep(period), period)
    }

    /// Ticks that are `period` apart, the first one at `first`.
    pub fn interval_at(&self, first: Instant, period: Duration) -> Interval<S> {
        Interval::new(self.sleep_until(first), period)
    }

    /// How long the loop may wait: zero when something is due, `None` when nothing is to come.
    ///
    /// From here until the next [`fire`](Timers::fire) on the same thread, a sleep armed with an
    /// earlier deadline wakes the host. There is one host, so one thread waits at a time.
    ///
    /// On an auto-advancing clock that nothing holds back, this moves time to the next deadline.
    #[must_use]
    pub fn patience(&self) -> Option<Duration> {
        let inner = &*self.inner;
        inner.waiter.store(thread_number(), Ordering::Relaxed);
        inner.waits_until.store(u64::MAX, Ordering::Relaxed);
        let next = inner.next_tick();
        inner
            .waits_until
            .store(next.unwrap_or(u64::MAX), Ordering::Relaxed);
        let deadline = next.map(|tick| inner.ticks.instant(tick));
        match &inner.member {
            Some(member) => member.patience(deadline),
            None => deadline.map(|at| at.saturating_duration_since(inner.look())),
        }
    }

    /// When something is due next: the earliest deadline, rounded up to a tick. It may be too
    /// early when the earliest sleep was dropped or put off.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let inner = &*self.inner;
        inner.next_tick().map(|tick| inner.ticks.instant(tick))
    }

    /// Wakes every sleep that is due by the clock, in the order of their deadlines (within a
    /// shard); returns how many.
    ///
    /// # Panics
    /// When a waker panics; not before all the others have been woken.
    pub fn fire(&self) -> usize {
        let inner = &*self.inner;
        inner.wait_ends();
        if inner.earliest() == NOTHING {
            // a loop without timers does not pay for any, not even a look at the clock
            if !seeded::LOOKED_STAYS {
                inner.looked.store(NOT_LOOKED, Ordering::Relaxed);
            }
            return 0;
        }
        inner.fire(inner.clock.now())
    }

    /// Like [`fire`](Timers::fire), with a time that was read already. Must be the clock's.
    ///
    /// # Panics
    /// When a waker panics; not before all the others have been woken.
    pub fn fire_at(&self, now: Instant) -> usize {
        self.inner.wait_ends();
        self.inner.fire(now)
    }

    pub(crate) fn inner(&self) -> &Inner<S> {
        &self.inner
    }
}

impl<S: Sharing> Inner<S> {
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
    pub(crate) fn looked(&self) -> u64 {
        match self.looked.load(Ordering::Relaxed) {
            NOT_LOOKED => self.ticks.nanos(self.look()),
            looked => looked,
        }
    }

    fn look(&self) -> Instant {
        let now = self.clock.now();
        self.looked.store(self.ticks.nanos(now), Ordering::Relaxed);
        now
    }

    pub(crate) fn ticks(&self) -> &Ticks {
        &self.ticks
    }

    /// The shard that the calling thread keeps to.
    pub(crate) fn my_shard(&self) -> u32 {
        match self.shards.len() {
            1 => 0,
            shards => thread_number() % shards as u32,
        }
    }

    #[inline]
    pub(crate) fn shard(&self, shard: u32) -> &Shard<S> {
        &self.shards[shard as usize]
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// What the observer knows the timer of this key in this shard by.
    pub(crate) fn timer_id(&self, key: Key, shard: u32) -> TimerId {
        TimerId::new(key, shard, self.shards.len())
    }

    #[cold]
    pub(crate) fn tell_cancelled(&self, key: Key, shard: u32) {
        let timer = self.timer_id(key, shard);
        self.watch.tell(|observer| observer.cancelled(timer));
    }

    /// Ends the loop's wait if it would go on beyond `tick`. Called after a sleep was armed for
    /// it, without any borrow.
    pub(crate) fn armed(&self, tick: u64) {
        if tick < self.waits_until.load(Ordering::Relaxed)
            && let Some(host) = &self.host
            && !seeded::WAIT_GOES_ON
        {
            host.wake_by_ref();
        }
    }

    fn next_tick(&self) -> Option<u64> {
        let shards = self.shards.iter();
        shards.filter_map(|shard| shard.next_deadline()).min()
    }

    /// A tick that nothing is due before, as far as can be seen without a lock.
    fn earliest(&self) -> u64 {
        let shards = self.shards.iter();
        shards.map(Shard::earliest).min().unwrap_or(NOTHING)
    }

    /// Whoever waited runs again, if it is this thread.
    fn wait_ends(&self) {
        if self.waiter.load(Ordering::Relaxed) == thread_number() {
            self.waiter.store(0, Ordering::Relaxed);
            self.waits_until.store(NOBODY_WAITS, Ordering::Relaxed);
            if let Some(member) = &self.member {
                member.busy();
            }
        }
    }

    fn fire(&self, now: Instant) -> usize {
        self.looked.store(self.ticks.nanos(now), Ordering::Relaxed);
        let now = self.ticks.passed(now);
        if self.earliest() > now {
            return 0;
        }
        let mut firing = Firing::new(&self.watch);
        for (number, shard) in (0..).zip(&self.shards) {
            let id = |key| self.timer_id(key, number);
            let mut more = shard.begin_turn(&mut firing, now);
            firing.wake(id);
            while more {
                more = shard.go_on(&mut firing, now);
                firing.wake(id);
            }
        }
        firing.finish()
    }
}

/// A small number for the calling thread, from 1 up; never reused.
fn thread_number() -> u32 {
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

impl<S: Sharing> Clone for Timers<S> {
    fn clone(&self) -> Self {
        Timers {
            inner: self.inner.clone(),
        }
    }
}

impl<S: Sharing> fmt::Debug for Timers<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timers")
            .field("clock", &self.inner.clock)
            .field("ticks", &self.inner.ticks)
            .field("shards", &self.inner.shards.len())
            .finish_non_exhaustive()
    }
}
