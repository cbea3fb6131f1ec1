//! Mistakes that async timers are known for, each as a test on virtual time.

mod wakers;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use timers::{Clock, LocalSleep, LocalTimers, SharedTimers, Sleep};
use wakers::{Call, Count, MS, OnDrop, poll, poll_once};

fn manual() -> (Clock, LocalTimers) {
    let clock = Clock::manual();
    (clock.clone(), LocalTimers::new(clock))
}

fn shared() -> (Clock, SharedTimers) {
    let clock = Clock::manual();
    (
        clock.clone(),
        SharedTimers::builder(clock).shards(3).build(),
    )
}

fn armed(timers: &LocalTimers, after: Duration) -> LocalSleep {
    let mut sleep = timers.sleep(after);
    assert!(poll_once(&mut sleep).is_pending());
    sleep
}

#[test]
fn the_last_task_that_polled_is_woken() {
    let (clock, timers) = manual();
    let (first, first_waker) = Count::new();
    let (second, second_waker) = Count::new();
    let mut sleep = timers.sleep(MS);
    assert!(poll(&mut sleep, &first_waker).is_pending());
    assert!(poll(&mut sleep, &second_waker).is_pending());
    assert_eq!(
        Arc::strong_count(&first),
        2,
        "the replaced waker was dropped"
    );
    clock.advance(MS);
    timers.fire();
    assert_eq!((first.get(), second.get()), (0, 1));
}

#[test]
fn polling_again_with_the_same_waker_does_not_clone_it() {
    let (_, timers) = manual();
    let (count, waker) = Count::new();
    let mut sleep = timers.sleep(MS);
    for _ in 0..3 {
        assert!(poll(&mut sleep, &waker).is_pending());
        assert_eq!(
            Arc::strong_count(&count),
            3,
            "ours, the test's, and one in the wheel"
        );
    }
}

#[test]
fn dropping_a_sleep_takes_it_out_at_once() {
    let (_, timers) = manual();
    let (count, waker) = Count::new();
    let mut sleep = timers.sleep(MS);
    assert!(poll(&mut sleep, &waker).is_pending());
    drop(sleep);
    assert_eq!(Arc::strong_count(&count), 2);
    assert_eq!(timers.next_deadline(), None);
}

#[test]
fn a_forgotten_sleep_still_fires_and_harms_nobody() {
    let (clock, timers) = manual();
    let (count, waker) = Count::new();
    let mut sleep = timers.sleep(MS);
    assert!(poll(&mut sleep, &waker).is_pending());
    std::mem::forget(sleep);
    let mut other = armed(&timers, 2 * MS);
    clock.advance(2 * MS);
    assert_eq!((timers.fire(), count.get()), (2, 1));
    assert!(poll_once(&mut other).is_ready());
}

#[test]
fn a_waker_may_use_the_timers_it_is_woken_by() {
    let (clock, timers) = shared();
    let made = Arc::new(Mutex::new(Vec::<Sleep>::new()));
    let mut sleep = timers.sleep(MS);
    let waker = Call::waker({
        let (timers, made) = (timers.clone(), made.clone());
        move || {
            let mut due = timers.sleep(Duration::ZERO);
            assert!(poll_once(&mut due).is_pending());
            let mut late = timers.sleep(MS);
            assert!(poll_once(&mut late).is_pending());
            drop(late);
            assert_eq!(timers.fire(), 1, "even a turn within the turn");
            assert!(timers.patience().is_none());
            made.lock().unwrap().push(due);
        }
    });
    assert!(poll(&mut sleep, &waker).is_pending());
    clock.advance(MS);
    assert_eq!(timers.fire(), 1);
    assert!(poll_once(&mut made.lock().unwrap()[0]).is_ready());
}

#[test]
fn a_waker_that_arms_for_now_does_not_hold_up_the_turn() {
    let (_, timers) = shared();
    let sleeps = Arc::new(Mutex::new(Vec::<Sleep>::new()));
    let wakes = Arc::new(AtomicUsize::new(0));
    fn arm(timers: &SharedTimers, wakes: &Arc<AtomicUsize>, sleeps: &Arc<Mutex<Vec<Sleep>>>) {
        let mut sleep = timers.sleep(Duration::ZERO);
        let again = (timers.clone(), wakes.clone(), sleeps.clone());
        let waker = Call::waker(move || {
            let (timers, wakes, sleeps) = &again;
            if wakes.fetch_add(1, Ordering::SeqCst) < 100 {
                arm(timers, wakes, sleeps);
            }
        });
        assert!(poll(&mut sleep, &waker).is_pending());
        sleeps.lock().unwrap().push(sleep);
    }
    arm(&timers, &wakes, &sleeps);
    for turn in 1..=5 {
        assert_eq!((timers.fire(), wakes.load(Ordering::SeqCst)), (1, turn));
    }
}

