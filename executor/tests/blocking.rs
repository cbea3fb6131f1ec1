//! `BlockingPool`: bounds, cancellation, panics, shutdown.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use executor::{BlockingPool, JobEnd, JobId, JobObserver, block_on};

const LONG: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A job that says when it began and waits until it is let go.
fn held() -> (
    impl FnOnce() -> u32 + Send,
    mpsc::Receiver<()>,
    mpsc::Sender<()>,
) {
    let (began, has_begun) = mpsc::channel();
    let (let_go, wait) = mpsc::channel();
    let job = move || {
        began.send(()).unwrap();
        let _ = wait.recv();
        7
    };
    (job, has_begun, let_go)
}

#[test]
fn it_runs_elsewhere_and_gives_the_result() {
    let pool = BlockingPool::builder().thread_name("desk").build().unwrap();
    let name = block_on(pool.run(|| thread::current().name().map(String::from))).unwrap();
    assert_eq!(name.as_deref(), Some("desk"));
    assert!(pool.shutdown(LONG).is_clean());
}

#[test]
fn a_panic_reaches_the_awaiter_and_the_thread_goes_on() {
    let pool = BlockingPool::builder().max_threads(1).build().unwrap();
    let error = block_on(pool.run(|| panic!("spilt"))).unwrap_err();
    assert_eq!(error.to_string(), "task panicked: spilt");
    assert_eq!(block_on(pool.run(|| 3)).unwrap(), 3);
    assert_eq!(pool.threads(), 1);
}

#[test]
fn a_full_queue_makes_the_future_wait_for_a_place() {
    let pool = BlockingPool::builder()
        .max_threads(1)
        .queue(1)
        .build()
        .unwrap();
    let (job, has_begun, let_go) = held();
    let running = pool.try_run(job).ok().unwrap();
    has_begun.recv().unwrap();
    let queued = pool.try_run(|| 1).ok().unwrap();
    assert!(pool.try_run(|| 2).is_err());
    let counter = Arc::new(Counter::default());
    let waker = Waker::from(counter.clone());
    let mut cx = Context::from_waker(&waker);
    let mut waiting = pin!(pool.run(|| 3));
    assert!(waiting.as_mut().poll(&mut cx).is_pending());
    assert!(waiting.as_mut().poll(&mut cx).is_pending());
    assert_eq!(counter.0.load(Ordering::SeqCst), 0);
    let_go.send(()).unwrap();
    assert_eq!(block_on(waiting).unwrap(), 3);
    assert_eq!(block_on(queued).unwrap(), 1);
    assert_eq!(block_on(running).unwrap(), 7);
}

#[test]
fn a_waiter_that_goes_passes_its_place_on() {
    let pool = BlockingPool::builder()
        .max_threads(1)
        .queue(1)
        .build()
        .unwrap();
    let (job, has_begun, let_go) = held();
    let _running = pool.try_run(job).ok().unwrap();
    has_begun.recv().unwrap();
    let _queued = pool.try_run(|| 1).ok().unwrap();
    let counters = [Arc::new(Counter::default()), Arc::new(Counter::default())];
    let mut first = Box::pin(pool.run(|| 2));
    let mut second = Box::pin(pool.run(|| 3));
    let wakers = counters
        .each_ref()
        .map(|counter| Waker::from(counter.clone()));
    assert!(
        first
            .as_mut()
            .poll(&mut Context::from_waker(&wakers[0]))
            .is_pending()
    );
    assert!(
        second
            .as_mut()
            .poll(&mut Context::from_waker(&wakers[1]))
            .is_pending()
    );
    let_go.send(()).unwrap();
    while counters[0].0.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
    assert_eq!(counters[1].0.load(Ordering::SeqCst), 0);
    drop(first);
    assert_eq!(counters[1].0.load(Ordering::SeqCst), 1);
    assert_eq!(block_on(second).unwrap(), 3);
}

