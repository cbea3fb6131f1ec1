//! What user code may do to the executor: panic in every place it is called from, forget handles,
//! drop what it stands on, wake from odd places.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::thread;

use executor::yield_now;
use executor::{
    JoinError, LocalExecutor, LocalJoinHandle, LocalTaskSet, Observer, TaskEnd, TaskId, TaskInfo,
};

/// What a test's panics carry, so that an unexpected one is not mistaken for it.
struct Expected(&'static str);

fn what(error: JoinError) -> &'static str {
    error
        .into_panic()
        .downcast::<Expected>()
        .expect("the test's own panic")
        .0
}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn panics_when_dropped(name: &'static str) -> OnDrop<impl FnMut()> {
    OnDrop(move || panic_any(Expected(name)))
}

fn counts_drops(drops: &Rc<Cell<usize>>) -> OnDrop<impl FnMut() + use<>> {
    let drops = drops.clone();
    OnDrop(move || drops.set(drops.get() + 1))
}

/// After every mishap: the executor still works.
fn still_works(executor: &LocalExecutor<'_>) {
    let task = executor.spawn(async {
        yield_now().await;
        7
    });
    assert_eq!(executor.block_on(task).unwrap(), 7);
}

/// A waker that does odd things, which cannot be made of safe parts.
#[expect(
    unsafe_code,
    reason = "a waker's table is its only way to run code in a clone"
)]
fn odd_waker(table: &'static RawWakerVTable) -> Waker {
    // SAFETY: the functions of our tables ignore their data, so they keep a waker's contract.
    unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), table)) }
}

/// A waker whose functions panic where told to.
#[derive(Clone, Copy, PartialEq)]
enum Where {
    Clone,
    Wake,
    Drop,
}

fn panicking_waker(place: Where) -> Waker {
    static CLONE: RawWakerVTable =
        RawWakerVTable::new(|_| panic_any(Expected("clone")), |_| {}, |_| {}, |_| {});
    static WAKE: RawWakerVTable = RawWakerVTable::new(
        |data| RawWaker::new(data, &WAKE),
        |_| panic_any(Expected("wake")),
        |_| panic_any(Expected("wake")),
        |_| {},
    );
    static DROP: RawWakerVTable = RawWakerVTable::new(
        |data| RawWaker::new(data, &DROP),
        |_| {},
        |_| {},
        |_| panic_any(Expected("drop")),
    );
    let table = match place {
        Where::Clone => &CLONE,
        Where::Wake => &WAKE,
        Where::Drop => &DROP,
    };
    odd_waker(table)
}

#[test]
fn a_panic_in_a_poll() {
    let executor = LocalExecutor::new();
    let drops = Rc::new(Cell::new(0));
    let guard = counts_drops(&drops);
    let task = executor.spawn(poll_fn(move |_| -> Poll<()> {
        let _ = &guard; // still in the future when that panics
        panic_any(Expected("poll"))
    }));
    assert_eq!(what(executor.block_on(task).unwrap_err()), "poll");
    assert_eq!(drops.get(), 1);
    still_works(&executor);
}

#[test]
fn a_panic_in_the_drop_of_a_future_that_is_done() {
    let executor = LocalExecutor::new();
    let guard = panics_when_dropped("future");
    let mut guard = Some(guard);
    let outputs = Rc::new(Cell::new(0));
    let output = counts_drops(&outputs);
    let mut output = Some(output);
    let task = executor.spawn(poll_fn(move |_| {
        let _ = &mut guard;
        Poll::Ready(output.take().unwrap())
    }));
    assert_eq!(
        what(executor.block_on(task).map(|_| ()).unwrap_err()),
        "future"
    );
    assert_eq!(outputs.get(), 1, "the output nobody gets is dropped");
    still_works(&executor);
}

#[test]
fn a_panic_in_the_drop_of_an_aborted_future() {
    let executor = LocalExecutor::new();
    let guard = panics_when_dropped("future");
    let task = executor.spawn(async move {
        let _guard = guard;
        pending::<()>().await;
    });
    executor.run_batch();
    task.abort();
    assert_eq!(what(executor.block_on(task).unwrap_err()), "future");
    still_works(&executor);
}

