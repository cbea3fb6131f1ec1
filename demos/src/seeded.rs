//! Chance from a seed: the same seed is the same chance.

use std::io;

use executor::LocalExecutor;
use timers::Clock;

use crate::event_loop::EventLoop;
use crate::trace::Recorder;

/// A loop whose runs can be repeated: the order of ready tasks is drawn from `seed`, and time is
/// virtual. It stands still while anything is under way outside (a thread of the pool, a line
/// that may yet come), and jumps to the next deadline when all wait for time.
///
/// # Errors
/// The operating system's, if it gives no epoll descriptor.
///
/// ```
/// use std::time::Duration;
/// let event_loop = demos::seeded::event_loop(7)?;
/// event_loop.run(event_loop.handle().timers.sleep(Duration::from_secs(3600)))?; // takes no time
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn event_loop(seed: u64) -> io::Result<EventLoop> {
    watched(seed, Clock::auto(), None)
}

/// The same, by a clock that somebody else may have too, and watched or not.
pub(crate) fn watched(seed: u64, clock: Clock, by: Option<&Recorder>) -> io::Result<EventLoop> {
    EventLoop::with(clock, LocalExecutor::builder().order(order(seed)), by)
}

/// Chooses one of so many, for ever.
fn order(seed: u64) -> impl FnMut(usize) -> usize {
    let mut chance = fastrand::Rng::with_seed(seed);
    move |choices| chance.usize(..choices.max(1))
}
