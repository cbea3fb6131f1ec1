//! The queue of those who are not workers: many push without a lock, workers take batches.
//!
//! ```text
//!   push ──▶ fresh: d → c → b → a          a stack of links, newest first: one exchange a push
//!                    │ taken whole and turned round, by one worker at a time
//!                    ▼
//!            ordered: a → b → c → d ──▶ take: up to a batch, oldest first
//! ```
//!
//! The links are in the tasks, so a push allocates nothing. The whole stack is taken by one
//! exchange, so that the ABA problem of popping single nodes cannot arise (Treiber, 1986).
//! While a worker turns the stack round under the lock, the queue looks empty to a worker that
//! lies down. So **who has taken a batch notifies** if it left something or got more than one.
//!
//! # Invariants
//! 1. Every task in it came from `Runnable::into_raw`, and its link is the queue's until it is
//!    given out, once.
#![allow(unsafe_code)]

use std::ptr::{self, NonNull};

use super::ring::Apart;
use super::task::{Header, Runnable};
use crate::sync::{AtomicPtr, AtomicUsize, Mutex, Ordering};

pub(super) struct Injector {
    fresh: Apart<AtomicPtr<Header>>,
    ordered: Mutex<Option<Runnable>>,
    /// Whether `ordered` is not empty, for those who do not want the lock.
    waiting: AtomicUsize,
}

/// Tasks linked for one push, the oldest at the bottom.
pub(super) struct Chain {
    top: Runnable,
    bottom: NonNull<Header>,
}

impl Chain {
    pub(super) fn new(oldest: Runnable) -> Self {
        let bottom = oldest.into_raw();
        // SAFETY: we have just taken it apart (1).
        let top = unsafe { Runnable::from_raw(bottom) };
        Self { top, bottom }
    }

    pub(super) fn add(self, newer: Runnable) -> Self {
        let Self { top, bottom } = self;
        let below = top.into_raw().as_ptr();
        newer.header().link().store(below, Ordering::Relaxed);
        Self { top: newer, bottom }
    }
}

impl Injector {
    pub(super) fn new() -> Self {
        Self {
            fresh: Apart(AtomicPtr::new(ptr::null_mut())),
            ordered: Mutex::new(None),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Whether there is nothing to take. See above for when it may be wrong.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.fresh.0.load(Ordering::Relaxed).is_null() && self.waiting.load(Ordering::Relaxed) == 0
    }

    /// Any thread: adds a task. It must be announced afterwards.
    pub(super) fn push(&self, task: Runnable) {
        self.push_chain(Chain::new(task));
    }

    /// Any thread: adds tasks in one step. They must be announced afterwards.
    pub(super) fn push_chain(&self, chain: Chain) {
        let Chain { top, bottom } = chain;
        let top = top.into_raw().as_ptr();
        // SAFETY: by 1 it is still ours, so it is alive.
        let bottom = unsafe { bottom.as_ref() };
        let mut head = self.fresh.0.load(Ordering::Relaxed);
        loop {
            bottom.link().store(head, Ordering::Relaxed);
            // Release: who takes the stack sees the links and the tasks (pairs with `take`).
            let fresh = &self.fresh.0;
            let pushed =
                fresh.compare_exchange_weak(head, top, Ordering::Release, Ordering::Relaxed);
            match pushed {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Gives out up to `most` tasks, oldest first. The caller notifies (see above).
    pub(super) fn take(&self, most: usize, mut give: impl FnMut(Runnable)) -> usize {
        let mut ordered = self.ordered.lock();
        let mut next = ordered.take();
        if next.is_none() {
            // Acquire: pairs with the push.
            next = turn_round(self.fresh.0.swap(ptr::null_mut(), Ordering::Acquire));
        }
        let mut given = 0;
        while given < most
            && let Some(task) = next
        {
            // SAFETY: by 1.
            next = unsafe { linked(task.header().link().load(Ordering::Relaxed)) };
            give(task);
            given += 1;
        }
        self.waiting
            .store(usize::from(next.is_some()), Ordering::Relaxed);
        *ordered = next;
        given
    }
}

/// # Safety
/// By 1 the link leads to a task in the queue, or is null.
unsafe fn linked(link: *mut Header) -> Option<Runnable> {
    // SAFETY: by 1.
    NonNull::new(link).map(|raw| unsafe { Runnable::from_raw(raw) })
}

/// Newest first to oldest first.
fn turn_round(mut newest: *mut Header) -> Option<Runnable> {
    let mut oldest = ptr::null_mut();
    // SAFETY: by 1 the whole stack is ours now.
    while let Some(task) = unsafe { linked(newest) } {
        newest = task.header().link().load(Ordering::Relaxed);
        task.header().link().store(oldest, Ordering::Relaxed);
        oldest = task.into_raw().as_ptr();
    }
    // SAFETY: as above.
    unsafe { linked(oldest) }
}
