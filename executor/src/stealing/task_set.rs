//! Tasks of several threads, awaited in the order in which they end.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use super::join::JoinHandle;
use super::spawner::Spawner;
use crate::error::{JoinError, contain};
use crate::members::{Member, Members};

/// Tasks that belong together: awaited one by one as they end, aborted together.
///
/// Dropping the set aborts what is left in it. A step costs the same whatever the number of tasks.
/// [`LocalTaskSet`](crate::LocalTaskSet) is the same for one thread.
///
/// ```
/// use executor::{Executor, TaskSet, block_on};
///
/// let executor = Executor::builder().workers(2).build()?;
/// let mut set = TaskSet::new(executor.spawner());
/// for number in 1..=4_u64 {
///     set.spawn(async move { number * number });
/// }
/// let mut sum = 0;
/// block_on(async {
///     while let Some(end) = set.join_next().await {
///         sum += end.unwrap();
///     }
/// });
/// assert_eq!(sum, 30);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// What its tasks give goes from thread to thread:
/// ```compile_fail,E0277
/// let executor = executor::Executor::new().unwrap();
/// let mut set = executor::TaskSet::new(executor.spawner());
/// set.spawn(async { std::rc::Rc::new(1) }); // `Rc` is not `Send`
/// ```
pub struct TaskSet<T> {
    spawner: Spawner,
    tasks: Members<JoinHandle<T>>,
    ended: Arc<Mutex<Ended>>,
}

/// Where tasks leave their number when their future goes, and who is to be told of it.
#[derive(Default)]
struct Ended {
    numbers: VecDeque<usize>,
    waker: Option<Waker>,
}

struct Note {
    number: usize,
    ended: Arc<Mutex<Ended>>,
}

impl Drop for Note {
    fn drop(&mut self) {
        let mut ended = self.ended.lock();
        ended.numbers.push_back(self.number);
        let waker = ended.waker.take();
        drop(ended);
        if let Some(waker) = waker {
            // A panic in here would be taken for one of the member's.
            contain(|| waker.wake());
        }
    }
}

impl<T: Send + 'static> TaskSet<T> {
    /// An empty set, whose tasks run on the spawner's executor.
    #[must_use]
    pub fn new(spawner: Spawner) -> Self {
        TaskSet {
            spawner,
            tasks: Members::new(),
            ended: Arc::default(),
        }
    }

    /// Spawns a task into the set.
    #[track_caller]
    pub fn spawn<F: Future<Output = T> + Send + 'static>(&mut self, future: F) {
        let note = Note {
            number: self.tasks.next_number(),
            ended: self.ended.clone(),
        };
        self.tasks
            .enter(self.spawner.spawn(Member { future, note }));
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
        let waker = cx.waker().clone(); // before the lock: it is foreign code
        let mut ended = self.ended.lock();
        let Some(&number) = ended.numbers.front() else {
            let before = ended.waker.replace(waker);
            drop(ended);
            drop(before);
            return Poll::Pending;
        };
        drop(ended);
        // Its future is gone, and its worker is about to write down what came of it. If that is
        // still to come, the handle wakes us.
        match Pin::new(self.tasks.noted(number)).poll(cx) {
            Poll::Ready(end) => Poll::Ready(Some(self.leaves(number, end))),
            Poll::Pending => Poll::Pending,
        }
    }

    /// The next end of a task if there is one now: `None` also while tasks run, and when the set is
    /// empty.
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        let number = *self.ended.lock().numbers.front()?;
        let end = self.tasks.noted(number).try_join()?;
        Some(self.leaves(number, end))
    }

    /// The oldest number was that of a task which is joined now.
    fn leaves<R>(&mut self, number: usize, end: R) -> R {
        self.ended.lock().numbers.pop_front();
        self.tasks.leave(number);
        end
    }
}

impl<T> TaskSet<T> {
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

    /// Aborts every task in the set; they are still joined, as cancelled.
    pub fn abort_all(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }

    /// Lets every task go on alone, and empties the set.
    pub fn detach_all(&mut self) {
        // First of all, as a waker may panic as it is dropped: the notes are for the old numbers.
        self.ended = Arc::default();
        self.tasks = Members::new();
    }
}

impl<T> Drop for TaskSet<T> {
    fn drop(&mut self) {
        self.abort_all();
    }
}

impl<T> fmt::Debug for TaskSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskSet")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
