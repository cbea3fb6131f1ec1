//! Rests between turns: what is late by how much, and who is not. On virtual time, where a rest is
//! asked for, so that each wake-up is known to the nanosecond.

mod wakers;

use std::sync::Mutex;
use std::time::Duration;

use timers::{Clock, LocalSleep, LocalTimers, SharedTimers, Sleep};
use wakers::{Count, MS, poll_once};

const US: Duration = Duration::from_micros(1);
const REST: Duration = Duration::from_micros(100);

/// Runs a loop without input until all sleeps have fired. Returns when it woke and how many fired
/// then, in microseconds since the start.
fn turns(deadlines_us: &[u32], moderation: Duration) -> Vec<(u128, usize)> {
    let clock = Clock::auto();
    let timers = LocalTimers::builder(clock.clone())
        .moderation(moderation)
        .build();
    let start = clock.now();
    let mut sleeps: Vec<_> = (deadlines_us.iter())
        .map(|&us| timers.sleep(us * US))
        .collect();
    for sleep in &mut sleeps {
        assert!(poll_once(sleep).is_pending());
    }
    let mut trace = Vec::new();
    while timers.patience().is_some() {
        trace.push(((clock.now() - start).as_micros(), timers.fire()));
    }
    trace
}

#[test]
fn deadlines_that_lie_close_together_share_a_turn() {
    let dense = [10, 10, 20, 30, 109, 110, 111, 209, 210, 500];
    let apart = [
        (10, 2),
        (20, 1),
        (30, 1),
        (109, 1),
        (110, 1),
        (111, 1),
        (209, 1),
        (210, 1),
        (500, 1),
    ];
    assert_eq!(turns(&dense, Duration::ZERO), apart);
    // the rests end at 110 and at 210; the last of them is over long before 500
    assert_eq!(turns(&dense, REST), [(10, 2), (110, 4), (210, 3), (500, 1)]);
}

#[test]
fn a_turn_that_fired_one_timer_is_followed_by_no_rest() {
    let alone = [10, 20, 21, 22, 300];
    let exact: Vec<_> = alone.iter().map(|&us| (u128::from(us), 1)).collect();
    assert_eq!(turns(&alone, REST), exact);
}

#[test]
fn virtual_time_is_exact_unless_a_rest_is_asked_for() {
    let clock = Clock::auto();
    let timers = LocalTimers::new(clock.clone());
    let start = clock.now();
    let mut sleeps = [5, 5, 6].map(|us| timers.sleep(us * US));
    for sleep in &mut sleeps {
        assert!(poll_once(sleep).is_pending());
    }
    let mut trace = Vec::new();
    while timers.patience().is_some() {
        trace.push(((clock.now() - start).as_micros(), timers.fire()));
    }
    assert_eq!(trace, [(5, 2), (6, 1)]);
}

#[test]
fn nothing_is_early_and_nothing_is_later_than_a_rest() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut rested = 0;
    for round in 0..200 {
        let clock = Clock::auto();
        let timers = LocalTimers::builder(clock.clone()).moderation(REST).build();
        let span = 1 << random.u32(8..24);
        let mut sleeps: Vec<_> = (0..random.usize(1..80))
            .map(|_| timers.sleep(Duration::from_nanos(random.u64(0..span) & !0xFFF)))
            .collect();
        for sleep in &mut sleeps {
            assert!(poll_once(sleep).is_pending());
        }
        let mut rests_until = clock.now();
        while let Some(earliest) = sleeps.iter().map(LocalSleep::deadline).min() {
            assert_eq!(timers.patience(), Some(Duration::ZERO));
            let now = clock.now();
            assert_eq!(now, earliest.max(rests_until), "round {round}");
            rested += usize::from(earliest < rests_until);
            let fired = timers.fire();
            if fired > 1 {
                rests_until = now + REST;
            }
            let waiting = sleeps.len() - fired;
            sleeps.retain_mut(|sleep| {
                let ready = poll_once(sleep).is_ready();
                assert_eq!(ready, sleep.deadline() <= now, "round {round}");
                assert!(!ready || now - sleep.deadline() <= REST, "round {round}");
                !ready
            });
            assert_eq!(sleeps.len(), waiting, "round {round}");
        }
    }
    assert!(rested > 100, "{rested} turns after a rest");
}

#[test]
fn input_during_a_rest_fires_what_is_due() {
    let clock = Clock::manual();
    let timers = LocalTimers::builder(clock.clone()).moderation(REST).build();
    let mut sleeps = [10, 10, 20, 20, 90].map(|us| timers.sleep(us * US));
    for sleep in &mut sleeps {
        assert!(poll_once(sleep).is_pending());
    }
    clock.advance(10 * US);
    assert_eq!(timers.fire(), 2);
    clock.advance(20 * US);
    assert_eq!(timers.patience(), None, "20 is due, and waits for the rest");
    assert_eq!(timers.fire(), 2, "but input came");
    clock.advance(100 * US - Duration::from_nanos(1));
    assert_eq!(timers.patience(), None, "a rest from that turn on");
    clock.advance(Duration::from_nanos(1));
    assert_eq!(timers.patience(), Some(Duration::ZERO), "and no longer");
    assert_eq!(timers.fire(), 1);
}

#[test]
fn an_earlier_sleep_ends_a_wait_but_not_a_rest() {
    let (host, waker) = Count::new();
    let clock = Clock::manual();
    let timers = SharedTimers::builder(clock.clone())
        .moderation(REST)
        .host(waker)
        .shards(2)
        .build();
    let armed = Mutex::new(Vec::<Sleep>::new());
    let elsewhere = |us: u32| {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut sleep = timers.sleep(us * US);
                assert!(poll_once(&mut sleep).is_pending());
                armed.lock().unwrap().push(sleep);
            });
        });
    };
    [10, 10, 50].into_iter().for_each(elsewhere);
    clock.advance(10 * US);
    let woken = host.get();
    assert_eq!(timers.fire(), 2);

    let _ = timers.patience(); // 50 us from the start is due at 110, after the rest
    elsewhere(20);
    assert_eq!(host.get(), woken, "it cannot fire before the rest is over");
    clock.advance(100 * US);
    let woken = host.get();
    assert_eq!(timers.fire(), 2, "when both do");

    clock.advance(MS);
    elsewhere(500);
    let _ = timers.patience(); // 500 us
    elsewhere(300);
    assert_eq!(host.get(), woken + 2, "of the clock, and of the sleep");
}