#[test]
fn what_is_armed_for_now_takes_a_turn_of_its_own() {
    let (clock, timers) = shared();
    let started = clock.now();
    let slot = Arc::new(Mutex::new(None));
    let arms = {
        let (timers, slot) = (timers.clone(), slot.clone());
        Call::waker(move || {
            let mut sleep = timers.sleep(Duration::ZERO);
            assert!(poll_once(&mut sleep).is_pending());
            *slot.lock().unwrap() = Some(sleep);
        })
    };
    let mut first = timers.sleep(MS);
    assert!(poll(&mut first, &arms).is_pending());
    let mut moved = timers.sleep(9 * MS);
    assert!(poll_once(&mut moved).is_pending());
    clock.advance(MS);
    assert_eq!(timers.fire(), 1, "the turn has fired all up to now");
    let mut armed = slot.lock().unwrap().take().unwrap();
    moved.reset(started);
    for sleep in [&mut armed, &mut moved] {
        assert!(poll_once(sleep).is_pending() && !sleep.is_elapsed());
    }
    assert_eq!(timers.fire(), 2);
    assert!(poll_once(&mut armed).is_ready() && poll_once(&mut moved).is_ready());
    assert_eq!(timers.next_deadline(), None);
}

/// Wakers are taken out of the wheel by the handful: the last of many of one tick is still in it
/// when the first is woken.
#[test]
fn what_the_turn_has_not_come_to_yet_is_not_over() {
    let (clock, timers) = shared();
    let last = Arc::new(Mutex::new(timers.sleep(MS)));
    let looks = {
        let last = last.clone();
        Call::waker(move || {
            let mut last = last.lock().unwrap();
            assert!(!last.is_elapsed() && poll_once(&mut *last).is_pending());
        })
    };
    let mut first = timers.sleep(MS);
    assert!(poll(&mut first, &looks).is_pending());
    let mut others: Vec<Sleep> = (0..200).map(|_| timers.sleep(MS)).collect();
    assert!(others.iter_mut().all(|sleep| poll_once(sleep).is_pending()));
    assert!(poll_once(&mut *last.lock().unwrap()).is_pending());
    clock.advance(MS);
    assert_eq!(timers.fire(), 202);
    assert!(poll_once(&mut *last.lock().unwrap()).is_ready());
    assert_eq!(timers.next_deadline(), None);
}

#[test]
fn a_waker_whose_drop_drops_other_sleeps_is_dropped_outside_the_borrow() {
    let (clock, timers) = shared();
    for how in ["cancelled", "replaced", "fired"] {
        let other = Arc::new(Mutex::new(Some(timers.sleep(MS))));
        assert!(poll_once(other.lock().unwrap().as_mut().unwrap()).is_pending());
        let mut sleep = timers.sleep(MS);
        let victim = other.clone();
        let waker = OnDrop::waker(move || drop(victim.lock().unwrap().take()));
        assert!(poll(&mut sleep, &waker).is_pending());
        drop(waker);
        match how {
            "cancelled" => drop(sleep),
            "replaced" => assert!(poll_once(&mut sleep).is_pending()),
            _ => {
                clock.advance(MS);
                timers.fire();
            }
        }
        assert!(other.lock().unwrap().is_none(), "{how}");
    }
    assert_eq!(timers.next_deadline(), None);
}

/// Of several panics only the first goes on; what another carried is dropped, which may panic too.
#[test]
fn a_panic_whose_payload_panics_does_not_keep_the_others_from_theirs() {
    struct Spiteful;
    impl Drop for Spiteful {
        fn drop(&mut self) {
            panic!("a payload's own fault");
        }
    }
    let clock = Clock::manual();
    let timers = LocalTimers::new(clock.clone());
    let (woken, waker) = Count::new();
    let bad = Call::waker(|| std::panic::panic_any("the first"));
    let worse = Call::waker(|| std::panic::panic_any(Spiteful));
    let mut sleeps: Vec<_> = (0..4).map(|_| timers.sleep(MS)).collect();
    for (sleep, waker) in sleeps.iter_mut().zip([&bad, &worse, &waker, &waker]) {
        assert!(poll(sleep, waker).is_pending());
    }
    clock.advance(MS);
    let panic = catch_unwind(AssertUnwindSafe(|| timers.fire())).unwrap_err();
    assert_eq!(*panic.downcast::<&str>().unwrap(), "the first");
    assert_eq!(woken.get(), 2);
}

