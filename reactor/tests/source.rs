//! `Source`, `UnixStream`, pipes, the waker: what every program uses.
#![cfg(not(loom))]

mod driver;

use std::io::{ErrorKind, Read, Write};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use driver::{Count, Driver, block_on, settle};
use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use reactor::{Reactor, Source, UnixStream, pipe};

#[test]
fn a_pair_talks() {
    let driver = Driver::new();
    let (mut one, mut other) = UnixStream::pair(&driver.reactor).unwrap();
    block_on(async {
        let mut buf = [0; 4];
        let (read, written) = future::zip(one.read_exact(&mut buf), other.write_all(b"ping")).await;
        read.unwrap();
        written.unwrap();
        assert_eq!(&buf, b"ping");
    });
}

#[test]
fn a_pipe_ends_when_its_writer_goes() {
    let driver = Driver::new();
    let (mut reader, mut writer) = pipe::pipe(&driver.reactor).unwrap();
    block_on(async {
        writer.write_all(b"last").await.unwrap();
        drop(writer);
        let mut all = Vec::new();
        reader.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"last");
    });
    let (reader, mut writer) = pipe::pipe(&driver.reactor).unwrap();
    drop(reader);
    let broken = block_on(writer.write_all(b"x")).unwrap_err();
    assert_eq!(broken.kind(), ErrorKind::BrokenPipe);
}

#[test]
fn readable_tells_the_truth_also_when_others_do_the_reading() {
    let reactor = Reactor::new().unwrap();
    let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let source = Source::new(&reactor, ours).unwrap();
    let (count, waker) = Count::new();
    let mut cx = Context::from_waker(&waker);
    let mut readable = pin!(source.readable());
    assert!(readable.as_mut().poll(&mut cx).is_pending());
    theirs.write_all(b"x").unwrap();
    settle(&reactor);
    assert_eq!(count.get(), 1);
    assert!(readable.as_mut().poll(&mut cx).is_ready());
    // Read behind the source's back: the next wait must not complete at once.
    assert_eq!(source.get_ref().read(&mut [0; 10]).unwrap(), 1);
    let mut again = pin!(source.readable());
    assert!(again.as_mut().poll(&mut cx).is_pending());
    theirs.write_all(b"y").unwrap();
    settle(&reactor);
    assert_eq!(count.get(), 2);
    assert!(again.as_mut().poll(&mut cx).is_ready());
}

#[test]
fn several_tasks_wait_for_one_direction() {
    let reactor = Reactor::new().unwrap();
    let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let source = Source::new(&reactor, ours).unwrap();
    let mut futures: Vec<_> = (0..3).map(|_| Box::pin(source.readable())).collect();
    let counts: Vec<_> = futures
        .iter_mut()
        .map(|future| {
            let (count, waker) = Count::new();
            assert!(
                future
                    .as_mut()
                    .poll(&mut Context::from_waker(&waker))
                    .is_pending()
            );
            count
        })
        .collect();
    drop(futures.remove(1)); // one changes its mind
    theirs.write_all(b"x").unwrap();
    settle(&reactor);
    assert_eq!(
        counts.iter().map(|count| count.get()).collect::<Vec<_>>(),
        [1, 0, 1]
    );
}

#[test]
fn a_replaced_waker_is_not_woken() {
    let reactor = Reactor::new().unwrap();
    let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let source = Source::new(&reactor, ours).unwrap();
    let ((old, old_waker), (new, new_waker)) = (Count::new(), Count::new());
    for waker in [&old_waker, &new_waker] {
        assert!(
            source
                .poll_readable(&mut Context::from_waker(waker))
                .is_pending()
        );
    }
    theirs.write_all(b"x").unwrap();
    settle(&reactor);
    assert_eq!((old.get(), new.get()), (0, 1));
}

#[test]
fn files_are_refused_with_advice() {
    let reactor = Reactor::new().unwrap();
    let file = std::fs::File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    let error = Source::new(&reactor, file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("blocking pool"));
    assert_eq!(reactor.sources(), 0, "nothing is left behind");
}

