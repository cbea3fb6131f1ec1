//! The work-stealing executor from outside: what tasks, handles and shutdowns do.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use executor::{Executor, block_on, yield_now};

fn pool(workers: usize) -> Executor {
    Executor::builder()
        .workers(workers)
        .thread_name("test")
        .build()
        .unwrap()
}

/// Counts its drops.
#[derive(Clone)]
struct Dropped(Arc<AtomicUsize>);

impl Dropped {
    fn new() -> Self {
        Self(Arc::default())
    }
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
    fn guard(&self) -> DropGuard {
        DropGuard(self.0.clone())
    }
}

struct DropGuard(Arc<AtomicUsize>);

impl Drop for DropGuard {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Pending until somebody opens it; keeps the wakers of those who wait.
#[derive(Clone, Default)]
struct Gate(Arc<(AtomicBool, Mutex<Vec<Waker>>)>);

impl Gate {
    fn open(&self) {
        self.0.0.store(true, Ordering::SeqCst);
        let wakers = std::mem::take(&mut *self.0.1.lock().unwrap());
        wakers.into_iter().for_each(Waker::wake);
    }
    fn waiting(&self) -> usize {
        self.0.1.lock().unwrap().len()
    }
}

impl Future for Gate {
    type Output = ();
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.1.lock().unwrap().push(cx.waker().clone());
        if self.0.0.load(Ordering::SeqCst) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

#[test]
fn spawn_and_join_from_outside_and_inside() {
    let executor = pool(2);
    assert_eq!(block_on(executor.spawn(async { 6 * 7 })).unwrap(), 42);
    let spawner = executor.spawner();
    let sum = executor.spawn(async move {
        let tasks: Vec<_> = (0..1000u64)
            .map(|n| spawner.spawn(async move { n }))
            .collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap();
        }
        sum
    });
    assert_eq!(block_on(sum).unwrap(), 499_500);
}

#[test]
fn outputs_of_any_size_and_alignment_come_through() {
    #[repr(align(128))]
    #[derive(Debug, PartialEq)]
    struct Wide([u8; 500]);
    let executor = pool(1);
    assert_eq!(
        block_on(executor.spawn(async { Wide([7; 500]) })).unwrap(),
        Wide([7; 500])
    );
    let wide = Wide([8; 500]);
    let through = executor.spawn(async move {
        yield_now().await;
        (wide.0[499], std::ptr::from_ref(&wide).addr() % 128)
    });
    assert_eq!(block_on(through).unwrap(), (8, 0));
    block_on(executor.spawn(async {})).unwrap();
}

#[test]
fn a_panic_reaches_the_joiner_and_nobody_else() {
    let executor = pool(1);
    let before = executor.spawn(async { 1 });
    let broken = executor.spawn(async { panic!("no tea") });
    let error = block_on(broken).unwrap_err();
    assert_eq!(error.to_string(), "task panicked: no tea");
    executor.spawn(async { panic!("nobody asked") }).detach();
    assert_eq!(
        block_on(before).unwrap() + block_on(executor.spawn(async { 1 })).unwrap(),
        2
    );
}

#[test]
fn panics_in_drops_are_contained() {
    struct Broken;
    impl Drop for Broken {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }
    let executor = pool(1);
    // the future's drop, after it was ready
    let task = executor.spawn(async {
        let _broken = Broken;
        poll_fn(|_| Poll::Ready(())).await;
    });
    assert!(block_on(task).unwrap_err().is_panic());
    // the future's drop, at an abort
    let gate = Gate::default();
    let inner = gate.clone();
    let task = executor.spawn(async move {
        let _broken = Broken;
        inner.await;
    });
    while gate.waiting() == 0 {
        std::thread::yield_now();
    }
    task.abort();
    assert!(block_on(task).unwrap_err().is_panic());
    // an output nobody takes
    executor.spawn(async { Broken }).detach();
    // the joiner's waker
    struct Angry;
    impl std::task::Wake for Angry {
        fn wake(self: Arc<Self>) {
            panic!("do not wake me");
        }
    }
    let gate = Gate::default();
    let mut task = executor.spawn(gate.clone());
    let waker = Waker::from(Arc::new(Angry));
    assert!(
        Pin::new(&mut task)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    gate.open();
    while !task.is_finished() {
        std::thread::yield_now();
    }
    assert_eq!(block_on(executor.spawn(async { 5 })).unwrap(), 5);
}

#[test]
fn an_abort_drops_the_future_once_and_tells_the_joiner() {
    let executor = pool(2);
    let dropped = Dropped::new();
    let guard = dropped.guard();
    let gate = Gate::default();
    let inner = gate.clone();
    let task = executor.spawn(async move {
        let _guard = guard;
        inner.await;
    });
    while gate.waiting() == 0 {
        std::thread::yield_now();
    }
    let abort = task.abort_handle();
    assert!(!abort.is_finished());
    abort.abort();
    assert!(block_on(task).unwrap_err().is_cancelled());
    assert!(abort.is_finished());
    assert_eq!(dropped.count(), 1);
    abort.abort();
    gate.open(); // its waker is still there, and wakes nobody
}

#[test]
fn an_abort_after_the_end_changes_nothing() {
    let executor = pool(1);
    let task = executor.spawn(async { 3 });
    while !task.is_finished() {
        std::thread::yield_now();
    }
    task.abort();
    assert_eq!(block_on(task).unwrap(), 3);
}

#[test]
fn a_detached_task_goes_on() {
    let executor = pool(2);
    let (sender, receiver) = mpsc::channel();
    executor
        .spawn(async move {
            yield_now().await;
            sender.send(1).unwrap();
        })
        .detach();
    assert_eq!(receiver.recv(), Ok(1));
}

#[test]
fn an_output_that_nobody_will_take_is_dropped() {
    let (executor, gate, dropped) = (pool(1), Gate::default(), Dropped::new());
    let (guard, opened) = (dropped.guard(), gate.clone());
    let (sender, receiver) = mpsc::channel();
    let task = executor.spawn(async move {
        opened.await;
        sender.send(()).unwrap();
        guard
    });
    task.detach();
    gate.open();
    receiver.recv().unwrap(); // it is in its last poll
    drop(executor);
    assert_eq!(dropped.count(), 1);
}

#[test]
fn a_handle_waits_on_another_executor_and_in_a_task() {
    let (one, two) = (pool(1), pool(1));
    let spawner = one.spawner();
    let chained = two.spawn(async move { spawner.spawn(async { 20 }).await.unwrap() + 1 });
    let sum = one.spawn(async move { chained.await.unwrap() * 2 });
    assert_eq!(block_on(sum).unwrap(), 42);
}

#[test]
fn dropping_the_executor_drops_every_future_once() {
    let dropped = Dropped::new();
    let wakers: Arc<Mutex<Vec<Waker>>> = Arc::default();
    let executor = pool(2);
    let mut tasks = Vec::new();
    for _ in 0..100 {
        let (guard, wakers) = (dropped.guard(), wakers.clone());
        tasks.push(executor.spawn(poll_fn(move |cx| {
            let _ = &guard;
            wakers.lock().unwrap().push(cx.waker().clone());
            Poll::<()>::Pending
        })));
    }
    while wakers.lock().unwrap().len() < 100 {
        std::thread::yield_now();
    }
    drop(executor);
    assert_eq!(dropped.count(), 100);
    for waker in wakers.lock().unwrap().drain(..) {
        waker.wake_by_ref();
        drop(waker.clone());
        waker.wake();
    }
    for task in tasks {
        assert!(task.is_finished());
        assert!(block_on(task).unwrap_err().is_cancelled());
    }
}

#[test]
fn a_task_that_owns_its_own_waker_is_dropped_with_the_executor() {
    let dropped = Dropped::new();
    let executor = pool(1);
    let guard = dropped.guard();
    let (sender, receiver) = mpsc::channel();
    let mut own = Vec::new();
    executor
        .spawn(poll_fn(move |cx| {
            let _ = &guard;
            own.push(cx.waker().clone());
            sender.send(own.len()).unwrap();
            Poll::<()>::Pending
        }))
        .detach();
    receiver.recv().unwrap();
    drop(executor);
    assert_eq!(dropped.count(), 1);
}

#[test]
fn a_spawner_that_outlives_its_executor_says_cancelled() {
    let executor = pool(2);
    let spawner = executor.spawner();
    drop(executor);
    let dropped = Dropped::new();
    let guard = dropped.guard();
    let task = spawner.spawn(async move { drop(guard) });
    assert!(block_on(task).unwrap_err().is_cancelled());
    assert_eq!(dropped.count(), 1);
}

#[test]
fn a_future_that_spawns_from_its_drop_does_not_stop_the_end() {
    struct Respawn(executor::Spawner, Arc<AtomicUsize>);
    impl Drop for Respawn {
        fn drop(&mut self) {
            self.1.fetch_add(1, Ordering::SeqCst);
            let task = self.0.spawn(async {});
            assert!(block_on(task).unwrap_err().is_cancelled());
        }
    }
    let executor = pool(2);
    let count = Arc::new(AtomicUsize::new(0));
    for _ in 0..10 {
        let respawn = Respawn(executor.spawner(), count.clone());
        executor
            .spawn(async move {
                let _respawn = respawn;
                std::future::pending::<()>().await;
            })
            .detach();
    }
    drop(executor);
    assert_eq!(count.load(Ordering::SeqCst), 10);
}

#[test]
fn a_task_may_drop_its_own_executor_and_handle() {
    let executor = pool(2);
    let spawner = executor.spawner();
    let (sender, receiver) = mpsc::channel::<()>();
    spawner
        .spawn(async move {
            let _alive = sender;
            drop(executor);
            yield_now().await;
            unreachable!("no poll follows the end of the executor");
        })
        .detach();
    assert!(receiver.recv().is_err());
}

#[test]
fn a_shutdown_lets_tasks_finish_and_names_those_that_do_not() {
    let executor = pool(2);
    let (sender, receiver) = mpsc::channel();
    let spawner = executor.spawner();
    executor
        .spawn(async move {
            for _ in 0..100 {
                yield_now().await;
            }
            spawner
                .spawn(async move { sender.send("done").unwrap() })
                .detach();
        })
        .detach();
    let report = executor.shutdown(Duration::from_secs(60));
    assert!(report.is_clean(), "{report}");
    assert_eq!(receiver.recv(), Ok("done"));

    let executor = pool(2);
    for _ in 0..3 {
        executor.spawn(std::future::pending::<()>()).detach();
    }
    let line = line!() - 2;
    let report = executor.shutdown(Duration::from_millis(20));
    assert_eq!(report.unfinished.len(), 1);
    let (location, count) = report.unfinished[0];
    assert_eq!(
        (location.file(), location.line(), count),
        (file!(), line, 3)
    );
    assert!(report.stuck.is_empty());
    assert!(report.to_string().contains("3 tasks unfinished"));
}

#[test]
fn a_report_of_one_task_speaks_of_one() {
    let executor = pool(1);
    executor.spawn(std::future::pending::<()>()).detach();
    let report = executor.shutdown(Duration::from_millis(20)).to_string();
    assert!(
        report.starts_with("1 task unfinished, 0 stuck in a poll"),
        "{report}"
    );
}

#[test]
fn a_shutdown_may_wait_for_as_long_as_it_takes() {
    let executor = pool(2);
    let gate = Gate::default();
    let task = executor.spawn(gate.clone());
    let ends = std::thread::spawn(move || executor.shutdown(Duration::MAX));
    while gate.waiting() == 0 {
        std::thread::yield_now();
    }
    gate.open();
    block_on(task).unwrap();
    assert!(ends.join().unwrap().is_clean());
}

#[test]
fn a_shutdown_names_what_is_stuck_in_a_poll() {
    let executor = pool(2);
    let (started, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let (done, is_done) = mpsc::channel::<()>();
    let _stuck = executor.spawn(async move {
        let _done = done;
        started.send(()).unwrap();
        released.recv().unwrap();
        std::future::pending::<()>().await;
    });
    has_started.recv().unwrap();
    let report = executor.shutdown(Duration::ZERO);
    assert_eq!(report.stuck.len(), 1);
    assert_eq!(report.stuck[0].file(), file!());
    release.send(()).unwrap();
    assert!(is_done.recv().is_err(), "it is dropped when it comes back");
}

#[test]
fn a_shutdown_from_within_does_not_wait_for_itself() {
    let executor = pool(2);
    let spawner = executor.spawner();
    let (sender, receiver) = mpsc::channel();
    spawner
        .spawn(async move {
            let report = executor.shutdown(Duration::from_secs(60));
            sender.send(report).unwrap();
        })
        .detach();
    assert!(receiver.recv().unwrap().stuck.is_empty());
}

#[test]
fn threads_have_names_and_numbers() {
    let executor = Executor::builder()
        .workers(1)
        .thread_name("tea")
        .stack_size(1 << 20)
        .build()
        .unwrap();
    let name = executor.spawn(async { std::thread::current().name().map(str::to_owned) });
    assert_eq!(block_on(name).unwrap().as_deref(), Some("tea-0"));
    assert!(Executor::builder().workers(0).build().is_err());
    assert!(Executor::builder().workers(49).build().is_err());
    let impossible = Executor::builder().thread_name("tea\0time").build();
    assert_eq!(
        impossible.unwrap_err().kind(),
        std::io::ErrorKind::InvalidInput
    );
}

#[test]
fn a_task_behind_a_long_poll_is_taken_by_another_worker() {
    // The first task puts the second into its worker's LIFO slot and then does not come back until
    // the second has run.
    let executor = pool(2);
    let spawner = executor.spawner();
    let task = executor.spawn(async move {
        let (sender, receiver) = mpsc::channel();
        spawner
            .spawn(async move { sender.send(()).unwrap() })
            .detach();
        receiver.recv_timeout(Duration::from_secs(20)).is_ok()
    });
    assert!(block_on(task).unwrap());
}

#[test]
fn a_burst_from_outside_wakes_enough_workers() {
    // Each task waits for all others: they must all be polled at once.
    const WORKERS: usize = 4;
    let executor = pool(WORKERS);
    let barrier = Arc::new(std::sync::Barrier::new(WORKERS));
    for _ in 0..20 {
        let tasks: Vec<_> = (0..WORKERS)
            .map(|_| {
                let barrier = barrier.clone();
                executor.spawn(async move { barrier.wait().is_leader() })
            })
            .collect();
        let leaders = tasks
            .into_iter()
            .filter(|_| true)
            .map(block_on)
            .filter(|l| *l.as_ref().unwrap());
        assert_eq!(leaders.count(), 1);
    }
}

#[test]
fn tasks_that_wake_each_other_leave_the_others_their_turn() {
    // Two tasks hand a token to each other through the LIFO slot; a third only yields and counts.
    let executor = pool(1);
    let stop = Arc::new(AtomicBool::new(false));
    let wakers: Arc<[Mutex<Option<Waker>>; 2]> = Arc::default();
    let pair: Vec<_> = (0..2)
        .map(|me| {
            let (stop, wakers) = (stop.clone(), wakers.clone());
            executor.spawn(poll_fn(move |cx| {
                *wakers[me].lock().unwrap() = Some(cx.waker().clone());
                if let Some(other) = wakers[1 - me].lock().unwrap().take() {
                    other.wake();
                }
                if stop.load(Ordering::SeqCst) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            }))
        })
        .collect();
    let third = executor.spawn(async move {
        for _ in 0..1000 {
            yield_now().await;
        }
        stop.store(true, Ordering::SeqCst);
        for waker in wakers.iter() {
            if let Some(waker) = waker.lock().unwrap().take() {
                waker.wake();
            }
        }
    });
    block_on(third).unwrap();
    pair.into_iter().for_each(|task| block_on(task).unwrap());
}

#[test]
fn injected_tasks_have_their_turn_beside_tasks_that_only_yield() {
    let executor = pool(1);
    let stop = Arc::new(AtomicBool::new(false));
    let yielding: Vec<_> = (0..10)
        .map(|_| {
            let stop = stop.clone();
            executor.spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    yield_now().await;
                }
            })
        })
        .collect();
    assert_eq!(block_on(executor.spawn(async { 9 })).unwrap(), 9);
    stop.store(true, Ordering::SeqCst);
    yielding
        .into_iter()
        .for_each(|task| block_on(task).unwrap());
}

