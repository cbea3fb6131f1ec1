//! What is not to be seen: the tasks, sources and timers of whoever watches from the same loop.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Something that may be unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Item {
    Task(u64),
    Source(u64),
    Timer(u64),
}

/// What is not to be seen. Costs nothing to ask while there is no such thing.
#[derive(Debug, Default)]
pub(super) struct Unseen {
    used: AtomicBool,
    items: Mutex<HashSet<Item>>,
}

impl Unseen {
    /// Whether there ever was anything.
    #[inline]
    pub(super) fn is_used(&self) -> bool {
        // Relaxed: a thread that is told of an item was told of it after it was added, by way of
        // the executor's, reactor's or timers' own synchronization.
        self.used.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn has(&self, item: Item) -> bool {
        self.is_used() && self.contains(item)
    }

    #[cold]
    fn contains(&self, item: Item) -> bool {
        self.items().contains(&item)
    }

    pub(super) fn add(&self, item: Item) {
        self.items().insert(item);
        self.used.store(true, Ordering::Relaxed);
    }

    pub(super) fn remove(&self, item: Item) {
        self.items().remove(&item);
    }

    fn items(&self) -> MutexGuard<'_, HashSet<Item>> {
        // A panic within leaves nothing half done.
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
