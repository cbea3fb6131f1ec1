//! This project's executor on several threads.

use std::future::Future;

use executor::{BlockingPool, Executor, JoinHandle, Spawner};

use super::joins::Sure;
use crate::runtime::{Pool, Spawn, Threaded};
use crate::workload::OURS;

/// Several threads that park when there is nothing to do.
pub struct ManyThreads(Executor);

/// Threads that may block.
pub type Blocking = BlockingPool;

type Join<T> = Sure<JoinHandle<T>>;

impl Threaded for ManyThreads {
    const NAME: &'static str = OURS;
    type Spawner = Spawner;

    fn new(workers: usize) -> Self {
        Self(
            Executor::builder()
                .workers(workers)
                .build()
                .expect("threads start"),
        )
    }

    fn spawner(&self) -> Spawner {
        self.0.spawner()
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        executor::block_on(future)
    }
}

impl Spawn for Spawner {
    type Join<T: Send + 'static> = Join<T>;

    fn spawn<F>(&self, future: F) -> Join<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Sure(Spawner::spawn(self, future))
    }

    fn detach<F: Future<Output = ()> + Send + 'static>(&self, future: F) {
        Spawner::spawn(self, future).detach();
    }

    fn yield_now(&self) -> impl Future<Output = ()> + Send + 'static {
        executor::yield_now()
    }
}

impl Pool for BlockingPool {
    const NAME: &'static str = OURS;

    fn new() -> Self {
        Self::builder().build().expect("threads start")
    }

    async fn run(&self, number: u64) -> u64 {
        Self::run(self, move || number).await.expect("the job ran")
    }
}
