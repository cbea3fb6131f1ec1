//! One thread's executor and the rest of the world: tasks that come from outside of it, and wakes
//! from another thread. `remote_idle` and `remote_busy` have the shapes and sizes of tokio's own
//! benchmarks of those names.

use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;

use ::futures::channel::oneshot;

use super::local::{Shape, everyone, local};
use crate::contest::{Contender, Cores, Measured, OURS, Pass, Scale, Workload, expect_count};
use crate::peers;
use crate::runtime::{Local, LocalOutside, LocalSpawn};

/// The workloads of this file.
pub const ALL: &[Workload] = &[
    local(
        "local/remote_idle",
        "1,000 spawns from outside, then run and join",
        "ns/task",
        outsiders::<false>,
    ),
    local(
        "local/remote_busy",
        "the same beside a task that respawns itself",
        "ns/task",
        outsiders::<true>,
    ),
    local(
        "local/block_on_alone",
        "block_on without any executor, a ready future, 1,000 times",
        "ns/call",
        waiters,
    ),
    Workload {
        cores: Cores::All,
        ..local(
            "local/cross_thread",
            "a round trip to a thread and back",
            "ns/trip",
            everyone::<CrossThread>,
        )
    },
];

fn outsiders<const BUSY: bool>(scale: Scale) -> Vec<Contender> {
    vec![
        outsider::<peers::ours::OneThread>(scale, BUSY),
        outsider::<peers::tokio::OneThread>(scale, BUSY),
        outsider::<peers::smol::OneThread>(scale, BUSY),
    ]
}

/// A task that does nothing but start its like: the run queue is never empty.
fn respawn<S: LocalSpawn>(spawner: S, polls: Rc<Cell<u64>>) {
    let own = spawner.clone();
    spawner.detach(async move {
        polls.set(polls.get() + 1);
        respawn(own, polls);
    });
}

fn outsider<R: LocalOutside>(scale: Scale, busy: bool) -> Contender {
    let tasks = scale.of(1_000, 10) as u64;
    Contender::new(R::NAME, move || {
        let mut runtime = R::new();
        let spawner = runtime.spawner();
        if busy {
            runtime.block_on(async { respawn(spawner, Rc::default()) });
        }
        let mut joins = Vec::with_capacity(tasks as usize);
        Ok(Box::new(move || {
            Measured::cpu(tasks, || {
                for number in 0..tasks {
                    joins.push(runtime.spawn_outside(async move { number }));
                }
                let sum = runtime.block_on(async {
                    let mut sum = 0;
                    for join in joins.drain(..) {
                        sum += join.await;
                    }
                    sum
                });
                expect_count("as the sum", sum, tasks * (tasks - 1) / 2)
            })
        }))
    })
}

fn waiters(scale: Scale) -> Vec<Contender> {
    let calls = scale.of(1_000, 3) as u64;
    vec![
        waiter(OURS, calls, |number| {
            executor::block_on(async { black_box(number) })
        }),
        waiter("futures", calls, |n| {
            ::futures::executor::block_on(async { black_box(n) })
        }),
        waiter("smol", calls, |n| {
            futures_lite::future::block_on(async { black_box(n) })
        }),
    ]
}

fn waiter(peer: &'static str, calls: u64, wait: impl Fn(u64) -> u64 + 'static) -> Contender {
    Contender::new(peer, move || {
        Ok(Box::new(move || {
            Measured::cpu(calls, || {
                let sum = (0..calls).map(&wait).sum();
                expect_count("as the sum", sum, calls * (calls - 1) / 2)
            })
        }))
    })
}

struct CrossThread;

impl Shape for CrossThread {
    fn pass<R: Local>(mut runtime: R, scale: Scale) -> Pass {
        let trips = scale.of(100, 3) as u64;
        let spawner = runtime.spawner();
        let (question, questions) = std::sync::mpsc::channel::<(u64, oneshot::Sender<u64>)>();
        std::thread::spawn(move || {
            for (number, answer) in questions {
                answer.send(number + 1).expect("the task waits");
            }
        });
        Box::new(move || {
            Measured::time(trips, || {
                let question = question.clone();
                let trip = async move {
                    let mut number = 0;
                    for _ in 0..trips {
                        let (answer, answered) = oneshot::channel();
                        question.send((number, answer)).expect("the thread listens");
                        number = answered.await.expect("the thread answers");
                    }
                    number
                };
                let made = runtime.block_on(async { spawner.spawn(trip).await });
                expect_count("trips", made, trips)
            })
        })
    }
}
