//! Accepting a connection that is born non-blocking: one system call where there is `accept4`.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

/// Accepts one connection, in non-blocking mode and closed on exec.
#[cfg(not(target_vendor = "apple"))]
pub(crate) fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    use rustix::net::{SocketFlags, acceptfrom_with};

    use crate::returns::mend;

    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (stream, peer) = mend(acceptfrom_with(listener, flags))?;
    let no_address = || io::Error::other("the connection came without an address");
    let peer = SocketAddr::try_from(peer.ok_or_else(no_address)?)?;
    Ok((stream.into(), peer))
}

/// The same in three calls.
#[cfg(target_vendor = "apple")]
pub(crate) fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, peer) = listener.accept()?;
    stream.set_nonblocking(true)?;
    Ok((stream, peer))
}
