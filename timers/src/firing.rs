//! Waking what is due, with nothing borrowed meanwhile.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::task::Waker;

use crate::seeded;
use crate::wheel::Wheel;

/// Takes wakers out of a wheel by the handful, and wakes them once the wheel is let go.
#[derive(Default)]
pub(crate) struct Firing {
    wakers: Vec<Waker>,
    fired: usize,
    panicked: Option<Box<dyn Any + Send>>,
}

/// Wakers collected under one lock: enough to spread its price, few enough to keep it short.
const HANDFUL: usize = 64;

impl Firing {
    /// Takes what the wheel's turn has due, up to a handful; `true` when there may be more.
    pub(crate) fn collect(&mut self, wheel: &mut Wheel<Waker>, now: u64) -> bool {
        let mut steps = usize::MAX;
        while self.wakers.len() < HANDFUL {
            let Some(due) = wheel.next_due(now, &mut steps) else {
                return false;
            };
            if self.wakers.is_empty() {
                self.wakers.reserve(HANDFUL);
            }
            self.wakers.push(due.value);
        }
        true
    }

    /// Wakes what was collected. A waker that panics does not keep the others from theirs.
    pub(crate) fn wake(&mut self) {
        self.fired += self.wakers.len();
        for waker in self.wakers.drain(..) {
            let woken = panic::catch_unwind(AssertUnwindSafe(|| waker.wake()));
            if let Err(panic) = woken {
                self.panicked.get_or_insert(panic);
                if seeded::PANIC_ENDS_TURN {
                    break;
                }
            }
        }
    }

    pub(crate) fn finish(self) -> usize {
        match self.panicked {
            Some(panic) => panic::resume_unwind(panic),
            None => self.fired,
        }
    }
}
