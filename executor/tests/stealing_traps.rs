//! What other executors learnt the hard way, asked of the work-stealing one.

use std::cell::RefCell;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::time::Duration;

use executor::{
    AbortHandle, Blocking, BlockingBuilder, BlockingPool, Executor, ExecutorBuilder,
    ExecutorMetrics, JoinError, JoinHandle, LocalExecutor, Park, ShutdownReport, Spawner, TaskId,
    ThreadPark, block_on, yield_now,
};

fn pool(workers: usize) -> Executor {
    Executor::builder().workers(workers).build().unwrap()
}

/// A driver that has news for its worker only when it is asked.
struct Driver {
    thread: ThreadPark,
    asked: Arc<AtomicUsize>,
    news: Arc<Mutex<Option<Waker>>>,
}

impl Park for Driver {
    fn park(&mut self, patience: Option<Duration>) {
        self.asked.fetch_add(1, SeqCst);
        match self.news.lock().unwrap().take() {
            Some(waker) => waker.wake_by_ref(), // the way that looks who is polled
            None => self.thread.park(patience),
        }
    }

    fn unparker(&self) -> Waker {
        self.thread.unparker()
    }
}

#[test]
fn a_busy_worker_asks_its_driver() {
    // One task yields for ever; another waits for what only the driver can tell.
    let (asked, news) = (Arc::default(), Arc::<Mutex<Option<Waker>>>::default());
    let (count, inside) = (Arc::clone(&asked), news.clone());
    let executor = Executor::builder()
        .workers(1)
        .park_with(move |_| Driver {
            thread: ThreadPark::new(),
            asked: Arc::clone(&count),
            news: inside.clone(),
        })
        .build()
        .unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let busy = executor.spawn(async move {
        while !stopped.load(SeqCst) {
            yield_now().await;
        }
    });
    let mut polls = 0;
    let told = executor.spawn(poll_fn(move |cx| {
        polls += 1;
        if polls > 1 {
            return Poll::Ready(());
        }
        *news.lock().unwrap() = Some(cx.waker().clone());
        Poll::Pending
    }));
    block_on(told).unwrap();
    stop.store(true, SeqCst);
    block_on(busy).unwrap();
    assert!(asked.load(SeqCst) > 0);
}

#[test]
fn a_driver_wakes_the_task_that_was_polled_last() {
    // On the worker's own thread, right after its poll, and yet not by itself.
    let news = Arc::<Mutex<Option<Waker>>>::default();
    let inside = news.clone();
    let executor = Executor::builder()
        .workers(1)
        .park_with(move |_| Driver {
            thread: ThreadPark::new(),
            asked: Arc::default(),
            news: inside.clone(),
        })
        .build()
        .unwrap();
    let (sender, receiver) = mpsc::channel();
    let mut polls = 0;
    let task = executor.spawn(poll_fn(move |cx| {
        polls += 1;
        if polls == 100 {
            sender.send(()).unwrap();
            return Poll::Ready(());
        }
        *news.lock().unwrap() = Some(cx.waker().clone());
        Poll::Pending
    }));
    let patience = Duration::from_secs(20); // not waited for, unless a wake is lost
    receiver.recv_timeout(patience).unwrap();
    block_on(task).unwrap();
}

#[test]
fn a_wake_from_a_thread_locals_destructor_arrives() {
    struct WakeAtTheEnd(Option<Waker>);
    impl Drop for WakeAtTheEnd {
        fn drop(&mut self) {
            self.0.take().into_iter().for_each(Waker::wake);
        }
    }
    thread_local! {
        static AT_THE_END: RefCell<WakeAtTheEnd> = const { RefCell::new(WakeAtTheEnd(None)) };
    }
    let executor = pool(2);
    let (sender, receiver) = mpsc::channel();
    let mut polls = 0;
    let task = executor.spawn(poll_fn(move |cx| {
        polls += 1;
        if polls > 1 {
            return Poll::Ready(());
        }
        sender.send(cx.waker().clone()).unwrap();
        Poll::Pending
    }));
    let waker = receiver.recv().unwrap();
    std::thread::spawn(move || AT_THE_END.with_borrow_mut(|end| end.0 = Some(waker)))
        .join()
        .unwrap();
    block_on(task).unwrap();
}

