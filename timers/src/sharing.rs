//! The one difference between timers of one thread and timers of many: how state is shared.

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use parking_lot::Mutex;

/// How the parts of the async layer share their wheels; [`Local`] or [`Shared`].
pub trait Sharing: sealed::Parts {}

/// Within one thread: a reference count and a borrow flag, no lock and no atomic. So it cannot
/// leave its thread:
///
/// ```compile_fail,E0277
/// use timers::{Clock, LocalTimers};
/// let timers = LocalTimers::new(Clock::monotonic());
/// std::thread::spawn(move || timers.fire());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Local;

/// Among threads: an atomic reference count and a lock for each shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shared;

impl Sharing for Local {}
impl Sharing for Shared {}

/// Kept from the outside, so that the two forms stay two.
pub(crate) mod sealed {
    use super::*;

    pub trait Parts: Sized + 'static {
        /// A counted reference.
        type Ref<T>: Clone + Unpin + Deref<Target = T>;
        /// What gives out one exclusive borrow at a time.
        type Exclusive<T>;

        fn share<T>(value: T) -> Self::Ref<T>;
        fn exclusive<T>(value: T) -> Self::Exclusive<T>;

        /// Borrows the value for the time of `work`, which must not call user code: that might
        /// come back here.
        fn with<T, R>(exclusive: &Self::Exclusive<T>, work: impl FnOnce(&mut T) -> R) -> R;
    }

    impl Parts for Local {
        type Ref<T> = Rc<T>;
        type Exclusive<T> = RefCell<T>;

        fn share<T>(value: T) -> Rc<T> {
            Rc::new(value)
        }

        fn exclusive<T>(value: T) -> RefCell<T> {
            RefCell::new(value)
        }

        fn with<T, R>(cell: &RefCell<T>, work: impl FnOnce(&mut T) -> R) -> R {
            work(&mut cell.borrow_mut())
        }
    }

    impl Parts for Shared {
        type Ref<T> = Arc<T>;
        type Exclusive<T> = Mutex<T>;

        fn share<T>(value: T) -> Arc<T> {
            Arc::new(value)
        }

        fn exclusive<T>(value: T) -> Mutex<T> {
            Mutex::new(value)
        }

        fn with<T, R>(mutex: &Mutex<T>, work: impl FnOnce(&mut T) -> R) -> R {
            work(&mut mutex.lock())
        }
    }
}
