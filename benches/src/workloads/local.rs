//! What an executor on one thread does all day: spawn, wake, poll, join. No I/O, no time.
//!
//! `spawn_many_local`, `yield`, `ping_pong` and `chained_spawn` have the shapes and sizes that
//! tokio's own benchmarks of those names have.

use std::cell::Cell;
use std::rc::Rc;

use ::futures::channel::oneshot;

use crate::roster::{OnLocal, Shape};
use crate::runtime::{Local, LocalSpawn};
use crate::workload::{Invalid, Measured, Pass, Scale, expect_count};

/// Joins them one after the other.
pub(super) async fn sum_of<J: Future<Output = u64>>(joins: impl IntoIterator<Item = J>) -> u64 {
    let mut sum = 0;
    for join in joins {
        sum += join.await;
    }
    sum
}

/// Many tasks, then all their outputs; again and again if they are few.
pub struct SpawnJoin<const TASKS: usize>;

impl<const TASKS: usize> Shape for SpawnJoin<TASKS> {
    const ABOUT: &str = "spawn tasks (10,000, or as many as the name says), then join them all";
    const UNIT: &str = "ns/task";
}

impl<const TASKS: usize> OnLocal for SpawnJoin<TASKS> {
    fn pass<R: Local>(scale: Scale) -> Result<Pass, Invalid> {
        let mut runtime = R::new();
        let tasks = scale.of(TASKS, 10) as u64;
        let times = scale.of(1_000 / TASKS, 1).max(1) as u64;
        let spawner = runtime.spawner();
        let mut joins = Vec::with_capacity(tasks as usize);
        Ok(Box::new(move || {
            Measured::cpu(times * tasks, || {
                for _ in 0..times {
                    let sum = runtime.block_on(async {
                        for number in 0..tasks {
                            joins.push(spawner.spawn(async move { number }));
                        }
                        sum_of(joins.drain(..)).await
                    });
                    expect_count("as the sum", sum, tasks * (tasks - 1) / 2)?;
                }
                Ok(())
            })
        }))
    }
}

/// One task at a time.
pub struct SpawnJoinEach;

impl Shape for SpawnJoinEach {
    const ABOUT: &str = "spawn a task and join it at once, 1,000 times";
    const UNIT: &str = "ns/task";
}

impl OnLocal for SpawnJoinEach {
    fn pass<R: Local>(scale: Scale) -> Result<Pass, Invalid> {
        let mut runtime = R::new();
        let tasks = scale.of(1_000, 10) as u64;
        let spawner = runtime.spawner();
        Ok(Box::new(move || {
            Measured::cpu(tasks, || {
                let sum = runtime.block_on(async {
                    let mut sum = 0;
                    for number in 0..tasks {
                        sum += spawner.spawn(async move { number }).await;
                    }
                    sum
                });
                expect_count("as the sum", sum, tasks * (tasks - 1) / 2)
            })
        }))
    }
}

/// Counts down; whoever brings it to zero sends the news.
struct Countdown {
    left: Cell<u64>,
    news: Cell<Option<oneshot::Sender<()>>>,
}

impl Countdown {
    fn new(from: u64) -> (Rc<Self>, oneshot::Receiver<()>) {
        let (news, received) = oneshot::channel();
        (
            Rc::new(Self {
                left: Cell::new(from),
                news: Cell::new(Some(news)),
            }),
            received,
        )
    }

    fn one_less(&self) {
        self.left.set(self.left.get() - 1);
        if self.left.get() == 0 {
            let news = self.news.take().expect("zero is reached once");
            news.send(()).expect("somebody waits for the news");
        }
    }
}

/// Runs what `start` spawns until `tasks` of them have counted down; nobody may be left out.
fn until_zero<R: Local>(
    runtime: &mut R,
    tasks: u64,
    start: impl FnOnce(&Rc<Countdown>),
) -> Result<(), Invalid> {
    let (countdown, done) = Countdown::new(tasks);
    let received = runtime.block_on(async {
        start(&countdown);
        done.await
    });
    received.map_err(|_| Invalid("the last task was lost".into()))?;
    expect_count("tasks left", countdown.left.get(), 0)
}

/// Tasks that nobody joins.
pub struct SpawnMany;

impl Shape for SpawnMany {
    const ABOUT: &str = "1,000 tasks spawned; the last to run says that all are done";
    const UNIT: &str = "ns/task";
}

