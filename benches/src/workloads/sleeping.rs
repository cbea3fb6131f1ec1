//! Sleeps on a whole one-threaded runtime: creating, moving and cancelling them, and what it
//! costs to hold very many.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crate::roster::{OnTime, Shape, coarse, time};
use crate::runtime::{LocalSpawn, LocalTime};
use crate::workload::{Invalid, Measured, Pass, Scale, Workload, expect_count};

/// The row of [`SleepTasks`], with ours at a coarse tick beside the others.
pub const fn tasks<const TASKS: usize>(name: &'static str) -> Workload {
    let row = time::<SleepTasks<TASKS>>(name).beside(coarse::<SleepTasks<TASKS>>);
    row.on_all_cores()
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

/// Who cannot hold many sleeps in one task: glommio counts a task's wakers in 16 bits and panics.
pub const FEW: &[&str] = &["glommio"];

/// Who is left out where a pass lasts seconds and a quick row may last one minute: the slowest of
/// the peers, and ours at another tick. Both are in the row of 100,000.
pub const TEDIOUS: &[&str] = &["glommio", "ours-1ms"];

/// Sleeps that never fire, which most do not.
pub struct Create<const OTHERS: usize>;

impl<const OTHERS: usize> Shape for Create<OTHERS> {
    const ABOUT: &str = "a sleep of half a minute made, polled once and dropped, beside others";
    const UNIT: &str = "ns/sleep";
}

impl<const OTHERS: usize> OnTime for Create<OTHERS> {
    fn pass<R: LocalTime>(scale: Scale) -> Result<Pass, Invalid> {
        let mut runtime = R::new();
        let sleeps = scale.of(1_000, 10) as u64;
        let others = others(&mut runtime, scale.of(OTHERS, OTHERS.min(10)));
        let timer = runtime.timer();
        Ok(Box::new(move || {
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
        }))
    }
}

/// Sleeps that are put off.
pub struct Reset;

impl Shape for Reset {
    const ABOUT: &str = "a keep-alive put off and polled";
    const UNIT: &str = "ns/reset";
}

impl OnTime for Reset {
    fn pass<R: LocalTime>(scale: Scale) -> Result<Pass, Invalid> {
        let mut runtime = R::new();
        let resets = scale.of(1_000, 10) as u64;
        let mut others = others(&mut runtime, 1_000);
        Ok(Box::new(move || {
            Measured::cpu(resets, || {
                runtime.block_on(async {
                    for sleep in others.iter_mut().take(resets as usize) {
                        R::reset(sleep.as_mut(), LONG);
                        poll_pending(sleep.as_mut()).await?;
                    }
                    Ok(())
                })
            })
        }))
    }
}

/// What a timeout costs that was not needed.
pub struct TimeoutReady;

impl Shape for TimeoutReady {
    const ABOUT: &str = "a timeout around what is ready";
    const UNIT: &str = "ns/call";
}

impl OnTime for TimeoutReady {
    fn pass<R: LocalTime>(scale: Scale) -> Result<Pass, Invalid> {
        let mut runtime = R::new();
        let calls = scale.of(1_000, 10) as u64;
        let timer = runtime.timer();
        let second = Duration::from_secs(1);
        Ok(Box::new(move || {
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
        }))
    }
}

/// Counts the processor time of the whole process: the others are asleep.
pub struct SleepTasks<const TASKS: usize>;

impl<const TASKS: usize> Shape for SleepTasks<TASKS> {
    const ABOUT: &str = "tasks sleep 1 to 1,000 ms: processor time of all of it";
    const UNIT: &str = "ns cpu/task";
}

impl<const TASKS: usize> OnTime for SleepTasks<TASKS> {
    fn pass<R: LocalTime>(scale: Scale) -> Result<Pass, Invalid> {
        let mut runtime = R::new();
        let tasks = scale.of(TASKS, 20) as u64;
        let longest_ms = scale.of(1_000, 5) as u64;
        let spawner = runtime.spawner();
        let timer = runtime.timer();
        Ok(Box::new(move || {
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
        }))
    }
}
