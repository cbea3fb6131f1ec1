//! Other people's code may panic; what it must not do is take the reactor with it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// Calls it. Whether it came to its end; a panic has been reported by the panic hook.
pub(crate) fn contain(user_code: impl FnOnce()) -> bool {
    match catch_unwind(AssertUnwindSafe(user_code)) {
        Ok(()) => true,
        Err(payload) => {
            discard(payload);
            false
        }
    }
}

/// What a panic carried may itself panic when it is dropped; that second one is leaked, or the
/// chain could go on for ever.
#[cold]
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
}

/// Wakes them in order. One that panics harms nobody else.
pub(crate) fn wake_all(mut wakers: impl Iterator<Item = Waker>) {
    while !contain(|| wakers.by_ref().for_each(Waker::wake)) {}
}
