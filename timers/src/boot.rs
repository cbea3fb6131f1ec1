//! A clock that goes on while the machine is suspended (feature `boot-time`, Linux).

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// `CLOCK_BOOTTIME`, expressed in `Instant`s: those of the moment it was made, plus what has passed
/// by that clock. It is the monotonic clock, and ahead of it by the time spent suspended since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BootTime {
    instant: Instant,
    boot: Duration,
}

impl BootTime {
    pub(crate) fn new() -> BootTime {
        BootTime {
            instant: Instant::now(),
            boot: since_boot(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.instant + since_boot().saturating_sub(self.boot)
    }
}

fn since_boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        time.tv_nsec.unsigned_abs() as u32,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_time_passes_with_the_monotonic_clock() {
        let before = Instant::now();
        let boot = BootTime::new();
        let first = boot.now();
        std::thread::yield_now();
        let second = boot.now();
        assert!(before <= first && first <= second);
        // not suspended meanwhile, so the two agree but for the time between the readings
        assert!(second <= Instant::now() + Duration::from_millis(1));
    }
}
