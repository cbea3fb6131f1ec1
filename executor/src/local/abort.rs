//! Aborting a task without its join handle.

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::task::Waker;

use crate::local::header::{COMPLETE, TaskPtr};
use crate::local::{run, waker};

/// Stops a task, while somebody else awaits it; from
/// [`LocalJoinHandle::abort_handle`](crate::LocalJoinHandle::abort_handle).
///
/// ```
/// let executor = executor::LocalExecutor::new();
/// let task = executor.spawn(std::future::pending::<()>());
/// let stop = task.abort_handle();
/// executor.spawn(async move { stop.abort() });
/// assert!(executor.block_on(task).unwrap_err().is_cancelled());
/// ```
///
/// It cannot leave its thread:
/// ```compile_fail,E0277
/// fn send<T: Send>(_: T) {}
/// let executor = executor::LocalExecutor::new();
/// send(executor.spawn(async {}).abort_handle());
/// ```
#[derive(Clone)]
pub struct LocalAbortHandle {
    // The waker keeps the task's memory. None: the task never began, or is over.
    held: Option<(TaskPtr, Waker)>,
    not_send: PhantomData<*const ()>,
}

impl LocalAbortHandle {
    pub(crate) fn new(task: Option<TaskPtr>) -> Self {
        let held = task.filter(|task| !task.has(COMPLETE)).map(|task| {
            let lent: ManuallyDrop<Waker> = waker::lend(task);
            (task, Waker::clone(&lent))
        });
        LocalAbortHandle {
            held,
            not_send: PhantomData,
        }
    }

    /// As [`LocalJoinHandle::abort`](crate::LocalJoinHandle::abort).
    pub fn abort(&self) {
        if let Some((task, _)) = self.held {
            run::abort(task);
        }
    }

    /// Whether the task has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.held
            .as_ref()
            .is_none_or(|(task, _)| task.has(COMPLETE))
    }
}

impl fmt::Debug for LocalAbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalAbortHandle")
            .field("is_finished", &self.is_finished())
            .finish()
    }
}
