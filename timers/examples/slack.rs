//! How many wake-ups slack saves: a thousand sleeps that end 3.7 ms apart, on virtual time.
//!
//! `cargo run -p handrolled-timers --example slack`

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use timers::{Clock, LocalSleep, LocalTimers};

/// What a loop would do with them: how often it is woken, and how late the latest sleep is.
fn wake_ups(slack: Duration) -> (usize, Duration) {
    let clock = Clock::auto();
    let timers = LocalTimers::new(clock.clone());
    let mut cx = Context::from_waker(Waker::noop());
    let mut sleeps: Vec<LocalSleep> = (1..=1_000)
        .map(|n| timers.sleep(n * Duration::from_micros(3_700)).slack(slack))
        .collect();
    sleeps.retain_mut(|sleep| Pin::new(sleep).poll(&mut cx).is_pending());

    let (mut turns, mut latest) = (0, Duration::ZERO);
    while timers.patience().is_some() {
        timers.fire();
        turns += 1;
        sleeps.retain_mut(|sleep| {
            let over = Pin::new(&mut *sleep).poll(&mut cx).is_ready();
            if over {
                latest = latest.max(clock.now() - sleep.deadline());
            }
            !over
        });
    }
    assert!(sleeps.is_empty(), "all have ended");
    (turns, latest)
}

fn main() {
    println!("slack    wake-ups for 1,000 sleeps    latest");
    for slack_ms in [0, 5, 20, 200] {
        let (turns, latest) = wake_ups(Duration::from_millis(slack_ms));
        println!("{slack_ms:>3} ms    {turns:>25}    {latest:.1?}");
    }
}
