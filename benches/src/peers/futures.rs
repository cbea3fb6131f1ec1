//! The futures crate's own executors: `LocalPool` and `ThreadPool`.

use std::future::Future;

use ::futures::executor::{LocalPool, LocalSpawner, ThreadPool, block_on};
use ::futures::future::RemoteHandle;
use ::futures::task::{LocalSpawnExt, SpawnExt};

use crate::runtime::{Local, LocalOutside, LocalSpawn, Spawn, Threaded};

/// One thread.
pub struct OneThread(LocalPool);

/// Several threads.
pub struct ManyThreads(ThreadPool);

impl Local for OneThread {
    const NAME: &'static str = "futures";
    type Spawner = LocalSpawner;

    fn new() -> Self {
        Self(LocalPool::new())
    }

    fn spawner(&self) -> LocalSpawner {
        self.0.spawner()
    }

    fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        self.0.run_until(future)
    }
}

impl LocalOutside for OneThread {
    type Join<T: 'static> = RemoteHandle<T>;

    fn spawn_outside<F>(&mut self, future: F) -> RemoteHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.0
            .spawner()
            .spawn_local_with_handle(future)
            .expect("the pool is alive")
    }
}

impl LocalSpawn for LocalSpawner {
    type Join<T: 'static> = RemoteHandle<T>;

    fn spawn<F>(&self, future: F) -> RemoteHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.spawn_local_with_handle(future)
            .expect("the pool is alive")
    }

    fn detach<F: Future<Output = ()> + 'static>(&self, future: F) {
        self.spawn_local(future).expect("the pool is alive");
    }

    fn yield_now(&self) -> impl Future<Output = ()> + 'static {
        futures_lite::future::yield_now()
    }
}

impl Threaded for ManyThreads {
    const NAME: &'static str = "futures";
    type Spawner = ThreadPool;

    fn new(workers: usize) -> Self {
        Self(
            ThreadPool::builder()
                .pool_size(workers)
                .create()
                .expect("threads start"),
        )
    }

    fn spawner(&self) -> ThreadPool {
        self.0.clone()
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        block_on(future)
    }
}

impl Spawn for ThreadPool {
    type Join<T: Send + 'static> = RemoteHandle<T>;

    fn spawn<F>(&self, future: F) -> RemoteHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_with_handle(future).expect("the pool is alive")
    }

    fn detach<F: Future<Output = ()> + Send + 'static>(&self, future: F) {
        SpawnExt::spawn(self, future).expect("the pool is alive");
    }

    fn yield_now(&self) -> impl Future<Output = ()> + Send + 'static {
        futures_lite::future::yield_now()
    }
}
