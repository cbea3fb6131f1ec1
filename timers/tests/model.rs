//! The wheel against a model that is plainly right: a `BTreeMap`.
//!
//! Each sequence runs the same operations on both and compares every answer. Deadlines and clock
//! jumps are chosen to hit the boundaries of all levels, both ends of time, and each other.
//!
//! `cargo test` runs a slice; the long run is
//! `SEQUENCES=10000000 cargo test --release -p handrolled-timers --test model`.

use std::collections::BTreeMap;

use fastrand::Rng;
use timers::{Key, Wheel};

/// A tick at or around `now`, of any magnitude, often on a boundary.
fn tick(random: &mut Rng, now: u64) -> u64 {
    let magnitude = 1u64 << random.u32(..64);
    let near = now.saturating_add(random.u64(..magnitude));
    let boundary = now
        .checked_add(magnitude)
        .map_or(u64::MAX, |up| up & !(magnitude - 1));
    match random.u32(..16) {
        0 => 0,
        1 => u64::MAX,
        2 => u64::MAX - random.u64(..130),
        3 => now,
        4 => now.saturating_sub(random.u64(..100)),
        5 | 6 => boundary,
        7 => boundary.saturating_sub(1),
        8 => boundary.saturating_add(1),
        9..=12 => now.saturating_add(random.u64(..200)),
        _ => near,
    }
}

/// What the wheel should do. A timer's place is its deadline, then when it was inserted.
#[derive(Default)]
struct Model {
    now: u64,
    inserted: u64,
    timers: BTreeMap<(u64, u64), Key>,
    live: Vec<(Key, (u64, u64))>,
    dead: Vec<Key>,
    /// Deadlines for which the order within a tick is not promised: something was rescheduled.
    disordered: bool,
}

impl Model {
    fn insert(&mut self, deadline: u64, key: Key) {
        self.inserted += 1;
        self.timers.insert((deadline, self.inserted), key);
        self.live.push((key, (deadline, self.inserted)));
    }

    fn remove(&mut self, index: usize) -> (Key, (u64, u64)) {
        let (key, place) = self.live.swap_remove(index);
        self.timers.remove(&place);
        self.dead.push(key);
        (key, place)
    }
}

fn sequence(seed: u64) {
    let mut random = Rng::with_seed(seed);
    let now = match random.u64(..4) {
        0 => 0,
        1 => u64::MAX - random.u64(..5_000),
        2 => (1 << random.u64(..64)) - 1,
        _ => random.u64(..),
    };
    let mut wheel = Wheel::starting_at(now);
    let mut model = Model {
        now,
        ..Model::default()
    };
    for step in 0..random.u64(..48) {
        let live = model.live.len() as u64;
        match random.u64(..12) {
            0..=4 => {
                let deadline = tick(&mut random, model.now);
                let key = wheel.insert(deadline, step);
                model.insert(deadline, key);
                assert_eq!(wheel.deadline(key), Some(deadline));
                assert_eq!(wheel.get(key), Some(&step));
            }
            5 | 6 if live > 0 => {
                let (key, _) = model.remove(random.u64(..live) as usize);
                assert!(wheel.cancel(key).is_some());
            }
            7 | 8 if live > 0 => {
                let deadline = tick(&mut random, model.now);
                let (key, place) = &mut model.live[random.u64(..live) as usize];
                assert!(wheel.reschedule(*key, deadline));
                model.timers.remove(place);
                place.0 = deadline;
                model.timers.insert(*place, *key);
                model.disordered = true;
            }
            9 if !model.dead.is_empty() => {
                let key = model.dead[random.u64(..model.dead.len() as u64) as usize];
                assert_eq!(wheel.cancel(key), None);
                assert!(!wheel.reschedule(key, 0));
                assert_eq!(wheel.get(key), None);
            }
            _ => advance(&mut wheel, &mut model, &mut random),
        }
        check(&wheel, &model);
    }
    let mut left: Vec<u64> = wheel.drain().map(|(deadline, _)| deadline).collect();
    left.sort_unstable();
    assert!(
        left.into_iter()
            .eq(model.timers.keys().map(|place| place.0))
    );
    assert!(wheel.is_empty() && wheel.next_deadline().is_none());
}

