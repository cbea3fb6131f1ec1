//! What an observer is told, as exact traces.

mod wakers;

use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use timers::{Clock, LocalTimers, Observer, SharedTimers, Slot, TimerId};
use wakers::{Call, MS, poll, poll_once};

const NS: Duration = Duration::from_nanos(1);

/// Writes down what it is told, in nanoseconds since `start`; timers by the order of arrival.
struct Trace {
    start: Instant,
    known: Mutex<Vec<TimerId>>,
    lines: Mutex<Vec<String>>,
}

#[derive(Clone)]
struct Traced(Arc<Trace>);

impl Traced {
    fn new(clock: &Clock) -> Traced {
        Traced(Arc::new(Trace {
            start: clock.now(),
            known: Mutex::default(),
            lines: Mutex::default(),
        }))
    }

    fn note(&self, what: &str, timer: TimerId) {
        let mut known = self.0.known.lock().unwrap();
        let number = known.iter().position(|id| *id == timer).unwrap_or_else(|| {
            known.push(timer);
            known.len() - 1
        });
        self.0
            .lines
            .lock()
            .unwrap()
            .push(format!("{number} {what}"));
    }

    fn due(&self, deadline: Instant, slot: Option<Slot>) -> String {
        let due = (deadline - self.0.start).as_nanos();
        match slot {
            Some(slot) => format!("for {due} at {}/{}", slot.level(), slot.digit()),
            None => format!("for {due}, overdue"),
        }
    }

    /// What has been told since the last call.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lines.lock().unwrap())
    }
}

impl Observer for Traced {
    fn inserted(&self, timer: TimerId, deadline: Instant, slot: Option<Slot>) {
        self.note(&format!("inserted {}", self.due(deadline, slot)), timer);
    }
    fn moved(&self, timer: TimerId, slot: Slot, deadline: Instant) {
        self.note(&format!("moved {}", self.due(deadline, Some(slot))), timer);
    }
    fn fires(&self, timer: TimerId) {
        self.note("fires", timer);
    }
    fn fired(&self, timers: usize) {
        self.0.lines.lock().unwrap().push(format!("fired {timers}"));
    }
    fn cancelled(&self, timer: TimerId) {
        self.note("cancelled", timer);
    }
    fn rescheduled(&self, timer: TimerId, deadline: Instant, slot: Option<Slot>) {
        self.note(&format!("rescheduled {}", self.due(deadline, slot)), timer);
    }
}

#[test]
fn each_step_in_the_life_of_a_sleep_is_told() {
    let clock = Clock::manual();
    let trace = Traced::new(&clock);
    let start = clock.now();
    let timers = LocalTimers::builder(clock.clone())
        .observer(trace.clone())
        .build();

    let mut early = timers.sleep(70 * NS);
    let mut late = timers.sleep(5_000 * NS).slack(200 * NS);
    let never = timers.sleep(MS);
    assert_eq!(
        trace.take(),
        [""; 0],
        "before the first poll there is no timer"
    );
    assert!(poll_once(&mut early).is_pending() && poll_once(&mut late).is_pending());
    assert_eq!(
        trace.take(),
        ["0 inserted for 70 at 1/1", "1 inserted for 5120 at 2/1"]
    );

    early.reset(start + 100 * NS);
    assert_eq!(trace.take(), [""; 0], "put off: it stays in its slot");
    early.reset(start + 90 * NS);
    assert_eq!(trace.take(), ["0 rescheduled for 90 at 1/1"]);
    early.reset(start + 20 * NS);
    assert_eq!(trace.take(), ["0 rescheduled for 20 at 0/20"]);
    early.reset(start + 20 * NS);
    assert_eq!(trace.take(), [""; 0], "nothing has changed");
    clock.advance(20 * NS);
    timers.fire();
    assert_eq!(trace.take(), ["0 fires", "fired 1"]);
    early.reset(start + 30 * NS);
    assert_eq!(
        trace.take(),
        [""; 0],
        "it has fired: the next poll arms it anew"
    );
    assert!(poll_once(&mut early).is_pending());
    assert_eq!(
        trace.take(),
        ["2 inserted for 30 at 0/30"],
        "with a number of its own"
    );

    let mut past = timers.sleep_until(start);
    assert!(poll_once(&mut past).is_pending());
    assert_eq!(trace.take(), ["3 inserted for 0, overdue"]);
    clock.advance(5_080 * NS);
    timers.fire();
    assert_eq!(
        trace.take(),
        ["1 moved for 5120 at 1/16", "3 fires", "2 fires", "fired 2"],
        "the one with slack is due at 5120"
    );
    clock.advance(20 * NS);
    timers.fire();
    assert_eq!(
        trace.take(),
        ["1 moved for 5120 at 0/0", "1 fires", "fired 1"]
    );
    drop((early, late, past, never));
    assert_eq!(trace.take(), [""; 0], "nothing was left to cancel");

    let mut dropped = timers.sleep(MS);
    assert!(poll_once(&mut dropped).is_pending());
    drop(dropped);
    assert!(trace.take()[1].ends_with("cancelled"));
}

