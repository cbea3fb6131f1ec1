//! Sleeps, timeouts and intervals on virtual time, polled by hand: every step is asserted.

mod wakers;

use std::future::{pending, ready};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use timers::{Clock, Elapsed, LocalTimers, MissedTicks, SharedTimers};
use wakers::{Count, MS, poll, poll_once};

#[test]
fn what_is_shared_may_go_anywhere() {
    fn anywhere<T: Send + Sync + Unpin + 'static>() {}
    anywhere::<SharedTimers>();
    anywhere::<timers::Sleep>();
    anywhere::<timers::Interval>();
    anywhere::<timers::Timeout<std::future::Ready<()>>>();
    anywhere::<timers::DelayQueue<u8>>();
    anywhere::<(Clock, timers::Hold)>();
    anywhere::<timers::Wheel<u8>>();
}

#[test]
fn a_sleep_is_ready_at_its_deadline_and_not_a_nanosecond_before() {
    let clock = Clock::manual();
    let timers = LocalTimers::new(clock.clone());
    let (woken, waker) = Count::new();
    let mut sleep = timers.sleep(10 * MS);
    assert_eq!(timers.patience(), None, "it counts from its first poll");
    assert!(poll(&mut sleep, &waker).is_pending());
    assert_eq!(timers.next_deadline(), Some(clock.now() + 10 * MS));
    assert_eq!(
        timers.patience(),
        None,
        "manual time does not pass by waiting"
    );
    clock.advance(10 * MS - Duration::from_nanos(1));
    assert_eq!(timers.fire(), 0);
    assert!(poll(&mut sleep, &waker).is_pending() && !sleep.is_elapsed());
    clock.advance(Duration::from_nanos(1));
    assert_eq!(timers.patience(), Some(Duration::ZERO));
    assert_eq!((timers.fire(), woken.get()), (1, 1));
    assert!(sleep.is_elapsed());
    assert!(poll(&mut sleep, &waker).is_ready());
    assert!(poll(&mut sleep, &waker).is_ready(), "and stays ready");
    assert_eq!((timers.next_deadline(), woken.get()), (None, 1));
}

#[test]
fn a_sleep_fires_though_nobody_asked_when_it_is_due() {
    let clock = Clock::manual();
    let timers = LocalTimers::new(clock.clone());
    let (woken, waker) = Count::new();
    assert_eq!(timers.fire(), 0); // has no timers, and knows it
    let (mut late, mut early) = (timers.sleep(10 * MS), timers.sleep(5 * MS));
    assert!(poll(&mut late, &waker).is_pending());
    assert!(poll(&mut early, &waker).is_pending());
    clock.advance(5 * MS);
    assert_eq!((timers.fire(), woken.get()), (1, 1));
    clock.advance(5 * MS);
    assert_eq!((timers.fire(), woken.get()), (1, 2));
}

#[test]
fn an_auto_clock_jumps_to_each_deadline_in_turn() {
    let clock = Clock::auto();
    let timers = LocalTimers::new(clock.clone());
    let start = clock.now();
    let mut sleeps: Vec<_> = [7, 3, 3_600_000].map(|ms| timers.sleep(ms * MS)).into();
    for sleep in &mut sleeps {
        assert!(poll_once(sleep).is_pending());
    }
    let mut trace = Vec::new();
    while let Some(patience) = timers.patience() {
        assert_eq!(patience, Duration::ZERO);
        trace.push(((clock.now() - start).as_millis(), timers.fire()));
    }
    assert_eq!(trace, [(3, 1), (7, 1), (3_600_000, 1)]);
}

#[test]
fn a_hold_keeps_an_auto_clock_where_it_is() {
    let clock = Clock::auto();
    let (host, waker) = Count::new();
    let timers = LocalTimers::builder(clock.clone()).host(waker).build();
    let mut sleep = timers.sleep(MS);
    assert!(poll_once(&mut sleep).is_pending());
    let hold = clock.hold();
    let start = clock.now();
    assert_eq!(timers.patience(), None);
    assert_eq!(host.get(), 0);
    std::thread::spawn(move || drop(hold)).join().unwrap();
    assert_eq!(
        (host.get(), clock.now()),
        (1, start),
        "the loop is asked to look again"
    );
    assert_eq!(timers.patience(), Some(Duration::ZERO));
    assert_eq!(clock.now(), start + MS);
}

