//! Mistakes that timer wheels are known for, each as a test on the wheel alone.

use std::panic::{AssertUnwindSafe, catch_unwind};

use timers::{Key, Wheel};

/// tokio once hung after twelve days, when a level of its wheel came round (tokio#8334). Here each
/// level's boundary is crossed with timers on both sides of it, tick by tick.
#[test]
fn no_level_loses_a_timer_where_it_wraps() {
    for level in 0..11 {
        let boundary = 1u64.checked_shl(6 * (level + 1)).unwrap_or(u64::MAX - 200);
        let start = boundary - 3;
        let mut wheel = Wheel::starting_at(start);
        let offsets = [1, 2, 3, 4, 5, 66, 67, 130];
        for offset in offsets {
            wheel.insert(start + offset, offset);
        }
        let mut fired = Vec::new();
        for now in start..=start + 130 {
            wheel.advance(now, |wheel, due| {
                assert_eq!((wheel.now(), due.deadline), (now, now));
                fired.push(due.value);
            });
        }
        assert_eq!(fired, offsets, "level {level}");
    }
}

/// A year of uptime in ticks of a millisecond, with a timer that is always twelve days off.
#[test]
fn a_year_of_rearming_goes_from_deadline_to_deadline() {
    const DAY: u64 = 24 * 3600 * 1000;
    let mut wheel = Wheel::new();
    wheel.insert(12 * DAY + 7, 0u32);
    let mut turns = 0;
    while let Some(next) = wheel.next_deadline().filter(|next| *next < 365 * DAY) {
        turns += 1;
        wheel.advance(next, |wheel, due| {
            assert_eq!(due.deadline, next);
            wheel.insert(next + 12 * DAY + 7, due.value + 1);
        });
    }
    assert_eq!(turns, 30, "one turn a deadline: none for cascades");
    assert_eq!(wheel.drain().next().unwrap().1, 30);
}

#[test]
fn both_ends_of_time_are_deadlines_like_others() {
    let mut wheel = Wheel::new();
    wheel.insert(0, "zero");
    wheel.insert(u64::MAX, "last");
    wheel.insert(u64::MAX - 1, "last but one");
    let mut fired = Vec::new();
    assert_eq!(wheel.next_deadline(), Some(0));
    wheel.advance(0, |_, due| fired.push(due.value));
    assert_eq!(
        (fired.as_slice(), wheel.next_deadline()),
        (&["zero"][..], Some(u64::MAX - 1))
    );
    wheel.advance(u64::MAX, |_, due| fired.push(due.value));
    assert_eq!(fired, ["zero", "last but one", "last"]);
    wheel.insert(u64::MAX, "after the end");
    assert_eq!(wheel.advance(u64::MAX, |_, _| ()), 1);
}

#[test]
fn a_callback_that_inserts_for_now_does_not_hold_up_the_turn() {
    let mut wheel = Wheel::new();
    for (start, steps) in [(10, "on time"), (20, "when it comes late")] {
        wheel.insert(10, steps);
        for turn in 0..3 {
            let again = |wheel: &mut Wheel<_>, due: timers::Due<_>| {
                wheel.insert(wheel.now(), due.value);
                wheel.insert(0, due.value);
            };
            // bounded, so that the mistake is a failure and not a hang
            let fired = wheel.advance_at_most(start, 1_000, again);
            assert_eq!(
                fired,
                1 << turn,
                "{steps}: only what was there when the turn began"
            );
        }
        wheel.drain().for_each(drop);
    }
}

/// Its slot is still in use then: the timer must not join those that are being fired out of it.
#[test]
fn what_a_callback_inserts_for_now_waits_although_others_of_now_are_still_to_fire() {
    let mut wheel = Wheel::new();
    for value in 0..5 {
        wheel.insert(10, value);
    }
    let mut fired = Vec::new();
    let mut turn = |wheel: &mut Wheel<u64>| {
        fired.clear();
        wheel.advance(10, |wheel, due| {
            fired.push(due.value);
            if due.value < 5 {
                wheel.insert(10, due.value + 5);
            }
        });
        fired.clone()
    };
    assert_eq!(turn(&mut wheel), [0, 1, 2, 3, 4]);
    assert_eq!(turn(&mut wheel), [5, 6, 7, 8, 9]);
    assert_eq!(wheel.next_deadline(), None);
}

