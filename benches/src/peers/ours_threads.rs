//! This project's executor on several threads.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use executor::{Executor, JoinHandle, Spawner};

use crate::contest::OURS;
use crate::runtime::{Spawn, Threaded};

/// Several threads that park when there is nothing to do.
pub struct ManyThreads(Executor);

/// A join that panics when its task did: no workload's task may.
pub struct Join<T>(JoinHandle<T>);

impl<T> Future for Join<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0)
            .poll(cx)
            .map(|output| output.expect("a task of the workload failed"))
    }
}

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
        Join(Spawner::spawn(self, future))
    }

    fn detach<F: Future<Output = ()> + Send + 'static>(&self, future: F) {
        Spawner::spawn(self, future).detach();
    }

    fn yield_now(&self) -> impl Future<Output = ()> + Send + 'static {
        executor::yield_now()
    }
}
