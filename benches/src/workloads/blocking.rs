//! Pools of threads for work that blocks: what it costs to hand over a job that does nothing.

use std::future::Future;

use ::futures::future::join_all;
use executor::BlockingPool;
use tokio::runtime::{Builder, Runtime};

use crate::contest::{
    Better, Contender, Cores, Measured, OURS, Pass, Scale, Workload, expect_count,
};

/// The workloads of this file.
pub const ALL: &[Workload] = &[
    blocking(
        "blocking/one_at_a_time",
        "1,000 jobs, each awaited before the next",
        everyone::<One>,
    ),
    blocking("blocking/burst", "10,000 jobs at once", everyone::<Burst>),
    blocking(
        "blocking/two_producers",
        "two threads with 5,000 jobs each",
        everyone::<Two>,
    ),
];

const fn blocking(
    name: &'static str,
    about: &'static str,
    contenders: fn(Scale) -> Vec<Contender>,
) -> Workload {
    let unit = "ns/job";
    Workload {
        name,
        about,
        unit,
        better: Better::Less,
        cores: Cores::All,
        long: false,
        contenders,
    }
}

/// A pool, with the most threads that its makers give it.
trait Pool: Sync + 'static {
    const NAME: &'static str;
    fn new() -> Self;
    fn run(&self, number: u64) -> impl Future<Output = u64>;
    fn wait<F: Future>(&self, future: F) -> F::Output {
        futures_lite::future::block_on(future)
    }
}

impl Pool for BlockingPool {
    const NAME: &'static str = OURS;

    fn new() -> Self {
        Self::builder().build().expect("threads start")
    }

    async fn run(&self, number: u64) -> u64 {
        Self::run(self, move || number).await.expect("the job ran")
    }
}

impl Pool for Runtime {
    const NAME: &'static str = "tokio";

    fn new() -> Self {
        Builder::new_current_thread().build().expect("tokio starts")
    }

    fn run(&self, number: u64) -> impl Future<Output = u64> {
        let job = self.spawn_blocking(move || number);
        async { job.await.expect("the job ran") }
    }
}

/// smol's pool is one for the process.
struct Smol;

impl Pool for Smol {
    const NAME: &'static str = "smol";

    fn new() -> Self {
        Self
    }

    fn run(&self, number: u64) -> impl Future<Output = u64> {
        blocking::unblock(move || number)
    }
}

trait Shape {
    fn pass<P: Pool>(pool: P, scale: Scale) -> Pass;
}

fn everyone<S: Shape>(scale: Scale) -> Vec<Contender> {
    vec![
        one::<S, BlockingPool>(scale),
        one::<S, Runtime>(scale),
        one::<S, Smol>(scale),
    ]
}

fn one<S: Shape, P: Pool>(scale: Scale) -> Contender {
    Contender::new(P::NAME, move || Ok(S::pass(P::new(), scale)))
}

struct One;

impl Shape for One {
    fn pass<P: Pool>(pool: P, scale: Scale) -> Pass {
        let jobs = scale.of(1_000, 5) as u64;
        Box::new(move || {
            Measured::time(jobs, || {
                let sum = pool.wait(async {
                    let mut sum = 0;
                    for number in 0..jobs {
                        sum += pool.run(number).await;
                    }
                    sum
                });
                expect_count("as the sum", sum, jobs * (jobs - 1) / 2)
            })
        })
    }
}

/// Hands over all jobs before any is awaited, as far as the pool takes them.
fn burst<P: Pool>(pool: &P, jobs: u64) -> u64 {
    let all = join_all((0..jobs).map(|number| pool.run(number)));
    pool.wait(all).into_iter().sum()
}

struct Burst;

impl Shape for Burst {
    fn pass<P: Pool>(pool: P, scale: Scale) -> Pass {
        let jobs = scale.of(10_000, 5) as u64;
        Box::new(move || {
            Measured::time(jobs, || {
                expect_count("as the sum", burst(&pool, jobs), jobs * (jobs - 1) / 2)
            })
        })
    }
}

struct Two;

impl Shape for Two {
    fn pass<P: Pool>(pool: P, scale: Scale) -> Pass {
        let jobs = scale.of(5_000, 5) as u64;
        Box::new(move || {
            Measured::time(2 * jobs, || {
                let sum = std::thread::scope(|scope| {
                    let other = scope.spawn(|| {
                        let all = join_all((0..jobs).map(|number| pool.run(number)));
                        futures_lite::future::block_on(all).into_iter().sum::<u64>()
                    });
                    burst(&pool, jobs) + other.join().expect("a job of the workload failed")
                });
                expect_count("as the sum", sum, jobs * (jobs - 1))
            })
        })
    }
}
