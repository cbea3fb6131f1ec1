//! Wakes from other threads: a stack anyone pushes onto and the owner takes whole (Treiber, 1986).
//!
//! Taken whole, it has no ABA problem. Its head also says what the owner does, so that queue and
//! sleep are one word and a wake between the owner's last look and its sleep cannot be lost:
//!
//! ```text
//!            push: also call the host waker          push: also unpark the owner
//!   EMPTY ------------------------------> a task <----------------------------- SLEEPING
//!     ^ |                                   | ^ |                                  ^
//!     | |              take (owner)         | |_| push                             |
//!     | +<----------------------------------+                                      |
//!     +----------------------------- sleep (owner, only from EMPTY) ---------------+
//!
//!   any --- close (owner, once) ---> CLOSED: a push is refused
//! ```
//!
//! # Invariants
//! 1. A task in the stack was pushed by the one thread that set its remote SCHEDULED, and stays
//!    live until the owner clears that bit after taking the stack.
//! 2. SLEEPING and CLOSED are no addresses of tasks: they are never read through.
#![allow(unsafe_code)]

use std::ptr;

use crate::local::header::{Header, TaskPtr};
use crate::sync::{AtomicPtr, Ordering};

const EMPTY: *mut Header = ptr::null_mut();
const SLEEPING: *mut Header = ptr::without_provenance_mut(1);
const CLOSED: *mut Header = ptr::without_provenance_mut(2);

pub(crate) struct Inbox {
    head: AtomicPtr<Header>,
}

/// What a push found.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// Others were there already: whoever came first has called for the owner.
    Behind,
    /// The inbox was empty: call the host.
    First,
    /// The owner slept: unpark it.
    Sleeper,
    /// The executor is gone; the task was not taken.
    Refused,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Inbox {
            head: AtomicPtr::new(EMPTY),
        }
    }

    /// Whether there is nothing to take. A hint off the owner thread.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        let head = self.head.load(Ordering::Relaxed);
        head == EMPTY || head == SLEEPING || head == CLOSED
    }

    /// Pushes a task. `before_first` runs before the owner can see the push whenever the pusher
    /// will have to call for the owner afterwards, and its result comes back then: it keeps alive
    /// what the call needs.
    pub(crate) fn push<K>(
        &self,
        task: TaskPtr,
        mut before_first: impl FnMut() -> K,
    ) -> (Pushed, Option<K>) {
        let mut keep = None;
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            let (next, pushed) = match head {
                CLOSED => return (Pushed::Refused, keep),
                EMPTY => (EMPTY, Pushed::First),
                SLEEPING => (EMPTY, Pushed::Sleeper),
                task => (task, Pushed::Behind),
            };
            if pushed != Pushed::Behind && keep.is_none() {
                keep = Some(before_first());
            }
            task.inbox_next.set(next);
            // Release: pairs with the swap in `take`; the owner reads the link just written.
            let (ok, relaxed) = (Ordering::Release, Ordering::Relaxed);
            match self
                .head
                .compare_exchange_weak(head, task.as_raw(), ok, relaxed)
            {
                Ok(_) => return (pushed, keep),
                Err(now) => head = now,
            }
        }
    }

    /// (owner) Takes all there is, oldest first. Without a push since the last call it is one load.
    #[inline]
    pub(crate) fn take(&self) -> Batch {
        if self.is_empty() {
            return Batch { next: EMPTY };
        }
        // Acquire: pairs with the CAS in `push`. Only pushes come between the load and here, and
        // they leave a task at the head.
        Batch::oldest_first(self.head.swap(EMPTY, Ordering::Acquire))
    }

    /// (owner) Refuses all pushes from now on; gives what was pushed before.
    pub(crate) fn close(&self) -> Batch {
        // AcqRel: acquire as in `take`.
        Batch::oldest_first(self.head.swap(CLOSED, Ordering::AcqRel))
    }

    /// (owner) Says it is about to sleep; false when something was pushed first.
    pub(crate) fn sleep(&self) -> bool {
        // Nothing is published by this: the pusher that finds SLEEPING unparks, and park and
        // unpark order the rest.
        let (ok, relaxed) = (Ordering::Relaxed, Ordering::Relaxed);
        self.head
            .compare_exchange(EMPTY, SLEEPING, ok, relaxed)
            .is_ok()
    }

    /// (owner) Whether a push has ended the sleep.
    pub(crate) fn is_awake(&self) -> bool {
        self.head.load(Ordering::Relaxed) != SLEEPING
    }
}

/// Tasks taken from the inbox.
pub(crate) struct Batch {
    next: *mut Header,
}

impl Batch {
    /// Turns the stack around.
    fn oldest_first(mut newest: *mut Header) -> Batch {
        let mut oldest = EMPTY;
        while newest != EMPTY && newest != SLEEPING && newest != CLOSED {
            // SAFETY: by 1 a task in the stack is live, and we own the part we took.
            let task = unsafe { TaskPtr::from_raw(newest) };
            newest = task.inbox_next.get();
            task.inbox_next.set(oldest);
            oldest = task.as_raw();
        }
        Batch { next: oldest }
    }
}

impl Iterator for Batch {
    type Item = TaskPtr;

    fn next(&mut self) -> Option<TaskPtr> {
        if self.next == EMPTY {
            return None;
        }
        // SAFETY: by 1 it is live until its bit is cleared, which comes after.
        let task = unsafe { TaskPtr::from_raw(self.next) };
        self.next = task.inbox_next.get();
        Some(task)
    }
}
