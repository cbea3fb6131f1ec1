//! The work-stealing executor: several threads, tasks that are `Send`.
//!
//! ```text
//!   outside threads ──spawn, wake──▶ ┌──────────┐
//!                                    │ injector │  a stack of links, taken whole
//!                                    └────┬─────┘
//!                        batches of 128   │   batches of 128
//!              ┌──────────────────────────┴──────────────────────────┐
//!   ┌──────────▼───────────┐                              ┌──────────▼───────────┐
//!   │ worker 0             │                              │ worker 1             │
//!   │  LIFO slot  1 task   │ ◀── the guard, of a stuck ── │  LIFO slot           │
//!   │  ring     256 tasks  │ ───── half, by one CAS ────▶ │  ring                │
//!   │  live list, magazines│                              │  live list, magazines│
//!   └──────────┬───────────┘                              └──────────┬───────────┘
//!              │ nothing to run                                      │
//!              ▼                                                     ▼
//!         park: a futex, or a driver            idle word: who sleeps, who searches
//! ```
//!
//! # The life of a task
//! ```text
//!   (1) allocate ──▶ in a queue ──(2) begin──▶ polled ──(5) complete──▶ done ──▶ freed
//!                        ▲                      │   ▲                    (6) by the last reference
//!                        │        (3) suspend   ▼   │ woken meanwhile:
//!                        └──(4) wake, abort── idle  └─ (3) says Requeue: to the back of the ring
//! ```
//! 1. `task::allocate`: one block out of the worker's magazine; the state word says `QUEUED`,
//!    `HANDLE`, two references. No atomic read-modify-write.
//! 2. `State::begin`: a load, unless it was woken since it was queued.
//! 3. `State::suspend`: one exchange, or a load if the task has woken itself. Before its first one
//!    the task enters a live list, so that a shutdown finds it; a task that is ready in its first
//!    poll never does.
//! 4. `State::wake_by_ref`, `wake_by_value`, `abort`: one exchange. Who sets `QUEUED` has the run
//!    right and queues the task: on a worker into the LIFO slot, or into the ring behind others
//!    that wait there; outside into the injector.
//! 5. `State::complete`: one exchange, and the joiner is woken.
//! 6. `State::dereference`: none if it was the only reference.
//!
//! So a task that is spawned on a worker and ready at once takes two: its pop and its end.
//!
//! # The hard part: going to sleep
//! ```text
//!      who has work to give                 who goes to sleep
//!   1. puts it in a queue                A. sets its bit, gives up searching
//!   2. fence(SeqCst)                     B. fence(SeqCst)
//!   3. reads the idle word               C. looks into every queue once more
//! ```
//! One of the two fences comes first; whichever it is, the other side sees what came before it.
//! The whole argument stands in `idle.rs`, beside the code, and the models try it.
//! Within a poll there is one fence for all that it queued, at its end; until then a plain read
//! decides. That read can miss a worker that is lying down in these very nanoseconds. If this poll
//! then goes on for long, the **guard** finds what waits: of the workers that rest while others
//! are busy, one sleeps for 4 ms at a time only. It also takes what stuck workers have in their
//! LIFO slots, which are not announced at all. So no task waits behind a long poll for more than
//! two rounds of the guard, if any worker is free. When all rest nobody stands guard, and an idle
//! pool makes no system call.
//!
//! # The end
//! Closing sets one bit of the idle word and unparks everybody. Each worker cancels what is in its
//! queues; the last one also what is in the injector and on the live lists, and waits for tasks
//! that a waker on another thread has just got the run right of. Who pushes into the injector after
//! that sees the bit (the same pair of fences) and cancels the task itself. Futures are dropped on
//! whichever of these threads that is. A task holds no reference to the pool: a waker borrows it
//! while the run right keeps the task, and so the pool, from ending.
//!
//! # Watching it
//! An observer is told of spawns, wakes, polls, ends, rests and thefts by the threads that do them.
//! A watched task has a tag in four bytes of its header that were padding; a wake and an end look
//! at it, a poll looks whether the worker has an observer: three branches in the life of a task,
//! none of which shows in the instruction counts. A panic of a task is contained, or shuts the
//! executor down, or aborts the process, as its builder said.
//!
//! # What was not built, and why
//! * A reference from each task to its pool: two more read-modify-writes a task.
//! * Spawns to the back of the ring instead of the LIFO slot: a pair of tasks that exchange a
//!   message took 1,096 ns instead of 304 to 754, for all first halves were suspended before any
//!   second one ran. (Figures from a busy machine with two cores, here and below.)
//! * Every woken task into the LIFO slot, also while others wait in the ring: a connection that
//!   eight streams wake is polled nine times instead of twice, and who spawns 10,000 tasks and
//!   joins them pays 1.5 times as much. An exchange of pings would be 6% cheaper.
//! * Waking the next searcher whenever one has found something: a round trip to another thread
//!   took 12 to 19 µs instead of 5 to 6, as each wake-up woke two workers. Now the next is woken if
//!   there is more to find.
//! * Work in the LIFO slot announced like any other: each message between two tasks would wake a
//!   core. Hence the guard.
//! * Batches from the injector that fill the ring: what runs next spawns, and the ring spills half
//!   of itself back. Of 1,000 pairs that exchange a ping, spawned by one task, a pair took 2,456
//!   instructions instead of 1,730, and twice the time.
//! * Announcements of outside spawns only by who finds the injector's stack empty: sound, but idle
//!   workers empty it faster than one thread fills it, so no fence was saved (0.99 to 1.1 times as
//!   fast).
//! * More than 48 workers: all of them meet in the idle word. Run one executor a socket instead.
//!
//! # Reading order
//! `state.rs` (who may touch a task), `task.rs` (its memory), `ring.rs` (how half is stolen),
//! `injector.rs`, `idle.rs` (why no wake-up is lost), `worker.rs`, `queue.rs` and `rest.rs` (what a
//! thread does all day), `pool.rs` and `ending.rs` (how it ends), `magazine.rs` (where memory comes from),
//! `watch.rs` (what an observer is told, and when).
//!
//! # How it is tested
//! `models.rs`, `pool_models.rs` and `task_models.rs` are loom's: `RUSTFLAGS="--cfg loom"
//! CARGO_TARGET_DIR=target/loom cargo test -p handrolled-executor --release --lib stealing`.
//! Every pair of what a worker and outside threads may do to a task: every schedule. Three at once:
//! up to a number of preemptions, which stands beside each and which `LOOM_MAX_PREEMPTIONS` raises.
//! `random_models.rs` is shuttle's: whole workers, four threads, 20,000 schedules drawn for each
//! model (its command is at its head). `tests/stealing*.rs` and `tests/stress.rs` run real threads,
//! also under ThreadSanitizer; `tests/seeded_bugs.diff` has the bugs that they have to find. Not
//! proved by any tool: aliasing and provenance.
//!
//! # Where the ideas come from
//! Blumofe and Leiserson, "Scheduling Multithreaded Computations by Work Stealing" (1999); Chase and
//! Lev, "Dynamic Circular Work-Stealing Deque" (2005); Bonwick and Adams, "Magazines and Vmem"
//! (2001); Treiber, "Systems Programming: Coping with Parallelism" (1986); the schedulers of Go and
//! of tokio for the bounded ring and the slot, rayon's for the sleep protocol.

