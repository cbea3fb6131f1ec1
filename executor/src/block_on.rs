//! The smallest executor: one future, one thread.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Runs one future to its end on this thread; the thread is parked while there is nothing to do.
///
/// It knows no tasks. Calls may be nested: the inner one blocks the outer one until it is done.
/// The waker is made once for the thread, so that a future that is ready at once costs next to
/// nothing.
///
/// ```
/// assert_eq!(executor::block_on(async { 6 * 7 }), 42);
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let outcome = PARKER.try_with(|parker| {
        let _claim = parker.claim()?;
        Some(parker.run(future.as_mut()))
    });
    match outcome {
        Ok(Some(output)) => output,
        // A nested call, or a thread that is ending: a parker of its own.
        _ => Parker::new().run(future),
    }
}

thread_local! {
    static PARKER: Parker = Parker::new();
}

/// What one thread needs to wait, with the waker that ends the wait.
struct Parker {
    bell: Arc<Bell>,
    waker: Waker,
    claimed: Cell<bool>,
}

/// The thread's own parker is in use: a nested call must not take its wakes.
struct Claim<'p>(&'p Parker);

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.0.claimed.set(false);
    }
}

impl Parker {
    fn new() -> Self {
        let bell = Arc::new(Bell {
            rung: AtomicBool::new(false),
            thread: thread::current(),
        });
        Parker {
            waker: Waker::from(bell.clone()),
            bell,
            claimed: Cell::new(false),
        }
    }

    #[inline]
    fn claim(&self) -> Option<Claim<'_>> {
        if self.claimed.replace(true) {
            None
        } else {
            Some(Claim(self))
        }
    }

    #[inline]
    fn run<F: Future>(&self, mut future: Pin<&mut F>) -> F::Output {
        let mut cx = Context::from_waker(&self.waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
            self.bell.wait();
        }
    }
}

/// A flag of our own beside the thread's park token: user code may park and unpark this thread
/// for its own reasons, which must not eat a wake-up.
struct Bell {
    rung: AtomicBool,
    thread: Thread,
}

impl Bell {
    fn wait(&self) {
        // Acquire: what was written before `wake` is seen by the next poll.
        while !self.rung.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release: pairs with the Acquire in `wait`. Only the first ring needs the system call.
        if !self.rung.swap(true, Ordering::Release) {
            self.thread.unpark();
        }
    }
}
