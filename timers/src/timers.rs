//! The handle that makes sleeps, and the loop's side of it: how long to wait, and firing.

use std::cell::Cell;
use std::fmt;
use std::future::IntoFuture;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::interval::Interval;
use crate::sharing::{Local, Shared, Sharing};
use crate::sleep::Sleep;
use crate::ticks::Ticks;
use crate::timeout::Timeout;
use crate::virtual_time::Member;
use crate::wheel::Wheel;

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
    member: Option<Member>,
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

/// On cache lines of its own, so that workers on different shards do not slow each other.
#[repr(align(128))]
struct Shard<S: Sharing> {
    wheel: S::Exclusive<Wheel<Waker>>,
}

/// Settings for [`Timers`]; start with [`Timers::builder`].
///
/// ```
/// use std::time::Duration;
/// use timers::{Clock, SharedTimers};
///
/// let timers = SharedTimers::builder(Clock::monotonic())
///     .tick(Duration::from_micros(50))
///     .shards(4)
///     .host(std::task::Waker::noop().clone()) // the reactor's waker
///     .build();
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder<S> {
    clock: Clock,
    tick: Duration,
    shards: usize,
    host: Option<Waker>,
    sharing: std::marker::PhantomData<fn() -> S>,
}

impl<S: Sharing> Builder<S> {
    /// The grain of time, rounded down to a power of two of nanoseconds, from 1 ns up.
    ///
    /// A sleep fires at the first tick not before its deadline, so a coarse tick lets deadlines
    /// that lie close together share one wake-up, and costs precision. The default is one
    /// nanosecond: nothing is rounded. ([`Sleep::slack`] gives up precision where it is wanted.)
    pub fn tick(mut self, tick: Duration) -> Self {
        self.tick = tick;
        self
    }

    /// Wheels to spread over, each behind its own lock; a thread keeps to one of them. Useful for
    /// [`SharedTimers`], whose default is the number of cores. At least 1.
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = shards.max(1);
        self
    }

    /// The waker that ends the loop's wait: woken when a sleep is armed with an earlier deadline
    /// than the wait in progress, and when a virtual clock moves.
    pub fn host(mut self, host: Waker) -> Self {
        self.host = Some(host);
        self
    }

    /// Makes the timers.
    pub fn build(self) -> Timers<S> {
        let ticks = Ticks::new(self.clock.now(), self.tick);
        let wheel = || Shard {
            wheel: S::exclusive(Wheel::new()),
        };
        let inner = Inner {
            member: self.clock.join(self.host.clone()),
            clock: self.clock,
            ticks,
            host: self.host,
            waits_until: AtomicU64::new(NOBODY_WAITS),
            waiter: AtomicU32::new(0),
            shards: (0..self.shards).map(|_| wheel()).collect(),
        };
        Timers {
            inner: S::share(inner),
        }
    }
}

impl LocalTimers {
    /// Timers on `clock` for one thread.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        LocalTimers::builder(clock).build()
    }

    /// Settings other than the defaults.
    pub fn builder(clock: Clock) -> Builder<Local> {
        Builder {
            clock,
            tick: Duration::ZERO,
            shards: 1,
            host: None,
            sharing: Default::default(),
        }
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
        Builder {
            clock,
            tick: Duration::ZERO,
            shards,
            host: None,
            sharing: Default::default(),
        }
    }
}

impl<S: Sharing> Timers<S> {
    /// The clock these timers go by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// A future that is ready `duration` from now. Counts from this call, not from its first poll.
    /// A duration beyond all time (584 years) is cut to that.
    pub fn sleep(&self, duration: Duration) -> Sleep<S> {
        let now = self.inner.ticks.nanos(self.inner.clock.now());
        Sleep::new(self.clone(), now.saturating_add(nanos(duration)))
    }

    /// A future that is ready at `deadline`; one in the past is ready after the loop's next turn.
    pub fn sleep_until(&self, deadline: Instant) -> Sleep<S> {
        Sleep::new(self.clone(), self.inner.ticks.nanos(deadline))
    }

