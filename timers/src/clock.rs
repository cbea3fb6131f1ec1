//! Where the time comes from: the operating system, or the test.

use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::virtual_time::{Member, VirtualTime};

/// A source of time. Clones are the same clock.
///
/// Real time is [`Clock::monotonic`]. Virtual time stands still while code runs, so a program on
/// it is repeatable, and an hour's sleep takes no time: [`Clock::manual`] moves when
/// [`advance`](Clock::advance) says so, [`Clock::auto`] moves on to the next deadline when all its
/// users are idle.
///
/// ```
/// use std::time::Duration;
/// use timers::{Clock, LocalTimers};
///
/// let clock = Clock::auto();
/// let timers = LocalTimers::new(clock.clone());
/// let start = clock.now();
/// let sleep = timers.sleep(Duration::from_secs(3600));
/// # let mut sleep = std::pin::pin!(sleep);
/// # let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
/// # use std::future::Future;
/// # assert!(sleep.as_mut().poll(&mut cx).is_pending());
/// // … once a task awaits the sleep and nothing is left to do:
/// assert_eq!(timers.patience(), Some(Duration::ZERO));
/// assert_eq!(timers.fire(), 1);
/// assert_eq!(clock.now() - start, Duration::from_secs(3600));
/// ```
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Monotonic,
    Virtual(Arc<VirtualTime>),
    #[cfg(all(feature = "boot-time", target_os = "linux"))]
    Boot(crate::boot::BootTime),
}

impl Clock {
    /// The operating system's monotonic clock, [`Instant::now`].
    ///
    /// On Linux and macOS it stands still while the machine is suspended; a sleep then ends that
    /// much later by the wall clock.
    #[must_use]
    pub fn monotonic() -> Self {
        Clock {
            source: Source::Monotonic,
        }
    }

    /// Linux's boot-time clock, which goes on while the machine is suspended. Its instants are
    /// those of [`Instant::now`] plus the time spent suspended since this call.
    ///
    /// The loop's wait itself goes by the monotonic clock: a sleep that ran out while suspended
    /// fires in the first turn after, which comes when something else ends the wait, or when the
    /// rest of the wait has passed. Where that is too late, wake the loop's host on resume.
    #[cfg(all(feature = "boot-time", target_os = "linux"))]
    #[must_use]
    pub fn boot_time() -> Self {
        Clock {
            source: Source::Boot(crate::boot::BootTime::new()),
        }
    }

    /// Virtual time that moves only when [`advance`](Clock::advance) is called.
    #[must_use]
    pub fn manual() -> Self {
        Clock {
            source: Source::Virtual(Arc::new(VirtualTime::new(false))),
        }
    }

    /// Virtual time that moves on by itself when its users are idle.
    ///
    /// When a loop asks for [`patience`](crate::Timers::patience), it has nothing else to do. When
    /// every loop on the clock has asked and no [`Hold`] exists, time jumps to the earliest
    /// deadline. A loop counts from the first time it asks: with several, hold the clock until all
    /// have started. What a loop cannot see, such as work on other threads or a byte on its way
    /// through the kernel, is no reason to wait: hold the clock for as long as it is in flight.
    #[must_use]
    pub fn auto() -> Self {
        Clock {
            source: Source::Virtual(Arc::new(VirtualTime::new(true))),
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Instant {
        match &self.source {
            Source::Monotonic => Instant::now(),
            Source::Virtual(time) => time.now(),
            #[cfg(all(feature = "boot-time", target_os = "linux"))]
            Source::Boot(time) => time.now(),
        }
    }

    /// Whether the time is virtual.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        matches!(self.source, Source::Virtual(_))
    }

    /// Moves virtual time on, and wakes the loops that wait on it. From any thread.
    ///
    /// # Panics
    /// On a real clock.
    pub fn advance(&self, by: Duration) {
        match &self.source {
            Source::Virtual(time) => time.advance(by),
            _ => panic!("real time cannot be moved: advance a virtual clock"),
        }
    }

    /// Keeps an auto-advancing clock from jumping until the guard is dropped. On other clocks it
    /// does nothing, so code need not know which clock it runs on.
    #[must_use = "the hold ends when the guard is dropped"]
    pub fn hold(&self) -> Hold {
        let time = match &self.source {
            Source::Virtual(time) => Some(Arc::clone(time)),
            _ => None,
        };
        if let Some(time) = &time {
            time.hold();
        }
        Hold { time }
    }

    /// Takes part in virtual time, with the waker that ends the new member's waits.
    pub(crate) fn join(&self, host: Option<Waker>) -> Option<Member> {
        match &self.source {
            Source::Virtual(time) => Some(Member::new(Arc::clone(time), host)),
            _ => None,
        }
    }
}

impl Default for Clock {
    /// The monotonic clock.
    fn default() -> Self {
        Clock::monotonic()
    }
}

/// Keeps an auto-advancing clock where it is; made by [`Clock::hold`], ends with its drop.
///
/// It may be sent to another thread, for instance along with a blocking job.
#[derive(Debug)]
pub struct Hold {
    time: Option<Arc<VirtualTime>>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(time) = &self.time {
            time.release();
        }
    }
}
