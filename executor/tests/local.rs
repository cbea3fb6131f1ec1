//! `LocalExecutor`: who runs when, what a handle says, and what is dropped where.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use executor::{LocalExecutor, yield_now};

/// Counts its wakes.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Counter {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Gives its waker out at the first poll, and is ready once `open` is set.
fn gate(open: Rc<Cell<bool>>, slot: Rc<RefCell<Option<Waker>>>) -> impl Future<Output = ()> {
    poll_fn(move |cx| {
        if open.get() {
            return Poll::Ready(());
        }
        *slot.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    })
}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn tasks_run_in_the_order_of_their_spawns_and_yields() {
    let trace = Rc::new(RefCell::new(Vec::new()));
    let executor = LocalExecutor::new();
    for name in 0..3 {
        let trace = trace.clone();
        executor.spawn(async move {
            for step in 0..2 {
                trace.borrow_mut().push((step, name));
                yield_now().await;
            }
        });
    }
    while executor.run_batch() {}
    assert_eq!(
        *trace.borrow(),
        [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    );
}

#[test]
fn a_batch_runs_what_was_ready_when_it_began() {
    let polls = Rc::new(Cell::new(0));
    let executor = LocalExecutor::new();
    let count = polls.clone();
    executor.spawn(async move {
        loop {
            count.set(count.get() + 1);
            yield_now().await;
        }
    });
    assert!(executor.run_batch());
    assert_eq!(
        polls.get(),
        1,
        "a task that wakes itself waits for the next batch"
    );
    assert!(executor.run_batch());
    assert_eq!(polls.get(), 2);
}

#[test]
fn batches_end_at_their_bound_or_when_a_root_is_woken() {
    let polls = Rc::new(Cell::new(0));
    let executor = LocalExecutor::new();
    let count = polls.clone();
    let endless = executor.spawn(async move {
        loop {
            count.set(count.get() + 1);
            yield_now().await;
        }
    });
    assert!(executor.run_batches(10));
    assert_eq!(polls.take(), 10);

    // the batch that reaches the bound is finished
    let three: Vec<_> = (0..3).map(|_| executor.spawn(async {})).collect();
    assert!(executor.run_batches(2));
    assert!(three.iter().all(|task| task.is_finished()));
    assert_eq!(polls.take(), 1);

    let mut root = pin!(executor.root(pending::<()>()));
    assert!(root.as_mut().poll_if_woken().is_pending());
    let waker = Rc::new(RefCell::new(None));
    let open = Rc::new(Cell::new(false));
    let mut root = pin!(executor.root(gate(open.clone(), waker.clone())));
    assert!(root.as_mut().poll_if_woken().is_pending());
    let wakes = executor.spawn(async move { waker.take().unwrap().wake() });
    assert!(executor.run_batches(10));
    assert!(wakes.is_finished());
    assert_eq!(polls.take(), 1, "a woken root is not kept waiting");

    endless.abort();
    assert!(executor.run_batches(10));
    open.set(true);
    assert!(root.as_mut().poll_if_woken().is_ready());
    assert!(!executor.run_batches(10), "nothing is ready");
}

#[test]
fn who_only_calls_run_batch_now_and_then_gets_everything_done() {
    // No host waker, no block_on: wakes from elsewhere, joins and yields, by ticks alone.
    let (sender, wakers) = mpsc::channel::<Waker>();
    let elsewhere = thread::spawn(move || wakers.into_iter().for_each(Waker::wake));
    let executor = LocalExecutor::new();
    let waits: Vec<_> = (0..10)
        .map(|_| {
            let sender = sender.clone();
            let mut hops = 10;
            executor.spawn(poll_fn(move |cx| {
                if hops == 0 {
                    return Poll::Ready(());
                }
                hops -= 1;
                sender.send(cx.waker().clone()).unwrap();
                Poll::Pending
            }))
        })
        .collect();
    drop(sender);
    let all = executor.spawn(async move {
        for task in waits {
            task.await.unwrap();
            yield_now().await;
        }
    });
    while !all.is_finished() {
        executor.run_batch();
        thread::yield_now();
    }
    elsewhere.join().unwrap();
}

#[test]
fn a_batch_is_bounded_by_the_builder() {
    let executor = LocalExecutor::builder().batch_max(3).build();
    let handles: Vec<_> = (0..7).map(|_| executor.spawn(async {})).collect();
    let done = || handles.iter().filter(|handle| handle.is_finished()).count();
    assert!(executor.run_batch());
    assert_eq!(done(), 3);
    assert!(executor.run_batch());
    assert!(!executor.run_batch());
    assert_eq!(done(), 7);
}

#[test]
fn what_a_bounded_batch_leaves_comes_before_what_was_woken_meanwhile() {
    let executor = LocalExecutor::builder().batch_max(2).build();
    let trace = Rc::new(RefCell::new(String::new()));
    for name in ['a', 'b', 'c', 'd', 'e'] {
        let trace = trace.clone();
        drop(executor.spawn(async move {
            trace.borrow_mut().push(name);
            yield_now().await;
            trace.borrow_mut().push(name);
        }));
    }
    let mut batches = Vec::new();
    loop {
        let more = executor.run_batch();
        batches.push(trace.take());
        if !more {
            break;
        }
    }
    assert_eq!(batches, ["ab", "cd", "ea", "bc", "de"]);
}

#[test]
fn a_wake_is_counted_when_it_makes_a_task_ready() {
    let executor = LocalExecutor::new();
    let (open, waker) = (Rc::new(Cell::new(false)), Rc::new(RefCell::new(None)));
    let gated = executor.spawn(gate(open.clone(), waker.clone()));
    let aborted = executor.spawn(pending::<()>());
    let polls_and_wakes = || (executor.metrics().polls, executor.metrics().wakes);
    executor.run_batch();
    assert_eq!(polls_and_wakes(), (2, 0));

    let gated_waker: Waker = waker.take().unwrap();
    {
        let _entered = executor.enter();
        gated_waker.wake_by_ref();
        gated_waker.wake_by_ref(); // ready already
        aborted.abort();
        assert_eq!(polls_and_wakes(), (2, 2));
    }
    executor.run_batch();
    assert_eq!(polls_and_wakes(), (4, 2));

    open.set(true);
    thread::scope(|scope| {
        scope.spawn(move || gated_waker.wake()); // told when it is taken in
    });
    assert_eq!(polls_and_wakes(), (4, 2));
    executor.run_batch();
    assert_eq!(polls_and_wakes(), (5, 3));
    assert!(gated.is_finished());
}

#[test]
fn a_wake_of_a_task_that_has_ended_is_not_counted() {
    let executor = LocalExecutor::new();
    let waker = Rc::new(RefCell::new(None));
    let ended = executor.spawn(gate(Rc::new(Cell::new(false)), waker.clone()));
    executor.run_batch();
    ended.abort();
    executor.run_batch();
    waker.take().unwrap().wake();
    executor.run_batch();
    assert_eq!(executor.metrics().wakes, 1, "the abort");
}

#[test]
fn roots_and_block_on_have_a_task_each() {
    let executor = LocalExecutor::new();
    executor.block_on(yield_now()); // from here on there is a spare one
    let polls = Cell::new(0);
    let outer = || {
        executor.block_on(async {
            let mut inner = pin!(executor.root(yield_now()));
            for _ in 0..3 {
                polls.set(polls.get() + 1);
                yield_now().await;
            }
            // Woken, as it was never polled; nobody polls it, and nobody else is woken for it.
            assert!(format!("{inner:?}").contains("true"));
            inner.set(executor.root(yield_now()));
        });
    };
    let mut before = pin!(executor.root(yield_now())); // has taken the spare one
    outer();
    outer();
    assert_eq!(polls.get(), 6);
    assert!(before.as_mut().poll_if_woken().is_pending());
    assert!(before.as_mut().poll_if_woken().is_ready());
    assert!(before.as_mut().poll_if_woken().is_pending());
}

#[test]
fn block_on_polls_borrowing_futures_and_joins() {
    let text = String::from("tea");
    let executor = LocalExecutor::new();
    let task = executor.spawn(async { text.len() });
    let borrowed = &text;
    let sum = executor.block_on(async move { task.await.unwrap() + borrowed.len() });
    assert_eq!(sum, 6);
}

#[test]
fn a_panic_reaches_the_joiner_and_nobody_else() {
    let executor = LocalExecutor::new();
    let bad = executor.spawn(async { std::panic::panic_any(7_u8) });
    let good = executor.spawn(async { 5 });
    let (bad, good) = executor.block_on(async { (bad.await, good.await) });
    let error = bad.unwrap_err();
    assert!(error.is_panic() && !error.is_cancelled());
    assert_eq!(*error.into_panic().downcast::<u8>().unwrap(), 7);
    assert_eq!(good.unwrap(), 5);
}

#[test]
fn abort_drops_the_future_in_the_next_batch() {
    let drops = Rc::new(Cell::new(0));
    let executor = LocalExecutor::new();
    for batches_before in 0..2 {
        let count = drops.clone();
        let guard = OnDrop(move || count.set(count.get() + 1));
        let task = executor.spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        });
        for _ in 0..batches_before {
            executor.run_batch();
        }
        task.abort();
        assert!(!task.is_finished());
        executor.run_batch();
        assert!(task.is_finished());
        assert!(executor.block_on(task).unwrap_err().is_cancelled());
        assert_eq!(drops.take(), 1);
    }
}

