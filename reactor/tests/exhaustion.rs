//! No descriptors left: the listener neither spins nor forgets who is waiting. One test, as the
//! limit is the whole process's.
#![cfg(not(loom))]

mod driver;

use std::fs::File;
use std::pin::pin;
use std::task::{Context, Poll};

use driver::{Count, settle};
use reactor::{Reactor, TcpListener, UnixStream};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[test]
fn accept_waits_for_a_descriptor_to_become_free() {
    let reactor = Reactor::new().unwrap();
    let listener = TcpListener::bind(&reactor, "127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (ours, _theirs) = UnixStream::pair(&reactor).unwrap();
    let _clients: Vec<_> = (0..2)
        .map(|_| std::net::TcpStream::connect(address).unwrap())
        .collect();
    settle(&reactor);

    let limit = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(100),
            ..limit
        },
    )
    .unwrap();
    let mut hoard = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        hoard.push(file);
    }

    let (woken, waker) = Count::new();
    let mut cx = Context::from_waker(&waker);
    let errors = std::cell::Cell::new(0);
    // A server that logs the error and goes on. It must come to rest.
    let serve = async || {
        loop {
            match listener.accept().await {
                Ok(connection) => return connection,
                Err(_) => {
                    errors.set(errors.get() + 1);
                    assert!(errors.get() < 100, "spins");
                }
            }
        }
    };
    let mut accepting = pin!(serve());
    assert!(accepting.as_mut().poll(&mut cx).is_pending());
    if !cfg!(polling_test_poll_backend) {
        assert_eq!(settle(&reactor), 0, "nothing happens, so nothing is tried");
        assert_eq!(woken.get(), 0);
    }
    // A source is closed, and there is room again.
    drop(ours);
    settle(&reactor);
    assert!(woken.get() > 0);
    let Poll::Ready(first) = accepting.as_mut().poll(&mut cx) else {
        panic!("not accepted")
    };
    drop((hoard, first));
    let mut last = pin!(listener.accept());
    assert!(
        last.as_mut().poll(&mut cx).is_ready(),
        "the second was not forgotten"
    );
    assert_eq!(errors.get(), 1);
}
