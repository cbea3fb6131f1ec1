//! `hyper::rt::Read` and `Write` for every source.
#![allow(unsafe_code)]
// Invariants of this file:
// 1. `recv` and `read` of rustix initialise as many bytes as they return, at the start of the
//    buffer they are given, and never write anything but initialised bytes into it.
// 2. So the cursor is advanced by exactly that many.

use std::io::{self, IoSlice, Write};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::rt::{self, ReadBufCursor};
use rustix::net::RecvFlags;

use crate::descriptor::finish_writing;
use crate::returns::mend;
use crate::short_reads::{ShortReads, is_short};
use crate::source::Source;

impl<T: AsFd> rt::Read for Source<T> {
    /// Reads into hyper's buffer as it is, without clearing it first.
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // SAFETY: (1): nothing uninitialised is written to it.
        let buf = unsafe { cursor.as_mut() };
        let wanted = buf.len();
        let got = ready!(self.poll_read_bytes(cx, |io| match self.short_reads {
            ShortReads::ProveNothing => Ok((rustix::io::read(io, &mut *buf)?.0.len(), false)),
            // Of a message with a descriptor in it `recv` tells as little as `read`.
            sure => {
                let received = rustix::net::recv(io, &mut *buf, RecvFlags::empty());
                let ((got, _), _) = mend(received)?;
                let drained = sure == ShortReads::Drain && is_short(got.len(), wanted);
                Ok((got.len(), drained))
            }
        }))?;
        // SAFETY: (2).
        unsafe { cursor.advance(got) };
        Poll::Ready(Ok(()))
    }
}

impl<T: AsFd> rt::Write for Source<T>
where
    for<'a> &'a T: Write,
{
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_from(cx, buf)
    }

    fn is_write_vectored(&self) -> bool {
        true
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

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_write_with(cx, |mut io| {
            io.flush()?;
            finish_writing(io.as_fd())
        })
    }
}
