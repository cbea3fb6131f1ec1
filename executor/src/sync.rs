//! The one place that knows about loom: every atomic, shared cell and thread primitive of the
//! executors comes from here, so that a model runs the very code that ships.

#[cfg(not(loom))]
mod real {
    pub(crate) use std::alloc::{alloc, dealloc};
    pub(crate) use std::cell::Cell;
    pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
    pub(crate) use std::thread::{Thread, current as current_thread, park};

    /// In a model, something that must be dropped by its end.
    pub(crate) struct Witness;

    impl Witness {
        pub(crate) fn new() -> Self {
            Witness
        }
    }

    std::thread_local! {
        static CURRENT: Cell<*const ()> = const { Cell::new(std::ptr::null()) };
    }

    /// The hub this thread has entered, or null. A const thread-local without a destructor: the
    /// cheapest there is (0.3 ns), and readable while other thread-locals are being destroyed.
    #[inline]
    pub(crate) fn entered() -> *const () {
        CURRENT.get()
    }

    /// Enters `hub`; returns the one that was entered before.
    #[inline]
    pub(crate) fn replace_entered(hub: *const ()) -> *const () {
        CURRENT.replace(hub)
    }
}

#[cfg(loom)]
mod real {
    pub(crate) use loom::alloc::{alloc, dealloc};
    pub(crate) use loom::cell::Cell;
    pub(crate) use loom::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
    pub(crate) use loom::thread::{Thread, current as current_thread, park};

    /// Something that must be dropped by the end of a model: loom counts its own `Arc`s.
    pub(crate) struct Witness {
        _counted: loom::sync::Arc<()>,
    }

    impl Witness {
        pub(crate) fn new() -> Self {
            Witness {
                _counted: loom::sync::Arc::new(()),
            }
        }
    }

    loom::thread_local! {
        static CURRENT: std::cell::Cell<*const ()> = std::cell::Cell::new(std::ptr::null());
    }

    pub(crate) fn entered() -> *const () {
        CURRENT
            .try_with(std::cell::Cell::get)
            .unwrap_or(std::ptr::null())
    }

    pub(crate) fn replace_entered(hub: *const ()) -> *const () {
        CURRENT.with(|current| current.replace(hub))
    }
}

pub(crate) use real::*;
