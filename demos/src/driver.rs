//! How the workers of a threaded runtime wait: one driver, handed from worker to worker.
//!
//! The driver is a reactor and its timers. A worker without work tries the driver's lock: the one
//! that gets it waits in the kernel for sockets and deadlines, the others wait on their threads
//! (a futex). When the one in the driver has something to do it lets go, does it, and comes back; a
//! busy worker looks in without waiting, now and then. So there is one wait in the kernel for the
//! whole process, a task woken by a socket starts on the worker that heard of it, and an idle
//! process makes no system call.
//!
//! **The guard.** While one works, the others may sleep; but its work may be one poll that takes a
//! second, and who then waits for the sockets? The executor lets one sleeper stand guard: it parks
//! for some milliseconds only. Here the guard leaves the driver alone as long as others use it, and
//! takes it over when nobody has for `GUARD_LOOKS`. At first the guard went into the driver as
//! soon as it was free: then each batch of events changed the worker, and the new one had to call
//! the old one back as its guard. With hyper's hello, 64 connections and two workers that was 0.28
//! futex calls a request, now it is 0.04 (tokio: 0.03), and a request costs 14% less time. What it
//! costs: while a worker is stuck in a long poll, others' sockets and timers may be noticed up to
//! two of these looks late, once.
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
//! Arrangements not taken:
//! * **One reactor a worker.** Two loops of one thread with half of the connections each need 11%
//!   less processor time a request at 64 connections, and 17% less at 1,024 (hyper's hello, medians
//!   of nine interleaved pairs): nothing is handed on and no task changes its core. But the sockets
//!   of a worker that is stuck in a long poll are stuck with it, and nobody can help the one with
//!   the busy connections. Who can live with that starts an [`EventLoop`](crate::EventLoop) on each
//!   thread.
//! * **All workers waiting on one epoll descriptor.** Each event wakes somebody, and the look of a
//!   busy worker can take the event a sleeper waits for. Not measured, for that reason.
//! * **A short batch run by one worker alone.** Whoever comes from the driver with more than one
//!   task calls another worker. Were it to call nobody for what would take it less than a
//!   millisecond by the pace of its polls, hello at 64 connections would sleep 0.05 times a request
//!   instead of 0.10 and need some 6% less processor time, as the clients have the other core. But
//!   with clients elsewhere 64 requests of 8 µs never take a millisecond: one core would do all,
//!   beside an idle one. With a bound of 50, 100 or 200 µs, or of twelve tasks, nothing was gained
//!   that could be told from chance (14 to 24 interleaved runs each), but half of the involuntary
//!   switches.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, TryLockError};
use std::task::{Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use executor::Park;
use reactor::Reactor;
use timers::SharedTimers;

/// The reactor and the timers, one turn at a time.
#[derive(Debug)]
pub struct Driver {
    reactor: Reactor,
    timers: SharedTimers,
    turn: Mutex<()>,
    /// How many turns were begun.
    turns: AtomicU64,
}

impl Driver {
    /// A driver of these two.
    #[must_use]
    pub fn new(reactor: Reactor, timers: SharedTimers) -> Arc<Self> {
        Arc::new(Self {
            reactor,
            timers,
            turn: Mutex::new(()),
            turns: AtomicU64::new(0),
        })
    }

    /// Whoever has what this gives may turn, and nobody else.
    fn try_enter(&self) -> Option<MutexGuard<'_, ()>> {
        match self.turn.try_lock() {
            Ok(turn) => Some(turn),
            // A waker panicked in an earlier turn; the lock guards no data.
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Steps 2 and 3 of the loop: wait at most so long, wake what has news, wake what is due.
    fn turn(&self, patience: Option<Duration>) {
        self.turns.fetch_add(1, Ordering::Relaxed); // a count, it orders nothing
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

    /// Whether the worker was called.
    fn end(&self) -> bool {
        self.state.swap(AWAKE, Ordering::AcqRel) == CALLED
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

/// A driver that nobody used for so long has lost its worker to a long poll.
const GUARD_LOOKS: Duration = Duration::from_millis(1);

/// A worker's way to wait: in the driver if it is free, else on its thread.
pub struct DriverPark {
    driver: Arc<Driver>,
    place: Arc<Place>,
    /// The turns there had been when this worker last looked.
    turns_seen: u64,
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
            turns_seen: 0,
            on_its_thread: Box::new(on_its_thread),
        }
    }

    /// Waits in the driver, if nobody else does. Whether it was free.
    fn wait_in_driver(&mut self, patience: Option<Duration>) -> bool {
        let Some(_turn) = self.driver.try_enter() else {
            return false;
        };
        if self.place.begin(IN_DRIVER) {
            self.driver.turn(patience);
            self.place.end();
        }
        self.turns_seen = self.driver.turns.load(Ordering::Relaxed);
        true
    }

    /// Waits on the thread. Whether it was called.
    fn wait_on_thread(&self, patience: Option<Duration>) -> bool {
        if !self.place.begin(ON_THREAD) {
            return true;
        }
        match patience {
            Some(patience) => thread::park_timeout(patience),
            None => thread::park(),
        }
        self.place.end()
    }

    /// Waits beside a driver that others use, and looks now and then whether they do.
    fn stand_guard(&mut self, patience: Duration) {
        let begin = Instant::now();
        loop {
            let left = patience.saturating_sub(begin.elapsed());
            let turns = self.driver.turns.load(Ordering::Relaxed);
            let left_alone = std::mem::replace(&mut self.turns_seen, turns) == turns;
            if left.is_zero()
                || left_alone && self.wait_in_driver(Some(left))
                || self.wait_on_thread(Some(left.min(GUARD_LOOKS)))
            {
                return;
            }
        }
    }
}

impl Park for DriverPark {
    fn park(&mut self, patience: Option<Duration>) {
        match patience {
            Some(Duration::ZERO) => {
                if let Some(_turn) = self.driver.try_enter() {
                    self.driver.turn(patience);
                } // else somebody else is asking
            }
            Some(patience) => self.stand_guard(patience),
            None => {
                if !self.wait_in_driver(None) {
                    self.wait_on_thread(None);
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use timers::Clock;

    fn driver() -> Arc<Driver> {
        let reactor = Reactor::new().unwrap();
        let timers = SharedTimers::builder(Clock::monotonic());
        let timers = timers.host(reactor.waker()).build();
        Driver::new(reactor, timers)
    }

    fn turns(driver: &Driver) -> u64 {
        driver.turns.load(Ordering::Relaxed)
    }

    #[test]
    fn the_guard_leaves_a_driver_alone_that_is_in_use() {
        let driver = driver();
        let mut guard = DriverPark::new(&driver, || ());
        drop(guard.unparker());
        for used in 1..4 {
            driver.turn(Some(Duration::ZERO)); // by another worker
            guard.park(Some(GUARD_LOOKS / 2));
            assert_eq!(turns(&driver), used, "the guard was in the driver");
        }
        guard.park(Some(GUARD_LOOKS / 2));
        assert_eq!(turns(&driver), 4, "nobody was in the driver since");
        guard.park(Some(GUARD_LOOKS / 2));
        assert_eq!(turns(&driver), 5, "nobody but the guard");
    }

    #[test]
    fn the_guard_fires_timers_that_others_are_kept_from() {
        let driver = driver();
        let mut guard = DriverPark::new(&driver, || ());
        drop(guard.unparker());
        driver.turn(Some(Duration::ZERO)); // the other worker, before its long poll
        let sleep = driver.timers.sleep(Duration::from_millis(5));
        let mut sleep = std::pin::pin!(sleep);
        let mut cx = std::task::Context::from_waker(Waker::noop());
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        while sleep.as_mut().poll(&mut cx).is_pending() {
            guard.park(Some(Duration::MAX)); // a guard that stays on its thread hangs here
        }
    }

    #[test]
    fn a_call_ends_every_wait() {
        let driver = driver();
        for patience in [None, Some(Duration::MAX)] {
            for (taken, by_another) in [(false, false), (false, true), (true, false), (true, true)]
            {
                let mut worker = DriverPark::new(&driver, || ());
                let call = worker.unparker();
                let _turn = taken.then(|| driver.try_enter());
                if by_another {
                    let caller = thread::spawn(move || {
                        thread::sleep(Duration::from_millis(3)); // mostly it waits by then
                        call.wake();
                    });
                    worker.park(patience);
                    caller.join().unwrap();
                } else {
                    call.wake(); // before the wait
                    worker.park(patience);
                }
            }
        }
    }
}
