//! Connecting without blocking.

use std::io::{self, ErrorKind};
use std::net::{self, SocketAddr};
use std::os::fd::AsFd;

use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

use crate::registration::FirstRead;
use crate::short_reads::ShortReads;
use crate::source::Source;
use crate::{Reactor, TcpStream};

impl Source<net::TcpStream> {
    /// Connects to `address`.
    ///
    /// It takes an address and not a name, since resolving a name blocks: do that on a blocking
    /// pool (`std::net::ToSocketAddrs`) and hand the result to
    /// [`connect_any`](TcpStream::connect_any). The kernel gives up after about two minutes; for
    /// less, race this future with a timer. Dropping it ends the attempt.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ConnectionRefused`], [`ErrorKind::TimedOut`], [`ErrorKind::HostUnreachable`]
    /// and what else the kernel says.
    pub async fn connect(reactor: &Reactor, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        socket.set_nonblocking(true)?;
        let connected = begin(&socket, &address.into())?;
        // Registered after `connect`: before, epoll would report a hang-up at once.
        let stream = net::TcpStream::from(socket);
        let stream = Source::on(&reactor.core, stream, FirstRead::Awaited)?;
        let stream = stream.with_short_reads(ShortReads::Drain);
        if !connected {
            finish(&stream).await?;
        }
        Ok(stream)
    }

    /// Connects to the first of `addresses` that answers, in order. Dropping the future ends the
    /// attempt under way, and no other is begun.
    ///
    /// # Errors
    ///
    /// If none answers: the last address' error, naming the address. [`ErrorKind::InvalidInput`]
    /// if there are none.
    pub async fn connect_any(
        reactor: &Reactor,
        addresses: impl IntoIterator<Item = SocketAddr>,
    ) -> io::Result<TcpStream> {
        let mut failure = io::Error::new(ErrorKind::InvalidInput, "no address to connect to");
        for address in addresses {
            match TcpStream::connect(reactor, address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = io::Error::new(error.kind(), format!("{address}: {error}")),
            }
        }
        Err(failure)
    }
}

/// Starts connecting. `true`: done already.
pub(crate) fn begin(socket: &Socket, address: &SockAddr) -> io::Result<bool> {
    match socket.connect(address) {
        Ok(()) => Ok(true),
        Err(error) if is_in_progress(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// `EINTR` as well: an interrupted connect goes on in the background (POSIX).
fn is_in_progress(error: &io::Error) -> bool {
    let in_progress = rustix::io::Errno::INPROGRESS.raw_os_error();
    error.kind() == ErrorKind::Interrupted || error.raw_os_error() == Some(in_progress)
}

/// Waits for the verdict: the socket becomes writable, and its error says how it went.
pub(crate) async fn finish<T: AsFd>(stream: &Source<T>) -> io::Result<()> {
    stream.writable().await?;
    match SockRef::from(stream.get_ref()).take_error()? {
        Some(error) => Err(error),
        None => Ok(()),
    }
}
