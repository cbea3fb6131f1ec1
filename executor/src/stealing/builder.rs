//! How an executor is set up.

use std::io;
use std::sync::Arc;
use std::thread;

use super::Executor;
use super::idle::MAX_WORKERS;
use super::park::{Park, ThreadPark};
use super::pool::Pool;
use super::worker::Worker;

/// Sets an [`Executor`] up; see [`Executor::builder`].
#[derive(Debug, Clone)]
#[must_use]
pub struct ExecutorBuilder<M = fn(usize) -> ThreadPark> {
    workers: Option<usize>,
    thread_name: String,
    stack_size: Option<usize>,
    make_park: M,
}

impl ExecutorBuilder {
    pub(super) fn new() -> Self {
        Self {
            workers: None,
            thread_name: "worker".into(),
            stack_size: None,
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

    /// Where each worker waits: called once for each, with its number, by `build`. See [`Park`].
    pub fn park_with<N, Q>(self, make_park: N) -> ExecutorBuilder<N>
    where
        N: FnMut(usize) -> Q,
        Q: Park,
    {
        let Self {
            workers,
            thread_name,
            stack_size,
            make_park: _,
        } = self;
        ExecutorBuilder {
            workers,
            thread_name,
            stack_size,
            make_park,
        }
    }

    /// Starts the threads.
    ///
    /// # Errors
    /// When the number of workers is not between 1 and 48, or the system refuses a thread; those
    /// already started have ended then.
    pub fn build(mut self) -> io::Result<Executor> {
        let workers = match self.workers {
            Some(workers) => workers,
            None => thread::available_parallelism().map_or(1, |n| n.get().min(MAX_WORKERS)),
        };
        if !(1..=MAX_WORKERS).contains(&workers) {
            let message = format!("{workers} workers; it takes 1 to {MAX_WORKERS}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let parks: Vec<P> = (0..workers).map(&mut self.make_park).collect();
        // If a thread cannot be started, dropping this ends the others.
        let mut executor = Executor {
            pool: Pool::new(workers),
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