#[test]
fn a_newcomer_does_not_take_the_place_that_another_was_called_to() {
    let pool = BlockingPool::builder()
        .max_threads(1)
        .queue(1)
        .build()
        .unwrap();
    let (job, has_begun, let_go) = held();
    let _running = pool.try_run(job).ok().unwrap();
    has_begun.recv().unwrap();
    let (job, next_has_begun, next_runs) = held();
    let _queued = pool.try_run(job).ok().unwrap();
    let counters = [(); 3].map(|()| Arc::new(Counter::default()));
    let wakers = counters
        .each_ref()
        .map(|counter| Waker::from(counter.clone()));
    let mut waiting = [2, 3, 4].map(|number| Box::pin(pool.run(move || number)));
    let mut poll = |who: usize| {
        let cx = &mut Context::from_waker(&wakers[who]);
        assert!(waiting[who].as_mut().poll(cx).is_pending());
    };
    let calls = || [0, 1, 2].map(|who| counters[who].0.load(Ordering::SeqCst));
    poll(0);
    poll(1);
    let_go.send(()).unwrap();
    next_has_begun.recv().unwrap();
    assert_eq!(calls(), [1, 0, 0], "there is one place, for the first");
    poll(2);
    poll(0);
    assert_eq!(calls(), [1, 1, 0], "the first has it, and calls the next");
    poll(1); // who finds no place
    poll(2);
    poll(0); // who takes no second one
    assert_eq!(calls(), [1, 1, 0]);
    drop(next_runs);
    while calls()[0] < 2 {
        thread::yield_now(); // until the first one's job is done
    }
    assert_eq!(calls(), [2, 2, 0]);
}

#[test]
fn dropping_the_future_cancels_a_job_that_has_not_begun() {
    let pool = BlockingPool::builder()
        .max_threads(1)
        .queue(8)
        .build()
        .unwrap();
    let (job, has_begun, let_go) = held();
    let running = pool.try_run(job).ok().unwrap();
    has_begun.recv().unwrap();
    let ran = Arc::new(AtomicUsize::new(0));
    let count = ran.clone();
    drop(
        pool.try_run(move || count.fetch_add(1, Ordering::SeqCst))
            .ok()
            .unwrap(),
    );
    assert_eq!(
        Arc::strong_count(&ran),
        1,
        "its captures are dropped at once"
    );
    let_go.send(()).unwrap();
    assert_eq!(block_on(running).unwrap(), 7);
    assert_eq!(block_on(pool.run(|| 1)).unwrap(), 1);
    assert_eq!(ran.load(Ordering::SeqCst), 0);
}

#[test]
fn threads_grow_with_the_jobs_up_to_the_limit_and_retire() {
    let pool = BlockingPool::builder()
        .max_threads(2)
        .keep_alive(Duration::from_millis(1))
        .build()
        .unwrap();
    assert_eq!(pool.threads(), 0);
    let (one, one_begun, let_one_go) = held();
    let (two, two_begun, let_two_go) = held();
    let jobs = (
        pool.try_run(one).ok().unwrap(),
        pool.try_run(two).ok().unwrap(),
    );
    one_begun.recv().unwrap();
    two_begun.recv().unwrap();
    let third = pool.try_run(|| 3).ok().unwrap();
    assert_eq!(pool.threads(), 2);
    let_one_go.send(()).unwrap();
    let_two_go.send(()).unwrap();
    assert_eq!(
        block_on(async { (jobs.0.await.unwrap(), jobs.1.await.unwrap()) }),
        (7, 7)
    );
    assert_eq!(block_on(third).unwrap(), 3);
    while pool.threads() > 0 {
        thread::yield_now();
    }
    assert_eq!(
        block_on(pool.run(|| 4)).unwrap(),
        4,
        "a retired pool starts again"
    );
    while pool.threads() > 0 {
        thread::yield_now(); // and retires again
    }
}

#[test]
fn shutdown_names_what_still_runs_and_cancels_the_rest() {
    let pool = BlockingPool::builder().max_threads(1).build().unwrap();
    let (job, has_begun, let_go) = held();
    let line = line!() + 1;
    let running = pool.try_run(job).ok().unwrap();
    has_begun.recv().unwrap();
    let queued = pool.try_run(|| 1).ok().unwrap();
    let report = pool.shutdown(Duration::ZERO);
    assert_eq!(report.cancelled, 1);
    assert!(!report.is_clean());
    assert_eq!(report.running[0].line(), line);
    assert!(report.to_string().contains("tests/blocking.rs"));
    assert!(block_on(queued).unwrap_err().is_cancelled());
    assert!(block_on(pool.run(|| 1)).unwrap_err().is_cancelled());
    assert!(pool.try_run(|| 1).is_err());
    let_go.send(()).unwrap();
    assert_eq!(block_on(running).unwrap(), 7, "what had begun is finished");
    assert!(pool.shutdown(LONG).is_clean());
}

