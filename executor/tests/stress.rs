//! All of the crate at once for a minute, under a watchdog: executors of several threads, executors
//! of one thread whose tasks are woken from elsewhere, and a blocking pool that is too small.
//!
//! ```text
//! cargo test -p handrolled-executor --release --test stress -- --ignored
//! ```
//! `STRESS_SECONDS=600` for a longer one. What it looks for: a wake that is lost (a part stands
//! still, and the watchdog ends the process), a task or job that is lost or done twice (a count that
//! is off). A minute on 2 cores at load 9: 2.9 million families of tasks, 21 million wakes from
//! elsewhere, 4 million jobs, nothing found.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use executor::{BlockingPool, Executor, LocalExecutor, LocalTaskSet, Spawner, block_on, yield_now};
use fastrand::Rng;

/// What the parts have done, for the watchdog.
#[derive(Default)]
struct Progress {
    parts: Mutex<Vec<(&'static str, Arc<AtomicU64>)>>,
    over: AtomicBool,
}

impl Progress {
    fn part(&self, name: &'static str) -> Arc<AtomicU64> {
        let count = Arc::new(AtomicU64::new(0));
        self.parts.lock().unwrap().push((name, count.clone()));
        count
    }

    /// Ends the process, with a word, when a part stands still for twenty seconds.
    fn watch(&self) {
        let mut last = Vec::new();
        let mut since = Instant::now();
        while !self.over.load(SeqCst) {
            thread::sleep(Duration::from_millis(500));
            if since.elapsed() < Duration::from_secs(20) {
                continue;
            }
            since = Instant::now();
            let parts = self.parts.lock().unwrap();
            let now: Vec<u64> = parts.iter().map(|part| part.1.load(SeqCst)).collect();
            for ((name, _), pair) in parts.iter().zip(now.iter().zip(&last)) {
                if pair.0 == pair.1 {
                    eprintln!("{name}: no progress for twenty seconds at {}", pair.0);
                    std::process::abort();
                }
            }
            last = now;
        }
    }
}

/// A task on several threads that spawns, yields, joins, aborts; every join is answered.
async fn family(spawner: Spawner, seed: u64) -> u64 {
    let mut random = Rng::with_seed(seed | 1);
    let children: Vec<_> = (0..random.u64(..40))
        .map(|_| {
            let yields = random.u64(..4);
            spawner.spawn(async move {
                for _ in 0..yields {
                    yield_now().await;
                }
                yields
            })
        })
        .collect();
    let mut sum = 0;
    for child in children {
        match random.u64(..8) {
            0 => drop(child),
            1 => child.abort(),
            _ => sum += child.await.expect("nobody aborts it"),
        }
    }
    sum
}

fn several_threads(end: Instant, progress: &AtomicU64) {
    let mut seed = 1_u64;
    while Instant::now() < end {
        let workers = 1 + seed as usize % 4;
        let executor = Executor::builder().workers(workers).build().unwrap();
        for _ in 0..200 {
            seed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1;
            block_on(executor.spawn(family(executor.spawner(), seed))).unwrap();
            progress.fetch_add(1, SeqCst);
        }
        if seed.is_multiple_of(2) {
            assert!(executor.shutdown(Duration::from_secs(20)).is_clean());
        }
    }
}

/// Tasks that only other threads wake, by value, by reference and by clones; each hop is one of
/// these wakes, so one that is lost stops the part.
fn woken_from_elsewhere(end: Instant, progress: &AtomicU64) {
    let (senders, wakers): (Vec<_>, Vec<_>) = (0..2).map(|_| mpsc::channel::<Waker>()).unzip();
    thread::scope(|scope| {
        for (number, inbox) in (1..).zip(wakers) {
            scope.spawn(move || {
                let mut random = Rng::with_seed(number);
                for waker in inbox {
                    match random.u64(..3) {
                        0 => waker.wake(),
                        1 => waker.wake_by_ref(),
                        _ => {
                            let clone = waker.clone();
                            drop(waker);
                            clone.wake();
                        }
                    }
                }
            });
        }
        let mut round = 0;
        while Instant::now() < end {
            round += 1;
            let executor = LocalExecutor::new();
            let mut set = LocalTaskSet::new(executor.spawner());
            for task in 0..20_u64 {
                let mut random = Rng::with_seed(round * 20 + task + 1);
                let mut hops = 20;
                let senders = &senders;
                set.spawn(poll_fn(move |cx| {
                    if hops == 0 {
                        return Poll::Ready(());
                    }
                    hops -= 1;
                    let to = &senders[random.u64(..2) as usize];
                    to.send(cx.waker().clone()).unwrap();
                    Poll::Pending
                }));
            }
            let done = executor.block_on(async {
                let mut done = 0;
                while let Some(result) = set.join_next().await {
                    result.unwrap();
                    done += 1;
                }
                done
            });
            assert_eq!(done, 20);
            progress.fetch_add(1, SeqCst);
        }
        drop(senders);
    });
}

/// Three threads and eight places for jobs from many tasks, a part of which change their minds.
fn jobs(end: Instant, progress: &AtomicU64) {
    let pool = BlockingPool::builder()
        .max_threads(3)
        .queue(8)
        .build()
        .unwrap();
    let mut random = Rng::with_seed(5);
    while Instant::now() < end {
        let executor = LocalExecutor::new();
        let runs = Arc::new(AtomicU64::new(0));
        let tasks: Vec<_> = (0..50_u64)
            .map(|number| {
                let (pool, runs) = (pool.clone(), runs.clone());
                let leaves = random.u64(..5) == 0;
                executor.spawn(async move {
                    let mut job = Box::pin(pool.run(move || {
                        runs.fetch_add(1, SeqCst);
                        number
                    }));
                    if leaves {
                        let polled = poll_fn(|cx| Poll::Ready(job.as_mut().poll(cx))).await;
                        return polled.is_ready();
                    }
                    assert_eq!(job.await.unwrap(), number);
                    true
                })
            })
            .collect();
        let answered = executor.block_on(async {
            let mut answered = 0;
            for task in tasks {
                answered += u64::from(task.await.unwrap());
            }
            answered
        });
        assert!(runs.load(SeqCst) >= answered, "each answer has its run");
        progress.fetch_add(1, SeqCst);
    }
    assert!(pool.shutdown(Duration::from_secs(20)).is_clean());
}

#[test]
#[ignore = "a minute"]
fn everything_at_once() {
    let seconds = std::env::var("STRESS_SECONDS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(60);
    let end = Instant::now() + Duration::from_secs(seconds);
    let progress = Progress::default();
    type Part = fn(Instant, &AtomicU64);
    let parts: [(&str, Part); 4] = [
        ("several threads", several_threads),
        ("several threads, the other", several_threads),
        ("woken from elsewhere", woken_from_elsewhere),
        ("jobs", jobs),
    ];
    thread::scope(|scope| {
        let running: Vec<_> = parts
            .map(|(name, part)| {
                let count = progress.part(name);
                scope.spawn(move || part(end, &count))
            })
            .into();
        let watchdog = scope.spawn(|| progress.watch());
        let results: Vec<_> = running.into_iter().map(|part| part.join()).collect();
        progress.over.store(true, SeqCst);
        watchdog.join().unwrap();
        results.into_iter().for_each(|result| result.unwrap());
    });
    for (name, count) in progress.parts.lock().unwrap().iter() {
        println!("{name}: {} rounds", count.load(SeqCst));
    }
}
