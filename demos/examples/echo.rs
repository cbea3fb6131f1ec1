//! The smallest server there is, on our loop and on tokio.
//!
//! ```text
//! cargo run --release --example echo -- ours     # or: tokio
//! python3 demos/beside/table.py echo             # both, asyncio and uvloop, side by side
//! ```
//!
//! Watch how little differs between the two functions: who binds, and who spawns. What an echo
//! costs is the kernel's work for it, and a loop can only add to that. Without arguments each of
//! the two echoes one line to us and ends.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;

use demos::EventLoop;
use futures::{AsyncReadExt, AsyncWriteExt};
use reactor::TcpListener;

fn on_ours(listening: impl FnOnce(SocketAddr)) -> io::Result<()> {
    let event_loop = EventLoop::new()?;
    let handle = event_loop.handle();
    event_loop.run(async {
        let listener = TcpListener::bind(&handle.reactor, "127.0.0.1:0")?;
        listening(listener.local_addr()?);
        loop {
            let (mut stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            drop(handle.spawner.spawn(async move {
                let mut buffer = [0; 4096];
                loop {
                    match stream.read(&mut buffer).await? {
                        0 => return io::Result::Ok(()),
                        length => stream.write_all(&buffer[..length]).await?,
                    }
                }
            }));
        }
    })?
}

fn on_tokio(listening: impl FnOnce(SocketAddr)) -> io::Result<()> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        listening(listener.local_addr()?);
        loop {
            let (mut stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            drop(tokio::spawn(async move {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                let mut buffer = [0; 4096];
                loop {
                    match stream.read(&mut buffer).await? {
                        0 => return io::Result::Ok(()),
                        length => stream.write_all(&buffer[..length]).await?,
                    }
                }
            }));
        }
    })
}

fn serve(on: &str, listening: impl FnOnce(SocketAddr)) -> io::Result<()> {
    match on {
        "ours" => on_ours(listening),
        "tokio" => on_tokio(listening),
        _ => Err(io::Error::other("echo [ours | tokio], or nothing")),
    }
}

fn main() -> io::Result<()> {
    if let Some(on) = std::env::args().nth(1) {
        return serve(&on, |address| println!("ready {address}"));
    }
    for on in ["ours", "tokio"] {
        let (sender, address) = mpsc::channel();
        thread::spawn(move || serve(on, |address| sender.send(address).expect("heard")));
        let mut stream = TcpStream::connect(address.recv().expect("it listens"))?;
        stream.write_all(b"and back\n")?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        print!("{on}: there {line}");
    }
    Ok(())
}
