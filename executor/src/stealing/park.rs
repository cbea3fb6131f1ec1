//! Where a worker waits when there is nothing to do.

use std::sync::Arc;
use std::task::{Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

/// A place where a worker waits: on its thread, in a reactor, for a timer.
///
/// The worker calls `park` when it has nothing to run, and now and then with a patience of zero
/// while it is busy, so that a driver is asked for events also by workers that never rest. What
/// `park` wakes from within goes straight into the worker's own queue.
///
/// Several workers may share one driver: let `park` try its lock, wait in the driver if it got it
/// and on the thread if not, and let the unparker end either.
///
/// ```
/// use executor::{Executor, Park, ThreadPark};
/// use std::{task::Waker, time::Duration};
///
/// /// Counts how often its worker rests.
/// struct Counted(ThreadPark, u32);
///
/// impl Park for Counted {
///     fn park(&mut self, patience: Option<Duration>) {
///         self.1 += 1;
///         self.0.park(patience);
///     }
///     fn unparker(&self) -> Waker {
///         self.0.unparker()
///     }
/// }
///
/// let park = |_worker| Counted(ThreadPark::new(), 0);
/// let executor = Executor::builder().workers(2).park_with(park).build()?;
/// assert_eq!(executor::block_on(executor.spawn(async { 6 * 7 })).unwrap(), 42);
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait Park: Send + 'static {
    /// Waits until the unparker is woken, something happened that woke a task, or `patience` is
    /// over; with no patience given, for ever. Zero asks without waiting.
    ///
    /// A wake of the unparker that came before ends the wait at once. Returning early is allowed.
    /// A panic is contained and counts as a return.
    fn park(&mut self, patience: Option<Duration>);

    /// Whether something is driven here, I/O or timers, that must be asked also while this worker
    /// is busy, and taken over by another when it stays away. The default says yes.
    fn is_driver(&self) -> bool {
        true
    }

    /// What ends the wait, from any thread. Asked for once, on the worker's thread.
    ///
    /// A panic here or in `is_driver` closes the executor: a worker that nobody can wake would keep
    /// its tasks waiting for ever.
    fn unparker(&self) -> Waker;
}

/// Waits on the thread itself: a futex, where the system has it. The default.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ThreadPark {}

impl ThreadPark {
    /// Parks whichever thread calls it.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

impl Park for ThreadPark {
    #[inline]
    fn park(&mut self, patience: Option<Duration>) {
        match patience {
            None => thread::park(),
            Some(Duration::ZERO) => {}
            Some(patience) => thread::park_timeout(patience),
        }
    }

    fn is_driver(&self) -> bool {
        false
    }

    fn unparker(&self) -> Waker {
        Waker::from(Arc::new(Unpark(thread::current())))
    }
}

// A task that parks this thread for its own reasons may eat a token: it then runs, so its worker
// does not sleep, and no token meant for a sleeping worker can be eaten by it.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
