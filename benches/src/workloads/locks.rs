//! Tasks that wait for one another without sending anything: the shapes and sizes of tokio's
//! `sync_semaphore`, `sync_rwlock` and `sync_notify` benchmarks, over primitives of crates that know
//! no runtime (async-lock, event-listener).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use async_lock::{RwLock, Semaphore};
use event_listener::Event;

use super::local::sum_of;
use crate::roster::{OnLocal, OnThreads, Shape};
use crate::runtime::{Local, LocalSpawn, Spawn, Threaded};
use crate::workload::{Invalid, Measured, Pass, Scale, expect_count};

/// Tasks that each take a permit and give it back, with so many permits.
pub struct Permits<const PERMITS: usize>;

const TASKS: u64 = 6;

impl<const PERMITS: usize> Shape for Permits<PERMITS> {
    const ABOUT: &str =
        "six tasks each take a permit of 10 (of 5 if contended) and give it back; all are joined";
    const UNIT: &str = "ns/task";
}

/// Does it so many times, with so many tasks each, all of which must have been there.
fn repeat(times: u64, tasks: u64, mut once: impl FnMut() -> u64) -> Result<(), Invalid> {
    let done = (0..times).map(|_| once()).sum();
    expect_count("tasks", done, times * tasks)
}

async fn acquire(semaphore: Arc<Semaphore>) -> u64 {
    drop(semaphore.acquire().await);
    1
}

/// On one thread no task would ever find a permit taken; so another task has all of them first.
impl<const PERMITS: usize> OnLocal for Permits<PERMITS> {
    fn pass<R: Local>(scale: Scale) -> Result<Pass, Invalid> {
        let mut runtime = R::new();
        let times = scale.of(100, 3) as u64;
        let semaphore = Arc::new(Semaphore::new(PERMITS));
        let spawner = runtime.spawner();
        Ok(Box::new(move || {
            Measured::cpu(times * TASKS, || {
                repeat(times, TASKS, || {
                    runtime.block_on(async {
                        let mut taken = Vec::with_capacity(PERMITS);
                        for _ in 0..PERMITS {
                            taken.push(semaphore.acquire_arc().await);
                        }
                        let task = |_| spawner.spawn(acquire(Arc::clone(&semaphore)));
                        let joins = [0; TASKS as usize].map(task);
                        spawner.detach(async move { drop(taken) });
                        sum_of(joins).await
                    })
                })
            })
        }))
    }
}

impl<const PERMITS: usize> OnThreads for Permits<PERMITS> {
    fn pass<R: Threaded>(scale: Scale, workers: usize) -> Result<Pass, Invalid> {
        let runtime = R::new(workers);
        let times = scale.of(100, 3) as u64;
        let semaphore = Arc::new(Semaphore::new(PERMITS));
        let spawner = runtime.spawner();
        Ok(Box::new(move || {
            Measured::time(times * TASKS, || {
                repeat(times, TASKS, || {
                    runtime.block_on(async {
                        let task = |_| spawner.spawn(acquire(Arc::clone(&semaphore)));
                        sum_of([0; TASKS as usize].map(task)).await
                    })
                })
            })
        }))
    }
}

/// Tasks that read what is locked for writing until all of them have been spawned, or never is.
pub struct Readers<const WRITER: bool>;

const READERS: u64 = 5;

impl<const WRITER: bool> Shape for Readers<WRITER> {
    const ABOUT: &str =
        "five tasks read what is locked (if contended, by a writer as they begin); all are joined";
    const UNIT: &str = "ns/task";
}

async fn read(lock: Arc<RwLock<u64>>) -> u64 {
    *lock.read().await
}

/// The writer is a task that comes after the readers.
impl<const WRITER: bool> OnLocal for Readers<WRITER> {
    fn pass<R: Local>(scale: Scale) -> Result<Pass, Invalid> {
        let mut runtime = R::new();
        let times = scale.of(100, 3) as u64;
        let lock = Arc::new(RwLock::new(1));
        let spawner = runtime.spawner();
        Ok(Box::new(move || {
            Measured::cpu(times * READERS, || {
                repeat(times, READERS, || {
                    runtime.block_on(async {
                        let writer = if WRITER {
                            Some(lock.write_arc().await)
                        } else {
                            None
                        };
                        let task = |_| spawner.spawn(read(Arc::clone(&lock)));
                        let joins = [0; READERS as usize].map(task);
                        spawner.detach(async move { drop(writer) });
                        sum_of(joins).await
                    })
                })
            })
        }))
    }
}

impl<const WRITER: bool> OnThreads for Readers<WRITER> {
    fn pass<R: Threaded>(scale: Scale, workers: usize) -> Result<Pass, Invalid> {
        let runtime = R::new(workers);
        let times = scale.of(100, 3) as u64;
        let lock = Arc::new(RwLock::new(1));
        let spawner = runtime.spawner();
        Ok(Box::new(move || {
            Measured::time(times * READERS, || {
                repeat(times, READERS, || {
                    runtime.block_on(async {
                        let writer = if WRITER {
                            Some(lock.write().await)
                        } else {
                            None
                        };
                        let task = |_| spawner.spawn(read(Arc::clone(&lock)));
                        let joins = [0; READERS as usize].map(task);
                        drop(writer);
                        sum_of(joins).await
                    })
                })
            })
        }))
    }
}

/// Waiting tasks that a thread from outside wakes, one by one or all together.
pub struct Notify<const ALL: bool>;

impl<const ALL: bool> Shape for Notify<ALL> {
    const ABOUT: &str =
        "a thread notifies (one, or all) of 100 waiting tasks until 500 wakes have been seen";
    const UNIT: &str = "ns/wake";
}

/// So many notifications must be enough; else somebody does not hear them.
const PATIENCE: u64 = 100_000_000;

impl<const ALL: bool> OnThreads for Notify<ALL> {
    fn pass<R: Threaded>(scale: Scale, workers: usize) -> Result<Pass, Invalid> {
        let runtime = R::new(workers);
        let (tasks, wakes) = (scale.of(100, 3), scale.of(500, 20) as u64);
        let shared = Arc::new((Event::new(), AtomicU64::new(0)));
        let spawner = runtime.spawner();
        for _ in 0..tasks {
            let shared = Arc::clone(&shared);
            spawner.detach(async move {
                loop {
                    shared.0.listen().await;
                    shared.1.fetch_add(1, Relaxed);
                }
            });
        }
        Ok(Box::new(move || {
            let _runs = &runtime; // until the last pass
            let (event, seen) = &*shared;
            Measured::time(wakes, || {
                seen.store(0, Relaxed);
                for _ in 0..PATIENCE {
                    if ALL {
                        event.notify(usize::MAX);
                    } else {
                        event.notify_additional(1);
                    }
                    if seen.load(Relaxed) >= wakes {
                        return Ok(());
                    }
                }
                expect_count("wakes", seen.load(Relaxed), wakes)
            })
        }))
    }
}
