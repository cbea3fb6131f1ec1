//! TCP chat: everybody hears everybody, on one thread.
//!
//! Run it: `cargo run --release --example chat -- 1000` (the number of guests; 100 if not given)
//!
//! Watch the room: it is one text that grows. A guest's reader appends lines to it, a guest's
//! writer sends from where that guest has got to. So a slow guest is only behind, holds up nobody,
//! and needs no queue of its own; and one write carries all that was said since the last. (A room
//! open for days would cut off what all have heard.) Guests are tasks, two each: with a thousand
//! of them and each line sent to all, a million lines go out.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Poll, Waker};

use demos::{EventLoop, Handle};
use reactor::{TcpListener, TcpStream};

/// What was said, and the writers that have sent all of it.
#[derive(Default)]
struct Room {
    said: Vec<u8>,
    waiting: Vec<Waker>,
}

impl Room {
    fn say(&mut self, line: &[u8]) {
        self.said.extend_from_slice(line);
        self.waiting.drain(..).for_each(Waker::wake);
    }
}

async fn serve(handle: Handle, listener: TcpListener) -> io::Result<()> {
    let room = Rc::new(RefCell::new(Room::default()));
    loop {
        let (stream, _from) = listener.accept().await?;
        let stream = Rc::new(stream);
        drop(
            handle
                .spawner
                .spawn(hear(Rc::clone(&room), Rc::clone(&stream))),
        );
        drop(handle.spawner.spawn(tell(Rc::clone(&room), stream)));
    }
}

/// From the guest into the room, a whole line at a time.
async fn hear(room: Rc<RefCell<Room>>, stream: Rc<TcpStream>) -> io::Result<()> {
    let (mut line, mut bytes) = (Vec::new(), [0; 512]);
    loop {
        let length = stream
            .read_with(|mut socket| socket.read(&mut bytes))
            .await?;
        if length == 0 {
            return Ok(());
        }
        line.extend_from_slice(&bytes[..length]);
        if let Some(end) = line.iter().rposition(|&byte| byte == b'\n') {
            room.borrow_mut().say(&line[..=end]);
            line.drain(..=end);
        } else if line.len() > 4096 {
            return Err(io::Error::other("a line without end"));
        }
    }
}

/// From the room to the guest, from where they have got to.
async fn tell(room: Rc<RefCell<Room>>, stream: Rc<TcpStream>) -> io::Result<()> {
    let mut sent = 0;
    loop {
        poll_fn(|cx| {
            let mut room = room.borrow_mut();
            if sent < room.said.len() {
                return Poll::Ready(());
            }
            room.waiting.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
        sent += stream
            .write_with(|mut socket| socket.write(&room.borrow().said[sent..]))
            .await?;
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
