//! Random work on several workers under a watchdog: every task ends, every wake arrives.
//!
//! A few seconds by default; `STRESS_SECONDS=60 cargo test --release --test stealing_stress` for
//! the long run.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use executor::{Executor, Spawner, block_on, yield_now};
use fastrand::Rng;

fn seconds() -> u64 {
    std::env::var("STRESS_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(2)
}

/// Ends the process, with a word, when `progress` stands still for ten seconds.
fn watch(progress: Arc<AtomicU64>, what: &'static str) {
    std::thread::spawn(move || {
        let mut last = u64::MAX;
        loop {
            std::thread::sleep(Duration::from_secs(10));
            let now = progress.load(Ordering::SeqCst);
            if now == u64::MAX {
                return;
            }
            if now == last {
                eprintln!("{what}: no progress for ten seconds at {now}");
                std::process::abort();
            }
            last = now;
        }
    });
}

/// A tree of tasks: each yields, spawns, joins or detaches or aborts its children.
fn tree(spawner: Spawner, seed: u64, depth: u32, done: Arc<AtomicUsize>) -> Tree {
    Box::pin(grow(spawner, seed, depth, done))
}

type Tree = Pin<Box<dyn Future<Output = u64> + Send>>;

async fn grow(spawner: Spawner, seed: u64, depth: u32, done: Arc<AtomicUsize>) -> u64 {
    let mut random = Rng::with_seed(seed | 1);
    let mut sum = 1;
    if depth > 0 {
        let mut children = Vec::new();
        for _ in 0..random.u64(..5) {
            let seed = random.u64(..u64::MAX);
            let child = tree(spawner.clone(), seed, depth - 1, done.clone());
            children.push(spawner.spawn(child));
        }
        for child in children {
            match random.u64(..8) {
                0 => drop(child),
                1 => child.abort(),
                _ => {
                    for _ in 0..random.u64(..3) {
                        yield_now().await;
                    }
                    sum += child.await.unwrap();
                }
            }
        }
    }
    done.fetch_add(1, Ordering::SeqCst);
    sum
}

#[test]
fn trees_of_tasks_all_end() {
    let progress = Arc::new(AtomicU64::new(0));
    watch(progress.clone(), "trees");
    let end = Instant::now() + Duration::from_secs(seconds());
    let mut seed = 1u64;
    while Instant::now() < end {
        let executor = Executor::builder()
            .workers(1 + seed as usize % 4)
            .build()
            .unwrap();
        for _ in 0..20 {
            seed += 1;
            let done = Arc::new(AtomicUsize::new(0));
            let root = tree(
                executor.spawner(),
                seed.wrapping_mul(0x9E37_79B9_7F4A_7C15),
                6,
                done.clone(),
            );
            let sum = block_on(executor.spawn(root)).unwrap();
            assert!(done.load(Ordering::SeqCst) as u64 >= sum);
            progress.fetch_add(1, Ordering::SeqCst);
        }
    }
    progress.store(u64::MAX, Ordering::SeqCst);
}

#[test]
fn every_wake_from_outside_arrives() {
    // Threads outside hand numbers to tasks and go on only when they come back: one lost wake-up
    // and everything stands still.
    let progress = Arc::new(AtomicU64::new(0));
    watch(progress.clone(), "wakes");
    let executor = Executor::builder().workers(2).build().unwrap();
    let end = Instant::now() + Duration::from_secs(seconds());
    std::thread::scope(|scope| {
        for thread in 0..3u64 {
            let (executor, progress) = (&executor, &progress);
            scope.spawn(move || {
                let slot: Arc<(AtomicU64, AtomicU64, Mutex<Option<Waker>>)> = Arc::default();
                let inside = slot.clone();
                let echo = executor.spawn(std::future::poll_fn(move |cx| {
                    let (sent, answered, waker) = &*inside;
                    *waker.lock().unwrap() = Some(cx.waker().clone());
                    let now = sent.load(Ordering::SeqCst);
                    answered.store(now, Ordering::SeqCst);
                    if now == u64::MAX {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    }
                }));
                let mut random = Rng::with_seed(thread + 1);
                let mut number = 0;
                let wake = || {
                    if let Some(waker) = slot.2.lock().unwrap().take() {
                        waker.wake();
                    }
                };
                while Instant::now() < end {
                    number += 1;
                    slot.0.store(number, Ordering::SeqCst);
                    wake();
                    while slot.1.load(Ordering::SeqCst) != number {
                        std::hint::spin_loop();
                        if random.u64(..64) == 0 {
                            std::thread::yield_now();
                        }
                    }
                    progress.fetch_add(1, Ordering::SeqCst);
                    // sometimes let the workers fall asleep first
                    for _ in 0..random.u64(..20) * 100 {
                        std::hint::spin_loop();
                    }
                }
                slot.0.store(u64::MAX, Ordering::SeqCst);
                wake();
                block_on(echo).unwrap();
            });
        }
    });
    progress.store(u64::MAX, Ordering::SeqCst);
}

#[test]
fn executors_end_at_any_moment() {
    // Wakers are used from outside while the executor is dropped: each future is dropped once, and
    // no waker touches what is gone.
    let progress = Arc::new(AtomicU64::new(0));
    watch(progress.clone(), "ends");
    let end = Instant::now() + Duration::from_secs(seconds());
    let mut round = 0u64;
    while Instant::now() < end {
        round += 1;
        let dropped = Arc::new(AtomicUsize::new(0));
        struct Guard(Arc<AtomicUsize>);
        impl Drop for Guard {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let wakers: Arc<Mutex<Vec<Waker>>> = Arc::default();
        let executor = Executor::builder().workers(2).build().unwrap();
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (guard, wakers) = (Guard(dropped.clone()), wakers.clone());
                executor.spawn(std::future::poll_fn(move |cx| {
                    let _ = &guard;
                    wakers.lock().unwrap().push(cx.waker().clone());
                    Poll::<()>::Pending
                }))
            })
            .collect();
        std::thread::scope(|scope| {
            let outside = scope.spawn(|| {
                for _ in 0..50 + round % 100 {
                    let waker = wakers.lock().unwrap().pop();
                    match waker {
                        Some(waker) => waker.wake(),
                        None => std::thread::yield_now(),
                    }
                }
            });
            tasks[3].abort();
            for _ in 0..(round * 37) % 2000 {
                std::hint::spin_loop();
            }
            drop(executor);
            outside.join().unwrap();
        });
        assert_eq!(dropped.load(Ordering::SeqCst), 20);
        for task in tasks {
            assert!(block_on(task).unwrap_err().is_cancelled());
        }
        progress.fetch_add(1, Ordering::SeqCst);
    }
    progress.store(u64::MAX, Ordering::SeqCst);
}
