//! Everywhere: `polling`'s own wait, and one-shot interest where there are no edges.
#![allow(unsafe_code)]
// Invariants of this file:
// 1. The reactor deletes a descriptor before it is closed (`Registration::end` runs before the
//    source's value is dropped). So a descriptor in `watched` is open, and remains so while the
//    lock of `watched` is held: `delete` takes the same lock.
// 2. A descriptor that was passed to `polling` is in `watched` until it is deleted from `polling`.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use parking_lot::Mutex;
use polling::{PollMode, Poller as Polling};

use super::{Abilities, Direction, Event, Poller, Ready, Token, no_readiness};

/// `polling` as it is.
///
/// With edges (epoll, kqueue) a descriptor is added once for both directions. Without (poll(2),
/// event ports) each report uses the interest up, and a task that goes to sleep asks anew.
#[derive(Debug)]
pub struct Portable {
    poller: Polling,
    /// Used only without edges: what was asked for and not yet reported.
    watched: Mutex<HashMap<Token, Watched>>,
}

#[derive(Debug)]
struct Watched {
    fd: RawFd,
    read: bool,
    write: bool,
    /// Whether `polling` knows the descriptor at the moment.
    added: bool,
}

impl Watched {
    fn interest(&self, token: Token) -> polling::Event {
        polling::Event::new(token.key(), self.read, self.write)
    }

    /// Tells `polling` what is asked for. Called with the lock held.
    fn apply(&mut self, poller: &Polling, token: Token) -> io::Result<()> {
        // SAFETY: (1): it is open, and we hold the lock.
        let fd = unsafe { BorrowedFd::borrow_raw(self.fd) };
        match (self.read || self.write, self.added) {
            (true, true) => poller.modify(fd, self.interest(token)),
            (true, false) => {
                // SAFETY: (2): `delete` will find it in `watched`.
                unsafe { poller.add(&fd, self.interest(token)) }?;
                self.added = true;
                Ok(())
            }
            // Not just no interest: poll(2) reports a hang-up even then, in every wait.
            (false, true) => {
                self.added = false;
                poller.delete(fd)
            }
            (false, false) => Ok(()),
        }
    }
}

impl Portable {
    /// A new poller.
    ///
    /// # Errors
    ///
    /// When the process or the system has no descriptors left.
    pub fn new() -> io::Result<Portable> {
        Ok(Portable {
            poller: Polling::new()?,
            watched: Mutex::new(HashMap::new()),
        })
    }

    /// An event used up the interest it names; what is left is asked for again.
    fn use_up(&self, token: Token, ready: Ready) -> io::Result<()> {
        let mut watched = self.watched.lock();
        let Some(entry) = watched.get_mut(&token) else {
            return Ok(());
        };
        entry.read &= !ready.contains(Ready::READABLE);
        entry.write &= !ready.contains(Ready::WRITABLE);
        entry.apply(&self.poller, token)
    }
}

impl Poller for Portable {
    fn abilities(&self) -> Abilities {
        Abilities {
            edges: self.poller.supports_edge(),
            hangups: false,
        }
    }

    fn add(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        if self.poller.supports_edge() {
            let interest = polling::Event::all(token.key());
            // SAFETY: (1): it is deleted before it is closed.
            let result = unsafe { self.poller.add_with_mode(&fd, interest, PollMode::Edge) };
            return match result {
                Err(error)
                    if error.raw_os_error() == Some(rustix::io::Errno::PERM.raw_os_error()) =>
                {
                    Err(no_readiness())
                }
                other => other,
            };
        }
        // poll(2) would call a regular file ready for ever; say what epoll says.
        let kind = rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(fd)?.st_mode);
        if kind.is_file() || kind.is_dir() {
            return Err(no_readiness());
        }
        let raw = fd.as_raw_fd();
        let mut watched = self.watched.lock();
        if watched.values().any(|entry| entry.fd == raw) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        watched.insert(
            token,
            Watched {
                fd: raw,
                read: false,
                write: false,
                added: false,
            },
        );
        Ok(())
    }

    fn modify(&self, _: BorrowedFd<'_>, token: Token, direction: Direction) -> io::Result<()> {
        let mut watched = self.watched.lock();
        let Some(entry) = watched.get_mut(&token) else {
            return Ok(());
        };
        match direction {
            Direction::Read => entry.read = true,
            Direction::Write => entry.write = true,
        }
        entry.apply(&self.poller, token)
    }

    fn delete(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        if self.poller.supports_edge() {
            return self.poller.delete(fd);
        }
        match self.watched.lock().remove(&token) {
            Some(entry) if entry.added => self.poller.delete(fd),
            _ => Ok(()),
        }
    }

    fn wait(&self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()> {
        let mut list = polling::Events::new();
        self.poller.wait(&mut list, timeout)?;
        for event in list.iter() {
            let token = Token::from_key(event.key);
            let ready = translate(event);
            if !self.poller.supports_edge() {
                self.use_up(token, ready)?;
            }
            events.push(Event { token, ready });
        }
        Ok(())
    }

    fn notify(&self) {
        // Nothing to be done about an error here; it cannot happen with an open descriptor.
        let _ = self.poller.notify();
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        #[cfg(not(polling_test_poll_backend))]
        return Some(std::os::fd::AsFd::as_fd(&self.poller));
        #[cfg(polling_test_poll_backend)]
        return None;
    }
}

fn translate(event: polling::Event) -> Ready {
    let mut ready = Ready::NONE;
    if event.readable {
        ready = ready | Ready::READABLE;
    }
    if event.writable {
        ready = ready | Ready::WRITABLE;
    }
    if event.is_interrupt() || event.is_err() == Some(true) || event.is_priority() {
        ready = ready | Ready::HANGUP | Ready::READABLE | Ready::WRITABLE;
    }
    ready
}
