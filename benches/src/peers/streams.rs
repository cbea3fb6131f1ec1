//! The two families of readiness-based streams behind one trait.

use std::io;

use crate::runtime::Stream;

/// A stream with tokio's traits.
pub struct TokioIo<S>(pub S);

/// A stream with the traits of futures-io: smol's and ours.
pub struct FuturesIo<S>(pub S);

impl<S> Stream for TokioIo<S>
where
    S: ::tokio::io::AsyncRead + ::tokio::io::AsyncWrite + Unpin + 'static,
{
    async fn read(&mut self, mut buffer: Vec<u8>) -> (io::Result<usize>, Vec<u8>) {
        (
            ::tokio::io::AsyncReadExt::read(&mut self.0, &mut buffer).await,
            buffer,
        )
    }

    async fn write_all(&mut self, buffer: Vec<u8>, length: usize) -> (io::Result<()>, Vec<u8>) {
        (
            ::tokio::io::AsyncWriteExt::write_all(&mut self.0, &buffer[..length]).await,
            buffer,
        )
    }
}

impl<S> Stream for FuturesIo<S>
where
    S: futures_lite::AsyncRead + futures_lite::AsyncWrite + Unpin + 'static,
{
    async fn read(&mut self, mut buffer: Vec<u8>) -> (io::Result<usize>, Vec<u8>) {
        (
            futures_lite::AsyncReadExt::read(&mut self.0, &mut buffer).await,
            buffer,
        )
    }

    async fn write_all(&mut self, buffer: Vec<u8>, length: usize) -> (io::Result<()>, Vec<u8>) {
        (
            futures_lite::AsyncWriteExt::write_all(&mut self.0, &buffer[..length]).await,
            buffer,
        )
    }
}
