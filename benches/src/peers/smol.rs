//! smol's parts: async-executor's `LocalExecutor` and `Executor`, async-io's reactor and timers.

use std::future::Future;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use ::futures::channel::oneshot;
use async_executor::{Executor, LocalExecutor, Task};
use async_io::{Async, Timer};
use futures_lite::FutureExt;

use super::streams::FuturesIo;
use crate::runtime::{Local, LocalNet, LocalOutside, LocalSpawn, LocalTime, Pool, Spawn, Threaded};

/// One thread whose waiting is done by futures-lite, which knows no reactor, or by async-io, which
/// drives its own.
pub struct On<const REACTOR: bool>(Rc<LocalExecutor<'static>>);

/// One thread, no reactor.
pub type OneThread = On<false>;

/// One thread driving the reactor itself, as `async_io::block_on` does.
pub type WithReactor = On<true>;

/// Several threads, no reactor.
pub struct ManyThreads {
    executor: Arc<Executor<'static>>,
    workers: Vec<(oneshot::Sender<()>, JoinHandle<()>)>, // dropping the sender ends the worker
}

/// smol's pool is one for the process.
pub struct Blocking;

impl<const REACTOR: bool> Local for On<REACTOR> {
    const NAME: &'static str = "smol";
    type Spawner = Rc<LocalExecutor<'static>>;

    fn new() -> Self {
        Self(Rc::default())
    }

    fn spawner(&self) -> Self::Spawner {
        Rc::clone(&self.0)
    }

    fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        if REACTOR {
            async_io::block_on(self.0.run(future))
        } else {
            futures_lite::future::block_on(self.0.run(future))
        }
    }
}

impl LocalOutside for OneThread {
    type Join<T: 'static> = Task<T>;

    fn spawn_outside<F>(&mut self, future: F) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        LocalExecutor::spawn(&self.0, future)
    }
}

impl LocalSpawn for Rc<LocalExecutor<'static>> {
    type Join<T: 'static> = Task<T>;

    fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        LocalExecutor::spawn(self, future)
    }

    fn detach<F: Future<Output = ()> + 'static>(&self, future: F) {
        LocalExecutor::spawn(self, future).detach();
    }

    fn yield_now(&self) -> impl Future<Output = ()> + 'static {
        futures_lite::future::yield_now()
    }
}

impl Threaded for ManyThreads {
    const NAME: &'static str = "smol";
    type Spawner = Arc<Executor<'static>>;

    fn new(workers: usize) -> Self {
        let executor = Arc::new(Executor::new());
        let start = |_| {
            let executor = Arc::clone(&executor);
            let (stop, stopped) = oneshot::channel::<()>();
            let run = move || {
                let _ = futures_lite::future::block_on(executor.run(stopped));
            };
            (stop, std::thread::spawn(run))
        };
        let workers = (0..workers).map(start).collect();
        Self { executor, workers }
    }

    fn spawner(&self) -> Self::Spawner {
        Arc::clone(&self.executor)
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        futures_lite::future::block_on(future)
    }
}

impl Drop for ManyThreads {
    fn drop(&mut self) {
        for (stop, worker) in self.workers.drain(..) {
            drop(stop);
            worker.join().expect("a task of the workload failed");
        }
    }
}

impl Spawn for Arc<Executor<'static>> {
    type Join<T: Send + 'static> = Task<T>;

    fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Executor::spawn(self, future)
    }

    fn detach<F: Future<Output = ()> + Send + 'static>(&self, future: F) {
        Executor::spawn(self, future).detach();
    }

    fn yield_now(&self) -> impl Future<Output = ()> + Send + 'static {
        futures_lite::future::yield_now()
    }
}

/// A sleep's output is the instant at which it fired, which no workload needs.
pub struct Sleep(Timer);

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}

impl LocalTime for WithReactor {
    type Sleep = Sleep;
    type Timer = ();

    fn timer(&self) {}

    fn sleep((): &(), duration: Duration) -> Sleep {
        Sleep(Timer::after(duration))
    }

    fn reset(mut sleep: Pin<&mut Sleep>, duration: Duration) {
        sleep.0.set_after(duration);
    }

    async fn timeout<F: Future>((): &(), duration: Duration, future: F) -> Option<F::Output> {
        let in_time = async { Some(future.await) };
        let too_late = async {
            Timer::after(duration).await;
            None
        };
        in_time.or(too_late).await
    }
}

impl LocalNet for WithReactor {
    type Unix = FuturesIo<Async<UnixStream>>;
    type Tcp = FuturesIo<Async<TcpStream>>;
    type Listener = Async<TcpListener>;
    type Net = ();

    fn net(&self) {}

    fn unix((): &(), stream: UnixStream) -> io::Result<Self::Unix> {
        Async::new(stream).map(FuturesIo)
    }

    fn tcp((): &(), stream: TcpStream) -> io::Result<Self::Tcp> {
        Async::new(stream).map(FuturesIo)
    }

    fn listener((): &(), listener: TcpListener) -> io::Result<Self::Listener> {
        Async::new(listener)
    }

    async fn accept(listener: &Self::Listener) -> io::Result<Self::Tcp> {
        let (stream, _) = listener.accept().await?;
        stream.get_ref().set_nodelay(true)?;
        Ok(FuturesIo(stream))
    }
}

impl Pool for Blocking {
    const NAME: &'static str = "smol";

    fn new() -> Self {
        Self
    }

    fn run(&self, number: u64) -> impl Future<Output = u64> {
        blocking::unblock(move || number)
    }
}
