//! TCP over [`Source`].

mod accept;
mod connect;
mod listener;

use std::io;
use std::net::{self, Shutdown, SocketAddr};

use crate::returns::mend;
use crate::short_reads::ShortReads;
use crate::source::Source;
use crate::{Reactor, TcpStream};

pub(crate) use connect::{begin, finish};
pub use listener::Incoming;

impl Source<net::TcpStream> {
    /// Takes over a connected stream and puts it into non-blocking mode.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn from_std(reactor: &Reactor, stream: net::TcpStream) -> io::Result<TcpStream> {
        stream.set_nonblocking(true)?;
        Ok(Source::new(reactor, stream)?.with_short_reads(ShortReads::Drain))
    }

    /// Reads without taking the bytes away; waits until there is something to see. Dropping the
    /// future changes nothing.
    ///
    /// # Errors
    ///
    /// What the kernel says. The end of the stream is no error, it is zero bytes.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.read_with(|stream| stream.peek(buf)).await
    }

    /// Says goodbye in one direction or both. The peer reads the end of the stream; the other
    /// direction goes on.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotConnected`] if the peer was faster.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.get_ref().shutdown(how)
    }

    /// This end's address.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().local_addr()
    }

    /// The other end's address.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotConnected`] if the peer has gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().peer_addr()
    }

    /// Whether small writes are sent at once (Nagle's algorithm off).
    ///
    /// Other options (keep-alive, linger, buffer sizes) are set with
    /// `socket2::SockRef::from(stream.get_ref())`.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.get_ref().nodelay()
    }

    /// Sends small writes at once, or collects them.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        Ok(mend(rustix::net::sockopt::set_tcp_nodelay(self, nodelay))?)
    }
}
