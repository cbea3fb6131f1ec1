//! Between `Instant` and the wheel's ticks: a deadline is rounded up, the clock down.

use std::time::{Duration, Instant};

use crate::timekeeper::nanos;

/// The scale of one set of timers: where zero is, and how long a tick is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticks {
    epoch: Instant,
    /// A tick is 2 to this power of nanoseconds.
    shift: u32,
    /// A tick less a nanosecond.
    below: u64,
}

/// What a clock that is real gets if nothing else is asked for.
///
/// Each six bits of precision are a level of the wheel that a timer moves down through. These
/// twelve are far finer than any kernel wakes a thread: nobody would notice the two levels.
pub(crate) const DEFAULT: Duration = Duration::from_nanos(4_096);

impl Ticks {
    pub(crate) fn new(epoch: Instant, tick: Duration) -> Ticks {
        let shift = nanos(tick).max(1).ilog2();
        Ticks {
            epoch,
            shift,
            below: (1 << shift) - 1,
        }
    }

    /// Nanoseconds from the epoch to `at`; zero for what was before it.
    pub(crate) fn nanos(&self, at: Instant) -> u64 {
        nanos(at.saturating_duration_since(self.epoch))
    }

    /// The first tick that is not before a time given in nanoseconds: what to arm a sleep for.
    pub(crate) fn until(&self, nanos: u64) -> u64 {
        nanos.saturating_add(self.below) >> self.shift
    }

    /// The last tick that `now` has reached: what to fire up to.
    pub(crate) fn passed(&self, now: Instant) -> u64 {
        self.nanos(now) >> self.shift
    }

    /// The time of a tick, in nanoseconds since the epoch.
    pub(crate) fn nanos_of(&self, tick: u64) -> u64 {
        let nanos = u128::from(tick) << self.shift;
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }

    /// The time of a tick.
    pub(crate) fn instant(&self, tick: u64) -> Instant {
        self.instant_of(self.nanos_of(tick))
    }

    /// The time that is this many nanoseconds after the epoch.
    pub(crate) fn instant_of(&self, nanos: u64) -> Instant {
        let far = || self.epoch + Duration::from_secs(30 * 365 * 24 * 3600);
        // a platform whose `Instant` does not reach 584 years gets thirty
        self.epoch
            .checked_add(Duration::from_nanos(nanos))
            .unwrap_or_else(far)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_rounded_up_and_the_clock_down() {
        let epoch = Instant::now();
        for tick in [1, 1_024, 65_536] {
            let ticks = Ticks::new(epoch, Duration::from_nanos(tick));
            for at in [
                0,
                1,
                tick - 1,
                tick,
                tick + 1,
                10 * tick,
                999_999_999,
                u64::MAX / 4,
            ] {
                let armed = ticks.until(at);
                let fires = ticks.instant(armed);
                let deadline = epoch + Duration::from_nanos(at);
                assert!(fires >= deadline, "never early");
                assert!(
                    fires - deadline < Duration::from_nanos(tick),
                    "less than a tick late"
                );
                assert_eq!(ticks.passed(fires), armed);
                assert!(armed == 0 || ticks.passed(fires - Duration::from_nanos(1)) < armed);
            }
        }
    }

    #[test]
    fn the_ends_of_time_saturate() {
        let epoch = Instant::now();
        let ticks = Ticks::new(epoch, Duration::from_millis(1));
        assert_eq!(ticks.shift, 19, "rounded down to a power of two");
        assert_eq!(ticks.nanos(epoch - Duration::from_nanos(1)), 0);
        assert!(ticks.instant(u64::MAX) > epoch);
        assert!(ticks.instant(ticks.until(u64::MAX)) > epoch);
        assert_eq!(Ticks::new(epoch, Duration::ZERO).shift, 0);
        assert_eq!(Ticks::new(epoch, Duration::MAX).shift, 63);
    }
}
