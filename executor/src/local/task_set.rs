//! Tasks awaited in the order in which they end.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::error::{JoinError, contain};
use crate::local::handle::LocalJoinHandle;
use crate::local::spawner::LocalSpawner;
use crate::members::{Member, Members};

/// Tasks that belong together: awaited one by one as they end, aborted together.
///
/// Dropping the set aborts what is left in it. A step costs the same whatever the number of tasks.
///
/// ```
/// use executor::{LocalExecutor, LocalTaskSet, yield_now};
///
/// let executor = LocalExecutor::new();
/// let mut set = LocalTaskSet::new(executor.spawner());
/// set.spawn(async { yield_now().await; "slow" });
/// set.spawn(async { "quick" });
/// let mut ends = Vec::new();
/// executor.block_on(async {
///     while let Some(end) = set.join_next().await {
///         ends.push(end.unwrap());
///     }
/// });
/// assert_eq!(ends, ["quick", "slow"]);
/// ```
///
/// It stays on its thread:
/// ```compile_fail,E0277
/// fn send<T: Send>(_: T) {}
/// let executor = executor::LocalExecutor::new();
/// send(executor::LocalTaskSet::<()>::new(executor.spawner()));
/// ```
pub struct LocalTaskSet<'a, T> {
    spawner: LocalSpawner<'a>,
    tasks: Members<LocalJoinHandle<T>>,
    ended: Rc<Ended>,
}

/// Where tasks leave their number when their future goes.
#[derive(Default)]
struct Ended {
    numbers: RefCell<VecDeque<usize>>,
    waker: RefCell<Option<Waker>>,
}

struct Note {
    number: usize,
    ended: Rc<Ended>,
}

impl Drop for Note {
    fn drop(&mut self) {
        self.ended.numbers.borrow_mut().push_back(self.number);
        let waker = self.ended.waker.borrow_mut().take();
        if let Some(waker) = waker {
            // A panic in here would be taken for one of the member's.
            contain(|| waker.wake());
        }
    }
}

impl<'a, T: 'a> LocalTaskSet<'a, T> {
    /// An empty set, whose tasks run on the spawner's executor.
    #[must_use]
    pub fn new(spawner: LocalSpawner<'a>) -> Self {
        LocalTaskSet {
            spawner,
            tasks: Members::new(),
            ended: Rc::default(),
        }
    }

    /// Spawns a task into the set.
    #[track_caller]
    pub fn spawn<F: Future<Output = T> + 'a>(&mut self, future: F) {
        let note = Note {
            number: self.tasks.next_number(),
            ended: self.ended.clone(),
        };
        self.tasks
            .enter(self.spawner.spawn(Member { future, note }));
    }

    /// How many tasks are in the set: running, or ended and not yet joined.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether no task is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next end of a task, or `None` when the set is empty. Dropping the future loses nothing.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|cx| self.poll_join_next(cx)).await
    }

    /// As [`join_next`](Self::join_next), for those who write futures by hand.
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        if self.is_empty() {
            return Poll::Ready(None);
        }
        if let Some(end) = self.try_join_next() {
            return Poll::Ready(Some(end));
        }
        let waker = cx.waker().clone(); // foreign code, which may even run the executor
        if self.ended.numbers.borrow().is_empty() {
            let before = self.ended.waker.borrow_mut().replace(waker);
            drop(before);
        } else {
            // A future went just now, or is going, further up this stack: look again afterwards.
            waker.wake();
        }
        Poll::Pending
    }

    /// The next end of a task if there is one now: `None` also while tasks run, and when the set is
    /// empty.
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        let number = *self.ended.numbers.borrow().front()?;
        let end = self.tasks.noted(number).try_join()?;
        self.ended.numbers.borrow_mut().pop_front();
        self.tasks.leave(number);
        Some(end)
    }

    /// Aborts every task in the set; they are still joined, as cancelled.
    pub fn abort_all(&mut self) {
        self.tasks.iter().for_each(LocalJoinHandle::abort);
    }

    /// Lets every task go on alone, and empties the set.
    pub fn detach_all(&mut self) {
        // First of all, as an output may panic as it is dropped: the notes are for the old numbers.
        self.ended = Rc::default();
        self.tasks = Members::new();
    }
}

impl<T> Drop for LocalTaskSet<'_, T> {
    fn drop(&mut self) {
        self.tasks.iter().for_each(LocalJoinHandle::abort);
    }
}

impl<T> fmt::Debug for LocalTaskSet<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalTaskSet")
            .field("len", &self.tasks.len())
            .finish_non_exhaustive()
    }
}
