//! No runtime at all: what the machine and the kernel cost by themselves.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;

use crate::workload::{Invalid, Measured, Pass, expect_count};
use crate::workloads::echo_inproc::{BUFFER, MESSAGE, message};

/// Both ends of every pair served by one edge-triggered epoll loop.
///
/// # Errors
/// When there are no more file descriptors.
pub fn echo_pairs<S: AsFd + 'static>(
    pairs: usize,
    messages: u64,
    pair: fn() -> io::Result<(S, S)>,
) -> Result<Pass, Invalid> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(io::Error::from)?;
    let mut ends = Vec::new(); // a client at every even place, its server after it
    for _ in 0..pairs {
        let (here, there) = pair()?;
        for end in [here, there] {
            let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
            let place = EventData::new_u64(ends.len() as u64);
            epoll::add(&epoll, &end, place, flags).map_err(io::Error::from)?;
            ends.push(end);
        }
    }
    let mut sent = vec![0; pairs];
    let mut events = Vec::with_capacity(1024);
    Ok(Box::new(move || {
        Measured::cpu(messages * pairs as u64, || {
            sent.fill(1);
            for client in ends.iter().step_by(2) {
                write_all(client, &message(0))?;
            }
            let mut back = 0;
            while back < messages * pairs as u64 {
                events.clear();
                epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), None)
                    .map_err(io::Error::from)?;
                for event in &events {
                    let flags = event.flags; // a copy: the struct is packed
                    if !flags.contains(EventFlags::IN) {
                        continue;
                    }
                    let place = event.data.u64() as usize;
                    if place % 2 == 1 {
                        echo(&ends[place])?;
                    } else {
                        let number = &mut sent[place / 2];
                        back += take_back(&ends[place], *number - 1)?;
                        if *number < messages {
                            write_all(&ends[place], &message(*number))?;
                            *number += 1;
                        }
                    }
                }
            }
            expect_count("messages", back, messages * pairs as u64)
        })
    }))
}

fn echo(server: &impl AsFd) -> io::Result<()> {
    let mut buffer = [0; BUFFER];
    match rustix::io::read(server, &mut buffer) {
        Ok(length) => write_all(server, &buffer[..length]),
        Err(Errno::AGAIN) => Ok(()), // an edge for what was read already
        Err(error) => Err(error.into()),
    }
}

/// How many messages came: one, or none after an edge for what was read already.
fn take_back(client: &impl AsFd, number: u64) -> Result<u64, Invalid> {
    let mut buffer = [0; BUFFER];
    match rustix::io::read(client, &mut buffer) {
        Ok(length) if buffer[..length] == message(number) => Ok(1),
        Ok(_) => Err(Invalid(format!(
            "message {number} came back as something else"
        ))),
        Err(Errno::AGAIN) => Ok(0),
        Err(error) => Err(io::Error::from(error).into()),
    }
}

/// A socket takes so small a message whole: less is an error.
fn write_all(stream: &impl AsFd, bytes: &[u8]) -> io::Result<()> {
    let written = rustix::io::write(stream, bytes)?;
    if written == bytes.len() {
        Ok(())
    } else {
        Err(io::ErrorKind::WriteZero.into())
    }
}

const _: () = assert!(MESSAGE < BUFFER, "a read of a message must be a short read");

/// One connection of [`echo_server`] and what it still has to send back.
struct Connection {
    stream: TcpStream,
    own: Vec<u8>,    // its buffer, empty when all share one
    unsent: Vec<u8>, // what the socket did not take at once
}

/// An echo server of one edge-triggered epoll loop, each connection with a buffer of its own, or
/// all with one that they share.
///
/// # Errors
/// When the kernel refuses something; it does not return otherwise.
pub fn echo_server(listener: &TcpListener, buffer: usize, share: bool) -> Result<(), Invalid> {
    const LISTENER: u64 = u64::MAX;
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(io::Error::from)?;
    let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
    let token = EventData::new_u64(LISTENER);
    epoll::add(&epoll, listener, token, EventFlags::IN).map_err(io::Error::from)?;
    let mut connections: Vec<Connection> = Vec::new();
    let mut shared = vec![0; buffer];
    let mut events = Vec::with_capacity(1024);
    loop {
        events.clear();
        epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), None)
            .map_err(io::Error::from)?;
        for event in &events {
            let token = event.data.u64();
            if token == LISTENER {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
                let token = EventData::new_u64(connections.len() as u64);
                epoll::add(&epoll, &stream, token, flags).map_err(io::Error::from)?;
                let own = vec![0; if share { 0 } else { buffer }];
                connections.push(Connection {
                    stream,
                    own,
                    unsent: Vec::new(),
                });
                continue;
            }
            let connection = &mut connections[token as usize];
            if !connection.flush()? {
                continue; // back-pressure: read no more until this is gone
            }
            let closing = EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR;
            let flags = event.flags;
            if flags.intersects(EventFlags::IN | EventFlags::OUT) && !flags.intersects(closing) {
                connection.echo(&mut shared)?;
            }
        }
    }
}

impl Connection {
    /// Whether nothing is left to send.
    fn flush(&mut self) -> io::Result<bool> {
        while !self.unsent.is_empty() {
            match rustix::io::write(&self.stream, &self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(Errno::AGAIN) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    fn echo(&mut self, shared: &mut [u8]) -> io::Result<()> {
        let buffer = if self.own.is_empty() {
            shared
        } else {
            &mut self.own
        };
        loop {
            let count = match rustix::io::read(&self.stream, &mut *buffer) {
                Ok(count) => count,
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let sent = match rustix::io::write(&self.stream, &buffer[..count]) {
                Ok(sent) => sent,
                Err(Errno::AGAIN) => 0,
                Err(error) => return Err(error.into()),
            };
            if sent < count {
                self.unsent.extend_from_slice(&buffer[sent..count]);
                return Ok(());
            }
            if count < buffer.len() {
                return Ok(()); // a short read: drained
            }
        }
    }
}
