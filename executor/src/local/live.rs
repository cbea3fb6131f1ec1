//! The tasks that have suspended at least once and are not complete: what there is to drop when the
//! executor goes and they wait for something else.
//!
//! A task enters at its first suspension, not at its spawn: one that is ready at its first poll
//! never pays for it, and one that was never polled is in the ready queue anyway.

use crate::local::header::{Link, TaskPtr, UNLISTED};
use crate::sync::Cell;

pub(crate) struct LiveList {
    first: Cell<Link>,
}

impl LiveList {
    pub(crate) fn new() -> Self {
        LiveList {
            first: Cell::new(None),
        }
    }

    pub(crate) fn first(&self) -> Link {
        self.first.get()
    }

    #[inline]
    pub(crate) fn insert(&self, task: TaskPtr) {
        let next = self.first.replace(Some(task));
        task.live_previous.set(None);
        task.live_next.set(next);
        if let Some(next) = next {
            next.live_previous.set(Some(task));
        }
        task.clear(UNLISTED);
    }

    pub(crate) fn remove(&self, task: TaskPtr) {
        task.set(UNLISTED);
        let (previous, next) = (task.live_previous.get(), task.live_next.get());
        match previous {
            Some(previous) => previous.live_next.set(next),
            None => self.first.set(next),
        }
        if let Some(next) = next {
            next.live_previous.set(previous);
        }
    }
}
