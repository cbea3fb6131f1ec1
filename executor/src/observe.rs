//! Watching tasks: what an observer is told.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// A task's number; no two tasks of one executor have the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub(crate) u64);

impl TaskId {
    /// The number itself, counted from 1 in order of the spawns.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskId({})", self.0)
    }
}

/// What is known of a task when it is spawned.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TaskInfo<'t> {
    /// Its number.
    pub id: TaskId,
    /// The name it was given, if any.
    pub name: Option<&'t str>,
    /// Where it was spawned.
    pub location: &'static Location<'static>,
}

impl<'t> TaskInfo<'t> {
    pub(crate) fn new(
        id: TaskId,
        name: Option<&'t str>,
        location: &'static Location<'static>,
    ) -> Self {
        TaskInfo { id, name, location }
    }
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskEnd {
    /// It gave its output.
    Output,
    /// It panicked.
    Panicked,
    /// It was aborted, or its executor went.
    Cancelled,
}

/// Told what happens to tasks. An executor that has none pays nothing for the possibility.
///
/// Calls come from inside the executor: an observer must not run it, nor spawn. Its panics are
/// contained. That of an `Executor` must be `Send + Sync`: its workers call it at the same time, and
/// so do threads outside that spawn or wake.
///
/// ```
/// use std::{cell::RefCell, rc::Rc};
/// use executor::{LocalExecutor, Observer, TaskEnd, TaskId, TaskInfo};
///
/// #[derive(Clone, Default)]
/// struct Trace(Rc<RefCell<Vec<String>>>);
///
/// impl Observer for Trace {
///     fn spawned(&self, task: &TaskInfo<'_>) {
///         self.0.borrow_mut().push(format!("{} {} spawned", task.id, task.name.unwrap_or("-")));
///     }
///     fn poll_begins(&self, task: TaskId) {
///         self.0.borrow_mut().push(format!("{task} polled"));
///     }
///     fn ended(&self, task: TaskId, end: TaskEnd) {
///         self.0.borrow_mut().push(format!("{task} ended: {end:?}"));
///     }
/// }
///
/// let trace = Trace::default();
/// let executor = LocalExecutor::builder().observer(trace.clone()).build();
/// executor.spawn_named("tea", async {});
/// executor.run_batch();
/// assert_eq!(*trace.0.borrow(), ["#1 tea spawned", "#1 polled", "#1 ended: Output"]);
/// ```
pub trait Observer {
    /// A task was spawned.
    fn spawned(&self, task: &TaskInfo<'_>) {
        let _ = task;
    }

    /// A task that waited became ready. On a `LocalExecutor` a wake from another thread is told when
    /// it is taken in; on an `Executor` by the thread that wakes, or at the end of the task's poll if
    /// it came during that.
    fn woken(&self, task: TaskId) {
        let _ = task;
    }

    /// A poll begins, on this thread.
    fn poll_begins(&self, task: TaskId) {
        let _ = task;
    }

    /// The poll has ended after `took`; the task may be gone. On a `LocalExecutor` the clock is read
    /// once a poll: `took` is counted from the end of the poll before, if that was in the same batch
    /// or one that followed it at once, and so has the few nanoseconds of the loop in it, and what
    /// the observer did in between.
    fn poll_ends(&self, task: TaskId, took: Duration) {
        let _ = (task, took);
    }

    /// The task's future is gone.
    fn ended(&self, task: TaskId, end: TaskEnd) {
        let _ = (task, end);
    }

    /// A batch of a `LocalExecutor` begins. The wakes told between this and the first poll are those
    /// that came from other threads. Each call of `run_batch` or `run_batches` has at least one,
    /// also with nothing to run.
    fn batch_begins(&self) {}

    /// This thread is that worker of an `Executor`, from now on.
    fn worker_starts(&self, worker: usize) {
        let _ = worker;
    }

    /// This thread's worker has taken so many tasks out of the queue of the worker `from`.
    fn stole(&self, from: usize, tasks: usize) {
        let _ = (from, tasks);
    }

    /// The executor has nothing to do and is about to park this thread.
    fn parks(&self) {}

    /// The thread goes on.
    fn unparks(&self) {}
}