#[test]
fn abort_from_inside_the_task_takes_effect_when_the_poll_ends() {
    let handle = Rc::new(RefCell::new(None::<executor::LocalJoinHandle<()>>));
    let executor = LocalExecutor::new();
    let own = handle.clone();
    let task = executor.spawn(async move {
        own.borrow().as_ref().unwrap().abort();
        pending::<()>().await;
    });
    *handle.borrow_mut() = Some(task);
    executor.run_batch();
    let task = handle.borrow_mut().take().unwrap();
    assert!(task.is_finished());
    assert!(executor.block_on(task).unwrap_err().is_cancelled());
}

#[test]
fn abort_after_the_end_changes_nothing() {
    let executor = LocalExecutor::new();
    let task = executor.spawn(async { 3 });
    executor.run_batch();
    task.abort();
    assert_eq!(executor.block_on(task).unwrap(), 3);
}

#[test]
fn a_dropped_handle_lets_the_task_go_on() {
    let done = Rc::new(Cell::new(false));
    let executor = LocalExecutor::new();
    let set = done.clone();
    drop(executor.spawn(async move {
        yield_now().await;
        set.set(true);
    }));
    while executor.run_batch() {}
    assert!(done.get());
}

#[test]
fn dropping_the_executor_drops_each_future_once_here() {
    let drops = Rc::new(Cell::new(0));
    let here = thread::current().id();
    let guard = |drops: &Rc<Cell<i32>>| {
        let drops = drops.clone();
        OnDrop(move || {
            assert_eq!(thread::current().id(), here);
            drops.set(drops.get() + 1);
        })
    };
    let executor = LocalExecutor::new();
    let suspended = guard(&drops);
    let kept = executor.spawn(async move {
        let _guard = suspended;
        pending::<()>().await;
    });
    executor.run_batch();
    let never_polled = guard(&drops);
    executor.spawn(async move { drop(never_polled) });
    let finished = guard(&drops);
    let with_output = executor.spawn(async move { finished });
    executor.run_batch();
    let late = guard(&drops);
    executor.spawn(async move { drop(late) });
    assert_eq!(drops.get(), 1, "the first never-polled one has run");
    drop(executor);
    assert_eq!(drops.get(), 3, "the suspended and the late one are dropped");
    assert!(kept.is_finished());
    assert!(executor::block_on(kept).unwrap_err().is_cancelled());
    drop(with_output);
    assert_eq!(drops.get(), 4, "an output belongs to its handle");
}

