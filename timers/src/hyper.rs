//! hyper's timer trait (feature `hyper`), for its header-read and keep-alive timeouts.
//!
//! hyper wants sleeps that are `Send` and `Sync`, so the shared form is the one that fits, in a
//! loop of one thread too.

use std::pin::Pin;
use std::time::{Duration, Instant};

use hyper::rt;

use crate::handle::SharedTimers;
use crate::sharing::Shared;
use crate::sleep::Sleep;

/// Hand a clone to hyper's builders: `http1::Builder::new().timer(timers.clone())`.
impl rt::Timer for SharedTimers {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(SharedTimers::sleep(self, duration))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(SharedTimers::sleep_until(self, deadline))
    }

    fn now(&self) -> Instant {
        self.clock().now()
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn rt::Sleep>>, deadline: Instant) {
        match sleep.as_mut().downcast_mut_pin::<Sleep<Shared>>() {
            Some(mut sleep) => sleep.reset(deadline),
            None => *sleep = rt::Timer::sleep_until(self, deadline), // another timer's sleep
        }
    }
}

impl rt::Sleep for Sleep<Shared> {}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;
    use crate::Clock;

    #[test]
    fn hyper_sleeps_and_resets_through_its_trait() {
        let clock = Clock::manual();
        let timers = SharedTimers::builder(clock.clone()).build();
        let timer: &dyn rt::Timer = &timers;
        let mut cx = Context::from_waker(Waker::noop());
        let second = Duration::from_secs(1);
        let start = timer.now();
        assert_eq!(start, clock.now());

        let mut sleep = timer.sleep(second);
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        timer.reset(&mut sleep, start + 2 * second);
        clock.advance(second);
        assert_eq!(timers.fire(), 0);
        clock.advance(second);
        assert_eq!(
            timers.fire(),
            1,
            "the same sleep was moved, there is no second one"
        );
        assert!(sleep.as_mut().poll(&mut cx).is_ready());

        let mut until = timer.sleep_until(start + 3 * second);
        assert!(until.as_mut().poll(&mut cx).is_pending());
        assert_eq!(timers.next_deadline(), Some(start + 3 * second));
    }
}
