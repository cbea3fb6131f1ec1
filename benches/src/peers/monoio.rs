//! monoio: one thread, on epoll and on io_uring.

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::time::Duration;

use ::monoio::buf::IoBuf;
use ::monoio::io::{AsyncReadRent, AsyncWriteRent, AsyncWriteRentExt};
use ::monoio::time::{Sleep, TimeDriver};
use ::monoio::{IoUringDriver, LegacyDriver, Runtime, RuntimeBuilder};

use crate::runtime::{Local, LocalNet, LocalSpawn, LocalTime, Stream};

/// On epoll, without timers: for what an executor alone does.
pub struct OneThread(Runtime<LegacyDriver>);

/// On epoll, with timers.
pub struct Epoll(Runtime<TimeDriver<LegacyDriver>>);

/// On io_uring, with timers.
pub struct Uring(Runtime<TimeDriver<IoUringDriver>>);

/// monoio finds the runtime through a thread-local.
#[derive(Clone)]
pub struct Ambient(PhantomData<*const ()>);

impl Local for OneThread {
    const NAME: &'static str = "monoio";
    type Spawner = Ambient;

    fn new() -> Self {
        Self(
            RuntimeBuilder::<LegacyDriver>::new()
                .build()
                .expect("monoio starts"),
        )
    }

    fn spawner(&self) -> Ambient {
        Ambient(PhantomData)
    }

    fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

impl Local for Epoll {
    const NAME: &'static str = "monoio";
    type Spawner = Ambient;

    fn new() -> Self {
        let builder = RuntimeBuilder::<LegacyDriver>::new().enable_timer();
        Self(builder.build().expect("monoio starts"))
    }

    fn spawner(&self) -> Ambient {
        Ambient(PhantomData)
    }

    fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

impl Local for Uring {
    const NAME: &'static str = "monoio-uring";
    type Spawner = Ambient;

    fn new() -> Self {
        let builder = RuntimeBuilder::<IoUringDriver>::new().enable_timer();
        Self(builder.build().expect("monoio starts"))
    }

    fn spawner(&self) -> Ambient {
        Ambient(PhantomData)
    }

    fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

impl LocalSpawn for Ambient {
    type Join<T: 'static> = ::monoio::task::JoinHandle<T>;

    fn spawn<F>(&self, future: F) -> ::monoio::task::JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        ::monoio::spawn(future)
    }

    fn detach<F: Future<Output = ()> + 'static>(&self, future: F) {
        drop(::monoio::spawn(future));
    }

    fn yield_now(&self) -> impl Future<Output = ()> + 'static {
        futures_lite::future::yield_now()
    }
}

impl LocalTime for Epoll {
    type Sleep = Sleep;
    type Timer = ();

    fn timer(&self) {}

    fn sleep((): &(), duration: Duration) -> Sleep {
        ::monoio::time::sleep(duration)
    }

    fn reset(sleep: Pin<&mut Sleep>, duration: Duration) {
        sleep.reset(::monoio::time::Instant::now() + duration);
    }

    async fn timeout<F: Future>((): &(), duration: Duration, future: F) -> Option<F::Output> {
        ::monoio::time::timeout(duration, future).await.ok()
    }
}

impl LocalNet for Epoll {
    type Unix = Rent<::monoio::net::UnixStream>;
    type Tcp = Rent<::monoio::net::TcpStream>;
    type Listener = ::monoio::net::TcpListener;
    type Net = ();

    fn net(&self) {}

    fn unix((): &(), stream: UnixStream) -> io::Result<Self::Unix> {
        ::monoio::net::UnixStream::from_std(stream).map(Rent)
    }

    fn tcp((): &(), stream: TcpStream) -> io::Result<Self::Tcp> {
        ::monoio::net::TcpStream::from_std(stream).map(Rent)
    }

    fn listener((): &(), listener: TcpListener) -> io::Result<Self::Listener> {
        ::monoio::net::TcpListener::from_std(listener)
    }

    async fn accept(listener: &Self::Listener) -> io::Result<Self::Tcp> {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok(Rent(stream))
    }
}

impl LocalNet for Uring {
    type Unix = Rent<::monoio::net::UnixStream>;
    type Tcp = Rent<::monoio::net::TcpStream>;
    type Listener = ::monoio::net::TcpListener;
    type Net = ();

    fn net(&self) {}

    fn unix((): &(), stream: UnixStream) -> io::Result<Self::Unix> {
        ::monoio::net::UnixStream::from_std(stream).map(Rent)
    }

    fn tcp((): &(), stream: TcpStream) -> io::Result<Self::Tcp> {
        ::monoio::net::TcpStream::from_std(stream).map(Rent)
    }

    fn listener((): &(), listener: TcpListener) -> io::Result<Self::Listener> {
        ::monoio::net::TcpListener::from_std(listener)
    }

    async fn accept(listener: &Self::Listener) -> io::Result<Self::Tcp> {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok(Rent(stream))
    }
}

/// A stream that takes buffers by value, which io_uring needs while the kernel fills them.
pub struct Rent<S>(S);

impl<S: AsyncReadRent + AsyncWriteRent + 'static> Stream for Rent<S> {
    async fn read(&mut self, buffer: Vec<u8>) -> (io::Result<usize>, Vec<u8>) {
        // Reads up to the buffer's capacity, and makes its length what came.
        AsyncReadRent::read(&mut self.0, buffer).await
    }

    async fn write_all(&mut self, buffer: Vec<u8>, length: usize) -> (io::Result<()>, Vec<u8>) {
        let slice = buffer.slice(0..length);
        let (result, slice) = AsyncWriteRentExt::write_all(&mut self.0, slice).await;
        (result.map(drop), slice.into_inner())
    }
}
