//! A source's entry in its reactor: a slot in the table and a place in the poller.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::reactor::Core;
use crate::readiness::{Direction, Ready, Word};
use crate::slot::{Slot, Waiter};
use crate::table::Chunk;
use crate::token::Token;

/// Whether the first read is tried before there is news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FirstRead {
    /// Tried: the value may hold back what it has taken from the descriptor already, and of that no
    /// poller knows.
    Tried,
    /// Not tried: a socket fresh from the kernel. It has nothing yet, most of the time, so the read
    /// would fail; and if it has, that is news.
    Awaited,
}

/// Proof that a descriptor is registered. It does not own the descriptor, so its owner has to
/// call [`Registration::end`] while the descriptor is still open.
#[derive(Debug)]
pub(crate) struct Registration {
    core: Arc<Core>,
    chunk: Arc<Chunk>,
    token: Token,
}

impl Registration {
    /// Registers `fd`: one system call.
    pub(crate) fn new(
        core: &Arc<Core>,
        fd: BorrowedFd<'_>,
        first_read: FirstRead,
    ) -> io::Result<Registration> {
        let (chunk, token) = core.table.insert()?;
        let registration = Registration {
            core: Arc::clone(core),
            chunk,
            token,
        };
        if !core.abilities.hangups {
            // The end may come unannounced, so it is as good as announced: read to `WouldBlock`.
            let nobody = &mut Vec::new();
            registration.slot().deliver(token, Ready::HANGUP, nobody);
        }
        if first_read == FirstRead::Awaited {
            // Before the poller knows it: no event can be lost.
            let slot = registration.slot();
            slot.drained(Direction::Read, slot.load());
        }
        core.watch
            .tell(|observer| observer.registered(token.into(), fd));
        match core.bell.poller.add(fd, token) {
            Ok(()) => Ok(registration),
            Err(error) => {
                registration.vacate();
                Err(error)
            }
        }
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub(crate) fn slot(&self) -> &Slot {
        self.chunk.slot(self.token)
    }

    /// From now on the source is told when there is hope; see [`crate::starved`].
    pub(crate) fn hope(&self) {
        self.core.starved.insert(&self.chunk, self.token);
    }

    /// Until it is told the readiness counts as used up, unless an event came since `seen`. With
    /// one-shot interest the next turn tells again.
    pub(crate) fn rest(&self, direction: Direction, seen: Word) {
        self.slot().drained(direction, seen);
    }

    /// See [`Slot::poll_ready`].
    #[inline(always)]
    pub(crate) fn poll_ready<'fd>(
        &self,
        fd: impl FnOnce() -> BorrowedFd<'fd>,
        direction: Direction,
        waiter: &mut Waiter,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Word>> {
        self.slot()
            .poll_ready(direction, waiter, cx, || match self.core.needs_arming {
                true => self.arm(fd(), direction),
                false => Ok(()),
            })
    }

    #[cold]
    fn arm(&self, fd: BorrowedFd<'_>, direction: Direction) -> io::Result<()> {
        let Core {
            watch,
            abilities,
            bell,
            ..
        } = &*self.core;
        watch.tell(|observer| observer.waits_for(self.token.into(), direction));
        match abilities.edges {
            true => Ok(()),
            false => bell.poller.modify(fd, self.token, direction),
        }
    }

    /// Deregisters `fd`, which must still be open, and gives the slot back.
    pub(crate) fn end(&self, fd: BorrowedFd<'_>) {
        // An error here means that the kernel does not know the descriptor: it was closed behind
        // our back. There is nothing left to undo then.
        let _ = self.core.bell.poller.delete(fd, self.token);
        self.vacate();
    }

    fn vacate(&self) {
        let left = self.slot().close();
        self.core.table.remove(self.token);
        drop(left); // other people's code, outside every lock
        self.core
            .watch
            .tell(|observer| observer.deregistered(self.token.into()));
    }
}

/// A future's place among the waiters; given back when the future is dropped.
pub(crate) struct Waiting<'a> {
    registration: &'a Registration,
    pub(crate) waiter: Waiter,
}

impl<'a> Waiting<'a> {
    pub(crate) fn new(registration: &'a Registration) -> Self {
        Waiting {
            registration,
            waiter: Waiter::Listed(0),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let left: Option<Waker> = match self.waiter {
            Waiter::Listed(0) | Waiter::Owner => None,
            Waiter::Listed(_) => self.registration.slot().forget(&self.waiter),
        };
        drop(left);
    }
}
