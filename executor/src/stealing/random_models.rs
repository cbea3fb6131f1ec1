//! Models of four threads for shuttle, which draws schedules at random: more threads than loom can
//! try in every schedule, and whole workers with their threads, their rests and their guard.
//!
//! `RUSTFLAGS="--cfg shuttle" CARGO_TARGET_DIR=target/shuttle cargo test -p handrolled-executor
//! --release --lib random_models` draws 20,000 schedules for each, half of them by the PCT
//! scheduler; `SHUTTLE_SCHEDULES` says how many. All atomics are SeqCst here: orderings are loom's
//! subject. A lost wake-up shows as a deadlock, as all threads rest then.

use std::pin::pin;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize as Count, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use shuttle::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use shuttle::thread;

use super::idle::Idle;
use super::join::JoinHandle;
use super::park::Park;
use super::pool::{Pool, Settings};
use super::ring::{CAPACITY, Ring};
use super::spawner::spawn;
use super::worker::Worker;
use crate::yield_now;

/// Draws schedules, by chance and by priorities with three changes (PCT).
fn check(model: impl Fn() + Send + Sync + 'static) {
    let schedules = std::env::var("SHUTTLE_SCHEDULES").ok();
    let schedules: usize = schedules.map_or(20_000, |text| text.parse().expect("a number"));
    let model = Arc::new(model);
    let again = model.clone();
    shuttle::check_random(move || again(), schedules / 2);
    shuttle::check_pct(move || model(), schedules / 2, 3);
}

fn item(number: usize) -> NonNull<u8> {
    NonNull::new(ptr::without_provenance_mut(number + 1)).unwrap()
}

/// An owner that pushes and pops, and three thieves: each item comes out once.
#[test]
fn three_thieves_share_a_ring() {
    check(|| {
        const ITEMS: usize = 3 * CAPACITY;
        let ring = Arc::new(Ring::new());
        let seen: Arc<[Count; ITEMS]> = Arc::new(std::array::from_fn(|_| Count::new(0)));
        let see = |seen: &[Count; ITEMS], item: NonNull<u8>| {
            seen[item.addr().get() - 1].fetch_add(1, SeqCst);
        };
        let thieves: Vec<_> = (0..3)
            .map(|_| {
                let (victim, seen) = (ring.clone(), seen.clone());
                thread::spawn(move || {
                    let own = Ring::new();
                    for _ in 0..2 {
                        if let Some((first, count)) = victim.steal(&own) {
                            see(&seen, first);
                            let others = std::iter::from_fn(|| own.pop());
                            let others = others.map(|item| see(&seen, item)).count();
                            assert_eq!(others + 1, count);
                        }
                    }
                })
            })
            .collect();
        for number in 0..ITEMS {
            if let Err(refused) = ring.push(item(number)) {
                see(&seen, refused);
            }
            if number % 3 == 2 {
                ring.pop().into_iter().for_each(|item| see(&seen, item));
            }
        }
        thieves.into_iter().for_each(|thief| thief.join().unwrap());
        std::iter::from_fn(|| ring.pop()).for_each(|item| see(&seen, item));
        assert!(seen.iter().all(|count| count.load(SeqCst) == 1));
    });
}

/// Two who give work, two who lie down: if both lie down without having seen all of it, somebody is
/// woken.
#[test]
fn two_givers_and_two_sleepers() {
    check(|| {
        let idle = Arc::new(Idle::new(2));
        let work = Arc::new(AtomicUsize::new(0));
        let sleepers = [0, 1].map(|worker| {
            let (idle, work) = (idle.clone(), work.clone());
            thread::spawn(move || {
                let searching = idle.search();
                let _ = idle.sleep(worker, searching);
                work.load(Ordering::SeqCst) == 2
            })
        });
        let givers = [0, 1].map(|_| {
            let (idle, work) = (idle.clone(), work.clone());
            thread::spawn(move || {
                work.fetch_add(1, Ordering::SeqCst);
                idle.notify().is_some()
            })
        });
        let seen = sleepers.map(|thread| thread.join().unwrap());
        let woken = givers.map(|thread| thread.join().unwrap());
        assert!(
            seen.contains(&true) || woken.contains(&true),
            "all sleep, and there is work"
        );
        assert_ne!(
            woken, [true; 2],
            "nobody was found by the first who was woken"
        );
    });
}

