//! Starvation: one greedy task, and what a bound on the batch is for.
//!
//! Run it: `cargo run --example starvation`
//!
//! Watch whether the timer fires. A task that wakes itself before it returns is always ready. A
//! loop that runs tasks 'until none is ready' never gets to its timers and sockets again: here it
//! is stopped after 100,000 polls, with a 1 ms timer long overdue. The real loop polls only what
//! was ready when its batch began, then looks at the kernel and the clock, however greedy its
//! tasks are; the timer fires.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use executor::{LocalExecutor, yield_now};
use timers::{Clock, LocalTimers};

/// Polls of the greedy task after which a loop has lost.
const ENOUGH: u32 = 100_000;

/// Runs a greedy task beside a sleep of 1 ms; `until_none_is_ready` is the broken loop. The count
/// of greedy polls, and whether the sleep ended.
fn race(until_none_is_ready: bool) -> (u32, bool) {
    let executor = LocalExecutor::new();
    let timers = LocalTimers::new(Clock::monotonic());
    let polls = Rc::new(Cell::new(0));
    let greedy = Rc::clone(&polls);
    drop(executor.spawn(async move {
        while greedy.get() < ENOUGH {
            greedy.set(greedy.get() + 1);
            std::hint::black_box((0..200).sum::<u32>()); // a little work
            yield_now().await;
        }
    }));
    let fired = Rc::new(Cell::new(false));
    let (set_fired, clockwork) = (Rc::clone(&fired), timers.clone());
    drop(executor.spawn(async move {
        clockwork.sleep(Duration::from_millis(1)).await;
        set_fired.set(true);
    }));
    let _entered = executor.enter();
    while polls.get() < ENOUGH && !fired.get() {
        if until_none_is_ready {
            while executor.run_batch() {}
        } else {
            executor.run_batch();
        }
        timers.fire();
    }
    (polls.get(), fired.get())
}

fn main() {
    for (name, until_none_is_ready) in
        [("until none is ready:", true), ("one batch a turn:", false)]
    {
        let (polls, fired) = race(until_none_is_ready);
        let timer = match fired {
            true => "then the timer fires",
            false => "and the timer has not fired",
        };
        println!("{name:<20} {polls} polls of the greedy task, {timer}");
    }
}
