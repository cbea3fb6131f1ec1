//! Accepting connections.

use std::io::{self, ErrorKind};
use std::net::{self, SocketAddr, ToSocketAddrs};
use std::task::{Context, Poll};

use super::accept::accept;
use crate::registration::FirstRead;
use crate::short_reads::ShortReads;
use crate::source::Source;
use crate::{Reactor, TcpListener, TcpStream};

/// Connections that may wait to be accepted. std asks for 128, which a burst of clients fills.
const BACKLOG: i32 = 1024;

impl Source<net::TcpListener> {
    /// Listens at the first of `addresses` that is free. A host name is resolved here and now.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AddrInUse`], [`ErrorKind::PermissionDenied`] and what else the kernel says.
    pub fn bind(reactor: &Reactor, addresses: impl ToSocketAddrs) -> io::Result<TcpListener> {
        let listener = net::TcpListener::bind(addresses)?;
        rustix::net::listen(&listener, BACKLOG)?;
        TcpListener::from_std(reactor, listener)
    }

    /// Takes over a listener and puts it into non-blocking mode.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn from_std(reactor: &Reactor, listener: net::TcpListener) -> io::Result<TcpListener> {
        listener.set_nonblocking(true)?;
        Source::new(reactor, listener)
    }

    /// The address listened at: tells the port when it was bound to port 0.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().local_addr()
    }

    /// The next connection, registered with the listener's reactor, and who it is from.
    ///
    /// Connections that break while they wait in the queue are passed over. Dropping the future
    /// loses no connection.
    ///
    /// # Errors
    ///
    /// When the process or the system has no descriptors or memory left (`EMFILE`, `ENFILE`,
    /// `ENOBUFS`, `ENOMEM`). The connection stays in the queue. Calling again does not spin: the
    /// next call waits until a source of this reactor is closed or other events come, and then
    /// tries again. (Without edges, on poll(2), it fails once a turn.) What was accepted and then
    /// finds no place in the poller is closed, and its error returned.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.admit(self.read_with(self.starving(accept_whole)).await?)
    }

    /// [`accept`](TcpListener::accept) for poll-style code; one task at a time.
    ///
    /// # Errors
    ///
    /// As for `accept`.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        self.poll_read_with(cx, self.starving(accept_whole))
            .map(|result| self.admit(result?))
    }

    /// The connections one after another, without end.
    #[must_use]
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    fn admit(
        &self,
        (stream, peer): (net::TcpStream, SocketAddr),
    ) -> io::Result<(TcpStream, SocketAddr)> {
        let stream = Source::on(self.core(), stream, FirstRead::Awaited)?;
        Ok((stream.with_short_reads(ShortReads::Drain), peer))
    }
}

/// Accepts, passing over connections that were aborted before we came.
fn accept_whole(listener: &net::TcpListener) -> io::Result<(net::TcpStream, SocketAddr)> {
    loop {
        match accept(listener) {
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            other => return other,
        }
    }
}

/// The connections of a listener; see [`TcpListener::incoming`]. A `futures_core::Stream` with
/// the feature `futures-io`.
#[derive(Debug)]
pub struct Incoming<'a> {
    listener: &'a TcpListener,
}

impl Incoming<'_> {
    /// The next connection. Dropping the future loses none.
    ///
    /// # Errors
    ///
    /// As for [`TcpListener::accept`].
    pub async fn next(&mut self) -> io::Result<TcpStream> {
        Ok(self.listener.accept().await?.0)
    }
}

#[cfg(feature = "futures-io")]
impl futures_core::Stream for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn poll_next(self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.listener
            .poll_accept(cx)
            .map(|result| Some(result.map(|(stream, _)| stream)))
    }
}
