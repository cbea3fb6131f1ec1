//! `LocalExecutor`: many tasks on one thread.

pub(crate) mod abort;
mod batch;
pub(crate) mod builder;
pub(crate) mod handle;
mod header;
mod hub;
mod hub_ref;
mod inbox;
mod live;
mod memory;
pub(crate) mod metrics;
mod order;
mod ready;
mod remote;
pub(crate) mod root;
mod run;
pub(crate) mod spawner;
pub(crate) mod task_set;
mod waker;
mod watch;

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::pin;
use std::task::{Poll, Waker};

use crate::local::builder::LocalBuilder;
use crate::local::handle::LocalJoinHandle;
use crate::local::header::{HANDLE, SCHEDULED, TaskPtr, WATCHED};
use crate::local::hub::{Hub, Running, Scope};
use crate::local::hub_ref::OwnerRef;
use crate::local::metrics::LocalMetrics;
use crate::local::root::{BlockingRoot, Busy, Root};
use crate::local::spawner::LocalSpawner;

/// An executor for one thread: its tasks need not be `Send`, and may borrow what outlives it
/// (`'a`).
///
/// Spawn, wake, poll, complete and join cost no atomic read-modify-write on this thread; wakers may
/// go to any other. Dropping the executor drops every future once, here. Wakers and handles may
/// outlive it.
///
/// Run it with [`block_on`](Self::block_on), or inside a loop of your own with
/// [`run_batch`](Self::run_batch) and [`has_ready`](Self::has_ready).
///
/// ```
/// let words = vec!["tea", "time"]; // borrowed by the tasks: it must outlive the executor
/// let executor = executor::LocalExecutor::new();
/// let lengths: Vec<_> = words.iter().map(|word| executor.spawn(async { word.len() })).collect();
/// let total = executor.block_on(async {
///     let mut total = 0;
///     for length in lengths {
///         total += length.await.unwrap();
///     }
///     total
/// });
/// assert_eq!(total, 7);
/// ```
///
/// A task cannot borrow what goes before the executor does:
/// ```compile_fail,E0597
/// let executor = executor::LocalExecutor::new();
/// let word = String::from("tea");
/// executor.spawn(async { word.len() });
/// ```
///
/// It cannot leave its thread, nor be lent to another:
/// ```compile_fail,E0277
/// fn send<T: Send>(_: T) {}
/// send(executor::LocalExecutor::new());
/// ```
/// ```compile_fail,E0277
/// fn share<T: Sync>(_: &T) {}
/// share(&executor::LocalExecutor::new());
/// ```
///
/// Nor can one that lives long pass for one that goes soon, which could then be given what is
/// borrowed from here:
/// ```compile_fail
/// use executor::LocalExecutor;
/// fn shorten<'a>(executor: &'a LocalExecutor<'static>) -> &'a LocalExecutor<'a> { executor }
/// ```
pub struct LocalExecutor<'a> {
    pub(crate) hub: OwnerRef,
    pub(crate) root: TaskPtr,
    // Invariant in 'a: a longer-lived executor is no shorter-lived one, nor the other way round.
    pub(crate) lifetime: PhantomData<Cell<&'a ()>>,
}

impl<'a> LocalExecutor<'a> {
    /// An executor owned by this thread.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// An executor inside a host's loop: `host` is woken when something arrives from another thread
    /// while the host may be waiting.
    #[must_use]
    pub fn with_waker(host: Waker) -> Self {
        Self::builder().waker(host).build()
    }

    /// Sets an executor up.
    pub fn builder() -> LocalBuilder {
        LocalBuilder::new()
    }

    /// Spawns a task; it is first polled in the next batch.
    ///
    /// The host waker is not called, as this is the owner's thread: a host that spawns outside of a
    /// batch runs one, or looks at [`has_ready`](Self::has_ready), before it waits.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> LocalJoinHandle<F::Output>
    where
        F: Future + 'a,
        F::Output: 'a,
    {
        spawn_on(&self.hub, None, future)
    }

    /// Spawns a task with a name, for the observer.
    #[track_caller]
    pub fn spawn_named<F>(&self, name: &str, future: F) -> LocalJoinHandle<F::Output>
    where
        F: Future + 'a,
        F::Output: 'a,
    {
        spawn_on(&self.hub, Some(name), future)
    }

