//! The join handle of a task on a `LocalExecutor`.
//!
//! # Invariants
//! 1. A handle with a task set its HANDLE flag, which keeps the task; it clears it when it lets go.
//! 2. It is `!Send`: all here runs on the owner thread.
//! 3. OUTPUT says the stage holds a live `T`: the handle's type is the output of the task's future.
#![allow(unsafe_code)]

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::error::JoinError;
use crate::local::abort::LocalAbortHandle;
use crate::local::header::{COMPLETE, ENDING, HANDLE, JOINER, OUTPUT, SCHEDULED, TaskPtr};
use crate::local::hub_ref::OwnerRef;
use crate::local::run;

/// Awaits the output of a spawned task.
///
/// `Ok` is the output. `Err` says that the task panicked, was aborted, or lost its executor.
/// Dropping the handle lets the task go on alone. The handle stays on the executor's thread, but
/// may outlive the executor.
///
/// Dropping the future of an `.await` on the handle loses nothing: the next one finds the output.
///
/// # Panics
/// When polled again after it gave its output.
///
/// ```
/// let executor = executor::LocalExecutor::new();
/// let answer = executor.spawn(async { 6 * 7 });
/// assert!(!answer.is_finished());
/// assert_eq!(executor.block_on(answer).unwrap(), 42);
/// ```
///
/// It cannot leave its thread:
/// ```compile_fail,E0277
/// fn send<T: Send>(_: T) {}
/// let executor = executor::LocalExecutor::new();
/// send(executor.spawn(async {}));
/// ```
pub struct LocalJoinHandle<T> {
    held: Held,
    output: PhantomData<(T, *const ())>,
}

enum Held {
    Task(TaskPtr),
    /// The executor was gone before the task began.
    NeverBegan,
    /// The output was given.
    Nothing,
}

impl<T> LocalJoinHandle<T> {
    /// Spawns, and takes the handle: the one place where the task's type and the handle's meet (3).
    #[inline]
    pub(crate) fn spawn<F: Future<Output = T>>(hub: &OwnerRef, future: F, flags: u16) -> Self {
        debug_assert!(flags & HANDLE != 0);
        let task = run::spawn(hub, future, flags);
        LocalJoinHandle {
            held: Held::Task(task),
            output: PhantomData,
        }
    }

    /// The task, if there still is one.
    pub(crate) fn task(&self) -> Option<TaskPtr> {
        match self.held {
            Held::Task(task) => Some(task),
            Held::NeverBegan | Held::Nothing => None,
        }
    }

    pub(crate) fn never_began() -> Self {
        LocalJoinHandle {
            held: Held::NeverBegan,
            output: PhantomData,
        }
    }

    /// Stops the task: its future is dropped in the executor's next batch (or at the end of the
    /// poll it is in), and the handle gives a cancelled [`JoinError`]. An output that is there
    /// already stays.
    pub fn abort(&self) {
        if let Some(task) = self.task() {
            run::abort(task);
        }
    }

    /// A way to abort the task that may go somewhere else than the handle.
    #[must_use]
    pub fn abort_handle(&self) -> LocalAbortHandle {
        LocalAbortHandle::new(self.task())
    }

    /// Whether the task has ended, so that awaiting the handle gives its end at once.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        match self.held {
            Held::Task(task) => task.has(COMPLETE),
            Held::NeverBegan | Held::Nothing => true,
        }
    }

    /// What awaiting the handle would give, if it would give it at once: for those who are no
    /// future themselves. `None` while the task has not ended, and when the output was given.
    ///
    /// ```
    /// let executor = executor::LocalExecutor::new();
    /// let mut answer = executor.spawn(async { 6 * 7 });
    /// let answer = loop {
    ///     executor.run_batch(); // and a frame of a game, say
    ///     if let Some(answer) = answer.try_join() {
    ///         break answer.unwrap();
    ///     }
    /// };
    /// assert_eq!(answer, 42);
    /// ```
    pub fn try_join(&mut self) -> Option<Result<T, JoinError>> {
        match self.held {
            Held::Task(task) if task.has(COMPLETE) => {
                self.held = Held::Nothing;
                let output = Self::take(task);
                Self::let_go(task);
                Some(output)
            }
            Held::NeverBegan => {
                self.held = Held::Nothing;
                Some(Err(JoinError::cancelled()))
            }
            Held::Task(_) | Held::Nothing => None,
        }
    }

    /// What a complete task came to.
    #[inline]
    fn take(task: TaskPtr) -> Result<T, JoinError> {
        if task.has(OUTPUT) {
            task.clear(OUTPUT);
            // SAFETY: by 3 a live `T` is there; the flag was cleared, so it is read once.
            return Ok(unsafe { task.stage().cast::<T>().read() });
        }
        match task.take_payload() {
            Some(payload) => Err(JoinError::panicked(payload)),
            None => Err(JoinError::cancelled()),
        }
    }

    /// Clears HANDLE; the task is gone after this if nothing else keeps it.
    #[inline]
    fn let_go(task: TaskPtr) {
        let flags = task.flags.get() & !HANDLE;
        task.flags.set(flags);
        if flags & (COMPLETE | SCHEDULED | ENDING) == COMPLETE {
            run::give_up(task);
        }
    }
}

impl<T> Future for LocalJoinHandle<T> {
    type Output = Result<T, JoinError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Held::Task(task) = self.held
            && task.has(OUTPUT)
        {
            self.held = Held::Nothing;
            task.clear(OUTPUT);
            // SAFETY: by 3 a live `T` is there; the flag was cleared, so it is read once.
            let output = unsafe { task.stage().cast::<T>().read() };
            Self::let_go(task);
            return Poll::Ready(Ok(output));
        }
        self.poll_rarely(cx)
    }
}

impl<T> LocalJoinHandle<T> {
    /// There is no output: not yet, or never.
    #[inline(never)]
    fn poll_rarely(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        if let Some(output) = self.try_join() {
            return Poll::Ready(output);
        }
        let Held::Task(task) = self.held else {
            panic!("a join handle was polled after it gave its output")
        };
        if task.joiner_is(cx.waker()) {
            return Poll::Pending;
        }
        // The clone is user code: it may panic, and it may even run the executor.
        let joiner = cx.waker().clone();
        if task.has(COMPLETE) {
            return Pin::new(self).poll(cx);
        }
        let before = task.take_joiner();
        task.put_joiner(joiner);
        drop(before);
        Poll::Pending
    }
}

impl<T> Drop for LocalJoinHandle<T> {
    #[inline]
    fn drop(&mut self) {
        let Held::Task(task) = self.held else { return };
        let flags = task.flags.get();
        if flags & (COMPLETE | JOINER) == 0 {
            return task.flags.set(flags & !HANDLE); // detached: the executor keeps the task
        }
        Self::drop_rarely(task);
    }
}

impl<T> LocalJoinHandle<T> {
    #[cold]
    fn drop_rarely(task: TaskPtr) {
        if !task.has(COMPLETE) {
            let joiner = task.take_joiner();
            Self::let_go(task);
            drop(joiner);
            return;
        }
        // Let go first: dropping what the task came to runs user code, which may panic.
        let output = Self::take(task);
        Self::let_go(task);
        drop(output);
    }
}

impl<T> Unpin for LocalJoinHandle<T> {}

impl<T> fmt::Debug for LocalJoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalJoinHandle")
            .field("is_finished", &self.is_finished())
            .finish()
    }
}
