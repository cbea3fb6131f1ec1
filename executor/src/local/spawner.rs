//! Spawning from inside the executor's own tasks.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;

use crate::local::handle::LocalJoinHandle;
use crate::local::hub_ref::OwnerRef;
use crate::local::spawn_on;

/// Spawns onto a [`LocalExecutor`](crate::LocalExecutor) without borrowing it, so that tasks can
/// spawn their siblings.
///
/// It does not keep the executor alive. Once that is gone, a spawn drops the future at once and its
/// handle says cancelled.
///
/// ```
/// let executor = executor::LocalExecutor::new();
/// let spawner = executor.spawner();
/// let sum = executor.spawn(async move {
///     let one = spawner.spawn(async { 1 });
///     let two = spawner.spawn(async { 2 });
///     one.await.unwrap() + two.await.unwrap()
/// });
/// assert_eq!(executor.block_on(sum).unwrap(), 3);
/// ```
///
/// It cannot leave its thread:
/// ```compile_fail,E0277
/// fn send<T: Send>(_: T) {}
/// send(executor::LocalExecutor::new().spawner());
/// ```
///
/// It may outlive its executor, but not what the executor's tasks may borrow:
/// ```compile_fail,E0597
/// let word = String::from("tea");
/// let executor = executor::LocalExecutor::new();
/// let spawner = executor.spawner();
/// {
///     let inner = String::from("time");
///     spawner.spawn(async { inner.len() + word.len() });
/// }
/// ```
pub struct LocalSpawner<'a> {
    pub(crate) hub: OwnerRef,
    pub(crate) lifetime: PhantomData<Cell<&'a ()>>,
}

impl<'a> LocalSpawner<'a> {
    /// Spawns a task; it is first polled in the executor's next batch. The host waker is not called:
    /// see [`LocalExecutor::spawn`](crate::LocalExecutor::spawn).
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

    /// Whether the executor is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.hub.closed.get()
    }
}

impl Clone for LocalSpawner<'_> {
    fn clone(&self) -> Self {
        LocalSpawner {
            hub: self.hub.clone(),
            lifetime: PhantomData,
        }
    }
}

impl fmt::Debug for LocalSpawner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSpawner")
            .field("is_closed", &self.is_closed())
            .finish()
    }
}