/// One turn, whole or in bounded pieces, possibly to just the next deadline.
fn advance(wheel: &mut Wheel<u64>, model: &mut Model, random: &mut Rng) {
    let to = match (random.u64(..3), wheel.next_deadline()) {
        (0, Some(next)) => next,
        _ => tick(random, model.now),
    };
    let overdue_up_to = model.now;
    model.now = model.now.max(to);
    let mut fired = Vec::new();
    let pieces = if random.u64(..3) == 0 {
        1 + random.u64(..3) as usize
    } else {
        usize::MAX
    };
    loop {
        wheel.advance_at_most(to, pieces, |_, due| fired.push((due.deadline, due.key)));
        if wheel.next_deadline().is_none_or(|next| next > model.now) && wheel.now() >= to {
            break;
        }
    }
    let later = model.timers.split_off(&(model.now, u64::MAX));
    let due = std::mem::replace(&mut model.timers, later);
    // what was overdue when it came fires first, in the order it came
    let (mut overdue, mut expected): (Vec<_>, Vec<_>) = due
        .into_iter()
        .partition(|((deadline, _), _)| *deadline <= overdue_up_to);
    overdue.sort_by_key(|((_, inserted), _)| *inserted);
    let on_time = overdue.len();
    overdue.append(&mut expected);
    let expected: Vec<_> = overdue
        .into_iter()
        .map(|((at, _), key)| (at, key))
        .collect();
    if model.disordered {
        let deadlines = |list: &[(u64, Key)]| list.iter().map(|at| at.0).collect::<Vec<_>>();
        assert_eq!(
            deadlines(&fired)[on_time..],
            deadlines(&expected)[on_time..]
        );
        let sorted = |mut list: Vec<(u64, Key)>| {
            list.sort_by_key(|(at, key)| (*at, format!("{key:?}")));
            list
        };
        assert_eq!(sorted(fired.clone()), sorted(expected));
    } else {
        assert_eq!(fired, expected);
    }
    for (_, key) in fired {
        let index = model
            .live
            .iter()
            .position(|(live, _)| *live == key)
            .unwrap();
        model.live.swap_remove(index);
        model.dead.push(key);
    }
}

fn check(wheel: &Wheel<u64>, model: &Model) {
    assert_eq!(wheel.len(), model.timers.len());
    assert_eq!(wheel.now(), model.now);
    let earliest = model
        .timers
        .keys()
        .next()
        .map(|place| place.0.max(model.now));
    let next = wheel.next_deadline();
    assert_eq!(next.is_some(), earliest.is_some());
    assert!(
        next <= earliest,
        "a loop that waits until {next:?} is late for {earliest:?}"
    );
    if model.dead.is_empty() && !model.disordered {
        assert_eq!(next, earliest, "exact while nothing was cancelled or moved");
    }
}

#[test]
fn equals_a_btree_map() {
    let sequences = std::env::var("SEQUENCES").map_or(20_000, |n| n.parse().unwrap());
    let seed = std::env::var("SEED").map_or(1, |n| n.parse().unwrap());
    for n in 0..sequences {
        let seed = Rng::with_seed(seed ^ n).u64(..);
        let run = std::panic::catch_unwind(|| sequence(seed));
        if let Err(panic) = run {
            eprintln!("sequence {n} (its own seed: {seed})");
            std::panic::resume_unwind(panic);
        }
    }
}

/// Tens of thousands of timers at once: pages fill, thin out and are merged, and memory is given
/// back, none of which short sequences reach.
#[test]
fn equals_a_btree_map_with_many_timers() {
    for seed in 1..=8 {
        let mut random = Rng::with_seed(seed);
        let mut wheel = Wheel::new();
        let mut model = BTreeMap::new();
        let mut keys: Vec<(Key, u64)> = Vec::new();
        let mut now = 0;
        for number in 0..60_000u64 {
            // waves: mostly insertions, then mostly cancels
            let growing = number % 20_000 < 12_000;
            if growing == (random.u64(..8) > 0) {
                let magnitude = 8 + random.u64(..12);
                let deadline = now + 1 + random.u64(..1 << magnitude);
                let key = wheel.insert(deadline, number);
                model.insert((deadline, number), key);
                keys.push((key, number));
            } else if !keys.is_empty() {
                let (key, number) = keys.swap_remove(random.u64(..keys.len() as u64) as usize);
                let deadline = wheel.deadline(key);
                assert_eq!(wheel.cancel(key), deadline.map(|_| number));
                let modelled = deadline.and_then(|at| model.remove(&(at, number)));
                assert_eq!(modelled, deadline.map(|_| key));
            }
            if random.u64(..50) == 0 {
                now += random.u64(..30);
                let later = model.split_off(&(now, u64::MAX));
                let due = std::mem::replace(&mut model, later);
                let mut fired = Vec::new();
                wheel.advance(now, |_, due| fired.push((due.deadline, due.value)));
                assert!(fired.into_iter().eq(due.into_keys()), "all, and in order");
            }
            assert_eq!(wheel.len(), model.len());
        }
        wheel.advance(u64::MAX, |_, due| {
            assert!(model.remove(&(due.deadline, due.value)).is_some());
        });
        assert!(model.is_empty() && wheel.capacity() == 0);
    }
}
