//! What an executor on several threads does among its own: the shapes and sizes of tokio's
//! `rt_multi_threaded` benchmarks, and spawning from a worker.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Relaxed};

use ::futures::channel::oneshot;

use super::local::{exchange, sum_of};
use crate::roster::{OnThreads, Shape};
use crate::runtime::{Spawn, Threaded};
use crate::workload::{Invalid, Measured, Pass, Scale, expect_count};

/// Counts down; whoever brings it to zero sends the news.
pub(super) struct Countdown {
    left: AtomicU64,
    news: Mutex<Option<oneshot::Sender<()>>>,
}

impl Countdown {
    pub(super) fn new(from: u64) -> (Arc<Self>, oneshot::Receiver<()>) {
        let (news, received) = oneshot::channel();
        (
            Arc::new(Self {
                left: AtomicU64::new(from),
                news: Mutex::new(Some(news)),
            }),
            received,
        )
    }

    /// Takes one off; whether that was the last.
    pub(super) fn one_less(&self) -> bool {
        let last = self.left.fetch_sub(1, AcqRel) == 1;
        if last {
            let news = self.news.lock().expect("nobody panics here").take();
            news.expect("zero is reached once")
                .send(())
                .expect("somebody waits for the news");
        }
        last
    }

    pub(super) fn verify(&self, received: Result<(), oneshot::Canceled>) -> Result<(), Invalid> {
        received.map_err(|_| Invalid("the last task was lost".into()))?;
        expect_count("tasks left", self.left.load(Relaxed), 0)
    }
}

/// Runs what `start` spawns until `tasks` of them have counted down; nobody may be left out.
fn until_zero<R: Threaded>(
    runtime: &R,
    tasks: u64,
    start: impl FnOnce(&Arc<Countdown>),
) -> Result<(), Invalid> {
    let (countdown, done) = Countdown::new(tasks);
    let received = runtime.block_on(async {
        start(&countdown);
        done.await
    });
    countdown.verify(received)
}

/// Tasks that nobody joins.
pub struct SpawnMany<const FROM_WORKER: bool>;

impl<const FROM_WORKER: bool> Shape for SpawnMany<FROM_WORKER> {
    const ABOUT: &str =
        "10,000 tasks spawned from one place; the last to run says that all are done";
    const UNIT: &str = "ns/task";
}

impl<const FROM_WORKER: bool> OnThreads for SpawnMany<FROM_WORKER> {
    fn pass<R: Threaded>(scale: Scale, workers: usize) -> Result<Pass, Invalid> {
        let runtime = R::new(workers);
        let tasks = scale.of(10_000, 10) as u64;
        let spawner = runtime.spawner();
        Ok(Box::new(move || {
            Measured::time(tasks, || {
                until_zero(&runtime, tasks, |countdown| {
                    if FROM_WORKER {
                        let (own, countdown) = (spawner.clone(), Arc::clone(countdown));
                        spawner.detach(async move { spawn_all(&own, tasks, &countdown) });
                    } else {
                        spawn_all(&spawner, tasks, countdown);
                    }
                })
            })
        }))
    }
}

fn spawn_all<S: Spawn>(spawner: &S, tasks: u64, countdown: &Arc<Countdown>) {
    for _ in 0..tasks {
        let countdown = Arc::clone(countdown);
        spawner.detach(async move {
            countdown.one_less();
        });
    }
}

/// Many tasks, then all their outputs.
pub struct SpawnJoin;

impl Shape for SpawnJoin {
    const ABOUT: &str = "a worker spawns 10,000 and joins them";
    const UNIT: &str = "ns/task";
}

impl OnThreads for SpawnJoin {
    fn pass<R: Threaded>(scale: Scale, workers: usize) -> Result<Pass, Invalid> {
        let runtime = R::new(workers);
        let tasks = scale.of(10_000, 10) as u64;
        let spawner = runtime.spawner();
        Ok(Box::new(move || {
            Measured::time(tasks, || {
                let own = spawner.clone();
                let spawn_and_join = async move {
                    let spawn = |number| own.spawn(async move { number });
                    let joins: Vec<_> = (0..tasks).map(spawn).collect();
                    sum_of(joins).await
                };
                let sum = runtime.block_on(async { spawner.spawn(spawn_and_join).await });
                expect_count("as the sum", sum, tasks * (tasks - 1) / 2)
            })
        }))
    }
}

/// Tasks that make way for one another.
pub struct Yield;

impl Shape for Yield {
    const ABOUT: &str = "200 tasks yield 1,000 times each";
    const UNIT: &str = "ns/yield";
}

impl OnThreads for Yield {
    fn pass<R: Threaded>(scale: Scale, workers: usize) -> Result<Pass, Invalid> {
        let runtime = R::new(workers);
        let tasks = scale.of(200, 3) as u64;
        let yields = scale.of(1_000, 5) as u64;
        let spawner = runtime.spawner();
        Ok(Box::new(move || {
            Measured::time(tasks * yields, || {
                until_zero(&runtime, tasks, |countdown| {
                    for _ in 0..tasks {
                        let (own, countdown) = (spawner.clone(), Arc::clone(countdown));
                        spawner.detach(async move {
                            for _ in 0..yields {
                                own.yield_now().await;
                            }
                            countdown.one_less();
                        });
                    }
                })
            })
        }))
    }
}

/// Tasks that wake one another.
pub struct PingPong;

impl Shape for PingPong {
    const ABOUT: &str = "1,000 pairs of tasks exchange a ping";
    const UNIT: &str = "ns/pair";
}

impl OnThreads for PingPong {
    fn pass<R: Threaded>(scale: Scale, workers: usize) -> Result<Pass, Invalid> {
        let runtime = R::new(workers);
        let pairs = scale.of(1_000, 3) as u64;
        let spawner = runtime.spawner();
        Ok(Box::new(move || {
            Measured::time(pairs, || {
                until_zero(&runtime, pairs, |countdown| {
                    let (own, countdown) = (spawner.clone(), Arc::clone(countdown));
                    spawner.detach(async move {
                        for _ in 0..pairs {
                            pair(&own, Arc::clone(&countdown));
                        }
                    });
                })
            })
        }))
    }
}

fn pair<S: Spawn>(spawner: &S, countdown: Arc<Countdown>) {
    let own = spawner.clone();
    spawner.detach(async move {
        let (asks, answers) = exchange();
        own.detach(answers);
        asks.await;
        countdown.one_less();
    });
}

/// Tasks that start their like.
pub struct ChainedSpawn;

fn link<S: Spawn>(spawner: S, countdown: Arc<Countdown>) {
    let own = spawner.clone();
    spawner.detach(async move {
        if !countdown.one_less() {
            link(own, countdown);
        }
    });
}

impl Shape for ChainedSpawn {
    const ABOUT: &str = "each task spawns the next, 1,000 deep";
    const UNIT: &str = "ns/task";
}

impl OnThreads for ChainedSpawn {
    fn pass<R: Threaded>(scale: Scale, workers: usize) -> Result<Pass, Invalid> {
        let runtime = R::new(workers);
        let links = scale.of(1_000, 10) as u64;
        let spawner = runtime.spawner();
        Ok(Box::new(move || {
            Measured::time(links, || {
                until_zero(&runtime, links, |countdown| {
                    link(spawner.clone(), Arc::clone(countdown));
                })
            })
        }))
    }
}
