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
use ::monoio::{Driver, IoUringDriver, LegacyDriver, Runtime, RuntimeBuilder};

use crate::runtime::{Local, LocalNet, LocalSpawn, LocalTime, Stream};

/// monoio with one of its drivers.
pub struct On<D>(Runtime<D>);

/// On epoll, without timers: for what an executor alone does.
pub type OneThread = On<LegacyDriver>;

/// On epoll, with timers.
pub type Epoll = On<TimeDriver<LegacyDriver>>;

/// On io_uring, with timers.
pub type Uring = On<TimeDriver<IoUringDriver>>;

/// What tells one from another.
pub trait Kind: Driver + Sized + 'static {
    /// What the report calls it.
    const NAME: &'static str;
    /// A runtime on it.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn start() -> io::Result<Runtime<Self>>;
}

impl Kind for LegacyDriver {
    const NAME: &'static str = "monoio";

    fn start() -> io::Result<Runtime<Self>> {
        RuntimeBuilder::<Self>::new().build()
    }
}

impl Kind for TimeDriver<LegacyDriver> {
    const NAME: &'static str = "monoio";

    fn start() -> io::Result<Runtime<Self>> {
        RuntimeBuilder::<LegacyDriver>::new().enable_timer().build()
    }
}

impl Kind for TimeDriver<IoUringDriver> {
    const NAME: &'static str = "monoio-uring";

    fn start() -> io::Result<Runtime<Self>> {
        RuntimeBuilder::<IoUringDriver>::new()
            .enable_timer()
            .build()
    }
}

/// monoio finds the runtime through a thread-local.
#[derive(Clone)]
pub struct Ambient(PhantomData<*const ()>);

impl<D: Kind> Local for On<D> {
    const NAME: &'static str = D::NAME;
    type Spawner = Ambient;

    fn new() -> Self {
        Self(D::start().expect("monoio starts"))
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

impl<D: Kind> LocalNet for On<D> {
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
