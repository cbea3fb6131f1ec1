//! Models of `LocalExecutor`: what one or two other threads may do with wakers, against all the
//! owner may do. loom tries every interleaving, and every value the memory model lets a load see.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom \
//!     cargo test -p handrolled-executor --release --test loom
//! ```
//! Two threads are explored without bound; the models with three say their bound, which
//! `LOOM_MAX_PREEMPTIONS` overrides.
//!
//! What each model would show: a lost wake is a deadlock; a future or output dropped twice or not
//! at all is a wrong count; a task or hub never freed is a leak, freed too early an access to freed
//! memory or a double free; a missing ordering is the stale value of the `Relaxed` flag, or a race
//! on a cell.
#![cfg(loom)]

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use executor::{LocalExecutor, LocalJoinHandle};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;

/// Runs a model; `bound` limits preemptions when given.
fn model(bound: Option<usize>, body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    if builder.preemption_bound.is_none() {
        builder.preemption_bound = bound;
    }
    builder.check(body);
}

/// Counts its drops; the loom `Arc` in it makes a leak of the future a failure by itself.
struct Guard {
    drops: Rc<Cell<usize>>,
    owner: loom::thread::ThreadId,
    _leak: Arc<()>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        assert_eq!(
            thread::current().id(),
            self.owner,
            "a future is dropped by its owner"
        );
        self.drops.set(self.drops.get() + 1);
    }
}

/// An executor with one task that waits until `goal` flags are raised, polled once; and the wakers
/// it gave out.
struct Scene {
    executor: LocalExecutor<'static>,
    task: Option<LocalJoinHandle<()>>,
    raised: Arc<AtomicUsize>,
    drops: Rc<Cell<usize>>,
    wakers: Vec<Waker>,
}

