//! A thread that polls: what a program without an event loop of its own would write.
#![allow(dead_code)] // each test binary uses a part

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::JoinHandle;
use std::time::Duration;

use reactor::Reactor;

pub(crate) struct Driver {
    pub(crate) reactor: Reactor,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Driver {
    pub(crate) fn new() -> Driver {
        Driver::over(Reactor::new().unwrap())
    }

    pub(crate) fn over(reactor: Reactor) -> Driver {
        let (stop, polled) = (Arc::new(AtomicBool::new(false)), reactor.clone());
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Acquire) {
                polled.poll(None).unwrap();
            }
        });
        Driver {
            reactor,
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let thread = self.thread.take().unwrap();
        while !thread.is_finished() {
            self.reactor.waker().wake(); // again and again: another thread may poll as well
            std::thread::yield_now();
        }
        thread.join().unwrap();
    }
}

/// Every test here ends, one way or the other.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    futures_lite::future::block_on(future)
}

/// A waker that counts.
#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    pub(crate) fn new() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (Arc::clone(&count), Waker::from(count))
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Polls once with this waker.
pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Turns the reactor until nothing more comes.
pub(crate) fn settle(reactor: &Reactor) -> usize {
    let mut events = 0;
    loop {
        match reactor.poll(Some(Duration::from_millis(1))).unwrap() {
            0 => return events,
            more => events += more,
        }
    }
}
