//! Tasks as spans (feature `tracing`), named the way tokio-console reads them.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tracing::Span;

use crate::observe::{Observer, TaskEnd, TaskId, TaskInfo};

/// An observer that makes each task a `tracing` span, entered while the task is polled.
///
/// Span and fields are the ones that tokio-console's subscriber looks for: `runtime.spawn` at
/// target `tokio::task` with `task.id`, `task.name`, `kind` and `loc.*`; wakes are events at target
/// `tokio::task::waker`. Any other subscriber sees which task its events belong to.
///
/// ```
/// use executor::{LocalExecutor, TaskSpans};
///
/// let executor = LocalExecutor::builder().observer(TaskSpans::new()).build();
/// executor.block_on(executor.spawn_named("tea", async { tracing::info!("in the span")
/// })).unwrap();
/// ```
#[derive(Debug, Default)]
pub struct TaskSpans {
    tasks: Mutex<HashMap<TaskId, Entry>>,
}

#[derive(Debug)]
struct Entry {
    span: Span,
    /// Entered: the end of the poll leaves it.
    polled: bool,
    /// Ended in this poll: the end of the poll also removes it.
    ended: bool,
}

impl TaskSpans {
    /// An observer without tasks yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes a task's entry, and gives its span: the subscriber is called without the lock.
    fn change(&self, task: TaskId, change: impl FnOnce(&mut Entry)) -> Option<Span> {
        let mut tasks = self.tasks.lock();
        let entry = tasks.get_mut(&task)?;
        change(entry);
        if entry.ended && !entry.polled {
            return tasks.remove(&task).map(|entry| entry.span);
        }
        Some(entry.span.clone())
    }
}

impl Observer for TaskSpans {
    fn spawned(&self, task: &TaskInfo<'_>) {
        let span = tracing::trace_span!(
            target: "tokio::task",
            parent: None,
            "runtime.spawn",
            kind = "task",
            task.name = task.name.unwrap_or_default(),
            task.id = task.id.get(),
            loc.file = task.location.file(),
            loc.line = task.location.line(),
            loc.col = task.location.column(),
        );
        if let Some(id) = span.id() {
            // A console counts the wakers there are, and warns of tasks without any. Clones are not
            // told to observers, so this one stands for the executor's own way to wake it.
            let id = id.into_u64();
            tracing::trace!(target: "tokio::task::waker", op = "waker.clone", task.id = id);
        }
        let entry = Entry {
            span,
            polled: false,
            ended: false,
        };
        self.tasks.lock().insert(task.id, entry);
    }

    fn woken(&self, task: TaskId) {
        let id = self.change(task, |_| {}).and_then(|span| span.id());
        if let Some(id) = id {
            let id = id.into_u64();
            tracing::trace!(target: "tokio::task::waker", op = "waker.wake_by_ref", task.id = id);
        }
    }

    fn poll_begins(&self, task: TaskId) {
        if let Some(span) = self.change(task, |entry| entry.polled = true) {
            span.with_subscriber(|(id, dispatch)| dispatch.enter(id));
        }
    }

    fn poll_ends(&self, task: TaskId, _: Duration) {
        if let Some(span) = self.change(task, |entry| entry.polled = false) {
            span.with_subscriber(|(id, dispatch)| dispatch.exit(id));
        }
    }

    fn ended(&self, task: TaskId, _: TaskEnd) {
        self.change(task, |entry| entry.ended = true);
    }
}