#[test]
fn reserving_makes_room_ahead() {
    let mut wheel = Wheel::<u64>::new();
    wheel.reserve(5_000);
    let room = wheel.capacity();
    assert!(room >= 5_000);
    for n in 0..5_000 {
        wheel.insert(n, n);
    }
    assert_eq!(wheel.capacity(), room);
}

#[test]
fn more_room_than_there_can_be_is_refused_at_once() {
    let mut wheel = Wheel::<u64>::new();
    wheel.insert(7, 7);
    for much in [u32::MAX as usize, usize::MAX] {
        catch_unwind(AssertUnwindSafe(|| wheel.reserve(much))).unwrap_err();
    }
    assert!(wheel.capacity() < 5_000, "nothing was allocated");
    assert_eq!(wheel.pop(7).map(|due| due.value), Some(7));
}

#[test]
fn what_a_callback_inserts_within_the_turn_fires_in_its_place() {
    let mut wheel = Wheel::new();
    wheel.insert(10, 10);
    wheel.insert(25, 25);
    let mut fired = Vec::new();
    wheel.advance(50, |wheel, due| {
        fired.push(due.value);
        if due.value % 10 == 0 {
            wheel.insert(due.value + 10, due.value + 10);
        }
    });
    assert_eq!(fired, [10, 20, 25, 30, 40, 50]);
    assert_eq!(wheel.next_deadline(), Some(60));
}

#[test]
fn a_callback_may_cancel_any_other_timer() {
    for victim in [0, 1, 2, 3, 40, 98, 99] {
        let mut wheel = Wheel::new();
        let mut keys: Vec<Key> = (0..100).map(|n| wheel.insert(7, n)).collect();
        keys.push(wheel.insert(5_000, 100));
        let mut fired = Vec::new();
        wheel.advance(7, |wheel, due| {
            fired.push(due.value);
            assert_eq!(wheel.cancel(due.key), None, "it is out already");
            if due.value == 1 {
                let expected = (victim > 1).then_some(victim);
                assert_eq!(wheel.cancel(keys[victim]), expected);
                assert_eq!(wheel.cancel(keys[100]), Some(100));
            }
        });
        let expected: Vec<_> = (0..100).filter(|&n| n <= 1 || n != victim).collect();
        assert_eq!(fired, expected);
        assert!(wheel.is_empty() && wheel.next_deadline().is_none());
    }
}

#[test]
fn a_callback_may_reschedule_any_other_timer() {
    for (to, expected) in [(5, "01432"), (7, "01234"), (8, "01342"), (90, "0134")] {
        let mut wheel = Wheel::new();
        let keys: Vec<Key> = (0..5).map(|n| wheel.insert(7, n)).collect();
        let mut fired = String::new();
        let mut turn = |wheel: &mut Wheel<usize>, now| {
            wheel.advance(now, |wheel, due| {
                fired += &due.value.to_string();
                if due.value == 1 {
                    assert!(wheel.reschedule(keys[2], to));
                }
            })
        };
        turn(&mut wheel, 7);
        turn(&mut wheel, 8);
        let mut fired: Vec<char> = fired.chars().collect();
        if to <= 7 {
            fired.sort_unstable(); // the order among equals is not promised after a reschedule
            assert_eq!(fired, ['0', '1', '2', '3', '4']);
        } else {
            assert_eq!(fired.iter().collect::<String>(), expected, "{to}");
        }
    }
}

#[test]
fn a_callback_that_panics_loses_only_its_own_timer() {
    let mut wheel = Wheel::new();
    for n in 0..100 {
        wheel.insert(1 + n / 10, n);
    }
    wheel.insert(0, 100);
    let mut fired = Vec::new();
    let panics = catch_unwind(AssertUnwindSafe(|| {
        wheel.advance(50, |_, due| {
            fired.push(due.value);
            assert_ne!(due.value, 33);
        })
    }));
    assert!(panics.is_err());
    assert_eq!(wheel.len(), 66);
    assert!(
        wheel.next_deadline().unwrap() <= 50,
        "the rest is still due"
    );
    wheel.advance(50, |_, due| fired.push(due.value));
    let in_order: Vec<u64> = [100].into_iter().chain(0..100).collect();
    assert_eq!(fired, in_order);
}

