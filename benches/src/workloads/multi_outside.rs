//! Several threads' executor and the rest of the world: tasks that come from foreign threads, and
//! wakes from one. The shapes and sizes of tokio's `rt_multi_threaded` and `remote_spawn`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use ::futures::channel::oneshot;

use super::local::sum_of;
use super::local_outside::{peer_thread, round_trips};
use super::multi::Countdown;
use crate::roster::{OnThreads, Shape};
use crate::runtime::{Spawn, Threaded};
use crate::workload::{Invalid, Measured, Pass, Scale, expect_count};

/// Workers with nothing to do.
pub const IDLE: u8 = 0;
/// Tasks that yield and stall, twice as many as workers.
pub const YIELDING: u8 = 1;
/// Tasks that stall and start their like, one for each worker; a tenth of the spawns.
pub const RESPAWNING: u8 = 2;

/// Spawns from outside, beside idle workers or busy ones.
pub struct Remote<const BESIDE: u8>;

impl<const BESIDE: u8> Shape for Remote<BESIDE> {
    const ABOUT: &str = match BESIDE {
        IDLE => "10,000 spawns from outside while the workers are idle, then join",
        YIELDING => "10,000 spawns from outside beside four tasks that stall 10 us and yield",
        _ => "1,000 spawns from outside beside two chains of tasks that stall 10 us each",
    };
    const UNIT: &str = "ns/task";
}

impl<const BESIDE: u8> OnThreads for Remote<BESIDE> {
    fn pass<R: Threaded>(scale: Scale, workers: usize) -> Result<Pass, Invalid> {
        let runtime = R::new(workers);
        let tasks = scale.of(if BESIDE == RESPAWNING { 1_000 } else { 10_000 }, 10) as u64;
        let spawner = runtime.spawner();
        let mut joins = Vec::with_capacity(tasks as usize);
        Ok(Box::new(move || {
            // The busy tasks live within the pass: other contenders take their turns in between.
            let busy = Arc::new(AtomicBool::new(true));
            let (countdown, stopped) = keep_busy(&spawner, workers, BESIDE, &busy);
            let measured = Measured::time(tasks, || {
                for number in 0..tasks {
                    joins.push(spawner.spawn(async move { number }));
                }
                let sum = runtime.block_on(sum_of(joins.drain(..)));
                expect_count("as the sum", sum, tasks * (tasks - 1) / 2)
            });
            busy.store(false, Relaxed);
            if BESIDE != IDLE {
                countdown.verify(runtime.block_on(stopped))?;
            }
            measured
        }))
    }
}

fn keep_busy<S: Spawn>(
    spawner: &S,
    workers: usize,
    how: u8,
    busy: &Arc<AtomicBool>,
) -> (Arc<Countdown>, oneshot::Receiver<()>) {
    let tasks = if how == YIELDING {
        2 * workers
    } else {
        workers
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
pub struct RemoteSpawn<const THREADS: usize>;

impl<const THREADS: usize> Shape for RemoteSpawn<THREADS> {
    const ABOUT: &str = match THREADS {
        1 => "10,000 spawns by a foreign thread",
        _ => "10,000 spawns by two foreign threads",
    };
    const UNIT: &str = "ns/task";
}

impl<const THREADS: usize> OnThreads for RemoteSpawn<THREADS> {
    fn pass<R: Threaded>(scale: Scale, workers: usize) -> Result<Pass, Invalid> {
        let runtime = R::new(workers);
        let tasks = scale.of(10_000, 10) as u64;
        let spawner = runtime.spawner();
        Ok(Box::new(move || {
            let (countdown, done) = Countdown::new(tasks);
            let starting_gun = std::sync::Barrier::new(THREADS + 1);
            std::thread::scope(|scope| {
                let spawns = || {
                    starting_gun.wait();
                    let begin = Instant::now();
                    for _ in 0..tasks / THREADS as u64 {
                        let countdown = Arc::clone(&countdown);
                        spawner.detach(async move {
                            countdown.one_less();
                        });
                    }
                    begin
                };
                let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(spawns)).collect();
                starting_gun.wait();
                countdown.verify(runtime.block_on(done))?;
                let end = Instant::now();
                // Not when this thread has passed the gun: on a busy core it may come late, when
                // much is done, and the more the faster it is done.
                let begins = threads.into_iter().map(|thread| thread.join());
                let begins: Result<Vec<Instant>, _> = begins.collect();
                let begins = begins.map_err(|_| Invalid("a thread panicked".into()))?;
                let first = begins.into_iter().min().unwrap_or(end);
                let total = end.saturating_duration_since(first).as_nanos() as f64;
                Ok(Measured::new(total, tasks))
            })
        }))
    }
}

/// Wakes from a foreign thread, which has a core of its own or that of all workers.
pub struct CrossThread<const APART: bool>;

impl<const APART: bool> Shape for CrossThread<APART> {
    const ABOUT: &str = if APART {
        "a task's round trip to a thread and back, the thread on a core of its own"
    } else {
        "a task's round trip to a thread and back, all on one core"
    };
    const UNIT: &str = "ns/trip";
}

impl<const APART: bool> OnThreads for CrossThread<APART> {
    fn pass<R: Threaded>(scale: Scale, workers: usize) -> Result<Pass, Invalid> {
        let runtime = R::new(workers);
        let trips = scale.of(100, 3) as u64;
        let question = peer_thread(APART);
        let spawner = runtime.spawner();
        Ok(Box::new(move || {
            let measure = if APART { Measured::time } else { Measured::cpu };
            measure(trips, || {
                let trip = round_trips(question.clone(), trips);
                let made = runtime.block_on(async { spawner.spawn(trip).await });
                expect_count("trips", made, trips)
            })
        }))
    }
}