mod builder;
mod ending;
mod home;
mod idle;
mod injector;
mod join;
mod live;
mod magazine;
mod metrics;
#[cfg(all(test, loom))]
mod models;
mod park;
mod pool;
#[cfg(all(test, loom))]
mod pool_models;
mod queue;
#[cfg(all(test, shuttle))]
mod random_models;
mod rest;
mod ring;
mod spawner;
mod state;
mod task;
#[cfg(all(test, loom))]
mod task_models;
mod task_set;
mod waker;
mod watch;
mod worker;

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

pub use builder::{ExecutorBuilder, PanicPolicy};
pub use ending::ShutdownReport;
pub use join::{AbortHandle, JoinHandle};
pub use metrics::{ExecutorMetrics, WorkerMetrics};
pub use park::{Park, ThreadPark};
pub use spawner::Spawner;
pub use task_set::TaskSet;

use crate::sync::{Ordering, fence};
use pool::Pool;

/// How long a shutdown waits, beyond its grace, for polls that are under way.
const LAST_POLLS: Duration = Duration::from_secs(1);

/// A pool of threads that poll tasks and steal them from each other.
///
/// The value owns the threads. Dropping it stops them: polls under way are waited for, and every
/// future left is dropped, once. Wakers, join handles and spawners may outlive it.
///
/// ```
/// use executor::{Executor, block_on};
///
/// let executor = Executor::builder().workers(2).thread_name("w").build()?;
/// let spawner = executor.spawner();
/// let sum = executor.spawn(async move {
///     let parts: Vec<_> = (0..10u64).map(|part| spawner.spawn(async move { part * part })).collect();
///     let mut sum = 0;
///     for part in parts {
///         sum += part.await.unwrap();
///     }
///     sum
/// });
/// assert_eq!(block_on(sum).unwrap(), 285);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Executor {
    pool: Arc<Pool>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Executor {
    /// One worker for each thread the machine runs at once.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn new() -> io::Result<Self> {
        Self::builder().build()
    }

    /// Workers, names, stacks, where they wait.
    pub fn builder() -> ExecutorBuilder {
        ExecutorBuilder::new()
    }

    /// Starts a task. See [`Spawner::spawn`].
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawner::spawn(&self.pool, None, future)
    }

    /// Starts a task with a name, for the observer.
    #[track_caller]
    pub fn spawn_named<F>(&self, name: &str, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawner::spawn(&self.pool, Some(name), future)
    }

    /// A handle to spawn with, from anywhere.
    #[must_use]
    pub fn spawner(&self) -> Spawner {
        Spawner::new(self.pool.clone())
    }

    /// What the workers have done so far.
    #[must_use]
    pub fn metrics(&self) -> ExecutorMetrics {
        self.pool.metrics()
    }

    /// Waits until every task is done, at most for `grace`; then stops the workers, drops the
    /// futures left, and says whose they were.
    ///
    /// Tasks go on and may spawn others during the grace. A poll that is under way when it ends
    /// is waited for a second longer; a task that still holds its worker then is named in the
    /// report, and what that worker was to clean up is cleaned up when it comes back.
    ///
    /// From within one of its own tasks nothing is waited for, not even the grace: that task is
    /// itself one of those to end.
    pub fn shutdown(mut self, grace: Duration) -> ShutdownReport {
        let pool = &self.pool;
        let ending = &pool.ending;
        let inside = worker::is_worker(pool);
        ending.await_quiet();
        fence(Ordering::SeqCst); // pairs with the fence in `Idle::sleep`: we see them, or they us
        if !inside && !pool.is_quiet() {
            ending.wait_quiet(Instant::now().checked_add(grace));
        }
        pool.close();
        let patience = if inside { Duration::ZERO } else { LAST_POLLS };
        let finished = ending.wait_finished(Instant::now() + patience);
        let stuck = if finished || inside {
            Vec::new()
        } else {
            pool.running()
        };
        let report = ShutdownReport {
            unfinished: ending.unfinished(),
            stuck,
        };
        if !finished {
            self.threads.clear(); // they end by themselves, in their own time
        }
        report
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        self.pool.close();
        if worker::is_worker(&self.pool) {
            return; // dropped by one of its own tasks: a worker cannot wait for itself
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor")
            .field("workers", &self.pool.homes.len())
            .finish_non_exhaustive()
    }
}
