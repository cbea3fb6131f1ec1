//! The load generator: a bare edge-triggered epoll loop that keeps one message under way on each
//! connection, the same for every server.

use std::io::{self, BufRead};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use hdrhistogram::Histogram;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;

use crate::child::say;
use crate::contest::{Invalid, expect_count};

/// One connection and how far its present message has come.
struct Connection {
    stream: TcpStream,
    number: u64, // of the message under way
    sent: usize,
    back: usize,
    since: Instant,
}

struct Load {
    epoll: OwnedFd,
    connections: Vec<Connection>,
    messages: [Vec<u8>; 2], // alternately, so that an old message is told from the new one
    incoming: Vec<u8>,
    latency_ns: Histogram<u64>,
    quota: u64,
    back: u64,
}

/// Connects `connections` times, then for each line `go N` from the parent exchanges N messages of
/// `bytes` bytes on each connection and answers `done MESSAGES P50_NS P99_NS`.
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
        messages: [vec![b'a'; bytes], vec![b'z'; bytes]],
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
        let [half, most] = [0.5, 0.99].map(|share| load.latency_ns.value_at_quantile(share));
        say("done", format_args!("{} {half} {most}", load.back))?;
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
        let message = &self.messages[connection.number as usize % 2];
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
            let message = &self.messages[connection.number as usize % 2];
            let wanted = message.get(connection.back..connection.back + count);
            if connection.number >= self.quota || wanted != Some(&self.incoming[..count]) {
                return Err(Invalid("something else came back than was sent".into()));
            }
            connection.back += count;
            if connection.back == message.len() {
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
