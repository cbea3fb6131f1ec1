//! The loop on N threads: the same three crates, with the work-stealing executor.
//!
//! The page differs from [`event_loop`](crate::event_loop) in one thing: the waiting moved into
//! [`driver`](crate::driver), since N workers have to agree on who of them waits in the kernel.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use executor::Executor;
use timers::Clock;

use crate::current;
use crate::driver::{Driver, DriverPark};
pub use crate::handle::SharedHandle;
use crate::shutdown::Report;
use crate::trace::{Recorder, attach};

/// An event loop of several threads (and a pool for calls that block).
///
/// ```
/// use demos::Runtime;
/// use std::time::Duration;
/// let runtime = Runtime::new(2)?;
/// let timers = runtime.handle().timers.clone();
/// let task = runtime.handle().spawner.spawn(async move {
///     timers.sleep(Duration::from_millis(2)).await;
///     6 * 7
/// });
/// assert_eq!(runtime.block_on(task).unwrap(), 42);
/// assert!(runtime.shutdown(Duration::from_secs(1)).is_clean());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Runtime {
    executor: Executor,
    handle: SharedHandle,
}

impl Runtime {
    /// A runtime of so many threads.
    ///
    /// # Errors
    /// The operating system's, if it gives no threads or no epoll descriptor.
    pub fn new(workers: usize) -> io::Result<Self> {
        Self::with(workers, None)
    }

    /// A runtime of so many threads, watched or not.
    pub(crate) fn with(workers: usize, by: Option<&Recorder>) -> io::Result<Self> {
        let reactor = attach::reactor(by).build()?;
        let timers = attach::timers(Clock::monotonic(), by);
        let timers = timers.host(reactor.waker()).build();
        let blocking = attach::pool(by).build()?;
        let driver = Driver::new(reactor.clone(), timers.clone());
        // Workers start before there is a handle to give them, so they get its place.
        let place = Arc::new(std::sync::OnceLock::new());
        let executor = attach::threads(by)
            .workers(workers)
            .thread_name("worker")
            .park_with(|_worker| {
                let place = Arc::clone(&place);
                DriverPark::new(&driver, move || current::stay_in(&place))
            })
            .build()?;
        let handle = SharedHandle {
            spawner: executor.spawner(),
            reactor,
            timers,
            blocking,
        };
        let _ = place.set(handle.clone());
        Ok(Self { executor, handle })
    }

    /// What futures need to use the runtime.
    #[must_use]
    pub fn handle(&self) -> &SharedHandle {
        &self.handle
    }

    /// Polls `future` on this thread until it is done; its sockets and timers are driven by the
    /// workers. Within it, [`current`] is this runtime.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _entered = current::enter(&self.handle);
        executor::block_on(future)
    }

    /// Waits until all tasks are done, at most for `grace`, then drops what is left and says what
    /// that was. Blocking calls that hang do not hold it up.
    #[must_use = "it says what was left undone"]
    pub fn shutdown(self, grace: Duration) -> Report {
        let tasks = self.executor.shutdown(grace);
        let blocking = self.handle.blocking.shutdown(Duration::ZERO);
        Report {
            tasks,
            blocking,
            sources: self.handle.reactor.sources(),
        }
    }
}
