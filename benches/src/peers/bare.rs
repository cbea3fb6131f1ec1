//! No runtime at all: what the machine and the kernel cost by themselves.

use std::io;
use std::os::unix::net::UnixStream;

use rustix::event::epoll::{self, EventData, EventFlags};

use crate::contest::{Invalid, Measured, Pass, expect_count};
use crate::workloads::echo_inproc::{BUFFER, MESSAGE, message, socket_pair};

/// Both ends of every pair served by one edge-triggered epoll loop.
///
/// # Errors
/// When there are no more file descriptors.
pub fn echo_pairs(pairs: usize, messages: u64) -> Result<Pass, Invalid> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(io::Error::from)?;
    let mut ends = Vec::new(); // a client at every even place, its server after it
    for _ in 0..pairs {
        let (here, there) = socket_pair()?;
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

fn echo(server: &UnixStream) -> io::Result<()> {
    let mut buffer = [0; BUFFER];
    match rustix::io::read(server, &mut buffer) {
        Ok(length) => write_all(server, &buffer[..length]),
        Err(rustix::io::Errno::AGAIN) => Ok(()), // an edge for what was read already
        Err(error) => Err(error.into()),
    }
}

/// How many messages came: one, or none after an edge for what was read already.
fn take_back(client: &UnixStream, number: u64) -> Result<u64, Invalid> {
    let mut buffer = [0; BUFFER];
    match rustix::io::read(client, &mut buffer) {
        Ok(length) if buffer[..length] == message(number) => Ok(1),
        Ok(_) => Err(Invalid(format!(
            "message {number} came back as something else"
        ))),
        Err(rustix::io::Errno::AGAIN) => Ok(0),
        Err(error) => Err(io::Error::from(error).into()),
    }
}

/// A socket pair takes so small a message whole: less is an error.
fn write_all(stream: &UnixStream, bytes: &[u8]) -> io::Result<()> {
    let written = rustix::io::write(stream, bytes)?;
    if written == bytes.len() {
        Ok(())
    } else {
        Err(io::ErrorKind::WriteZero.into())
    }
}

const _: () = assert!(MESSAGE < BUFFER, "a read of a message must be a short read");
