//! Several threads' executor and the rest of the world: tasks that come from foreign threads, and
//! wakes from one. The shapes and sizes of tokio's `rt_multi_threaded` and `remote_spawn`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use ::futures::channel::oneshot;

use super::multi::{Countdown, Shape, WORKERS, everyone, multi};
use crate::contest::{Measured, Pass, Scale, Workload, expect_count};
use crate::runtime::{Spawn, Threaded};

/// The workloads of this file.
pub const ALL: &[Workload] = &[
    multi(
        "multi/remote_idle",
        "10,000 spawns from outside, then join",
        "ns/task",
        everyone::<Remote<IDLE>>,
    ),
    multi(
        "multi/remote_busy1",
        "the same beside 4 tasks that yield and stall",
        "ns/task",
        everyone::<Remote<YIELDING>>,
    ),
    multi(
        "multi/remote_busy2",
        "1,000 beside 2 that stall and respawn",
        "ns/task",
        everyone::<Remote<RESPAWNING>>,
    ),
    multi(
        "multi/remote_spawn_1",
        "10,000 spawns by 1 foreign thread",
        "ns/task",
        everyone::<RemoteSpawn<1>>,
    ),
    multi(
        "multi/remote_spawn_2",
        "10,000 spawns by 2 foreign threads",
        "ns/task",
        everyone::<RemoteSpawn<2>>,
    ),
    multi(
        "multi/cross_thread",
        "a round trip from a task to a thread and back",
        "ns/trip",
        everyone::<CrossThread>,
    ),
];

const IDLE: u8 = 0;
const YIELDING: u8 = 1;
const RESPAWNING: u8 = 2;

/// Spawns from outside, beside what [`keep_busy`] keeps the workers busy with.
struct Remote<const BESIDE: u8>;

impl<const BESIDE: u8> Shape for Remote<BESIDE> {
    fn pass<R: Threaded>(runtime: R, scale: Scale) -> Pass {
        let tasks = scale.of(if BESIDE == RESPAWNING { 1_000 } else { 10_000 }, 10) as u64;
        let spawner = runtime.spawner();
        let mut joins = Vec::with_capacity(tasks as usize);
        Box::new(move || {
            // The busy tasks live within the pass: other contenders take their turns in between.
            let busy = Arc::new(AtomicBool::new(true));
            let (countdown, stopped) = keep_busy(&spawner, BESIDE, &busy);
            let measured = Measured::time(tasks, || {
                for number in 0..tasks {
                    joins.push(spawner.spawn(async move { number }));
                }
                let sum = runtime.block_on(async {
                    let mut sum = 0;
                    for join in joins.drain(..) {
                        sum += join.await;
                    }
                    sum
                });
                expect_count("as the sum", sum, tasks * (tasks - 1) / 2)
            });
            busy.store(false, Relaxed);
            if BESIDE != IDLE {
                countdown.verify(runtime.block_on(stopped))?;
            }
            measured
        })
    }
}

fn keep_busy<S: Spawn>(
    spawner: &S,
    how: u8,
    busy: &Arc<AtomicBool>,
) -> (Arc<Countdown>, oneshot::Receiver<()>) {
    let tasks = if how == YIELDING {
        2 * WORKERS
    } else {
        WORKERS
    };
    let (countdown, stopped) = Countdown::new(tasks as u64);
    for _ in 0..tasks {
        match how {
            YIELDING => {
                let (busy, countdown) = (Arc::clone(busy), Arc::clone(&countdown));
                let own = spawner.clone();
                spawner.detach(async move {
                    while busy.load(Relaxed) {
                        own.yield_now().await;
                        stall();
                    }
                    countdown.one_less();
                });
            }
            RESPAWNING => respawn(spawner.clone(), Arc::clone(busy), Arc::clone(&countdown)),
            _ => {}
        }
    }
    (countdown, stopped)
}

fn respawn<S: Spawn>(spawner: S, busy: Arc<AtomicBool>, countdown: Arc<Countdown>) {
    let own = spawner.clone();
    spawner.detach(async move {
        if busy.load(Relaxed) {
            stall();
            respawn(own, busy, countdown);
        } else {
            countdown.one_less();
        }
    });
}

/// Ten microseconds in which this worker does nothing else.
fn stall() {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_micros(10) {
        std::thread::yield_now();
    }
}

/// Foreign threads spawn at the same time; the clock stops when the last task has run.
struct RemoteSpawn<const THREADS: usize>;

impl<const THREADS: usize> Shape for RemoteSpawn<THREADS> {
    fn pass<R: Threaded>(runtime: R, scale: Scale) -> Pass {
        let tasks = scale.of(10_000, 10) as u64;
        let spawner = runtime.spawner();
        Box::new(move || {
            let (countdown, done) = Countdown::new(tasks);
            let starting_gun = std::sync::Barrier::new(THREADS + 1);
            std::thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| {
                        starting_gun.wait();
                        for _ in 0..tasks / THREADS as u64 {
                            let countdown = Arc::clone(&countdown);
                            spawner.detach(async move {
                                countdown.one_less();
                            });
                        }
                    });
                }
                starting_gun.wait();
                Measured::time(tasks, || countdown.verify(runtime.block_on(done)))
            })
        })
    }
}

struct CrossThread;

impl Shape for CrossThread {
    fn pass<R: Threaded>(runtime: R, scale: Scale) -> Pass {
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
