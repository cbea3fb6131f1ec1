//! The two protocols with interleavings worth exploring, laid open to `tests/loom.rs`. This module
//! exists only under `--cfg loom`.

use std::task::{Context, Poll, Waker};

use crate::readiness::{Direction, Ready, Word};
use crate::token::Token;

/// [`crate::alarm::Alarm`].
#[derive(Debug)]
pub struct Alarm(crate::alarm::Alarm);

#[expect(
    missing_docs,
    reason = "see the methods of the same name in `crate::alarm`"
)]
impl Alarm {
    #[expect(clippy::new_without_default, reason = "for one test")]
    pub fn new() -> Alarm {
        Alarm(crate::alarm::Alarm::new(false))
    }

    pub fn fall_asleep(&self) -> bool {
        self.0.fall_asleep()
    }

    pub fn wake_up(&self) {
        self.0.wake_up();
    }

    pub fn ring(&self) -> bool {
        self.0.ring()
    }
}

/// [`crate::slot::Slot`], with a source in it.
#[derive(Debug)]
pub struct Slot(crate::slot::Slot);

/// One of several who wait.
#[derive(Debug, Default)]
pub struct Waiter(crate::slot::Waiter);

/// Evidence from before an operation.
#[derive(Clone, Copy, Debug)]
pub struct Seen(Word);

#[expect(
    missing_docs,
    reason = "see the methods of the same name in `crate::slot`"
)]
impl Slot {
    #[expect(clippy::new_without_default, reason = "for one test")]
    pub fn new() -> Slot {
        let slot = crate::slot::Slot::vacant();
        slot.open();
        Slot(slot)
    }

    /// The same source moved out and another one in.
    pub fn reopen(&self) {
        drop(self.0.close());
        self.0.open();
    }

    /// An event for the `generation`th source.
    pub fn deliver(&self, generation: u32, ready: Ready) -> Vec<Waker> {
        let mut woken = Vec::new();
        self.0.deliver(Token::new(0, generation), ready, &mut woken);
        woken
    }

    pub fn poll_ready(&self, way: Direction, waiter: &mut Waiter, waker: &Waker) -> Option<Seen> {
        let cx = &mut Context::from_waker(waker);
        match self.0.poll_ready(way, &mut waiter.0, cx, || Ok(())) {
            Poll::Ready(word) => Some(Seen(word.expect("the reactor lives"))),
            Poll::Pending => None,
        }
    }

    pub fn drained(&self, way: Direction, seen: Seen) {
        self.0.drained(way, seen.0);
    }

    pub fn forget(&self, waiter: &Waiter) {
        drop(self.0.forget(&waiter.0));
    }
}

impl Waiter {
    /// A future beside the owner.
    pub fn listed() -> Waiter {
        Waiter(crate::slot::Waiter::Listed(0))
    }
}
