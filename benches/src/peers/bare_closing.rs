//! A bare edge-triggered epoll loop whose connections come and go.

use std::io;
use std::net::{TcpListener, TcpStream};

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with};

use crate::workload::Invalid;

const LISTENER: u64 = u64::MAX;

/// The connections that live, each at a place that is used again.
struct Server {
    epoll: OwnedFd,
    connections: Vec<Option<TcpStream>>,
    vacant: Vec<usize>,
    buffer: Vec<u8>,
}

/// Echoes until the other end closes, and closes then.
///
/// # Errors
/// When the kernel refuses something; it does not return otherwise.
pub fn echo_server(listener: &TcpListener, buffer: usize) -> Result<(), Invalid> {
    let mut server = Server {
        epoll: epoll::create(epoll::CreateFlags::CLOEXEC).map_err(io::Error::from)?,
        connections: Vec::new(),
        vacant: Vec::new(),
        buffer: vec![0; buffer],
    };
    let token = EventData::new_u64(LISTENER);
    let flags = EventFlags::IN | EventFlags::ET;
    epoll::add(&server.epoll, listener, token, flags).map_err(io::Error::from)?;
    let mut events = Vec::with_capacity(1024);
    loop {
        events.clear();
        let room = rustix::buffer::spare_capacity(&mut events);
        epoll::wait(&server.epoll, room, None).map_err(io::Error::from)?;
        for event in &events {
            let (token, flags) = (event.data.u64(), event.flags);
            match token {
                LISTENER => server.accept_all(listener)?,
                _ => server.echo(token as usize, flags)?,
            }
        }
    }
}

impl Server {
    fn accept_all(&mut self, listener: &TcpListener) -> io::Result<()> {
        loop {
            let born = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let stream = match accept_with(listener, born) {
                Ok(stream) => TcpStream::from(stream),
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            stream.set_nodelay(true)?;
            let place = self.vacant.pop().unwrap_or(self.connections.len());
            let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
            let token = EventData::new_u64(place as u64);
            epoll::add(&self.epoll, &stream, token, flags)?;
            match self.connections.get_mut(place) {
                Some(vacant) => *vacant = Some(stream),
                None => self.connections.push(Some(stream)),
            }
        }
    }

    /// Messages are small here: a socket takes each at once.
    fn echo(&mut self, place: usize, flags: EventFlags) -> io::Result<()> {
        let Some(stream) = &self.connections[place] else {
            return Ok(()); // closed earlier in this batch
        };
        let closing = flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
        while flags.contains(EventFlags::IN) {
            let count = match rustix::io::read(stream, &mut self.buffer[..]) {
                Ok(0) | Err(Errno::CONNRESET) => {
                    self.connections[place] = None;
                    self.vacant.push(place);
                    return Ok(());
                }
                Ok(count) => count,
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            rustix::io::write(stream, &self.buffer[..count])?;
            if count < self.buffer.len() && !closing {
                return Ok(()); // a short read: drained
            }
        }
        Ok(())
    }
}
