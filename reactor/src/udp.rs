//! UDP over [`Source`].

use std::io;
use std::net::{self, SocketAddr, ToSocketAddrs};

use crate::source::Source;
use crate::{Reactor, UdpSocket};

impl Source<net::UdpSocket> {
    /// A socket at the first of `addresses` that is free. A host name is resolved here and now.
    ///
    /// Multicast groups, broadcast and TTL are set on [`get_ref`](UdpSocket::get_ref).
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// use reactor::{Reactor, UdpSocket};
    /// # let reactor = Reactor::new()?;
    /// # let driver = reactor.clone();
    /// # std::thread::spawn(move || while driver.poll(None).is_ok() {});
    /// let one = UdpSocket::bind(&reactor, "127.0.0.1:0")?;
    /// let other = UdpSocket::bind(&reactor, "127.0.0.1:0")?;
    /// futures_lite::future::block_on(async {
    ///     one.send_to(b"hello", other.local_addr()?).await?;
    ///     let mut buf = [0; 100];
    ///     assert_eq!(other.recv_from(&mut buf).await?, (5, one.local_addr()?));
    ///     Ok(())
    /// })
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AddrInUse`] and what else the kernel says.
    pub fn bind(reactor: &Reactor, addresses: impl ToSocketAddrs) -> io::Result<UdpSocket> {
        Self::from_std(reactor, net::UdpSocket::bind(addresses)?)
    }

    /// Takes over a socket and puts it into non-blocking mode.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn from_std(reactor: &Reactor, socket: net::UdpSocket) -> io::Result<UdpSocket> {
        socket.set_nonblocking(true)?;
        Source::new(reactor, socket)
    }

    /// Makes `peer` the only one to send to and to receive from. Nothing is sent.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn connect(&self, peer: SocketAddr) -> io::Result<()> {
        self.get_ref().connect(peer)
    }

    /// This end's address.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().local_addr()
    }

    /// Sends one datagram. When the future is dropped before it is ready, nothing has been sent.
    ///
    /// # Errors
    ///
    /// What the kernel says; also the answer to an earlier datagram (a refused port).
    pub async fn send_to(&self, datagram: &[u8], peer: SocketAddr) -> io::Result<usize> {
        self.write_with(|socket| socket.send_to(datagram, peer))
            .await
    }

    /// Sends one datagram to the peer it is connected to. Dropping the future: as with
    /// [`send_to`](UdpSocket::send_to).
    ///
    /// # Errors
    ///
    /// As for [`send_to`](UdpSocket::send_to).
    pub async fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.write_with(|socket| socket.send(datagram)).await
    }

    /// Receives one datagram, cut off at `buf.len()`, and who sent it. Any number of tasks may
    /// receive from one socket: each datagram goes to one of them. Dropping the future loses none.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.read_with(|socket| socket.recv_from(buf)).await
    }

    /// Receives one datagram from the peer it is connected to, cut off at `buf.len()`. Dropping the
    /// future loses none.
    ///
    /// # Errors
    ///
    /// What the kernel says; [`io::ErrorKind::ConnectionRefused`] if nobody listens there.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.read_with(|socket| socket.recv(buf)).await
    }

    /// Looks at the next datagram without taking it; dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.read_with(|socket| socket.peek_from(buf)).await
    }
}
