//! The smallest executor: one future, one thread.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Runs one future to its end on this thread; the thread is parked while there is nothing to do.
///
/// It knows no tasks. Calls may be nested: the inner one blocks the outer one until it is done.
/// The waker is kept for the thread's next call, so that a future that is ready at once costs no
/// allocation.
///
/// ```
/// assert_eq!(executor::block_on(async { 6 * 7 }), 42);
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let parker = SPARE
        .try_with(Cell::take)
        .ok()
        .flatten()
        .unwrap_or_else(Parker::new);
    let mut cx = Context::from_waker(&parker.waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            // A panic in the poll above only costs the next call an allocation.
            let _ = SPARE.try_with(|spare| spare.set(Some(parker)));
            return output;
        }
        parker.bell.wait();
    }
}

thread_local! {
    // Empty while a `block_on` of this thread uses it: a nested call makes its own.
    static SPARE: Cell<Option<Parker>> = const { Cell::new(None) };
}

struct Parker {
    bell: Arc<Bell>,
    waker: Waker,
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
