//! Virtual time with more than one loop on it, on one thread and on several.

mod wakers;

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use timers::{Clock, Hold, LocalTimers, SharedTimers, Timers};
use wakers::{Call, Count, MS, poll, poll_once};

/// Ends a thread's wait, now or the next one.
struct Unpark(Thread, AtomicBool);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.1.store(true, Ordering::SeqCst);
        self.0.unpark();
    }
}

/// A loop with nothing in it but timers: polls the future, then waits as its timers say.
fn run<S: timers::Sharing, F: Future>(timers: &Timers<S>, host: &Unpark, future: F) -> F::Output {
    let woken = Arc::new(AtomicBool::new(true));
    let waker = Call::waker({
        let (woken, thread) = (woken.clone(), thread::current());
        move || {
            woken.store(true, Ordering::SeqCst);
            thread.unpark();
        }
    });
    let mut future = pin!(future);
    loop {
        if woken.swap(false, Ordering::SeqCst)
            && let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker))
        {
            return output;
        }
        let patience = timers.patience();
        while patience.is_none()
            && !host.1.swap(false, Ordering::SeqCst)
            && !woken.load(Ordering::SeqCst)
        {
            thread::park();
        }
        timers.fire();
    }
}

fn host() -> (Arc<Unpark>, Waker) {
    let host = Arc::new(Unpark(thread::current(), AtomicBool::new(false)));
    (host.clone(), host.into())
}

#[test]
fn two_sets_of_timers_driven_by_one_thread_take_turns() {
    let clock = Clock::auto();
    let start = clock.now();
    let (first, second) = (
        LocalTimers::new(clock.clone()),
        LocalTimers::new(clock.clone()),
    );
    let mut sleeps: Vec<_> = [3, 9].map(|ms| first.sleep(ms * MS)).into();
    sleeps.extend([1, 9, 12].map(|ms| second.sleep(ms * MS)));
    assert!(sleeps.iter_mut().all(|sleep| poll_once(sleep).is_pending()));
    let hold = clock.hold(); // a loop counts once it has asked
    assert_eq!((first.patience(), second.patience()), (None, None));
    drop(hold);
    let mut trace = Vec::new();
    loop {
        let patience = [first.patience(), second.patience()];
        if patience == [None, None] {
            break;
        }
        let now = (clock.now() - start).as_millis();
        trace.push((now, first.fire(), second.fire()));
    }
    assert_eq!(trace, [(1, 0, 1), (3, 1, 0), (9, 1, 1), (12, 0, 1)]);
}

#[test]
fn a_loop_that_never_asked_does_not_stop_time() {
    let clock = Clock::auto();
    let idle = LocalTimers::new(clock.clone());
    let timers = LocalTimers::new(clock.clone());
    let (mut forgotten, mut sleep) = (idle.sleep(MS), timers.sleep(2 * MS));
    assert!(poll_once(&mut forgotten).is_pending() && poll_once(&mut sleep).is_pending());
    assert_eq!(
        (timers.patience(), timers.fire()),
        (Some(Duration::ZERO), 1)
    );
}

#[test]
fn a_loop_that_is_dropped_does_not_stop_time() {
    let clock = Clock::auto();
    let (count, waker) = Count::new();
    let timers = LocalTimers::builder(clock.clone()).host(waker).build();
    let busy = LocalTimers::new(clock);
    let _ = busy.patience();
    busy.fire();
    let mut sleep = timers.sleep(MS);
    assert!(poll_once(&mut sleep).is_pending());
    assert_eq!(
        (timers.patience(), count.get()),
        (None, 0),
        "the other one is running"
    );
    drop(busy);
    assert_eq!(count.get(), 1, "now it is worth asking again");
    assert_eq!(timers.patience(), Some(Duration::ZERO));
}

#[test]
fn nested_holds_all_have_to_end() {
    let clock = Clock::auto();
    let timers = LocalTimers::new(clock.clone());
    let mut sleep = timers.sleep(MS);
    assert!(poll_once(&mut sleep).is_pending());
    let (one, two) = (clock.hold(), clock.hold());
    assert_eq!(timers.patience(), None);
    drop(one);
    assert_eq!(timers.patience(), None);
    drop(two);
    assert_eq!(timers.patience(), Some(Duration::ZERO));
    let _: Hold = Clock::monotonic().hold();
    let _: Hold = Clock::manual().hold();
}

#[test]
#[should_panic(expected = "real time cannot be moved")]
fn real_time_cannot_be_moved() {
    Clock::monotonic().advance(MS);
}

#[test]
fn virtual_time_saturates() {
    let clock = Clock::manual();
    let start = clock.now();
    clock.advance(Duration::MAX);
    clock.advance(Duration::MAX);
    assert!(clock.now() > start + Duration::from_secs(200 * 365 * 24 * 3600));
    let auto = Clock::auto();
    let timers = LocalTimers::new(auto.clone());
    let mut never = timers.sleep(Duration::MAX);
    assert!(poll_once(&mut never).is_pending());
    assert_eq!(timers.patience(), None, "time does not jump to its end");
}

#[test]
fn advancing_from_another_thread_ends_the_wait() {
    let clock = Clock::manual();
    let (host, waker) = host();
    let timers = SharedTimers::new(clock.clone(), waker);
    let sleep = timers.sleep(5 * MS);
    let mover = thread::spawn({
        let clock = clock.clone();
        move || (0..5).for_each(|_| clock.advance(MS))
    });
    let start = sleep.deadline() - 5 * MS;
    run(&timers, &host, sleep);
    assert_eq!(clock.now() - start, 5 * MS);
    mover.join().unwrap();
}

