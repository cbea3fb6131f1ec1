//! Settings for timers.

use std::marker::PhantomData;
use std::task::Waker;
use std::time::Duration;

use crate::clock::Clock;
use crate::handle::Timers;
use crate::moderation;
use crate::observe::{Observer, Watch};
use crate::sharing::Sharing;
use crate::ticks;
use crate::timekeeper::Settings;

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
    settings: Settings,
    shards: usize,
    sharing: PhantomData<fn() -> S>,
}

impl<S: Sharing> Builder<S> {
    pub(crate) fn new(clock: Clock, shards: usize) -> Self {
        let (tick, moderation) = match clock.is_virtual() {
            true => (Duration::ZERO, Duration::ZERO),
            false => (ticks::DEFAULT, moderation::DEFAULT),
        };
        Builder {
            settings: Settings {
                clock,
                tick,
                moderation,
                host: None,
                watch: Watch::default(),
            },
            shards,
            sharing: PhantomData,
        }
    }

    /// The grain of time, rounded down to a power of two of nanoseconds, from 1 ns up.
    ///
    /// A sleep fires at the first tick not before its deadline, so a coarse tick lets deadlines
    /// that lie close together share one wake-up, and costs precision.
    /// ([`slack`](crate::Sleep::slack) gives up precision for one sleep.)
    ///
    /// The default is 4,096 ns: far below what a kernel is late by, and much less to sort than
    /// single nanoseconds. On virtual time it is one nanosecond: nothing is rounded.
    pub fn tick(mut self, tick: Duration) -> Self {
        self.settings.tick = tick;
        self
    }

    /// How long the loop rests after a turn that fired several timers: what comes due meanwhile is
    /// fired together when the rest is over, which spares a wake-up for each. Zero turns it off.
    ///
    /// A sleep is late by no more than this for it, and not at all if those before it came one at
    /// a time: a turn that fired a single timer is followed by no rest. Nor does a rest keep the
    /// loop from input, or from firing what is due when input ends its wait.
    ///
    /// The default is 100 us, about what the kernel itself takes to wake a thread. On virtual time
    /// it is zero, and each deadline is met exactly.
    pub fn moderation(mut self, rest: Duration) -> Self {
        self.settings.moderation = rest;
        self
    }

    /// Wheels to spread over, each behind its own lock; a thread keeps to one of them. Useful for
    /// [`SharedTimers`](crate::SharedTimers), whose default is the number of cores. At least 1.
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = shards.max(1);
        self
    }

    /// The waker that ends the loop's wait: woken when a sleep is armed with an earlier deadline
    /// than the wait in progress, and when a virtual clock moves.
    pub fn host(mut self, host: Waker) -> Self {
        self.settings.host = Some(host);
        self
    }

    /// Tells an observer what happens to the timers.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.settings.watch = Watch::by(observer);
        self
    }

    /// Makes the timers.
    #[must_use]
    pub fn build(self) -> Timers<S> {
        Timers::build(self.settings, self.shards)
    }
}