/// A worker's place to wait, on a thread of the model.
struct ModelPark;

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Park for ModelPark {
    /// Without regard to patience. Only a guard has one, and it would come to the rescue of a wake-up
    /// that was lost; but no poll here is long, so nothing may need a guard.
    fn park(&mut self, _: Option<Duration>) {
        thread::park();
    }

    fn is_driver(&self) -> bool {
        false
    }

    fn unparker(&self) -> Waker {
        Waker::from(Arc::new(Unpark(thread::current())))
    }
}

/// A pool with its workers' threads, for the length of `body`.
fn with_workers(workers: usize, body: impl FnOnce(&Arc<Pool>)) {
    let pool = Pool::new(workers, Settings::default());
    let threads: Vec<_> = (0..workers)
        .map(|index| {
            let pool = pool.clone();
            thread::spawn(move || Worker::new(&pool, index).work(&mut ModelPark))
        })
        .collect();
    body(&pool);
    pool.close();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    assert_eq!(pool.live(), 0);
}

struct Bell {
    rung: AtomicBool,
    thread: thread::Thread,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Waits for a task, on a thread of the model.
fn wait<T>(task: JoinHandle<T>) -> T {
    let bell = Arc::new(Bell {
        rung: AtomicBool::new(false),
        thread: thread::current(),
    });
    let waker = Waker::from(bell.clone());
    let mut task = pin!(task);
    loop {
        if let Poll::Ready(output) = task.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output.unwrap();
        }
        while !bell.rung.swap(false, Ordering::SeqCst) {
            thread::park();
        }
    }
}

/// Three workers, spawned to from outside and from within: all tasks run, all joins are answered.
#[test]
fn three_workers_run_what_is_spawned_in_and_outside() {
    check(|| {
        with_workers(3, |pool| {
            let tasks: Vec<_> = (0..3)
                .map(|number| {
                    let own = pool.clone();
                    spawn(pool, None, async move {
                        let children = [0, 1].map(|_| {
                            spawn(&own, None, async {
                                yield_now().await;
                                1
                            })
                        });
                        drop(own);
                        let mut sum = number;
                        for child in children {
                            sum += child.await.unwrap();
                        }
                        sum
                    })
                })
                .collect();
            let sums: Vec<usize> = tasks.into_iter().map(wait).collect();
            assert_eq!(sums, [2, 3, 4]);
        });
    });
}

/// Two workers and two threads outside: one spawns, one aborts, while the pool closes.
#[test]
fn spawns_and_aborts_while_the_pool_closes() {
    check(|| {
        let dropped = Arc::new(Count::new(0));
        struct Guard(Arc<Count>);
        impl Drop for Guard {
            fn drop(&mut self) {
                self.0.fetch_add(1, SeqCst);
            }
        }
        let guard = || Guard(dropped.clone());
        let mut outside = Vec::new();
        with_workers(2, |pool| {
            let (first, theirs) = (guard(), [guard(), guard()]);
            let waits = spawn(pool, None, async move {
                let _guard = first;
                std::future::pending::<()>().await;
            });
            outside.push(thread::spawn(move || waits.abort()));
            let pool = pool.clone();
            outside.push(thread::spawn(move || {
                for guard in theirs {
                    spawn(&pool, None, async move {
                        let _guard = guard;
                        yield_now().await;
                    })
                    .detach();
                }
            }));
        });
        outside
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_eq!(dropped.load(SeqCst), 3);
    });
}

/// Each spawn comes while the workers lie down after the one before: one that is missed stays, and
/// all threads rest for ever.
#[test]
fn spawns_as_the_workers_lie_down() {
    check(|| {
        with_workers(3, |pool| {
            for number in 0..5 {
                assert_eq!(wait(spawn(pool, None, async move { number })), number);
            }
        });
    });
}