#[test]
fn bounded_turns_do_the_same_work_in_pieces() {
    let mut wheel = Wheel::new();
    for n in 0..1_000u64 {
        wheel.insert(5_000 + n % 7, n);
    }
    let (mut fired, mut turns) = (0, 0);
    while fired < 1_000 {
        turns += 1;
        let now = wheel.advance_at_most(6_000, 50, |_, _| ());
        assert!(now <= 50, "no more than the steps allowed");
        fired += now;
        assert!(
            fired == 1_000 || wheel.next_deadline().unwrap() <= 6_000,
            "work is left"
        );
    }
    assert!(turns >= 20 && wheel.is_empty());
}

#[test]
fn a_turn_left_off_does_not_keep_an_empty_wheel_busy() {
    for steps in 1..200 {
        let mut wheel = Wheel::new();
        let keys: Vec<Key> = (0..100).map(|n| wheel.insert(5_000 + n, n)).collect();
        wheel.advance_at_most(5_050, steps, |_, _| ());
        let left = wheel.len();
        assert_eq!(
            keys.iter().filter_map(|&key| wheel.cancel(key)).count(),
            left
        );
        assert_eq!(wheel.next_deadline(), None, "{steps}");
        wheel.insert(5_060, 1);
        assert_eq!(wheel.advance(5_059, |_, _| ()), 0);
        assert_eq!(wheel.advance(5_060, |_, _| ()), 1, "{steps}");
        assert_eq!((wheel.now(), wheel.next_deadline()), (5_060, None));
    }
}

/// The keep-alive: put off with every message, it must fire once, after the last.
#[test]
fn a_timer_put_off_again_and_again_fires_once_and_on_time() {
    let mut wheel = Wheel::new();
    let keep_alive = wheel.insert(30_000, ());
    let mut spurious = 0;
    for message in 1..=100_000u64 {
        if wheel.next_deadline().is_some_and(|next| next <= message) {
            spurious += 1;
        }
        assert_eq!(wheel.advance(message, |_, _| ()), 0, "{message}");
        assert!(wheel.reschedule(keep_alive, message + 30_000));
    }
    assert!(spurious < 100_000 / 1_000, "it moves on rarely: {spurious}");
    assert_eq!(wheel.advance(129_999, |_, _| ()), 0);
    assert_eq!(wheel.advance(130_000, |_, _| ()), 1);
}

#[test]
fn time_does_not_go_back() {
    let mut wheel = Wheel::starting_at(100);
    wheel.insert(105, ());
    assert_eq!(wheel.advance(50, |_, _| ()), 0);
    assert_eq!(wheel.now(), 100);
    wheel.insert(60, ());
    assert_eq!(
        wheel.advance(50, |_, _| ()),
        1,
        "what is overdue fires at any time"
    );
    assert_eq!(wheel.pop(104), None);
    assert_eq!(wheel.pop(105).map(|due| due.deadline), Some(105));
}

#[test]
fn a_burst_gives_its_memory_back() {
    let mut wheel = Wheel::new();
    for n in 0..100_000u64 {
        wheel.insert(n % 1_000, n);
    }
    assert!(wheel.capacity() >= 100_000);
    assert_eq!(wheel.advance(1_000, |_, _| ()), 100_000);
    assert_eq!(wheel.capacity(), 0);
    let keys: Vec<Key> = (0..100_000u64)
        .map(|n| wheel.insert(9_000 + n, n))
        .collect();
    assert_eq!(
        keys[10..]
            .iter()
            .filter_map(|&key| wheel.cancel(key))
            .count(),
        99_990
    );
    wheel.shrink_to_fit();
    assert!(wheel.capacity() < 1_000, "also while some wait");
    assert_eq!(wheel.advance(200_000, |_, _| ()), 10);
    assert_eq!(
        keys.iter().filter(|&&key| wheel.get(key).is_some()).count(),
        0
    );
}

#[test]
fn drain_hands_over_everything_and_leaves_a_wheel_that_works() {
    let mut wheel = Wheel::new();
    let keys: Vec<Key> = (0..50).map(|n| wheel.insert(n * n * n, n)).collect();
    wheel.advance(1_000, |_, _| ());
    let mut drained: Vec<(u64, u64)> = wheel.drain().collect();
    drained.sort_unstable();
    assert!(drained.into_iter().eq((11..50).map(|n| (n * n * n, n))));
    assert!(keys.iter().all(|&key| wheel.get(key).is_none()));
    let key = wheel.insert(1_001, 7);
    *wheel.get_mut(key).unwrap() += 1;
    assert_eq!((wheel.len(), wheel.next_deadline()), (1, Some(1_001)));
    assert_eq!(wheel.pop(1_001).map(|due| due.value), Some(8));
}
