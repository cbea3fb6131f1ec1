//! Schedules chosen by a seed: the same again for the same seed, another for another.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use executor::{LocalExecutor, yield_now};

/// A seed's choice among the tasks that are ready.
fn choices(seed: u64) -> impl FnMut(usize) -> usize {
    let mut random = fastrand::Rng::with_seed(seed);
    move |ready| random.usize(..ready)
}

/// Three tasks of three steps, in the order a seed gives.
fn trace(seed: u64) -> Vec<(char, u32)> {
    let trace = Rc::new(RefCell::new(Vec::new()));
    let executor = LocalExecutor::builder().order(choices(seed)).build();
    for name in ['a', 'b', 'c'] {
        let trace = trace.clone();
        executor.spawn(async move {
            for step in 0..3 {
                trace.borrow_mut().push((name, step));
                yield_now().await;
            }
        });
    }
    while executor.run_batch() {}
    trace.take()
}

#[test]
fn the_same_seed_is_the_same_schedule() {
    for seed in 0..100 {
        assert_eq!(trace(seed), trace(seed));
    }
}

#[test]
fn seeds_reach_many_schedules_and_each_runs_every_step_once_in_order() {
    let mut schedules = HashSet::new();
    for seed in 0..1_000 {
        let trace = trace(seed);
        for name in ['a', 'b', 'c'] {
            let steps: Vec<u32> = trace
                .iter()
                .filter(|step| step.0 == name)
                .map(|step| step.1)
                .collect();
            assert_eq!(steps, [0, 1, 2]);
        }
        schedules.insert(trace);
    }
    // In a batch of three, six orders; tasks that yield come again in the next batch.
    assert!(schedules.len() > 100, "only {} schedules", schedules.len());
}

#[test]
fn an_index_too_large_means_the_newest() {
    let trace = Rc::new(RefCell::new(Vec::new()));
    let executor = LocalExecutor::builder().order(|_| usize::MAX).build();
    for name in 0..3 {
        let trace = trace.clone();
        executor.spawn(async move { trace.borrow_mut().push(name) });
    }
    executor.run_batch();
    assert_eq!(*trace.borrow(), [2, 1, 0]);
}
