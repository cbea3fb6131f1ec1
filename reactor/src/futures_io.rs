//! `futures_io::AsyncRead` and `AsyncWrite`, for every source whose value std can read or write.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

use crate::source::Source;
use crate::split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};

impl<T: AsFd> AsyncRead for Source<T>
where
    for<'a> &'a T: Read,
{
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_read_into(cx, buf)
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_read_into_vectored(cx, bufs)
    }
}

impl<T: AsFd> AsyncWrite for Source<T>
where
    for<'a> &'a T: Write,
{
    #[inline]
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_from(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_from_vectored(cx, bufs)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_write_with(cx, |mut io| io.flush())
    }

    /// Flushes, then tells the peer of a socket that no more will come.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        close(self.as_ref().get_ref(), cx)
    }
}

fn close<T: AsFd>(source: &Source<T>, cx: &mut Context<'_>) -> Poll<io::Result<()>>
where
    for<'a> &'a T: Write,
{
    source.poll_write_with(cx, |mut io| {
        io.flush()?;
        crate::descriptor::finish_writing(io.as_fd())
    })
}

/// The halves do what the whole does: `self.source()` of each.
macro_rules! reads_like_its_source {
    ($half:ty) => {
        impl<T: AsFd> AsyncRead for $half
        where
            for<'b> &'b T: Read,
        {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                self.source().poll_read_into(cx, buf)
            }

            fn poll_read_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &mut [IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                self.source().poll_read_into_vectored(cx, bufs)
            }
        }
    };
}

macro_rules! writes_like_its_source {
    ($half:ty) => {
        impl<T: AsFd> AsyncWrite for $half
        where
            for<'b> &'b T: Write,
        {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.source().poll_write_from(cx, buf)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.source().poll_write_from_vectored(cx, bufs)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.source().poll_write_with(cx, |mut io| io.flush())
            }

            fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                close(self.source(), cx)
            }
        }
    };
}

reads_like_its_source!(ReadHalf<'_, T>);
reads_like_its_source!(OwnedReadHalf<T>);
writes_like_its_source!(WriteHalf<'_, T>);
writes_like_its_source!(OwnedWriteHalf<T>);