#[test]
fn more_tasks_than_the_ring_holds_all_run() {
    let executor = pool(2);
    let spawner = executor.spawner();
    let count = executor.spawn(async move {
        let done = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..10_000)
            .map(|_| {
                let done = done.clone();
                spawner.spawn(async move {
                    yield_now().await;
                    done.fetch_add(1, Ordering::SeqCst);
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        done.load(Ordering::SeqCst)
    });
    assert_eq!(block_on(count).unwrap(), 10_000);
}

#[test]
fn a_panic_in_park_is_contained() {
    struct Nervous(executor::ThreadPark, Arc<AtomicUsize>);
    impl executor::Park for Nervous {
        fn park(&mut self, patience: Option<Duration>) {
            if self.1.fetch_add(1, Ordering::SeqCst) < 3 {
                panic!("I cannot wait");
            }
            self.0.park(patience);
        }
        fn unparker(&self) -> Waker {
            self.0.unparker()
        }
    }
    let parks = Arc::new(AtomicUsize::new(0));
    let seen = parks.clone();
    let executor = Executor::builder()
        .workers(1)
        .park_with(move |_| Nervous(executor::ThreadPark::new(), seen.clone()))
        .build()
        .unwrap();
    while parks.load(Ordering::SeqCst) < 4 {
        std::thread::yield_now();
    }
    assert_eq!(block_on(executor.spawn(async { 1 })).unwrap(), 1);
}

#[test]
fn a_panic_in_what_a_worker_asks_its_place_to_wait_closes_the_executor() {
    struct Unknown(Option<executor::ThreadPark>, bool);
    impl executor::Park for Unknown {
        fn park(&mut self, patience: Option<Duration>) {
            self.0.as_mut().unwrap().park(patience);
        }
        fn is_driver(&self) -> bool {
            assert!(!self.1, "I do not know");
            false
        }
        fn unparker(&self) -> Waker {
            self.0.as_ref().expect("there is nobody").unparker()
        }
    }
    for nobody in [true, false] {
        let executor = Executor::builder()
            .workers(2)
            .park_with(move |worker| match worker {
                1 if nobody => Unknown(None, false),
                1 => Unknown(Some(executor::ThreadPark::new()), true),
                _ => Unknown(Some(executor::ThreadPark::new()), false),
            })
            .build()
            .unwrap();
        let dropped = Dropped::new();
        let guard = dropped.guard();
        let waits = executor.spawn(async move {
            let _guard = guard;
            std::future::pending::<()>().await;
        });
        drop(executor);
        assert_eq!(dropped.count(), 1);
        assert!(block_on(waits).unwrap_err().is_cancelled());
    }
}

#[test]
fn a_forgotten_handle_leaks_nothing_but_itself() {
    let executor = pool(1);
    let dropped = Dropped::new();
    let guard = dropped.guard();
    std::mem::forget(executor.spawn(async move { drop(guard) }));
    block_on(executor.spawn(async {})).unwrap();
    drop(executor);
    assert_eq!(dropped.count(), 1);
}

#[test]
fn polling_a_finished_handle_says_so() {
    let executor = pool(1);
    let mut task = executor.spawn(async {});
    block_on(&mut task).unwrap();
    assert!(task.is_finished());
    assert!(catch_unwind(AssertUnwindSafe(|| block_on(&mut task))).is_err());
}

#[test]
fn a_wake_is_counted_where_it_makes_a_task_ready() {
    let executor = pool(1);
    let yields = executor.spawn(async {
        for _ in 0..10 {
            yield_now().await;
        }
    });
    block_on(yields).unwrap();
    assert_eq!(executor.metrics().workers[0].wakes, 10);
    assert_eq!(executor.metrics().wakes_outside, 0);

    let gate = Gate::default();
    let waits = executor.spawn(gate.clone());
    while executor.metrics().live == 0 {
        std::thread::yield_now();
    }
    gate.open();
    block_on(waits).unwrap();
    // Outside, or by the worker if the poll was not quite over; once in either case.
    let metrics = executor.metrics();
    assert_eq!(metrics.workers[0].wakes + metrics.wakes_outside, 11);
}

#[test]
fn what_spills_out_of_a_full_ring_does_not_go_to_and_fro() {
    let executor = pool(1);
    let (spawner, left) = (executor.spawner(), Arc::new(AtomicUsize::new(1_000)));
    let all = executor.spawn(async move {
        for _ in 0..1_000 {
            let (own, left) = (spawner.clone(), left.clone());
            let parent = async move {
                let child = async move { left.fetch_sub(1, Ordering::SeqCst) };
                own.spawn(child).await.unwrap();
            };
            spawner.spawn(parent).detach();
        }
        while left.load(Ordering::SeqCst) > 0 {
            yield_now().await;
        }
    });
    block_on(all).unwrap();
    let injected = executor.metrics().workers[0].injected;
    // Each of 2,001 tasks is queued two or three times; three quarters of the parents are spilled.
    assert!(
        injected < 3_000,
        "{injected} tasks came out of the injector"
    );
}

#[test]
fn a_finished_tasks_output_is_taken_without_awaiting_it() {
    let executor = pool(2);
    let (go, wait) = mpsc::channel::<()>();
    let mut task = executor.spawn(async move { wait.recv().map(|()| "tea") });
    assert!(task.try_join().is_none(), "it waits for us");
    go.send(()).unwrap();
    while !task.is_finished() {
        std::thread::yield_now();
    }
    assert_eq!(task.try_join().unwrap().unwrap(), Ok("tea"));
    assert!(task.try_join().is_none(), "given once");
}

/// A connection whose streams answer at the same time has them all written in one poll.
#[test]
fn a_task_that_several_wake_in_turn_is_polled_once_after_them() {
    const STREAMS: usize = 8;
    let executor = pool(1);
    let (polls, answers) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let waker = Arc::new(Mutex::new(None::<Waker>));
    let (seen, counted, slot) = (polls.clone(), answers.clone(), waker.clone());
    let connection = executor.spawn(poll_fn(move |cx| {
        seen.fetch_add(1, Ordering::SeqCst);
        *slot.lock().unwrap() = Some(cx.waker().clone());
        if counted.load(Ordering::SeqCst) < STREAMS {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }));
    let spawner = executor.spawner();
    let streams = executor.spawn(async move {
        for _ in 0..STREAMS {
            let (answers, waker) = (answers.clone(), waker.clone());
            let stream = spawner.spawn(async move {
                answers.fetch_add(1, Ordering::SeqCst);
                waker.lock().unwrap().as_ref().unwrap().wake_by_ref();
            });
            stream.detach();
        }
    });
    block_on(streams).unwrap();
    block_on(connection).unwrap();
    assert_eq!(
        polls.load(Ordering::SeqCst),
        2,
        "to begin with, and for all answers"
    );
}
