//! Timers only: the wheel as a data structure, and sleeps without any executor.
//!
//! Run it: `cargo run --example timers_only`
//!
//! Watch how little it needs. The wheel knows no clock: it is told the time, in ticks of whatever
//! length. `LocalTimers` adds a clock and wakers, and still does nothing by itself: whoever owns
//! the loop asks how long it may wait, waits as it likes (here with `thread::sleep`), and lets
//! the timers fire. Any server, game or test can do that, with or without the other two crates.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use timers::{Clock, LocalTimers, Wheel};

fn main() {
    // The pure part: ticks, keys, values.
    let mut wheel = Wheel::new();
    let tea = wheel.insert(180, "tea");
    wheel.insert(420, "egg, hard");
    wheel.insert(240, "egg, soft");
    assert_eq!(wheel.cancel(tea), Some("tea"));
    let next = wheel.next_deadline().expect("two are left");
    println!("tea is off; next in the wheel: tick {next}");
    wheel.advance(600, |_, due| {
        println!("tick {:>3}: {}", due.deadline, due.value)
    });

    // The asynchronous part, on a clock that a test can wind: no time passes here at all.
    let clock = Clock::manual();
    let timers = LocalTimers::new(clock.clone());
    let start = clock.now();
    let mut nap = pin!(timers.sleep(Duration::from_secs(3600)));
    let mut cx = Context::from_waker(Waker::noop());
    while nap.as_mut().poll(&mut cx).is_pending() {
        clock.advance(Duration::from_secs(600));
        let fired = timers.fire();
        println!(
            "{:>4} s on the virtual clock: {fired} fired",
            (clock.now() - start).as_secs()
        );
    }

    // And on the real one.
    let timers = LocalTimers::new(Clock::monotonic());
    let mut nap = pin!(timers.sleep(Duration::from_millis(30)));
    let mut waits = 0;
    while nap.as_mut().poll(&mut cx).is_pending() {
        std::thread::sleep(timers.patience().expect("a sleep is armed"));
        timers.fire();
        waits += 1;
    }
    println!("30 ms on the real clock: the thread waited {waits} time(s)");
}
