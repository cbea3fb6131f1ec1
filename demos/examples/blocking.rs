//! Blocking or not: the same two inputs, processed twice.
//!
//! Run it: `cargo run --example blocking`
//!
//! Watch the order. `std::thread::sleep` puts the *thread* to sleep, and the thread is all the
//! loop has: I2 cannot even begin before I1 is done, although both were there from the start.
//! The loop's own sleep puts the *task* to sleep: it leaves a waker with the timers and returns,
//! the thread goes on to I2, and O2 is out first. It is the one mistake that makes an event loop
//! useless, and nothing warns of it: the code compiles, and gives the right answers, late.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use demos::{EventLoop, Handle};

const SLOW: Duration = Duration::from_millis(80);
const QUICK: Duration = Duration::from_millis(20);

type Log = Rc<RefCell<Vec<&'static str>>>;

/// Wrong: blocks the thread.
async fn process_blocking(log: Log, names: [&'static str; 2], takes: Duration) {
    log.borrow_mut().push(names[0]);
    std::thread::sleep(takes);
    log.borrow_mut().push(names[1]);
}

/// Right: gives the thread back while it waits.
async fn process(handle: Handle, log: Log, names: [&'static str; 2], takes: Duration) {
    log.borrow_mut().push(names[0]);
    handle.timers.sleep(takes).await;
    log.borrow_mut().push(names[1]);
}

fn main() -> std::io::Result<()> {
    let event_loop = EventLoop::new()?;
    let handle = event_loop.handle().clone();
    let spawner = &handle.spawner;

    let log = Log::default();
    let first = spawner.spawn(process_blocking(log.clone(), ["I1 begins", "O1"], SLOW));
    let second = spawner.spawn(process_blocking(log.clone(), ["I2 begins", "O2"], QUICK));
    event_loop
        .run(async { first.await.and(second.await) })?
        .expect("neither panics");
    println!("the thread sleeps: {}", log.take().join(", "));

    let first = spawner.spawn(process(
        handle.clone(),
        log.clone(),
        ["I1 begins", "O1"],
        SLOW,
    ));
    let second = spawner.spawn(process(
        handle.clone(),
        log.clone(),
        ["I2 begins", "O2"],
        QUICK,
    ));
    event_loop
        .run(async { first.await.and(second.await) })?
        .expect("neither panics");
    println!("the task sleeps:   {}", log.take().join(", "));
    Ok(())
}
