//! glommio: one thread, on io_uring.
//!
//! Unsafe, because glommio takes over sockets only as numbers. What every block relies on:
//! 1. the number comes from `into_raw_fd` in the same expression, so it is an open descriptor of the
//!    right kind that nobody else owns or closes.
#![allow(unsafe_code)]

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{FromRawFd, IntoRawFd};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ::glommio::timer::Timer;
use ::glommio::{LocalExecutor, LocalExecutorBuilder, Placement, Task};

use super::streams::FuturesIo;
use crate::runtime::{Local, LocalNet, LocalSpawn, LocalTime};

/// One thread.
pub struct OneThread(LocalExecutor);

/// glommio finds the executor through a thread-local.
#[derive(Clone)]
pub struct Ambient(PhantomData<*const ()>);

impl Local for OneThread {
    const NAME: &'static str = "glommio";
    type Spawner = Ambient;

    fn new() -> Self {
        // 64 KiB instead of 10 MiB of registered buffers, which no workload uses.
        let builder = LocalExecutorBuilder::new(Placement::Unbound).io_memory(64 << 10);
        Self(builder.make().expect("glommio starts"))
    }

    fn spawner(&self) -> Ambient {
        Ambient(PhantomData)
    }

    fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        self.0.run(future)
    }
}

impl LocalSpawn for Ambient {
    type Join<T: 'static> = Task<T>;

    fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        ::glommio::spawn_local(future)
    }

    fn detach<F: Future<Output = ()> + 'static>(&self, future: F) {
        drop(::glommio::spawn_local(future).detach());
    }

    fn yield_now(&self) -> impl Future<Output = ()> + 'static {
        futures_lite::future::yield_now() // what its own `yield_now` does
    }
}

/// A sleep's output is how long it was, which no workload needs.
pub struct Sleep(Timer);

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}

impl LocalTime for OneThread {
    type Sleep = Sleep;
    type Timer = ();

    fn timer(&self) {}

    fn sleep((): &(), duration: Duration) -> Sleep {
        Sleep(Timer::new(duration))
    }

    fn reset(mut sleep: Pin<&mut Sleep>, duration: Duration) {
        sleep.0.reset(duration);
    }

    async fn timeout<F: Future>((): &(), duration: Duration, future: F) -> Option<F::Output> {
        let future = async { Ok(future.await) };
        ::glommio::timer::timeout(duration, future).await.ok()
    }
}

impl LocalNet for OneThread {
    type Unix = FuturesIo<::glommio::net::UnixStream>;
    type Tcp = FuturesIo<::glommio::net::TcpStream>;
    type Listener = ::glommio::net::TcpListener;
    type Net = ();

    fn net(&self) {}

    fn unix((): &(), stream: UnixStream) -> io::Result<Self::Unix> {
        // SAFETY: 1
        let stream = unsafe { ::glommio::net::UnixStream::from_raw_fd(stream.into_raw_fd()) };
        Ok(FuturesIo(stream))
    }

    fn tcp((): &(), stream: TcpStream) -> io::Result<Self::Tcp> {
        // SAFETY: 1
        let stream = unsafe { ::glommio::net::TcpStream::from_raw_fd(stream.into_raw_fd()) };
        Ok(FuturesIo(stream))
    }

    fn listener((): &(), listener: TcpListener) -> io::Result<Self::Listener> {
        // SAFETY: 1
        let listener = unsafe { ::glommio::net::TcpListener::from_raw_fd(listener.into_raw_fd()) };
        Ok(listener)
    }

    async fn accept(listener: &Self::Listener) -> io::Result<Self::Tcp> {
        let stream = listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok(FuturesIo(stream))
    }
}
