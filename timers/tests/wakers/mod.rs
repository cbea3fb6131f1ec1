//! Wakers for tests, and polling by hand.

// each test file uses some of these
#![allow(dead_code)]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

pub(crate) const MS: Duration = Duration::from_millis(1);

/// Counts its wakes.
#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn new() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (count.clone(), count.into())
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Runs a closure when it is woken.
pub(crate) struct Call<F>(Mutex<F>);

impl<F: FnMut() + Send + 'static> Call<F> {
    pub(crate) fn waker(call: F) -> Waker {
        Waker::from(Arc::new(Call(Mutex::new(call))))
    }
}

impl<F: FnMut() + Send + 'static> Wake for Call<F> {
    fn wake(self: Arc<Self>) {
        (self.0.lock().unwrap())();
    }
}

/// Runs a closure when its last clone is dropped, without having been woken.
pub(crate) struct OnDrop<F: FnMut()>(F);

impl<F: FnMut() + Send + Sync + 'static> OnDrop<F> {
    pub(crate) fn waker(call: F) -> Waker {
        Waker::from(Arc::new(OnDrop(call)))
    }
}

impl<F: FnMut() + Send + Sync + 'static> Wake for OnDrop<F> {
    fn wake(self: Arc<Self>) {}
}

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

pub(crate) fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Polls for a task that nobody wakes.
pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll(future, Waker::noop())
}