#[test]
fn an_earlier_sleep_from_another_thread_ends_the_wait() {
    let (host, waker) = Count::new();
    let timers = SharedTimers::builder(Clock::manual())
        .host(waker)
        .shards(2)
        .build();
    let mut late = timers.sleep(10 * MS);
    assert!(poll_once(&mut late).is_pending());
    assert_eq!(host.get(), 0, "nobody waits yet");
    let _ = timers.patience();
    let elsewhere = |ms: u32| {
        let arm = || {
            let mut sleep = timers.sleep(ms * MS);
            assert!(poll_once(&mut sleep).is_pending());
            sleep
        };
        std::thread::scope(|scope| scope.spawn(arm).join().unwrap())
    };
    let _later = elsewhere(11);
    assert_eq!(host.get(), 0, "later than the wait");
    let mut earlier = elsewhere(9);
    assert_eq!(host.get(), 1, "earlier than the wait");
    earlier.reset(earlier.deadline() - MS);
    assert_eq!(host.get(), 2, "so does a reset");
    timers.fire();
    let _earliest = elsewhere(1);
    assert_eq!(host.get(), 2, "nobody waits any more");
}

#[test]
fn a_timeout_gives_the_output_or_elapsed() {
    let clock = Clock::manual();
    let timers = LocalTimers::new(clock.clone());
    let mut quick = pin!(timers.timeout(Duration::ZERO, ready(1)));
    assert_eq!(poll_once(&mut quick), Poll::Ready(Ok(1)));
    let mut slow = pin!(timers.timeout(MS, pending::<()>()));
    assert!(poll_once(&mut slow).is_pending());
    clock.advance(MS);
    timers.fire();
    assert_eq!(poll_once(&mut slow), Poll::Ready(Err(Elapsed)));
    let error = std::io::Error::from(Elapsed);
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
}

#[test]
fn the_time_of_a_timeout_begins_when_its_future_is_first_pending() {
    let clock = Clock::manual();
    let timers = LocalTimers::new(clock.clone());
    let mut slow = pin!(timers.timeout(5 * MS, pending::<()>()));
    clock.advance(3 * MS);
    assert!(poll_once(&mut slow).is_pending());
    assert_eq!(slow.deadline(), clock.now() + 5 * MS);
    slow.as_mut().reset(clock.now() + MS);
    clock.advance(MS);
    timers.fire();
    assert_eq!(poll_once(&mut slow), Poll::Ready(Err(Elapsed)));
}

#[test]
fn a_timeout_at_a_deadline_counts_from_before_its_first_poll() {
    let clock = Clock::manual();
    let timers = LocalTimers::new(clock.clone());
    let deadline = clock.now() + 5 * MS;
    let mut slow = pin!(timers.timeout_at(deadline, pending::<()>()));
    clock.advance(3 * MS);
    assert!(poll_once(&mut slow).is_pending());
    assert_eq!(slow.deadline(), deadline);
    clock.advance(2 * MS - Duration::from_nanos(1));
    assert_eq!(timers.fire(), 0);
    assert!(poll_once(&mut slow).is_pending());
    clock.advance(Duration::from_nanos(1));
    assert_eq!(timers.fire(), 1);
    assert_eq!(poll_once(&mut slow), Poll::Ready(Err(Elapsed)));
    let mut inner = timers.timeout_at(deadline, ready(7)).into_inner();
    assert_eq!(poll_once(&mut inner), Poll::Ready(7));
}

