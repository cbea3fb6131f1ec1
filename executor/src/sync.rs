//! The one place that knows about loom and shuttle: every atomic, shared cell and thread primitive
//! of the executors comes from here, so that a model runs the very code that ships.

#[cfg(not(any(loom, shuttle)))]
mod real {
    pub(crate) use parking_lot::Mutex;
    pub(crate) use std::alloc::{alloc, dealloc};
    pub(crate) use std::cell::Cell;
    pub(crate) use std::sync::atomic::{
        AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
    };
    pub(crate) use std::thread::{Thread, current as current_thread, park, yield_now};

    /// In a model, something that must be dropped by its end.
    pub(crate) struct Witness;

    impl Witness {
        pub(crate) fn new() -> Self {
            Witness
        }
    }

    std::thread_local! {
        static CURRENT: Cell<*const ()> = const { Cell::new(std::ptr::null()) };
        static WORKER: Cell<*const ()> = const { Cell::new(std::ptr::null()) };
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

    /// The worker that runs on this thread, or null. As cheap as `entered`, for the same reason.
    #[inline]
    pub(crate) fn worker() -> *const () {
        WORKER.get()
    }

    /// Makes `worker` this thread's; returns the one before.
    #[inline]
    pub(crate) fn replace_worker(worker: *const ()) -> *const () {
        WORKER.replace(worker)
    }
}

/// What a model runs on: loom tries every schedule of few threads, shuttle many of more.
#[cfg(any(loom, shuttle))]
mod real {
    #[cfg(loom)]
    use loom as checker;
    #[cfg(shuttle)]
    use shuttle as checker;

    pub(crate) use checker::sync::atomic::{
        AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
    };
    pub(crate) use checker::thread::{Thread, current as current_thread, park, yield_now};
    #[cfg(loom)]
    pub(crate) use loom::{
        alloc::{alloc, dealloc},
        cell::{Cell, UnsafeCell},
    };
    #[cfg(shuttle)]
    pub(crate) use std::{
        alloc::{alloc, dealloc},
        cell::Cell,
    };

    /// Something that must be dropped by the end of a model: loom counts its own `Arc`s.
    pub(crate) struct Witness {
        _counted: checker::sync::Arc<()>,
    }

    impl Witness {
        pub(crate) fn new() -> Self {
            Witness {
                _counted: checker::sync::Arc::new(()),
            }
        }
    }

    checker::thread_local! {
        static CURRENT: std::cell::Cell<*const ()> = std::cell::Cell::new(std::ptr::null());
        static WORKER: std::cell::Cell<*const ()> = std::cell::Cell::new(std::ptr::null());
    }

    pub(crate) fn entered() -> *const () {
        CURRENT
            .try_with(std::cell::Cell::get)
            .unwrap_or(std::ptr::null())
    }

    pub(crate) fn replace_entered(hub: *const ()) -> *const () {
        CURRENT.with(|current| current.replace(hub))
    }

    pub(crate) fn worker() -> *const () {
        WORKER
            .try_with(std::cell::Cell::get)
            .unwrap_or(std::ptr::null())
    }

    pub(crate) fn replace_worker(worker: *const ()) -> *const () {
        WORKER.with(|current| current.replace(worker))
    }

    /// The checker's mutex in parking_lot's form.
    #[derive(Debug)]
    pub(crate) struct Mutex<T>(checker::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(checker::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> checker::sync::MutexGuard<'_, T> {
            self.0.lock().unwrap()
        }
    }

    impl<T: Default> Default for Mutex<T> {
        fn default() -> Self {
            Self::new(T::default())
        }
    }
}

#[cfg(not(loom))]
mod cell {
    /// `std::cell::UnsafeCell` with loom's way of access.
    #[derive(Debug)]
    #[repr(transparent)]
    pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }

        /// Lends a pointer to write through.
        #[inline(always)]
        pub(crate) fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
            write(self.0.get())
        }
    }
}

#[cfg(not(loom))]
pub(crate) use cell::UnsafeCell;
pub(crate) use real::*;
