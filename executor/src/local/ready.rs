//! The ready queue: first in, first out, linked through the tasks themselves.
//!
//! Against a `VecDeque` it never allocates, so a wake cannot fail or pause to grow. A batch takes
//! the whole list off and walks it, so that a task costs one load to take out; what it makes ready
//! meanwhile goes into the list that is there then.

use crate::local::header::{Link, TaskPtr};
use crate::sync::Cell;

pub(crate) struct ReadyQueue {
    head: Cell<Link>,
    tail: Cell<Link>,
    pushed: Cell<u64>,
    taken: Cell<u64>,
}

impl ReadyQueue {
    pub(crate) fn new() -> Self {
        ReadyQueue {
            head: Cell::new(None),
            tail: Cell::new(None),
            pushed: Cell::new(0),
            taken: Cell::new(0),
        }
    }

    /// How many tasks are in it, and in a batch's list beyond what the batch may run.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        (self.pushed.get() - self.taken.get()) as usize
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.pushed.get() == self.taken.get()
    }

    /// How many tasks were ever appended: spawned ones, and woken ones.
    pub(crate) fn pushed(&self) -> u64 {
        self.pushed.get()
    }

    /// How many were ever taken out to be run. Those of a batch count from its beginning.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.get()
    }

    /// Appends a task that is in no ready queue: its `SCHEDULED` was set just now. Its link is not
    /// set before there is one behind it: the last one is known by `tail`.
    #[inline]
    pub(crate) fn push(&self, task: TaskPtr) {
        match self.tail.replace(Some(task)) {
            Some(last) => last.next.set(Some(task)),
            None => self.head.set(Some(task)),
        }
        self.pushed.set(self.pushed.get() + 1);
    }

    /// Takes the first `tasks` off, of `len` that there are.
    #[inline]
    pub(crate) fn take(&self, tasks: usize, len: usize) -> Taken<'_> {
        self.taken.set(self.taken.get() + tasks as u64);
        Taken {
            queue: self,
            left: tasks,
            next: self.head.take(),
            tail: self.tail.take(),
            beyond: len - tasks,
        }
    }

    /// Puts a list in front, from its first to its last.
    #[inline(never)]
    fn push_front(&self, first: Link, last: Link) {
        let behind = self.head.replace(first);
        match last {
            Some(last) if behind.is_some() => last.next.set(behind),
            last => self.tail.set(last),
        }
    }

    pub(crate) fn pop(&self) -> Link {
        let task = self.head.get()?;
        if self.tail.get() == Some(task) {
            self.head.set(None);
            self.tail.set(None);
        } else {
            self.head.set(task.next.get());
        }
        self.taken.set(self.taken.get() + 1);
        Some(task)
    }

    /// Takes the task at `index` from the head, which is there: for schedules chosen by a seed. It
    /// walks.
    pub(crate) fn pop_at(&self, index: usize) -> Link {
        if index == 0 {
            return self.pop();
        }
        let mut before = self.head.get()?;
        for _ in 1..index {
            before = before.next.get()?;
        }
        let task = before.next.get()?;
        if self.tail.get() == Some(task) {
            self.tail.set(Some(before));
        } else {
            before.next.set(task.next.get());
        }
        self.taken.set(self.taken.get() + 1);
        Some(task)
    }
}

/// The list of one batch. Its tasks are scheduled, so that nobody links them anywhere else. To be
/// `put_back` when it has been walked.
#[must_use]
pub(crate) struct Taken<'q> {
    queue: &'q ReadyQueue,
    /// How many are still to be run.
    left: usize,
    /// How many there are behind them, for another batch.
    beyond: usize,
    /// The first of both, if there is any; else not to be followed.
    next: Link,
    tail: Link,
}

impl Taken<'_> {
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Link {
        if self.left == 0 {
            return None;
        }
        let task = self.next?;
        self.left -= 1;
        self.next = task.next.get();
        Some(task)
    }

    /// What was not run goes back, in front of what came meanwhile.
    ///
    /// This is no `Drop`: nothing unwinds out of a batch, as all foreign code is contained, and to
    /// be ready for it a batch would have to keep all this in memory (12 instructions a batch).
    #[inline]
    pub(crate) fn put_back(self) {
        if self.beyond > 0 {
            self.queue.push_front(self.next, self.tail);
        }
    }
}