#[test]
fn an_interval_begins_where_it_is_told_to_and_can_be_moved() {
    let clock = Clock::manual();
    let timers = LocalTimers::new(clock.clone());
    let start = clock.now();
    let mut interval = timers.interval_at(start, 10 * MS);
    assert_eq!((interval.period(), interval.deadline()), (10 * MS, start));
    let mut tick = || {
        let due = poll_once(&mut pin!(interval.tick()));
        (due, interval.deadline() - start)
    };
    assert_eq!(tick(), (Poll::Pending, Duration::ZERO), "a turn first");
    assert_eq!(timers.fire(), 1);
    assert_eq!(tick(), (Poll::Ready(start), 10 * MS));
    interval.reset(start + 3 * MS);
    clock.advance(3 * MS);
    let mut tick = || poll_once(&mut pin!(interval.tick()));
    assert_eq!(tick(), Poll::Pending);
    assert_eq!(timers.fire(), 1);
    assert_eq!(tick(), Poll::Ready(start + 3 * MS));
    assert_eq!(interval.deadline(), start + 13 * MS);
}

#[test]
fn missed_ticks_are_delivered_delayed_or_skipped() {
    for (missed, expected) in [
        (
            MissedTicks::Burst,
            [(10, 10), (20, 34), (30, 34), (40, 40), (50, 50)],
        ),
        (
            MissedTicks::Delay,
            [(10, 10), (20, 34), (44, 44), (54, 54), (64, 64)],
        ),
        (
            MissedTicks::Skip,
            [(10, 10), (20, 34), (40, 40), (50, 50), (60, 60)],
        ),
    ] {
        let clock = Clock::auto();
        let start = clock.now();
        let timers = LocalTimers::new(clock.clone());
        let mut interval = timers.interval(10 * MS).missed_ticks(missed);
        let mut trace = Vec::new();
        while trace.len() < expected.len() {
            let mut tick = pin!(interval.tick());
            if let Poll::Ready(due) = poll_once(&mut tick) {
                let now = clock.now();
                trace.push(((due - start).as_millis(), (now - start).as_millis()));
                if trace.len() == 1 {
                    clock.advance(24 * MS);
                }
            } else {
                assert_eq!(timers.patience(), Some(Duration::ZERO));
                assert_eq!(timers.fire(), 1);
            }
        }
        assert_eq!(trace, expected, "{missed:?}");
    }
}

/// What the next tick's deadline is, if one of 10 is taken at that time.
#[test]
fn no_tick_is_missed_before_the_next_one_is_due() {
    for (taken, expected) in [
        (10, [20, 20, 20]),
        (13, [20, 20, 20]),
        (20, [20, 20, 20]),
        (21, [20, 31, 30]),
        (30, [20, 40, 30]),
    ] {
        let missed = [MissedTicks::Burst, MissedTicks::Delay, MissedTicks::Skip];
        let next = missed.map(|missed| {
            let clock = Clock::manual();
            let start = clock.now();
            let timers = LocalTimers::new(clock.clone());
            let mut interval = timers.interval(10 * MS).missed_ticks(missed);
            assert!(poll_once(&mut pin!(interval.tick())).is_pending());
            clock.advance(taken * MS);
            timers.fire();
            assert!(poll_once(&mut pin!(interval.tick())).is_ready());
            (interval.deadline() - start).as_millis()
        });
        assert_eq!(next, expected, "taken at {taken}");
    }
}

#[test]
fn no_duration_is_too_long() {
    let clock = Clock::manual();
    let timers = LocalTimers::new(clock.clone());
    let mut never = timers.sleep(Duration::MAX);
    assert!(poll_once(&mut never).is_pending());
    assert!(never.deadline() > clock.now());
    never.reset_after(Duration::MAX);
    let mut interval = timers.interval(Duration::MAX);
    assert!(poll_once(&mut pin!(interval.tick())).is_pending());
    let mut timeout = pin!(timers.timeout(Duration::MAX, pending::<()>()));
    assert!(poll_once(&mut timeout).is_pending());
    let mut slack = timers.sleep(MS).slack(Duration::MAX);
    assert!(poll_once(&mut slack).is_pending());
    clock.advance(Duration::from_secs(100 * 365 * 24 * 3600));
    assert_eq!(timers.fire(), 0);
}
