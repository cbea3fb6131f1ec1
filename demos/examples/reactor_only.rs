//! Reactor only: an echo without tasks, without an executor, without timers.
//!
//! Run it: `cargo run --example reactor_only`
//!
//! Watch the function `wait_for`: it is the smallest thing that can run a future over a reactor,
//! and there is no queue in it. With one future there is no question which one to poll; an
//! executor is the answer to a question that comes up with the second one.

use std::future::Future;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use reactor::{Reactor, TcpListener, TcpStream};

/// Polls the future, waits for news from the kernel, polls again.
fn wait_for<F: Future>(reactor: &Reactor, name: &str, future: F) -> io::Result<F::Output> {
    let mut future = pin!(future);
    let mut waits = 0;
    loop {
        // Any news may be ours, so the waker need not tell us anything.
        if let Poll::Ready(output) = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            println!("{name}: done after {waits} wait(s) in the kernel");
            return Ok(output);
        }
        reactor.poll(None)?;
        waits += 1;
    }
}

async fn echo_once(listener: &TcpListener) -> io::Result<u64> {
    let (stream, _from) = listener.accept().await?;
    let (mut echoed, mut buffer) = (0, [0; 4096]);
    loop {
        let length = stream
            .read_with(|mut socket| socket.read(&mut buffer))
            .await?;
        if length == 0 {
            return Ok(echoed);
        }
        let mut rest = &buffer[..length];
        while !rest.is_empty() {
            let written = stream.write_with(|mut socket| socket.write(rest)).await?;
            rest = &rest[written..];
        }
        echoed += length as u64;
    }
}

fn main() -> io::Result<()> {
    let reactor = Reactor::new()?;
    let listener = TcpListener::bind(&reactor, "127.0.0.1:0")?;
    let address = listener.local_addr()?;
    // The client is an ordinary blocking one, on a thread.
    let client = std::thread::spawn(move || -> io::Result<String> {
        let mut stream = std::net::TcpStream::connect(address)?;
        stream.write_all(b"is there anybody?")?;
        stream.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    });
    let echoed = wait_for(&reactor, "echo", echo_once(&listener))??;
    println!(
        "echoed {echoed} bytes: {:?}",
        client.join().expect("it does not panic")?
    );

    // The other direction, on the same reactor.
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let stream = wait_for(&reactor, "connect", TcpStream::connect(&reactor, address))??;
    println!(
        "connected to {}",
        if stream.peer_addr()? == address {
            "whom we meant"
        } else {
            "?"
        }
    );
    Ok(())
}