#[test]
fn twice_in_one_reactor_is_an_error() {
    let reactor = Reactor::new().unwrap();
    let (ours, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let ours = std::sync::Arc::new(ours);
    let _source = Source::new(&reactor, std::sync::Arc::clone(&ours)).unwrap();
    let error = Source::new(&reactor, ours).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
}

#[test]
fn a_wake_before_the_poll_ends_the_poll() {
    let reactor = Reactor::new().unwrap();
    let waker = reactor.waker();
    waker.wake_by_ref();
    waker.wake_by_ref();
    assert_eq!(reactor.poll(None).unwrap(), 0);
    let polling = reactor.clone();
    let thread = std::thread::spawn(move || polling.poll(None).unwrap());
    waker.wake();
    assert_eq!(thread.join().unwrap(), 0);
}

#[test]
fn embedded_the_wake_makes_the_descriptor_readable() {
    let reactor = Reactor::builder().embedded().build().unwrap();
    if cfg!(polling_test_poll_backend) {
        return; // poll(2) has no descriptor to show
    }
    let readable = || {
        let mut fds = [rustix::event::PollFd::new(
            &reactor,
            rustix::event::PollFlags::IN,
        )];
        let now = rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        rustix::event::poll(&mut fds, Some(&now)).unwrap() > 0
    };
    for _ in 0..3 {
        assert!(!readable());
        reactor.waker().wake();
        reactor.waker().wake();
        assert!(readable());
        assert_eq!(reactor.poll(Some(Duration::ZERO)).unwrap(), 0);
    }
}

/// More sources have news than fit one turn, and the host is told of changes only: the rest would
/// wait for the next change if the host did not poll until there is nothing left.
#[test]
#[cfg(target_os = "linux")]
fn embedded_in_a_host_that_watches_edges() {
    use rustix::event::epoll;

    const SOURCES: usize = 600;
    if cfg!(polling_test_poll_backend) {
        return; // poll(2) has no descriptor to show
    }
    let reactor = Reactor::builder().embedded().build().unwrap();
    let host = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
    let flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
    epoll::add(&host, &reactor, epoll::EventData::new_u64(0), flags).unwrap();
    // The host's loop: how many sources had news, after one event of its own or none.
    let turn = |until_nothing: bool| {
        let mut events = Vec::with_capacity(2);
        let now = rustix::event::Timespec::default();
        epoll::wait(
            &host,
            rustix::buffer::spare_capacity(&mut events),
            Some(&now),
        )
        .unwrap();
        let mut news = 0;
        while !events.is_empty() {
            match reactor.poll(Some(Duration::ZERO)).unwrap() {
                0 => break,
                more => news += more,
            }
            if !until_nothing {
                break;
            }
        }
        news
    };

    // A fresh socket can be written to: that is news.
    let fresh = || -> Vec<_> {
        let pairs = (0..SOURCES / 2).map(|_| UnixStream::pair(&reactor).unwrap());
        pairs.collect()
    };
    let once = fresh();
    assert!(turn(false) < SOURCES, "one poll takes a batch");
    drop(once);
    while turn(true) > 0 {}
    let _kept = fresh();
    assert_eq!((turn(true), turn(true)), (SOURCES, 0));
}

#[test]
fn tasks_learn_that_the_reactor_has_gone() {
    let reactor = Reactor::new().unwrap();
    let (mut ours, mut theirs) = UnixStream::pair(&reactor).unwrap();
    let (count, waker) = Count::new();
    let mut buf = [0; 4];
    {
        let mut read = pin!(ours.read(&mut buf));
        assert!(
            read.as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        drop(reactor);
        assert_eq!(count.get(), 1);
        let error = block_on(read).unwrap_err();
        assert!(error.to_string().contains("dropped"));
    }
    // What needs no waiting still works.
    block_on(theirs.write_all(b"left")).unwrap();
    assert_eq!(ours.get_ref().read(&mut buf).unwrap(), 4);
}

#[test]
fn a_waker_that_panics_harms_nobody_else() {
    struct Grenade;
    impl std::task::Wake for Grenade {
        fn wake(self: std::sync::Arc<Self>) {
            panic!("on purpose");
        }
    }
    let reactor = Reactor::new().unwrap();
    let (first, _a) = UnixStream::pair(&reactor).unwrap();
    let (second, _b) = UnixStream::pair(&reactor).unwrap();
    let (count, waker) = Count::new();
    let grenade = Waker::from(std::sync::Arc::new(Grenade));
    assert!(
        first
            .poll_readable(&mut Context::from_waker(&grenade))
            .is_pending()
    );
    assert!(
        second
            .poll_readable(&mut Context::from_waker(&waker))
            .is_pending()
    );
    drop((_a, _b));
    settle(&reactor);
    assert_eq!(count.get(), 1);
}

#[test]
fn both_pollers_do_the_same() {
    for builder in [Reactor::builder(), Reactor::builder().portable()] {
        let driver = Driver::over(builder.build().unwrap());
        let (mut one, mut other) = UnixStream::pair(&driver.reactor).unwrap();
        block_on(async {
            for _ in 0..100 {
                let mut buf = [0; 1000];
                let ping = async {
                    one.write_all(&[1; 1000]).await?;
                    one.read_exact(&mut buf).await
                };
                let pong = async {
                    let mut buf = [0; 1000];
                    other.read_exact(&mut buf).await?;
                    other.write_all(&buf).await
                };
                future::try_zip(ping, pong).await.unwrap();
            }
        });
    }
}

#[test]
fn poll_writable_wakes_when_there_is_room() {
    let reactor = Reactor::new().unwrap();
    let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let source = Source::new(&reactor, ours).unwrap();
    let (count, waker) = Count::new();
    let mut cx = Context::from_waker(&waker);
    assert!(source.poll_writable(&mut cx).is_ready());
    let mut sent = 0;
    while let Ok(more) = source.get_ref().write(&[0; 4096]) {
        sent += more;
    }
    assert!(source.poll_writable(&mut cx).is_pending());
    settle(&reactor);
    assert_eq!(count.get(), 0, "it is full");
    theirs.read_exact(&mut vec![0; sent]).unwrap();
    settle(&reactor);
    assert_eq!(count.get(), 1);
    assert!(source.poll_writable(&mut cx).is_ready());
}
