//! Work that several workers can share out among themselves: what a worker more is worth.

use std::hint::black_box;

use super::local::sum_of;
use crate::roster::{OnThreads, Shape};
use crate::runtime::{Spawn, Threaded};
use crate::workload::{Invalid, Measured, Pass, Scale, expect_count};

/// Tasks that compute: with the cores to run them, twice the workers take half the time.
pub struct Compute;

impl Shape for Compute {
    const ABOUT: &str =
        "a worker spawns 1,000 tasks that compute for some 10 us each and joins them";
    const UNIT: &str = "ns/task";
}

impl OnThreads for Compute {
    fn pass<R: Threaded>(scale: Scale, workers: usize) -> Result<Pass, Invalid> {
        let runtime = R::new(workers);
        let tasks = scale.of(1_000, 10) as u64;
        let steps = scale.of(5_000, 10);
        let spawner = runtime.spawner();
        let right = (0..tasks).map(|number| compute(number, steps)).sum();
        Ok(Box::new(move || {
            Measured::time(tasks, || {
                let own = spawner.clone();
                let share_out = async move {
                    let spawn = |number| own.spawn(async move { compute(number, steps) });
                    let joins: Vec<_> = (0..tasks).map(spawn).collect();
                    sum_of(joins).await
                };
                let sum = runtime.block_on(async { spawner.spawn(share_out).await });
                expect_count("as the sum", sum, right)
            })
        }))
    }
}

/// A chain of steps, each of which needs the one before: two nanoseconds a step or so.
fn compute(seed: u64, steps: usize) -> u64 {
    let mut number = black_box(seed | 1);
    for _ in 0..steps {
        number ^= number << 13;
        number ^= number >> 7;
        number ^= number << 17;
    }
    number >> 32 // so that a thousand of them can be summed
}
