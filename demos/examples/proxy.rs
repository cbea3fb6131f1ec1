//! A TCP proxy: what goes in on one side comes out on the other, and no more than that is kept.
//!
//! Run it: `cargo run --example proxy`
//!
//! Watch two things. **Half-close**: the client says 'I have nothing more to send' and then waits
//! for the answer. A proxy that closes both sides at the first end of stream cuts the answer off;
//! this one passes the end on, in that direction only. **Back-pressure**: the client sends 4 MiB
//! as fast as it can, the server reads slowly. Nothing here says 'slow down': the proxy reads no
//! more before it has written, its socket's buffer fills, the kernel closes the TCP window, and the
//! client waits. What the proxy holds is one buffer a direction, whatever the transfer's size.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use demos::{EventLoop, Handle};
use futures::future::try_join;
use reactor::{TcpListener, TcpStream};

const BUFFER: usize = 16 * 1024;
const SENT: usize = 4 << 20;

/// Copies until the end of stream, and passes the end on.
async fn copy(from: &TcpStream, to: &TcpStream) -> io::Result<u64> {
    let (mut copied, mut buffer) = (0, vec![0; BUFFER]);
    loop {
        let length = from
            .read_with(|mut socket| socket.read(&mut buffer))
            .await?;
        if length == 0 {
            to.shutdown(Shutdown::Write)?;
            return Ok(copied);
        }
        let mut rest = &buffer[..length];
        while !rest.is_empty() {
            let written = to.write_with(|mut socket| socket.write(rest)).await?;
            rest = &rest[written..];
        }
        copied += length as u64;
    }
}

async fn proxy(handle: Handle, listener: TcpListener, server: SocketAddr) -> io::Result<()> {
    loop {
        let (client, _from) = listener.accept().await?;
        let reactor = handle.reactor.clone();
        drop(handle.spawner.spawn(async move {
            let server = TcpStream::connect(&reactor, server).await?;
            let (up, down) = try_join(copy(&client, &server), copy(&server, &client)).await?;
            println!("proxy:  {up} bytes up, {down} bytes down, {BUFFER} bytes of buffer each way");
            io::Result::Ok(())
        }));
    }
}

/// Reads to the end, with pauses; only then answers.
async fn slow_server(handle: Handle, listener: TcpListener) -> io::Result<()> {
    let (stream, _from) = listener.accept().await?;
    let (mut received, mut buffer) = (0, vec![0; 256 * 1024]);
    loop {
        handle.timers.sleep(Duration::from_millis(5)).await;
        match stream
            .read_with(|mut socket| socket.read(&mut buffer))
            .await?
        {
            0 => break,
            length => received += length,
        }
    }
    println!("server: the client has nothing more to send; I answer");
    let answer = format!("I have {received} bytes of yours");
    stream
        .write_with(|mut socket| socket.write_all(answer.as_bytes()))
        .await
}

fn main() -> io::Result<()> {
    let event_loop = EventLoop::new()?;
    let handle = event_loop.handle().clone();
    let server = TcpListener::bind(&handle.reactor, "127.0.0.1:0")?;
    let front = TcpListener::bind(&handle.reactor, "127.0.0.1:0")?;
    let (server_address, address) = (server.local_addr()?, front.local_addr()?);
    drop(handle.spawner.spawn(slow_server(handle.clone(), server)));
    drop(
        handle
            .spawner
            .spawn(proxy(handle.clone(), front, server_address)),
    );

    let answer = event_loop.run(async {
        let stream = Rc::new(TcpStream::connect(&handle.reactor, address).await?);
        let message = vec![7; SENT];
        let mut rest = &message[..];
        while !rest.is_empty() {
            let written = stream.write_with(|mut socket| socket.write(rest)).await?;
            rest = &rest[written..];
        }
        stream.shutdown(Shutdown::Write)?;
        println!("client: all is sent, my side is closed; I listen");
        let (mut answer, mut bytes) = (String::new(), [0; 64]);
        loop {
            match stream
                .read_with(|mut socket| socket.read(&mut bytes))
                .await?
            {
                0 => return io::Result::Ok(answer),
                length => answer.push_str(&String::from_utf8_lossy(&bytes[..length])),
            }
        }
    })??;
    println!("client: the answer is {answer:?}");
    assert_eq!(answer, format!("I have {SENT} bytes of yours"));
    // Let the proxy have its last word.
    event_loop.run(handle.timers.sleep(Duration::from_millis(20)))
}