#[test]
fn a_wake_from_another_thread_ends_the_park() {
    let executor = LocalExecutor::new();
    for _ in 0..200 {
        let (send, receive) = mpsc::channel::<Waker>();
        let other = thread::spawn(move || receive.recv().unwrap().wake());
        let mut sent = false;
        executor.block_on(poll_fn(|cx| {
            if sent {
                return Poll::Ready(());
            }
            sent = true;
            send.send(cx.waker().clone()).unwrap();
            Poll::Pending
        }));
        other.join().unwrap();
    }
}

#[test]
fn the_host_is_called_once_until_the_inbox_is_drained() {
    let host = Arc::new(Counter::default());
    let executor = LocalExecutor::with_waker(host.clone().into());
    let open = Rc::new(Cell::new(false));
    let slots: Vec<_> = (0..3).map(|_| Rc::new(RefCell::new(None))).collect();
    for slot in &slots {
        executor.spawn(gate(open.clone(), slot.clone()));
    }
    executor.run_batch();
    assert_eq!(host.count(), 0, "a spawn on the owner thread needs no call");
    let wakers: Vec<Waker> = slots
        .iter()
        .map(|slot| slot.borrow().clone().unwrap())
        .collect();
    assert!(!executor.has_ready());
    thread::scope(|scope| {
        scope.spawn(|| wakers.iter().for_each(Waker::wake_by_ref));
    });
    assert_eq!(host.count(), 1);
    assert!(executor.has_ready(), "the inbox counts");
    executor.run_batch();
    thread::scope(|scope| {
        scope.spawn(|| wakers.iter().for_each(Waker::wake_by_ref));
    });
    assert_eq!(host.count(), 2, "drained, so the next wake calls again");
}

