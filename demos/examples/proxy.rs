//! A TCP proxy: what goes in on one side comes out on the other, and no more than that is kept.
//!
//! Run it: `cargo run --example proxy`
//!
//! Watch two things. **Back-pressure**: the client sends 4 MiB as fast as it can, and the server
//! reads slowly. Nothing here says 'slow down': the proxy reads no more before it has written, its
//! socket's buffer fills, the kernel closes the TCP window, and the client's next write would
//! block. The lines show that the client is never further ahead of the server than the sockets'
//! buffers are large, that the proxy holds one buffer at most, and how often the client had to
//! wait. **Half-close**: the client says 'I have nothing more to send' and then waits for the
//! answer. A proxy that closes both sides at the first end of stream cuts the answer off; this one
//! passes the end on, in that direction only.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use demos::{EventLoop, Handle};
use futures::future::try_join;
use reactor::{TcpListener, TcpStream};
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size};

const BUFFER: usize = 16 * 1024;
/// Of a socket, each way. Left to itself Linux lets them grow to megabytes.
const SOCKET_BUFFER: usize = 64 * 1024;
const SENT: usize = 4 << 20;

/// Where the bytes are on their way up. Its fields are cells: all of this is one thread.
#[derive(Default)]
struct Tally {
    sent: Cell<usize>,
    received: Cell<usize>,
    most_ahead: Cell<usize>,
    in_proxy: Cell<usize>,
    most_in_proxy: Cell<usize>,
    waits: Cell<usize>,
}

impl Tally {
    fn client_sent(&self, bytes: usize) {
        self.sent.set(self.sent.get() + bytes);
        let ahead = self.sent.get() - self.received.get();
        self.most_ahead.set(self.most_ahead.get().max(ahead));
    }

    fn proxy_holds(&self, bytes: usize) {
        self.in_proxy.set(bytes);
        self.most_in_proxy.set(self.most_in_proxy.get().max(bytes));
    }

    fn server_received(&self, bytes: usize) {
        let before = self.received.replace(self.received.get() + bytes);
        if before >> 20 != self.received.get() >> 20 {
            let (sent, received) = (self.sent.get() >> 10, self.received.get() >> 10);
            println!(
                "client: {sent:>4} KiB sent, {:>2} waits | on the way: {:>3} KiB, {:>2} in the \
                 proxy | server: {received:>4} KiB read",
                self.waits.get(),
                sent - received,
                self.in_proxy.get() >> 10,
            );
        }
    }
}

/// Copies until the end of stream, and passes the end on. `holds` is told what is in the buffer.
async fn copy(from: &TcpStream, to: &TcpStream, holds: impl Fn(usize)) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = from
            .read_with(|mut socket| socket.read(&mut buffer))
            .await?;
        if length == 0 {
            return to.shutdown(Shutdown::Write);
        }
        let mut rest = &buffer[..length];
        while !rest.is_empty() {
            holds(rest.len());
            let written = to.write_with(|mut socket| socket.write(rest)).await?;
            rest = &rest[written..];
        }
        holds(0);
    }
}

async fn proxy(
    handle: Handle,
    listener: TcpListener,
    server: SocketAddr,
    tally: Rc<Tally>,
) -> io::Result<()> {
    let (client, _from) = listener.accept().await?;
    let server = TcpStream::connect(&handle.reactor, server).await?;
    set_socket_send_buffer_size(&server, SOCKET_BUFFER)?;
    let up = copy(&client, &server, |bytes| tally.proxy_holds(bytes));
    let down = copy(&server, &client, |_| ());
    try_join(up, down).await.map(|_| ())
}

/// Reads to the end, with pauses; only then answers.
async fn slow_server(handle: Handle, listener: TcpListener, tally: Rc<Tally>) -> io::Result<()> {
    let (stream, _from) = listener.accept().await?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        handle.timers.sleep(Duration::from_millis(2)).await;
        match stream
            .read_with(|mut socket| socket.read(&mut buffer))
            .await?
        {
            0 => break,
            length => tally.server_received(length),
        }
    }
    println!("server: the client has nothing more to send; I answer");
    let answer = format!("I have {} bytes of yours", tally.received.get());
    stream
        .write_with(|mut socket| socket.write_all(answer.as_bytes()))
        .await
}

/// Sends as fast as it can, closes its side, and listens to what comes back.
async fn client(handle: &Handle, address: SocketAddr, tally: &Tally) -> io::Result<String> {
    let stream = TcpStream::connect(&handle.reactor, address).await?;
    set_socket_send_buffer_size(&stream, SOCKET_BUFFER)?;
    let message = vec![7; SENT];
    let mut rest = &message[..];
    while !rest.is_empty() {
        let write = stream.write_with(|mut socket| {
            let written = socket.write(rest);
            if matches!(&written, Err(error) if error.kind() == ErrorKind::WouldBlock) {
                tally.waits.set(tally.waits.get() + 1);
            }
            written
        });
        let written = write.await?;
        tally.client_sent(written);
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
            0 => return Ok(answer),
            length => answer.push_str(&String::from_utf8_lossy(&bytes[..length])),
        }
    }
}

fn main() -> io::Result<()> {
    let event_loop = EventLoop::new()?;
    let handle = event_loop.handle().clone();
    let server = TcpListener::bind(&handle.reactor, "127.0.0.1:0")?;
    let front = TcpListener::bind(&handle.reactor, "127.0.0.1:0")?;
    for listener in [&server, &front] {
        set_socket_recv_buffer_size(listener, SOCKET_BUFFER)?; // what it accepts has the same
    }
    let (server_address, address) = (server.local_addr()?, front.local_addr()?);
    let tally = Rc::new(Tally::default());
    let served = slow_server(handle.clone(), server, Rc::clone(&tally));
    drop(handle.spawner.spawn(served));
    let proxied = proxy(handle.clone(), front, server_address, Rc::clone(&tally));
    drop(handle.spawner.spawn(proxied));

    let answer = event_loop.run(client(&handle, address, &tally))??;
    println!("client: the answer is {answer:?}");
    assert_eq!(answer, format!("I have {SENT} bytes of yours"));
    let (ahead, held) = (tally.most_ahead.get(), tally.most_in_proxy.get());
    println!(
        "proxy:  held {} KiB at most, while the client was up to {} KiB ahead of the server",
        held >> 10,
        ahead >> 10
    );
    // Two connections, each with two buffers, which Linux makes twice as large as it is told.
    assert!(held <= BUFFER && ahead <= BUFFER + 8 * SOCKET_BUFFER);
    assert!(tally.waits.get() > 0, "it never had to wait");
    Ok(())
}
