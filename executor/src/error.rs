//! Why a task or a blocking job gave no output.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use parking_lot::Mutex;

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send + 'static>;

/// A task or job that ended without an output: it was cancelled, or it panicked.
///
/// It is `Send` and `Sync` whatever the panic carried, so it fits in `Box<dyn Error + Send +
/// Sync>`.
///
/// ```
/// let executor = executor::LocalExecutor::new();
/// let task = executor.spawn(async { panic!("out of tea") });
/// let error = executor.block_on(task).unwrap_err();
/// assert!(error.is_panic());
/// assert_eq!(error.to_string(), "task panicked: out of tea");
/// ```
pub struct JoinError {
    why: Why,
}

enum Why {
    Cancelled,
    // The lock is never contended: it only makes a `Send` payload `Sync`.
    Panicked(Mutex<Payload>),
}

impl JoinError {
    pub(crate) fn cancelled() -> Self {
        JoinError {
            why: Why::Cancelled,
        }
    }

    pub(crate) fn panicked(payload: Payload) -> Self {
        JoinError {
            why: Why::Panicked(Mutex::new(payload)),
        }
    }

    /// Whether it was stopped before its end: aborted, or its executor or pool is gone.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self.why, Why::Cancelled)
    }

    /// Whether it panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(self.why, Why::Panicked(_))
    }

    /// What the panic carried, fit for [`std::panic::resume_unwind`].
    ///
    /// # Panics
    /// When the task was cancelled instead; see [`try_into_panic`](Self::try_into_panic).
    #[must_use]
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        match self.try_into_panic() {
            Ok(payload) => payload,
            Err(_) => panic!("the task was cancelled, it did not panic"),
        }
    }

    /// What the panic carried, or the error itself when there was none.
    ///
    /// # Errors
    /// Gives the error back when the task was cancelled.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send + 'static>, JoinError> {
        match self.why {
            Why::Panicked(payload) => Ok(payload.into_inner()),
            Why::Cancelled => Err(self),
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Cancelled => f.write_str("task was cancelled"),
            Why::Panicked(payload) => match message(&**payload.lock()) {
                Some(message) => write!(f, "task panicked: {message}"),
                None => f.write_str("task panicked"),
            },
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl std::error::Error for JoinError {}

fn message(payload: &(dyn Any + Send)) -> Option<&str> {
    match payload.downcast_ref::<&'static str>() {
        Some(text) => Some(text),
        None => payload.downcast_ref::<String>().map(String::as_str),
    }
}

/// Runs user code whose panic nobody can be told of. The panic hook has already reported it.
pub(crate) fn contain(user_code: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(user_code)) {
        discard(payload);
    }
}

/// Drops a payload nobody waits for. A payload may panic in its own drop: that one is leaked,
/// or the chain could go on for ever.
pub(crate) fn discard(payload: Payload) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
}
