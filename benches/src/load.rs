//! The load generator: a bare edge-triggered epoll loop that keeps one message under way on each
//! connection, the same for every server. It speaks echo and as much HTTP as a fixed request needs.

use std::io::{self, BufRead};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use hdrhistogram::Histogram;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;

use crate::child::say;
use crate::serve::HELLO;
use crate::stats::SHARES;
use crate::workload::{Invalid, expect_count};

/// One connection and how far its present message has come.
struct Connection {
    stream: TcpStream,
    number: u64, // of the message under way
    sent: usize,
    back: usize,
    since: Instant,
}

/// What is sent, and what must come back.
enum Talk {
    /// The message itself; alternately two, so that an old one is told from the new one.
    Echo([Vec<u8>; 2]),
    /// A request, and an answer of so many bytes (no number before the first answer is seen).
    Http(Vec<u8>, Option<usize>),
}

struct Load {
    epoll: OwnedFd,
    connections: Vec<Connection>,
    talk: Talk,
    incoming: Vec<u8>,
    latency_ns: Histogram<u64>,
    quota: u64,
    back: u64,
}

/// Connects `connections` times, then for each line `go N` from the parent exchanges N messages of
/// `bytes` bytes on each connection (with 0 bytes: HTTP requests) and answers
/// `done MESSAGES` and the latencies, in nanoseconds, that [`SHARES`] of them stayed below.
///
/// # Errors
/// When a connection fails, or something else comes back than was sent.
///
/// # Panics
/// Never: two digits are a precision that histograms have.
pub fn generate(server: SocketAddr, connections: usize, bytes: usize) -> Result<(), Invalid> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(io::Error::from)?;
    let mut load = Load {
        epoll,
        connections: Vec::new(),
        talk: match bytes {
            0 => Talk::Http(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(), None),
            _ => Talk::Echo([vec![b'a'; bytes], vec![b'z'; bytes]]),
        },
        incoming: vec![0; bytes.max(4096)],
        latency_ns: Histogram::new(2).expect("two digits are few"),
        quota: 0,
        back: 0,
    };
    for place in 0..connections {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(
            &load.epoll,
            &stream,
            EventData::new_u64(place as u64),
            flags,
        )
        .map_err(io::Error::from)?;
        let since = Instant::now();
        load.connections.push(Connection {
            stream,
            number: 0,
            sent: 0,
            back: 0,
            since,
        });
    }
    say("ready", "")?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let quota = line.strip_prefix("go ").and_then(|n| n.parse().ok());
        load.exchange(quota.ok_or_else(|| Invalid(format!("what is '{line}'?")))?)?;
        let ranks = SHARES.map(|share| load.latency_ns.value_at_quantile(share).to_string());
        say("done", format_args!("{} {}", load.back, ranks.join(" ")))?;
    }
    Ok(())
}

impl Load {
    fn exchange(&mut self, quota: u64) -> Result<(), Invalid> {
        self.quota = quota;
        self.back = 0;
        self.latency_ns.reset();
        let all = quota * self.connections.len() as u64;
        for place in 0..self.connections.len() {
            self.connections[place].number = 0;
            self.begin(place)?;
        }
        let mut events = Vec::with_capacity(1024);
        while self.back < all {
            events.clear();
            match epoll::wait(
                &self.epoll,
                rustix::buffer::spare_capacity(&mut events),
                None,
            ) {
                Err(Errno::INTR) => continue,
                other => other.map_err(io::Error::from)?,
            };
            for event in &events {
                let (flags, place) = (event.flags, event.data.u64() as usize);
                if flags.contains(EventFlags::OUT) {
                    self.send(place)?;
                }
                if flags.contains(EventFlags::IN) {
                    self.receive(place)?;
                }
            }
        }
        expect_count("messages", self.back, all)
    }

    fn begin(&mut self, place: usize) -> Result<(), Invalid> {
        let connection = &mut self.connections[place];
        (connection.sent, connection.back) = (0, 0);
        connection.since = Instant::now();
        self.send(place)
    }

    /// Sends what is left of the message, as far as the socket takes it.
    fn send(&mut self, place: usize) -> Result<(), Invalid> {
        let connection = &mut self.connections[place];
        let message = self.talk.message(connection.number);
        while connection.sent < message.len() && connection.number < self.quota {
            match rustix::io::write(&connection.stream, &message[connection.sent..]) {
                Ok(count) => connection.sent += count,
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
        Ok(())
    }

    /// Reads once, or on while the buffer comes back full, and begins the next message when this
    /// one is complete.
    fn receive(&mut self, place: usize) -> Result<(), Invalid> {
        loop {
            let connection = &mut self.connections[place];
            let count = match rustix::io::read(&connection.stream, &mut self.incoming[..]) {
                Ok(0) => return Err(Invalid("the server hung up".into())),
                Ok(count) => count,
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(io::Error::from(error).into()),
            };
            if connection.number >= self.quota {
                return Err(Invalid("more came back than was asked for".into()));
            }
            let came = &self.incoming[..count];
            let complete = self.talk.check(connection.number, connection.back, came)?;
            connection.back += count;
            if complete {
                let took = connection.since.elapsed().as_nanos() as u64;
                self.latency_ns
                    .record(took.max(1))
                    .expect("it grows by itself");
                self.back += 1;
                connection.number += 1;
                if connection.number < self.quota {
                    self.begin(place)?;
                }
            }
            if count < self.incoming.len() {
                return Ok(()); // that was all for now; more brings a new edge
            }
        }
    }
}

impl Talk {
    fn message(&self, number: u64) -> &[u8] {
        match self {
            Self::Echo(messages) => &messages[number as usize % 2],
            Self::Http(request, _) => request,
        }
    }

    /// Whether the answer to message `number` is complete with `came`, which follows `back` bytes.
    fn check(&mut self, number: u64, back: usize, came: &[u8]) -> Result<bool, Invalid> {
        match self {
            Self::Echo(messages) => {
                let message = &messages[number as usize % 2];
                if message.get(back..back + came.len()) != Some(came) {
                    return Err(Invalid("something else came back than was sent".into()));
                }
                Ok(back + came.len() == message.len())
            }
            // A short answer arrives whole on loopback: one that does not counts as wrong.
            Self::Http(_, length) => {
                let right = came.starts_with(b"HTTP/1.1 200 OK\r\n") && came.ends_with(HELLO);
                if back > 0 || !right || came.len() != *length.get_or_insert(came.len()) {
                    return Err(Invalid(
                        "an answer is not the one that was asked for".into(),
                    ));
                }
                Ok(true)
            }
        }
    }
}
