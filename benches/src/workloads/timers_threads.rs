//! Sleeps that are made, polled and dropped by two workers of one runtime at the same time: what
//! its timers cost when they are shared.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use timers::{Clock, SharedTimers};

use crate::peers::{ours_threads, smol};
use crate::runtime::{Spawn, Threaded};
use crate::workload::{Contender, Measured, OURS, Pass, Scale, Workload, expect_count};

const WORKERS: usize = 2;

/// The row.
pub const fn two_workers(name: &'static str) -> Workload {
    const ABOUT: &str = "two workers of one runtime at once, beside 1,000 other sleeps";
    Workload::new(name, ABOUT, "ns/sleep", contenders).on_all_cores()
}

fn contenders(scale: Scale) -> Vec<Contender> {
    vec![
        Contender::new(OURS, move || Ok(ours(scale))),
        Contender::new("tokio", move || Ok(tokio(scale))),
        Contender::new("smol", move || Ok(smol(scale))),
    ]
}

/// Half of a pass, for one of the workers.
type Half = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Two halves on two workers. They begin together, and each holds its worker until it is done, so
/// that no worker does both.
fn pass<S: Future<Output = ()> + Send + 'static>(
    scale: Scale,
    sleep: impl Fn(Duration) -> S + Clone + Send + 'static,
    mut on_both: impl FnMut([Half; WORKERS]) + 'static,
) -> Pass {
    let sleeps = scale.of(20_000, 10) as u64;
    Box::new(move || {
        let barrier = Arc::new(Barrier::new(WORKERS));
        let pending = Arc::new(AtomicU64::new(0));
        let half = |_| -> Half {
            let (barrier, pending) = (Arc::clone(&barrier), Arc::clone(&pending));
            let sleep = sleep.clone();
            Box::pin(async move {
                barrier.wait();
                let mut mine = 0;
                for number in 0..sleeps {
                    let duration = Duration::from_secs(30) + Duration::from_millis(number);
                    mine += u64::from(is_pending(pin!(sleep(duration))).await);
                }
                pending.fetch_add(mine, Ordering::Relaxed);
            })
        };
        Measured::time(sleeps, || {
            on_both(std::array::from_fn(half));
            let all = sleeps * WORKERS as u64;
            expect_count("long sleeps", pending.load(Ordering::Relaxed), all)
        })
    })
}

/// Polls once.
async fn is_pending<F: Future>(mut future: Pin<&mut F>) -> bool {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

/// A thousand sleeps that stay, as a task that holds them.
async fn others<S: Future<Output = ()>>(sleep: impl Fn(Duration) -> S) {
    let mut others = Vec::new();
    for number in 0..1_000 {
        let mut sleep = Box::pin(sleep(Duration::from_millis(3_000_000 + 7 * number)));
        assert!(is_pending(sleep.as_mut()).await, "a long sleep is over");
        others.push(sleep);
    }
    std::future::pending::<()>().await;
}

/// Our executor and our shared timers, which a thread of their own waits for.
fn ours(scale: Scale) -> Pass {
    let runtime = ours_threads::ManyThreads::new(WORKERS);
    let clock = Keeper::start();
    let timers = clock.timers.clone();
    let sleep = move |duration| timers.sleep(duration);
    Spawn::detach(&runtime.spawner(), others(sleep.clone()));
    pass(scale, sleep, move |halves| {
        let _ = &clock; // goes after the last pass
        join(&runtime, halves);
    })
}

fn smol(scale: Scale) -> Pass {
    let runtime = smol::ManyThreads::new(WORKERS);
    let sleep = |duration| async move {
        async_io::Timer::after(duration).await;
    };
    Spawn::detach(&runtime.spawner(), others(sleep));
    pass(scale, sleep, move |halves| join(&runtime, halves))
}

fn join<R: Threaded>(runtime: &R, halves: [Half; WORKERS]) {
    let joins = halves.map(|half| runtime.spawner().spawn(half));
    for join in joins {
        runtime.block_on(join);
    }
}

fn tokio(scale: Scale) -> Pass {
    let runtime = ::tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .expect("tokio starts");
    runtime.spawn(others(::tokio::time::sleep));
    pass(scale, ::tokio::time::sleep, move |halves| {
        let joins = halves.map(|half| runtime.spawn(half));
        for join in joins {
            runtime.block_on(join).expect("the half is done");
        }
    })
}

/// The loop around shared timers, at its least: wait for as long as they say, fire what is due.
struct Keeper {
    timers: SharedTimers,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Keeper {
    fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (send, receive) = std::sync::mpsc::channel();
        let stopped = Arc::clone(&stop);
        let keep = move || {
            let host = Waker::from(Arc::new(Unpark(thread::current())));
            let timers = SharedTimers::new(Clock::monotonic(), host);
            send.send(timers.clone()).expect("who asked is there");
            while !stopped.load(Ordering::Acquire) {
                match timers.patience() {
                    None => thread::park(),
                    Some(patience) => thread::park_timeout(patience),
                }
                timers.fire();
            }
        };
        let thread = Some(thread::spawn(keep));
        let timers = receive.recv().expect("the thread has started");
        Keeper {
            timers,
            stop,
            thread,
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release); // pairs with the load before each wait
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            thread.join().expect("no timer fires");
        }
    }
}
