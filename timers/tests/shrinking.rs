//! The wheel against a `BTreeMap`, by proptest: fewer sequences than `tests/model.rs` runs, but a
//! failure comes out as short as it can be.

use std::collections::BTreeMap;

use proptest::prelude::*;
use timers::{Key, Wheel};

#[derive(Clone, Debug)]
enum Step {
    Insert(u64),
    Cancel(usize),
    Reschedule(usize, u64),
    Advance(u64),
    AdvanceToNext,
}

/// Distances in ticks, small ones as likely as those of any level.
fn distance() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..4u64,
        0..5_000u64,
        (0..64u32, 0..3u64)
            .prop_map(|(bit, off)| (1u64 << bit).saturating_add(off).wrapping_sub(1)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => distance().prop_map(Step::Insert),
        2 => any::<usize>().prop_map(Step::Cancel),
        2 => (any::<usize>(), distance()).prop_map(|(which, to)| Step::Reschedule(which, to)),
        2 => distance().prop_map(Step::Advance),
        1 => Just(Step::AdvanceToNext),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn equals_a_btree_map_however_it_is_shrunk(
        start in prop_oneof![Just(0), any::<u64>()],
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut wheel = Wheel::starting_at(start);
        let mut model: BTreeMap<usize, (u64, Key)> = BTreeMap::new();
        let mut now = start;
        for (number, step) in steps.into_iter().enumerate() {
            let nth = |which: usize| model.keys().copied().nth(which % model.len().max(1));
            match step {
                Step::Insert(after) => {
                    let deadline = now.saturating_add(after);
                    model.insert(number, (deadline, wheel.insert(deadline, number)));
                }
                Step::Cancel(which) => if let Some(number) = nth(which) {
                    let (_, key) = model.remove(&number).unwrap();
                    prop_assert_eq!(wheel.cancel(key), Some(number));
                    prop_assert_eq!(wheel.cancel(key), None);
                },
                Step::Reschedule(which, after) => if let Some(number) = nth(which) {
                    let deadline = now.saturating_add(after);
                    let (at, key) = model.get_mut(&number).unwrap();
                    prop_assert!(wheel.reschedule(*key, deadline));
                    *at = deadline;
                },
                Step::Advance(by) => now = now.saturating_add(by),
                Step::AdvanceToNext => now = wheel.next_deadline().unwrap_or(now).max(now),
            }
            let mut fired = Vec::new();
            wheel.advance(now, |_, due| fired.push(due.value));
            fired.sort_unstable();
            let due: Vec<usize> =
                model.iter().filter(|(_, (at, _))| *at <= now).map(|(number, _)| *number).collect();
            prop_assert_eq!(fired, due);
            model.retain(|_, (at, _)| *at > now);
            let earliest = model.values().map(|(at, _)| *at).min();
            prop_assert!(wheel.next_deadline() <= earliest);
            prop_assert_eq!(wheel.next_deadline().is_some(), earliest.is_some());
        }
    }
}
