//! Memory of what does nothing: idle tasks and idle connections, which a server has most of.

use std::cell::RefCell;
use std::future::poll_fn;
use std::hint::black_box;
use std::task::{Poll, Waker};

use crate::contest::{
    Better, Contender, Cores, Invalid, Measured, Pass, Scale, Workload, expect_count,
};
use crate::heap::bytes_kept;
use crate::peers;
use crate::runtime::{Local, LocalNet, LocalSpawn};

use super::echo_inproc::{serve, unix_pair};

/// The workloads of this file.
pub const ALL: &[Workload] = &[
    heap(
        "heap/idle_task_0",
        "a task that waits, with no captures",
        "bytes/task",
        tasks::<0>,
    ),
    heap(
        "heap/idle_task_64",
        "a task that waits, with 64 bytes",
        "bytes/task",
        tasks::<64>,
    ),
    heap(
        "heap/idle_task_256",
        "a task that waits, with 256 bytes",
        "bytes/task",
        tasks::<256>,
    ),
    heap(
        "heap/idle_connection",
        "a task that waits to read into its 64 bytes, and its socket",
        "bytes/connection",
        connections,
    ),
];

const fn heap(
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

fn tasks<const BYTES: usize>(scale: Scale) -> Vec<Contender> {
    let count = scale.of(10_000, 10) as u64;
    vec![
        tasks_on::<peers::ours::OneThread, BYTES>(count),
        tasks_on::<peers::tokio::OneThread, BYTES>(count),
        tasks_on::<peers::smol::OneThread, BYTES>(count),
        #[cfg(feature = "monoio")]
        tasks_on::<peers::monoio::OneThread, BYTES>(count),
        tasks_on::<peers::futures::OneThread, BYTES>(count),
    ]
}

fn tasks_on<R: Local, const BYTES: usize>(count: u64) -> Contender {
    Contender::new(R::NAME, move || Ok(idle_tasks::<R, BYTES>(count)))
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
        Ok(Measured {
            total: bytes.max(1) as f64,
            ops: count,
        })
    })
}

/// Returns when all that was spawned before has been polled: queues are first in, first out, but
/// for a slot or a stack here and there, hence a few times.
async fn settle<S: LocalSpawn>(spawner: &S) {
    for _ in 0..10 {
        spawner.spawn(async {}).await;
    }
}

/// Without monoio: it keeps tasks and their sockets when its runtime is dropped, so that a few
/// rounds use up the descriptors.
fn connections(scale: Scale) -> Vec<Contender> {
    let count = scale.of(2_000, 5);
    vec![
        connections_on::<peers::ours::EventLoop>(count),
        connections_on::<peers::tokio::WithDrivers>(count),
        connections_on::<peers::smol::WithReactor>(count),
    ]
}

fn connections_on<R: LocalNet>(count: usize) -> Contender {
    Contender::new(R::NAME, move || Ok(idle_connections::<R>(count)))
}

fn idle_connections<R: LocalNet>(count: usize) -> Pass {
    Box::new(move || {
        let pairs: Vec<_> = (0..count).map(|_| unix_pair()).collect::<Result<_, _>>()?;
        let mut runtime = R::new();
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
        Ok(Measured {
            total: bytes as f64,
            ops: count as u64,
        })
    })
}
