//! Pools of threads for work that blocks: what it costs to hand over a job that does nothing.

use ::futures::future::join_all;
use futures_lite::future::block_on;

use crate::roster::{OnPool, Shape};
use crate::runtime::Pool;
use crate::workload::{Invalid, Measured, Pass, Scale, expect_count};

/// Hands over and back, one at a time.
pub struct One;

impl Shape for One {
    const ABOUT: &str = "1,000 jobs, each awaited before the next";
    const UNIT: &str = "ns/job";
}

impl OnPool for One {
    fn pass<P: Pool>(scale: Scale) -> Result<Pass, Invalid> {
        let pool = P::new();
        let jobs = scale.of(1_000, 5) as u64;
        Ok(Box::new(move || {
            Measured::time(jobs, || {
                let sum = block_on(async {
                    let mut sum = 0;
                    for number in 0..jobs {
                        sum += pool.run(number).await;
                    }
                    sum
                });
                expect_count("as the sum", sum, jobs * (jobs - 1) / 2)
            })
        }))
    }
}

/// Hands over all jobs before any is awaited, as far as the pool takes them.
fn burst<P: Pool>(pool: &P, jobs: u64) -> u64 {
    let all = join_all((0..jobs).map(|number| pool.run(number)));
    block_on(all).into_iter().sum()
}

/// All at once.
pub struct Burst;

impl Shape for Burst {
    const ABOUT: &str = "10,000 jobs at once";
    const UNIT: &str = "ns/job";
}

impl OnPool for Burst {
    fn pass<P: Pool>(scale: Scale) -> Result<Pass, Invalid> {
        let pool = P::new();
        let jobs = scale.of(10_000, 5) as u64;
        Ok(Box::new(move || {
            Measured::time(jobs, || {
                expect_count("as the sum", burst(&pool, jobs), jobs * (jobs - 1) / 2)
            })
        }))
    }
}

/// All at once from two threads.
pub struct Two;

impl Shape for Two {
    const ABOUT: &str = "two threads with 5,000 jobs each";
    const UNIT: &str = "ns/job";
}

impl OnPool for Two {
    fn pass<P: Pool>(scale: Scale) -> Result<Pass, Invalid> {
        let pool = P::new();
        let jobs = scale.of(5_000, 5) as u64;
        Ok(Box::new(move || {
            Measured::time(2 * jobs, || {
                let sum = std::thread::scope(|scope| {
                    let other = scope.spawn(|| {
                        let all = join_all((0..jobs).map(|number| pool.run(number)));
                        block_on(all).into_iter().sum::<u64>()
                    });
                    burst(&pool, jobs) + other.join().expect("a job of the workload failed")
                });
                expect_count("as the sum", sum, jobs * (jobs - 1))
            })
        }))
    }
}
