//! What goes wrong in real life: resets, urgent data, passed descriptors, duplicates, drop orders.
#![cfg(not(loom))]

mod driver;

use std::future::Future;
use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::AsFd;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use driver::{Count, Driver, block_on, settle};
use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use reactor::{Reactor, Source, TcpListener, TcpStream, UnixStream};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

/// A connected pair: ours on the reactor, theirs plain.
fn tcp_pair(reactor: &Reactor) -> (TcpStream, std::net::TcpStream) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let theirs = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let ours = listener.accept().unwrap().0;
    (TcpStream::from_std(reactor, ours).unwrap(), theirs)
}

#[test]
fn a_reset_wakes_both_directions() {
    let reactor = Reactor::new().unwrap();
    let (mut ours, theirs) = tcp_pair(&reactor);
    let (reads, read_waker) = Count::new();
    let (writes, write_waker) = Count::new();
    let (mut reader, mut writer) = ours.split();
    let mut buf = [0; 10];
    let mut read = pin!(reader.read(&mut buf));
    assert!(
        read.as_mut()
            .poll(&mut Context::from_waker(&read_waker))
            .is_pending()
    );
    let flood = async {
        loop {
            if let Err(error) = writer.write(&[0; 65536]).await {
                return error.kind();
            }
        }
    };
    let mut flood = pin!(flood);
    while flood
        .as_mut()
        .poll(&mut Context::from_waker(&write_waker))
        .is_ready()
    {}
    settle(&reactor);
    let linger = socket2::SockRef::from(&theirs);
    linger.set_linger(Some(Duration::ZERO)).unwrap();
    drop(theirs);
    settle(&reactor);
    assert!(reads.get() > 0 && writes.get() > 0);
    assert_eq!(
        block_on(read).unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    assert!(matches!(
        block_on(flood),
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
    ));
}

/// Data and the end of the stream in one event: the read is short, and no other edge will come.
#[test]
fn data_and_end_in_one_event() {
    let reactor = Reactor::new().unwrap();
    let (mut ours, mut theirs) = tcp_pair(&reactor);
    let mut cx = Context::from_waker(Waker::noop());
    let mut buf = [0; 100];
    assert!(pin!(ours.read(&mut buf)).poll(&mut cx).is_pending());
    settle(&reactor);
    theirs.write_all(b"bye").unwrap();
    theirs.shutdown(std::net::Shutdown::Write).unwrap();
    settle(&reactor);
    for expected in [3, 0, 0] {
        match pin!(ours.read(&mut buf)).poll(&mut cx) {
            Poll::Ready(n) => assert_eq!(n.unwrap(), expected),
            Poll::Pending => panic!("asleep, and nobody will ever wake it"),
        }
    }
}

/// A read stops at the urgent mark, short, with more behind it and no edge to come.
#[test]
fn urgent_data_does_not_hide_what_follows() {
    let driver = Driver::new();
    let (mut ours, theirs) = tcp_pair(&driver.reactor);
    let reading = std::thread::spawn(move || {
        block_on(async {
            let (mut all, mut buf) = (Vec::new(), [0; 100]);
            while all.len() < 6 {
                let n = ours.read(&mut buf).await.unwrap();
                all.extend_from_slice(&buf[..n]);
            }
            all
        })
    });
    let socket = socket2::SockRef::from(&theirs);
    socket.send(b"abc").unwrap();
    socket.send_out_of_band(b"!").unwrap();
    socket.send(b"def").unwrap();
    assert_eq!(reading.join().unwrap(), b"abcdef");
}

/// A read stops at a message that carries a descriptor; the peer need not even ask us.
#[test]
fn a_passed_descriptor_does_not_hide_what_follows() {
    let reactor = Reactor::new().unwrap();
    let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut ours = UnixStream::from_std(&reactor, ours).unwrap();
    let fds = [theirs.as_fd()];
    let mut space = [const { std::mem::MaybeUninit::uninit() }; rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(&fds)));
    let with_fd = [IoSlice::new(b"with")];
    rustix::net::sendmsg(&theirs, &with_fd, &mut ancillary, SendFlags::empty()).unwrap();
    theirs.write_all(b"behind").unwrap();
    settle(&reactor);
    let (mut all, mut buf) = (Vec::new(), [0; 100]);
    let mut cx = Context::from_waker(Waker::noop());
    while all.len() < 10 {
        match pin!(ours.read(&mut buf)).poll(&mut cx) {
            Poll::Ready(n) => all.extend_from_slice(&buf[..n.unwrap()]),
            Poll::Pending => panic!("asleep with bytes to read: {:?}", String::from_utf8(all)),
        }
    }
    assert_eq!(all, b"withbehind");
}

