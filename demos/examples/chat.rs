//! TCP chat: everybody hears everybody, on one thread.
//!
//! Run it: `cargo run --release --example chat -- 1000` (the number of guests; 100 if not given)
//!
//! Watch the room (`src/chat.rs`): it is one text that grows. A guest's reader appends lines to it,
//! its writer sends from where that guest has got to. So a slow guest is only behind, holds up
//! nobody, and needs no queue of its own; and one write carries all that was said since the last.
//! A guest is one task: with a thousand of them and each line sent to all, a million lines go out.

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use demos::chat::Room;
use demos::{EventLoop, Handle};
use reactor::{TcpListener, TcpStream};

async fn serve(handle: Handle, listener: TcpListener) -> io::Result<()> {
    let room = Room::default();
    loop {
        let (stream, _from) = listener.accept().await?;
        let (reader, writer) = stream.into_split();
        drop(handle.spawner.spawn(room.clone().welcome(reader, writer)));
    }
}

/// A guest: says one line, and stays until it has heard everybody's.
async fn visit(
    handle: Handle,
    address: SocketAddr,
    name: usize,
    guests: usize,
) -> io::Result<usize> {
    let stream = TcpStream::connect(&handle.reactor, address).await?;
    let line = format!("guest {name} says hello\n");
    stream
        .write_with(|mut socket| socket.write_all(line.as_bytes()))
        .await?;
    let (mut heard, mut bytes) = (0, vec![0; 4096]);
    while heard < guests {
        let length = stream
            .read_with(|mut socket| socket.read(&mut bytes))
            .await?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        heard += bytes[..length]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count();
    }
    Ok(heard)
}

fn main() -> io::Result<()> {
    let guests = std::env::args()
        .nth(1)
        .and_then(|number| number.parse().ok())
        .unwrap_or(100);
    // Each guest takes two descriptors here: both ends are in this process.
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current = limit.maximum;
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit)?;

    let event_loop = EventLoop::new()?;
    let handle = event_loop.handle().clone();
    let listener = TcpListener::bind(&handle.reactor, "127.0.0.1:0")?;
    let address = listener.local_addr()?;
    drop(handle.spawner.spawn(serve(handle.clone(), listener)));
    let visits: Vec<_> = (0..guests)
        .map(|name| {
            handle
                .spawner
                .spawn(visit(handle.clone(), address, name, guests))
        })
        .collect();
    let heard = event_loop.run(async {
        let mut heard = 0;
        for visit in visits {
            heard += visit.await.expect("no guest panics")?;
        }
        io::Result::Ok(heard)
    })??;
    println!(
        "{guests} guests heard {heard} lines, {} each",
        heard / guests.max(1)
    );
    Ok(())
}
