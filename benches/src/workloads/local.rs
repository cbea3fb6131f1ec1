//! What an executor on one thread does all day: spawn, wake, poll, join. No I/O, no time.
//!
//! `spawn_many_local`, `yield`, `ping_pong` and `chained_spawn` have the shapes and sizes that
//! tokio's own benchmarks of those names have.

use std::cell::Cell;
use std::rc::Rc;

use ::futures::channel::oneshot;

use crate::contest::{
    Better, Contender, Cores, Invalid, Measured, Pass, Scale, Workload, expect_count,
};
use crate::peers;
use crate::runtime::{Local, LocalSpawn};

/// The workloads of this file.
pub const ALL: &[Workload] = &[
    local(
        "local/spawn_join",
        "spawn 10,000 tasks, then join them",
        "ns/task",
        everyone::<SpawnJoin>,
    ),
    local(
        "local/spawn_join_each",
        "spawn a task and join it at once, 1,000 times",
        "ns/task",
        everyone::<SpawnJoinEach>,
    ),
    local(
        "local/spawn_many_local",
        "1,000 tasks; the last one says so",
        "ns/task",
        everyone::<SpawnMany>,
    ),
    local(
        "local/yield",
        "200 tasks yield 1,000 times each",
        "ns/yield",
        everyone::<Yield>,
    ),
    local(
        "local/ping_pong",
        "1,000 pairs of tasks exchange a ping",
        "ns/pair",
        everyone::<PingPong>,
    ),
    local(
        "local/chained_spawn",
        "each task spawns the next, 1,000 deep",
        "ns/task",
        everyone::<ChainedSpawn>,
    ),
    local(
        "local/block_on",
        "block_on a future that is ready, 1,000 times",
        "ns/call",
        everyone::<BlockOn>,
    ),
];

pub(super) const fn local(
    name: &'static str,
    about: &'static str,
    unit: &'static str,
    contenders: fn(Scale) -> Vec<Contender>,
) -> Workload {
    Workload {
        name,
        about,
        unit,
        better: Better::Less,
        cores: Cores::One,
        long: false,
        contenders,
    }
}

/// A shape that any one-threaded runtime can run.
pub(super) trait Shape {
    fn pass<R: Local>(runtime: R, scale: Scale) -> Pass;
}

pub(super) fn everyone<S: Shape>(scale: Scale) -> Vec<Contender> {
    vec![
        one::<S, peers::ours::OneThread>(scale),
        one::<S, peers::tokio::OneThread>(scale),
        one::<S, peers::smol::OneThread>(scale),
        #[cfg(feature = "monoio")]
        one::<S, peers::monoio::OneThread>(scale),
        one::<S, peers::futures::OneThread>(scale),
    ]
}

fn one<S: Shape, R: Local>(scale: Scale) -> Contender {
    Contender::new(R::NAME, move || Ok(S::pass(R::new(), scale)))
}

pub(super) struct SpawnJoin;

impl Shape for SpawnJoin {
    fn pass<R: Local>(mut runtime: R, scale: Scale) -> Pass {
        let tasks = scale.of(10_000, 10) as u64;
        let spawner = runtime.spawner();
        let mut joins = Vec::with_capacity(tasks as usize);
        Box::new(move || {
            Measured::cpu(tasks, || {
                let sum = runtime.block_on(async {
                    for number in 0..tasks {
                        joins.push(spawner.spawn(async move { number }));
                    }
                    let mut sum = 0;
                    for join in joins.drain(..) {
                        sum += join.await;
                    }
                    sum
                });
                expect_count("as the sum", sum, tasks * (tasks - 1) / 2)
            })
        })
    }
}

struct SpawnJoinEach;

