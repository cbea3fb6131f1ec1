//! The loop, on one page: an executor, a reactor and a wheel of timers that know nothing of each
//! other, made into one event loop by the few lines of [`EventLoop::run`].
//!
//! No wake-up is lost between its steps 1 and 2 although nothing is locked there: a wake from
//! another thread ends in the reactor's waker, which is sticky. Woken before the wait begins, the
//! wait does not begin.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use executor::{LocalBuilder, LocalExecutor};
use timers::Clock;

use crate::handle::Handle;
use crate::roll::LoopSpawner;
use crate::trace::{Recorder, attach};

/// An event loop of one thread (and a pool for calls that block).
///
/// ```
/// use demos::EventLoop;
/// use std::time::Duration;
/// let event_loop = EventLoop::new()?;
/// let handle = event_loop.handle();
/// let nap = handle.spawner.spawn(handle.timers.sleep(Duration::from_millis(2)));
/// event_loop.run(nap)?.expect("nobody aborts it");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct EventLoop {
    pub(crate) executor: LocalExecutor<'static>,
    pub(crate) handle: Handle,
}

impl EventLoop {
    /// A loop that goes by the monotonic clock.
    ///
    /// # Errors
    /// The operating system's, if it gives no epoll descriptor.
    pub fn new() -> io::Result<Self> {
        Self::with_clock(Clock::monotonic())
    }

    /// A loop that goes by `clock`: a virtual one lets a test sleep for years.
    ///
    /// # Errors
    /// The operating system's, if it gives no epoll descriptor.
    pub fn with_clock(clock: Clock) -> io::Result<Self> {
        Self::with(clock, LocalExecutor::builder(), None)
    }

    /// A loop that goes by `clock`, on an executor with settings of its own, watched or not.
    pub(crate) fn with(clock: Clock, set: LocalBuilder, by: Option<&Recorder>) -> io::Result<Self> {
        let reactor = attach::reactor(by).build()?;
        let executor = attach::local(set, by).waker(reactor.waker()).build();
        let timers = attach::timers(clock, by).shards(1);
        let timers = timers.host(reactor.waker()).build();
        let blocking = attach::pool(by).build()?;
        let handle = Handle {
            spawner: LoopSpawner::new(executor.spawner()),
            reactor,
            timers,
            blocking,
        };
        Ok(Self { executor, handle })
    }

    /// What futures need to use the loop they run on.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs until `future` is done. Tasks that are not done then stay, and go on in the next run.
    ///
    /// # Errors
    /// The reactor's, if waiting fails.
    pub fn run<F: Future>(&self, future: F) -> io::Result<F::Output> {
        let (executor, reactor, timers) =
            (&self.executor, &self.handle.reactor, &self.handle.timers);
        let _entered = executor.enter();
        let mut main = pin!(executor.root(future));
        loop {
            executor.run_batches(64); // 1. poll what is ready: some 64 polls, then look outside
            if let Poll::Ready(output) = main.as_mut().poll_if_woken() {
                return Ok(output);
            }
            let patience = match executor.has_ready() {
                true => Some(Duration::ZERO),
                false => timers.patience(), // to the next deadline; `None` is for ever
            };
            reactor.poll(patience)?; // 2. check for input: wake its tasks
            timers.fire(); // 3. fire what is due: wake its tasks
        }
    }
}
