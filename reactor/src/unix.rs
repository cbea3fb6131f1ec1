//! Unix-domain sockets over [`Source`](crate::Source): streams, listeners, datagrams.

mod datagram;
mod listener;
mod stream;

pub use listener::UnixIncoming;
