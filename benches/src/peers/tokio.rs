//! tokio: `LocalRuntime` (the `current_thread` scheduler, taking `!Send` tasks without a
//! `LocalSet`'s second queue) and `multi_thread`.

use std::future::Future;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::time::Duration;

use ::tokio::runtime::{Builder, Handle, LocalRuntime, Runtime};

use super::joins::Sure;
use super::streams::TokioIo;
use crate::runtime::{Local, LocalNet, LocalOutside, LocalSpawn, LocalTime, Pool, Spawn, Threaded};

/// One thread, with the I/O and time drivers or without.
pub struct On<const DRIVERS: bool>(LocalRuntime);

/// One thread, no drivers: for what an executor alone does.
pub type OneThread = On<false>;

/// One thread with the I/O and time drivers.
pub type WithDrivers = On<true>;

/// Several threads, no drivers.
pub struct ManyThreads(Runtime);

/// Threads that may block.
pub struct Blocking(Runtime);

/// tokio finds the runtime through a thread-local.
#[derive(Clone)]
pub struct Ambient;

type Join<T> = Sure<::tokio::task::JoinHandle<T>>;

impl<const DRIVERS: bool> Local for On<DRIVERS> {
    const NAME: &'static str = "tokio";
    type Spawner = Ambient;

    fn new() -> Self {
        let mut builder = Builder::new_current_thread();
        if DRIVERS {
            builder.enable_all();
        }
        let runtime = builder.build_local(Default::default());
        Self(runtime.expect("tokio starts"))
    }

    fn spawner(&self) -> Ambient {
        Ambient
    }

    fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

impl LocalOutside for OneThread {
    type Join<T: 'static> = Join<T>;

    fn spawn_outside<F>(&mut self, future: F) -> Join<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Sure(self.0.spawn_local(future))
    }
}

impl LocalSpawn for Ambient {
    type Join<T: 'static> = Join<T>;

    fn spawn<F>(&self, future: F) -> Join<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Sure(::tokio::task::spawn_local(future))
    }

    fn detach<F: Future<Output = ()> + 'static>(&self, future: F) {
        drop(::tokio::task::spawn_local(future));
    }

    fn yield_now(&self) -> impl Future<Output = ()> + 'static {
        ::tokio::task::yield_now()
    }
}

impl Threaded for ManyThreads {
    const NAME: &'static str = "tokio";
    type Spawner = Handle;

    fn new(workers: usize) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(workers).build();
        Self(runtime.expect("tokio starts"))
    }

    fn spawner(&self) -> Handle {
        self.0.handle().clone()
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

impl Spawn for Handle {
    type Join<T: Send + 'static> = Join<T>;

    fn spawn<F>(&self, future: F) -> Join<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Sure(Self::spawn(self, future))
    }

    fn detach<F: Future<Output = ()> + Send + 'static>(&self, future: F) {
        drop(Self::spawn(self, future));
    }

    fn yield_now(&self) -> impl Future<Output = ()> + Send + 'static {
        ::tokio::task::yield_now()
    }
}

impl LocalTime for WithDrivers {
    type Sleep = ::tokio::time::Sleep;
    type Timer = ();

    fn timer(&self) {}

    fn sleep((): &(), duration: Duration) -> Self::Sleep {
        ::tokio::time::sleep(duration)
    }

    fn reset(sleep: Pin<&mut Self::Sleep>, duration: Duration) {
        sleep.reset(::tokio::time::Instant::now() + duration);
    }

    async fn timeout<F: Future>((): &(), duration: Duration, future: F) -> Option<F::Output> {
        ::tokio::time::timeout(duration, future).await.ok()
    }
}

impl LocalNet for WithDrivers {
    type Unix = TokioIo<::tokio::net::UnixStream>;
    type Tcp = TokioIo<::tokio::net::TcpStream>;
    type Listener = ::tokio::net::TcpListener;
    type Net = ();

    fn net(&self) {}

    fn unix((): &(), stream: UnixStream) -> io::Result<Self::Unix> {
        ::tokio::net::UnixStream::from_std(stream).map(TokioIo)
    }

    fn tcp((): &(), stream: TcpStream) -> io::Result<Self::Tcp> {
        ::tokio::net::TcpStream::from_std(stream).map(TokioIo)
    }

    fn listener((): &(), listener: TcpListener) -> io::Result<Self::Listener> {
        ::tokio::net::TcpListener::from_std(listener)
    }

    async fn accept(listener: &Self::Listener) -> io::Result<Self::Tcp> {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok(TokioIo(stream))
    }
}

impl Pool for Blocking {
    const NAME: &'static str = "tokio";

    fn new() -> Self {
        Self(Builder::new_current_thread().build().expect("tokio starts"))
    }

    fn run(&self, number: u64) -> impl Future<Output = u64> {
        Sure(self.0.spawn_blocking(move || number))
    }
}
