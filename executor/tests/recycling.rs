//! Task memory: what is kept for the next tasks, and when it goes back to the allocator.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::poll_fn;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::thread;

use executor::{LocalExecutor, LocalJoinHandle, LocalSpawner};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Blocks of the tasks below that are there, of all tests: they take turns by one lock.
static BLOCKS: AtomicUsize = AtomicUsize::new(0);
/// How many were ever asked for.
static ASKED: AtomicUsize = AtomicUsize::new(0);
static ONE_AT_A_TIME: parking_lot::Mutex<()> = parking_lot::Mutex::new(());

/// Counts the blocks that have the size and the alignment of the tasks below.
struct Counting;

fn is_a_task(layout: Layout) -> bool {
    layout.align() == 16 && (900..=1_024).contains(&layout.size())
}

// SAFETY: all is the system's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_a_task(layout) {
            BLOCKS.fetch_add(1, Ordering::Relaxed);
            ASKED.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if is_a_task(layout) {
            BLOCKS.fetch_sub(1, Ordering::Relaxed);
        }
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
}

fn blocks() -> usize {
    BLOCKS.load(Ordering::Relaxed)
}

/// Spawns so many tasks of 900 bytes and some.
fn spawn(spawner: &LocalSpawner<'static>, tasks: usize) -> Vec<LocalJoinHandle<()>> {
    let task = |_| {
        let captures = [0_u8; 880];
        spawner.spawn(async move {
            black_box(&captures);
        })
    };
    (0..tasks).map(task).collect()
}

#[test]
fn while_there_is_work_all_is_kept_whatever_the_limit() {
    let _turn = ONE_AT_A_TIME.lock();
    let executor = LocalExecutor::builder().recycled_max(0).build();
    let spawner = executor.spawner();
    executor.block_on(async {
        for round in 0..3 {
            let asked = ASKED.load(Ordering::Relaxed);
            for task in spawn(&spawner, 3_000) {
                task.await.unwrap();
            }
            let asked = ASKED.load(Ordering::Relaxed) - asked;
            assert_eq!(asked, if round == 0 { 3_000 } else { 0 });
        }
    });
    drop((executor, spawner));
    assert_eq!(blocks(), 0);
}

fn goes_back_in_slices(executor: &LocalExecutor<'static>) {
    drop(spawn(&executor.spawner(), 3_000));
    while executor.run_batch() {}
    let mut kept = vec![blocks()];
    for _ in 0..5 {
        assert!(!executor.run_batch());
        kept.push(blocks());
    }
    assert_eq!(kept, [3_000, 1_976, 952, 0, 0, 0]);
}

#[test]
fn a_batch_that_finds_nothing_gives_a_slice_back() {
    let _turn = ONE_AT_A_TIME.lock();
    goes_back_in_slices(&LocalExecutor::builder().recycled_max(0).build());
    let watched = LocalExecutor::builder().recycled_max(0).measure_polls(true);
    goes_back_in_slices(&watched.build());
}

#[test]
fn what_the_limit_allows_stays() {
    let _turn = ONE_AT_A_TIME.lock();
    let executor = LocalExecutor::builder().recycled_max(100 * 1_024).build();
    drop(spawn(&executor.spawner(), 300));
    while executor.run_batch() {}
    assert!(!executor.run_batch());
    assert!((100..=110).contains(&blocks()), "{} are kept", blocks());
}

#[test]
fn a_thread_that_parks_has_given_all_back() {
    let _turn = ONE_AT_A_TIME.lock();
    let executor = LocalExecutor::builder().recycled_max(0).build();
    let spawner = executor.spawner();
    let left = thread::scope(|scope| {
        let (send, receive) = std::sync::mpsc::channel::<Waker>();
        let watcher = scope.spawn(move || {
            let waker = receive.recv().unwrap();
            for _ in 0..10_000_000 {
                if blocks() == 0 {
                    break;
                }
                thread::yield_now();
            }
            let left = blocks();
            waker.wake();
            left
        });
        drop(spawn(&spawner, 5_000));
        let waits = Cell::new(true);
        executor.block_on(poll_fn(|cx| {
            if waits.replace(false) {
                send.send(cx.waker().clone()).unwrap();
                return Poll::Pending;
            }
            Poll::Ready(())
        }));
        watcher.join().unwrap()
    });
    assert_eq!(left, 0);
}
