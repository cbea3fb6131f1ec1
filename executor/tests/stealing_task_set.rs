//! `TaskSet`: what `LocalTaskSet` promises, on several threads.
#![cfg(not(any(loom, shuttle)))]

use std::future::{pending, poll_fn};
use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};

use executor::{Executor, TaskSet, block_on};

fn two_workers() -> Executor {
    Executor::builder().workers(2).build().unwrap()
}

struct Counts(Arc<AtomicUsize>);

impl Drop for Counts {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn every_end_is_joined_once_and_places_are_used_again() {
    let executor = two_workers();
    let mut set = TaskSet::new(executor.spawner());
    let mut joined = vec![0_u8; 2_000];
    block_on(async {
        for number in 0..joined.len() {
            set.spawn(async move { number });
            if number % 3 != 0 {
                let end = set.join_next().await.unwrap().unwrap();
                joined[end] += 1;
            }
        }
        while let Some(end) = set.join_next().await {
            joined[end.unwrap()] += 1;
        }
    });
    assert!(set.is_empty());
    assert!(joined.iter().all(|&times| times == 1));
}

#[test]
fn ends_come_in_their_order() {
    let executor = two_workers();
    let mut set = TaskSet::new(executor.spawner());
    let gates: Vec<_> = (0..3)
        .map(|number| {
            let (open, opened) = mpsc::channel::<()>();
            let (given, taken) = mpsc::channel::<Waker>();
            set.spawn(poll_fn(move |cx| match opened.try_recv() {
                Ok(()) => Poll::Ready(number),
                Err(_) => {
                    let _ = given.send(cx.waker().clone());
                    Poll::Pending
                }
            }));
            (open, taken.recv().unwrap())
        })
        .collect();
    assert!(set.try_join_next().is_none());
    for number in [1, 2, 0] {
        let (open, waker) = &gates[number];
        open.send(()).unwrap();
        waker.wake_by_ref();
        let end = block_on(set.join_next()).unwrap().unwrap();
        assert_eq!(end, number);
    }
    assert_eq!(set.len(), 0);
    assert!(block_on(set.join_next()).is_none());
}

#[test]
fn panics_and_aborts_are_ends_too_and_one_may_look_without_awaiting() {
    let executor = two_workers();
    let mut set = TaskSet::new(executor.spawner());
    set.spawn(async { panic_any("spilt") });
    let first = loop {
        if let Some(end) = set.try_join_next() {
            break end.unwrap_err();
        }
        std::thread::yield_now();
    };
    assert!(first.is_panic());
    set.spawn(pending::<()>());
    set.abort_all();
    assert!(
        block_on(set.join_next())
            .unwrap()
            .unwrap_err()
            .is_cancelled()
    );
    assert!(set.is_empty());
}

#[test]
fn a_dropped_set_aborts_a_detached_one_lets_go() {
    let executor = two_workers();
    let drops = Arc::new(AtomicUsize::new(0));
    for detach in [true, false] {
        let mut set = TaskSet::new(executor.spawner());
        for _ in 0..10 {
            let guard = Counts(drops.clone());
            set.spawn(async move {
                let _guard = guard;
                pending::<()>().await;
            });
        }
        if detach {
            set.detach_all();
            assert!(set.is_empty());
        }
    }
    while drops.load(SeqCst) < 10 {
        std::thread::yield_now();
    }
    drop(executor);
    assert_eq!(
        drops.load(SeqCst),
        20,
        "those let go went with the executor"
    );
}

#[test]
fn a_set_outlives_its_executor() {
    let executor = two_workers();
    let mut set = TaskSet::new(executor.spawner());
    set.spawn(pending::<()>());
    drop(executor);
    set.spawn(async {});
    assert!(
        block_on(set.join_next())
            .unwrap()
            .unwrap_err()
            .is_cancelled()
    );
    assert!(
        block_on(set.join_next())
            .unwrap()
            .unwrap_err()
            .is_cancelled()
    );
    assert!(block_on(set.join_next()).is_none());
}

#[test]
fn a_panic_in_the_wake_of_who_awaits_the_set_is_not_the_members() {
    struct Fails(mpsc::Sender<()>);
    impl Wake for Fails {
        fn wake(self: Arc<Self>) {
            let _ = self.0.send(());
            panic_any("in the wake");
        }
    }
    let executor = two_workers();
    let mut set = TaskSet::new(executor.spawner());
    let (open, opened) = mpsc::channel::<()>();
    set.spawn(async move { opened.recv().is_ok() });
    let (woken, seen) = mpsc::channel();
    let waker = Waker::from(Arc::new(Fails(woken)));
    let first = set.poll_join_next(&mut Context::from_waker(&waker));
    assert!(first.is_pending());
    open.send(()).unwrap();
    seen.recv().unwrap();
    assert!(block_on(set.join_next()).unwrap().unwrap());
}
