//! Echo over socket pairs inside one process and one thread: nothing but the kernel's cheapest
//! sockets and the runtime's own cost. One task at each end; 64 bytes there and back.

use std::io;
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
        |scale| everyone(1, scale),
    ),
    echo(
        "reactor/echo_inproc_64",
        "64 B there and back on 64 socket pairs, one thread",
        |scale| everyone(64, scale),
    ),
];

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
        contenders,
    }
}

fn everyone(pairs: usize, scale: Scale) -> Vec<Contender> {
    vec![
        one::<peers::ours::EventLoop>(pairs, scale),
        Contender::new("bare", move || {
            peers::bare::echo_pairs(pairs, messages(pairs, scale))
        }),
        one::<peers::tokio::WithDrivers>(pairs, scale),
        one::<peers::smol::WithReactor>(pairs, scale),
        #[cfg(feature = "monoio")]
        one::<peers::monoio::Epoll>(pairs, scale),
        #[cfg(feature = "monoio")]
        one::<peers::monoio::Uring>(pairs, scale),
    ]
}

/// Messages on each pair in one pass: about as many in all, however many pairs.
fn messages(pairs: usize, scale: Scale) -> u64 {
    scale.of((2_000 / pairs).max(30), 3) as u64
}

fn one<R: LocalNet>(pairs: usize, scale: Scale) -> Contender {
    Contender::new(R::NAME, move || {
        echo_pairs::<R>(pairs, messages(pairs, scale))
    })
}

/// Two connected, non-blocking ends.
///
/// # Errors
/// When there are no more file descriptors.
pub fn socket_pair() -> io::Result<(UnixStream, UnixStream)> {
    let (here, there) = UnixStream::pair()?;
    here.set_nonblocking(true)?;
    there.set_nonblocking(true)?;
    Ok((here, there))
}

/// What the client sends as its `number`th message.
#[must_use]
pub fn message(number: u64) -> [u8; MESSAGE] {
    [(number % 251) as u8; MESSAGE]
}

fn echo_pairs<R: LocalNet>(pairs: usize, messages: u64) -> Result<Pass, Invalid> {
    let mut runtime = R::new();
    let spawner = runtime.spawner();
    let net = runtime.net();
    let mut clients: Vec<R::Stream> = runtime.block_on(async {
        let mut clients = Vec::new();
        for _ in 0..pairs {
            let (here, there) = socket_pair()?;
            let server = R::unix_stream(&net, there)?;
            spawner.detach(serve(server));
            clients.push(R::unix_stream(&net, here)?);
        }
        Ok::<_, io::Error>(clients)
    })?;
    Ok(Box::new(move || {
        Measured::cpu(messages * pairs as u64, || {
            let back: Result<Vec<R::Stream>, Invalid> = runtime.block_on(async {
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
async fn serve<S: Stream>(mut stream: S) {
    let mut buffer = vec![0; BUFFER];
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