/// A duplicate (here: in a child process) keeps the open file alive. If the source were closed
/// without being deleted, its events would keep coming, to nobody.
#[test]
fn a_duplicate_keeps_no_events_coming() {
    let reactor = Reactor::new().unwrap();
    let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let copy = ours.try_clone().unwrap();
    let mut child = std::process::Command::new("cat")
        .stdin(std::process::Stdio::from(std::os::fd::OwnedFd::from(copy)))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let source = Source::new(&reactor, ours).unwrap();
    settle(&reactor);
    drop(source);
    let mut raw = Vec::new();
    for _ in 0..3 {
        theirs.write_all(b"for the child").unwrap();
        raw.push(raw_events(&reactor));
    }
    assert_eq!(raw, [0, 0, 0]);
    drop(theirs);
    assert!(child.wait().unwrap().success());
}

/// Events the kernel has for the reactor, before the reactor throws any away: the reactor's
/// descriptor is readable.
fn raw_events(reactor: &Reactor) -> usize {
    if cfg!(polling_test_poll_backend) {
        return reactor.poll(Some(Duration::ZERO)).unwrap();
    }
    let mut fds = [rustix::event::PollFd::new(
        reactor,
        rustix::event::PollFlags::IN,
    )];
    let now = rustix::event::Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    rustix::event::poll(&mut fds, Some(&now)).unwrap()
}

/// The descriptor number comes back at once, in the same slot, while the old one's events are
/// still to be fetched.
#[test]
fn a_reused_descriptor_gets_only_its_own_events() {
    let reactor = Reactor::new().unwrap();
    for _ in 0..200 {
        let (old, mut old_peer) = UnixStream::pair(&reactor).unwrap();
        settle(&reactor);
        old_peer.get_ref().write_all(b"for the old one").unwrap();
        drop(old);
        let (new, mut new_peer) = UnixStream::pair(&reactor).unwrap();
        let (count, waker) = Count::new();
        assert!(
            new.poll_readable(&mut Context::from_waker(&waker))
                .is_pending()
        );
        settle(&reactor);
        assert_eq!(count.get(), 0);
        block_on(new_peer.write_all(b"x")).unwrap();
        settle(&reactor);
        assert_eq!(count.get(), 1);
        drop(block_on(old_peer.close()));
    }
    assert_eq!(reactor.sources(), 0);
}

#[test]
fn every_drop_order() {
    // Four things, in all 24 orders.
    for order in 0..24 {
        let reactor = Reactor::new().unwrap();
        let waker = reactor.waker();
        let (one, other) = UnixStream::pair(&reactor).unwrap();
        let (count, task) = Count::new();
        assert!(
            one.poll_readable(&mut Context::from_waker(&task))
                .is_pending()
        );
        let mut things: Vec<Box<dyn std::any::Any>> = vec![
            Box::new(reactor),
            Box::new(waker),
            Box::new(one),
            Box::new(other),
        ];
        let mut rest = order;
        for n in (1..=4).rev() {
            drop(things.swap_remove(rest % n));
            rest /= n;
        }
        drop(task);
        assert_eq!(Arc::strong_count(&count), 1, "order {order} leaks a waker");
    }
}

/// Waking a task may drop its last reference, and with it sources of the same reactor.
#[test]
fn a_wake_that_drops_sources() {
    struct Owner(std::sync::Mutex<Vec<UnixStream>>);
    impl Wake for Owner {
        fn wake(self: Arc<Self>) {
            self.0.lock().unwrap().clear();
        }
    }
    let reactor = Reactor::new().unwrap();
    let (one, mut one_peer) = UnixStream::pair(&reactor).unwrap();
    let (two, mut two_peer) = UnixStream::pair(&reactor).unwrap();
    let owner = Arc::new(Owner(std::sync::Mutex::new(Vec::new())));
    let waker = Waker::from(Arc::clone(&owner));
    for source in [&one, &two] {
        assert!(
            source
                .poll_readable(&mut Context::from_waker(&waker))
                .is_pending()
        );
    }
    owner.0.lock().unwrap().extend([one, two]);
    block_on(future::try_zip(
        one_peer.write_all(b"x"),
        two_peer.write_all(b"y"),
    ))
    .unwrap();
    settle(&reactor);
    assert_eq!(reactor.sources(), 2, "only the peers are left");
}

