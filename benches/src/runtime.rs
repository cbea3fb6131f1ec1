//! What a runtime must be able to do so that workloads written once can run on it.
//!
//! The traits are as thin as they can be: each method is one call of the runtime's own. Where a
//! runtime finds itself through a thread-local, its spawner is an empty type; where it is passed
//! about by hand, its spawner is that handle. So each pays what its users pay and nothing else.

use std::future::Future;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::time::Duration;

/// An executor on one thread, whose tasks need not be `Send`.
pub trait Local: 'static {
    /// What the report calls it.
    const NAME: &'static str;
    /// Spawns from inside and outside of tasks.
    type Spawner: LocalSpawn;

    /// A fresh one.
    fn new() -> Self;
    /// A handle that tasks may keep.
    fn spawner(&self) -> Self::Spawner;
    /// Runs tasks on this thread until `future` is ready.
    fn block_on<F: Future>(&mut self, future: F) -> F::Output;
}

/// A [`Local`] runtime that takes tasks while it does not run.
pub trait LocalOutside: Local {
    /// What [`LocalOutside::spawn_outside`] hands back.
    type Join<T: 'static>: Future<Output = T> + Unpin + 'static;

    /// Starts a task from outside of `block_on`.
    fn spawn_outside<F>(&mut self, future: F) -> Self::Join<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static;
}

/// Spawns tasks on a [`Local`] runtime.
pub trait LocalSpawn: Clone + 'static {
    /// Resolves to what the task returned. Dropping it may cancel the task: see `detach`.
    type Join<T: 'static>: Future<Output = T> + Unpin + 'static;

    /// Starts a task that somebody waits for.
    fn spawn<F>(&self, future: F) -> Self::Join<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static;
    /// Starts a task that nobody waits for.
    fn detach<F: Future<Output = ()> + 'static>(&self, future: F);
    /// Lets others run, in the way the runtime recommends.
    fn yield_now(&self) -> impl Future<Output = ()> + 'static;
}

/// An executor on several threads.
pub trait Threaded: 'static {
    /// What the report calls it.
    const NAME: &'static str;
    /// Spawns from any thread.
    type Spawner: Spawn;

    /// A fresh one with `workers` threads.
    fn new(workers: usize) -> Self;
    /// A handle for any thread.
    fn spawner(&self) -> Self::Spawner;
    /// Waits on this thread, which is none of the workers, until `future` is ready.
    fn block_on<F: Future>(&self, future: F) -> F::Output;
}

/// Spawns tasks on a [`Threaded`] runtime.
pub trait Spawn: Clone + Send + Sync + 'static {
    /// Resolves to what the task returned. Dropping it may cancel the task: see `detach`.
    type Join<T: Send + 'static>: Future<Output = T> + Send + Unpin + 'static;

    /// Starts a task that somebody waits for.
    fn spawn<F>(&self, future: F) -> Self::Join<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;
    /// Starts a task that nobody waits for.
    fn detach<F: Future<Output = ()> + Send + 'static>(&self, future: F);
    /// Lets others run, in the way the runtime recommends.
    fn yield_now(&self) -> impl Future<Output = ()> + Send + 'static;
}

/// A [`Local`] runtime with timers.
pub trait LocalTime: Local {
    /// One wait.
    type Sleep: Future<Output = ()> + 'static;
    /// Makes sleeps; kept by tasks.
    type Timer: Clone + 'static;

    /// A handle that tasks may keep.
    fn timer(&self) -> Self::Timer;
    /// A wait of `duration` from now, not yet polled.
    fn sleep(timer: &Self::Timer, duration: Duration) -> Self::Sleep;
    /// Makes it a wait of `duration` from now, or from when the runtime last looked at the clock if
    /// it offers that for keep-alives.
    fn reset(sleep: Pin<&mut Self::Sleep>, duration: Duration);
    /// `future`'s output, or nothing when `duration` is over before it is ready.
    fn timeout<F: Future>(
        timer: &Self::Timer,
        duration: Duration,
        future: F,
    ) -> impl Future<Output = Option<F::Output>>;
}

/// A [`Local`] runtime with non-blocking streams. What it is given is already non-blocking.
#[expect(
    async_fn_in_trait,
    reason = "one thread: nobody needs these futures to be Send"
)]
pub trait LocalNet: Local {
    /// A connected Unix socket.
    type Unix: Stream;
    /// A TCP connection.
    type Tcp: Stream;
    /// Accepts TCP connections.
    type Listener: 'static;
    /// Makes streams; kept by tasks.
    type Net: Clone + 'static;

    /// A handle that tasks may keep.
    fn net(&self) -> Self::Net;
    /// Takes over a connected socket.
    ///
    /// # Errors
    /// When the runtime cannot watch it.
    fn unix(net: &Self::Net, stream: UnixStream) -> io::Result<Self::Unix>;
    /// Takes over a connected socket.
    ///
    /// # Errors
    /// When the runtime cannot watch it.
    fn tcp(net: &Self::Net, stream: TcpStream) -> io::Result<Self::Tcp>;
    /// Takes over a listening socket.
    ///
    /// # Errors
    /// When the runtime cannot watch it.
    fn listener(net: &Self::Net, listener: TcpListener) -> io::Result<Self::Listener>;
    /// The next connection, with Nagle's delay off.
    async fn accept(listener: &Self::Listener) -> io::Result<Self::Tcp>;
}

/// Reads and writes with buffers passed by value and handed back, which readiness-based runtimes
/// do for nothing and completion-based ones need.
#[expect(
    async_fn_in_trait,
    reason = "one thread: nobody needs these futures to be Send"
)]
pub trait Stream: 'static {
    /// Reads once into the front of `buffer`, whose length is what may be read; 0 at the end.
    async fn read(&mut self, buffer: Vec<u8>) -> (io::Result<usize>, Vec<u8>);
    /// Writes all of the first `length` bytes of `buffer`.
    async fn write_all(&mut self, buffer: Vec<u8>, length: usize) -> (io::Result<()>, Vec<u8>);
}

/// A pool of threads for work that blocks, with as many threads as its makers give it.
pub trait Pool: Sync + 'static {
    /// What the report calls it.
    const NAME: &'static str;

    /// A fresh one.
    fn new() -> Self;
    /// A job that hands `number` back from another thread.
    fn run(&self, number: u64) -> impl Future<Output = u64>;
}

/// A structure that holds deadlines, counted in ticks, each with a number below 2^32.
pub trait Schedule: 'static {
    /// What the report calls it.
    const NAME: &'static str;
    /// Finds a deadline again.
    type Key: Copy;

    /// An empty one at tick 0.
    fn new() -> Self;
    /// Adds a deadline that is still to come.
    fn insert(&mut self, deadline: u64, value: u64) -> Self::Key;
    /// Takes one out before it is due.
    fn cancel(&mut self, key: Self::Key) -> Option<u64>;
    /// Moves time on, and takes out all that is due.
    fn advance(&mut self, now: u64, fire: impl FnMut(u64));
    /// Runs `work` in whatever surroundings the structure needs.
    fn within<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        work(self)
    }
}

/// A [`Schedule`] whose deadlines can be moved.
pub trait Reschedule: Schedule {
    /// Moves a waiting deadline.
    fn reschedule(&mut self, key: Self::Key, deadline: u64) -> Self::Key;
}
