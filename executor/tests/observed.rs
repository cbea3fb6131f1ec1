//! What observers are told, as exact traces.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic::Location;
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use executor::{
    BlockingPool, Executor, JobEnd, JobId, JobObserver, JoinHandle, LocalExecutor, Observer,
    TaskEnd, TaskId, TaskInfo, block_on, yield_now,
};

/// Writes down what it is told.
#[derive(Clone, Default)]
struct Trace(Arc<Mutex<Vec<String>>>);

impl Trace {
    fn note(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    /// What was told since the last call.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Trace {
    fn spawned(&self, task: &TaskInfo<'_>) {
        let name = task.name.unwrap_or("-");
        self.note(format!("{} {name} spawned", task.id));
    }

    fn woken(&self, task: TaskId) {
        self.note(format!("{task} woken"));
    }

    fn poll_begins(&self, task: TaskId) {
        self.note(format!("{task} polled"));
    }

    fn poll_ends(&self, task: TaskId, _: Duration) {
        self.note(format!("{task} leaves"));
    }

    fn ended(&self, task: TaskId, end: TaskEnd) {
        self.note(format!("{task} ended: {end:?}"));
    }

    fn batch_begins(&self) {
        self.note("batch".into());
    }

    fn worker_starts(&self, worker: usize) {
        self.note(format!("worker {worker} starts"));
    }

    fn stole(&self, from: usize, tasks: usize) {
        self.note(format!("from {from}: {tasks} stolen"));
    }

    fn parks(&self) {
        self.note("parks".into());
    }

    fn unparks(&self) {
        self.note("unparks".into());
    }
}

/// Ready in its second poll; leaves its waker in the first.
fn waits(slot: &Arc<Mutex<Option<Waker>>>) -> impl Future<Output = ()> + Send + use<> {
    let slot = slot.clone();
    let mut polled = false;
    poll_fn(move |cx| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        *slot.lock().unwrap() = Some(cx.waker().clone());
        Poll::Pending
    })
}

#[test]
fn a_local_executor_tells_its_batches_and_whose_wakes_came_from_outside() {
    let (trace, slot) = (Trace::default(), Arc::default());
    let executor = LocalExecutor::builder().observer(trace.clone()).build();
    let waits = executor.spawn_named("tea", waits(&slot));
    let yields = executor.spawn(yield_now());
    assert_eq!(trace.take(), ["#1 tea spawned", "#2 - spawned"]);

    executor.run_batch();
    let first = [
        "batch",
        "#1 polled",
        "#1 leaves",
        "#2 polled",
        "#2 woken", // by itself: between the two ends of its poll
        "#2 leaves",
    ];
    assert_eq!(trace.take(), first);

    let waker = slot.lock().unwrap().take().unwrap();
    std::thread::spawn(|| waker.wake()).join().unwrap();
    assert_eq!(trace.take(), [""; 0], "told when it is taken in");
    waits.abort();
    executor.run_batch();
    let second = [
        "#1 woken", // the abort schedules it, for its end
        "batch",
        "#2 polled",
        "#2 ended: Output",
        "#2 leaves",
        "#1 ended: Cancelled",
    ];
    assert_eq!(trace.take(), second);
    assert!(yields.is_finished());

    executor.spawn(async {}).abort();
    drop(executor);
    let end = ["#3 - spawned", "#3 ended: Cancelled"];
    assert_eq!(trace.take(), end);
}

#[test]
fn a_local_executor_tells_that_a_wake_from_outside_came_before_its_first_poll() {
    let (trace, slot) = (Trace::default(), Arc::default());
    let executor = LocalExecutor::builder().observer(trace.clone()).build();
    let task = executor.spawn(waits(&slot));
    executor.run_batch();
    let waker = slot.lock().unwrap().take().unwrap();
    std::thread::spawn(|| waker.wake()).join().unwrap();
    executor.spawn(async {});
    trace.take();

    executor.run_batch();
    executor.run_batch();
    let expected = [
        "batch",
        "#1 woken",
        "#2 polled",
        "#2 ended: Output",
        "#2 leaves",
        "#1 polled",
        "#1 ended: Output",
        "#1 leaves",
        "batch", // with nothing to run
    ];
    assert_eq!(trace.take(), expected);
    assert!(task.is_finished());
}

