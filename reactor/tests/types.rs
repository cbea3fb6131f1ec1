//! Which public type may go to another thread, which may be shared with one, and which may be moved
//! after its first poll. A promise as a table: an auto trait is won or lost by a private field.

use std::marker::{PhantomData, PhantomPinned};
use std::os::fd::{AsFd, BorrowedFd};

use std::fs::File;

use reactor::poller::{Abilities, Event, Token};
use reactor::*;

struct Probe<T>(PhantomData<T>);

/// A method of the type itself is found first, where its bound holds …
impl<T: Send> Probe<T> {
    fn send(&self) -> &'static str {
        "Send "
    }
}

impl<T: Sync> Probe<T> {
    fn sync(&self) -> &'static str {
        "Sync "
    }
}

impl<T: Unpin> Probe<T> {
    fn unpin(&self) -> &'static str {
        "Unpin"
    }
}

/// … and one of a trait where it does not. (Not for `Unpin`: all are, whatever a source holds, and
/// where one is not this file does not compile.)
trait Otherwise {
    fn send(&self) -> &'static str {
        "-    "
    }

    fn sync(&self) -> &'static str {
        "-    "
    }
}

impl<T> Otherwise for Probe<T> {}

/// The table. (A function could not ask: inside it no `T` is known to be `Send`.)
macro_rules! table {
    ($($type:ty),* $(,)?) => {
        [$({
            let probe = Probe::<$type>(PhantomData);
            let (send, sync, unpin) = (probe.send(), probe.sync(), probe.unpin());
            format!("{send} {sync} {unpin} {}", stringify!($type))
        }),*]
    };
}

type NotSend = std::rc::Rc<File>;

/// A value that has an address others know, and a descriptor.
struct Pinned(File, PhantomPinned);

impl AsFd for Pinned {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[test]
fn who_may_go_where() {
    let table = table![
        Reactor,
        Builder,
        Source<File>,
        Source<NotSend>,
        Source<Pinned>,
        TcpStream,
        TcpListener,
        UdpSocket,
        UnixStream,
        UnixListener,
        UnixDatagram,
        Stdin,
        Stdout,
        Incoming<'static>,
        UnixIncoming<'static>,
        ReadHalf<'static, File>,
        WriteHalf<'static, File>,
        OwnedReadHalf<File>,
        OwnedWriteHalf<File>,
        Buffers,
        Lent<'static>,
        Direction,
        Ready,
        SourceId,
        Event,
        Abilities,
        Token,
    ];
    let promised = [
        "Send  Sync  Unpin Reactor",
        "Send  Sync  Unpin Builder",
        "Send  Sync  Unpin Source<File>",
        "-     -     Unpin Source<NotSend>",
        "Send  Sync  Unpin Source<Pinned>",
        "Send  Sync  Unpin TcpStream",
        "Send  Sync  Unpin TcpListener",
        "Send  Sync  Unpin UdpSocket",
        "Send  Sync  Unpin UnixStream",
        "Send  Sync  Unpin UnixListener",
        "Send  Sync  Unpin UnixDatagram",
        "Send  Sync  Unpin Stdin",
        "Send  Sync  Unpin Stdout",
        "Send  Sync  Unpin Incoming<'static>",
        "Send  Sync  Unpin UnixIncoming<'static>",
        "Send  Sync  Unpin ReadHalf<'static, File>",
        "Send  Sync  Unpin WriteHalf<'static, File>",
        "Send  Sync  Unpin OwnedReadHalf<File>",
        "Send  Sync  Unpin OwnedWriteHalf<File>",
        "Send  Sync  Unpin Buffers",
        "Send  Sync  Unpin Lent<'static>",
        "Send  Sync  Unpin Direction",
        "Send  Sync  Unpin Ready",
        "Send  Sync  Unpin SourceId",
        "Send  Sync  Unpin Event",
        "Send  Sync  Unpin Abilities",
        "Send  Sync  Unpin Token",
    ];
    assert_eq!(table, promised, "{table:#?}");
}