#[test]
fn a_waker_that_panics_does_not_keep_the_others_from_theirs() {
    for panicking in [0, 7, 63, 64, 99] {
        let (clock, timers) = shared();
        let (count, waker) = Count::new();
        let bad = Call::waker(|| panic!("a waker's own fault"));
        let mut sleeps: Vec<Sleep> = (0..100).map(|_| timers.sleep(MS)).collect();
        for (n, sleep) in sleeps.iter_mut().enumerate() {
            let waker = if n == panicking { &bad } else { &waker };
            assert!(poll(sleep, waker).is_pending());
        }
        clock.advance(MS);
        let fired = catch_unwind(AssertUnwindSafe(|| timers.fire()));
        assert_eq!(
            *fired.unwrap_err().downcast::<&str>().unwrap(),
            "a waker's own fault"
        );
        assert_eq!(count.get(), 99);
        assert!(sleeps.iter_mut().all(|sleep| poll_once(sleep).is_ready()));
        assert_eq!(timers.fire(), 0);
    }
}

#[test]
fn a_reset_moves_the_sleep_whatever_it_was_doing() {
    let (clock, timers) = manual();
    let start = clock.now();
    let (count, waker) = Count::new();
    let mut sleep = timers.sleep(10 * MS);
    sleep.reset(start + 5 * MS); // not polled yet
    assert!(poll(&mut sleep, &waker).is_pending());
    sleep.reset(start + 20 * MS); // armed, later: stays registered
    clock.advance(19 * MS);
    assert_eq!(timers.fire(), 0);
    sleep.reset(start + 19 * MS); // armed, earlier: due at once
    assert_eq!((timers.fire(), count.get()), (1, 1));
    sleep.reset(start + 30 * MS); // fired, but not polled: it is no longer ready
    assert!(!sleep.is_elapsed());
    assert!(poll(&mut sleep, &waker).is_pending());
    clock.advance(11 * MS);
    assert_eq!((timers.fire(), count.get()), (1, 2));
    assert!(poll(&mut sleep, &waker).is_ready());
    sleep.reset(start + 31 * MS); // done: starts again
    assert!(poll(&mut sleep, &waker).is_pending());
    assert_eq!(timers.next_deadline(), Some(start + 31 * MS));
}

#[test]
fn a_reset_from_a_waker_takes_effect() {
    let (clock, timers) = shared();
    let keep_alive = Arc::new(Mutex::new(timers.sleep(MS)));
    let (count, counting) = Count::new();
    assert!(poll(&mut *keep_alive.lock().unwrap(), &counting).is_pending());
    let mut first = timers.sleep(MS / 2);
    let waker = Call::waker({
        let keep_alive = keep_alive.clone();
        move || keep_alive.lock().unwrap().reset_after(3 * MS)
    });
    assert!(poll(&mut first, &waker).is_pending());
    clock.advance(MS / 2);
    assert_eq!(timers.fire(), 1);
    clock.advance(MS);
    assert_eq!(timers.fire(), 0, "it was put off");
    clock.advance(2 * MS);
    assert_eq!((timers.fire(), count.get()), (1, 1));
}

/// Without timers a turn does not look at the clock; an earlier look must not stand in for it.
#[test]
fn postponing_counts_from_this_turn_after_a_time_without_timers() {
    let clock = Clock::manual();
    let timers = LocalTimers::new(clock.clone());
    drop(armed(&timers, MS));
    assert_eq!((timers.patience(), timers.fire()), (None, 0));
    clock.advance(3_600_000 * MS);
    assert_eq!((timers.patience(), timers.fire()), (None, 0));
    let now = clock.now();
    let mut keep_alive = timers.sleep(MS);
    keep_alive.postpone(10 * MS);
    assert_eq!(keep_alive.deadline(), now + 10 * MS);
    clock.advance(MS);
    keep_alive.postpone(10 * MS);
    assert_eq!(keep_alive.deadline(), now + 10 * MS, "one look for a turn");
    timers.fire();
    keep_alive.postpone(10 * MS);
    assert_eq!(keep_alive.deadline(), now + 11 * MS);
}

#[test]
fn a_postponed_sleep_counts_from_the_turn() {
    let (clock, timers) = manual();
    let _other = armed(&timers, 1_000 * MS);
    clock.advance(100 * MS);
    timers.fire();
    let turn = clock.now();
    let mut keep_alive = armed(&timers, 10 * MS);
    clock.advance(3 * MS); // the turn goes on
    keep_alive.postpone(10 * MS);
    assert_eq!(keep_alive.deadline(), turn + 10 * MS);
    clock.advance(7 * MS);
    assert_eq!(timers.fire(), 1);
}

