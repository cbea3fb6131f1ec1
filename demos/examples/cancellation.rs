//! Cancellation: a future can end at every `await`, by being dropped.
//!
//! Run it: `cargo run --example cancellation`
//!
//! Watch what is left behind. `transfer` takes money from one account, waits, and gives it to the
//! other. Stopped at the first or the last `await` all is well; stopped at the one in between, the
//! money is gone: nothing panicked, no code ran, the future was just dropped there. The careful
//! version puts what must not stay half done into a guard, whose `Drop` runs wherever the future
//! ends. Cancelling at *every* await, one after the other, is how to test such code.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use executor::yield_now;

#[derive(Default)]
struct Accounts {
    ours: Cell<i32>,
    theirs: Cell<i32>,
}

impl Accounts {
    fn total(&self) -> i32 {
        self.ours.get() + self.theirs.get()
    }
}

/// Broken: what the second await interrupts stays interrupted.
async fn transfer(accounts: &Accounts, amount: i32) {
    yield_now().await; // ask somebody for permission
    accounts.ours.set(accounts.ours.get() - amount);
    yield_now().await; // write it to a log
    accounts.theirs.set(accounts.theirs.get() + amount);
    yield_now().await; // tell the owner
}

/// Gives the money back unless it arrived.
struct Underway<'a>(&'a Accounts, i32);

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        self.0.ours.set(self.0.ours.get() + self.1);
    }
}

/// Careful: the guard is there whenever the money is nowhere else.
async fn careful_transfer(accounts: &Accounts, amount: i32) {
    yield_now().await;
    accounts.ours.set(accounts.ours.get() - amount);
    let underway = Underway(accounts, amount);
    yield_now().await;
    std::mem::forget(underway); // it arrives: nothing to give back
    accounts.theirs.set(accounts.theirs.get() + amount);
    yield_now().await;
}

/// Polls `future` so many times and drops it.
fn cancel_after(polls: u32, future: impl Future) {
    let mut future = pin!(future);
    for _ in 0..polls {
        let _ = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
    }
}

fn main() {
    println!("dropped at await    1    2    3   and of 100 there is left");
    for careful in [false, true] {
        let mut line = format!(
            "{:<16}",
            if careful {
                "with a guard"
            } else {
                "without a guard"
            }
        );
        for polls in 1..=3 {
            let accounts = Accounts {
                ours: Cell::new(100),
                theirs: Cell::new(0),
            };
            if careful {
                cancel_after(polls, careful_transfer(&accounts, 30));
            } else {
                cancel_after(polls, transfer(&accounts, 30));
            }
            line.push_str(&format!("  {:>3}", accounts.total()));
        }
        println!("{line}");
    }
}
