//! How the workers of a threaded runtime wait: one driver, handed from worker to worker.
//!
//! The driver is a reactor and its timers. A worker without work tries the driver's lock: the one
//! that gets it waits in the kernel for sockets and deadlines, the others wait on their threads
//! (a futex). When the one in the driver has something to do it lets go, and the next worker that
//! rests takes over; a busy worker looks in without waiting, now and then. So there is one wait in
//! the kernel for the whole process, a task woken by a socket starts on the worker that heard of
//! it, and an idle process makes no system call.
//!
//! ```text
//!                    begin(ON_THREAD)                      call(): unpark the thread
//!               ┌───────────────────────▶ ON_THREAD ───────────────────────┐
//!   end()       │    begin(IN_DRIVER)                      call(): wake the │reactor
//!  ┌────────▶ AWAKE ────────────────────▶ IN_DRIVER ───────────────────────┤
//!  │            │                            call()                        ▼
//!  │            └───────────────────────────────────────────────────────▶ CALLED
//!  └───────────────────────── end(), or begin() that finds it ─────────────┘
//! ```
//!
//! **No call is lost.** Where a worker waits and whether it was called is one word, so a caller
//! either finds where to wake it, or leaves CALLED for the worker's `begin` to find. The `AcqRel`
//! swap in `call` pairs with the `AcqRel` exchange in `begin` and swap in `end`: what the caller
//! did before the call is seen by the worker after it.
//!
//! Arrangements not taken: all workers waiting on one epoll descriptor (each event wakes
//! somebody, and a busy worker's look can take the event a sleeper waits for), and one reactor a
//! worker (sockets of a worker that is stuck in a long poll are stuck with it).

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock, TryLockError};
use std::task::{Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use executor::Park;
use reactor::Reactor;
use timers::SharedTimers;

/// The reactor and the timers, one turn at a time.
#[derive(Debug)]
pub struct Driver {
    reactor: Reactor,
    timers: SharedTimers,
    turn: Mutex<()>,
}

impl Driver {
    /// A driver of these two.
    #[must_use]
    pub fn new(reactor: Reactor, timers: SharedTimers) -> Arc<Self> {
        Arc::new(Self {
            reactor,
            timers,
            turn: Mutex::new(()),
        })
    }

    /// Steps 2 and 3 of the loop: wait at most so long, wake what has news, wake what is due.
    fn turn(&self, patience: Option<Duration>) {
        let patience = match (patience, self.timers.patience()) {
            (Some(ours), Some(deadline)) => Some(ours.min(deadline)),
            (ours, deadline) => ours.or(deadline),
        };
        if self.reactor.poll(patience).is_err() {
            // Not known to happen; were it to, do not turn at full speed.
            thread::sleep(Duration::from_millis(1));
        }
        self.timers.fire();
    }
}

const AWAKE: u8 = 0;
const ON_THREAD: u8 = 1;
const IN_DRIVER: u8 = 2;
const CALLED: u8 = 3;

/// Where a worker waits, and the way to call it from there.
#[derive(Debug)]
struct Place {
    state: AtomicU8,
    thread: OnceLock<Thread>,
    reactor: Waker,
}

impl Place {
    /// Says where the worker is going to wait. False if it was called already: it must not.
    fn begin(&self, place: u8) -> bool {
        let begun = self
            .state
            .compare_exchange(AWAKE, place, Ordering::AcqRel, Ordering::Acquire);
        if begun.is_err() {
            self.end();
        }
        begun.is_ok()
    }

    fn end(&self) {
        self.state.swap(AWAKE, Ordering::AcqRel);
    }

    fn call(&self) {
        match self.state.swap(CALLED, Ordering::AcqRel) {
            ON_THREAD => {
                if let Some(thread) = self.thread.get() {
                    thread.unpark();
                }
            }
            IN_DRIVER => self.reactor.wake_by_ref(),
            _ => {} // awake, or called before: it will look before it waits
        }
    }
}

impl Wake for Place {
    fn wake(self: Arc<Self>) {
        self.call();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.call();
    }
}

/// A worker's way to wait: in the driver if it is free, else on its thread.
pub struct DriverPark {
    driver: Arc<Driver>,
    place: Arc<Place>,
    on_its_thread: Box<dyn Fn() + Send>,
}

impl DriverPark {
    /// For one worker; `on_its_thread` is called once, on the worker's thread, at its start.
    pub fn new(driver: &Arc<Driver>, on_its_thread: impl Fn() + Send + 'static) -> Self {
        let reactor = driver.reactor.waker();
        let place = Place {
            state: AtomicU8::new(AWAKE),
            thread: OnceLock::new(),
            reactor,
        };
        Self {
            driver: Arc::clone(driver),
            place: Arc::new(place),
            on_its_thread: Box::new(on_its_thread),
        }
    }
}

impl Park for DriverPark {
    fn park(&mut self, patience: Option<Duration>) {
        let asks_only = patience == Some(Duration::ZERO);
        let turn = match self.driver.turn.try_lock() {
            Ok(turn) => Some(turn),
            // A waker panicked in an earlier turn; the lock guards no data.
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        match turn {
            Some(_turn) if asks_only => self.driver.turn(patience),
            Some(_turn) => {
                if self.place.begin(IN_DRIVER) {
                    self.driver.turn(patience);
                    self.place.end();
                }
            }
            None if asks_only => {} // somebody else is asking
            None => {
                if self.place.begin(ON_THREAD) {
                    match patience {
                        Some(patience) => thread::park_timeout(patience),
                        None => thread::park(),
                    }
                    self.place.end();
                }
            }
        }
    }

    fn unparker(&self) -> Waker {
        // The executor asks for it once, on the worker's thread.
        let _ = self.place.thread.set(thread::current());
        (self.on_its_thread)();
        Waker::from(Arc::clone(&self.place))
    }
}

impl std::fmt::Debug for DriverPark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DriverPark")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}
