//! The work-stealing executor: several threads, tasks that are `Send`.

mod builder;
mod ending;
mod home;
mod idle;
mod injector;
mod join;
mod live;
mod magazine;
#[cfg(all(test, loom))]
mod models;
mod park;
mod pool;
#[cfg(all(test, loom))]
mod pool_models;
mod rest;
mod ring;
mod spawner;
mod state;
mod task;
#[cfg(all(test, loom))]
mod task_models;
mod waker;
mod worker;

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

pub use builder::ExecutorBuilder;
pub use ending::ShutdownReport;
pub use join::{AbortHandle, JoinHandle};
pub use park::{Park, ThreadPark};
pub use spawner::Spawner;

use crate::sync::{Ordering, fence};
use pool::Pool;

/// How long a shutdown waits, beyond its grace, for polls that are under way.
const LAST_POLLS: Duration = Duration::from_secs(1);

/// A pool of threads that poll tasks and steal them from each other.
///
/// The value owns the threads. Dropping it stops them: polls under way are waited for, and every
/// future left is dropped, once. Wakers, join handles and spawners may outlive it.
///
/// ```
/// use executor::{Executor, block_on};
///
/// let executor = Executor::builder().workers(2).thread_name("w").build()?;
/// let spawner = executor.spawner();
/// let sum = executor.spawn(async move {
///     let parts: Vec<_> = (0..10u64).map(|part| spawner.spawn(async move { part * part })).collect();
///     let mut sum = 0;
///     for part in parts {
///         sum += part.await.unwrap();
///     }
///     sum
/// });
/// assert_eq!(block_on(sum).unwrap(), 285);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Executor {
    pool: Arc<Pool>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Executor {
    /// One worker for each thread the machine runs at once.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn new() -> io::Result<Self> {
        Self::builder().build()
    }

    /// Workers, names, stacks, where they wait.
    pub fn builder() -> ExecutorBuilder {
        ExecutorBuilder::new()
    }

    /// Starts a task. See [`Spawner::spawn`].
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawner::spawn(&self.pool, future)
    }

    /// A handle to spawn with, from anywhere.
    #[must_use]
    pub fn spawner(&self) -> Spawner {
        Spawner::new(self.pool.clone())
    }

    /// Waits until every task is done, at most for `grace`; then stops the workers, drops the
    /// futures left, and says whose they were.
    ///
    /// Tasks go on and may spawn others during the grace. A poll that is under way when it ends
    /// is waited for a second longer; a task that still holds its worker then is named in the
    /// report, and what that worker was to clean up is cleaned up when it comes back.
    ///
    /// From within one of its own tasks nothing is waited for, not even the grace: that task is
    /// itself one of those to end.
    pub fn shutdown(mut self, grace: Duration) -> ShutdownReport {
        let pool = &self.pool;
        let ending = &pool.ending;
        let inside = worker::is_worker(pool);
        let deadline = Instant::now() + if inside { Duration::ZERO } else { grace };
        ending.await_quiet();
        fence(Ordering::SeqCst); // pairs with the fence in `Idle::sleep`: we see them, or they us
        if !inside && !pool.is_quiet() {
            ending.wait_quiet(deadline);
        }
        pool.close();
        let patience = if inside { Duration::ZERO } else { LAST_POLLS };
        let finished = ending.wait_finished(Instant::now() + patience);
        let stuck = if finished || inside {
            Vec::new()
        } else {
            pool.running()
        };
        let report = ShutdownReport {
            unfinished: ending.unfinished(),
            stuck,
        };
        if !finished {
            self.threads.clear(); // they end by themselves, in their own time
        }
        report
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        self.pool.close();
        if worker::is_worker(&self.pool) {
            return; // dropped by one of its own tasks: a worker cannot wait for itself
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor")
            .field("workers", &self.pool.homes.len())
            .finish_non_exhaustive()
    }
}