#[test]
fn a_panic_in_the_drop_of_a_future_when_the_executor_goes() {
    let drops = Rc::new(Cell::new(0));
    let executor = LocalExecutor::new();
    for _ in 0..3 {
        let (bad, good) = (panics_when_dropped("future"), counts_drops(&drops));
        executor.spawn(async move {
            let _both = (bad, good);
            pending::<()>().await;
        });
    }
    executor.run_batch();
    drop(executor);
    assert_eq!(drops.get(), 3);
}

#[test]
fn a_panic_in_the_drop_of_an_output_nobody_wants() {
    let executor = LocalExecutor::new();
    drop(executor.spawn(async { panics_when_dropped("output") }));
    executor.run_batch();
    still_works(&executor);
    // With a handle, the panic is its owner's.
    let task = executor.spawn(async { panics_when_dropped("output") });
    executor.run_batch();
    let panic = catch_unwind(AssertUnwindSafe(|| drop(task))).unwrap_err();
    assert_eq!(panic.downcast::<Expected>().unwrap().0, "output");
    still_works(&executor);
}

#[test]
fn a_panic_whose_payload_panics_when_dropped_has_that_one_forgotten() {
    struct Nested;
    impl Drop for Nested {
        fn drop(&mut self) {
            panic_any(Expected("payload"));
        }
    }
    let executor = LocalExecutor::new();
    drop(executor.spawn(async { panic_any(Nested) }));
    executor.run_batch();
    still_works(&executor);
}

#[test]
fn a_panic_in_the_clone_of_a_joiners_waker() {
    let executor = LocalExecutor::new();
    let mut task = pin!(executor.spawn(async { 3 }));
    let waker = panicking_waker(Where::Clone);
    let poll = || {
        task.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready()
    };
    assert!(catch_unwind(AssertUnwindSafe(poll)).is_err());
    assert_eq!(executor.block_on(task).unwrap(), 3);
}

