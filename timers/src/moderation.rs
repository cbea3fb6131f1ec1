//! Dense deadlines are taken together: after a turn that fired several timers, the loop rests.
//!
//! A thread that is woken for a deadline costs the system ten thousand nanoseconds and more, a
//! timer that fires a few hundred. Where deadlines lie closer together than a wake-up takes,
//! waiting for each one's own moment is most of the work. A network card has the same trouble with
//! packets, and the same cure: an interrupt is held back for a while after the last one.
//!
//! ```text
//!  deadlines   a       b c  d   e f g    h                      i
//!  no rest     ↑a      ↑b ↑cd  ↑e ↑fg    ↑h                     ↑i       7 waits
//!  rest        ↑a      ↑b ·····↑cd ······↑efgh·······           ↑i       5 waits
//!                     (b was alone: no rest)   until here
//! ```
//!
//! Three things bound what that costs. A turn that fired one timer is followed by no rest: a sleep
//! by itself, or a task that sleeps again and again, is as precise as ever. A rest counts from the
//! turn that fired, and what was due then has been fired: so nothing is later than one rest beyond
//! its deadline. And only a *wait for a timer* is held back; a wait that ends for another reason
//! fires what is due, as always.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::timekeeper::nanos;

/// How long a loop rests, and until when it does.
pub(crate) struct Moderation {
    /// In nanoseconds. Zero: never.
    rest: u64,
    /// In nanoseconds since the epoch of the timers.
    ///
    /// Orders nothing: a loop that sees an older value waits for less long than it might.
    rests_until: AtomicU64,
}

/// What a clock that is real gets if nothing else is asked for.
pub(crate) const DEFAULT: Duration = Duration::from_micros(100);

impl Moderation {
    pub(crate) fn new(rest: Duration) -> Moderation {
        Moderation {
            rest: nanos(rest),
            rests_until: AtomicU64::new(0),
        }
    }

    /// A turn at `now` has fired so many timers.
    pub(crate) fn fired(&self, timers: usize, now: u64) {
        if self.rest > 0 && timers > 1 {
            let until = now.saturating_add(self.rest);
            self.rests_until.store(until, Ordering::Relaxed);
        }
    }

    /// The time that no wait for a timer ends before.
    pub(crate) fn rests_until(&self) -> u64 {
        self.rests_until.load(Ordering::Relaxed)
    }
}
