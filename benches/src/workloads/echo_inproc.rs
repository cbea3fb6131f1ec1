//! Echo over socket pairs inside one process and one thread: nothing but the kernel's cheapest
//! sockets and the runtime's own cost. One task at each end; 64 bytes there and back.

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

use crate::peers;
use crate::roster::{OnNet, Shape};
use crate::runtime::{LocalNet, LocalSpawn, Stream};
use crate::workload::{Contender, Invalid, Measured, Pass, Scale, expect_count};

/// Bytes of one message.
pub const MESSAGE: usize = 64;
/// Bytes that may be read at once: more than a message, so that a read says that it was all.
pub const BUFFER: usize = 1024;

/// Through Unix sockets.
pub const UNIX: bool = false;
/// Through TCP over loopback.
pub const TCP: bool = true;

/// Messages there and back on so many pairs of sockets.
pub struct Echo<const KIND: bool, const PAIRS: usize>;

impl<const KIND: bool, const PAIRS: usize> Shape for Echo<KIND, PAIRS> {
    const ABOUT: &str = if KIND == TCP {
        "64 B there and back over TCP on loopback, both ends on one thread"
    } else {
        "64 B there and back over socket pairs, both ends on one thread"
    };
    const UNIT: &str = "ns/message";
}

impl<const KIND: bool, const PAIRS: usize> OnNet for Echo<KIND, PAIRS> {
    fn pass<R: LocalNet>(scale: Scale) -> Result<Pass, Invalid> {
        let messages = messages(PAIRS, scale);
        if KIND == TCP {
            return echo_pairs::<R, _>(PAIRS, messages, |net| {
                let (here, there) = tcp_pair()?;
                Ok((R::tcp(net, here)?, R::tcp(net, there)?))
            });
        }
        echo_pairs::<R, _>(PAIRS, messages, |net| {
            let (here, there) = unix_pair()?;
            Ok((R::unix(net, here)?, R::unix(net, there)?))
        })
    }
}

/// A byte that comes while its reader waits: one turn of the loop, one event, one wake.
pub struct Event;

impl Shape for Event {
    const ABOUT: &str = "a byte comes while its reader waits for it, 1,000 times";
    const UNIT: &str = "ns/event";
}

impl OnNet for Event {
    fn pass<R: LocalNet>(scale: Scale) -> Result<Pass, Invalid> {
        let events = scale.of(1_000, 5) as u64;
        let mut runtime = R::new();
        let net = runtime.net();
        let (mut here, there) = unix_pair()?;
        let mut stream = runtime.block_on(async { R::unix(&net, there) })?;
        let mut buffer = vec![0; BUFFER];
        Ok(Box::new(move || {
            Measured::cpu(events, || {
                runtime.block_on(async {
                    for number in 0..events {
                        let byte = [(number % 251) as u8];
                        let send = async { here.write_all(&byte) };
                        let receive = stream.read(std::mem::take(&mut buffer));
                        // The reader is polled first, and finds nothing.
                        let both = ::futures::future::join(receive, send).await;
                        let ((read, filled), sent) = both;
                        sent?;
                        if read? != 1 || filled[0] != byte[0] {
                            return Err(Invalid(format!("byte {number} came as something else")));
                        }
                        buffer = filled;
                        buffer.resize(BUFFER, 0);
                    }
                    Ok(())
                })
            })
        }))
    }
}

/// The limit: a bare loop for both ends.
pub fn bare<const KIND: bool, const PAIRS: usize>(scale: Scale) -> Vec<Contender> {
    let messages = messages(PAIRS, scale);
    let build = move || match KIND {
        TCP => peers::bare::echo_pairs(PAIRS, messages, tcp_pair),
        UNIX => peers::bare::echo_pairs(PAIRS, messages, unix_pair),
    };
    vec![Contender::new("bare", build)]
}

/// Messages on each pair in one pass: about as many in all, however many pairs.
fn messages(pairs: usize, scale: Scale) -> u64 {
    scale.of((2_000 / pairs).max(30), 3) as u64
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
