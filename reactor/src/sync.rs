//! The two synchronisation types the crate is built on, and their stand-ins in a loom model.
//!
//! Everything whose interleavings matter ([`crate::slot`], [`crate::alarm`]) takes its atomics and
//! its lock from here, so that `--cfg loom` swaps them all at once.

#[cfg(not(loom))]
pub(crate) use parking_lot::Mutex;
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicU8, AtomicU64};

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU8, AtomicU64};
#[cfg(loom)]
pub(crate) use model::Mutex;

pub(crate) use std::sync::atomic::Ordering;

#[cfg(loom)]
mod model {
    /// loom's mutex behind the face of `parking_lot`'s: no poisoning.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }
}
