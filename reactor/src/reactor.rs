//! The reactor itself: wait, note what came, wake whom it concerns.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use crate::alarm::Alarm;
use crate::poller::{self, Abilities, Event, Poller, Portable};
use crate::starved::Starved;
use crate::table::{Chunk, Table};
use crate::token::Token;

/// Watches descriptors, and wakes the tasks that wait for them.
///
/// A reactor is a value: make as many as you like. Clones are handles to the same one. Somebody
/// has to call [`poll`](Reactor::poll), over and over: an event loop, a thread made for it, or a
/// foreign loop that watches the reactor's descriptor.
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

/// What handles and sources share.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) bell: Arc<Bell>,
    pub(crate) abilities: Abilities,
    pub(crate) table: Table,
    pub(crate) starved: Starved,
    turn: Mutex<Turn>,
}

/// What one turn needs, kept from turn to turn. Its lock makes polls take turns.
#[derive(Default)]
struct Turn {
    events: Vec<Event>,
    wakers: Vec<Waker>,
    /// The table's chunks as of the last turn that met a new one: no lock to find a slot.
    chunks: Vec<Arc<Chunk>>,
}

/// The poller and what is needed to end its wait: the part of a reactor a waker holds on to.
#[derive(Debug)]
pub(crate) struct Bell {
    alarm: Alarm,
    pub(crate) poller: Arc<dyn Poller>,
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
        wake_all(&mut wakers);
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
    pub fn poll(&self, timeout: Option<Duration>) -> io::Result<usize> {
        let core = &*self.core;
        let Some(mut turn) = core.take_turn(timeout) else {
            return Ok(0);
        };
        let timeout = match timeout {
            Some(Duration::ZERO) => timeout,
            _ if core.bell.alarm.fall_asleep() => timeout,
            _ => Some(Duration::ZERO),
        };
        let result = core.bell.poller.wait(&mut turn.events, timeout);
        core.bell.alarm.wake_up();
        let delivered = core.deliver(&mut turn);
        if turn.wakers.is_empty() {
            MutexGuard::unlock_fair(turn); // to the next in line, or we would take it again
            return result.map(|()| delivered);
        }
        // Wakers are other people's code: they run outside the lock.
        let mut wakers = std::mem::take(&mut turn.wakers);
        MutexGuard::unlock_fair(turn);
        wake_all(&mut wakers);
        if let Some(mut turn) = core.turn.try_lock() {
            turn.wakers = wakers;
        }
        result.map(|()| delivered)
    }

    /// A waker that ends the [`poll`](Reactor::poll) in progress, or else the next one. From any
    /// thread; many wakes cost one system call, and none while the reactor is not waiting.
    pub fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.core.bell))
    }

    /// How many sources are registered.
    pub fn sources(&self) -> usize {
        self.core.table.len()
    }
}

impl Core {
    /// `None`: another thread polled for the whole of `timeout`.
    fn take_turn(&self, timeout: Option<Duration>) -> Option<MutexGuard<'_, Turn>> {
        if let Some(turn) = self.turn.try_lock() {
            return Some(turn);
        }
        match timeout {
            Some(Duration::ZERO) => None,
            Some(timeout) => self.turn.try_lock_for(timeout),
            None => Some(self.turn.lock()),
        }
    }

    /// Notes every event in its slot and collects the wakers.
    fn deliver(&self, turn: &mut Turn) -> usize {
        let mut delivered = 0;
        for Event { token, ready } in turn.events.drain(..) {
            let place = token.index();
            if place >= Token::MAX_SOURCES {
                continue; // Token::WAKE: the wait has ended, that is all it says
            }
            if place / Chunk::LEN >= turn.chunks.len() {
                self.table.copy_new_chunks(&mut turn.chunks);
            }
            let Some(chunk) = turn.chunks.get(place / Chunk::LEN) else {
                continue;
            };
            let slot = chunk.slot(token);
            delivered += usize::from(slot.deliver(token, ready, &mut turn.wakers));
        }
        if delivered > 0 {
            self.starved.retry(&mut turn.wakers);
        }
        delivered
    }
}

impl Core {
    /// A descriptor was closed: there is room for one more.
    pub(crate) fn closed_one(&self) {
        let mut wakers = Vec::new();
        self.starved.retry(&mut wakers);
        wake_all(&mut wakers);
    }
}

/// Wakes them in order. One that panics (the panic hook has reported it) harms nobody else.
fn wake_all(wakers: &mut Vec<Waker>) {
    for waker in wakers.drain(..) {
        let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
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

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let poller = &self.core.bell.poller;
        f.debug_struct("Reactor")
            .field("sources", &self.sources())
            .field("poller", poller)
            .finish()
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").finish_non_exhaustive()
    }
}

/// Choices for a [`Reactor`].
#[derive(Debug, Default)]
pub struct Builder {
    poller: Option<Arc<dyn Poller>>,
    portable: bool,
    embedded: bool,
}

impl Builder {
    /// Waits through `polling` also where there is a shorter way, to compare the two.
    #[must_use]
    pub fn portable(mut self) -> Builder {
        self.portable = true;
        self
    }

    /// Uses this poller: a simulated one, or one of your own.
    #[must_use]
    pub fn poller(mut self, poller: impl Poller + 'static) -> Builder {
        self.poller = Some(Arc::new(poller));
        self
    }

    /// For a foreign loop, which waits for the reactor's descriptor ([`AsFd`]) to become readable
    /// and then calls `poll(Some(Duration::ZERO))`. The waker then makes the descriptor readable
    /// also while no poll is waiting; it costs one system call a turn.
    #[must_use]
    pub fn embedded(mut self) -> Builder {
        self.embedded = true;
        self
    }

    /// The reactor.
    ///
    /// # Errors
    ///
    /// When the process or the system has no descriptors left.
    pub fn build(self) -> io::Result<Reactor> {
        let poller = match self.poller {
            Some(poller) => poller,
            None if self.portable => Arc::new(Portable::new()?),
            None => poller::best()?,
        };
        let abilities = poller.abilities();
        let bell = Arc::new(Bell {
            alarm: Alarm::new(self.embedded),
            poller,
        });
        let (table, starved, turn) = Default::default();
        let core = Arc::new(Core {
            bell,
            abilities,
            table,
            starved,
            turn,
        });
        Ok(Reactor {
            _life: Arc::new(Life(Arc::clone(&core))),
            core,
        })
    }
}
