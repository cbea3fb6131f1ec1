//! Models of what reaches a pool from outside for loom: spawns against batches and the end.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize as Count;
use std::sync::atomic::Ordering::SeqCst;

use loom::sync::Arc as LoomArc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;

use super::models::bounded;
use super::pool::{Pool, Settings};
use super::spawner::spawn;
use super::task_models::end;
use super::worker::Worker;

/// A spawn from outside and the end of the pool: the task is run or dropped, and its handle says.
#[test]
fn a_spawn_during_the_end() {
    loom::model(|| {
        let pool = Pool::new(1, Settings::default());
        let worker = Worker::new(&pool, 0);
        let theirs = pool.clone();
        let leak = LoomArc::new(());
        let spawner = thread::spawn(move || spawn(&theirs, None, async move { drop(leak) }));
        worker.enter(|| {
            worker.run_all();
            end(&worker);
        });
        let handle = spawner.join().unwrap();
        assert!(handle.is_finished());
    });
}

/// Two threads spawn while the worker takes batches: each task runs once, and sees what its
/// spawner wrote before.
#[test]
fn two_spawn_while_the_worker_takes() {
    bounded(Some(2), || {
        let pool = Pool::new(1, Settings::default());
        let worker = Worker::new(&pool, 0);
        let runs = Arc::new(Count::new(0));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (theirs, runs) = (pool.clone(), runs.clone());
                let written = LoomArc::new(AtomicUsize::new(0));
                thread::spawn(move || {
                    for number in 1..=2 {
                        let (runs, written) = (runs.clone(), written.clone());
                        written.store(number, Relaxed);
                        let count = async move {
                            runs.fetch_add(usize::from(written.load(Relaxed) >= number), SeqCst)
                        };
                        spawn(&theirs, None, count).detach();
                    }
                })
            })
            .collect();
        worker.enter(|| worker.run_all());
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        worker.enter(|| {
            worker.run_all();
            assert_eq!(runs.load(SeqCst), 4);
            end(&worker);
        });
    });
}

/// The pool is closed by another thread while the worker runs a task that yields once: the task is
/// done or dropped, and nothing is left.
#[test]
fn a_run_against_the_close() {
    loom::model(|| {
        let pool = Pool::new(1, Settings::default());
        let worker = Worker::new(&pool, 0);
        let leak = LoomArc::new(());
        let handle = spawn(&pool, None, async move {
            crate::yield_now().await;
            drop(leak);
        });
        let theirs = pool.clone();
        let closer = thread::spawn(move || theirs.close());
        worker.enter(|| {
            while !pool.idle.0.is_closed() {
                worker.run_all();
                thread::yield_now();
            }
            worker.leave();
        });
        closer.join().unwrap();
        assert!(handle.is_finished());
    });
}

/// Two workers run and leave at once, and there is one task: one of them polls it, or the last to
/// leave drops it.
#[test]
fn two_workers_run_and_leave() {
    loom::model(|| {
        let pool = Pool::new(2, Settings::default());
        let runs = Arc::new(Count::new(0));
        let (counted, leak) = (runs.clone(), LoomArc::new(()));
        let task = async move {
            counted.fetch_add(1, SeqCst);
            drop(leak);
        };
        let handle = spawn(&pool, None, task);
        let theirs = pool.clone();
        let run_and_leave = |pool: &Arc<Pool>, index| {
            let worker = Worker::new(pool, index);
            worker.enter(|| {
                worker.run_all();
                worker.leave();
            });
        };
        let thread = thread::spawn(move || run_and_leave(&theirs, 1));
        run_and_leave(&pool, 0);
        thread.join().unwrap();
        assert_eq!(runs.load(SeqCst), 1);
        assert!(handle.is_finished());
    });
}
