//! Memory of what does nothing: idle tasks, idle connections and deadlines that are still to come,
//! which a server has most of.

use std::cell::RefCell;
use std::future::poll_fn;
use std::hint::black_box;
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use crate::heap::bytes_kept;
use crate::machine;
use crate::roster::{OnLocal, OnNet, OnSchedule, Shape};
use crate::runtime::{Local, LocalNet, LocalSpawn, Schedule, Stream};
use crate::workload::{Invalid, Measured, Pass, Scale, expect_count};

use super::echo_inproc::{serve, unix_pair};
use super::wheel::{FARTHEST, dice};

/// Tasks that wait for ever, with so many bytes of captures.
pub struct IdleTasks<const BYTES: usize>;

impl<const BYTES: usize> Shape for IdleTasks<BYTES> {
    const ABOUT: &str = "a task that waits, with captures of so many bytes";
    const UNIT: &str = "bytes/task";
}

impl<const BYTES: usize> OnLocal for IdleTasks<BYTES> {
    fn pass<R: Local>(scale: Scale) -> Result<Pass, Invalid> {
        Ok(idle_tasks::<R, BYTES>(scale.of(10_000, 10) as u64))
    }
}

/// Connections on which nothing comes.
pub struct IdleConnections;

impl Shape for IdleConnections {
    const ABOUT: &str = "a task that waits to read into its 64 bytes, and its socket";
    const UNIT: &str = "bytes/connection";
}

impl OnNet for IdleConnections {
    fn pass<R: LocalNet>(scale: Scale) -> Result<Pass, Invalid> {
        Ok(idle_connections::<R>(scale.of(2_000, 20)))
    }
}

/// Deadlines to come, as inserted one after the other or, with `CHURN`, after each has been replaced
/// four times in random order.
pub struct Deadlines<const CHURN: bool>;

/// Just below a power of two, so that what grows by doubling is nearly full.
const DEADLINES: usize = 65_000;

impl<const CHURN: bool> Shape for Deadlines<CHURN> {
    const ABOUT: &str = "a deadline with a value of 8 bytes, among 65,000 within half a minute";
    const UNIT: &str = "bytes/deadline";
}

impl<const CHURN: bool> OnSchedule for Deadlines<CHURN> {
    fn pass<S: Schedule>(scale: Scale) -> Result<Pass, Invalid> {
        let count = scale.of(DEADLINES, 20) as u64;
        Ok(Box::new(move || {
            let mut dice = dice();
            let mut keys = Vec::with_capacity(count as usize);
            let mut schedule = S::new();
            let (bytes, ()) = bytes_kept(|| {
                schedule.within(|schedule| {
                    keys.extend((0..count).map(|n| schedule.insert(1 + dice.u64(..FARTHEST), n)));
                    for _ in 0..if CHURN { 4 * count } else { 0 } {
                        let which = dice.u64(..count);
                        let key = &mut keys[which as usize];
                        assert_eq!(schedule.cancel(*key), Some(which), "the wrong one");
                        *key = schedule.insert(1 + dice.u64(..FARTHEST), which);
                    }
                });
            });
            let mut due = 0;
            schedule.within(|schedule| {
                for (number, &key) in (0..).zip(&keys) {
                    due += u64::from(schedule.cancel(key) == Some(number));
                }
            });
            expect_count("deadlines", due, count)?;
            Ok(Measured::new(bytes as f64, count))
        }))
    }
}

thread_local! {
    /// Whatever could wake the idle tasks: a task that nothing can wake may be freed at once.
    static WAKERS: RefCell<Vec<Waker>> = const { RefCell::new(Vec::new()) };
}

/// Starts tasks that are polled once and wait for ever, and counts what they keep. What the
/// runtime had before does not count, what it keeps for having had them does.
fn idle_tasks<R: Local, const BYTES: usize>(count: u64) -> Pass {
    Box::new(move || {
        let mut runtime = R::new();
        let spawner = runtime.spawner();
        WAKERS.with_borrow_mut(|wakers| wakers.reserve(count as usize));
        let (bytes, ()) = bytes_kept(|| {
            runtime.block_on(async {
                for _ in 0..count {
                    let captured = black_box([1_u8; BYTES]);
                    spawner.detach(async move {
                        poll_fn::<(), _>(|cx| {
                            WAKERS.with_borrow_mut(|wakers| wakers.push(cx.waker().clone()));
                            Poll::Pending
                        })
                        .await;
                        black_box(captured);
                    });
                }
                settle(&spawner).await;
            });
        });
        drop(runtime); // before the wakers, for those that must be let go on their own thread
        expect_count("tasks polled", WAKERS.take().len() as u64, count)?;
        Ok(Measured::new(bytes.max(1) as f64, count))
    })
}

/// Returns when all that was spawned before has been polled: queues are first in, first out, but
/// for a slot or a stack here and there, hence a few times.
async fn settle<S: LocalSpawn>(spawner: &S) {
    for _ in 0..10 {
        spawner.spawn(async {}).await;
    }
}

fn idle_connections<R: LocalNet>(count: usize) -> Pass {
    Box::new(move || {
        let mut runtime = R::new();
        let open = machine::open_files()?;
        let pairs: Vec<_> = (0..count).map(|_| unix_pair()).collect::<Result<_, _>>()?;
        let spawner = runtime.spawner();
        let net = runtime.net();
        let mut others = Vec::with_capacity(count);
        let (bytes, started) = bytes_kept(|| {
            runtime.block_on(async {
                for (here, there) in pairs {
                    spawner.detach(serve(R::unix(&net, there)?, vec![0; 64]));
                    others.push(here);
                }
                settle(&spawner).await;
                Ok::<_, std::io::Error>(others.len())
            })
        });
        expect_count("connections", started? as u64, count as u64)?;
        if bytes <= 0 {
            return Err(Invalid(format!("connections that take {bytes} bytes")));
        }
        drop(others); // every task reads the end, and ends
        runtime.block_on(closed::<R>(&net, open))?;
        Ok(Measured::new(bytes as f64, count as u64))
    })
}

/// Returns when no more files are open than before, but for what a runtime opens for itself. Some
/// keep the tasks they are dropped with, and their sockets: a few rounds would use up descriptors.
async fn closed<R: LocalNet>(net: &R::Net, before: usize) -> Result<(), Invalid> {
    const ITS_OWN: usize = 8;
    let mut open = machine::open_files()?;
    for _ in 0..1_000 {
        if open <= before + ITS_OWN {
            return Ok(());
        }
        // Waits in the kernel, for a thread that takes its time: some hear of nothing otherwise.
        let (here, there) = unix_pair()?;
        let hang_up = thread::spawn(move || {
            thread::sleep(Duration::from_millis(2));
            drop(there);
        });
        let (end, _) = R::unix(net, here)?.read(vec![0; 1]).await;
        expect_count("bytes", end? as u64, 0)?;
        hang_up.join().expect("it only sleeps");
        open = machine::open_files()?;
    }
    Err(Invalid(format!("{open} files are open, {before} were")))
}
