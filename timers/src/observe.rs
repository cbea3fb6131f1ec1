//! Watching timers: what an observer is told.

use std::any::Any;
use std::fmt;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Instant;

use crate::arena::Key;
use crate::level::Slot;

/// A timer's number: one for each time that a sleep is armed, so that one which was fired or
/// cancelled never comes back.
///
/// (To be exact: not before its place in the wheel was used 2<sup>32</sup> times, divided by the
/// number of shards.)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(u64);

impl TimerId {
    pub(crate) fn new(key: Key, shard: u32, shards: usize) -> TimerId {
        let (index, generation) = key.parts();
        let used = u64::from(generation).wrapping_mul(shards as u64);
        TimerId(used.wrapping_add(u64::from(shard)) << 32 | u64::from(index))
    }

    /// The number itself.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for TimerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl fmt::Debug for TimerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TimerId({})", self.0)
    }
}

/// Told what happens to the timers of a [`Timers`](crate::Timers). Without one, they pay a branch
/// for the possibility.
///
/// Calls come on the thread that does it, with nothing locked or borrowed: an observer may use the
/// timers itself. Its panics are contained. Where several threads share timers, one of them may
/// tell that a timer fires before the one that inserted it has come to tell that.
///
/// A `slot` is where the timer waits now; `None` is a timer that was due already when it came.
///
/// ```
/// use std::{pin::Pin, sync::{Arc, Mutex}, time::{Duration, Instant}};
/// use timers::{Clock, LocalTimers, Observer, Slot, TimerId};
///
/// #[derive(Clone, Default)]
/// struct Trace(Arc<Mutex<Vec<String>>>);
///
/// impl Trace {
///     fn note(&self, what: &str, slot: Option<Slot>) {
///         let place = slot.map(|slot| format!(" {}/{}", slot.level(), slot.digit()));
///         self.0.lock().unwrap().push(format!("{what}{}", place.unwrap_or_default()));
///     }
/// }
///
/// impl Observer for Trace {
///     fn inserted(&self, _: TimerId, _: Instant, slot: Option<Slot>) {
///         self.note("inserted", slot);
///     }
///     fn moved(&self, _: TimerId, slot: Slot, _: Instant) {
///         self.note("moved", Some(slot));
///     }
///     fn fires(&self, _: TimerId) {
///         self.note("fires", None);
///     }
/// }
///
/// let trace = Trace::default();
/// let clock = Clock::manual();
/// let timers = LocalTimers::builder(clock.clone()).observer(trace.clone()).build();
/// let mut sleeps = [70, 90].map(|ns| timers.sleep(Duration::from_nanos(ns)));
/// # let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
/// # for sleep in &mut sleeps {
/// #     assert!(Future::poll(Pin::new(sleep), &mut cx).is_pending());
/// # }
/// // … a task awaits both, then time goes on to the earlier one:
/// clock.advance(Duration::from_nanos(70));
/// timers.fire();
///
/// let told = ["inserted 1/1", "inserted 1/1", "moved 0/6", "moved 0/26", "fires"];
/// assert_eq!(*trace.0.lock().unwrap(), told);
/// ```
pub trait Observer: Send + Sync {
    /// A sleep was armed: its timer is in the wheel, due at `deadline`, which is the sleep's,
    /// rounded up to a tick or moved into its slack. Called in the poll of the task that sleeps.
    fn inserted(&self, timer: TimerId, deadline: Instant, slot: Option<Slot>) {
        let _ = (timer, deadline, slot);
    }

    /// Time came to the timer's slot, and as it is due at `deadline`, it went on to this one:
    /// further down, or anywhere if it was put off meanwhile.
    fn moved(&self, timer: TimerId, slot: Slot, deadline: Instant) {
        let _ = (timer, slot, deadline);
    }

    /// The timer is due and out of the wheel. Its task is woken when this returns, on the same
    /// thread.
    fn fires(&self, timer: TimerId) {
        let _ = timer;
    }

    /// A turn that fired so many timers is over: what is woken from here on has other reasons.
    fn fired(&self, timers: usize) {
        let _ = timers;
    }

    /// The sleep was dropped before it was due.
    fn cancelled(&self, timer: TimerId) {
        let _ = timer;
    }

    /// The sleep was given an earlier deadline.
    ///
    /// One that is put off is no news: it stays in its slot, as keep-alives do with every message,
    /// and [`moved`](Observer::moved) tells the new deadline when time comes to that slot.
    fn rescheduled(&self, timer: TimerId, deadline: Instant, slot: Option<Slot>) {
        let _ = (timer, deadline, slot);
    }
}

/// The observer, if there is one.
#[derive(Clone, Default)]
pub(crate) struct Watch(Option<Arc<dyn Observer>>);

impl Watch {
    pub(crate) fn by(observer: impl Observer + 'static) -> Watch {
        Watch(Some(Arc::new(observer)))
    }

    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Tells the observer, if there is one. Must not be called with anything borrowed.
    #[inline]
    pub(crate) fn tell(&self, notice: impl FnOnce(&dyn Observer)) {
        if let Some(observer) = &self.0 {
            contained(|| notice(&**observer));
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_on() { "on" } else { "off" })
    }
}

/// Calls other people's code; what it panics with is dropped, and leaked if it panics in that as
/// well.
pub(crate) fn contained(notice: impl FnOnce()) {
    if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(notice)) {
        discard(payload);
    }
}

/// Drops what a panic carried; leaks what that panics with in its turn.
pub(crate) fn discard(payload: Box<dyn Any + Send>) {
    let dropped = panic::catch_unwind(AssertUnwindSafe(|| drop(payload)));
    dropped.unwrap_or_else(mem::forget);
}