impl OnLocal for SpawnMany {
    fn pass<R: Local>(scale: Scale) -> Result<Pass, Invalid> {
        let mut runtime = R::new();
        let tasks = scale.of(1_000, 10) as u64;
        let spawner = runtime.spawner();
        Ok(Box::new(move || {
            Measured::cpu(tasks, || {
                until_zero(&mut runtime, tasks, |countdown| {
                    for _ in 0..tasks {
                        let countdown = Rc::clone(countdown);
                        spawner.detach(async move { countdown.one_less() });
                    }
                })
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

impl OnLocal for Yield {
    fn pass<R: Local>(scale: Scale) -> Result<Pass, Invalid> {
        let mut runtime = R::new();
        let tasks = scale.of(200, 3) as u64;
        let yields = scale.of(1_000, 5) as u64;
        let spawner = runtime.spawner();
        Ok(Box::new(move || {
            Measured::cpu(tasks * yields, || {
                let count = Rc::new(Cell::new(0));
                until_zero(&mut runtime, tasks, |countdown| {
                    for _ in 0..tasks {
                        let (countdown, count) = (Rc::clone(countdown), Rc::clone(&count));
                        let own = spawner.clone();
                        spawner.detach(async move {
                            for _ in 0..yields {
                                own.yield_now().await;
                                count.set(count.get() + 1);
                            }
                            countdown.one_less();
                        });
                    }
                })?;
                expect_count("yields", count.get(), tasks * yields)
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

impl OnLocal for PingPong {
    fn pass<R: Local>(scale: Scale) -> Result<Pass, Invalid> {
        let mut runtime = R::new();
        let pairs = scale.of(1_000, 3) as u64;
        let spawner = runtime.spawner();
        Ok(Box::new(move || {
            Measured::cpu(pairs, || {
                until_zero(&mut runtime, pairs, |countdown| {
                    for _ in 0..pairs {
                        let (own, countdown) = (spawner.clone(), Rc::clone(countdown));
                        spawner.detach(async move {
                            let (asks, answers) = exchange();
                            own.detach(answers);
                            asks.await;
                            countdown.one_less();
                        });
                    }
                })
            })
        }))
    }
}

/// What two tasks do that exchange a ping: one asks, the other answers.
pub(super) fn exchange() -> (
    impl Future<Output = ()> + Send + 'static,
    impl Future<Output = ()> + Send + 'static,
) {
    let (ping, pinged) = oneshot::channel();
    let (pong, ponged) = oneshot::channel();
    let asks = async move {
        ping.send(()).expect("the second task waits");
        ponged.await.expect("a pong");
    };
    let answers = async move {
        pinged.await.expect("a ping");
        pong.send(()).expect("the first task waits");
    };
    (asks, answers)
}

/// Tasks that start their like.
pub struct ChainedSpawn;

fn link<S: LocalSpawn>(spawner: S, countdown: Rc<Countdown>) {
    let own = spawner.clone();
    spawner.detach(async move {
        countdown.one_less();
        if countdown.left.get() > 0 {
            link(own, countdown);
        }
    });
}

impl Shape for ChainedSpawn {
    const ABOUT: &str = "each task spawns the next, 1,000 deep";
    const UNIT: &str = "ns/task";
}

impl OnLocal for ChainedSpawn {
    fn pass<R: Local>(scale: Scale) -> Result<Pass, Invalid> {
        let mut runtime = R::new();
        let links = scale.of(1_000, 10) as u64;
        let spawner = runtime.spawner();
        Ok(Box::new(move || {
            Measured::cpu(links, || {
                until_zero(&mut runtime, links, |countdown| {
                    link(spawner.clone(), Rc::clone(countdown));
                })
            })
        }))
    }
}

/// Entering and leaving, and nothing else.
pub struct BlockOn;

impl Shape for BlockOn {
    const ABOUT: &str = "block_on a future that is ready, 1,000 times";
    const UNIT: &str = "ns/call";
}

impl OnLocal for BlockOn {
    fn pass<R: Local>(scale: Scale) -> Result<Pass, Invalid> {
        let mut runtime = R::new();
        let calls = scale.of(1_000, 3) as u64;
        Ok(Box::new(move || {
            Measured::cpu(calls, || {
                let mut sum = 0;
                for number in 0..calls {
                    sum += runtime.block_on(async { std::hint::black_box(number) });
                }
                expect_count("as the sum", sum, calls * (calls - 1) / 2)
            })
        }))
    }
}
