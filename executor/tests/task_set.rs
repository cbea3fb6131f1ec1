//! `LocalTaskSet`: ends in the order they come, whatever they are.

use std::cell::Cell;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use executor::{LocalExecutor, LocalTaskSet, yield_now};

async fn after(turns: u32, name: &'static str) -> &'static str {
    for _ in 0..turns {
        yield_now().await;
    }
    name
}

#[test]
fn ends_come_in_their_order_and_places_are_used_again() {
    let executor = LocalExecutor::new();
    let mut set = LocalTaskSet::new(executor.spawner());
    set.spawn(after(4, "late"));
    set.spawn(after(0, "first"));
    set.spawn(after(2, "second"));
    assert_eq!(set.len(), 3);
    let ends = executor.block_on(async {
        let mut ends = vec![set.join_next().await.unwrap().unwrap()];
        set.spawn(after(8, "last"));
        while let Some(end) = set.join_next().await {
            ends.push(end.unwrap());
        }
        ends
    });
    assert_eq!(ends, ["first", "second", "late", "last"]);
    assert!(set.is_empty());
}

#[test]
fn panics_and_aborts_are_ends_too() {
    let executor = LocalExecutor::new();
    let mut set = LocalTaskSet::new(executor.spawner());
    set.spawn(async { panic!("spilt") });
    set.spawn(pending::<()>());
    let (first, second, third) = executor.block_on(async {
        let first = set.join_next().await.unwrap().unwrap_err();
        set.abort_all();
        let second = set.join_next().await.unwrap().unwrap_err();
        (first, second, set.join_next().await)
    });
    assert!(first.is_panic());
    assert!(second.is_cancelled());
    assert!(third.is_none());
}

#[test]
fn a_dropped_set_aborts_a_detached_one_lets_go() {
    struct Counts(Rc<Cell<usize>>);
    impl Drop for Counts {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let drops = Rc::new(Cell::new(0));
    let executor = LocalExecutor::new();
    for detach in [false, true] {
        let guard = Counts(drops.clone());
        let mut set = LocalTaskSet::new(executor.spawner());
        set.spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        });
        executor.run_batch();
        if detach {
            set.detach_all();
            assert!(set.is_empty());
        }
        drop(set);
        executor.run_batch();
        assert_eq!(drops.get(), 1, "only the dropped set's task");
    }
    assert_eq!(executor.metrics().live, 1);
}

#[test]
fn a_set_outlives_its_executor() {
    let executor = LocalExecutor::new();
    let mut set = LocalTaskSet::new(executor.spawner());
    set.spawn(pending::<()>());
    executor.run_batch();
    drop(executor);
    set.spawn(async {});
    executor::block_on(async {
        assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
        assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
        assert!(set.join_next().await.is_none());
    });
}

#[test]
fn ends_are_taken_without_awaiting_them() {
    let executor = LocalExecutor::new();
    let mut set = LocalTaskSet::new(executor.spawner());
    assert!(set.try_join_next().is_none());
    set.spawn(async {
        yield_now().await;
        "slow"
    });
    set.spawn(async { "quick" });
    assert!(set.try_join_next().is_none());
    executor.run_batch();
    assert_eq!(set.try_join_next().unwrap().unwrap(), "quick");
    assert!(set.try_join_next().is_none());
    executor.run_batch();
    assert_eq!(set.try_join_next().unwrap().unwrap(), "slow");
    assert!(set.is_empty());
}

#[test]
fn a_panic_in_the_wake_of_who_awaits_the_set_is_not_the_members() {
    struct Fails;
    impl Wake for Fails {
        fn wake(self: Arc<Self>) {
            panic_any("in the wake");
        }
    }
    let executor = LocalExecutor::new();
    let mut set = LocalTaskSet::new(executor.spawner());
    set.spawn(async { "well" });
    let waker = Waker::from(Arc::new(Fails));
    let first = set.poll_join_next(&mut Context::from_waker(&waker));
    assert!(first.is_pending());
    executor.run_batch();
    assert_eq!(set.try_join_next().unwrap().unwrap(), "well");
}

/// Panics as it is dropped.
struct Spills;

impl Drop for Spills {
    fn drop(&mut self) {
        panic_any("spilt");
    }
}

#[test]
fn a_panic_in_the_drop_of_an_output_leaves_no_number_behind_in_a_set_that_lets_go() {
    let executor = LocalExecutor::new();
    let mut set = LocalTaskSet::new(executor.spawner());
    set.spawn(async { Some(Spills) });
    executor.run_batch();
    catch_unwind(AssertUnwindSafe(|| set.detach_all())).unwrap_err();
    assert!(set.is_empty());
    set.spawn(pending());
    set.spawn(async { None });
    executor.run_batch();
    let first = set.try_join_next().expect("the second one has ended");
    assert!(first.unwrap().is_none());
}
