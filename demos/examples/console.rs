//! Console: tokio-console looks into our executor.
//!
//! Run it: `cargo run --features console --example console`, with
//! `RUSTFLAGS="--cfg console_without_tokio_unstable"` in the environment; and in another terminal
//! tokio-console, from `cargo install --locked tokio-console`.
//!
//! Watch the list: `metronome` is idle nearly always, and woken by timers; `greedy` is polled ten
//! thousands of times a second and wakes itself, of which the console warns; `stuck` is polled once
//! and never again. The console knows none of our crates: `TaskSpans` makes spans of tasks the way
//! tokio does, and the console's subscriber sends them on. The subscriber has a thread of its own,
//! on which tokio runs; nothing of this loop does.

use std::future::pending;
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use executor::{LocalExecutor, TaskSpans, yield_now};
use reactor::Reactor;
use timers::{Clock, LocalTimers};

fn main() -> io::Result<()> {
    console_subscriber::init(); // listens on 127.0.0.1:6669, or where TOKIO_CONSOLE_BIND says
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok());

    let reactor = Reactor::new()?;
    let timers = LocalTimers::new(Clock::monotonic());
    let executor = LocalExecutor::builder()
        .observer(TaskSpans::new())
        .waker(reactor.waker())
        .build();

    let clockwork = timers.clone();
    drop(executor.spawn_named("metronome", async move {
        loop {
            clockwork.sleep(Duration::from_millis(100)).await;
        }
    }));
    let clockwork = timers.clone();
    drop(executor.spawn_named("greedy", async move {
        loop {
            for _ in 0..1000 {
                yield_now().await;
            }
            clockwork.sleep(Duration::from_millis(50)).await;
        }
    }));
    drop(executor.spawn_named("stuck", pending::<()>()));
    let life = timers.sleep(Duration::from_secs(seconds.unwrap_or(600)));

    let _entered = executor.enter();
    let mut main = pin!(executor.root(life));
    loop {
        executor.run_batch();
        if let Poll::Ready(()) = main.as_mut().poll_if_woken() {
            return Ok(());
        }
        let patience = match executor.has_ready() {
            true => Some(Duration::ZERO),
            false => timers.patience(),
        };
        reactor.poll(patience)?;
        timers.fire();
    }
}
