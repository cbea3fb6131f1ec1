//! One thread's executor and the rest of the world: tasks that come from outside of it, and wakes
//! from another thread. `remote_idle` and `remote_busy` have the shapes and sizes of tokio's own
//! benchmarks of those names.

use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::mpsc;

use ::futures::channel::oneshot;

use super::local::sum_of;
use crate::machine;
use crate::roster::{OnLocal, OnOutside, Shape};
use crate::runtime::{Local, LocalOutside, LocalSpawn};
use crate::workload::{Contender, Invalid, Measured, OURS, Pass, Scale, Workload, expect_count};

/// A task that does nothing but start its like: the run queue is never empty.
fn respawn<S: LocalSpawn>(spawner: S, polls: Rc<Cell<u64>>) {
    let own = spawner.clone();
    spawner.detach(async move {
        polls.set(polls.get() + 1);
        respawn(own, polls);
    });
}

/// Tasks that come while the executor does not run, beside a task that is always ready if `BUSY`.
pub struct Remote<const BUSY: bool>;

impl<const BUSY: bool> Shape for Remote<BUSY> {
    const ABOUT: &str = if BUSY {
        "1,000 spawns from outside, then run and join, beside a chain of tasks that never ends"
    } else {
        "1,000 spawns from outside, then run and join"
    };
    const UNIT: &str = "ns/task";
}

impl<const BUSY: bool> OnOutside for Remote<BUSY> {
    fn pass<R: LocalOutside>(scale: Scale) -> Result<Pass, Invalid> {
        let tasks = scale.of(1_000, 10) as u64;
        let mut runtime = R::new();
        let spawner = runtime.spawner();
        if BUSY {
            runtime.block_on(async { respawn(spawner, Rc::default()) });
        }
        let mut joins = Vec::with_capacity(tasks as usize);
        Ok(Box::new(move || {
            Measured::cpu(tasks, || {
                for number in 0..tasks {
                    joins.push(runtime.spawn_outside(async move { number }));
                }
                let sum = runtime.block_on(sum_of(joins.drain(..)));
                expect_count("as the sum", sum, tasks * (tasks - 1) / 2)
            })
        }))
    }
}

/// The row of `block_on` functions that need no executor.
pub const fn block_on_alone(name: &'static str) -> Workload {
    let about = "block_on without any executor, a ready future, 1,000 times";
    Workload::new(name, about, "ns/call", waiters)
}

fn waiters(scale: Scale) -> Vec<Contender> {
    let calls = scale.of(1_000, 3) as u64;
    vec![
        waiter(OURS, calls, |number| {
            executor::block_on(async { black_box(number) })
        }),
        waiter("futures", calls, |n| {
            ::futures::executor::block_on(async { black_box(n) })
        }),
        waiter("smol", calls, |n| {
            futures_lite::future::block_on(async { black_box(n) })
        }),
    ]
}

fn waiter(peer: &'static str, calls: u64, wait: impl Fn(u64) -> u64 + 'static) -> Contender {
    Contender::new(peer, move || {
        Ok(Box::new(move || {
            Measured::cpu(calls, || {
                let sum = (0..calls).map(&wait).sum();
                expect_count("as the sum", sum, calls * (calls - 1) / 2)
            })
        }))
    })
}

/// The thread that answers runs on the core of the runtime.
pub const SAME_CORE: bool = false;
/// The thread that answers has a core of its own.
pub const TWO_CORES: bool = true;

/// Wakes from another thread. Left to itself the kernel moves the two threads together and apart,
/// which changes a trip's cost several times over: so both are tied down.
pub struct CrossThread<const APART: bool>;

impl<const APART: bool> Shape for CrossThread<APART> {
    const ABOUT: &str = if APART {
        "a round trip to a thread and back, each on its own core"
    } else {
        "a round trip to a thread and back, both on one core"
    };
    const UNIT: &str = "ns/trip";
}

impl<const APART: bool> OnLocal for CrossThread<APART> {
    fn pass<R: Local>(scale: Scale) -> Result<Pass, Invalid> {
        let mut runtime = R::new();
        let trips = scale.of(100, 3) as u64;
        let question = peer_thread(APART);
        let spawner = runtime.spawner();
        Ok(Box::new(move || {
            // On one core nothing waits beside the work: its processor time is the trip.
            let measure = if APART { Measured::time } else { Measured::cpu };
            measure(trips, || {
                let trip = round_trips(question.clone(), trips);
                let made = runtime.block_on(async { spawner.spawn(trip).await });
                expect_count("trips", made, trips)
            })
        }))
    }
}

/// A number, and where the next one goes.
type Question = (u64, oneshot::Sender<u64>);

/// A thread that answers every number with the next one, on the core of its maker or `apart`.
pub(super) fn peer_thread(apart: bool) -> mpsc::Sender<Question> {
    let (question, questions) = mpsc::channel::<Question>();
    std::thread::spawn(move || {
        if apart {
            let first = &machine::all_cores()[..1]; // workloads of one core have the last
            machine::pin(first).expect("it was allowed at the start");
        }
        for (number, answer) in questions {
            answer.send(number + 1).expect("the task waits");
        }
    });
    question
}

/// Asks so often, waiting for each answer; the last number is how often.
pub(super) async fn round_trips(question: mpsc::Sender<Question>, trips: u64) -> u64 {
    let mut number = 0;
    for _ in 0..trips {
        let (answer, answered) = oneshot::channel();
        question.send((number, answer)).expect("the thread listens");
        number = answered.await.expect("the thread answers");
    }
    number
}