#[test]
fn a_result_nobody_awaits_may_panic_as_it_is_dropped() {
    struct Spills;
    impl Drop for Spills {
        fn drop(&mut self) {
            panic!("spilt");
        }
    }
    let pool = BlockingPool::builder().max_threads(1).build().unwrap();
    let (job, has_begun, let_go) = held();
    let running = pool.try_run(move || {
        job();
        Spills
    });
    has_begun.recv().unwrap();
    drop(running);
    let next = pool.try_run(|| 3).ok().unwrap();
    let_go.send(()).unwrap();
    assert_eq!(block_on(next).unwrap(), 3);
    assert_eq!(pool.threads(), 1);
    assert!(pool.shutdown(LONG).is_clean());
}

#[test]
fn without_handles_the_queue_is_finished_and_the_threads_end() {
    let pool = BlockingPool::builder().max_threads(1).build().unwrap();
    let (done, is_done) = mpsc::channel();
    let jobs: Vec<_> = (0..10)
        .map(|number| {
            let done = done.clone();
            pool.try_run(move || done.send(number).unwrap())
                .ok()
                .unwrap()
        })
        .collect();
    drop(pool);
    for job in jobs {
        block_on(job).unwrap();
    }
    drop(done);
    assert_eq!(
        is_done.iter().collect::<Vec<_>>(),
        (0..10).collect::<Vec<_>>()
    );
}

#[test]
fn a_burst_from_two_threads_is_done_to_the_last() {
    let pool = BlockingPool::builder()
        .max_threads(2)
        .queue(16)
        .build()
        .unwrap();
    let sum = Arc::new(AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let executor = executor::LocalExecutor::new();
                let tasks: Vec<_> = (0..500)
                    .map(|_| {
                        let (pool, sum) = (pool.clone(), sum.clone());
                        executor.spawn(async move {
                            pool.run(move || sum.fetch_add(1, Ordering::SeqCst))
                                .await
                                .unwrap();
                        })
                    })
                    .collect();
                executor.block_on(async {
                    for task in tasks {
                        task.await.unwrap();
                    }
                });
            });
        }
    });
    assert_eq!(sum.load(Ordering::SeqCst), 1000);
    assert!(pool.shutdown(LONG).is_clean());
}

#[test]
fn a_job_that_is_polled_before_and_after_its_end_keeps_the_last_waker() {
    let pool = BlockingPool::builder().max_threads(1).build().unwrap();
    let (job, has_begun, let_go) = held();
    let counters = [Arc::new(Counter::default()), Arc::new(Counter::default())];
    let wakers = counters
        .each_ref()
        .map(|counter| Waker::from(counter.clone()));
    let mut job = pin!(pool.run(job));
    assert!(
        job.as_mut()
            .poll(&mut Context::from_waker(&wakers[0]))
            .is_pending()
    );
    has_begun.recv().unwrap();
    assert!(
        job.as_mut()
            .poll(&mut Context::from_waker(&wakers[1]))
            .is_pending()
    );
    let_go.send(()).unwrap();
    while counters[1].0.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
    assert_eq!(counters[0].0.load(Ordering::SeqCst), 0);
    assert_eq!(
        job.as_mut()
            .poll(&mut Context::from_waker(&wakers[0]))
            .map(Result::unwrap),
        Poll::Ready(7)
    );
}

#[test]
fn a_job_that_nobody_waited_for_any_more_is_not_counted_as_cancelled_by_the_shutdown() {
    let pool = BlockingPool::builder().max_threads(1).build().unwrap();
    let (job, has_begun, let_go) = held();
    let running = pool.try_run(job).ok().unwrap();
    has_begun.recv().unwrap();
    drop(pool.try_run(|| 1));
    let _waits = pool.try_run(|| 2);
    assert_eq!(pool.shutdown(Duration::ZERO).cancelled, 1);
    let_go.send(()).unwrap();
    assert_eq!(block_on(running).unwrap(), 7);
}

