//! A seeded run: chance in the order of tasks, and the same chance again.
//!
//! Run it: `cargo run --example seeded_run`
//!
//! Watch the traces. Which of several ready tasks runs first is nobody's promise, and a bug that
//! needs one special order shows up once a year. Here a generator chooses the order: another seed
//! is another order, and the same seed is the same run, to the letter, since time is virtual too.
//! The loop below looks for a seed that breaks a careless program, and then replays it.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use executor::LocalExecutor;
use timers::{Clock, LocalTimers};

/// Runs three tasks that wake at the same moments; what they did, in order.
fn run(seed: u64) -> String {
    let mut chance = fastrand::Rng::with_seed(seed);
    let executor = LocalExecutor::builder()
        .order(move |ready| chance.usize(..ready))
        .build();
    let timers = LocalTimers::new(Clock::auto());
    let trace = Rc::new(RefCell::new(String::new()));
    let tasks: Vec<_> = ['a', 'b', 'c']
        .into_iter()
        .map(|name| {
            let (timers, trace) = (timers.clone(), Rc::clone(&trace));
            executor.spawn(async move {
                for _ in 0..4 {
                    timers.sleep(Duration::from_secs(3600)).await;
                    trace.borrow_mut().push(name);
                }
            })
        })
        .collect();
    let _entered = executor.enter();
    let mut all = pin!(executor.root(async {
        for task in tasks {
            task.await.expect("nobody aborts it");
        }
    }));
    loop {
        executor.run_batch();
        if let Poll::Ready(()) = all.as_mut().poll_if_woken() {
            return trace.take();
        }
        if !executor.has_ready() {
            let _ = timers.patience(); // an automatic clock jumps to the next deadline here
        }
        timers.fire();
    }
}

fn main() {
    for seed in [1, 2, 3, 1, 2, 3] {
        println!("seed {seed}: {}", run(seed));
    }
    // 'c never goes first every time': true in most runs, so somebody will rely on it.
    let breaks = |trace: &str| trace.as_bytes().chunks(3).all(|round| round[0] == b'c');
    let seed = (1..100_000).find(|&seed| breaks(&run(seed)));
    let seed = seed.expect("of 81 ways to begin four rounds with one of three, one is this");
    println!("c goes first in all four rounds:");
    println!("seed {seed}: {}, and again {}", run(seed), run(seed));
}
