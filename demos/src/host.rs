//! One thread or several: for code that is the same on both.
//!
//! Two executors have two spawners, with two bounds: what one thread runs need not be `Send`, what
//! several run must be. Code for both keeps the stricter one. It shares by `Arc` and `Mutex`, which
//! one thread alone pays for without need: some nanoseconds a lock, where a request over HTTP
//! takes ten thousand. The alternative was the server and the session twice.
//!
//! The spawner of one thread must not leave it, and says so by its type. Here it stands in a
//! wrapper that checks the thread when it is used, and panics on another.

use std::future::Future;
use std::io;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use executor::{JoinError, JoinHandle, LocalExecutor, LocalJoinHandle, Spawner};
use hyper::rt;
use send_wrapper::SendWrapper;
use timers::Clock;

use crate::event_loop::EventLoop;
use crate::handle::Handle;
use crate::roll::LoopSpawner;
use crate::runtime::Runtime;
use crate::shutdown::Report;
use crate::trace::Recorder;

/// A loop of as many threads as were asked for.
///
/// ```
/// use demos::Host;
/// use std::time::Duration;
/// for threads in [1, 2] {
///     let host = Host::new(threads)?;
///     let handle = host.handle();
///     let answer = host.run(async move {
///         let timers = handle.timers.clone();
///         let task = handle.spawner.spawn(async move {
///             timers.sleep(Duration::from_millis(2)).await;
///             6 * 7
///         });
///         task.await.expect("nobody aborts it")
///     })?;
///     assert_eq!(answer, 42);
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub enum Host {
    /// All on the thread that calls `run`.
    OneThread(EventLoop),
    /// On threads of its own.
    Threads(Runtime),
}

/// What futures need to use the host they run on.
pub type HostHandle = Handle<HostSpawner>;

impl Host {
    /// A host of so many threads: for one, the one that calls.
    ///
    /// # Errors
    /// The operating system's, if it gives no threads or no epoll descriptor.
    pub fn new(threads: usize) -> io::Result<Self> {
        Self::watched(threads, None)
    }

    /// The same, observed by a recorder that goes by the monotonic clock, if there is one.
    ///
    /// # Errors
    /// The operating system's, if it gives no threads or no epoll descriptor.
    pub fn watched(threads: usize, by: Option<&Recorder>) -> io::Result<Self> {
        match threads {
            0 | 1 => EventLoop::with(Clock::monotonic(), LocalExecutor::builder(), by)
                .map(Self::OneThread),
            _ => Runtime::with(threads, by).map(Self::Threads),
        }
    }

    /// What futures need to use the host they run on.
    #[must_use]
    pub fn handle(&self) -> HostHandle {
        match self {
            Self::OneThread(event_loop) => event_loop.handle().clone().into(),
            Self::Threads(runtime) => runtime.handle().clone().into(),
        }
    }

    /// Runs until `future` is done. What is not done then ends with the host.
    ///
    /// # Errors
    /// The reactor's, if waiting fails.
    ///
    /// # Panics
    /// As `future` does.
    pub fn run<F>(&self, future: F) -> io::Result<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        // As a task among others: with several threads it is one of the workers that polls it, and
        // not this one, which each of its wake-ups would have to reach.
        let task = self.handle().spawner.spawn_named("main", future);
        let output = match self {
            Self::OneThread(event_loop) => event_loop.run(task)?,
            Self::Threads(runtime) => runtime.block_on(task),
        };
        Ok(output.unwrap_or_else(|error| resume_unwind(error.into_panic()))) // nobody aborts it
    }

    /// Waits until all tasks are done, at most for `grace`, then drops what is left and says what
    /// that was.
    #[must_use = "it says what was left undone"]
    pub fn shutdown(self, grace: Duration) -> Report {
        match self {
            Self::OneThread(event_loop) => event_loop.shutdown(grace),
            Self::Threads(runtime) => runtime.shutdown(grace),
        }
    }
}

impl From<Handle> for HostHandle {
    fn from(handle: Handle) -> Self {
        let Handle {
            spawner,
            reactor,
            timers,
            blocking,
        } = handle;
        let spawner = HostSpawner::OneThread(SendWrapper::new(spawner));
        Self {
            spawner,
            reactor,
            timers,
            blocking,
        }
    }
}

impl From<Handle<Spawner>> for HostHandle {
    fn from(handle: Handle<Spawner>) -> Self {
        let Handle {
            spawner,
            reactor,
            timers,
            blocking,
        } = handle;
        Self {
            spawner: HostSpawner::Threads(spawner),
            reactor,
            timers,
            blocking,
        }
    }
}

/// Starts tasks on a host.
#[derive(Clone, Debug)]
pub enum HostSpawner {
    /// On the one thread; used on another it panics.
    OneThread(SendWrapper<LoopSpawner>),
    /// On whichever worker is free.
    Threads(Spawner),
}

impl HostSpawner {
    /// Starts a task.
    ///
    /// # Panics
    /// On another thread than that of a host of one thread.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> HostJoin<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_named("", future)
    }

    /// Starts a task that has a name in a trace.
    ///
    /// # Panics
    /// On another thread than that of a host of one thread.
    #[track_caller]
    pub fn spawn_named<F>(&self, name: &str, future: F) -> HostJoin<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match self {
            Self::OneThread(spawner) => {
                HostJoin::OneThread(SendWrapper::new(spawner.spawn_named(name, future)))
            }
            Self::Threads(spawner) => HostJoin::Threads(spawner.spawn_named(name, future)),
        }
    }
}

/// hyper's way to start tasks, for HTTP/2.
impl<F> rt::Executor<F> for HostSpawner
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        drop(self.spawn(future));
    }
}

/// The output of a task, when it is ready. Dropped, it lets the task go on by itself.
#[derive(Debug)]
pub enum HostJoin<T> {
    /// On the one thread; used on another it panics.
    OneThread(SendWrapper<LocalJoinHandle<T>>),
    /// On any thread.
    Threads(JoinHandle<T>),
}

impl<T> HostJoin<T> {
    /// Stops the task, if it is not done.
    pub fn abort(&self) {
        match self {
            Self::OneThread(task) => task.abort(),
            Self::Threads(task) => task.abort(),
        }
    }
}

impl<T> Future for HostJoin<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::OneThread(task) => Pin::new(&mut **task).poll(cx),
            Self::Threads(task) => Pin::new(task).poll(cx),
        }
    }
}
