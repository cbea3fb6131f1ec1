//! One future, by hand: what `async` writes for you, and what an executor does with it.
//!
//! Run it: `cargo run --example one_future`
//!
//! Watch who says what. A future does nothing until it is polled. Polled too early it says
//! `Pending`, and must have left its waker with somebody who will call it; here that somebody is
//! a bell. An executor polls again when the waker was called, and at no other time. That is the
//! whole contract between the three crates of this workspace.

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Whoever will make the future ready: a timer, a socket, here a bell.
#[derive(Default)]
struct Bell {
    rung: bool,
    waiting: Option<Waker>,
}

impl Bell {
    fn ring(&mut self) {
        self.rung = true;
        if let Some(waker) = self.waiting.take() {
            println!("bell:     ring! I call the waker that was left with me");
            waker.wake();
        }
    }
}

/// Ready when the bell has rung.
struct AwaitBell(Rc<RefCell<Bell>>);

impl Future for AwaitBell {
    type Output = &'static str;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<&'static str> {
        let mut bell = self.0.borrow_mut();
        if bell.rung {
            println!("future:   the bell has rung: Ready");
            return Poll::Ready("tea");
        }
        println!("future:   not yet: I leave my waker with the bell: Pending");
        bell.waiting = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// What the executor hands to the future: calling it says 'poll me again'.
struct PollAgain(AtomicBool);

impl Wake for PollAgain {
    fn wake(self: Arc<Self>) {
        println!("waker:    the future is worth a poll again");
        // Relaxed: one thread only. Between threads it would have to be Release, and the
        // executor's look at it Acquire.
        self.0.store(true, Ordering::Relaxed);
    }
}

fn main() {
    let bell = Rc::new(RefCell::new(Bell::default()));
    println!("main:     I make the future; nothing happens");
    let mut future = pin!(AwaitBell(Rc::clone(&bell)));

    let woken = Arc::new(PollAgain(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut turns = 0;
    let output = loop {
        if woken.0.swap(false, Ordering::Relaxed) {
            println!("executor: I poll");
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                break output;
            }
        } else {
            println!("executor: not woken, so I do not poll");
        }
        // The rest of the world. A real loop would sleep here until something happens.
        turns += 1;
        if turns == 2 {
            bell.borrow_mut().ring();
        }
    };
    println!("main:     {output}");
}
