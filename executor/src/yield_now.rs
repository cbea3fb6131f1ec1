//! Giving others a turn.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Goes to the back of the ready queue, once: every task that is ready now runs first.
///
/// It works under any executor that is fair; it only wakes its own waker and returns `Pending`.
///
/// ```
/// use std::{cell::RefCell, rc::Rc};
///
/// let executor = executor::LocalExecutor::new();
/// let trace = Rc::new(RefCell::new(Vec::new()));
/// for name in ["a", "b"] {
///     let trace = trace.clone();
///     executor.spawn(async move {
///         trace.borrow_mut().push(format!("{name}1"));
///         executor::yield_now().await;
///         trace.borrow_mut().push(format!("{name}2"));
///     });
/// }
/// while executor.run_batch() {}
/// assert_eq!(*trace.borrow(), ["a1", "b1", "a2", "b2"]);
/// ```
pub fn yield_now() -> YieldNow {
    YieldNow { yielded: false }
}

/// The future of [`yield_now`].
///
/// Nothing depends on it: it may be dropped at any time.
#[derive(Debug)]
#[must_use = "a future does nothing unless awaited"]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
