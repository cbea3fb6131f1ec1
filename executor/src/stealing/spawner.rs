//! Starting tasks.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use super::join::JoinHandle;
use super::pool::Pool;
use super::{task, worker};

/// Starts tasks on an [`Executor`](crate::Executor), from its own tasks, other threads, other
/// executors.
///
/// It does not keep the executor going: once that is gone, spawned futures are dropped and their
/// handles say that they were cancelled.
#[derive(Clone)]
pub struct Spawner {
    pool: Arc<Pool>,
}

impl Spawner {
    pub(super) fn new(pool: Arc<Pool>) -> Self {
        Self { pool }
    }

    /// Starts a task: it is polled by whichever worker comes first.
    ///
    /// On one of the executor's own workers it runs next there, or when the next one is spawned
    /// it queues, until its turn or until another worker steals it; from elsewhere it goes where
    /// all workers look.
    ///
    /// The future may go from thread to thread, so it must be `Send`, and so must its output:
    ///
    /// ```compile_fail,E0277
    /// let executor = executor::Executor::new().unwrap();
    /// let counter = std::rc::Rc::new(1);
    /// executor.spawn(async move { println!("{counter}") }); // `Rc` is not `Send`
    /// ```
    /// ```compile_fail,E0597
    /// let executor = executor::Executor::new().unwrap();
    /// let counter = 1;
    /// let borrowed = &counter;
    /// executor.spawn(async move { *borrowed }); // the task may outlive `counter`
    /// ```
    /// ```compile_fail,E0277
    /// let executor = executor::Executor::new().unwrap();
    /// executor.spawn(async { std::rc::Rc::new(1) }); // nor may the output be `Rc`
    /// ```
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn(&self.pool, None, future)
    }

    /// Starts a task with a name, for the observer.
    #[track_caller]
    pub fn spawn_named<F>(&self, name: &str, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn(&self.pool, Some(name), future)
    }

    /// Whether the executor runs no more tasks: it is gone, or a panic has shut it down.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.pool.idle.0.is_closed()
    }
}

#[track_caller]
pub(super) fn spawn<F>(pool: &Arc<Pool>, name: Option<&str>, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let location = Location::caller();
    let tag = match &pool.settings.watch {
        None => 0,
        Some(watch) => watch.spawned(name, location),
    };
    let spawned = (location, tag);
    JoinHandle::new(worker::with_worker(Arc::as_ptr(pool), |worker| {
        let Some(worker) = worker else {
            // It moves to the home of whoever suspends it first.
            let (task, handle) = task::allocate(future, &pool.homes[0], spawned, |vtable| {
                pool.depot.allocate(vtable)
            });
            pool.inject(task);
            return handle;
        };
        let (task, handle) = task::allocate(future, worker.home(), spawned, |vtable| {
            worker.magazines.allocate(vtable)
        });
        if worker.is_leaving() {
            task.cancel();
        } else {
            worker.push_next(task);
        }
        handle
    }))
}

impl fmt::Debug for Spawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawner").finish_non_exhaustive()
    }
}
