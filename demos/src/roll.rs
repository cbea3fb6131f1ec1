//! Who is in a loop of one thread, and where each task was spawned.
//!
//! The executor of several threads knows that of its tasks. That of one thread does not: a place in
//! every task's header is eight bytes more, which a program with a million tasks pays for and most
//! never ask about. So the loop that wants to know keeps a roll: a task is entered when it is
//! spawned and crossed out when its future is dropped, at its end or before. That is a place in a
//! [`Slab`] and sixteen bytes in the task.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use executor::{LocalJoinHandle, LocalSpawner};
use pin_project_lite::pin_project;
use slab::Slab;

type Spawned = &'static Location<'static>;

/// Starts tasks on a loop of one thread, and enters them in its roll.
///
/// ```
/// use std::future::pending;
///
/// let event_loop = demos::EventLoop::new()?;
/// let spawner = &event_loop.handle().spawner;
/// for _ in 0..3 {
///     drop(spawner.spawn(pending::<()>()));
/// }
/// let alive = spawner.alive();
/// assert_eq!((alive.len(), alive[0].1), (1, 3)); // one place, three tasks of it
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LoopSpawner {
    spawner: LocalSpawner<'static>,
    roll: Rc<Roll>,
}

impl LoopSpawner {
    /// Spawns by `spawner`, with a roll that is empty.
    #[must_use]
    pub fn new(spawner: LocalSpawner<'static>) -> Self {
        Self {
            spawner,
            roll: Rc::default(),
        }
    }

    /// Starts a task; it is first polled in the next batch.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> LocalJoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.spawner.spawn(self.roll.enter(future))
    }

    /// Starts a task that has a name in a trace.
    #[track_caller]
    pub fn spawn_named<F>(&self, name: &str, future: F) -> LocalJoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.spawner.spawn_named(name, self.roll.enter(future))
    }

    /// Where the tasks were spawned that are not done, and how many there, most first.
    #[must_use]
    pub fn alive(&self) -> Vec<(&'static Location<'static>, usize)> {
        let mut counts = HashMap::<Spawned, usize>::new();
        for (_, place) in self.roll.present.borrow().iter() {
            *counts.entry(place).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(at, count)| (std::cmp::Reverse(*count), at.file(), at.line()));
        counts
    }

    /// Done when no task is left. One future waits at a time: the last that was polled.
    pub(crate) fn all_gone(&self) -> impl Future<Output = ()> {
        std::future::poll_fn(|cx| {
            if self.roll.present.borrow().is_empty() {
                return Poll::Ready(());
            }
            self.roll.awaited_by.replace(Some(cx.waker().clone()));
            Poll::Pending
        })
    }
}

/// hyper's way to start tasks.
impl<F> hyper::rt::Executor<F> for LoopSpawner
where
    F: Future + 'static,
    F::Output: 'static,
{
    #[track_caller]
    fn execute(&self, future: F) {
        drop(self.spawn(future));
    }
}

#[derive(Default)]
struct Roll {
    present: RefCell<Slab<Spawned>>,
    /// Who waits until nobody is left.
    awaited_by: RefCell<Option<Waker>>,
}

impl Roll {
    #[track_caller]
    fn enter<F>(self: &Rc<Self>, future: F) -> Entered<F> {
        let place = self.present.borrow_mut().insert(Location::caller());
        let entry = Entry {
            roll: Rc::clone(self),
            place,
        };
        Entered { future, entry }
    }
}

impl fmt::Debug for Roll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let present = self.present.borrow().len();
        f.debug_struct("Roll").field("present", &present).finish()
    }
}

/// A place in the roll, until it is dropped.
struct Entry {
    roll: Rc<Roll>,
    place: usize,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut present = self.roll.present.borrow_mut();
        present.remove(self.place);
        if !present.is_empty() {
            return;
        }
        drop(present);
        let waker = self.roll.awaited_by.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

pin_project! {
    /// A task's future. A struct, since an `async` block around it would hold it twice.
    struct Entered<F> {
        #[pin]
        future: F, // goes first: its drop may still spawn, and is the task's
        entry: Entry,
    }
}

impl<F: Future> Future for Entered<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}
