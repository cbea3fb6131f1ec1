//! Accepting Unix-domain connections.

use std::io;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;
use std::task::{Context, Poll};

use crate::registration::FirstRead;
use crate::short_reads::ShortReads;
use crate::source::Source;
use crate::{Reactor, UnixListener, UnixStream};

impl Source<net::UnixListener> {
    /// Listens at `path`, which must not exist. Nobody removes the file afterwards: that is the
    /// program's to do.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AddrInUse`] if the path exists, and what else the kernel says.
    pub fn bind(reactor: &Reactor, path: impl AsRef<Path>) -> io::Result<UnixListener> {
        Self::from_std(reactor, net::UnixListener::bind(path)?)
    }

    /// Listens at an address, which may be an abstract name (Linux): no file, and gone with the
    /// listener. See `std::os::linux::net::SocketAddrExt::from_abstract_name`.
    ///
    /// # Errors
    ///
    /// As for [`bind`](UnixListener::bind).
    pub fn bind_addr(reactor: &Reactor, address: &SocketAddr) -> io::Result<UnixListener> {
        Self::from_std(reactor, net::UnixListener::bind_addr(address)?)
    }

    /// Takes over a listener and puts it into non-blocking mode.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn from_std(reactor: &Reactor, listener: net::UnixListener) -> io::Result<UnixListener> {
        listener.set_nonblocking(true)?;
        Source::new(reactor, listener)
    }

    /// The next connection, registered with the listener's reactor, and who it is from (most
    /// clients have no name). Dropping the future loses no connection.
    ///
    /// # Errors
    ///
    /// As for [`TcpListener::accept`](crate::TcpListener::accept).
    pub async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        self.admit(
            self.read_with(self.starving(net::UnixListener::accept))
                .await?,
        )
    }

    /// [`accept`](UnixListener::accept) for poll-style code; one task at a time.
    ///
    /// # Errors
    ///
    /// As for `accept`.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        let accept = self.starving(net::UnixListener::accept);
        self.poll_read_with(cx, accept)
            .map(|result| self.admit(result?))
    }

    /// The connections one after another, without end.
    #[must_use]
    pub fn incoming(&self) -> UnixIncoming<'_> {
        UnixIncoming { listener: self }
    }

    fn admit(
        &self,
        (stream, peer): (net::UnixStream, SocketAddr),
    ) -> io::Result<(UnixStream, SocketAddr)> {
        stream.set_nonblocking(true)?;
        let stream = Source::on(self.core(), stream, FirstRead::Awaited)?;
        Ok((stream.with_short_reads(ShortReads::UnlessCut), peer))
    }
}

/// The connections of a listener; see [`UnixListener::incoming`]. A `futures_core::Stream` with
/// the feature `futures-io`.
#[derive(Debug)]
pub struct UnixIncoming<'a> {
    listener: &'a UnixListener,
}

impl UnixIncoming<'_> {
    /// The next connection. Dropping the future loses none.
    ///
    /// # Errors
    ///
    /// As for [`UnixListener::accept`].
    pub async fn next(&mut self) -> io::Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }
}

#[cfg(feature = "futures-io")]
impl futures_core::Stream for UnixIncoming<'_> {
    type Item = io::Result<UnixStream>;

    fn poll_next(self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.listener
            .poll_accept(cx)
            .map(|result| Some(result.map(|(stream, _)| stream)))
    }
}