#[test]
fn entered_wakes_stay_on_the_thread() {
    let host = Arc::new(Counter::default());
    let executor = LocalExecutor::with_waker(host.clone().into());
    let (open, slot) = (Rc::new(Cell::new(false)), Rc::new(RefCell::new(None)));
    let task = executor.spawn(gate(open.clone(), slot.clone()));
    executor.run_batch();
    let waker = slot.borrow_mut().take().unwrap();
    {
        let _entered = executor.enter();
        waker.wake_by_ref();
        assert_eq!(host.count(), 0);
        assert!(executor.has_ready());
    }
    executor.run_batch();
    waker.wake_by_ref();
    assert_eq!(
        host.count(),
        1,
        "not entered: the owner thread is like any other"
    );
    open.set(true);
    executor.run_batch();
    assert!(task.is_finished());
}

#[test]
fn guards_may_be_dropped_in_any_order_or_forgotten() {
    let (open, slot) = (Rc::new(Cell::new(false)), Rc::new(RefCell::new(None)));
    let first = LocalExecutor::new();
    let second = LocalExecutor::new();
    let one = first.enter();
    let two = second.enter();
    drop(one);
    drop(first);
    let task = second.spawn(gate(open.clone(), slot.clone()));
    second.run_batch();
    drop(two);
    let third = LocalExecutor::new();
    open.set(true);
    slot.borrow_mut().take().unwrap().wake();
    second.block_on(task).unwrap();
    std::mem::forget(third.enter());
    drop(third);
}

#[test]
fn wakers_and_handles_outlive_the_executor() {
    let slot = Rc::new(RefCell::new(None));
    let open = Rc::new(Cell::new(false));
    let executor = LocalExecutor::new();
    let task = executor.spawn(gate(open, slot.clone()));
    executor.run_batch();
    drop(executor);
    let waker = slot.borrow_mut().take().unwrap();
    waker.wake_by_ref();
    let other = waker.clone();
    thread::spawn(move || {
        let cloned_here = other.clone();
        other.wake_by_ref();
        cloned_here.wake();
    })
    .join()
    .unwrap();
    assert!(task.is_finished());
    drop(task);
    waker.wake();
}

#[test]
fn a_spawner_spawns_siblings_and_outlives_the_executor() {
    let executor = LocalExecutor::new();
    let spawner = executor.spawner();
    let inner = spawner.clone();
    let task = executor.spawn(async move { inner.spawn(async { 2 }).await.unwrap() + 1 });
    assert_eq!(executor.block_on(task).unwrap(), 3);
    drop(executor);
    assert!(spawner.is_closed());
    let task = spawner.spawn(async { 1 });
    assert!(task.is_finished());
    assert!(executor::block_on(task).unwrap_err().is_cancelled());
}

#[test]
fn a_root_is_polled_only_when_woken() {
    let polls = Cell::new(0);
    let slot = Rc::new(RefCell::new(None::<Waker>));
    let executor = LocalExecutor::new();
    let mut root = pin!(executor.root(poll_fn(|cx| {
        polls.set(polls.get() + 1);
        *slot.borrow_mut() = Some(cx.waker().clone());
        if polls.get() == 3 {
            Poll::Ready("done")
        } else {
            Poll::Pending
        }
    })));
    assert!(executor.has_ready());
    assert_eq!(root.as_mut().poll_if_woken(), Poll::Pending);
    assert!(!executor.has_ready());
    assert_eq!(root.as_mut().poll_if_woken(), Poll::Pending);
    assert_eq!(polls.get(), 1);
    let waker = slot.borrow_mut().take().unwrap();
    waker.wake(); // not entered: through the inbox
    assert!(executor.has_ready());
    executor.run_batch();
    assert_eq!(root.as_mut().poll_if_woken(), Poll::Pending);
    {
        let _entered = executor.enter();
        slot.borrow_mut().take().unwrap().wake();
    }
    assert!(executor.has_ready());
    assert_eq!(root.as_mut().poll_if_woken(), Poll::Ready("done"));
    assert!(!executor.has_ready());
    assert_eq!(root.as_mut().poll_if_woken(), Poll::Pending);
    slot.borrow_mut().take().unwrap().wake();
    executor.run_batch();
    assert!(!executor.has_ready());
}