impl Scene {
    fn new(goal: usize, wakers: usize) -> Scene {
        let executor = LocalExecutor::new();
        let raised = Arc::new(AtomicUsize::new(0));
        let drops = Rc::new(Cell::new(0));
        let slot = Rc::new(RefCell::new(Vec::new()));
        let guard = Guard {
            drops: drops.clone(),
            owner: thread::current().id(),
            _leak: Arc::new(()),
        };
        let (seen, out) = (raised.clone(), slot.clone());
        let mut first = true;
        let waits = poll_fn(move |cx| {
            let _ = &guard;
            if first {
                first = false;
                out.borrow_mut()
                    .extend((0..wakers).map(|_| cx.waker().clone()));
            }
            if seen.load(Relaxed) >= goal {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        let task = Some(executor.spawn(waits));
        executor.run_batch();
        let wakers = slot.take();
        Scene {
            executor,
            task,
            raised,
            drops,
            wakers,
        }
    }

    /// Another thread that has one of the wakers.
    fn thread(&mut self, act: impl FnOnce(Waker, &AtomicUsize) + 'static) -> Joins {
        let waker = self
            .wakers
            .pop()
            .expect("the scene has as many wakers as threads");
        let raised = self.raised.clone();
        thread::spawn(move || act(waker, &raised))
    }

    /// Awaits the task: without a wake this is a deadlock.
    fn join(&mut self) {
        let task = self.task.take().expect("joined once");
        self.executor
            .block_on(task)
            .expect("neither aborted nor panicked");
        assert_eq!(self.drops.get(), 1);
    }
}

type Joins = thread::JoinHandle<()>;

fn wake_by_value(waker: Waker, raised: &AtomicUsize) {
    raised.fetch_add(1, Relaxed);
    waker.wake();
}

fn wake_by_ref(waker: Waker, raised: &AtomicUsize) {
    raised.fetch_add(1, Relaxed);
    waker.wake_by_ref();
}

fn clone_and_wake(waker: Waker, raised: &AtomicUsize) {
    let clone = waker.clone();
    drop(waker);
    raised.fetch_add(1, Relaxed);
    clone.wake();
}

fn only_drop(waker: Waker, _: &AtomicUsize) {
    drop(waker);
}

fn clone_and_drop(waker: Waker, _: &AtomicUsize) {
    drop(waker.clone());
    drop(waker);
}

type Act = fn(Waker, &AtomicUsize);

const WAKES: [Act; 3] = [wake_by_value, wake_by_ref, clone_and_wake];
const DROPS: [Act; 2] = [only_drop, clone_and_drop];

#[test]
fn a_wake_against_block_on() {
    for act in WAKES {
        model(None, move || {
            let mut scene = Scene::new(1, 1);
            let other = scene.thread(act);
            scene.join();
            other.join().unwrap();
        });
    }
}

#[test]
fn a_wake_or_drop_against_run_batch_and_the_end_of_the_executor() {
    for act in WAKES.into_iter().chain(DROPS) {
        model(None, move || {
            let mut scene = Scene::new(1, 1);
            let other = scene.thread(act);
            scene.executor.run_batch();
            let Scene {
                executor,
                task,
                drops,
                ..
            } = scene;
            drop(executor);
            assert_eq!(drops.get(), 1);
            assert!(task.unwrap().is_finished());
            other.join().unwrap();
        });
    }
}

#[test]
fn a_wake_or_drop_against_abort() {
    for act in WAKES.into_iter().chain(DROPS) {
        model(None, move || {
            let mut scene = Scene::new(1, 1);
            let other = scene.thread(act);
            let task = scene.task.take().unwrap();
            task.abort();
            let end = scene.executor.block_on(task);
            assert!(end.unwrap_err().is_cancelled());
            assert_eq!(scene.drops.get(), 1);
            other.join().unwrap();
        });
    }
}

#[test]
fn a_wake_or_drop_against_the_handles_drop_and_the_executors() {
    for act in WAKES.into_iter().chain(DROPS) {
        for executor_first in [true, false] {
            model(None, move || {
                let mut scene = Scene::new(1, 1);
                let other = scene.thread(act);
                let Scene {
                    executor,
                    task,
                    drops,
                    ..
                } = scene;
                if executor_first {
                    drop(executor);
                    drop(task);
                } else {
                    drop(task);
                    drop(executor);
                }
                assert_eq!(drops.get(), 1);
                other.join().unwrap();
            });
        }
    }
}

#[test]
fn a_wake_or_drop_against_the_tasks_end() {
    for act in WAKES.into_iter().chain(DROPS) {
        model(None, move || {
            let mut scene = Scene::new(1, 2);
            let own = scene.wakers.pop().unwrap();
            let other = scene.thread(act);
            scene.raised.fetch_add(1, Relaxed);
            own.wake();
            scene.join();
            other.join().unwrap();
        });
    }
}

#[test]
fn a_wake_or_drop_against_a_join_poll() {
    for act in WAKES.into_iter().chain(DROPS) {
        model(None, move || {
            let mut scene = Scene::new(1, 1);
            let other = scene.thread(act);
            let mut task = pin!(scene.task.take().unwrap());
            let ready = {
                let mut cx = std::task::Context::from_waker(Waker::noop());
                let first = task.as_mut().poll(&mut cx).is_ready();
                scene.executor.run_batch();
                first || task.as_mut().poll(&mut cx).is_ready()
            };
            assert_eq!(scene.drops.get(), usize::from(ready));
            other.join().unwrap();
            drop(scene.executor);
            assert_eq!(scene.drops.get(), 1);
        });
    }
}

#[test]
fn two_wakes_of_one_task_are_both_seen() {
    let pairs: [[Act; 2]; 3] = [
        [wake_by_ref, wake_by_ref],
        [wake_by_value, wake_by_ref],
        [wake_by_value; 2],
    ];
    for pair in pairs {
        model(Some(3), move || {
            let mut scene = Scene::new(2, 2);
            let others = pair.map(|act| scene.thread(act));
            scene.join();
            others.into_iter().for_each(|other| other.join().unwrap());
        });
    }
}

#[test]
fn a_wake_and_a_drop_elsewhere_against_the_end() {
    for act in DROPS {
        model(Some(3), move || {
            let mut scene = Scene::new(1, 2);
            let others = [scene.thread(wake_by_value), scene.thread(act)];
            scene.join();
            drop(scene);
            others.into_iter().for_each(|other| other.join().unwrap());
        });
    }
}

/// Who of the three drops the last reference frees the task, once.
#[test]
fn two_drops_elsewhere_against_the_end() {
    let pairs: [[Act; 2]; 2] = [[only_drop; 2], [only_drop, clone_and_drop]];
    for pair in pairs {
        model(Some(3), move || {
            let mut scene = Scene::new(1, 3);
            let own = scene.wakers.pop().unwrap();
            let others = pair.map(|act| scene.thread(act));
            scene.raised.fetch_add(1, Relaxed);
            own.wake();
            scene.join();
            drop(scene);
            others.into_iter().for_each(|other| other.join().unwrap());
        });
    }
}

#[test]
fn two_wakes_against_the_end_of_the_executor() {
    model(Some(3), || {
        let mut scene = Scene::new(1, 2);
        let others = [scene.thread(wake_by_value), scene.thread(wake_by_ref)];
        let Scene {
            executor,
            drops,
            task,
            ..
        } = scene;
        drop(executor);
        drop(task);
        assert_eq!(drops.get(), 1);
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

#[test]
fn one_thread_wakes_two_tasks() {
    model(None, || {
        let executor = LocalExecutor::new();
        let raised = Arc::new(AtomicUsize::new(0));
        let slot = Rc::new(RefCell::new(Vec::new()));
        let tasks = [(); 2].map(|()| {
            let (seen, out) = (raised.clone(), slot.clone());
            executor.spawn(poll_fn(move |cx| {
                if seen.load(Relaxed) == 1 {
                    return Poll::Ready(());
                }
                out.borrow_mut().push(cx.waker().clone());
                Poll::Pending
            }))
        });
        executor.run_batch();
        let wakers: Vec<Waker> = slot.take();
        let seen = raised.clone();
        let other = thread::spawn(move || {
            seen.fetch_add(1, Relaxed);
            wakers.into_iter().for_each(Waker::wake);
        });
        executor.block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
        other.join().unwrap();
    });
}

#[test]
fn a_root_woken_against_its_end() {
    model(None, || {
        let executor = LocalExecutor::new();
        let raised = Arc::new(AtomicUsize::new(0));
        let mut other = None;
        let seen = raised.clone();
        executor.block_on(poll_fn(|cx| {
            if other.is_none() {
                let (waker, raised) = (cx.waker().clone(), raised.clone());
                other = Some(thread::spawn(move || {
                    waker.wake_by_ref();
                    raised.fetch_add(1, Relaxed);
                    waker.wake();
                }));
            }
            if seen.load(Relaxed) == 1 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        }));
        drop(executor);
        other.unwrap().join().unwrap();
    });
}

#[test]
fn the_host_is_called_for_a_wake_while_it_may_wait() {
    // The host's loop of the composed program: batch, look, wait. Its waiting is a loom park.
    struct Host(
        thread::Thread,
        #[expect(dead_code, reason = "loom counts it")] Arc<()>,
    );
    impl std::task::Wake for Host {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    model(None, || {
        let host = std::sync::Arc::new(Host(thread::current(), Arc::new(())));
        let executor = LocalExecutor::with_waker(host.into());
        let raised = Arc::new(AtomicUsize::new(0));
        let slot = Rc::new(RefCell::new(None));
        let (seen, out) = (raised.clone(), slot.clone());
        let task = executor.spawn(poll_fn(move |cx| {
            if seen.load(Relaxed) == 1 {
                return Poll::Ready(());
            }
            *out.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        }));
        executor.run_batch();
        let waker: Waker = slot.take().unwrap();
        let other = thread::spawn(move || {
            raised.fetch_add(1, Relaxed);
            waker.wake();
        });
        let _entered = executor.enter();
        loop {
            executor.run_batch();
            if task.is_finished() {
                break;
            }
            if !executor.has_ready() {
                thread::park();
            }
        }
        drop(slot.take());
        drop(task);
        drop(_entered);
        drop(executor);
        other.join().unwrap();
    });
}