/// Three loops on three threads, each sleeping in its own rhythm: time only ever moves to a
/// deadline that somebody waits for, and everybody is woken exactly on time.
#[test]
fn loops_on_several_threads_share_one_time() {
    let clock = Clock::auto();
    let start = clock.now();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (ready, all_ready) = channel();
    let hold = clock.hold(); // until every loop has started
    let loops: Vec<_> = [2u32, 3, 7]
        .map(|period| {
            let (clock, seen, ready) = (clock.clone(), seen.clone(), ready.clone());
            thread::spawn(move || {
                let (host, waker) = host();
                let timers = SharedTimers::new(clock.clone(), waker);
                assert!(timers.patience().is_none());
                timers.fire();
                ready.send(()).unwrap();
                run(&timers, &host, async {
                    for n in 1..=42 / period {
                        timers.sleep(period * MS).await;
                        let now = clock.now() - start;
                        assert_eq!(now, n * period * MS);
                        seen.lock().unwrap().push(now);
                    }
                });
            })
        })
        .into();
    (0..3).for_each(|_| all_ready.recv().unwrap());
    drop(hold);
    loops.into_iter().for_each(|thread| thread.join().unwrap());
    let seen = seen.lock().unwrap();
    assert!(seen.is_sorted(), "{seen:?}");
    assert_eq!(seen.len(), 21 + 14 + 6);
}

/// A blocking job on another thread holds the clock, so a deadline does not overtake it.
#[test]
fn work_in_flight_that_holds_the_clock_is_not_overtaken() {
    let clock = Clock::auto();
    let start = clock.now();
    let (host, waker) = host();
    let timers = SharedTimers::new(clock.clone(), waker);
    let job_done = Arc::new(AtomicBool::new(false));
    let hold = clock.hold();
    let job = thread::spawn({
        let job_done = job_done.clone();
        move || {
            for _ in 0..100 {
                thread::yield_now();
            }
            job_done.store(true, Ordering::SeqCst);
            drop(hold);
        }
    });
    run(&timers, &host, timers.sleep(MS));
    assert!(job_done.load(Ordering::SeqCst) && clock.now() - start == MS);
    job.join().unwrap();
}

#[test]
fn sleeps_from_many_threads_all_fire_once() {
    let clock = Clock::manual();
    let (count, waker) = Count::new();
    let timers = SharedTimers::builder(clock.clone()).shards(4).build();
    let arm = |from: u32| {
        let mut sleeps: Vec<_> = (from..from + 50).map(|ms| timers.sleep(ms * MS)).collect();
        assert!(
            sleeps
                .iter_mut()
                .all(|sleep| poll(sleep, &waker).is_pending())
        );
        sleeps.truncate(25); // dropped by the thread that armed them
        sleeps
    };
    let mut kept = Vec::new();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|n| scope.spawn(move || arm(n))).collect();
        kept.extend(
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap()),
        );
    });
    drop(kept.split_off(150)); // dropped by another thread than armed them
    let (mut fired, mut next) = (0, clock.now());
    while let Some(deadline) = timers.next_deadline() {
        assert!(deadline >= next);
        clock.advance(deadline - clock.now());
        fired += timers.fire();
        next = deadline;
    }
    assert_eq!((fired, count.get()), (150, 150));
    assert!(kept.iter_mut().all(|sleep| poll_once(sleep).is_ready()));
}

#[test]
fn a_host_that_panics_does_not_keep_the_others_from_hearing_that_time_moves() {
    let clock = Clock::manual();
    let nervous = Call::waker(|| panic!("I cannot be woken"));
    let (count, calm) = Count::new();
    let all = [nervous, calm].map(|host| LocalTimers::builder(clock.clone()).host(host).build());
    clock.advance(MS);
    assert_eq!(count.get(), 1);
    drop(clock.hold());
    drop(all);
}

/// A waker that moves the clock whenever one of its clones is dropped.
#[expect(
    unsafe_code,
    reason = "a waker's table is its only way to run code in the drop of each clone"
)]
fn moves_the_clock_as_it_goes() -> Waker {
    fn clone(data: *const ()) -> RawWaker {
        RawWaker::new(data, &TABLE)
    }
    fn drop(_: *const ()) {
        CLOCK.with(|clock| {
            if let Some(clock) = &*clock.borrow() {
                clock.advance(MS);
            }
        });
    }
    static TABLE: RawWakerVTable = RawWakerVTable::new(clone, drop, |_| {}, drop);
    // SAFETY: the functions of the table ignore their data, so they keep a waker's contract.
    unsafe { Waker::from_raw(clone(std::ptr::null())) }
}

thread_local! {
    static CLOCK: RefCell<Option<Clock>> = const { RefCell::new(None) };
}

#[test]
fn a_host_that_uses_the_clock_as_it_is_dropped_finds_it_free() {
    let (done, is_done) = channel();
    thread::spawn(move || {
        let clock = Clock::manual();
        CLOCK.with(|slot| *slot.borrow_mut() = Some(clock.clone()));
        let host = moves_the_clock_as_it_goes();
        drop(LocalTimers::builder(clock).host(host).build());
        CLOCK.with(|slot| drop(slot.borrow_mut().take()));
        done.send(()).unwrap();
    });
    let waited = is_done.recv_timeout(Duration::from_secs(10));
    waited.expect("it waits for a lock that it holds itself");
}
