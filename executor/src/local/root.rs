//! A future its owner polls in place, woken through the executor.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::local::header::{COMPLETE, ROOT, TaskPtr, WOKEN};
use crate::local::hub::Hub;
use crate::local::hub_ref::OwnerRef;
use crate::local::{run, waker};

pin_project! {
    /// A future that is not spawned but polled in place by whoever drives the executor: it may
    /// borrow from the surrounding function, and its output needs no handle.
    ///
    /// Made by [`LocalExecutor::root`](crate::LocalExecutor::root).
    pub struct Root<'e, F> {
        hub: &'e Hub,
        task: TaskPtr,
        #[pin]
        future: F,
    }

    impl<F> PinnedDrop for Root<'_, F> {
        fn drop(this: Pin<&mut Self>) {
            finish(this.hub, this.task);
        }
    }
}

impl<'e, F: Future> Root<'e, F> {
    pub(crate) fn new(hub: &'e OwnerRef, future: F) -> Self {
        let task = hub.spare_root.take().unwrap_or_else(|| {
            // Its task has no future of its own: it only collects wakes.
            let task = run::spawn(hub, std::future::pending::<()>(), ROOT);
            hub.live.insert(task);
            task
        });
        hub.schedule(task);
        Root { hub, task, future }
    }

    /// Polls the future if it was woken since the last call, or never polled before.
    ///
    /// `Pending` also after the output was given.
    ///
    /// # Panics
    /// When called inside a task of the same executor. A panic of the future goes through.
    pub fn poll_if_woken(self: Pin<&mut Self>) -> Poll<F::Output> {
        let this = self.project();
        if !this.task.has(WOKEN) {
            return Poll::Pending;
        }
        let _busy = Busy::begin(this.hub, "Root::poll_if_woken");
        let _entered = this.hub.enter();
        forget_wake(this.hub, *this.task);
        let waker = waker::lend(*this.task);
        let output = this.future.poll(&mut Context::from_waker(&waker));
        if output.is_ready() {
            this.task.set(COMPLETE);
            forget_wake(this.hub, *this.task);
        }
        output
    }
}

fn forget_wake(hub: &Hub, task: TaskPtr) {
    if task.has(WOKEN) {
        task.clear(WOKEN);
        hub.roots_woken.set(hub.roots_woken.get() - 1);
    }
}

/// The root goes. Without wakers its task serves the next root; else, as the task's future is an
/// empty one, this is a cancellation, and the wakers left wake nothing any more.
fn finish(hub: &Hub, task: TaskPtr) {
    task.clear(COMPLETE);
    forget_wake(hub, task);
    if hub.spare_root.get().is_none() && task.remote.is_unreferenced(task.wakers.get()) {
        task.wakers.set(0);
        task.remote.reset();
        hub.spare_root.set(Some(task));
    } else {
        run::cancel(hub, task);
    }
}

/// Marks the executor as in use, against being re-entered.
pub(crate) struct Busy<'e>(&'e Hub);

impl<'e> Busy<'e> {
    #[track_caller]
    pub(crate) fn begin(hub: &'e Hub, what: &str) -> Self {
        assert!(
            !hub.busy.replace(true),
            "{what} was called from inside a future that the same LocalExecutor is polling; \
             await the future there, or use another executor",
        );
        Busy(hub)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.set(false);
    }
}

impl<F> fmt::Debug for Root<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root")
            .field("is_woken", &self.task.has(WOKEN))
            .finish()
    }
}
