#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(unix))]
compile_error!(
    "this crate stands on readiness of file descriptors (epoll, kqueue, event ports, poll); \
     Windows has completion ports and no AsFd, so it is not supported"
);

// First: rustdoc shows methods in this order, and `new` comes before what files below add.
mod source;

mod alarm;
mod builder;
mod contain;
mod descriptor;
#[cfg(feature = "futures-io")]
mod futures_io;
#[cfg(feature = "hyper")]
mod hyper;
mod lend;
#[cfg(loom)]
#[doc(hidden)]
pub mod model;
mod observe;
pub mod pipe;
pub mod poller;
mod reactor;
mod readiness;
mod registration;
mod returns;
mod short_reads;
mod slot;
mod split;
mod starved;
mod stdio;
mod sync;
mod table;
mod tcp;
mod token;
mod turn;
mod udp;
mod unix;

pub use builder::Builder;
pub use lend::{Buffers, Lent};
pub use observe::{Observer, SourceId};
pub use reactor::Reactor;
pub use readiness::{Direction, Ready};
pub use source::Source;
pub use split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};
pub use stdio::{Stdin, Stdout};
pub use tcp::Incoming;
pub use unix::UnixIncoming;

/// A socket that accepts TCP connections.
pub type TcpListener = Source<std::net::TcpListener>;
/// A TCP connection.
pub type TcpStream = Source<std::net::TcpStream>;
/// A Unix-domain stream connection.
pub type UnixStream = Source<std::os::unix::net::UnixStream>;
/// A socket that accepts Unix-domain stream connections.
pub type UnixListener = Source<std::os::unix::net::UnixListener>;
/// A Unix-domain datagram socket.
pub type UnixDatagram = Source<std::os::unix::net::UnixDatagram>;
/// A UDP socket.
pub type UdpSocket = Source<std::net::UdpSocket>;