/// Notes which task is polled and who has ended.
#[derive(Clone, Default)]
struct Numbers {
    polled: Rc<Cell<u64>>,
    ended: Rc<RefCell<Vec<u64>>>,
}

impl Observer for Numbers {
    fn poll_begins(&self, task: TaskId) {
        self.polled.set(task.get());
    }

    fn ended(&self, task: TaskId, _: TaskEnd) {
        self.ended.borrow_mut().push(task.get());
    }
}

#[test]
fn each_of_many_tasks_is_told_by_its_own_number_also_in_memory_that_was_anothers() {
    let (numbers, right) = (Numbers::default(), Rc::new(Cell::new(0)));
    let executor = LocalExecutor::builder().observer(numbers.clone()).build();
    for round in 0..3 {
        for number in 1..=1_000 {
            let (polled, right) = (Rc::clone(&numbers.polled), Rc::clone(&right));
            let own = round * 1_000 + number;
            drop(executor.spawn(async move {
                for _ in 0..3 {
                    right.set(right.get() + usize::from(polled.get() == own));
                    yield_now().await;
                }
            }));
        }
        while executor.run_batch() {}
    }
    assert_eq!(right.get(), 3 * 3 * 1_000);
    assert_eq!(*numbers.ended.borrow(), Vec::from_iter(1..=3_000));
}

/// One worker whose thread has begun, so that the order of what is told is known.
fn one_worker(trace: &Trace) -> Executor {
    let executor = Executor::builder().workers(1).observer(trace.clone());
    let executor = executor.build().unwrap();
    while !trace.0.lock().unwrap().iter().any(|line| line == "parks") {
        std::thread::yield_now();
    }
    assert_eq!(without_rests(trace), ["worker 0 starts"]);
    executor
}

/// What was told, without the worker's rests: how often it rests is a matter of speed.
fn without_rests(trace: &Trace) -> Vec<String> {
    let mut lines = trace.take();
    lines.retain(|line| !line.ends_with("parks"));
    lines
}

/// Waits until the worker has nothing more to tell.
fn await_rest(trace: &Trace) {
    while trace
        .0
        .lock()
        .unwrap()
        .last()
        .is_none_or(|line| line != "parks")
    {
        std::thread::yield_now();
    }
}

#[test]
fn an_executor_tells_the_life_of_its_tasks() {
    let trace = Trace::default();
    let executor = one_worker(&trace);
    let spawner = executor.spawner();
    let outer = async move {
        let inner = spawner.spawn_named("inner", async {
            yield_now().await;
            7
        });
        inner.await.unwrap()
    };
    assert_eq!(block_on(executor.spawn_named("outer", outer)).unwrap(), 7);
    await_rest(&trace);
    let expected = [
        "#1 outer spawned", // by this thread
        "#1 polled",
        "#2 inner spawned",
        "#1 leaves",
        "#2 polled",
        "#2 woken", // by itself
        "#2 leaves",
        "#2 polled",
        "#2 ended: Output",
        "#1 woken", // within the poll of the task it waits for
        "#2 leaves",
        "#1 polled",
        "#1 ended: Output",
        "#1 leaves",
    ];
    assert_eq!(without_rests(&trace), expected);
}

#[test]
fn an_executor_tells_wakes_from_outside_and_how_tasks_end() {
    let (trace, slot) = (Trace::default(), Arc::default());
    let executor = one_worker(&trace);
    let task = executor.spawn(waits(&slot));
    await_rest(&trace);
    slot.lock().unwrap().take().unwrap().wake();
    block_on(task).unwrap();
    let expected = [
        "#1 - spawned",
        "#1 polled",
        "#1 leaves",
        "#1 woken", // by this thread
        "#1 polled",
        "#1 ended: Output",
        "#1 leaves",
    ];
    await_rest(&trace);
    assert_eq!(without_rests(&trace), expected);

    let task = executor.spawn(async { panic!("in a poll") });
    block_on::<JoinHandle<()>>(task).unwrap_err();
    await_rest(&trace);
    let expected = [
        "#2 - spawned",
        "#2 polled",
        "#2 ended: Panicked",
        "#2 leaves",
    ];
    assert_eq!(without_rests(&trace), expected);

    let task = executor.spawn(std::future::pending::<()>());
    await_rest(&trace);
    task.abort();
    assert!(block_on(task).unwrap_err().is_cancelled());
    await_rest(&trace);
    let expected = [
        "#3 - spawned",
        "#3 polled",
        "#3 leaves",
        "#3 woken", // the abort queues it, for its end
        "#3 ended: Cancelled",
    ];
    assert_eq!(without_rests(&trace), expected);

    executor.spawn(std::future::pending::<()>()).detach();
    await_rest(&trace);
    let spawner = executor.spawner();
    drop(executor);
    assert!(spawner.is_closed());
    assert!(
        block_on(spawner.spawn(async {}))
            .unwrap_err()
            .is_cancelled()
    );
    let expected = [
        "#4 - spawned",
        "#4 polled",
        "#4 leaves",
        "#4 ended: Cancelled",
        "#5 - spawned",
        "#5 ended: Cancelled",
    ];
    assert_eq!(without_rests(&trace), expected);
}

