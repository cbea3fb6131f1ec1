//! A lost wake-up: the bug that hangs one run in a million, shown on every run.
//!
//! Run it: `cargo run --example lost_wakeup`
//!
//! Watch the two polls. Both look at a flag and leave their waker; they differ in the order. The
//! broken one looks first: if the flag is set *between* its look and its leaving the waker,
//! whoever set it found no waker to call, and nobody ever will. The right one leaves the waker
//! first and looks afterwards: then either it sees the flag, or whoever sets it sees the waker.
//! Between threads the gap is nanoseconds wide. Here the writer runs inside of it, every time,
//! and a watchdog says what happened.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use demos::EventLoop;

/// A flag, and who waits for it.
#[derive(Default)]
struct Flag {
    set: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
    /// What happens in the gap; on a real machine another thread's work.
    in_the_gap: Cell<Option<fn(&Flag)>>,
}

impl Flag {
    fn set(&self) {
        self.set.set(true);
        match self.waiting.take() {
            Some(waker) => {
                println!("  writer: flag set, and I woke who was waiting");
                waker.wake();
            }
            None => println!("  writer: flag set; nobody is waiting"),
        }
    }

    fn gap(&self) {
        if let Some(other_thread) = self.in_the_gap.take() {
            other_thread(self);
        }
    }

    fn poll_broken(&self, cx: &Context<'_>) -> Poll<()> {
        if self.set.get() {
            return Poll::Ready(());
        }
        println!("  reader: the flag is not set, so I will wait");
        self.gap();
        *self.waiting.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_right(&self, cx: &Context<'_>) -> Poll<()> {
        *self.waiting.borrow_mut() = Some(cx.waker().clone());
        println!("  reader: I left my waker, and look again before I wait");
        self.gap();
        if self.set.get() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Lets a task wait for a flag; a watchdog looks after it.
///
/// The task has a waker of its own: were it polled together with the watchdog's timer, the timer
/// would wake it as well, and hide the bug.
fn try_it(event_loop: &EventLoop, poll: fn(&Flag, &Context<'_>) -> Poll<()>) -> io::Result<()> {
    let handle = event_loop.handle();
    let flag = Rc::new(Flag::default());
    flag.in_the_gap.set(Some(Flag::set));
    let its_flag = Rc::clone(&flag);
    let reader = handle.spawner.spawn(poll_fn(move |cx| poll(&its_flag, cx)));
    let watched = handle.timers.timeout(Duration::from_millis(200), reader);
    match event_loop.run(watched)? {
        Ok(_) => println!("  came through"),
        Err(_) => println!(
            "  watchdog: the flag is set: {}, and the reader sleeps",
            flag.set.get()
        ),
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let event_loop = EventLoop::new()?;
    println!("look, then leave the waker:");
    try_it(&event_loop, Flag::poll_broken)?;
    println!("leave the waker, then look:");
    try_it(&event_loop, Flag::poll_right)
}
