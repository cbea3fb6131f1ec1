//! compio: one thread, on io_uring. Without its timers: a sleep of its has no type that a trait
//! could name, and boxing it would make it slower than it is.

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

use ::compio::BufResult;
use ::compio::buf::{IntoInner, IoBuf};
use ::compio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use ::compio::runtime::{JoinHandle, Runtime};

use super::joins::Sure;
use crate::runtime::{Local, LocalNet, LocalSpawn, Stream};

/// One thread.
pub struct OneThread(Runtime);

/// compio finds the runtime through a thread-local.
#[derive(Clone)]
pub struct Ambient(PhantomData<*const ()>);

impl Local for OneThread {
    const NAME: &'static str = "compio";
    type Spawner = Ambient;

    fn new() -> Self {
        Self(Runtime::new().expect("compio starts"))
    }

    fn spawner(&self) -> Ambient {
        Ambient(PhantomData)
    }

    fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

impl LocalSpawn for Ambient {
    type Join<T: 'static> = Sure<JoinHandle<T>>;

    fn spawn<F>(&self, future: F) -> Self::Join<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Sure(::compio::runtime::spawn(future))
    }

    fn detach<F: Future<Output = ()> + 'static>(&self, future: F) {
        ::compio::runtime::spawn(future).detach();
    }

    fn yield_now(&self) -> impl Future<Output = ()> + 'static {
        futures_lite::future::yield_now()
    }
}

impl LocalNet for OneThread {
    type Unix = Owned<::compio::net::UnixStream>;
    type Tcp = Owned<::compio::net::TcpStream>;
    type Listener = ::compio::net::TcpListener;
    type Net = ();

    fn net(&self) {}

    fn unix((): &(), stream: UnixStream) -> io::Result<Self::Unix> {
        ::compio::net::UnixStream::from_std(stream).map(Owned)
    }

    fn tcp((): &(), stream: TcpStream) -> io::Result<Self::Tcp> {
        ::compio::net::TcpStream::from_std(stream).map(Owned)
    }

    fn listener((): &(), listener: TcpListener) -> io::Result<Self::Listener> {
        ::compio::net::TcpListener::from_std(listener)
    }

    async fn accept(listener: &Self::Listener) -> io::Result<Self::Tcp> {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok(Owned(stream))
    }
}

/// A stream that takes buffers by value, which io_uring needs while the kernel fills them.
pub struct Owned<S>(S);

impl<S: AsyncRead + AsyncWrite + 'static> Stream for Owned<S> {
    async fn read(&mut self, buffer: Vec<u8>) -> (io::Result<usize>, Vec<u8>) {
        // Reads up to the buffer's capacity, and makes its length what came.
        let BufResult(result, buffer) = self.0.read(buffer).await;
        (result, buffer)
    }

    async fn write_all(&mut self, buffer: Vec<u8>, length: usize) -> (io::Result<()>, Vec<u8>) {
        let BufResult(result, slice) = self.0.write_all(buffer.slice(..length)).await;
        (result, slice.into_inner())
    }
}
