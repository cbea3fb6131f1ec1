//! Echo over socket pairs inside one process and one thread: nothing but the kernel's cheapest
//! sockets and the runtime's own cost. One task at each end; 64 bytes there and back.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

use crate::contest::{
    Better, Contender, Cores, Invalid, Measured, Pass, Scale, Workload, expect_count,
};
use crate::peers;
use crate::runtime::{LocalNet, LocalSpawn, Stream};

/// Bytes of one message.
pub const MESSAGE: usize = 64;
/// Bytes that may be read at once: more than a message, so that a read says that it was all.
pub const BUFFER: usize = 1024;

/// The workloads of this file.
pub const ALL: &[Workload] = &[
    echo(
        "reactor/echo_inproc_1",
        "64 B there and back on 1 socket pair, one thread",
        |scale| everyone(Kind::Unix, 1, scale),
    ),
    echo(
        "reactor/echo_inproc_64",
        "64 B there and back on 64 socket pairs, one thread",
        |scale| everyone(Kind::Unix, 64, scale),
    ),
    echo(
        "reactor/echo_inproc_tcp_1",
        "the same on 1 TCP connection over loopback",
        |scale| everyone(Kind::Tcp, 1, scale),
    ),
    echo(
        "reactor/echo_inproc_tcp_64",
        "the same on 64 TCP connections over loopback",
        |scale| everyone(Kind::Tcp, 64, scale),
    ),
];

/// Through which sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unix,
    Tcp,
}

const fn echo(
    name: &'static str,
    about: &'static str,
    contenders: fn(Scale) -> Vec<Contender>,
) -> Workload {
    let unit = "ns/message";
    Workload {
        name,
        about,
        unit,
        better: Better::Less,
        cores: Cores::One,
        long: false,
        contenders,
    }
}

fn everyone(kind: Kind, pairs: usize, scale: Scale) -> Vec<Contender> {
    let messages = messages(pairs, scale);
    vec![
        one::<peers::ours::EventLoop>(kind, pairs, messages),
        Contender::new("bare", move || match kind {
            Kind::Unix => peers::bare::echo_pairs(pairs, messages, unix_pair),
            Kind::Tcp => peers::bare::echo_pairs(pairs, messages, tcp_pair),
        }),
        one::<peers::tokio::WithDrivers>(kind, pairs, messages),
        one::<peers::smol::WithReactor>(kind, pairs, messages),
        #[cfg(feature = "monoio")]
        one::<peers::monoio::Epoll>(kind, pairs, messages),
        #[cfg(feature = "monoio")]
        one::<peers::monoio::Uring>(kind, pairs, messages),
    ]
}

/// Messages on each pair in one pass: about as many in all, however many pairs.
fn messages(pairs: usize, scale: Scale) -> u64 {
    scale.of((2_000 / pairs).max(30), 3) as u64
}

fn one<R: LocalNet>(kind: Kind, pairs: usize, messages: u64) -> Contender {
    Contender::new(R::NAME, move || match kind {
        Kind::Unix => echo_pairs::<R, _>(pairs, messages, |net| {
            let (here, there) = unix_pair()?;
            Ok((R::unix(net, here)?, R::unix(net, there)?))
        }),
        Kind::Tcp => echo_pairs::<R, _>(pairs, messages, |net| {
            let (here, there) = tcp_pair()?;
            Ok((R::tcp(net, here)?, R::tcp(net, there)?))
        }),
    })
}

/// Two connected, non-blocking ends.
pub(super) fn unix_pair() -> io::Result<(UnixStream, UnixStream)> {
    let (here, there) = UnixStream::pair()?;
    here.set_nonblocking(true)?;
    there.set_nonblocking(true)?;
    Ok((here, there))
}

/// Two connected, non-blocking ends without Nagle's delay.
fn tcp_pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let here = TcpStream::connect(listener.local_addr()?)?;
    let (there, _) = listener.accept()?;
    for end in [&here, &there] {
        end.set_nonblocking(true)?;
        end.set_nodelay(true)?;
    }
    Ok((here, there))
}

/// What the client sends as its `number`th message.
#[must_use]
pub fn message(number: u64) -> [u8; MESSAGE] {
    [(number % 251) as u8; MESSAGE]
}

fn echo_pairs<R: LocalNet, S: Stream>(
    pairs: usize,
    messages: u64,
    pair: fn(&R::Net) -> io::Result<(S, S)>,
) -> Result<Pass, Invalid> {
    let mut runtime = R::new();
    let spawner = runtime.spawner();
    let net = runtime.net();
    let mut clients: Vec<S> = runtime.block_on(async {
        let mut clients = Vec::new();
        for _ in 0..pairs {
            let (client, server) = pair(&net)?;
            spawner.detach(serve(server, vec![0; BUFFER]));
            clients.push(client);
        }
        Ok::<_, io::Error>(clients)
    })?;
    Ok(Box::new(move || {
        Measured::cpu(messages * pairs as u64, || {
            let back: Result<Vec<S>, Invalid> = runtime.block_on(async {
                let start = |client| spawner.spawn(converse(client, messages));
                let joins: Vec<_> = clients.drain(..).map(start).collect();
                let mut back = Vec::with_capacity(pairs);
                for join in joins {
                    back.push(join.await?);
                }
                Ok(back)
            });
            clients = back?;
            expect_count("clients", clients.len() as u64, pairs as u64)
        })
    }))
}

/// Sends back what comes, until the other end is closed.
pub async fn serve<S: Stream>(mut stream: S, mut buffer: Vec<u8>) {
    loop {
        let (read, filled) = stream.read(buffer).await;
        let length = read.unwrap_or(0);
        if length == 0 {
            return;
        }
        let (written, returned) = stream.write_all(filled, length).await;
        if written.is_err() {
            return;
        }
        buffer = returned;
    }
}

/// Sends each message and waits until it is back.
async fn converse<S: Stream>(mut stream: S, messages: u64) -> Result<S, Invalid> {
    let mut buffer = vec![0; BUFFER];
    for number in 0..messages {
        let sent = message(number);
        buffer[..MESSAGE].copy_from_slice(&sent);
        let (written, returned) = stream.write_all(buffer, MESSAGE).await;
        written?;
        let mut back = 0;
        buffer = returned;
        while back < MESSAGE {
            let (read, filled) = stream.read(buffer).await;
            let length = read?;
            if length == 0 || filled[..length] != sent[back..(back + length).min(MESSAGE)] {
                return Err(Invalid(format!(
                    "message {number} came back as something else"
                )));
            }
            back += length;
            buffer = filled;
        }
    }
    Ok(stream)
}