#[test]
fn a_result_nobody_awaits_is_dropped_by_the_thread_that_gave_it() {
    struct TellsThread(mpsc::Sender<thread::ThreadId>);
    impl Drop for TellsThread {
        fn drop(&mut self) {
            let _ = self.0.send(thread::current().id());
        }
    }
    /// As it is dropped, the job has its whole life.
    struct LetsGo(mpsc::Sender<()>, Mutex<mpsc::Receiver<()>>);
    impl Wake for LetsGo {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for LetsGo {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
            self.1.lock().unwrap().recv().unwrap();
        }
    }
    let pool = BlockingPool::builder().max_threads(1).build().unwrap();
    let (job, has_begun, let_go) = held();
    let (dropped, dropped_by) = mpsc::channel();
    let mut running = Box::pin(pool.run(move || {
        job();
        TellsThread(dropped)
    }));
    let (begins, next_began) = mpsc::channel();
    let waker = Waker::from(Arc::new(LetsGo(let_go, Mutex::new(next_began))));
    assert!(
        running
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    drop(waker);
    has_begun.recv().unwrap();
    let next = pool.try_run(move || begins.send(()).unwrap());
    drop(running); // drops the waker half-way, and that ends the job
    assert_ne!(dropped_by.recv().unwrap(), thread::current().id());
    block_on(next.ok().unwrap()).unwrap();
}

#[test]
fn a_bound_without_meaning_takes_no_memory_to_match() {
    let pool = BlockingPool::builder()
        .queue(usize::MAX)
        .max_threads(usize::MAX)
        .build()
        .unwrap();
    assert_eq!(block_on(pool.run(|| 3)).unwrap(), 3);
}

/// Notes how the jobs end.
#[derive(Clone, Default)]
struct Ends(Arc<Mutex<Vec<JobEnd>>>);

impl JobObserver for Ends {
    fn job_ends(&self, _: JobId, end: JobEnd) {
        self.0.lock().unwrap().push(end);
    }
}

/// In a process of its own, where a thread's stack would be larger than all memory.
#[test]
fn a_job_for_which_no_thread_could_be_started_is_cancelled() {
    const HUGE: (&str, &str) = ("RUST_MIN_STACK", "1152921504606846976");
    if std::env::var(HUGE.0).as_deref() != Ok(HUGE.1) {
        let name = "a_job_for_which_no_thread_could_be_started_is_cancelled";
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact", "--test-threads=1"])
            .env(HUGE.0, HUGE.1)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(said.contains("1 passed"), "{said}");
        return;
    }
    let ends = Ends::default();
    let pool = BlockingPool::builder()
        .observer(ends.clone())
        .build()
        .unwrap();
    let (kept, dropped) = mpsc::channel::<()>();
    let also_kept = kept.clone();
    let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        block_on(pool.run(move || drop(kept)))
    }));
    assert!(polled.is_err());
    let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        pool.try_run(move || drop(also_kept)).is_ok()
    }));
    assert!(tried.is_err());
    assert_eq!(dropped.try_recv(), Err(mpsc::TryRecvError::Disconnected));
    assert_eq!(*ends.0.lock().unwrap(), [JobEnd::Cancelled; 2]);
    assert_eq!(pool.shutdown(Duration::ZERO).cancelled, 0);
}

/// The first queued job, as it is dropped by the shutdown, lets the running one end, and waits until
/// the thread that is free then has found the second one.
#[test]
fn what_a_thread_finds_during_the_shutdown_is_cancelled_and_counted_as_well() {
    struct OnDrop<F: FnMut()>(F);
    impl<F: FnMut()> Drop for OnDrop<F> {
        fn drop(&mut self) {
            (self.0)();
        }
    }
    let pool = BlockingPool::builder().max_threads(1).build().unwrap();
    let (job, has_begun, let_go) = held();
    let running = pool.try_run(job).ok().unwrap();
    has_begun.recv().unwrap();
    let (second, second_dropped) = mpsc::channel();
    let first = OnDrop(move || {
        let_go.send(()).unwrap();
        second_dropped.recv().unwrap();
    });
    let second = OnDrop(move || second.send(()).unwrap());
    let first = pool.try_run(move || drop(first)).ok().unwrap();
    let second = pool.try_run(move || drop(second)).ok().unwrap();
    let report = pool.shutdown(LONG);
    assert!(report.is_clean());
    assert_eq!(report.cancelled, 2);
    assert_eq!(block_on(running).unwrap(), 7);
    assert!(block_on(first).unwrap_err().is_cancelled());
    assert!(block_on(second).unwrap_err().is_cancelled());
}

/// If a call to a free place were lost, some of these would wait for ever.
#[test]
fn waiters_that_come_and_go_lose_no_place() {
    let pool = BlockingPool::builder()
        .max_threads(2)
        .queue(1)
        .build()
        .unwrap();
    thread::scope(|scope| {
        for seed in 0..4 {
            let pool = &pool;
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(seed);
                for number in 0..1_000 {
                    let mut job = Box::pin(pool.run(move || number));
                    let cx = &mut Context::from_waker(Waker::noop());
                    let polled = random.bool() && job.as_mut().poll(cx).is_ready();
                    if !polled && random.bool() {
                        assert_eq!(block_on(job).unwrap(), number);
                    }
                }
            });
        }
    });
    assert!(pool.shutdown(LONG).is_clean());
}
