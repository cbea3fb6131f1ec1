//! A future that is ready at a deadline.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::arena::Key;
use crate::level::Slot;
use crate::observe::{Observer, TimerId};
use crate::shard::{NOTHING, Shard};
use crate::sharing::{Local, Shared, Sharing};
use crate::timekeeper::{Timekeeper, nanos};
use crate::wheel::Wheel;

/// A [`Sleep`] of [`LocalTimers`](crate::LocalTimers).
pub type LocalSleep = Sleep<Local>;

/// Is ready at its deadline: never before, and as soon after as its loop takes a turn.
///
/// Made by [`Timers::sleep`](crate::Timers::sleep) and
/// [`Timers::sleep_until`](crate::Timers::sleep_until). It enters the wheel at its first poll;
/// one that is never polled costs nothing. Also one whose deadline is past at its first poll is
/// pending until the loop's next turn, so that a task that sleeps for no time lets others run.
///
/// Dropping it takes it out of the wheel at once. It may be polled from different tasks; the last
/// one to poll is woken. Once ready it stays ready until [`reset`](Sleep::reset). It is `Unpin`.
pub struct Sleep<S: Sharing = Shared> {
    shard: S::Ref<Shard<S>>,
    /// In nanoseconds since the epoch of the timers, so that no deadline is too far.
    deadline: u64,
    slack: u64,
    state: State,
}

/// ```text
///         arm               the shard tells, or the key is stale
///  idle ─────────▶ armed ────────────────────────────────────────▶ done
///    ▲               │ ▲ reset                                       │
///    │     reset     │ └───┘                                         │
///    └── too late ◀──┴─────────────────────── reset ─────────────────┘
/// ```
///
/// Most polls are settled by `told_by`: the shard knows up to where it has fired. So a poll that
/// is ready leaves the wheel alone, and among a million timers that spares it a cache miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    /// While it is armed: in the shard's wheel, or fired from there since the last poll.
    key: Option<Key>,
    /// While it is armed: see [`Shard::tells`]. [`NOTHING`] while it is idle, and 0 when it is
    /// done, of which the shard always tells.
    told_by: u64,
}

impl State {
    /// Not polled since its deadline was set.
    const IDLE: State = State {
        key: None,
        told_by: NOTHING,
    };
    const DONE: State = State {
        key: None,
        told_by: 0,
    };
}

impl<S: Sharing> Sleep<S> {
    pub(crate) fn new(shard: S::Ref<Shard<S>>, deadline: u64) -> Self {
        Sleep {
            shard,
            deadline,
            slack: 0,
            state: State::IDLE,
        }
    }

    /// Lets it fire up to `slack` late, so that it can share a wake-up with others: of the ticks
    /// in that range it takes the roundest, as others will. Applies from the next time the sleep is
    /// armed: set it before the first poll, or before a reset.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let timers = timers::LocalTimers::new(timers::Clock::manual());
    /// let probe = timers.sleep(Duration::from_secs(30)).slack(Duration::from_secs(2));
    /// ```
    #[must_use]
    pub fn slack(mut self, slack: Duration) -> Self {
        self.slack = nanos(slack);
        self
    }