#[test]
fn a_theft_is_told_by_the_thief() {
    // One task holds its worker until the three it has spawned have been run by the other one.
    let trace = Trace::default();
    let executor = Executor::builder().workers(2).observer(trace.clone());
    let executor = executor.measure_polls(true).build().unwrap();
    let spawner = executor.spawner();
    let holder = executor.spawn(async move {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..3 {
            let sender = sender.clone();
            spawner
                .spawn(async move { sender.send(std::thread::current().id()).unwrap() })
                .detach();
        }
        let others: Vec<_> = (0..3).map(|_| receiver.recv().unwrap()).collect();
        assert!(others.iter().all(|&id| id != std::thread::current().id()));
    });
    block_on(holder).unwrap();
    let told: Vec<(usize, usize)> = trace.take().iter().filter_map(|line| theft(line)).collect();
    let from = told[0].0;
    assert!(told.iter().all(|theft| theft.0 == from), "{told:?}");
    // All three, if the holder itself was not stolen first: then it is a fourth.
    let stolen: usize = told.iter().map(|theft| theft.1).sum();
    assert_eq!(stolen, 3);
    let longest = executor
        .metrics()
        .workers
        .iter()
        .map(|worker| worker.longest_poll)
        .max();
    assert!(longest.flatten().is_some_and(|poll| poll > Duration::ZERO));
}

/// `from 0: 2 stolen` as numbers.
fn theft(line: &str) -> Option<(usize, usize)> {
    let (from, tasks) = line.strip_prefix("from ")?.split_once(": ")?;
    let tasks = tasks.strip_suffix(" stolen")?;
    Some((from.parse().unwrap(), tasks.parse().unwrap()))
}

#[test]
fn an_observers_panics_harm_nobody_on_several_threads() {
    struct Bad;
    impl Observer for Bad {
        fn spawned(&self, _: &TaskInfo<'_>) {
            panic!("in spawned");
        }
        fn woken(&self, _: TaskId) {
            panic!("in woken");
        }
        fn poll_begins(&self, _: TaskId) {
            panic!("in poll_begins");
        }
        fn poll_ends(&self, _: TaskId, _: Duration) {
            panic!("in poll_ends");
        }
        fn ended(&self, _: TaskId, _: TaskEnd) {
            panic!("in ended");
        }
        fn worker_starts(&self, _: usize) {
            panic!("in worker_starts");
        }
        fn stole(&self, _: usize, _: usize) {
            panic!("in stole");
        }
        fn parks(&self) {
            panic!("in parks");
        }
        fn unparks(&self) {
            panic!("in unparks");
        }
    }
    let executor = Executor::builder()
        .workers(2)
        .observer(Bad)
        .build()
        .unwrap();
    let tasks: Vec<_> = (0..100)
        .map(|number| {
            executor.spawn(async move {
                yield_now().await;
                number
            })
        })
        .collect();
    for (number, task) in (0..100).zip(tasks) {
        assert_eq!(block_on(task).unwrap(), number);
    }
    assert!(executor.shutdown(Duration::from_secs(5)).is_clean());
}

impl JobObserver for Trace {
    fn job_queued(&self, job: JobId, location: &'static Location<'static>) {
        assert!(location.file().ends_with("observed.rs"), "{location}");
        self.note(format!("{job} queued"));
    }

    fn job_begins(&self, job: JobId) {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("-").to_string();
        self.note(format!("{job} begins on {name}"));
    }

    fn job_ends(&self, job: JobId, end: JobEnd) {
        self.note(format!("{job} ends: {end:?}"));
    }
}

