//! Unix-domain datagrams: reliable and in order, unlike UDP, and a full receiver makes the sender
//! wait.

use std::io;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;

use crate::source::Source;
use crate::{Reactor, UnixDatagram};

impl Source<net::UnixDatagram> {
    /// Two sockets connected to each other.
    ///
    /// # Errors
    ///
    /// When the process or the system has no descriptors left.
    pub fn pair(reactor: &Reactor) -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (one, other) = net::UnixDatagram::pair()?;
        Ok((
            Self::from_std(reactor, one)?,
            Self::from_std(reactor, other)?,
        ))
    }

    /// A socket with an address to send to. (For one without: `from_std` of
    /// `std::os::unix::net::UnixDatagram::unbound()`; for an abstract name: of `bind_addr`.)
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AddrInUse`] if the path exists, and what else the kernel says.
    pub fn bind(reactor: &Reactor, path: impl AsRef<Path>) -> io::Result<UnixDatagram> {
        Self::from_std(reactor, net::UnixDatagram::bind(path)?)
    }

    /// Takes over a socket and puts it into non-blocking mode.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn from_std(reactor: &Reactor, socket: net::UnixDatagram) -> io::Result<UnixDatagram> {
        socket.set_nonblocking(true)?;
        Source::new(reactor, socket)
    }

    /// Sends one datagram to the socket at `path`. When the future is dropped before it is ready,
    /// nothing has been sent.
    ///
    /// # Errors
    ///
    /// What the kernel says. If the *receiver's* queue is full the kernel tells nobody when it has
    /// room again, unless the two are connected: use [`send`](UnixDatagram::send) then.
    pub async fn send_to(&self, datagram: &[u8], path: impl AsRef<Path>) -> io::Result<usize> {
        self.write_with(|socket| socket.send_to(datagram, path.as_ref()))
            .await
    }

    /// Sends one datagram to the socket this one is connected to. Dropping the future: as with
    /// [`send_to`](UnixDatagram::send_to).
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub async fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.write_with(|socket| socket.send(datagram)).await
    }

    /// Receives one datagram, cut off at `buf.len()`, and who sent it. Dropping the future loses none.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.read_with(|socket| socket.recv_from(buf)).await
    }

    /// Receives one datagram, cut off at `buf.len()`. Dropping the future loses none.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.read_with(|socket| socket.recv(buf)).await
    }
}
