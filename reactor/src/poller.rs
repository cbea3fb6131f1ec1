//! The seam between the reactor and the operating system: add, modify, delete, wait.
//!
//! A reactor is usually built over one of the two pollers here, but anything that keeps the
//! contract of [`Poller`] will do: a simulation that delivers events late, twice or never, or
//! another kernel interface.

#[cfg(all(target_os = "linux", not(polling_test_poll_backend)))]
mod direct;
mod portable;

use std::fmt;
use std::io;
use std::ops::Deref;
use std::os::fd::BorrowedFd;
use std::time::Duration;

#[cfg(all(target_os = "linux", not(polling_test_poll_backend)))]
pub use direct::Direct;
pub use portable::Portable;

pub use crate::readiness::{Direction, Ready};
pub use crate::token::Token;

/// News of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which source.
    pub token: Token,
    /// What has become possible.
    pub ready: Ready,
}

/// What a poller does by itself, and so what the reactor need not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// Reports every change of a descriptor that was added, in both directions, without being
    /// asked again. If `false`, [`Poller::modify`] is called before each wait.
    pub edges: bool,
    /// Sets [`Ready::HANGUP`] whenever the peer has closed or urgent data came. If `false`, a
    /// short read never counts as proof that a descriptor is drained.
    pub hangups: bool,
}

/// Something that watches descriptors.
///
/// All methods may be called from any thread at any time, except [`wait`](Poller::wait), which
/// the reactor calls from one thread at a time. Spurious, repeated and late events are allowed;
/// an event for a token that was deleted is allowed as well (the reactor drops it). What is not
/// allowed is to keep silent: a descriptor that can be read or written, was reported as neither
/// since it last could not, and was asked for, must be reported.
pub trait Poller: fmt::Debug + Send + Sync {
    /// What this poller does by itself.
    fn abilities(&self) -> Abilities;

    /// Watches `fd` under `token`. What is possible already counts as news.
    ///
    /// # Errors
    ///
    /// What the kernel says; [`io::ErrorKind::Unsupported`] for a descriptor that has no
    /// readiness, such as a regular file.
    fn add(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()>;

    /// Asks for one more report of `direction`, in addition to what was asked before.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    fn modify(&self, fd: BorrowedFd<'_>, token: Token, direction: Direction) -> io::Result<()>;

    /// Stops watching `fd`. The reactor calls it before the descriptor is closed: a duplicate of
    /// the descriptor would otherwise keep its events coming, and nothing could stop them.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    fn delete(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()>;

    /// Waits until there is news or the time is over (`None`: for ever), and appends the news.
    /// Coming back early with nothing is allowed, coming back late is not.
    ///
    /// # Errors
    ///
    /// What the kernel says, except for an interruption by a signal: that is an empty turn.
    fn wait(&self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()>;

    /// Ends the wait in progress, or else the next one.
    fn notify(&self);

    /// The descriptor that becomes readable when there is news, if there is one.
    fn fd(&self) -> Option<BorrowedFd<'_>>;
}

/// The poller of one reactor.
///
/// Waits go to the usual one of Linux by its name, so that they are compiled into the turn: see
/// [`recv`](crate::descriptor::recv) for what a return after a system call costs.
pub(crate) enum Chosen {
    #[cfg(all(target_os = "linux", not(polling_test_poll_backend)))]
    Direct(Direct),
    Other(Box<dyn Poller>),
}

impl Chosen {
    /// The poller that is best on this system.
    pub(crate) fn best() -> io::Result<Chosen> {
        #[cfg(all(target_os = "linux", not(polling_test_poll_backend)))]
        return Ok(Chosen::Direct(Direct::new()?));
        #[cfg(not(all(target_os = "linux", not(polling_test_poll_backend))))]
        return Ok(Chosen::Other(Box::new(Portable::new()?)));
    }

    /// Waits. Then calls `woken` with the number of events, and gives them to `news`.
    ///
    /// Those of the usual poller go there straight from the kernel's list; `events` is where the
    /// others leave theirs.
    #[inline(always)]
    pub(crate) fn wait(
        &self,
        events: &mut Vec<Event>,
        timeout: Option<Duration>,
        woken: impl FnOnce(usize),
        news: &mut impl Extend<Event>,
    ) -> io::Result<()> {
        match self {
            #[cfg(all(target_os = "linux", not(polling_test_poll_backend)))]
            Chosen::Direct(poller) => poller.wait_and_tell(timeout, woken, news),
            Chosen::Other(poller) => {
                let result = poller.wait(events, timeout);
                woken(events.len());
                tell_all(events, news);
                result
            }
        }
    }
}

#[inline(never)] // delivering is compiled into the turn already, for the usual poller
fn tell_all(events: &mut Vec<Event>, news: &mut impl Extend<Event>) {
    news.extend(events.drain(..));
}

/// By its name, not by its insides.
impl fmt::Debug for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(all(target_os = "linux", not(polling_test_poll_backend)))]
            Chosen::Direct(_) => f.write_str("epoll"),
            Chosen::Other(poller) => poller.fmt(f),
        }
    }
}

impl Deref for Chosen {
    type Target = dyn Poller;

    fn deref(&self) -> &(dyn Poller + 'static) {
        match self {
            #[cfg(all(target_os = "linux", not(polling_test_poll_backend)))]
            Chosen::Direct(poller) => poller,
            Chosen::Other(poller) => &**poller,
        }
    }
}

/// The error for descriptors that are always ready, so that waiting for them makes no sense.
fn no_readiness() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "this descriptor has no readiness to wait for (a regular file or directory): \
         read it on a blocking pool",
    )
}
