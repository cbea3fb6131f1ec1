//! What a descriptor is, in a few words.

use std::os::fd::BorrowedFd;

/// Such as `tcp listener 127.0.0.1:8080` or `pipe`; empty if it cannot be told.
pub(super) fn describe(fd: BorrowedFd<'_>) -> String {
    use rustix::fs::FileType;
    let Ok(stat) = rustix::fs::fstat(fd) else {
        return String::new();
    };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Socket => describe_socket(fd),
        FileType::Fifo => "pipe".to_owned(),
        FileType::CharacterDevice => "terminal".to_owned(),
        FileType::RegularFile => "file".to_owned(),
        _ => String::new(),
    }
}

fn describe_socket(fd: BorrowedFd<'_>) -> String {
    use rustix::net::sockopt::{socket_acceptconn, socket_domain, socket_type};
    use rustix::net::{AddressFamily, SocketType, getpeername, getsockname};
    let family = match (socket_domain(fd), socket_type(fd)) {
        (Ok(AddressFamily::UNIX), _) => return "unix socket".to_owned(),
        (_, Ok(SocketType::STREAM)) => "tcp",
        (_, Ok(SocketType::DGRAM)) => "udp",
        _ => return "socket".to_owned(),
    };
    let text = |address: rustix::net::SocketAddrAny| {
        std::net::SocketAddr::try_from(address).map(|address| address.to_string())
    };
    if socket_acceptconn(fd) == Ok(true) {
        let at = getsockname(fd).ok().and_then(|at| text(at).ok());
        return format!("{family} listener {}", at.unwrap_or_default());
    }
    match getpeername(fd)
        .ok()
        .flatten()
        .and_then(|peer| text(peer).ok())
    {
        Some(peer) => format!("{family} with {peer}"),
        None => family.to_owned(),
    }
}
