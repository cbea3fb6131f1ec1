//! Sleeps on a whole one-threaded runtime: creating, moving and cancelling them, and what it
//! costs to hold very many.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crate::contest::{
    Better, Contender, Cores, Invalid, Measured, Pass, Scale, Workload, expect_count,
};
use crate::peers;
use crate::runtime::{LocalSpawn, LocalTime};

/// The workloads of this file.
pub const ALL: &[Workload] = &[
    one_thread(
        "timers/sleep_create_poll_drop",
        "beside 1,000 other sleeps",
        "ns/sleep",
        everyone::<Create<1_000>>,
    ),
    one_thread(
        "timers/sleep_create_poll_drop_0",
        "beside no other sleep",
        "ns/sleep",
        everyone::<Create<0>>,
    ),
    one_thread(
        "timers/sleep_create_poll_drop_100k",
        "beside 100,000",
        "ns/sleep",
        everyone::<Create<100_000>>,
    ),
    one_thread(
        "timers/sleep_reset",
        "a keep-alive put off and polled",
        "ns/reset",
        everyone::<Reset>,
    ),
    one_thread(
        "timers/timeout_ready",
        "a timeout around what is ready",
        "ns/call",
        everyone::<TimeoutReady>,
    ),
    Workload {
        cores: Cores::All,
        ..one_thread(
            "timers/sleep_tasks_100k",
            "100,000 tasks sleep 1 to 1,000 ms: processor time of all of it",
            "ns cpu/task",
            coarse_too::<SleepTasks<100_000>>,
        )
    },
    Workload {
        cores: Cores::All,
        long: true,
        ..one_thread(
            "timers/sleep_tasks_1m",
            "1,000,000 tasks sleep 1 to 1,000 ms: processor time of all of it",
            "ns cpu/task",
            coarse_too::<SleepTasks<1_000_000>>,
        )
    },
];

const fn one_thread(
    name: &'static str,
    about: &'static str,
    unit: &'static str,
    contenders: fn(Scale) -> Vec<Contender>,
) -> Workload {
    Workload {
        name,
        about,
        unit,
        better: Better::Less,
        cores: Cores::One,
        long: false,
        contenders,
    }
}

/// A shape that any one-threaded runtime with timers can run.
trait Shape {
    fn pass<R: LocalTime>(runtime: R, scale: Scale) -> Pass;
}

fn everyone<S: Shape>(scale: Scale) -> Vec<Contender> {
    vec![
        one::<S, peers::ours::EventLoop>(scale),
        one::<S, peers::tokio::WithDrivers>(scale),
        one::<S, peers::smol::WithReactor>(scale),
        #[cfg(feature = "monoio")]
        one::<S, peers::monoio::Epoll>(scale),
    ]
}

/// Beside everyone, ours with the tick that tokio and monoio have: fewer wake-ups, less precise.
fn coarse_too<S: Shape>(scale: Scale) -> Vec<Contender> {
    let mut contenders = everyone::<S>(scale);
    contenders.push(one::<S, peers::ours::CoarseEventLoop>(scale));
    contenders
}

fn one<S: Shape, R: LocalTime>(scale: Scale) -> Contender {
    Contender::new(R::NAME, move || Ok(S::pass(R::new(), scale)))
}

/// Longer than any run takes.
const LONG: Duration = Duration::from_secs(3_000);

/// Polls once, and insists that it is not over.
async fn poll_pending<F: Future>(mut future: Pin<&mut F>) -> Result<(), Invalid> {
    poll_fn(|cx| {
        Poll::Ready(match future.as_mut().poll(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(_) => Err(Invalid("a long sleep was over at once".into())),
        })
    })
    .await
}

/// Sleeps that are under way while others are measured, spread over a long time.
fn others<R: LocalTime>(runtime: &mut R, count: usize) -> Vec<Pin<Box<R::Sleep>>> {
    let timer = runtime.timer();
    runtime.block_on(async {
        let mut others = Vec::with_capacity(count);
        for number in 0..count {
            let spread = Duration::from_millis(number as u64 * 7 % 1_000_000);
            let mut sleep = Box::pin(R::sleep(&timer, LONG + spread));
            poll_pending(sleep.as_mut())
                .await
                .expect("a long sleep is not over");
            others.push(sleep);
        }
        others
    })
}

struct Create<const OTHERS: usize>;

impl<const OTHERS: usize> Shape for Create<OTHERS> {
    fn pass<R: LocalTime>(mut runtime: R, scale: Scale) -> Pass {
        let sleeps = scale.of(1_000, 10) as u64;
        let others = others(&mut runtime, scale.of(OTHERS, OTHERS.min(10)));
        let timer = runtime.timer();
        Box::new(move || {
            std::hint::black_box(&others);
            Measured::cpu(sleeps, || {
                runtime.block_on(async {
                    for number in 0..sleeps {
                        let duration = Duration::from_secs(30) + Duration::from_millis(number);
                        let sleep = std::pin::pin!(R::sleep(&timer, duration));
                        poll_pending(sleep).await?;
                    }
                    Ok(())
                })
            })
        })
    }
}

struct Reset;

impl Shape for Reset {
    fn pass<R: LocalTime>(mut runtime: R, scale: Scale) -> Pass {
        let resets = scale.of(1_000, 10) as u64;
        let mut others = others(&mut runtime, 1_000);
        Box::new(move || {
            Measured::cpu(resets, || {
                runtime.block_on(async {
                    for number in 0..resets {
                        let which = number as usize % others.len();
                        R::reset(others[which].as_mut(), LONG);
                        poll_pending(others[which].as_mut()).await?;
                    }
                    Ok(())
                })
            })
        })
    }
}

struct TimeoutReady;

impl Shape for TimeoutReady {
    fn pass<R: LocalTime>(mut runtime: R, scale: Scale) -> Pass {
        let calls = scale.of(1_000, 10) as u64;
        let timer = runtime.timer();
        let second = Duration::from_secs(1);
        Box::new(move || {
            Measured::cpu(calls, || {
                let in_time = runtime.block_on(async {
                    let mut in_time = 0;
                    for number in 0..calls {
                        let ready = async { std::hint::black_box(number) };
                        let output = R::timeout(&timer, second, ready).await;
                        in_time += u64::from(output == Some(number));
                    }
                    in_time
                });
                expect_count("calls in time", in_time, calls)
            })
        })
    }
}

/// Counts the processor time of the whole process: the others are asleep.
struct SleepTasks<const TASKS: usize>;

impl<const TASKS: usize> Shape for SleepTasks<TASKS> {
    fn pass<R: LocalTime>(mut runtime: R, scale: Scale) -> Pass {
        let tasks = scale.of(TASKS, 20) as u64;
        let longest_ms = scale.of(1_000, 5) as u64;
        let spawner = runtime.spawner();
        let timer = runtime.timer();
        Box::new(move || {
            Measured::cpu(tasks, || {
                let woken = runtime.block_on(async {
                    let sleep = |number| {
                        let timer = timer.clone();
                        // 7,919 is prime to any longest: every millisecond has its share
                        let duration = Duration::from_millis(1 + number * 7_919 % longest_ms);
                        spawner.spawn(async move { R::sleep(&timer, duration).await })
                    };
                    let joins: Vec<_> = (0..tasks).map(sleep).collect();
                    let mut woken = 0;
                    for join in joins {
                        join.await;
                        woken += 1;
                    }
                    woken
                });
                expect_count("sleepers", woken, tasks)
            })
        })
    }
}
