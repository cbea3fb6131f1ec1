//! The recorder: what the threads of a loop write down, and what they have in common.

use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use timers::Clock;

use super::file::Header;
use super::here;
use super::outbox::Outbox;
use super::remark;
use super::unseen::Unseen;

/// How many bytes of events are kept while nobody takes them: some four million events.
pub const ROOM: usize = 32 << 20;

/// Observes executor, reactor, timers and pool of a loop, and writes down what they tell. Clones
/// are the same recorder.
#[derive(Clone)]
pub struct Recorder {
    shared: Arc<Shared>,
}

/// What the threads of a recorder share.
pub(super) struct Shared {
    clock: Clock,
    begin: Instant,
    started: SystemTime,
    is_virtual: bool,
    /// When the wheel's tick 0 is.
    wheel_zero: OnceLock<u64>,
    names: Mutex<Names>,
    /// Whether `called_for` of the names ever had anything in it.
    calls_made: AtomicBool,
    pub(super) outbox: Outbox,
    pub(super) unseen: Unseen,
}

#[derive(Default)]
pub(super) struct Names {
    threads: Vec<(String, Arc<Thread>)>,
    places: Vec<String>,
    place_numbers: HashMap<usize, u32>,
    /// The thread of each worker of an executor.
    pub(super) workers: HashMap<usize, u16>,
    /// Calls of the pool that are not made yet: for which task.
    calls: HashMap<u64, u64>,
    /// Who made the last call for a task that has not been woken since.
    called_for: HashMap<u64, u16>,
}

/// A thread that writes.
#[derive(Debug)]
pub(super) struct Thread {
    /// Its number in the trace.
    pub(super) number: u16,
    /// When the first event happened that it has not handed over; `u64::MAX` if there is none.
    since: AtomicU64,
}

impl Thread {
    pub(super) fn opened(&self, at: u64) {
        // Relaxed: only tells the keeper how far back news may still come.
        self.since.store(at, Ordering::Relaxed);
    }

    pub(super) fn closed(&self) {
        self.since.store(u64::MAX, Ordering::Relaxed);
    }
}

impl Shared {
    pub(super) fn names(&self) -> MutexGuard<'_, Names> {
        // A panic within leaves nothing half done.
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub(super) fn now(&self) -> u64 {
        self.time_of(self.clock.now())
    }

    #[inline]
    pub(super) fn is_virtual(&self) -> bool {
        self.is_virtual
    }

    /// The time after something that took so long.
    #[inline]
    pub(super) fn after(&self, now: u64, took: Duration) -> u64 {
        if self.is_virtual {
            return self.virtually(now);
        }
        now.saturating_add(nanos(took))
    }

    #[cold]
    #[inline(never)]
    fn virtually(&self, now: u64) -> u64 {
        now.max(self.now())
    }

    #[inline]
    pub(super) fn time_of(&self, instant: Instant) -> u64 {
        nanos(instant.saturating_duration_since(self.begin))
    }

