#![doc = include_str!("../README.md")]
#![warn(missing_debug_implementations, clippy::must_use_candidate)] // as users of a library expect
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

/// A socket that accepts TCP connections: one by one ([`accept`](TcpListener::accept)), or as a
/// stream ([`incoming`](TcpListener::incoming)).
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// # #[cfg(feature = "futures-io")] {
/// use futures_lite::{AsyncReadExt, AsyncWriteExt, future, io};
/// use reactor::{Reactor, TcpListener, TcpStream};
///
/// let tasks = async_executor::Executor::new(); // or whatever spawns tasks where you are
/// # let reactor = Reactor::new()?;
/// # let driver = reactor.clone();
/// # std::thread::spawn(move || while driver.poll(None).is_ok() {});
/// let listener = TcpListener::bind(&reactor, "127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// let server = async {
///     loop {
///         let Ok((mut stream, _peer)) = listener.accept().await else {
///             continue; // no descriptors are left: the next call waits for some
///         };
///         let echo = async move {
///             let (reader, mut writer) = stream.split();
///             io::copy(reader, &mut writer).await?;
///             writer.close().await // no more will come, says this to the peer
///         };
///         tasks.spawn(echo).detach();
///     }
/// };
/// let client = async {
///     let mut stream = TcpStream::connect(&reactor, address).await?;
///     stream.write_all(b"hello").await?;
///     stream.close().await?; // in this direction; the other one stays open
///     let mut answer = String::new();
///     stream.read_to_string(&mut answer).await?;
///     io::Result::Ok(answer)
/// };
/// assert_eq!(future::block_on(tasks.run(future::or(server, client)))?, "hello");
/// # }
/// # Ok(())
/// # }
/// ```
pub type TcpListener = Source<std::net::TcpListener>;
/// A TCP connection.
///
/// It reads and writes by the traits of `futures-io` (the feature, on by default): bring
/// `AsyncReadExt` and `AsyncWriteExt` into scope, of `futures-lite` or `futures`. Without them there
/// are [`read_lent`](Source::read_lent), [`read_with`](Source::read_with) and
/// [`write_with`](Source::write_with). [`split`](Source::split) makes two halves for one task,
/// [`into_split`](Source::into_split) for two. Dropping it closes the connection. An example is at
/// [`TcpListener`].
pub type TcpStream = Source<std::net::TcpStream>;
/// A Unix-domain stream connection. It reads, writes and splits as a [`TcpStream`] does.
pub type UnixStream = Source<std::os::unix::net::UnixStream>;
/// A socket that accepts Unix-domain stream connections, as a [`TcpListener`] does.
pub type UnixListener = Source<std::os::unix::net::UnixListener>;
/// A Unix-domain datagram socket. Tasks may share it by reference: each datagram goes to one.
pub type UnixDatagram = Source<std::os::unix::net::UnixDatagram>;
/// A UDP socket. Tasks may share it by reference: each datagram goes to one. An example is at
/// [`bind`](UdpSocket::bind).
pub type UdpSocket = Source<std::net::UdpSocket>;
