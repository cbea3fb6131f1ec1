//! The reactor itself: what its handles, its sources and its wakers share.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

use parking_lot::Mutex;

use crate::alarm::Alarm;
use crate::builder::Builder;
use crate::contain::wake_all;
use crate::observe::Watch;
use crate::poller::{Abilities, Chosen};
use crate::starved::Starved;
use crate::table::Table;
use crate::turn::Turn;

/// Watches descriptors, and wakes the tasks that wait for them.
///
/// A reactor is a value: make as many as you like. Clones are handles to the same one. Somebody
/// has to call [`poll`](Reactor::poll), over and over: an event loop, a thread made for it, or a
/// foreign loop that watches the reactor's descriptor. A thread that does nothing else keeps the
/// reactor alive by its handle; to end it, set a flag that its loop looks at, and wake it.
///
/// When the last handle is dropped the tasks still waiting are woken and get an error: nobody
/// could wake them any more.
///
/// ```
/// use reactor::{Reactor, TcpListener, TcpStream};
///
/// # fn main() -> std::io::Result<()> {
/// let reactor = Reactor::new()?;
/// let driver = reactor.clone();
/// std::thread::spawn(move || while driver.poll(None).is_ok() {});
///
/// let listener = TcpListener::bind(&reactor, "127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// futures_lite::future::block_on(async {
///     let client = TcpStream::connect(&reactor, address).await?;
///     let (server, peer) = listener.accept().await?;
///     assert_eq!(peer, client.local_addr()?);
///     drop(server);
///     std::io::Result::Ok(())
/// })
/// # }
/// ```
#[derive(Clone)]
pub struct Reactor {
    pub(crate) core: Arc<Core>,
    _life: Arc<Life>,
}

/// What handles and sources share. Its turns are in [`crate::turn`].
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) bell: Arc<Bell>,
    pub(crate) abilities: Abilities,
    /// Somebody has to be told before a task goes to sleep: the poller or the observer.
    pub(crate) needs_arming: bool,
    pub(crate) table: Table,
    pub(crate) starved: Starved,
    pub(crate) turn: Mutex<Turn>,
    pub(crate) watch: Watch,
}

/// The poller and what is needed to end its wait: the part of a reactor a waker holds on to.
#[derive(Debug)]
pub(crate) struct Bell {
    pub(crate) alarm: Alarm,
    pub(crate) poller: Chosen,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.alarm.ring() {
            self.poller.notify();
        }
    }
}

/// Dropped with the last handle.
struct Life(Arc<Core>);

impl Drop for Life {
    fn drop(&mut self) {
        let mut wakers = Vec::new();
        for chunk in self.0.table.shut() {
            for slot in chunk.slots() {
                slot.shut(&mut wakers);
            }
        }
        wake_all(wakers.into_iter());
    }
}

impl Reactor {
    /// A reactor over the best poller of this system.
    ///
    /// # Errors
    ///
    /// When the process or the system has no descriptors left.
    pub fn new() -> io::Result<Reactor> {
        Reactor::builder().build()
    }

    /// A reactor with other choices made.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Waits for news, at most for `timeout` (`None`: for ever), and wakes the tasks it concerns.
    /// Returns how many sources had news.
    ///
    /// One system call on Linux. It may return sooner than `timeout`, with nothing: after a wake
    /// through [`waker`](Reactor::waker), or when a signal arrived. It returns late by no more
    /// than the kernel's timer slack (50 µs on Linux). Polls from several threads take turns, and
    /// a wake ends one of them: two loops that each need to be woken need a reactor each.
    ///
    /// A task's waker that panics is contained: the others are woken all the same.
    ///
    /// # Errors
    ///
    /// What the kernel says; it has no reason to, while the reactor's descriptor is open.
    #[inline]
    pub fn poll(&self, timeout: Option<Duration>) -> io::Result<usize> {
        self.core.poll(timeout)
    }

    pub(crate) fn over(core: Core) -> Reactor {
        let core = Arc::new(core);
        Reactor {
            _life: Arc::new(Life(Arc::clone(&core))),
            core,
        }
    }

    /// A waker that ends the [`poll`](Reactor::poll) in progress, or else the next one. From any
    /// thread; many wakes cost one system call, and none while the reactor is not waiting.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.core.bell))
    }

    /// How many sources are registered.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.core.table.len()
    }
}

impl AsFd for Reactor {
    /// The descriptor that becomes readable when there is news: for a host loop. Build the reactor
    /// with [`Builder::embedded`] then.
    ///
    /// # Panics
    ///
    /// If the poller has none (poll(2), or one of your own).
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.core
            .bell
            .poller
            .fd()
            .expect("this reactor's poller has no descriptor")
    }
}

/// The same as a number, for loops that ask for one (tokio's `AsyncFd`). It stays open as long as
/// there is a handle of the reactor or one of its wakers.
impl AsRawFd for Reactor {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let poller = &self.core.bell.poller;
        f.debug_struct("Reactor")
            .field("sources", &self.sources())
            .field("poller", poller)
            .finish()
    }
}
