//! Ticks at a fixed distance, and three ways to deal with those that were missed.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use crate::sharing::{Shared, Sharing};
use crate::sleep::Sleep;
use crate::timekeeper::nanos;

/// Becomes ready again and again, one period apart.
///
/// Made by [`Timers::interval`](crate::Timers::interval), whose first tick is one period from the
/// call, and [`Timers::interval_at`](crate::Timers::interval_at). A period of zero counts as one
/// nanosecond; each tick takes a turn of the loop all the same.
///
/// ```
/// # use std::time::Duration;
/// use timers::{Clock, LocalTimers, MissedTicks};
///
/// # async fn example() {
/// let timers = LocalTimers::new(Clock::monotonic());
/// let mut heartbeat = timers.interval(Duration::from_secs(1)).missed_ticks(MissedTicks::Skip);
/// loop {
///     let due = heartbeat.tick().await;
///     println!("beat that was due at {due:?}");
/// }
/// # }
/// ```
pub struct Interval<S: Sharing = Shared> {
    sleep: Sleep<S>,
    period: u64,
    missed: MissedTicks,
}

/// What an [`Interval`] does when it is asked for a tick later than the next one was due.
///
/// With a period of 10 and a tick at 10 that is taken only at 34:
///
/// ```text
/// Burst   10@34  20@34  30@34  40  50     all of them, as fast as the loop turns
/// Delay   10@34  44  54  64               one period from when the late one was taken
/// Skip    10@34  40  50  60               the missed are left out, the grid is kept
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MissedTicks {
    /// Catch up: deliver each missed tick, one a turn of the loop.
    #[default]
    Burst,
    /// Start counting anew from the late tick.
    Delay,
    /// Leave out what was missed and keep to the grid.
    Skip,
}

impl<S: Sharing> Interval<S> {
    pub(crate) fn new(sleep: Sleep<S>, period: Duration) -> Self {
        Interval {
            sleep,
            period: nanos(period).max(1),
            missed: MissedTicks::default(),
        }
    }

    /// Sets what happens to missed ticks.
    #[must_use]
    pub fn missed_ticks(mut self, missed: MissedTicks) -> Self {
        self.missed = missed;
        self
    }

    /// The distance of ticks.
    #[must_use]
    pub fn period(&self) -> Duration {
        Duration::from_nanos(self.period)
    }

    /// When the next tick is due.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.sleep.deadline()
    }

    /// Sets the time of the next tick; later ones follow a period apart.
    pub fn reset(&mut self, next: Instant) {
        self.sleep.reset(next);
    }

    /// Waits for the next tick and gives the time it was due at. Dropping the future loses
    /// nothing: the tick is delivered to the next call.
    pub fn tick(&mut self) -> impl Future<Output = Instant> + '_ {
        poll_fn(|cx| self.poll_tick(cx))
    }

    /// Like [`tick`](Interval::tick), for hand-written futures.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        ready!(Pin::new(&mut self.sleep).poll(cx));
        let due = self.sleep.deadline();
        self.sleep.reset_to(self.next());
        Poll::Ready(due)
    }

    /// The deadline after the one that has just fired.
    fn next(&self) -> u64 {
        let due = self.sleep.deadline_nanos();
        let keeper = self.sleep.keeper();
        let next = due.saturating_add(self.period);
        let now = match self.missed {
            MissedTicks::Burst => return next,
            MissedTicks::Delay | MissedTicks::Skip => keeper.now(),
        };
        if now <= next {
            next // nothing is missed that is due just now
        } else if self.missed == MissedTicks::Delay {
            now.saturating_add(self.period)
        } else {
            let whole = (now - due).div_ceil(self.period);
            due.saturating_add(whole.saturating_mul(self.period))
        }
    }
}

impl<S: Sharing> fmt::Debug for Interval<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interval")
            .field("next", &self.deadline())
            .field("period", &self.period())
            .field("missed_ticks", &self.missed)
            .finish()
    }
}