/// A keep-alive's new deadlines are told once, when time comes to where it waits.
#[test]
fn what_is_put_off_tells_its_deadline_when_it_moves() {
    let clock = Clock::manual();
    let trace = Traced::new(&clock);
    let timers = LocalTimers::builder(clock.clone())
        .observer(trace.clone())
        .build();
    let mut keep_alive = timers.sleep(10 * NS);
    assert!(poll_once(&mut keep_alive).is_pending());
    for messages in 1..5 {
        clock.advance(2 * NS);
        assert_eq!(timers.fire(), 0);
        keep_alive.reset_after((9 + messages) * NS);
    }
    assert_eq!(trace.take(), ["0 inserted for 10 at 0/10"]);
    clock.advance(2 * NS);
    assert_eq!(timers.fire(), 0);
    assert_eq!(trace.take(), ["0 moved for 21 at 0/21"]);
    clock.advance(11 * NS);
    assert_eq!(timers.fire(), 1);
    assert_eq!(trace.take(), ["0 fires", "fired 1"]);
}

/// All moves of a handful are told before its first waker, which may cancel what has moved.
#[test]
fn what_a_woken_task_cancels_has_moved_before() {
    let clock = Clock::manual();
    let trace = Traced::new(&clock);
    let timers = SharedTimers::builder(clock.clone())
        .shards(1)
        .observer(trace.clone())
        .build();
    let mut first = timers.sleep(64 * NS);
    let mut second = timers.sleep(66 * NS);
    let third = Arc::new(Mutex::new(Some(timers.sleep(140 * NS))));
    let victim = third.clone();
    let cancels = Call::waker(move || drop(victim.lock().unwrap().take()));
    assert!(poll(&mut first, &cancels).is_pending() && poll_once(&mut second).is_pending());
    assert!(poll_once(third.lock().unwrap().as_mut().unwrap()).is_pending());
    trace.take();
    clock.advance(130 * NS);
    assert_eq!(timers.fire(), 2);
    let told = [
        "0 moved for 64 at 0/0",
        "1 moved for 66 at 0/2",
        "2 moved for 140 at 0/12",
        "0 fires",
        "2 cancelled",
        "1 fires",
        "fired 2",
    ];
    assert_eq!(trace.take(), told);
}

/// Numbers tell timers apart: of all shards, and of all times a place is used.
#[test]
fn no_two_timers_have_one_number() {
    let clock = Clock::manual();
    let trace = Traced::new(&clock);
    let timers = SharedTimers::builder(clock.clone())
        .shards(3)
        .observer(trace.clone())
        .build();
    for _ in 0..4 {
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        assert!(poll_once(&mut timers.sleep(MS)).is_pending());
                    }
                });
            }
        });
    }
    let mut known: Vec<u64> = trace
        .0
        .known
        .lock()
        .unwrap()
        .iter()
        .map(|id| id.get())
        .collect();
    known.sort_unstable();
    known.dedup();
    assert_eq!((known.len(), trace.take().len()), (120, 240));
}

/// Panics whatever it is told, having counted it.
struct Panicking(Arc<Mutex<usize>>);

impl Panicking {
    fn told(&self) {
        *self.0.lock().unwrap() += 1;
        panic!("an observer panics");
    }
}

impl Observer for Panicking {
    fn inserted(&self, _: TimerId, _: Instant, _: Option<Slot>) {
        self.told();
    }
    fn moved(&self, _: TimerId, _: Slot, _: Instant) {
        self.told();
    }
    fn fires(&self, _: TimerId) {
        self.told();
    }
    fn fired(&self, _: usize) {
        self.told();
    }
    fn cancelled(&self, _: TimerId) {
        self.told();
    }
    fn rescheduled(&self, _: TimerId, _: Instant, _: Option<Slot>) {
        self.told();
    }
}

#[test]
fn an_observer_that_panics_harms_nobody() {
    let told = Arc::new(Mutex::new(0));
    let clock = Clock::manual();
    let timers = LocalTimers::builder(clock.clone())
        .observer(Panicking(told.clone()))
        .build();
    let mut sleep = timers.sleep(100 * NS);
    assert!(poll_once(&mut sleep).is_pending());
    assert!(poll_once(&mut timers.sleep(MS)).is_pending());
    sleep.reset_after(90 * NS);
    sleep.reset_after(5_000 * NS);
    clock.advance(4_999 * NS);
    assert_eq!(timers.fire(), 0);
    clock.advance(NS);
    assert_eq!(timers.fire(), 1);
    assert!(poll_once(&mut sleep).is_ready());
    assert_eq!(
        *told.lock().unwrap(),
        8,
        "inserted twice, cancelled, brought forward, moved twice, fired, turn over"
    );
}

/// An observer is called with nothing borrowed, so it may use what it watches.
#[test]
fn an_observer_may_use_the_timers() {
    struct Curious(
        Arc<OnceLock<SharedTimers>>,
        Arc<Mutex<Vec<Option<Instant>>>>,
    );
    impl Observer for Curious {
        fn inserted(&self, _: TimerId, _: Instant, _: Option<Slot>) {
            self.1
                .lock()
                .unwrap()
                .push(self.0.get().unwrap().next_deadline());
        }
        fn fires(&self, _: TimerId) {
            self.1
                .lock()
                .unwrap()
                .push(self.0.get().unwrap().next_deadline());
        }
    }
    let (place, seen) = (Arc::new(OnceLock::new()), Arc::new(Mutex::new(Vec::new())));
    let clock = Clock::manual();
    let observer = Curious(place.clone(), seen.clone());
    let timers = SharedTimers::builder(clock.clone())
        .shards(1)
        .observer(observer)
        .build();
    assert!(place.set(timers.clone()).is_ok());
    let due = clock.now() + MS;
    let mut sleep = timers.sleep(MS);
    assert!(poll_once(&mut sleep).is_pending());
    clock.advance(MS);
    assert_eq!(timers.fire(), 1);
    assert_eq!(*seen.lock().unwrap(), [Some(due), None]);
}
