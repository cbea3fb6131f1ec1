//! Handles that other processes inherit, or that are dropped while somebody wakes.
#![cfg(not(loom))]

mod driver;

use std::os::unix::net::UnixStream as Plain;
use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use driver::{Count, block_on, settle};
use futures_lite::AsyncWriteExt;
use reactor::{Reactor, UnixStream};

fn poll<F: Future + ?Sized>(future: std::pin::Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// A process that was started has the same file description. That neither ends our registration
/// when it goes, nor keeps events coming when ours has ended.
#[test]
fn an_inherited_descriptor_changes_nothing() {
    let reactor = Reactor::new().unwrap();
    let (stays, stays_peer) = Plain::pair().unwrap();
    let (goes, goes_peer) = Plain::pair().unwrap();
    let mut child = Command::new("sleep")
        .arg("1000")
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(
            stays.try_clone().unwrap(),
        )))
        .stdout(Stdio::from(std::os::fd::OwnedFd::from(
            goes.try_clone().unwrap(),
        )))
        .spawn()
        .unwrap();
    let [stays, goes] = [stays, goes].map(|end| UnixStream::from_std(&reactor, end).unwrap());
    settle(&reactor);
    drop(goes);
    std::io::Write::write_all(&mut &goes_peer, b"x").unwrap();
    assert_eq!(settle(&reactor), 0, "the child still has it, we do not");
    child.kill().unwrap();
    child.wait().unwrap();
    let (count, waker) = Count::new();
    let mut read = pin!(stays.readable());
    assert!(poll(read.as_mut(), &waker).is_pending());
    std::io::Write::write_all(&mut &stays_peer, b"x").unwrap();
    settle(&reactor);
    assert_eq!(count.get(), 1);
    assert!(poll(read.as_mut(), &waker).is_ready());
}

/// Wakers outlive the reactor, and are used while it goes.
#[test]
fn waking_while_everything_is_dropped() {
    for _ in 0..200 {
        let reactor = Reactor::new().unwrap();
        let (source, peer) = UnixStream::pair(&reactor).unwrap();
        let waker = reactor.waker();
        let mut cx = Context::from_waker(&waker);
        assert!(source.poll_readable(&mut cx).is_pending()); // the source holds the waker as well
        let polling = reactor.clone();
        let polls = std::thread::spawn(move || drop(polling.poll(Some(Duration::from_secs(1000)))));
        let wakes = std::thread::spawn(move || {
            waker.wake_by_ref();
            drop(source);
            waker.wake();
        });
        drop((reactor, peer));
        wakes.join().unwrap();
        polls.join().unwrap();
    }
}

/// A waker whose last reference panics when it goes.
#[test]
fn a_waker_that_panics_when_dropped_leaves_the_source_whole() {
    struct Grenade;
    impl Wake for Grenade {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Grenade {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    let reactor = Reactor::new().unwrap();
    let (source, mut peer) = UnixStream::pair(&reactor).unwrap();
    let (count, waker) = Count::new();
    let leave = |waker: &Waker| {
        source
            .poll_readable(&mut Context::from_waker(waker))
            .is_pending()
    };
    assert!(leave(&Waker::from(Arc::new(Grenade))));
    let replaced = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| leave(&waker)));
    assert!(replaced.is_err(), "it was the task's own");
    block_on(peer.write_all(b"x")).unwrap();
    settle(&reactor);
    assert_eq!(count.get(), 1, "the new waker had been left");

    assert_eq!(
        block_on(source.read_with(|mut io| std::io::Read::read(&mut io, &mut [0; 9]))).unwrap(),
        1
    );
    assert!(leave(&Waker::from(Arc::new(Grenade))));
    block_on(peer.write_all(b"x")).unwrap();
    assert!(
        settle(&reactor) > 0,
        "woken and dropped by the turn, which goes on"
    );
    assert_eq!(reactor.sources(), 2);
}

#[cfg(all(target_os = "linux", not(polling_test_poll_backend)))]
#[test]
fn a_reactor_says_in_few_words_what_it_is() {
    let reactor = Reactor::new().unwrap();
    let (_one, _other) = UnixStream::pair(&reactor).unwrap();
    assert_eq!(
        format!("{reactor:?}"),
        "Reactor { sources: 2, poller: epoll }"
    );
}
