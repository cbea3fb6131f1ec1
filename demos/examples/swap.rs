//! Swap: each of the three crates under, or above, somebody else's runtime.
//!
//! Run it: `cargo run --example swap`
//!
//! Watch what is needed to combine them: nothing but a place where each part gets its turn. Our
//! timers under tokio: a thread fires them. Our reactor under smol's executor: a thread polls it.
//! smol's sockets and timers on our executor: they bring a thread of their own. Futures and wakers
//! are the standard library's, so who wrote the executor does not matter to a socket.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use executor::LocalExecutor;
use reactor::{Reactor, Source};
use timers::{Clock, SharedTimers};

/// A thread as a host: waking it ends its `park`.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Fires the timers from a thread of their own, for whoever awaits their sleeps.
fn timers_with_a_thread() -> SharedTimers {
    let (sender, timers) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let host = Waker::from(Arc::new(Unpark(thread::current())));
        let timers = SharedTimers::new(Clock::monotonic(), host);
        let _ = sender.send(timers.clone());
        loop {
            match timers.patience() {
                Some(patience) => thread::park_timeout(patience),
                None => thread::park(),
            }
            timers.fire();
        }
    });
    timers.recv().expect("the thread sends first of all")
}

fn our_timers_under_tokio() -> io::Result<()> {
    let timers = timers_with_a_thread();
    let tokio = tokio::runtime::Builder::new_current_thread().build()?;
    tokio.block_on(async {
        let slow = tokio::spawn(timers.sleep(Duration::from_millis(20)));
        let waited = timers.timeout(Duration::from_millis(5), slow).await;
        println!(
            "tokio's task awaits our sleep; our timeout ends it first: {}",
            waited.is_err()
        );
    });
    Ok(())
}

fn our_reactor_under_smol() -> io::Result<()> {
    let reactor = Reactor::new()?;
    let driver = reactor.clone();
    thread::spawn(move || while driver.poll(None).is_ok() {});

    let smol = async_executor::LocalExecutor::new();
    let (left, right) = UnixStream::pair()?;
    left.set_nonblocking(true)?;
    right.set_nonblocking(true)?;
    let (left, right) = (Source::new(&reactor, left)?, Source::new(&reactor, right)?);
    let writer = smol.spawn(async move {
        left.write_with(|mut socket| socket.write_all(b"hello"))
            .await
    });
    let read = async {
        let mut bytes = [0; 16];
        let length = right
            .read_with(|mut socket| socket.read(&mut bytes))
            .await?;
        io::Result::Ok(String::from_utf8_lossy(&bytes[..length]).into_owned())
    };
    let text = futures::executor::block_on(smol.run(async {
        writer.await?;
        read.await
    }))?;
    println!("smol's task reads from our reactor: {text}");
    Ok(())
}

fn their_sockets_on_our_executor() -> io::Result<()> {
    let executor = LocalExecutor::new();
    let listener = async_io::Async::<std::net::TcpListener>::bind(([127, 0, 0, 1], 0))?;
    let address = listener.get_ref().local_addr()?;
    let server = executor.spawn(async move {
        let (stream, _from) = listener.accept().await?;
        async_io::Timer::after(Duration::from_millis(5)).await;
        stream
            .write_with(|mut socket| socket.write_all(b"good morning"))
            .await
    });
    let text = executor.block_on(async {
        let stream = async_io::Async::<std::net::TcpStream>::connect(address).await?;
        let mut bytes = [0; 16];
        let length = stream
            .read_with(|mut socket| socket.read(&mut bytes))
            .await?;
        server.await.expect("it does not panic")?;
        io::Result::Ok(String::from_utf8_lossy(&bytes[..length]).into_owned())
    })?;
    println!("our task reads from smol's socket: {text}");
    Ok(())
}

fn main() -> io::Result<()> {
    our_timers_under_tokio()?;
    our_reactor_under_smol()?;
    their_sockets_on_our_executor()
}
