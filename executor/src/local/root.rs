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

/// Stands for a root among the tasks: it has no future of its own, it only collects wakes.
pub(crate) struct RootTask<'e> {
    hub: &'e Hub,
    task: TaskPtr,
}

impl<'e> RootTask<'e> {
    #[inline]
    pub(crate) fn new(hub: &'e OwnerRef) -> Self {
        let task = hub.spare_root.take().unwrap_or_else(|| {
            let task = run::spawn(hub, std::future::pending::<()>(), ROOT);
            hub.live.insert(task);
            task
        });
        RootTask { hub, task }
    }

    /// Whether it was woken since this was last asked.
    #[inline]
    pub(crate) fn take_wake(&self) -> bool {
        let woken = self.task.has(WOKEN);
        if woken {
            self.task.clear(WOKEN);
            self.hub.roots_woken.set(self.hub.roots_woken.get() - 1);
        }
        woken
    }

    /// Polls the root's future with the waker of this task.
    #[inline]
    pub(crate) fn poll<F: Future>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        let waker = waker::lend(self.task);
        future.poll(&mut Context::from_waker(&waker))
    }

    /// Runs batches until it is woken; parks the thread while there is nothing to do. At least one
    /// batch, also when it is woken already: a root that wakes itself leaves the tasks their turn.
    pub(crate) fn wait(&self) {
        run::batches(self.hub, usize::MAX);
        while !self.take_wake() {
            run::batches_or_sleep(self.hub);
        }
    }
}

/// The root goes. Without wakers its task serves the next root; else, as the task's future is an
/// empty one, this is a cancellation, and the wakers left wake nothing any more.
impl Drop for RootTask<'_> {
    #[inline]
    fn drop(&mut self) {
        let (hub, task) = (self.hub, self.task);
        self.take_wake();
        let untouched = task.wakers.get() == 0 && task.remote.is_zero();
        let unreferenced = untouched || task.remote.is_unreferenced(task.wakers.get());
        task.clear(COMPLETE);
        if !unreferenced || hub.spare_root.get().is_some() {
            return run::cancel(hub, task);
        }
        if !untouched {
            task.wakers.set(0);
            task.remote.reset();
        }
        hub.spare_root.set(Some(task));
    }
}

pin_project! {
    /// A future that is not spawned but polled in place by whoever drives the executor: it may
    /// borrow from the surrounding function, and its output needs no handle.
    ///
    /// Made by [`LocalExecutor::root`](crate::LocalExecutor::root). It stays on its thread:
    /// ```compile_fail,E0277
    /// fn send<T: Send>(_: T) {}
    /// let executor = executor::LocalExecutor::new();
    /// send(executor.root(async {}));
    /// ```
    pub struct Root<'e, F> {
        // Before the task: a wake from the future's drop still has one.
        #[pin]
        future: F,
        task: RootTask<'e>,
    }
}

impl<'e, F: Future> Root<'e, F> {
    pub(crate) fn new(hub: &'e OwnerRef, future: F) -> Self {
        let task = RootTask::new(hub);
        hub.schedule(task.task);
        Root { future, task }
    }

    /// Polls the future if it was woken since the last call, or never polled before.
    ///
    /// `Pending` also after the output was given.
    ///
    /// # Panics
    /// When called inside a task of the same executor. A panic of the future goes through.
    pub fn poll_if_woken(self: Pin<&mut Self>) -> Poll<F::Output> {
        let this = self.project();
        let hub = this.task.hub;
        if !this.task.task.has(WOKEN) {
            return Poll::Pending;
        }
        let _busy = Busy::begin(hub, "Root::poll_if_woken");
        let _entered = hub.enter_scope();
        this.task.take_wake();
        let output = this.task.poll(this.future);
        if output.is_ready() {
            this.task.task.set(COMPLETE); // wakes from now on are for nobody
            this.task.take_wake();
        }
        output
    }
}

/// Marks the executor as in use, against being re-entered.
pub(crate) struct Busy<'e>(&'e Hub);

impl<'e> Busy<'e> {
    #[inline]
    #[track_caller]
    pub(crate) fn begin(hub: &'e Hub, what: &str) -> Self {
        if hub.busy.replace(true) {
            refuse(what);
        }
        Busy(hub)
    }
}

#[cold]
#[track_caller]
fn refuse(what: &str) -> ! {
    panic!(
        "{what} was called from inside a future that the same LocalExecutor is polling; \
         await the future there, or use another executor",
    );
}

impl Drop for Busy<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.busy.set(false);
    }
}

impl<F> fmt::Debug for Root<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root")
            .field("is_woken", &self.task.task.has(WOKEN))
            .finish()
    }
}