/// Notes its call.
struct NotedWake(Trace);

impl Wake for NotedWake {
    fn wake(self: Arc<Self>) {
        self.0.note("woken".into());
    }
}

#[test]
fn a_blocking_pool_tells_the_life_of_its_jobs() {
    let trace = Trace::default();
    let pool = BlockingPool::builder()
        .max_threads(1)
        .queue(1)
        .thread_name("desk")
        .observer(trace.clone())
        .build()
        .unwrap();
    let waker = Waker::from(Arc::new(NotedWake(trace.clone())));
    let cx = &mut Context::from_waker(&waker);

    let (begun, has_begun) = mpsc::channel();
    let (let_go, wait) = mpsc::channel::<()>();
    let mut held = pin!(pool.run(move || {
        begun.send(()).unwrap();
        let _ = wait.recv();
    }));
    assert_eq!(
        trace.take(),
        [""; 0],
        "nothing is told before the first poll"
    );
    assert!(held.as_mut().poll(cx).is_pending());
    has_begun.recv().unwrap();
    assert_eq!(trace.take(), ["#1 queued", "#1 begins on desk"]);

    // The second fills the queue, the third stands in line, the fourth finds no place at all.
    let mut second = Box::pin(pool.run(|| -> u32 { panic!("spilt") }));
    assert!(second.as_mut().poll(cx).is_pending());
    let mut third = Box::pin(pool.run(|| ()));
    assert!(third.as_mut().poll(cx).is_pending());
    assert!(third.as_mut().poll(cx).is_pending());
    assert!(pool.try_run(|| ()).is_err());
    drop(third);
    drop(pool.run(|| ())); // never polled, so never told
    let told = ["#2 queued", "#3 queued", "#3 ends: Cancelled"];
    assert_eq!(
        trace.take(),
        told,
        "who stands in line keeps `try_run` away"
    );

    assert!(pool.try_run(|| ()).is_err());
    let told = ["#6 queued", "#6 ends: Cancelled"];
    assert_eq!(trace.take(), told, "refused, as the queue is full");

    drop(let_go);
    block_on(held).unwrap();
    assert!(block_on(second).unwrap_err().is_panic());
    let told = trace.take();
    let ends = ["#1 ends: Output", "#2 begins on desk", "#2 ends: Panicked"];
    let jobs: Vec<_> = told.iter().filter(|line| line.starts_with('#')).collect();
    assert_eq!(jobs, ends);

    pool.shutdown(Duration::from_secs(60));
    assert!(block_on(pool.run(|| ())).unwrap_err().is_cancelled());
    assert_eq!(trace.take(), ["#7 queued", "#7 ends: Cancelled"]);
}

#[test]
fn the_end_of_a_job_is_told_before_its_awaiter_is_woken() {
    let trace = Trace::default();
    let pool = BlockingPool::builder()
        .observer(trace.clone())
        .build()
        .unwrap();
    let waker = Waker::from(Arc::new(NotedWake(trace.clone())));
    let (begun, has_begun) = mpsc::channel();
    let (let_go, wait) = mpsc::channel::<()>();
    let mut job = pin!(pool.run(move || {
        begun.send(()).unwrap();
        let _ = wait.recv();
    }));
    assert!(
        job.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    has_begun.recv().unwrap();
    drop(let_go);
    assert!(pool.shutdown(Duration::from_secs(60)).is_clean());
    let told = trace.take();
    assert_eq!(told.last().map(String::as_str), Some("woken"), "{told:?}");
    assert_eq!(told[told.len() - 2], "#1 ends: Output");
}

#[test]
fn a_job_observers_panics_harm_nobody() {
    struct Bad;
    impl JobObserver for Bad {
        fn job_queued(&self, _: JobId, _: &'static Location<'static>) {
            panic!("in job_queued");
        }
        fn job_begins(&self, _: JobId) {
            panic!("in job_begins");
        }
        fn job_ends(&self, _: JobId, _: JobEnd) {
            panic!("in job_ends");
        }
    }
    let pool = BlockingPool::builder().observer(Bad).build().unwrap();
    assert_eq!(block_on(pool.run(|| 1)).unwrap(), 1);
    assert_eq!(block_on(pool.try_run(|| 2).ok().unwrap()).unwrap(), 2);
    assert!(pool.shutdown(Duration::from_secs(60)).is_clean());
}