/// A waker whose drop comes back to the source it was left with.
#[test]
fn a_waker_that_returns_when_dropped() {
    struct Boomerang(Arc<UnixStream>);
    impl Wake for Boomerang {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Boomerang {
        fn drop(&mut self) {
            let _ = self
                .0
                .poll_readable(&mut Context::from_waker(Waker::noop()));
        }
    }
    let reactor = Reactor::new().unwrap();
    let (source, _peer) = UnixStream::pair(&reactor).unwrap();
    let source = Arc::new(source);
    let waker = Waker::from(Arc::new(Boomerang(Arc::clone(&source))));
    assert!(
        source
            .poll_readable(&mut Context::from_waker(&waker))
            .is_pending()
    );
    drop(waker);
    // Replaces the boomerang, which comes back while it is dropped.
    assert!(
        source
            .poll_readable(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
}

/// The queue of the listener is full, so the connection neither succeeds nor fails.
#[test]
fn an_abandoned_connect_leaves_nothing_behind() {
    let reactor = Reactor::new().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let address = listener.local_addr().unwrap();
    let _fills_it = std::net::TcpStream::connect(address).unwrap();
    let mut attempts: Vec<_> = (0..3)
        .map(|_| Box::pin(TcpStream::connect(&reactor, address)))
        .collect();
    let mut cx = Context::from_waker(Waker::noop());
    let pending = attempts
        .iter_mut()
        .map(|attempt| attempt.as_mut().poll(&mut cx).is_pending())
        .filter(|pending| *pending)
        .count();
    assert!(pending > 0);
    settle(&reactor);
    drop(attempts);
    assert_eq!(reactor.sources(), 0);
}

#[test]
fn a_future_that_gives_up_loses_no_bytes() {
    let reactor = Reactor::new().unwrap();
    let (mut ours, mut theirs) = UnixStream::pair(&reactor).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    for round in 0..50u8 {
        let mut buf = [0; 4];
        assert!(pin!(ours.read(&mut buf)).poll(&mut cx).is_pending());
        block_on(theirs.write_all(&[round])).unwrap();
        if round % 2 == 0 {
            settle(&reactor); // the event was for a read that no longer exists
        }
        match pin!(ours.read(&mut buf)).poll(&mut cx) {
            Poll::Ready(n) => assert_eq!((n.unwrap(), buf[0]), (1, round)),
            Poll::Pending => {
                settle(&reactor);
                assert_eq!(block_on(ours.read(&mut buf)).unwrap(), 1);
            }
        }
    }
}

#[test]
fn accepted_connections_survive_a_dropped_accept() {
    let reactor = Reactor::new().unwrap();
    let listener = TcpListener::bind(&reactor, "127.0.0.1:0").unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(pin!(listener.accept()).poll(&mut cx).is_pending());
    let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    settle(&reactor);
    let Poll::Ready(accepted) = pin!(listener.accept()).poll(&mut cx) else {
        panic!("the connection was in the queue");
    };
    assert_eq!(accepted.unwrap().1, client.local_addr().unwrap());
}

#[test]
fn two_threads_poll_in_turns() {
    let reactor = Reactor::new().unwrap();
    let drivers = [Driver::over(reactor.clone()), Driver::over(reactor.clone())];
    let (mut one, mut other) = UnixStream::pair(&reactor).unwrap();
    block_on(async {
        let mut buf = [0; 1];
        for _ in 0..200 {
            let (read, written) = future::zip(one.read(&mut buf), other.write(b"x")).await;
            assert_eq!((read.unwrap(), written.unwrap()), (1, 1));
        }
    });
    drop(drivers);
    assert_eq!(
        one.get_ref().read(&mut [0]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
}

#[test]
fn who_waits_holds_no_lent_buffer() {
    let reactor = Reactor::new().unwrap();
    let buffers = reactor::Buffers::new(1000);
    let pairs: Vec<_> = (0..50)
        .map(|_| UnixStream::pair(&reactor).unwrap())
        .collect();
    let mut waiting: Vec<_> = pairs
        .iter()
        .map(|(ours, _)| Box::pin(ours.read_lent(&buffers)))
        .collect();
    let mut cx = Context::from_waker(Waker::noop());
    for read in &mut waiting {
        assert!(read.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(buffers.spare(), 1, "one was tried with, by all");
    for (i, (_, theirs)) in pairs.iter().enumerate() {
        theirs.get_ref().write_all(&[i as u8; 3]).unwrap();
    }
    settle(&reactor);
    for (i, read) in waiting.iter_mut().enumerate() {
        let Poll::Ready(lent) = read.as_mut().poll(&mut cx) else {
            panic!("there is data")
        };
        assert_eq!(&lent.unwrap()[..], [i as u8; 3]);
    }
    assert_eq!(buffers.spare(), 1);
    buffers.shrink();
    assert_eq!(buffers.spare(), 0);
}

/// The kernel takes 1,024 at most, and what is refused as a whole would never be written.
#[test]
fn more_buffers_than_a_message_may_have() {
    let reactor = Reactor::new().unwrap();
    let (mut ours, mut theirs) = UnixStream::pair(&reactor).unwrap();
    let sent = vec![IoSlice::new(b"xyz"); 2000];
    let written = block_on(ours.write_vectored(&sent)).unwrap();
    assert!(written >= 3 * 1024);
    let mut bytes = [0; 6000];
    let mut room: Vec<_> = bytes.chunks_mut(3).map(IoSliceMut::new).collect();
    let read = block_on(theirs.read_vectored(&mut room)).unwrap();
    assert!(read >= 3 * 1024 && bytes[..read].chunks(3).all(|part| part == b"xyz"));
}

/// Short buffers are sent as one, long ones as they are: the bytes are the same.
#[test]
fn buffers_are_sent_in_order_whatever_their_sizes() {
    let reactor = Reactor::new().unwrap();
    let (mut ours, mut theirs) = UnixStream::pair(&reactor).unwrap();
    for sizes in [
        [1, 0, 2, 1021],
        [1, 0, 2, 1022],
        [0, 0, 0, 0],
        [5, 5000, 1, 0],
        [1024, 1, 0, 9],
    ] {
        let all: Vec<u8> = (0..sizes.iter().sum())
            .map(|i: usize| (i % 251) as u8)
            .collect();
        let mut rest = &all[..];
        let parts = sizes.map(|size| IoSlice::new(rest.split_off(..size).unwrap()));
        assert_eq!(block_on(ours.write_vectored(&parts)).unwrap(), all.len());
        let mut heard = vec![0; all.len()];
        block_on(theirs.read_exact(&mut heard)).unwrap();
        assert!(heard == all, "{sizes:?}");
    }
}

/// Nobody answers: the kernel gives up, and says so by an event. (It tries again after a second.)
#[cfg(target_os = "linux")]
#[test]
fn a_connect_that_times_out_is_told() {
    use socket2::{Domain, Socket, Type};
    let driver = driver::Driver::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let address = listener.local_addr().unwrap();
    let _fills_it = std::net::TcpStream::connect(address).unwrap();
    let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None).unwrap();
    let patience = std::time::Duration::from_millis(1);
    socket.set_tcp_user_timeout(Some(patience)).unwrap();
    let error = socket.connect(&address.into()).unwrap_err();
    assert_eq!(
        error.raw_os_error(),
        Some(rustix::io::Errno::INPROGRESS.raw_os_error())
    );
    let source = reactor::Source::new(&driver.reactor, socket).unwrap();
    block_on(source.writable()).unwrap();
    let error = source.get_ref().take_error().unwrap().unwrap();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

/// The kernel fills the first 1,024 buffers and stops: what makes that read short is not the end of
/// the data, and no edge will tell of the rest.
#[test]
fn more_buffers_than_one_read_may_fill_hide_nothing() {
    let reactor = Reactor::new().unwrap();
    let (tcp, tcp_peer) = tcp_pair(&reactor);
    let (unix, unix_peer) = UnixStream::pair(&reactor).unwrap();
    (&tcp_peer).write_all(&[7; 1500]).unwrap();
    unix_peer.get_ref().write_all(&[7; 1500]).unwrap();
    settle(&reactor);
    read_by_single_bytes(tcp, 1500);
    read_by_single_bytes(unix, 1500);
}

/// Reads so many bytes that are there already, each into a buffer of its own.
fn read_by_single_bytes(mut stream: impl futures_lite::AsyncRead + Unpin, all: usize) {
    let mut cx = Context::from_waker(Waker::noop());
    let mut bytes = vec![0; 2 * all];
    let mut got = 0;
    while got < all {
        let mut room: Vec<_> = bytes.chunks_mut(1).map(IoSliceMut::new).collect();
        match std::pin::Pin::new(&mut stream).poll_read_vectored(&mut cx, &mut room) {
            Poll::Ready(read) => got += read.unwrap(),
            Poll::Pending => panic!("it waits for more with {} bytes unread", all - got),
        }
    }
}