#[test]
fn a_panic_in_the_wake_of_a_joiners_waker() {
    let executor = LocalExecutor::new();
    let mut task = pin!(executor.spawn(async { 3 }));
    let waker = panicking_waker(Where::Wake);
    assert!(
        task.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    executor.run_batch();
    assert_eq!(executor.block_on(task).unwrap(), 3);
    still_works(&executor);
}

#[test]
fn a_panic_in_the_drop_of_a_joiners_waker() {
    let executor = LocalExecutor::new();
    let waker = std::mem::ManuallyDrop::new(panicking_waker(Where::Drop));
    // Replaced by another one: the panic is the poller's.
    let mut task = pin!(executor.spawn(async { 3 }));
    assert!(
        task.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    let replace = || {
        task.as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    };
    assert!(catch_unwind(AssertUnwindSafe(replace)).is_err());
    assert_eq!(executor.block_on(task).unwrap(), 3);
    // Dropped with the handle.
    let mut task = executor.spawn(async { 3 });
    assert!(
        Pin::new(&mut task)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    assert!(catch_unwind(AssertUnwindSafe(|| drop(task))).is_err());
    still_works(&executor);
}

#[test]
fn a_panic_in_the_host_waker_is_the_wakers() {
    let executor = LocalExecutor::with_waker(panicking_waker(Where::Wake));
    let slot = Rc::new(RefCell::new(None::<Waker>));
    let out = slot.clone();
    let task = executor.spawn(poll_fn(move |cx| {
        if out.borrow().is_some() {
            return Poll::Ready(1);
        }
        *out.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }));
    executor.run_batch();
    let waker = slot.borrow().clone().unwrap();
    let remote = thread::spawn(move || catch_unwind(AssertUnwindSafe(|| waker.wake())).is_err());
    assert!(remote.join().unwrap());
    assert_eq!(
        executor.block_on(task).unwrap(),
        1,
        "the wake itself was done"
    );
}

#[test]
fn a_panic_in_the_observer() {
    struct Bad;
    impl Observer for Bad {
        fn spawned(&self, _: &TaskInfo<'_>) {
            panic_any(Expected("spawned"));
        }
        fn poll_begins(&self, _: TaskId) {
            panic_any(Expected("poll_begins"));
        }
        fn woken(&self, _: TaskId) {
            panic_any(Expected("woken"));
        }
        fn ended(&self, _: TaskId, _: TaskEnd) {
            panic_any(Expected("ended"));
        }
    }
    let executor = LocalExecutor::builder().observer(Bad).build();
    still_works(&executor);
}

#[test]
fn a_panic_in_block_ons_own_future() {
    let executor = LocalExecutor::new();
    let broken = || executor.block_on(async { panic_any(Expected("root")) });
    let panic = catch_unwind(AssertUnwindSafe(broken)).unwrap_err();
    assert_eq!(panic.downcast::<Expected>().unwrap().0, "root");
    still_works(&executor);
    let broken = || executor::block_on(async { panic_any(Expected("free")) });
    assert!(catch_unwind(AssertUnwindSafe(broken)).is_err());
    assert_eq!(executor::block_on(async { 2 }), 2);
}

#[test]
fn forgotten_handles_guards_and_roots_do_no_harm() {
    let drops = Rc::new(Cell::new(0));
    let executor = LocalExecutor::new();
    let guard = counts_drops(&drops);
    std::mem::forget(executor.spawn(async move {
        let _guard = guard;
        pending::<()>().await;
    }));
    std::mem::forget(executor.spawn(async { 3 }));
    std::mem::forget(executor.spawner());
    std::mem::forget(executor.spawn(pending::<()>()).abort_handle());
    let slot = Rc::new(RefCell::new(None::<Waker>));
    let out = slot.clone();
    let mut root = Box::pin(executor.root(poll_fn(move |cx| {
        *out.borrow_mut() = Some(cx.waker().clone());
        Poll::<()>::Pending
    })));
    assert!(root.as_mut().poll_if_woken().is_pending());
    std::mem::forget(root);
    let mut ended = Box::pin(executor.root(async {}));
    assert!(ended.as_mut().poll_if_woken().is_ready());
    std::mem::forget(ended);
    executor.run_batch();
    std::mem::forget(executor.enter());
    drop(executor);
    assert_eq!(drops.get(), 1);
    slot.borrow_mut().take().unwrap().wake();
    still_works(&LocalExecutor::new());
}

#[test]
fn what_is_spawned_after_the_end_is_dropped_once_and_may_panic() {
    let executor = LocalExecutor::new();
    let spawner = executor.spawner();
    drop(executor);
    let drops = Rc::new(Cell::new(0));
    let guard = counts_drops(&drops);
    let broken = panics_when_dropped("future");
    let task = spawner.spawn(async move {
        let _ = (guard, broken);
    });
    assert_eq!(drops.get(), 1);
    assert!(task.is_finished());
    assert!(executor::block_on(task).unwrap_err().is_cancelled());
}

#[test]
fn a_wake_from_the_destructor_of_a_thread_local() {
    type Last = RefCell<Option<OnDrop<Box<dyn FnMut()>>>>;
    thread_local! {
        static LAST: Last = const { RefCell::new(None) };
    }
    let executor = LocalExecutor::new();
    let slot = Rc::new(RefCell::new(None::<Waker>));
    let out = slot.clone();
    let mut polls = 0;
    let task = executor.spawn(poll_fn(move |cx| {
        polls += 1;
        *out.borrow_mut() = Some(cx.waker().clone());
        if polls == 2 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }));
    executor.run_batch();
    let waker = slot.borrow_mut().take().unwrap();
    thread::spawn(move || {
        let mut waker = Some(waker);
        let wake: Box<dyn FnMut()> = Box::new(move || {
            let waker = waker.take().unwrap();
            let cloned_here = waker.clone();
            cloned_here.wake();
            executor::block_on(async {}); // its own thread-local may be gone already
            drop(waker);
        });
        LAST.with(|last| *last.borrow_mut() = Some(OnDrop(wake)));
    })
    .join()
    .unwrap();
    executor.block_on(task).unwrap();
}

#[test]
fn a_task_drops_its_own_handle_and_last_waker_while_it_runs() {
    let executor = LocalExecutor::new();
    let handle = Rc::new(RefCell::new(None::<LocalJoinHandle<()>>));
    let own = handle.clone();
    let waker = Rc::new(RefCell::new(None::<Waker>));
    let kept = waker.clone();
    let polls = Rc::new(Cell::new(0));
    let count = polls.clone();
    let task = executor.spawn(poll_fn(move |cx| {
        count.set(count.get() + 1);
        drop(own.borrow_mut().take());
        if count.get() == 1 {
            *kept.borrow_mut() = Some(cx.waker().clone());
            return Poll::Pending;
        }
        drop(kept.borrow_mut().take());
        Poll::Ready(())
    }));
    *handle.borrow_mut() = Some(task);
    executor.run_batch();
    waker.borrow().as_ref().unwrap().wake_by_ref();
    executor.run_batch();
    assert_eq!(polls.get(), 2);
    assert!(waker.borrow().is_none());
    assert_eq!(executor.metrics().live, 0);
    still_works(&executor);
}

#[test]
fn a_handle_dropped_inside_the_future_it_waits_for() {
    // The future's drop runs while the task is being completed; it drops the task's own handle.
    let executor = LocalExecutor::new();
    let handle = Rc::new(RefCell::new(None::<LocalJoinHandle<u32>>));
    let own = handle.clone();
    let guard = OnDrop(move || drop(own.borrow_mut().take()));
    let task = executor.spawn(async move {
        let _guard = guard;
        5
    });
    *handle.borrow_mut() = Some(task);
    executor.run_batch();
    assert!(handle.borrow().is_none());
    still_works(&executor);
}

#[test]
fn a_joiners_wake_that_drops_the_handle() {
    type Slot = RefCell<Option<Pin<Box<LocalJoinHandle<u32>>>>>;
    thread_local! {
        static HANDLE: Slot = const { RefCell::new(None) };
    }
    struct DropsTheHandle;
    impl Wake for DropsTheHandle {
        fn wake(self: Arc<Self>) {
            HANDLE.with(|handle| drop(handle.borrow_mut().take()));
        }
    }
    let executor = LocalExecutor::new();
    let mut task = Box::pin(executor.spawn(async { 5 }));
    let waker = Waker::from(Arc::new(DropsTheHandle));
    assert!(
        task.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    HANDLE.with(|handle| *handle.borrow_mut() = Some(task));
    executor.run_batch();
    assert!(HANDLE.with(|handle| handle.borrow().is_none()));
    still_works(&executor);
}

#[test]
fn a_clone_of_the_joiners_waker_that_runs_the_executor() {
    thread_local! {
        static EXECUTOR: RefCell<Option<Rc<LocalExecutor<'static>>>> = const { RefCell::new(None) };
    }
    fn clone(data: *const ()) -> RawWaker {
        let executor = EXECUTOR.with(|slot| slot.borrow().clone().unwrap());
        executor.run_batch();
        RawWaker::new(data, &TABLE)
    }
    static TABLE: RawWakerVTable = RawWakerVTable::new(clone, |_| {}, |_| {}, |_| {});
    let executor = Rc::new(LocalExecutor::new());
    EXECUTOR.with(|slot| *slot.borrow_mut() = Some(executor.clone()));
    let mut task = pin!(executor.spawn(async { 5 }));
    let waker = odd_waker(&TABLE);
    let poll = task.as_mut().poll(&mut Context::from_waker(&waker));
    assert_eq!(
        poll.map(Result::unwrap),
        Poll::Ready(5),
        "completed by the clone, and seen"
    );
    EXECUTOR.with(|slot| slot.borrow_mut().take());
}

#[test]
fn a_clone_of_a_task_sets_waker_that_runs_the_executor() {
    thread_local! {
        static EXECUTOR: RefCell<Option<Rc<LocalExecutor<'static>>>> = const { RefCell::new(None) };
        static WAKES: Cell<u32> = const { Cell::new(0) };
    }
    fn clone(data: *const ()) -> RawWaker {
        let executor = EXECUTOR.with(|slot| slot.borrow().clone().unwrap());
        executor.run_batch();
        RawWaker::new(data, &TABLE)
    }
    fn wake(_: *const ()) {
        WAKES.set(WAKES.get() + 1);
    }
    static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake, |_| {});
    let executor = Rc::new(LocalExecutor::new());
    EXECUTOR.with(|slot| *slot.borrow_mut() = Some(executor.clone()));
    let mut set = LocalTaskSet::new(executor.spawner());
    set.spawn(async { 5 });
    let waker = odd_waker(&TABLE);
    let poll = set.poll_join_next(&mut Context::from_waker(&waker));
    assert!(
        poll.is_ready() || WAKES.get() == 1,
        "completed by the clone, and told"
    );
    assert_eq!(set.try_join_next().unwrap().unwrap(), 5);
    EXECUTOR.with(|slot| slot.borrow_mut().take());
}

#[test]
fn a_future_that_wakes_and_spawns_as_it_is_dropped_with_the_executor() {
    let drops = Rc::new(Cell::new(0));
    let executor = LocalExecutor::new();
    let wakers = Rc::new(RefCell::new(Vec::<Waker>::new()));
    for _ in 0..3 {
        let (spawner, wakers, count) = (executor.spawner(), wakers.clone(), drops.clone());
        let guard = {
            let wakers = wakers.clone();
            OnDrop(move || {
                count.set(count.get() + 1);
                wakers.borrow().iter().for_each(Waker::wake_by_ref);
                assert!(
                    spawner.spawn(async {}).is_finished(),
                    "nothing begins any more"
                );
            })
        };
        executor.spawn(poll_fn(move |cx| {
            let _ = &guard;
            wakers.borrow_mut().push(cx.waker().clone());
            Poll::<()>::Pending
        }));
    }
    executor.run_batch();
    drop(executor);
    assert_eq!(drops.get(), 3);
    wakers.borrow().iter().for_each(Waker::wake_by_ref);
}

#[test]
fn two_executors_in_one_thread_wake_each_others_tasks() {
    let (left, right) = (LocalExecutor::new(), LocalExecutor::new());
    let slot = Rc::new(RefCell::new(None::<Waker>));
    let (out, polls) = (slot.clone(), Rc::new(Cell::new(0)));
    let count = polls.clone();
    let task = left.spawn(poll_fn(move |cx| {
        count.set(count.get() + 1);
        *out.borrow_mut() = Some(cx.waker().clone());
        if count.get() == 2 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }));
    left.run_batch();
    let waker = slot.borrow_mut().take().unwrap();
    let other = right.spawn(async move { waker.wake() });
    right.block_on(other).unwrap();
    assert!(left.has_ready());
    left.run_batch();
    assert!(task.is_finished());
}

#[test]
fn a_million_live_tasks() {
    let count = Rc::new(Cell::new(0_usize));
    let executor = LocalExecutor::builder().batch_max(usize::MAX).build();
    let wakers = Rc::new(RefCell::new(Vec::with_capacity(1_000_000)));
    for _ in 0..1_000_000 {
        let (wakers, count) = (wakers.clone(), count.clone());
        let mut waited = false;
        executor.spawn(poll_fn(move |cx| {
            if waited {
                count.set(count.get() + 1);
                return Poll::Ready(());
            }
            waited = true;
            wakers.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        }));
    }
    executor.run_batch();
    assert_eq!(executor.metrics().live, 1_000_000);
    let all: Vec<Waker> = wakers.take();
    let _entered = executor.enter();
    all.into_iter().step_by(2).for_each(Waker::wake);
    executor.run_batch();
    assert_eq!((count.get(), executor.metrics().live), (500_000, 500_000));
}

#[test]
fn wakes_from_many_threads_are_all_taken() {
    let executor = LocalExecutor::new();
    let raised = Arc::new(AtomicUsize::new(0));
    let threads: RefCell<Vec<thread::JoinHandle<()>>> = RefCell::new(Vec::new());
    let seen = raised.clone();
    executor.block_on(poll_fn(|cx| {
        let mut threads = threads.borrow_mut();
        if threads.is_empty() {
            for _ in 0..4 {
                let (waker, raised) = (cx.waker().clone(), raised.clone());
                threads.push(thread::spawn(move || {
                    for _ in 0..1000 {
                        raised.fetch_add(1, Ordering::Relaxed);
                        let cloned_here = waker.clone();
                        cloned_here.wake();
                        waker.wake_by_ref();
                    }
                }));
            }
        }
        if seen.load(Ordering::Relaxed) == 4000 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }));
    threads
        .into_inner()
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
}