#[test]
fn block_on_can_be_repeated_with_wakers_left_over() {
    let slot = RefCell::new(None::<Waker>);
    let executor = LocalExecutor::new();
    for _ in 0..3 {
        executor.block_on(poll_fn(|cx| {
            if let Some(old) = slot.borrow_mut().replace(cx.waker().clone()) {
                old.wake_by_ref();
                old.wake();
            }
            Poll::Ready(())
        }));
    }
}

#[test]
fn a_waker_left_by_a_root_is_that_of_the_next_and_wakes_nobody_in_between() {
    let executor = LocalExecutor::new();
    let leave = |slot: &RefCell<Option<Waker>>| {
        let old = slot.borrow_mut().take();
        executor.block_on(poll_fn(|cx| {
            let same = old.as_ref().is_none_or(|old| old.will_wake(cx.waker()));
            slot.replace(Some(cx.waker().clone()));
            Poll::Ready(same)
        }))
    };
    let slot = RefCell::new(None);
    assert!(leave(&slot));
    let old = slot.borrow().clone().unwrap();
    {
        let _entered = executor.enter();
        old.wake_by_ref();
        assert!(!executor.has_ready(), "nobody is there to be polled");
    }
    let elsewhere = old.clone();
    std::thread::spawn(move || elsewhere.wake()).join().unwrap();
    executor.run_batch();
    assert!(!executor.has_ready(), "nor is for a wake of another thread");
    assert!(leave(&slot), "the same waker, which need not be exchanged");

    // A host's roots have another task, one after the other as well.
    let polls = Cell::new(0);
    let root = || {
        executor.root(poll_fn(|cx| {
            polls.set(polls.get() + 1);
            slot.replace(Some(cx.waker().clone()));
            Poll::<()>::Pending
        }))
    };
    assert!(Box::pin(root()).as_mut().poll_if_woken().is_pending());
    let old = slot.take().unwrap();
    old.wake_by_ref();
    executor.run_batch();
    assert!(!executor.has_ready(), "its root is gone");
    let mut root = Box::pin(root());
    assert!(root.as_mut().poll_if_woken().is_pending());
    old.wake();
    executor.run_batch();
    assert!(root.as_mut().poll_if_woken().is_pending());
    assert!(root.as_mut().poll_if_woken().is_pending());
    assert_eq!(polls.get(), 3, "once for nothing");
}

#[test]
fn nested_block_on_of_another_executor_works_of_the_same_it_says_why_not() {
    let outer = Rc::new(LocalExecutor::new());
    let same = outer.clone();
    let task = outer.spawn(async move {
        let inner = LocalExecutor::new();
        let task = inner.spawn(async { 4 });
        let four = inner.block_on(task).unwrap();
        let free = executor::block_on(async { 5 });
        let refused = catch_unwind(AssertUnwindSafe(|| same.block_on(async {}))).unwrap_err();
        (four, free, *refused.downcast::<String>().unwrap())
    });
    let (four, free, message) = outer.block_on(task).unwrap();
    assert_eq!((four, free), (4, 5));
    assert!(message.contains("the same LocalExecutor"), "{message}");
    let message = outer.block_on(async {
        let refused = catch_unwind(AssertUnwindSafe(|| outer.run_batch())).unwrap_err();
        *refused.downcast::<String>().unwrap()
    });
    assert!(message.contains("LocalExecutor::run_batch"), "{message}");
}

