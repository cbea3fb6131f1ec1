//! Threads that nobody observes, and that wake a task: who it was.

use std::sync::Arc;
use std::task::{Wake, Waker};

use super::here;
use super::recorder::Shared;

/// A waker that does what this one does, and leaves word who used it; none is needed outside of
/// a poll that is recorded.
pub(super) fn waker(waker: &Waker) -> Option<Waker> {
    here::with_current(|sheet| {
        let told = Told {
            shared: Arc::clone(&sheet.shared),
            task: sheet.task()?,
            waker: waker.clone(),
        };
        Some(Waker::from(Arc::new(told)))
    })
}

/// Leaves word who woke a task, for the thread that takes the wake in.
struct Told {
    shared: Arc<Shared>,
    task: u64,
    waker: Waker,
}

impl Wake for Told {
    fn wake(self: Arc<Self>) {
        let from_outside = here::with(&self.shared, |sheet| {
            (!sheet.runs).then_some(sheet.thread.number)
        });
        if let Some(thread) = from_outside {
            self.shared.will_wake(self.task, thread);
        }
        self.waker.wake_by_ref();
    }
}
