//! A future with a deadline.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use crate::sharing::{Shared, Sharing};
use crate::sleep::Sleep;

pin_project! {
    /// A future that is given up at a deadline: its output, or [`Elapsed`].
    ///
    /// Made by [`Timers::timeout`](crate::Timers::timeout) and
    /// [`Timers::timeout_at`](crate::Timers::timeout_at). The future is polled first, so one that
    /// is ready in time is never lost to the deadline, and one that is ready at once touches
    /// neither the clock nor the wheel: the time begins when the future is first pending. After
    /// `Elapsed` the future is still there, as it was, until the timeout is dropped; dropping the
    /// timeout drops it.
    ///
    /// ```
    /// # use std::{future::pending, time::Duration};
    /// # async fn example(timers: timers::LocalTimers) {
    /// let answer = timers.timeout(Duration::from_secs(5), pending::<u32>()).await;
    /// assert_eq!(answer, Err(timers::Elapsed));
    /// # }
    /// ```
    #[must_use = "futures do nothing unless polled"]
    pub struct Timeout<F, S: Sharing = Shared> {
        #[pin]
        future: F,
        sleep: Sleep<S>,
        // how long from the first poll, until that came
        after: Option<Duration>,
    }
}

impl<F, S: Sharing> Timeout<F, S> {
    pub(crate) fn at(future: F, sleep: Sleep<S>) -> Self {
        Timeout {
            future,
            sleep,
            after: None,
        }
    }

    pub(crate) fn after(future: F, sleep: Sleep<S>, duration: Duration) -> Self {
        Timeout {
            future,
            sleep,
            after: Some(duration),
        }
    }

    /// The deadline; far away while it is not known, before the first poll.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.sleep.deadline()
    }

    /// Sets a new deadline, for instance when there was progress.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.project();
        *this.after = None;
        this.sleep.reset(deadline);
    }

    /// The future, without its deadline.
    pub fn into_inner(self) -> F {
        self.future
    }
}

impl<F: Future, S: Sharing> Future for Timeout<F, S> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        if let Some(duration) = this.after.take() {
            this.sleep.reset_after(duration);
        }
        Pin::new(this.sleep).poll(cx).map(|()| Err(Elapsed))
    }
}

impl<F: fmt::Debug, S: Sharing> fmt::Debug for Timeout<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout")
            .field("future", &self.future)
            .field("sleep", &self.sleep)
            .finish()
    }
}

/// The deadline of a [`Timeout`] came before the future was ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Elapsed;

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("deadline has elapsed")
    }
}

impl Error for Elapsed {}

impl From<Elapsed> for io::Error {
    fn from(elapsed: Elapsed) -> Self {
        io::Error::new(io::ErrorKind::TimedOut, elapsed)
    }
}