#[test]
fn a_task_may_drop_its_last_waker_and_its_handle_while_it_runs() {
    let executor = pool(1);
    let slot: Arc<Mutex<Option<JoinHandle<()>>>> = Arc::default();
    let inside = slot.clone();
    let (sender, receiver) = mpsc::channel();
    let (go, gone) = mpsc::channel::<()>();
    let task = executor.spawn(poll_fn(move |cx| {
        gone.recv().unwrap();
        drop(cx.waker().clone());
        drop(inside.lock().unwrap().take());
        sender.send(()).unwrap();
        Poll::Ready(())
    }));
    *slot.lock().unwrap() = Some(task);
    go.send(()).unwrap();
    receiver.recv().unwrap();
    block_on(executor.spawn(async {})).unwrap();
}

#[test]
fn a_task_may_abort_itself() {
    let executor = pool(1);
    let (sender, receiver) = mpsc::channel::<AbortHandle>();
    let task = executor.spawn(async move {
        receiver.recv().unwrap().abort();
        yield_now().await;
        unreachable!("no poll follows an abort");
    });
    sender.send(task.abort_handle()).unwrap();
    assert!(block_on(task).unwrap_err().is_cancelled());
}

#[test]
fn a_local_executor_runs_inside_a_worker() {
    let executor = pool(1);
    let spawner = executor.spawner();
    let sum = executor.spawn(async move {
        let task = spawner.spawn(async { 40 });
        // The worker is blocked meanwhile, with its own task in the queue.
        let two = {
            let local = LocalExecutor::new();
            let inner = local.spawn(async { 2 });
            local.block_on(inner).unwrap()
        };
        task.await.unwrap() + two
    });
    assert_eq!(block_on(sum).unwrap(), 42);
}

#[test]
fn hundreds_of_thousands_of_tasks_live_and_are_dropped() {
    let tasks = if cfg!(debug_assertions) {
        100_000
    } else {
        1_000_000
    };
    let dropped = Arc::new(AtomicUsize::new(0));
    struct Count(Arc<AtomicUsize>);
    impl Drop for Count {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let executor = pool(2);
    for _ in 0..tasks {
        let count = Count(dropped.clone());
        let task = async move {
            let _count = count;
            std::future::pending::<()>().await;
        };
        executor.spawn(task).detach();
    }
    while executor.metrics().live < tasks {
        std::thread::yield_now();
    }
    drop(executor);
    assert_eq!(dropped.load(SeqCst), tasks);
}

#[test]
fn all_workers_take_part() {
    // Each of two tasks holds its worker until the other has begun.
    let executor = pool(2);
    let spawner = executor.spawner();
    let both = executor.spawn(async move {
        let barrier = Arc::new(std::sync::Barrier::new(2));
        let meet = |barrier: Arc<std::sync::Barrier>| async move {
            barrier.wait();
            std::thread::current().id()
        };
        let (one, two) = (
            spawner.spawn(meet(barrier.clone())),
            spawner.spawn(meet(barrier)),
        );
        (one.await.unwrap(), two.await.unwrap())
    });
    let (one, two) = block_on(both).unwrap();
    assert_ne!(one, two);
    let metrics = executor.metrics();
    assert!(
        metrics.workers.iter().all(|worker| worker.polls > 0),
        "{metrics:?}"
    );
}

#[test]
fn the_types_can_go_where_they_should() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Executor>();
    shared::<Spawner>();
    shared::<JoinHandle<std::cell::Cell<u8>>>();
    shared::<AbortHandle>();
    shared::<ThreadPark>();
    shared::<ExecutorMetrics>();
    shared::<ShutdownReport>();
    shared::<JoinError>();
    shared::<BlockingPool>();
    shared::<Blocking<fn() -> u8, u8>>();
    shared::<TaskId>();
    fn sent<T: Send + 'static>() {}
    sent::<ExecutorBuilder>();
    sent::<BlockingBuilder>();
}