impl Shape for SpawnJoinEach {
    fn pass<R: Local>(mut runtime: R, scale: Scale) -> Pass {
        let tasks = scale.of(1_000, 10) as u64;
        let spawner = runtime.spawner();
        Box::new(move || {
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
        })
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

/// What a shape waits for at its end: the news, and a count that says nobody was left out.
fn all_done(received: Result<(), oneshot::Canceled>, left: u64) -> Result<(), Invalid> {
    received.map_err(|_| Invalid("the last task was lost".into()))?;
    expect_count("tasks left", left, 0)
}

struct SpawnMany;

impl Shape for SpawnMany {
    fn pass<R: Local>(mut runtime: R, scale: Scale) -> Pass {
        let tasks = scale.of(1_000, 10) as u64;
        let spawner = runtime.spawner();
        Box::new(move || {
            Measured::cpu(tasks, || {
                let (countdown, done) = Countdown::new(tasks);
                let received = runtime.block_on(async {
                    for _ in 0..tasks {
                        let countdown = Rc::clone(&countdown);
                        spawner.detach(async move { countdown.one_less() });
                    }
                    done.await
                });
                all_done(received, countdown.left.get())
            })
        })
    }
}

pub(super) struct Yield;

impl Shape for Yield {
    fn pass<R: Local>(mut runtime: R, scale: Scale) -> Pass {
        let tasks = scale.of(200, 3) as u64;
        let yields = scale.of(1_000, 5) as u64;
        let spawner = runtime.spawner();
        Box::new(move || {
            Measured::cpu(tasks * yields, || {
                let count = Rc::new(Cell::new(0));
                let (countdown, done) = Countdown::new(tasks);
                let received = runtime.block_on(async {
                    for _ in 0..tasks {
                        let countdown = Rc::clone(&countdown);
                        let count = Rc::clone(&count);
                        let own = spawner.clone();
                        spawner.detach(async move {
                            for _ in 0..yields {
                                own.yield_now().await;
                                count.set(count.get() + 1);
                            }
                            countdown.one_less();
                        });
                    }
                    done.await
                });
                expect_count("yields", count.get(), tasks * yields)?;
                all_done(received, countdown.left.get())
            })
        })
    }
}

pub(super) struct PingPong;

impl Shape for PingPong {
    fn pass<R: Local>(mut runtime: R, scale: Scale) -> Pass {
        let pairs = scale.of(1_000, 3) as u64;
        let spawner = runtime.spawner();
        Box::new(move || {
            Measured::cpu(pairs, || {
                let (countdown, done) = Countdown::new(pairs);
                let received = runtime.block_on(async {
                    for _ in 0..pairs {
                        let countdown = Rc::clone(&countdown);
                        let own = spawner.clone();
                        spawner.detach(async move {
                            let (ping, pinged) = oneshot::channel();
                            let (pong, ponged) = oneshot::channel();
                            own.detach(async move {
                                pinged.await.expect("a ping");
                                pong.send(()).expect("the first task waits");
                            });
                            ping.send(()).expect("the second task waits");
                            ponged.await.expect("a pong");
                            countdown.one_less();
                        });
                    }
                    done.await
                });
                all_done(received, countdown.left.get())
            })
        })
    }
}

pub(super) struct ChainedSpawn;

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
    fn pass<R: Local>(mut runtime: R, scale: Scale) -> Pass {
        let links = scale.of(1_000, 10) as u64;
        let spawner = runtime.spawner();
        Box::new(move || {
            Measured::cpu(links, || {
                let (countdown, done) = Countdown::new(links);
                let received = runtime.block_on(async {
                    link(spawner.clone(), Rc::clone(&countdown));
                    done.await
                });
                all_done(received, countdown.left.get())
            })
        })
    }
}

struct BlockOn;

impl Shape for BlockOn {
    fn pass<R: Local>(mut runtime: R, scale: Scale) -> Pass {
        let calls = scale.of(1_000, 3) as u64;
        Box::new(move || {
            Measured::cpu(calls, || {
                let mut sum = 0;
                for number in 0..calls {
                    sum += runtime.block_on(async { std::hint::black_box(number) });
                }
                expect_count("as the sum", sum, calls * (calls - 1) / 2)
            })
        })
    }
}
