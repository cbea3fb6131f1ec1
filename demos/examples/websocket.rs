//! WebSocket by async-tungstenite: a clock that ticks to everybody, and echoes what it is sent.
//!
//! Run it: `cargo run --example websocket` (visits itself), or with an address to stay there:
//! `cargo run --example websocket -- 127.0.0.1:3001`, then in a browser's console
//! `s = new WebSocket("ws://127.0.0.1:3001"); s.onmessage = m => console.log(m.data); s.send("hi")`
//!
//! Watch the task of a guest: it does both, telling the time and answering, and neither waits
//! for the other: it asks for whichever comes first, the next message or the next tick. The
//! protocol (handshake, frames, masks, pings) is tungstenite's, the bytes and the time are ours.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use async_tungstenite::tungstenite::Message;
use async_tungstenite::{accept_async, client_async};
use demos::{EventLoop, Handle};
use futures::StreamExt;
use futures::future::{Either, select};
use reactor::{TcpListener, TcpStream};

async fn serve(handle: Handle, listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let timers = handle.timers.clone();
        drop(handle.spawner.spawn(async move {
            // An error means that the client has gone, or spoke something else.
            let _ = host(stream, timers).await;
        }));
    }
}

async fn host(
    stream: TcpStream,
    timers: timers::SharedTimers,
) -> Result<(), async_tungstenite::tungstenite::Error> {
    let mut socket = accept_async(stream).await?;
    let mut ticks = timers.interval(Duration::from_millis(50));
    let mut ticked = 0;
    loop {
        let tick = pin!(ticks.tick());
        match select(socket.next(), tick).await {
            Either::Left((Some(message), _)) => match message? {
                Message::Text(text) => {
                    socket
                        .send(Message::text(format!("you said {text}")))
                        .await?;
                }
                Message::Close(_) => return Ok(()),
                _ => {} // pings are answered by the protocol
            },
            Either::Left((None, _)) => return Ok(()),
            Either::Right(_) => {
                ticked += 1;
                socket.send(Message::text(format!("tick {ticked}"))).await?;
            }
        }
    }
}

/// Says something, listens to some ticks, says good-bye.
async fn visit(handle: &Handle, to: SocketAddr) -> io::Result<()> {
    let stream = TcpStream::connect(&handle.reactor, to).await?;
    let failed = io::Error::other;
    let (mut socket, _answer) = client_async(format!("ws://{to}/"), stream)
        .await
        .map_err(failed)?;
    socket.send(Message::text("hello")).await.map_err(failed)?;
    for _ in 0..4 {
        let message = socket.next().await.ok_or(io::ErrorKind::UnexpectedEof)?;
        println!("{}", message.map_err(failed)?);
    }
    socket.close(None).await.map_err(failed)?;
    println!("closed");
    Ok(())
}

fn main() -> io::Result<()> {
    let event_loop = EventLoop::new()?;
    let handle = event_loop.handle();
    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(&handle.reactor, address.as_deref().unwrap_or("127.0.0.1:0"))?;
    let bound = listener.local_addr()?;
    println!("listening on ws://{bound}");
    let serving = handle.spawner.spawn(serve(handle.clone(), listener));
    match address {
        Some(_) => event_loop.run(serving)?.map_err(io::Error::other)?,
        None => event_loop.run(visit(handle, bound))?,
    }
}
