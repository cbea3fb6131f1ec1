//! Values that come out when their time has come.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use crate::arena::Key;
use crate::handle::Timers;
use crate::sharing::{Shared, Sharing};
use crate::sleep::Sleep;
use crate::wheel::Wheel;

/// A queue out of which each value comes at its deadline: for the entries of a cache, sessions,
/// retries. Many values, one task, one [`Sleep`].
///
/// ```
/// use std::time::Duration;
/// use timers::{DelayQueue, LocalTimers};
///
/// # async fn example(timers: LocalTimers) {
/// let mut sessions = DelayQueue::new(&timers);
/// let alice = sessions.insert("alice", Duration::from_secs(60));
/// sessions.insert("bob", Duration::from_secs(30));
/// sessions.reset(alice, timers.clock().now() + Duration::from_secs(90));
/// while let Some(name) = sessions.next().await {
///     println!("{name} has been silent for too long");
/// }
/// # }
/// ```
pub struct DelayQueue<T, S: Sharing = Shared> {
    timers: Timers<S>,
    /// In nanoseconds since the epoch of the timers.
    wheel: Wheel<T>,
    /// Ends at the wheel's next deadline, or before.
    sleep: Sleep<S>,
}

impl<T, S: Sharing> DelayQueue<T, S> {
    /// An empty queue that goes by these timers.
    #[must_use]
    pub fn new(timers: &Timers<S>) -> Self {
        let sleep = Sleep::new(timers.my_shard(), u64::MAX);
        DelayQueue {
            timers: timers.clone(),
            wheel: Wheel::new(),
            sleep,
        }
    }

    /// Adds a value that comes out after `delay`.
    ///
    /// # Panics
    /// With more values waiting than 32 bits can number, or without memory.
    pub fn insert(&mut self, value: T, delay: Duration) -> Key {
        let deadline = self.timers.keeper().after(delay);
        self.wake_by(deadline);
        self.wheel.insert(deadline, value)
    }

    /// Adds a value that comes out at `deadline`.
    ///
    /// # Panics
    /// With more values waiting than 32 bits can number, or without memory.
    pub fn insert_at(&mut self, value: T, deadline: Instant) -> Key {
        let deadline = self.timers.keeper().ticks.nanos(deadline);
        self.wake_by(deadline);
        self.wheel.insert(deadline, value)
    }

    /// Takes a value out before its time; `None` when it is out already.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        self.wheel.cancel(key)
    }

    /// Gives a value a new deadline; `false` when it is out already.
    pub fn reset(&mut self, key: Key, deadline: Instant) -> bool {
        let deadline = self.timers.keeper().ticks.nanos(deadline);
        self.wake_by(deadline);
        self.wheel.reschedule(key, deadline)
    }

    /// Values waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        self.wheel.len()
    }

    /// Whether no value waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.wheel.is_empty()
    }

    /// Waits for the next value whose time has come, earliest first; `None` when the queue is
    /// empty. Dropping the future loses nothing.
    #[expect(
        clippy::should_implement_trait,
        reason = "the name that async users look for"
    )]
    pub fn next(&mut self) -> impl Future<Output = Option<T>> + '_ {
        poll_fn(|cx| self.poll_next(cx))
    }

    /// Like [`next`](DelayQueue::next), for hand-written futures and streams.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        loop {
            if let Some(due) = self.wheel.pop(self.timers.keeper().now()) {
                return Poll::Ready(Some(due.value));
            }
            let Some(next) = self.wheel.next_deadline() else {
                return Poll::Ready(None);
            };
            if self.sleep.deadline_nanos() != next {
                self.sleep.reset_to(next);
            }
            ready!(Pin::new(&mut self.sleep).poll(cx));
        }
    }

    /// Brings the waiting task's wake-up forward.
    fn wake_by(&mut self, deadline: u64) {
        if deadline < self.sleep.deadline_nanos() {
            self.sleep.reset_to(deadline);
        }
    }
}

impl<T, S: Sharing> fmt::Debug for DelayQueue<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DelayQueue")
            .field("wheel", &self.wheel)
            .finish_non_exhaustive()
    }
}
