//! Unix-domain stream connections.

use std::io;
use std::net::Shutdown;
use std::os::unix::net;
use std::path::Path;

use socket2::{Domain, SockAddr, Socket, Type};

use crate::short_reads::ShortReads;
use crate::source::Source;
use crate::tcp::{begin, finish};
use crate::{Reactor, UnixStream};

impl Source<net::UnixStream> {
    /// Two streams connected to each other.
    ///
    /// # Errors
    ///
    /// When the process or the system has no descriptors left.
    pub fn pair(reactor: &Reactor) -> io::Result<(UnixStream, UnixStream)> {
        let (one, other) = net::UnixStream::pair()?;
        Ok((
            Self::from_std(reactor, one)?,
            Self::from_std(reactor, other)?,
        ))
    }

    /// Connects to the socket at `path`. (On Linux a path that begins with a zero byte is an
    /// abstract name.) Dropping the future closes the socket.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`], [`io::ErrorKind::ConnectionRefused`], and
    /// [`io::ErrorKind::WouldBlock`] if the listener's queue is full (Linux offers no way to wait
    /// for a place in it: try again later).
    pub async fn connect(reactor: &Reactor, path: impl AsRef<Path>) -> io::Result<UnixStream> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        let connected = begin(&socket, &SockAddr::unix(path)?)?;
        let stream = Source::new(
            reactor,
            net::UnixStream::from(std::os::fd::OwnedFd::from(socket)),
        )?;
        if !connected {
            finish(&stream).await?;
        }
        Ok(stream.with_short_reads(ShortReads::UnlessCut))
    }

    /// Takes over a connected stream and puts it into non-blocking mode.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn from_std(reactor: &Reactor, stream: net::UnixStream) -> io::Result<UnixStream> {
        stream.set_nonblocking(true)?;
        Ok(Source::new(reactor, stream)?.with_short_reads(ShortReads::UnlessCut))
    }

    /// Promises that the peer passes no descriptors over this stream, which makes each read a
    /// little cheaper (`recv` instead of `recvmsg`, 7% of an echo between two sockets).
    ///
    /// If the promise is broken, a read may sleep although there is more to read, until the peer
    /// sends something else. So this is for peers you trust, such as the other end of a
    /// [`pair`](UnixStream::pair).
    #[must_use]
    pub fn bytes_only(self) -> UnixStream {
        self.with_short_reads(ShortReads::Drain)
    }

    /// Says goodbye in one direction or both.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotConnected`] if the peer was faster.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.get_ref().shutdown(how)
    }
}
