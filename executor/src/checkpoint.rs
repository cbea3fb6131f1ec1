//! The cooperative budget: for tasks whose awaits are always ready.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// How many checkpoints one poll of a task may pass.
const PER_POLL: u32 = 128;

thread_local! {
    static LEFT: Cell<u32> = const { Cell::new(PER_POLL) };
}

/// A poll begins: it has the whole budget.
#[inline]
pub(crate) fn refill() {
    LEFT.set(PER_POLL);
}

/// Passes at once, most of the time; when this poll of the task has passed 128 of them, it yields.
///
/// A task that wakes itself cannot starve others anyway, as a batch polls each ready task once. But
/// a task that loops over something always ready (a full buffer, an open channel) never suspends.
/// With a checkpoint in its loop it does, at 1/128 of the price of a
/// [`yield_now`](crate::yield_now). Under a foreign executor nobody refills the budget: there every
/// 128th checkpoint yields.
///
/// ```
/// let executor = executor::LocalExecutor::new();
/// let busy = executor.spawn(async {
///     for _ in 0..1000 {
///         executor::checkpoint().await;
///     }
/// });
/// executor.run_batch();
/// assert!(!busy.is_finished(), "others had their turn");
/// executor.block_on(busy).unwrap();
/// assert_eq!(executor.metrics().polls, 8);
/// ```
pub fn checkpoint() -> Checkpoint {
    Checkpoint { yielded: false }
}

/// The future of [`checkpoint`].
///
/// Nothing depends on it: it may be dropped at any time.
#[derive(Debug)]
#[must_use = "a future does nothing unless awaited"]
pub struct Checkpoint {
    yielded: bool,
}

impl Future for Checkpoint {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match LEFT.get() {
            _ if self.yielded => Poll::Ready(()),
            0 => {
                refill(); // if nobody else does
                self.yielded = true;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            left => {
                LEFT.set(left - 1);
                Poll::Ready(())
            }
        }
    }
}
