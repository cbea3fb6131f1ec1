//! Compose: the three crates made into a loop, in the open.
//!
//! Run it: `cargo run --example compose`
//!
//! Watch `main`: the loop in it is all there is to composing. Four calls, and in what passes
//! between the crates nothing but types of the standard library: a `Waker` (reactor to executor),
//! a `Duration` (timers to reactor), `bool` and `Poll`. `demos::EventLoop` is this, with a handle.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use executor::LocalExecutor;
use reactor::{Reactor, Source};
use timers::{Clock, LocalTimers};

fn main() -> io::Result<()> {
    let reactor = Reactor::new()?;
    let timers = LocalTimers::new(Clock::monotonic());
    let executor = LocalExecutor::with_waker(reactor.waker());

    // Two tasks that talk through the kernel, at the pace of a timer.
    let (left, right) = UnixStream::pair()?;
    left.set_nonblocking(true)?;
    right.set_nonblocking(true)?;
    let (left, right) = (Source::new(&reactor, left)?, Source::new(&reactor, right)?);
    let clockwork = timers.clone();
    drop(executor.spawn(async move {
        for word in ["tick", "tock", "done"] {
            clockwork.sleep(Duration::from_millis(10)).await;
            left.write_with(|mut socket| socket.write_all(word.as_bytes()))
                .await?;
        }
        io::Result::Ok(())
    }));
    let listen = async {
        let mut word = [0; 4];
        loop {
            right.read_with(|mut socket| socket.read(&mut word)).await?;
            println!("{}", String::from_utf8_lossy(&word));
            if &word == b"done" {
                return io::Result::Ok("and that is all");
            }
        }
    };

    let _entered = executor.enter();
    let mut main = pin!(executor.root(listen));
    let output = loop {
        executor.run_batch();
        if let Poll::Ready(output) = main.as_mut().poll_if_woken() {
            break output?;
        }
        let patience = if executor.has_ready() {
            Some(Duration::ZERO)
        } else {
            timers.patience()
        };
        reactor.poll(patience)?;
        timers.fire();
    };
    println!("{output}");
    Ok(())
}