/// A paused clock that is off by one tick would show here, in one of a thousand odd durations.
#[test]
fn virtual_time_is_exact_to_the_nanosecond() {
    let clock = Clock::auto();
    let timers = LocalTimers::new(clock.clone());
    for n in 1..1_000u64 {
        let duration = Duration::from_nanos(n * n * 12_345 + 1);
        let start = clock.now();
        let mut sleep = armed(&timers, duration);
        assert_eq!(timers.patience(), Some(Duration::ZERO));
        assert_eq!((timers.fire(), clock.now() - start), (1, duration));
        assert!(poll_once(&mut sleep).is_ready());
    }
}

#[test]
fn slack_makes_sleeps_share_their_wake_ups() {
    let wake_ups = |slack: Duration| {
        let clock = Clock::auto();
        let timers = LocalTimers::new(clock.clone());
        let mut sleeps: Vec<LocalSleep> = (1..=1_000)
            .map(|n| timers.sleep(n * 37 * MS / 10).slack(slack))
            .collect();
        assert!(sleeps.iter_mut().all(|sleep| poll_once(sleep).is_pending()));
        let (mut turns, mut fired) = (0, 0);
        while timers.patience().is_some() {
            turns += 1;
            fired += timers.fire();
            for sleep in &mut sleeps {
                let late = clock.now().checked_duration_since(sleep.deadline());
                assert!(!sleep.is_elapsed() || late.is_some(), "never early");
                assert!(sleep.is_elapsed() || late.is_none_or(|late| late <= slack));
            }
        }
        assert_eq!(fired, 1_000);
        turns
    };
    assert_eq!(wake_ups(Duration::ZERO), 1_000);
    assert_eq!(wake_ups(20 * MS), 221);
    assert_eq!(wake_ups(200 * MS), 28);
}

#[test]
fn sleeps_of_one_deadline_wake_in_the_order_they_were_armed() {
    let (clock, timers) = manual();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut sleeps: Vec<LocalSleep> = Vec::new();
    for n in 0..300 {
        let order = order.clone();
        let mut sleep = timers.sleep(Duration::from_secs(100));
        let waker = Call::waker(move || order.lock().unwrap().push(n));
        assert!(poll(&mut sleep, &waker).is_pending());
        sleeps.push(sleep);
    }
    sleeps.drain(100..200);
    for seconds in [1, 37, 50, 12] {
        clock.advance(Duration::from_secs(seconds));
        timers.fire();
    }
    let expected: Vec<_> = (0..100).chain(200..300).collect();
    assert_eq!(*order.lock().unwrap(), expected);
}

/// A loop that comes late finds much due at once, armed by many threads.
#[test]
fn what_is_due_in_several_shards_is_woken_in_one_order() {
    let clock = Clock::manual();
    let timers = SharedTimers::builder(clock.clone()).shards(5).build();
    let order = Arc::new(Mutex::new(Vec::new()));
    // Each thread keeps to one shard; no two of these sleeps have one deadline.
    let arm = |thread: u32| {
        let due = (0..100).map(|n| 10 * n + (7 * thread + n) % 10 + 1);
        let armed = due.map(|due| {
            let order = order.clone();
            let mut sleep = timers.sleep(due * MS);
            let waker = Call::waker(move || order.lock().unwrap().push(due));
            assert!(poll(&mut sleep, &waker).is_pending());
            sleep
        });
        armed.collect::<Vec<_>>()
    };
    let mut sleeps = Vec::new();
    for thread in 0..10 {
        let armed = std::thread::scope(|scope| scope.spawn(|| arm(thread)).join());
        sleeps.extend(armed.unwrap());
    }
    clock.advance(300 * MS + MS / 2);
    assert_eq!(timers.fire(), 300);
    clock.advance(700 * MS);
    assert_eq!(timers.fire(), 700);
    assert_eq!(*order.lock().unwrap(), (1..=1000).collect::<Vec<_>>());
}

#[test]
fn a_coarse_tick_is_late_by_less_than_itself_and_never_early() {
    let clock = Clock::auto();
    let tick = Duration::from_nanos(1 << 20);
    let timers = LocalTimers::builder(clock.clone()).tick(tick).build();
    for n in 1..200 {
        let mut sleep = armed(&timers, n * 77 * MS / 100);
        assert_eq!(timers.patience(), Some(Duration::ZERO));
        assert_eq!(timers.fire(), 1);
        assert!(clock.now() >= sleep.deadline() && clock.now() < sleep.deadline() + tick);
        assert!(poll_once(&mut sleep).is_ready());
    }
}