    /// `future`, given up `duration` from now. See [`Timeout`].
    pub fn timeout<F: IntoFuture>(
        &self,
        duration: Duration,
        future: F,
    ) -> Timeout<F::IntoFuture, S> {
        Timeout::new(future.into_future(), self.sleep(duration))
    }

    /// `future`, given up at `deadline`. See [`Timeout`].
    pub fn timeout_at<F: IntoFuture>(
        &self,
        deadline: Instant,
        future: F,
    ) -> Timeout<F::IntoFuture, S> {
        Timeout::new(future.into_future(), self.sleep_until(deadline))
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
            None => deadline.map(|at| at.saturating_duration_since(inner.clock.now())),
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
        self.fire_at(self.inner.clock.now())
    }

    /// Like [`fire`](Timers::fire), with a time that was read already. Must be the clock's.
    ///
    /// # Panics
    /// When a waker panics; not before all the others have been woken.
    pub fn fire_at(&self, now: Instant) -> usize {
        let inner = &*self.inner;
        if inner.waiter.load(Ordering::Relaxed) == thread_number() {
            inner.waiter.store(0, Ordering::Relaxed);
            inner.waits_until.store(NOBODY_WAITS, Ordering::Relaxed);
            if let Some(member) = &inner.member {
                member.busy();
            }
        }
        let now = inner.ticks.passed(now);
        let mut firing = Firing::default();
        for shard in &inner.shards {
            S::with(&shard.wheel, Wheel::begin_turn);
            let mut more = true;
            while more {
                more = S::with(&shard.wheel, |wheel| firing.collect(wheel, now));
                firing.wake();
            }
        }
        firing.finish()
    }

    pub(crate) fn inner(&self) -> &Inner<S> {
        &self.inner
    }
}

impl<S: Sharing> Inner<S> {
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
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

    pub(crate) fn with_wheel<R>(&self, shard: u32, work: impl FnOnce(&mut Wheel<Waker>) -> R) -> R {
        S::with(&self.shards[shard as usize].wheel, work)
    }

    /// Ends the loop's wait if it would go on beyond `tick`. Called after a sleep was armed for
    /// it, without any borrow.
    pub(crate) fn armed(&self, tick: u64) {
        if tick < self.waits_until.load(Ordering::Relaxed)
            && let Some(host) = &self.host
        {
            host.wake_by_ref();
        }
    }

    fn next_tick(&self) -> Option<u64> {
        let shards = self.shards.iter();
        shards
            .filter_map(|shard| S::with(&shard.wheel, |wheel| wheel.next_deadline()))
            .min()
    }
}

/// Takes wakers out of a wheel by the handful, and wakes them once the wheel is let go.
#[derive(Default)]
struct Firing {
    wakers: Vec<Waker>,
    fired: usize,
    panicked: Option<Box<dyn std::any::Any + Send>>,
}

/// Wakers collected under one lock: enough to spread its price, few enough to keep it short.
const HANDFUL: usize = 64;

impl Firing {
    /// Takes what is due, up to a handful; `true` when there may be more.
    fn collect(&mut self, wheel: &mut Wheel<Waker>, now: u64) -> bool {
        let mut steps = usize::MAX;
        while self.wakers.len() < HANDFUL {
            let Some(due) = wheel.next_due(now, &mut steps) else {
                return false;
            };
            self.wakers.push(due.value);
        }
        true
    }

    /// Wakes what was collected. A waker that panics does not keep the others from theirs.
    fn wake(&mut self) {
        self.fired += self.wakers.len();
        for waker in self.wakers.drain(..) {
            let woken = panic::catch_unwind(AssertUnwindSafe(|| waker.wake()));
            if let Err(panic) = woken {
                self.panicked.get_or_insert(panic);
            }
        }
    }

    fn finish(self) -> usize {
        match self.panicked {
            Some(panic) => panic::resume_unwind(panic),
            None => self.fired,
        }
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