    /// When it is due. Beyond what an [`Instant`] can express, the last one that can be.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.keeper().ticks.instant_of(self.deadline)
    }

    /// Whether it has fired: a poll would be ready.
    #[must_use]
    pub fn is_elapsed(&self) -> bool {
        let gone = |key| self.shard.with(|wheel| wheel.get(key).is_none());
        self.shard.tells(self.state.told_by) || self.state.key.is_some_and(gone)
    }

    /// Sets a new deadline, earlier or later, also after it has fired.
    ///
    /// A task that waits for it stays registered and is woken at the new deadline; it need not
    /// poll again. A later deadline is the cheap direction: a connection's keep-alive can be put
    /// off with every message. (If it had fired already, the next poll arms it.)
    pub fn reset(&mut self, deadline: Instant) {
        self.reset_to(self.keeper().ticks.nanos(deadline));
    }

    /// Sets the deadline to `duration` from now; see [`reset`](Sleep::reset).
    pub fn reset_after(&mut self, duration: Duration) {
        self.reset_to(self.keeper().after(duration));
    }

    /// Sets the deadline to `duration` after the loop's last look at the clock, which was when its
    /// turn began. Reads no clock itself, and costs a few nanoseconds: for deadlines that are put
    /// off with every message. (A turn that begins without any timer does not look; the first call
    /// in it does so instead.)
    ///
    /// ```
    /// # use std::{pin::Pin, task::{Context, Waker}, time::Duration};
    /// # let timers = timers::LocalTimers::new(timers::Clock::manual());
    /// # let start = timers.clock().now();
    /// let mut keep_alive = timers.sleep(Duration::from_secs(30));
    /// // … a message came in:
    /// keep_alive.postpone(Duration::from_secs(30));
    /// # assert_eq!(keep_alive.deadline(), start + Duration::from_secs(30));
    /// ```
    pub fn postpone(&mut self, duration: Duration) {
        let looked = self.keeper().looked();
        self.reset_to(looked.saturating_add(nanos(duration)));
    }

    pub(crate) fn reset_to(&mut self, deadline: u64) {
        let earlier = deadline < self.deadline;
        self.deadline = deadline;
        let Some(key) = self.state.key else {
            self.state = State::IDLE;
            return;
        };
        let tick = self.tick();
        let Some(told_by) = self.shard.reschedule(key, tick) else {
            self.state = State::IDLE;
            return;
        };
        self.state.told_by = told_by;
        if earlier && self.keeper().watch.is_on() {
            self.tell(key, tick, |o, timer, at, slot| {
                o.rescheduled(timer, at, slot);
            });
        }
        self.keeper().armed(tick);
    }

    pub(crate) fn deadline_nanos(&self) -> u64 {
        self.deadline
    }

    pub(crate) fn keeper(&self) -> &Timekeeper {
        self.shard.keeper()
    }

    /// The tick to fire at: the first one not before the deadline, or with slack the one with
    /// the most trailing zeros among those that will do.
    fn tick(&self) -> u64 {
        let ticks = &self.keeper().ticks;
        let first = ticks.until(self.deadline);
        if self.slack == 0 {
            return first;
        }
        let last = ticks
            .until(self.deadline.saturating_add(self.slack))
            .max(first);
        roundest(first, last)
    }

    /// Enters the wheel.
    #[inline(never)] // so that a poll of one that is armed is short
    fn arm(&mut self, waker: Waker) {
        let tick = self.tick();
        let (key, told_by) = self.shard.insert(tick, waker);
        self.state = State {
            key: Some(key),
            told_by,
        };
        if self.keeper().watch.is_on() {
            self.tell(key, tick, |o, timer, at, slot| {
                o.inserted(timer, at, slot);
            });
        }
        self.keeper().armed(tick);
    }

    /// Tells the observer of the timer, now due at `tick`.
    #[cold]
    fn tell(&self, key: Key, tick: u64, notice: fn(&dyn Observer, TimerId, Instant, Option<Slot>)) {
        let slot = self.shard.with(|wheel| wheel.slot(key));
        let (timer, due) = (self.shard.timer_id(key), self.keeper().ticks.instant(tick));
        let watch = &self.keeper().watch;
        watch.tell(|observer| notice(observer, timer, due, slot));
    }

    #[cold]
    fn tell_cancelled(&self, key: Key) {
        let timer = self.shard.timer_id(key);
        let watch = &self.keeper().watch;
        watch.tell(|observer| observer.cancelled(timer));
    }

    /// Sees to it that `waker` is the one that will be woken; `false` when it is too late, as
    /// the sleep has fired. Clones the waker outside the borrow: that is user code.
    fn wake_with(&self, key: Key, waker: &Waker) -> bool {
        let same = |wheel: &mut Wheel<Waker>| Some(wheel.get(key)?.will_wake(waker));
        match self.shard.with(same) {
            None => false,
            Some(true) => true,
            Some(false) => self.wake_instead(key, waker.clone()),
        }
    }

    /// Puts another waker in; `false` when it is too late. The clone of it may have taken long:
    /// this looks again. The old one is dropped outside the borrow.
    #[inline(never)]
    fn wake_instead(&self, key: Key, mut waker: Waker) -> bool {
        self.shard.with(|wheel| {
            let old = wheel.get_mut(key);
            old.map(|old| mem::swap(old, &mut waker)).is_some()
        })
    }
}

/// The number in `first..=last` that is divisible by the highest power of two.
fn roundest(first: u64, last: u64) -> u64 {
    let differing = match first.checked_sub(1) {
        Some(before) => before ^ last, // from here down, some number in the range has zeros
        None => return 0,
    };
    last & !((1 << differing.ilog2()) - 1)
}

impl<S: Sharing> Future for Sleep<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if !self.shard.tells(self.state.told_by) {
            let Some(key) = self.state.key else {
                self.arm(cx.waker().clone());
                return Poll::Pending;
            };
            if self.wake_with(key, cx.waker()) {
                return Poll::Pending;
            }
        }
        self.state = State::DONE;
        Poll::Ready(())
    }
}

impl<S: Sharing> Drop for Sleep<S> {
    fn drop(&mut self) {
        if let Some(key) = self.state.key {
            // the waker is dropped after the borrow has ended: its drop is user code
            let waker = self.shard.with(|wheel| wheel.cancel(key));
            if self.keeper().watch.is_on() && waker.is_some() {
                self.tell_cancelled(key);
            }
            drop(waker);
        }
    }
}

impl<S: Sharing> fmt::Debug for Sleep<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline", &self.deadline())
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::roundest;

    #[test]
    fn the_roundest_number_in_a_range() {
        for (first, last, expected) in [
            (0, 9, 0),
            (1, 1, 1),
            (5, 5, 5),
            (5, 6, 6),
            (5, 8, 8),
            (9, 12, 12),
            (100, 140, 128),
            (129, 255, 192),
            (1, u64::MAX, 1 << 63),
            (u64::MAX, u64::MAX, u64::MAX),
        ] {
            assert_eq!(roundest(first, last), expected, "{first}..={last}");
        }
        for first in 1..70u64 {
            for last in first..140 {
                let best = (first..=last).max_by_key(|n| n.trailing_zeros()).unwrap();
                assert_eq!(roundest(first, last), best, "{first}..={last}");
            }
        }
    }
}
