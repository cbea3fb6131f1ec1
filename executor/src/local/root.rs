//! A future its owner polls in place, woken through the executor.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::local::header::{BLOCKING, RESTING, ROOT, TaskPtr, WOKEN};
use crate::local::hub::{Hub, Running};
use crate::local::hub_ref::OwnerRef;
use crate::local::{batch, run, waker};

/// Stands for a root among the tasks: it has no future of its own, it only collects wakes.
///
/// One serves many roots, one after the other, also if wakers of the one before are still about:
/// they wake the next root for nothing, which every future has to bear, and between two roots
/// they wake nobody. So whoever calls `block_on` again and again comes with the same waker, and what
/// it waits for need not exchange the one it holds.
#[derive(Clone, Copy)]
pub(crate) struct RootTask<'e> {
    hub: &'e Hub,
    task: TaskPtr,
}

impl<'e> RootTask<'e> {
    #[cold]
    fn create(hub: &'e OwnerRef, flags: u16) -> TaskPtr {
        let task = run::spawn(hub, std::future::pending::<()>(), flags);
        hub.live.insert(task);
        task
    }

    /// Whether it was woken since this was last asked.
    #[inline]
    pub(crate) fn take_wake(self) -> bool {
        let woken = self.task.has(WOKEN);
        if woken {
            self.task.clear(WOKEN);
            self.hub.roots_woken.set(self.hub.roots_woken.get() - 1);
        }
        woken
    }

    /// Polls the root's future with the waker of this task.
    #[inline]
    pub(crate) fn poll<F: Future>(self, future: Pin<&mut F>) -> Poll<F::Output> {
        let waker = waker::lend(self.task);
        future.poll(&mut Context::from_waker(&waker))
    }

    /// Runs batches until it is woken; parks the thread while there is nothing to do. At least one
    /// batch, also when it is woken already: a root that wakes itself leaves the tasks their turn.
    pub(crate) fn wait(self) {
        batch::batches(self.hub, usize::MAX);
        while !self.take_wake() {
            batch::batches_or_sleep(self.hub);
        }
    }

    /// A host's root has ended or goes: wakes are for nobody.
    fn rest(self) {
        self.take_wake();
        self.task.set(RESTING);
    }

    /// There is a spare one already. The task's future is an empty one, so this is a cancellation.
    #[cold]
    fn abandon(self) {
        run::cancel(self.hub, self.task);
    }
}

/// The task of the roots of `block_on`, one at a time. It is made with the executor, so that a future
/// that is ready at once costs no look whether it is there.
pub(crate) fn for_block_on(hub: &OwnerRef) -> TaskPtr {
    RootTask::create(hub, ROOT | BLOCKING)
}

/// The root of a `block_on`.
pub(crate) struct BlockingRoot<'e>(RootTask<'e>);

impl<'e> BlockingRoot<'e> {
    /// `task` is that of `for_block_on`. Wakes are for this root as long as the hub is marked as
    /// `Running::BlockOn` by the caller.
    #[inline]
    pub(crate) fn new(hub: &'e Hub, task: TaskPtr, _busy: &Busy<'_>) -> Self {
        BlockingRoot(RootTask { hub, task })
    }

    pub(crate) fn task(&self) -> RootTask<'e> {
        self.0
    }
}

impl Drop for BlockingRoot<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.0.hub.roots_woken.get() > 0 {
            self.0.take_wake();
        }
    }
}

/// The root of a host's loop has the task to itself.
struct OwnRoot<'e>(RootTask<'e>);

impl<'e> OwnRoot<'e> {
    fn new(hub: &'e OwnerRef) -> Self {
        let task = match hub.spare_root.take() {
            None => RootTask::create(hub, ROOT),
            Some(spare) => {
                spare.clear(RESTING);
                spare
            }
        };
        OwnRoot(RootTask { hub, task })
    }
}

impl Drop for OwnRoot<'_> {
    fn drop(&mut self) {
        let spare = &self.0.hub.spare_root;
        self.0.rest();
        match spare.get() {
            None => spare.set(Some(self.0.task)),
            Some(_) => self.0.abandon(),
        }
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
        task: OwnRoot<'e>,
    }
}

impl<'e, F: Future> Root<'e, F> {
    pub(crate) fn new(hub: &'e OwnerRef, future: F) -> Self {
        let task = OwnRoot::new(hub);
        hub.schedule(task.0.task);
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
        let root = this.task.0;
        let hub = root.hub;
        if !root.task.has(WOKEN) {
            return Poll::Pending;
        }
        let _busy = Busy::begin(hub, Running::Batch, "Root::poll_if_woken");
        let _entered = hub.enter_scope();
        root.take_wake();
        let output = root.poll(this.future);
        if output.is_ready() {
            root.rest();
        }
        output
    }
}

/// Marks the executor as in use, against being re-entered.
pub(crate) struct Busy<'e>(&'e Hub);

impl<'e> Busy<'e> {
    #[inline]
    #[track_caller]
    pub(crate) fn begin(hub: &'e Hub, running: Running, what: &str) -> Self {
        let before = hub.running.replace(running);
        if before != Running::Nothing {
            hub.running.set(before);
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
        self.0.running.set(Running::Nothing);
    }
}

impl<F> fmt::Debug for Root<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root")
            .field("is_woken", &self.task.0.task.has(WOKEN))
            .finish()
    }
}