#[test]
fn a_narrow_waker_count_does_not_overflow() {
    let slot = Rc::new(RefCell::new(None));
    let open = Rc::new(Cell::new(false));
    let executor = LocalExecutor::new();
    let task = executor.spawn(gate(open.clone(), slot.clone()));
    executor.run_batch();
    let waker = slot.borrow_mut().take().unwrap();
    let _entered = executor.enter();
    let mut clones: Vec<Waker> = (0..100_000).map(|_| waker.clone()).collect();
    let far = clones.split_off(50_000);
    thread::spawn(move || drop(far)).join().unwrap();
    drop(clones);
    let far: Vec<Waker> = (0..100_000).map(|_| waker.clone()).collect();
    let far = thread::spawn(move || far.iter().map(Waker::clone).collect::<Vec<_>>())
        .join()
        .unwrap();
    drop(far); // cloned there, dropped here: the owner's count goes below zero
    open.set(true);
    waker.wake();
    executor.run_batch();
    assert!(task.is_finished());
}

#[test]
fn the_joiners_waker_is_replaced_and_called_once() {
    let (first, second) = (Arc::new(Counter::default()), Arc::new(Counter::default()));
    let open = Rc::new(Cell::new(false));
    let slot = Rc::new(RefCell::new(None));
    let executor = LocalExecutor::new();
    let mut task = pin!(executor.spawn(gate(open.clone(), slot.clone())));
    let wakers: [Waker; 2] = [first.clone().into(), second.clone().into()];
    for waker in &wakers {
        assert!(
            task.as_mut()
                .poll(&mut Context::from_waker(waker))
                .is_pending()
        );
    }
    executor.run_batch();
    open.set(true);
    slot.borrow_mut().take().unwrap().wake();
    executor.run_batch();
    assert_eq!((first.count(), second.count()), (0, 1));
    assert!(
        task.as_mut()
            .poll(&mut Context::from_waker(&wakers[0]))
            .is_ready()
    );
}

#[test]
fn block_on_beside_another_root_that_is_woken() {
    let executor = LocalExecutor::new();
    let mut other = pin!(executor.root(async { 1 })); // woken, as it was never polled
    let task = executor.spawn(async {
        yield_now().await;
        2
    });
    assert_eq!(executor.block_on(task).unwrap(), 2);
    assert_eq!(other.as_mut().poll_if_woken(), Poll::Ready(1));
}

#[test]
fn a_root_that_wakes_itself_does_not_starve_the_tasks() {
    let executor = LocalExecutor::new();
    let done = Rc::new(Cell::new(false));
    let set = done.clone();
    executor.spawn(async move {
        yield_now().await;
        set.set(true);
    });
    let polls = executor.block_on(async {
        let mut polls = 0;
        while !done.get() {
            yield_now().await;
            polls += 1;
        }
        polls
    });
    assert_eq!(polls, 2, "one batch for each poll of the root");
}

#[test]
fn a_finished_tasks_output_is_taken_without_awaiting_it() {
    let executor = LocalExecutor::new();
    let mut task = executor.spawn(async { String::from("tea") });
    assert!(task.try_join().is_none(), "it has not run");
    executor.run_batch();
    assert_eq!(task.try_join().unwrap().unwrap(), "tea");
    assert!(task.try_join().is_none(), "given once");
    assert!(task.is_finished());
}

#[test]
fn how_a_task_ended_is_told_without_awaiting_it() {
    let executor = LocalExecutor::new();
    let mut panics = executor.spawn(async { panic!("as meant") });
    let mut aborted = executor.spawn(std::future::pending::<()>());
    aborted.abort();
    executor.run_batch();
    let end: Result<(), _> = panics.try_join().unwrap();
    let payload = end.unwrap_err().try_into_panic().unwrap();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "as meant");
    let cancelled = aborted.try_join().unwrap().unwrap_err();
    assert!(cancelled.try_into_panic().unwrap_err().is_cancelled());
    let spawner = executor.spawner();
    drop(executor);
    let mut late = spawner.spawn(async {});
    assert!(late.try_join().unwrap().unwrap_err().is_cancelled());
    assert!(late.try_join().is_none());
}

#[test]
fn a_handle_that_was_awaited_may_still_be_asked() {
    let executor = LocalExecutor::new();
    let mut task = executor.spawn(async { 7 });
    let mut cx = Context::from_waker(Waker::noop());
    assert!(pin!(&mut task).poll(&mut cx).is_pending());
    executor.run_batch();
    assert_eq!(task.try_join().unwrap().unwrap(), 7);
}
