//! The ready queue: first in, first out, linked through the tasks themselves.
//!
//! Against a `VecDeque` it never allocates, so a wake cannot fail or pause to grow.

use crate::local::header::{Link, TaskPtr};
use crate::sync::Cell;

pub(crate) struct ReadyQueue {
    head: Cell<Link>,
    tail: Cell<Link>,
    len: Cell<usize>,
}

impl ReadyQueue {
    pub(crate) fn new() -> Self {
        ReadyQueue {
            head: Cell::new(None),
            tail: Cell::new(None),
            len: Cell::new(0),
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len.get()
    }

    /// Appends a task that is in no ready queue: its `SCHEDULED` was set just now.
    #[inline]
    pub(crate) fn push(&self, task: TaskPtr) {
        task.next.set(None);
        match self.tail.replace(Some(task)) {
            Some(last) => last.next.set(Some(task)),
            None => self.head.set(Some(task)),
        }
        self.len.set(self.len.get() + 1);
    }

    #[inline]
    pub(crate) fn pop(&self) -> Link {
        let task = self.head.get()?;
        let next = task.next.get();
        self.head.set(next);
        if next.is_none() {
            self.tail.set(None);
        }
        self.len.set(self.len.get() - 1);
        Some(task)
    }

    /// Takes the task at `index` from the head: for schedules chosen by a seed. It walks.
    pub(crate) fn pop_at(&self, index: usize) -> Link {
        if index == 0 {
            return self.pop();
        }
        let mut before = self.head.get()?;
        for _ in 1..index {
            before = before.next.get()?;
        }
        let task = before.next.get()?;
        before.next.set(task.next.get());
        if task.next.get().is_none() {
            self.tail.set(Some(before));
        }
        self.len.set(self.len.get() - 1);
        Some(task)
    }
}
