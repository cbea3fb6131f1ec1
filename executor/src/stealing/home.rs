//! What the others can see of a worker: its queues, the tasks that live with it, its bell.
//!
//! # Invariants
//! 1. Pointers in the ring and in the LIFO slot come from `Runnable::into_raw` and are taken out
//!    once: by the ring's own argument, and by the exchange that empties the slot.
//! 2. `running` is null or comes from a `&'static Location`.
#![allow(unsafe_code)]

use std::panic::Location;
use std::ptr::{self, NonNull};
use std::sync::{OnceLock, Weak};
use std::task::Waker;

use super::live::LiveList;
use super::metrics::Counters;
use super::pool::Pool;
use super::ring::{Apart, Ring};
use super::task::{Header, Runnable};
use crate::sync::{AtomicPtr, Ordering};

/// One for each worker, in the pool.
pub(super) struct Home {
    pub(super) pool: Weak<Pool>,
    ring: Ring<Header>,
    /// The task that was woken or spawned last: it runs next, while its data is warm.
    lifo: Apart<AtomicPtr<Header>>,
    pub(super) live: LiveList,
    /// Written by the worker alone.
    pub(super) counters: Counters,
    /// Where the task that was polled last was spawned; null when the worker rests or has left.
    running: std::sync::atomic::AtomicPtr<Location<'static>>,
    unparker: OnceLock<Waker>,
}

impl Home {
    pub(super) fn new(pool: Weak<Pool>) -> Self {
        Self {
            pool,
            ring: Ring::new(),
            lifo: Apart(AtomicPtr::new(ptr::null_mut())),
            live: LiveList::default(),
            counters: Counters::default(),
            running: std::sync::atomic::AtomicPtr::new(ptr::null_mut()),
            unparker: OnceLock::new(),
        }
    }

    /// The worker: queues a task at the back; gives it back when the ring is full.
    #[inline]
    pub(super) fn push(&self, task: Runnable) -> Result<(), Runnable> {
        // SAFETY: by 1, for it has just come from there.
        let refused = |raw| unsafe { Runnable::from_raw(raw) };
        self.ring.push(task.into_raw()).map_err(refused)
    }

    /// The worker: takes the oldest task of the ring.
    #[inline]
    pub(super) fn pop(&self) -> Option<Runnable> {
        // SAFETY: by 1.
        self.ring
            .pop()
            .map(|raw| unsafe { Runnable::from_raw(raw) })
    }

    /// The worker: takes the older half of the ring, oldest first.
    pub(super) fn pop_half(&self, mut taken: impl FnMut(Runnable)) {
        // SAFETY: by 1.
        self.ring
            .pop_half(|raw| taken(unsafe { Runnable::from_raw(raw) }));
    }

    /// Another worker: moves half of this ring into its own; one of them to run, and how many.
    pub(super) fn steal(&self, own: &Home) -> Option<(Runnable, usize)> {
        let (first, count) = self.ring.steal(&own.ring)?;
        // SAFETY: by 1.
        Some((unsafe { Runnable::from_raw(first) }, count))
    }

    /// How many tasks the ring holds.
    pub(super) fn queued(&self) -> usize {
        self.ring.len()
    }

    /// The worker: puts a task where it is taken from next; gives back the one that was there.
    #[inline]
    pub(super) fn put_lifo(&self, task: Runnable) -> Option<Runnable> {
        let raw = task.into_raw().as_ptr();
        let slot = &self.lifo.0;
        // Only the worker puts something in, so what looks empty stays empty.
        // Release, here and below: who takes it sees the task (pairs with `take_lifo`).
        if slot.load(Ordering::Relaxed).is_null() {
            slot.store(raw, Ordering::Release);
            return None;
        }
        let before = NonNull::new(slot.swap(raw, Ordering::AcqRel))?;
        // SAFETY: by 1.
        Some(unsafe { Runnable::from_raw(before) })
    }

    /// Anybody: takes what is in the LIFO slot.
    #[inline]
    pub(super) fn take_lifo(&self) -> Option<Runnable> {
        let slot = &self.lifo.0;
        if slot.load(Ordering::Relaxed).is_null() {
            return None;
        }
        // Acquire: pairs with `put_lifo`.
        let raw = NonNull::new(slot.swap(ptr::null_mut(), Ordering::Acquire))?;
        // SAFETY: by 1.
        Some(unsafe { Runnable::from_raw(raw) })
    }

    /// The worker: how it is to be woken. Before this it does not sleep.
    pub(super) fn set_unparker(&self, unparker: Waker) {
        let _ = self.unparker.set(unparker);
    }

    /// Ends the worker's sleep, or its next one.
    pub(super) fn unpark(&self) {
        if let Some(unparker) = self.unparker.get() {
            crate::error::contain(|| unparker.wake_by_ref());
        }
    }

    /// The worker: a poll begins.
    #[inline]
    pub(super) fn poll_begins(&self, task: &Runnable) {
        self.counters.polls.add(1);
        self.running.store(
            ptr::from_ref(task.header().spawned_at()).cast_mut(),
            STD_RELAXED,
        );
    }

    /// The worker: it rests, or leaves.
    pub(super) fn polls_nothing(&self) {
        self.running.store(ptr::null_mut(), STD_RELAXED);
    }

    /// Where the task that is being polled now was spawned, or the one before.
    pub(super) fn running(&self) -> Option<&'static Location<'static>> {
        // SAFETY: by 2.
        unsafe { self.running.load(STD_RELAXED).as_ref() }
    }
}

const STD_RELAXED: std::sync::atomic::Ordering = std::sync::atomic::Ordering::Relaxed;
