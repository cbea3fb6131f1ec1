//! Saving the read that would only fail: when does a short read mean that nothing is left?
//!
//! An edge-triggered source has to be read until `WouldBlock`, or the next edge never comes: one
//! failing system call a message. If fewer bytes came than were asked for, the failing call can
//! be saved, *provided* that whatever comes later makes an edge of its own. It does not after an
//! end of stream that arrived together with the data, at TCP's urgent mark, and at a descriptor
//! passed over a Unix socket: in each case more follows and no edge will tell. So the rule is used
//! only where the poller announces the first two (`Ready::HANGUP`), and only by sources that know
//! what they are.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::AsFd;
use std::task::{Context, Poll};

use crate::descriptor::{MAX_BUFFERS, receive, recv, send, send_vectored};
use crate::readiness::Direction;
use crate::slot::Waiter;
use crate::source::Source;

/// What it means that a read returned fewer bytes than were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShortReads {
    /// Nothing: a pipe opened after its writers went announces no end, a datagram has a length of
    /// its own, and of other descriptors we know nothing. Read until `WouldBlock`.
    ProveNothing,
    /// Drained, unless the kernel stopped at a message that carries descriptors: Unix streams. Only
    /// `recvmsg` tells.
    UnlessCut,
    /// The descriptor is drained: TCP, as long as no hang-up or urgent data was announced.
    Drain,
}

impl<T: AsFd> Source<T> {
    /// For the streams whose constructors know what a short read means. On pollers that do not
    /// announce the end of a stream it means nothing all the same; see `Registration::new`.
    pub(crate) fn with_short_reads(mut self, short_reads: ShortReads) -> Source<T> {
        self.short_reads = short_reads;
        self
    }

    /// Reads into `buf`; for poll-style code, one task at a time.
    ///
    /// If fewer bytes come than fit, and that means 'drained' here, the next read need not fail
    /// first to find out.
    ///
    /// # Errors
    ///
    /// What the kernel says. The end of the stream is no error, it is zero bytes.
    #[inline]
    pub fn poll_read_into(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>
    where
        for<'a> &'a T: Read,
    {
        self.poll_read_bytes(cx, |io| self.read_once(io, buf))
    }

    /// Reads once. Returns how many bytes came, and whether that proves that no more are there.
    #[inline(always)]
    pub(crate) fn read_once(&self, mut io: &T, buf: &mut [u8]) -> io::Result<(usize, bool)>
    where
        for<'a> &'a T: Read,
    {
        let wanted = buf.len();
        match self.short_reads {
            ShortReads::Drain => {
                let got = recv(io, buf)?;
                Ok((got, is_short(got, wanted)))
            }
            ShortReads::ProveNothing => Ok((io.read(buf)?, false)),
            ShortReads::UnlessCut => {
                let (got, uncut) = receive(io.as_fd(), &mut [IoSliceMut::new(buf)])?;
                Ok((got, uncut && is_short(got, wanted)))
            }
        }
    }

    /// Writes some of `bytes`; for poll-style code, one task at a time.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    #[inline]
    pub fn poll_write_from(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>
    where
        for<'a> &'a T: Write,
    {
        self.poll_write_with(cx, |mut io| match self.short_reads {
            ShortReads::ProveNothing => io.write(bytes),
            ShortReads::Drain | ShortReads::UnlessCut => send(io, bytes), // these are sockets
        })
    }

    /// [`poll_write_from`](Source::poll_write_from) several buffers, one after the other.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn poll_write_from_vectored(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>>
    where
        for<'a> &'a T: Write,
    {
        self.poll_write_with(cx, |mut io| match self.short_reads {
            ShortReads::ProveNothing => io.write_vectored(bufs),
            ShortReads::Drain | ShortReads::UnlessCut => send_vectored(io, bufs),
        })
    }

    /// [`poll_read_into`](Source::poll_read_into) several buffers, one after the other.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn poll_read_into_vectored(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>>
    where
        for<'a> &'a T: Read,
    {
        // Of more buffers than these the kernel fills none: that ends the read, and not the data.
        let most = bufs.len().min(MAX_BUFFERS);
        let bufs = &mut bufs[..most];
        let wanted = bufs.iter().map(|buf| buf.len()).sum();
        self.poll_read_bytes(cx, |mut io| {
            let (got, uncut) = match self.short_reads {
                ShortReads::ProveNothing => (io.read_vectored(bufs)?, false),
                ShortReads::Drain => (io.read_vectored(bufs)?, true),
                ShortReads::UnlessCut => receive(io.as_fd(), bufs)?,
            };
            Ok((got, uncut && is_short(got, wanted)))
        })
    }

    /// A read. The operation returns how many bytes came, and whether that proves that no more are
    /// there.
    #[inline(always)]
    pub(crate) fn poll_read_bytes(
        &self,
        cx: &mut Context<'_>,
        operation: impl FnMut(&T) -> io::Result<(usize, bool)>,
    ) -> Poll<io::Result<usize>> {
        let drained = |&(_, drained): &(usize, bool)| drained;
        let result = self.poll_io(Direction::Read, &mut Waiter::Owner, cx, operation, drained);
        result.map_ok(|(got, _)| got)
    }
}

/// Fewer bytes than were asked for, but some: none is the end of the stream.
#[inline(always)]
pub(crate) fn is_short(got: usize, wanted: usize) -> bool {
    got < wanted && got > 0
}
