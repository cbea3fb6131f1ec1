//! What a spawn gives back: the way to a task's output, and to its end.
//!
//! # Invariants
//! 1. The reference in a `JoinHandle<T>` is the join handle's of a task whose future has the output
//!    `T`, and `T` is `Send`.
#![allow(unsafe_code)]

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::task::Reference;
use super::worker::schedule;
use crate::error::JoinError;

/// The output of a spawned task, when it is ready.
///
/// A future on any executor. Dropping it detaches the task, which then goes on by itself. The task
/// is not dropped with it: to stop a task, [`abort`](Self::abort) it.
///
/// ```
/// let executor = executor::Executor::new()?;
/// let task = executor.spawn(async { "tea" });
/// assert_eq!(executor::block_on(task).unwrap(), "tea");
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "dropping a join handle detaches its task; `.detach()` says that it is meant"]
pub struct JoinHandle<T> {
    task: Option<Reference>,
    output: PhantomData<fn() -> T>,
}

impl<T> JoinHandle<T> {
    pub(super) fn new(task: Reference) -> Self {
        Self {
            task: Some(task),
            output: PhantomData,
        }
    }

    /// Lets the task go on by itself. The same as dropping the handle.
    pub fn detach(self) {}

    /// Stops the task: its future is dropped as soon as no poll is at work on it, by a worker.
    ///
    /// Awaiting the handle then gives [`JoinError::is_cancelled`], or the output if the task was
    /// faster. Does nothing when it is done.
    pub fn abort(&self) {
        if let Some(task) = &self.task {
            abort(task);
        }
    }

    /// A handle that can only do that: `Clone`, and without the output's type.
    #[must_use]
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle {
            task: self.task.clone(),
        }
    }

    /// Whether the output is there, or the error that there will be none.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.task
            .as_ref()
            .is_none_or(|task| task.header().state.outcome().is_some())
    }

    /// What awaiting the handle would give, if it would give it at once: for those who are no
    /// future themselves. `None` while the task has not ended, and when the output was given.
    ///
    /// ```
    /// let executor = executor::Executor::new()?;
    /// let mut task = executor.spawn(async { "tea" });
    /// let output = loop {
    ///     if let Some(output) = task.try_join() {
    ///         break output.unwrap();
    ///     }
    ///     std::thread::yield_now(); // or something useful
    /// };
    /// assert_eq!(output, "tea");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_join(&mut self) -> Option<Result<T, JoinError>> {
        let how = self.task.as_ref()?.header().state.outcome()?;
        let task = self.task.take()?;
        // SAFETY: by 1 we are the join handle and `T` is the output, and with the reference we
        // give up the way to come here again.
        Some(unsafe { task.take_result(how) })
    }
}

fn abort(task: &Reference) {
    if let Some(task) = task.abort() {
        schedule(task);
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    /// When it is polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(task) = &self.task else {
            panic!("a join handle was polled after it was ready")
        };
        if task.header().state.outcome().is_none() && task.leave_joiner(cx.waker()) {
            return Poll::Pending;
        }
        match self.try_join() {
            Some(result) => Poll::Ready(result),
            None => Poll::Pending, // not reached: who may leave no joiner finds the outcome
        }
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.drop_handle();
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let task = self.task.as_ref();
        f.debug_struct("JoinHandle")
            .field("spawned_at", &task.map(|task| task.header().spawned_at()))
            .field("finished", &self.is_finished())
            .finish()
    }
}

/// Stops a task; see [`JoinHandle::abort_handle`].
///
/// It keeps the task's memory, but neither its future nor its output.
#[derive(Clone)]
pub struct AbortHandle {
    task: Option<Reference>,
}

impl AbortHandle {
    /// Stops the task, as [`JoinHandle::abort`] does.
    pub fn abort(&self) {
        if let Some(task) = &self.task {
            abort(task);
        }
    }

    /// Whether the task has come to its end.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.task
            .as_ref()
            .is_none_or(|task| task.header().state.outcome().is_some())
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle")
            .field("finished", &self.is_finished())
            .finish()
    }
}
