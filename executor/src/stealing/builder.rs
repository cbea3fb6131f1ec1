//! How an executor is set up.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;

use super::Executor;
use super::idle::MAX_WORKERS;
use super::park::{Park, ThreadPark};
use super::pool::{Pool, Settings};
use super::watch::Watch;
use super::worker::Worker;
use crate::observe::Observer;

/// Sets an [`Executor`] up; see [`Executor::builder`].
#[derive(Clone)]
#[must_use]
pub struct ExecutorBuilder<M = fn(usize) -> ThreadPark> {
    workers: Option<usize>,
    thread_name: String,
    stack_size: Option<usize>,
    observer: Option<Arc<dyn Observer + Send + Sync>>,
    measure_polls: bool,
    panics: PanicPolicy,
    make_park: M,
}

/// What an executor does when one of its tasks panics, in a poll or as its future is dropped; from
/// [`ExecutorBuilder::on_panic`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PanicPolicy {
    /// The handle of the task gives the panic; nobody else notices. The default.
    #[default]
    Contain,
    /// As well as that, the executor closes: the futures of all other tasks are dropped, and their
    /// handles say that they were cancelled. For programs that would rather stop than go on with a
    /// part missing.
    Shutdown,
    /// The process is aborted, as soon as the panic hook has reported.
    Abort,
}

impl ExecutorBuilder {
    pub(super) fn new() -> Self {
        Self {
            workers: None,
            thread_name: "worker".into(),
            stack_size: None,
            observer: None,
            measure_polls: false,
            panics: PanicPolicy::Contain,
            make_park: |_| ThreadPark::new(),
        }
    }
}

impl<M, P> ExecutorBuilder<M>
where
    M: FnMut(usize) -> P,
    P: Park,
{
    /// How many threads poll tasks: 1 to 48. Default: as many as the machine runs at once.
    ///
    /// All workers meet in one cache line; beyond 48 several executors serve better.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// What the threads are called; each has its number behind that: `worker-0`.
    pub fn thread_name(mut self, name: impl Into<String>) -> Self {
        self.thread_name = name.into();
        self
    }

    /// How many bytes of stack each thread has. Default: what std gives a thread.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// Tells an observer what happens to tasks and workers; see [`Observer`].
    ///
    /// ```
    /// use std::sync::{Arc, atomic::{AtomicUsize, Ordering::Relaxed}};
    /// use executor::{Executor, Observer, TaskInfo};
    ///
    /// struct Spawns(Arc<AtomicUsize>);
    /// impl Observer for Spawns {
    ///     fn spawned(&self, _: &TaskInfo<'_>) {
    ///         self.0.fetch_add(1, Relaxed);
    ///     }
    /// }
    ///
    /// let spawns = Arc::new(AtomicUsize::new(0));
    /// let executor = Executor::builder().workers(2).observer(Spawns(spawns.clone())).build()?;
    /// executor::block_on(executor.spawn_named("tea", async {})).unwrap();
    /// assert_eq!(spawns.load(Relaxed), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    /// Several threads call it at once:
    /// ```compile_fail,E0277
    /// struct Spawns(std::cell::Cell<u32>); // not `Sync`
    /// impl executor::Observer for Spawns {}
    /// let _ = executor::Executor::builder().observer(Spawns(Default::default()));
    /// ```
    pub fn observer(mut self, observer: impl Observer + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Measures each poll, for the `longest_poll` of the metrics: two looks at the clock a poll.
    pub fn measure_polls(mut self, measure: bool) -> Self {
        self.measure_polls = measure;
        self
    }

    /// What to do when a task panics.
    ///
    /// ```
    /// use executor::{Executor, PanicPolicy, block_on};
    ///
    /// let executor = Executor::builder().on_panic(PanicPolicy::Shutdown).build()?;
    /// let waits = executor.spawn(std::future::pending::<()>());
    /// let panics = executor.spawn(async { panic!("out of tea") });
    /// assert!(block_on(panics).unwrap_err().is_panic());
    /// assert!(block_on(waits).unwrap_err().is_cancelled());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn on_panic(mut self, policy: PanicPolicy) -> Self {
        self.panics = policy;
        self
    }

    /// Where each worker waits: called once for each, with its number, by `build`. See [`Park`].
    ///
    /// It goes to the worker's thread:
    /// ```compile_fail,E0277
    /// use executor::{Executor, Park, ThreadPark};
    /// struct Local(ThreadPark, std::rc::Rc<()>); // not `Send`
    /// impl Park for Local {
    ///     fn park(&mut self, patience: Option<std::time::Duration>) { self.0.park(patience) }
    ///     fn unparker(&self) -> std::task::Waker { self.0.unparker() }
    /// }
    /// ```
    pub fn park_with<N, Q>(self, make_park: N) -> ExecutorBuilder<N>
    where
        N: FnMut(usize) -> Q,
        Q: Park,
    {
        ExecutorBuilder {
            workers: self.workers,
            thread_name: self.thread_name,
            stack_size: self.stack_size,
            observer: self.observer,
            measure_polls: self.measure_polls,
            panics: self.panics,
            make_park,
        }
    }

    /// Starts the threads.
    ///
    /// # Errors
    /// When the number of workers is not between 1 and 48, the threads' name contains a zero byte,
    /// or the system refuses a thread; those already started have ended then.
    pub fn build(mut self) -> io::Result<Executor> {
        let workers = match self.workers {
            Some(workers) => workers,
            None => thread::available_parallelism().map_or(1, |n| n.get().min(MAX_WORKERS)),
        };
        if !(1..=MAX_WORKERS).contains(&workers) {
            let message = format!("{workers} workers; it takes 1 to {MAX_WORKERS}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        if self.thread_name.contains('\0') {
            let message = "a thread name contains no zero byte";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let parks: Vec<P> = (0..workers).map(&mut self.make_park).collect();
        let watched = self.measure_polls || self.observer.is_some();
        let settings = Settings {
            watch: watched.then(|| Watch::new(self.observer.take())),
            panics: self.panics,
        };
        // If a thread cannot be started, dropping this ends the others.
        let mut executor = Executor {
            pool: Pool::new(workers, settings),
            threads: Vec::new(),
        };
        for (index, park) in parks.into_iter().enumerate() {
            match self.start(&executor.pool, index, park) {
                Ok(thread) => executor.threads.push(thread),
                Err(error) => {
                    executor.pool.never_started(workers - index);
                    return Err(error);
                }
            }
        }
        Ok(executor)
    }

    fn start(
        &self,
        pool: &Arc<Pool>,
        index: usize,
        mut park: P,
    ) -> io::Result<thread::JoinHandle<()>> {
        let mut thread = thread::Builder::new().name(format!("{}-{index}", self.thread_name));
        if let Some(bytes) = self.stack_size {
            thread = thread.stack_size(bytes);
        }
        let pool = pool.clone();
        thread.spawn(move || Worker::new(&pool, index).work(&mut park))
    }
}

impl<M> fmt::Debug for ExecutorBuilder<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecutorBuilder")
            .field("workers", &self.workers)
            .field("thread_name", &self.thread_name)
            .field("stack_size", &self.stack_size)
            .field("panics", &self.panics)
            .finish_non_exhaustive()
    }
}