    pub(super) fn new_thread(&self) -> Arc<Thread> {
        let mut names = self.names();
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        let name = if name == "main" {
            "loop".to_owned()
        } else {
            name
        };
        let thread = Arc::new(Thread {
            number: u16::try_from(names.threads.len()).unwrap_or(u16::MAX),
            since: AtomicU64::new(u64::MAX),
        });
        let namesakes = names.threads.iter().filter(|(other, _)| {
            other
                .strip_prefix(&name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        });
        let name = match namesakes.count() {
            0 => name,
            others => format!("{name}-{}", others + 1),
        };
        names.threads.push((name, Arc::clone(&thread)));
        remark::listen(); // what the program says on this thread as well
        thread
    }

    pub(super) fn place(&self, location: &'static Location<'static>) -> u32 {
        let mut names = self.names();
        let next = u32::try_from(names.places.len()).unwrap_or(u32::MAX);
        // A location is a constant of the program: its address stands for it.
        let key = std::ptr::from_ref(location).addr();
        if let Some(&number) = names.place_numbers.get(&key) {
            return number;
        }
        names.place_numbers.insert(key, next);
        names
            .places
            .push(format!("{}:{}", location.file(), location.line()));
        next
    }

    /// A task waits for a call of the pool.
    pub(super) fn call_for(&self, job: u64, task: u64) {
        self.names().calls.insert(job, task);
    }

    /// A thread has made a call.
    pub(super) fn called(&self, job: u64, thread: u16) {
        let mut names = self.names();
        let task = names.calls.remove(&job);
        drop(names);
        if let Some(task) = task {
            self.will_wake(task, thread);
        }
    }

    /// A thread is about to wake a task.
    pub(super) fn will_wake(&self, task: u64, thread: u16) {
        self.names().called_for.insert(task, thread);
        // Relaxed: who is to find it has been woken after this.
        self.calls_made.store(true, Ordering::Relaxed);
    }

    /// Which thread made a call for a task that is now taken in as woken.
    pub(super) fn called_for(&self, task: u64) -> Option<u16> {
        if !self.calls_made.load(Ordering::Relaxed) {
            return None;
        }
        self.names().called_for.remove(&task)
    }

    /// A task is gone, and nobody calls for it any more.
    pub(super) fn forget(&self, task: u64) {
        self.called_for(task);
    }

    pub(super) fn worker(&self, worker: usize, thread: u16) {
        self.names().workers.insert(worker, thread);
    }
}

#[inline]
fn nanos(time: Duration) -> u64 {
    // Enough for 584 years; in 64 bits it is one multiplication.
    let secs = time.as_secs().saturating_mul(1_000_000_000);
    secs.saturating_add(u64::from(time.subsec_nanos()))
}

impl Recorder {
    /// A recorder that goes by the clock of the loop it is to observe. Without a keeper it holds
    /// the last events, as many as fit into [`ROOM`] bytes.
    #[must_use]
    pub fn new(clock: &Clock) -> Self {
        remark::listen();
        Self {
            shared: Arc::new(Shared {
                begin: clock.now(),
                is_virtual: clock.is_virtual(),
                clock: clock.clone(),
                started: SystemTime::now(),
                wheel_zero: OnceLock::new(),
                names: Mutex::default(),
                calls_made: AtomicBool::new(false),
                outbox: Outbox::new(ROOM),
                unseen: Unseen::default(),
            }),
        }
    }

    /// What is to be told of the trace as a whole.
    #[must_use]
    pub fn header(&self, program: &str) -> Header {
        Header {
            program: program.to_owned(),
            started: humantime::format_rfc3339_seconds(self.shared.started).to_string(),
            ..Header::default()
        }
    }

    /// The header with what has become known since.
    #[must_use]
    pub fn completed(&self, header: &Header) -> Header {
        let zero = self.shared.wheel_zero.get();
        Header {
            tick_ns: zero.map(|_| u64::from(self.tick().subsec_nanos())),
            wheel_zero: zero.map(|&zero| i64::try_from(zero).unwrap_or(i64::MAX)),
            ..header.clone()
        }
    }

    /// How long a tick of the wheel is: as it is without a recorder.
    pub(super) fn tick(&self) -> Duration {
        Duration::from_nanos(if self.shared.is_virtual { 1 } else { 4096 })
    }

    /// The timers are made now.
    pub(super) fn wheel_begins(&self) {
        let _ = self.shared.wheel_zero.set(self.shared.now());
    }

    /// What `make` spawns, registers and arms is not to be seen, nor what comes of it: for those
    /// who watch a loop from the same loop.
    pub fn unseen<T>(&self, make: impl FnOnce() -> T) -> T {
        let hide = |hiding| {
            here::with(&self.shared, |sheet| {
                std::mem::replace(&mut sheet.hiding, hiding)
            })
        };
        let before = hide(true);
        let made = make();
        hide(before);
        made
    }

    /// Hands over what this thread has written. The others do it when they wait.
    pub fn flush(&self) {
        here::with(&self.shared, |sheet| sheet.hand_over());
    }

    /// Ends the recording: what happens from now on is not kept.
    pub fn end(&self) {
        self.flush();
        self.shared.outbox.close();
    }

    #[inline]
    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The time up to which all threads have handed over their events.
    pub(super) fn complete_until(&self) -> u64 {
        let names = self.shared.names();
        let since = |(_, thread): &(String, Arc<Thread>)| thread.since.load(Ordering::Relaxed);
        names.threads.iter().map(since).min().unwrap_or(u64::MAX)
    }

    pub(super) fn outbox(&self) -> &Outbox {
        &self.shared.outbox
    }

    /// The names of threads from this number on.
    pub(super) fn threads_from(&self, first: usize) -> Vec<String> {
        let names = self.shared.names();
        let new = names.threads.iter().skip(first);
        new.map(|(name, _)| name.clone()).collect()
    }

    /// The places in the source from this number on.
    pub(super) fn places_from(&self, first: usize) -> Vec<String> {
        let names = self.shared.names();
        names.places.iter().skip(first).cloned().collect()
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}
