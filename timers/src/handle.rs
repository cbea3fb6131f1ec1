//! The handle that makes sleeps, and the loop's side of it: how long to wait, and firing.

use std::fmt;
use std::future::IntoFuture;
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::builder::Builder;
use crate::clock::Clock;
use crate::firing::{Firing, Hand};
use crate::interval::Interval;
use crate::shard::{NOTHING, Shard};
use crate::sharing::{Local, Shared, Sharing};
use crate::sleep::Sleep;
use crate::timekeeper::{Settings, Timekeeper, thread_number};
use crate::timeout::Timeout;

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

struct Inner<S: Sharing> {
    keeper: S::Ref<Timekeeper>,
    shards: Box<[S::Ref<Shard<S>>]>,
}

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
    pub(crate) fn build(settings: Settings, shards: usize) -> Self {
        let keeper = S::share(Timekeeper::new(settings));
        let shard = |number| S::share(Shard::new(keeper.clone(), number, shards));
        let shards = (0..shards).map(shard).collect();
        let inner = Inner { keeper, shards };
        Timers {
            inner: S::share(inner),
        }
    }

    /// The clock these timers go by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.keeper.clock
    }

    /// A future that is ready `duration` from now. Counts from this call, not from its first poll.
    /// A duration beyond all time (584 years) is cut to that.
    #[inline]
    pub fn sleep(&self, duration: Duration) -> Sleep<S> {
        Sleep::new(self.my_shard(), self.inner.keeper.after(duration))
    }

    /// A future that is ready at `deadline`; one in the past is ready after the loop's next turn.
    #[inline]
    pub fn sleep_until(&self, deadline: Instant) -> Sleep<S> {
        Sleep::new(self.my_shard(), self.inner.keeper.ticks.nanos(deadline))
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
            Sleep::new(self.my_shard(), u64::MAX),
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
    /// After a turn that fired several, it may be longer than to the next deadline: by
    /// [`moderation`](Builder::moderation).
    ///
    /// From here until the next [`fire`](Timers::fire) on the same thread, a sleep armed with an
    /// earlier deadline wakes the host. There is one host, so one thread waits at a time.
    ///
    /// On an auto-advancing clock that nothing holds back, this moves time to the next deadline.
    #[must_use]
    pub fn patience(&self) -> Option<Duration> {
        let keeper = &*self.inner.keeper;
        keeper.begins_to_wait();
        let next = self.inner.next_tick();
        let until = keeper.waits_until(next);
        let deadline = until.map(|nanos| keeper.ticks.instant_of(nanos));
        match &keeper.member {
            Some(member) => member.patience(deadline),
            None => deadline.map(|at| at.saturating_duration_since(keeper.look())),
        }
    }

    /// When something is due next: the earliest deadline, rounded up to a tick. It may be too
    /// early when the earliest sleep was dropped or put off.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let next = self.inner.next_tick();
        next.map(|tick| self.inner.keeper.ticks.instant(tick))
    }

    /// Wakes every sleep that is due by the clock, in the order of their deadlines, whichever shards
    /// they are in; returns how many. (Those of one deadline: in the order they were armed within
    /// a shard; and what was overdue already when it was armed comes first in its shard.)
    ///
    /// # Panics
    /// When a waker panics; not before all the others have been woken.
    #[inline]
    pub fn fire(&self) -> usize {
        let keeper = &*self.inner.keeper;
        keeper.wait_ends();
        if self.inner.earliest() == NOTHING {
            // a loop without timers does not pay for any, not even a look at the clock
            keeper.does_not_look();
            return 0;
        }
        self.inner.fire(keeper.clock.now())
    }

    pub(crate) fn keeper(&self) -> &Timekeeper {
        &self.inner.keeper
    }

    /// The shard that the calling thread keeps to.
    #[inline]
    pub(crate) fn my_shard(&self) -> S::Ref<Shard<S>> {
        let shards = &self.inner.shards;
        let mine = match shards.len() {
            1 => 0,
            shards => thread_number() as usize % shards,
        };
        shards[mine].clone()
    }
}

impl<S: Sharing> Inner<S> {
    fn next_tick(&self) -> Option<u64> {
        let shards = self.shards.iter();
        shards.filter_map(|shard| shard.next_deadline()).min()
    }

    /// A tick that nothing is due before, as far as can be seen without a lock.
    fn earliest(&self) -> u64 {
        let shards = self.shards.iter();
        shards
            .map(|shard| shard.earliest())
            .min()
            .unwrap_or(NOTHING)
    }

    #[inline(never)] // so that a loop without timers does not open its stack frame
    fn fire(&self, now: Instant) -> usize {
        let keeper = &*self.keeper;
        let nanos = keeper.looks_at(now);
        let now = keeper.ticks.passed(now);
        if self.earliest() > now {
            return 0;
        }
        let mut firing = Firing::new(keeper);
        match &*self.shards {
            [shard] => firing.wake_all(&mut [Hand::new(shard, true)], now),
            shards => {
                let due = shards.iter().filter(|shard| shard.earliest() <= now);
                let mut hands: Vec<_> = due.map(|shard| Hand::new(&**shard, false)).collect();
                firing.wake_all(&mut hands, now);
            }
        }
        keeper.moderation.fired(firing.fired(), nanos);
        firing.finish()
    }
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
            .field("clock", &self.inner.keeper.clock)
            .field("ticks", &self.inner.keeper.ticks)
            .field("shards", &self.inner.shards.len())
            .finish_non_exhaustive()
    }
}
