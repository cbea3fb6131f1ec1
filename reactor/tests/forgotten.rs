//! Handles that are never dropped. A binary of its own, as it leaks on purpose: a leak detector is
//! right to complain of it (`ASAN_OPTIONS=detect_leaks=0`).
#![cfg(not(loom))]

mod driver;

use std::mem::forget;
use std::os::unix::net::UnixStream as Plain;
use std::sync::Arc;

use driver::{Count, block_on, poll_once, settle};
use futures_lite::AsyncWriteExt;
use reactor::{Buffers, Reactor, Source, UnixStream};

/// What is forgotten is leaked, and does no other harm: neither is it touched later, nor does it
/// keep others from being woken.
#[test]
fn what_is_forgotten_harms_nobody() {
    let reactor = Reactor::new().unwrap();
    let (ours, mut theirs) = UnixStream::pair(&reactor).unwrap();
    let ((forgotten, one), (waits, other)) = (Count::new(), Count::new());
    {
        let mut future = Box::pin(ours.readable());
        assert!(poll_once(&mut future, &one).is_pending());
        forget(future); // its place in the list stays
    }
    let mut future = Box::pin(ours.readable());
    assert!(poll_once(&mut future, &other).is_pending());
    block_on(theirs.write_all(b"x")).unwrap();
    settle(&reactor);
    assert_eq!((forgotten.get(), waits.get()), (1, 1));
    drop(future);
    drop((ours, one));
    assert_eq!(
        Arc::strong_count(&forgotten),
        1,
        "the source took the waker along"
    );

    let buffers = Buffers::new(10);
    forget(block_on(lent(&reactor, &buffers)));
    assert_eq!(buffers.spare(), 0, "that buffer does not come back");
    drop(block_on(lent(&reactor, &buffers)));
    assert_eq!(buffers.spare(), 1);

    let (left, right) = theirs.into_split();
    forget(left);
    drop(right);
    assert_eq!(reactor.sources(), 1, "a half keeps its source");
    let (source, _peer) = Plain::pair().unwrap();
    forget(Source::new(&reactor, source).unwrap());
    forget(reactor.waker());
    forget(reactor.clone()); // now nobody is told that the reactor goes
    drop(reactor);
}

async fn lent<'b>(reactor: &Reactor, buffers: &'b Buffers) -> std::io::Result<reactor::Lent<'b>> {
    let (ours, mut theirs) = UnixStream::pair(reactor)?;
    theirs.write_all(b"tea").await?;
    ours.read_lent(buffers).await
}

/// What a panic carries may panic when it is dropped, and what that carries again: at some point
/// it has to be let go of, or the chain would go on for ever.
#[test]
fn a_panic_whose_payload_panics_ends_somewhere() {
    struct Quarrel;
    impl Drop for Quarrel {
        fn drop(&mut self) {
            std::panic::panic_any(Quarrel);
        }
    }
    struct Grenade;
    impl std::task::Wake for Grenade {
        fn wake(self: Arc<Self>) {
            std::panic::panic_any(Quarrel);
        }
    }
    let reactor = Reactor::new().unwrap();
    let (ours, theirs) = UnixStream::pair(&reactor).unwrap();
    let waker = std::task::Waker::from(Arc::new(Grenade));
    let mut cx = std::task::Context::from_waker(&waker);
    assert!(ours.poll_readable(&mut cx).is_pending());
    drop(theirs);
    assert!(settle(&reactor) > 0);
    assert!(ours.poll_readable(&mut cx).is_ready());
}