    /// A way to spawn that does not borrow the executor.
    #[must_use]
    pub fn spawner(&self) -> LocalSpawner<'a> {
        let hub = self.hub.clone();
        LocalSpawner {
            hub,
            lifetime: PhantomData,
        }
    }

    /// While the guard is there, wakes on this thread go straight into the ready queue.
    /// `run_batch`, `block_on` and a root's poll enter by themselves; a host enters around its
    /// whole loop, so that the wakes its reactor and timers do stay on this path as well. Without
    /// it they are still right, but go through the inbox and call the host waker. A wake that stays
    /// on the thread does not call it: a host looks at [`has_ready`](Self::has_ready) before it
    /// waits.
    #[must_use = "left when dropped"]
    pub fn enter(&self) -> Entered<'_> {
        self.hub.guards.set(self.hub.guards.get() + 1);
        Entered {
            hub: &self.hub,
            _scope: self.hub.enter_scope(),
        }
    }

    /// A future to be polled in place, woken through this executor.
    pub fn root<F: Future>(&self, future: F) -> Root<'_, F> {
        Root::new(&self.hub, future)
    }

    /// Polls the tasks that were ready when the batch began, at most as many as the builder's
    /// `batch_max`; true when more are ready now. What tasks make ready meanwhile is for the next
    /// batch, so a task that wakes itself cannot keep the caller here.
    ///
    /// # Panics
    /// When called inside a task of the same executor. Panics of tasks do not get here.
    pub fn run_batch(&self) -> bool {
        let _busy = Busy::begin(&self.hub, Running::Batch, "LocalExecutor::run_batch");
        let _entered = self.hub.enter_scope();
        batch::batches(&self.hub, 1);
        self.hub.has_ready()
    }

    /// Runs batches until nothing is ready, a root was woken, or `polls` tasks were polled (the
    /// batch that gets there is finished); true when more are ready now.
    ///
    /// For a host that pays for each look at the outside, by a system call for instance: a chain of
    /// tasks that wake one another is one task a batch, and one look a task would cost many times
    /// what the tasks do. `polls` bounds how long the outside waits for the next look.
    ///
    /// ```
    /// use executor::{LocalExecutor, yield_now};
    ///
    /// let executor = LocalExecutor::new();
    /// let count = executor.spawn(async {
    ///     for _ in 0..100 {
    ///         yield_now().await; // one batch each
    ///     }
    /// });
    /// assert!(executor.run_batches(64)); // the host looks outside, and comes back
    /// assert!(!count.is_finished());
    /// assert!(!executor.run_batches(64));
    /// assert!(count.is_finished());
    /// ```
    ///
    /// # Panics
    /// When called inside a task of the same executor. Panics of tasks do not get here.
    pub fn run_batches(&self, polls: usize) -> bool {
        let _busy = Busy::begin(&self.hub, Running::Batch, "LocalExecutor::run_batches");
        let _entered = self.hub.enter_scope();
        batch::batches(&self.hub, polls);
        self.hub.has_ready()
    }

    /// Whether a batch, or a root, has something to do: tasks ready here or woken elsewhere.
    #[must_use]
    pub fn has_ready(&self) -> bool {
        self.hub.has_ready()
    }

    /// What it has done so far.
    #[must_use]
    pub fn metrics(&self) -> LocalMetrics {
        let longest_poll = self
            .hub
            .settings
            .watch
            .as_ref()
            .map(|watch| watch.longest_poll());
        self.hub.counters.metrics(&self.hub.ready, longest_poll)
    }

    /// Runs the tasks until `future`, which is polled in place, is done; the thread is parked while
    /// there is nothing to do. What is still unfinished then stays, for the next call.
    ///
    /// # Panics
    /// When called inside a task, a root or another `block_on` of the same executor; that of
    /// another executor is fine. A panic of `future` goes through.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let busy = Busy::begin(&self.hub, Running::BlockOn, "LocalExecutor::block_on");
        let _entered = self.hub.enter_scope();
        let root = BlockingRoot::new(&self.hub, self.root, &busy);
        let mut future = pin!(future); // goes before the root: its last wakes have somewhere to go
        loop {
            if let Poll::Ready(output) = root.task().poll(future.as_mut()) {
                return output;
            }
            root.task().wait();
        }
    }
}

#[inline]
#[track_caller]
fn spawn_on<F: Future>(
    hub: &OwnerRef,
    name: Option<&str>,
    future: F,
) -> LocalJoinHandle<F::Output> {
    if hub.closed.get() {
        run::refuse(hub, future);
        return LocalJoinHandle::never_began();
    }
    match &hub.settings.watch {
        None => LocalJoinHandle::spawn(hub, future, SCHEDULED | HANDLE),
        Some(watch) => {
            let handle = LocalJoinHandle::spawn(hub, future, SCHEDULED | HANDLE | WATCHED);
            if let Some(task) = handle.task() {
                watch.spawned(task, name, Location::caller());
            }
            handle
        }
    }
}

impl Default for LocalExecutor<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for LocalExecutor<'_> {
    fn drop(&mut self) {
        {
            let _entered = self.hub.enter_scope();
            run::close(&self.hub);
        }
        self.hub.leak_if_named();
    }
}

impl fmt::Debug for LocalExecutor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalExecutor")
            .field("has_ready", &self.has_ready())
            .finish_non_exhaustive()
    }
}

/// The executor is entered on this thread while this is there; from [`LocalExecutor::enter`].
///
/// It stays there:
/// ```compile_fail,E0277
/// fn send<T: Send>(_: T) {}
/// let executor = executor::LocalExecutor::new();
/// send(executor.enter());
/// ```
pub struct Entered<'e> {
    hub: &'e Hub,
    _scope: Scope<'e>,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.hub.guards.set(self.hub.guards.get() - 1);
    }
}

impl fmt::Debug for Entered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").finish()
    }
}
