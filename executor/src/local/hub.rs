//! What the tasks of one executor share: the ready queue and the rest of the owner's half, and the
//! inbox and the host's waker for everyone else.
//!
//! # Invariants
//! 1. A hub's memory stays while a `HubRef` counts it. References are: the executor's; a spawner's;
//!    one that goes with every remote word that is MERGED and SCHEDULED (see `waker::push`); and one a
//!    pusher takes before its push is seen, if it will have to call for the owner.
//! 2. All but `inbox`, `host`, `thread` and `references` is touched by the owner thread only, and is
//!    empty when the executor is gone: the last reference may be dropped by any thread.
//! 3. The thread-local that says which hub is entered, and the guards that will restore it, may
//!    name a hub only while its memory is there. A hub that a guard might still name when its executor
//!    goes (a guard forgotten, or dropped out of order) is leaked: its address is never used again.
#![allow(unsafe_code)]

use std::ops::Deref;
use std::ptr::NonNull;
use std::task::Waker;

use crate::local::header::{COMPLETE, ROOT, SCHEDULED, TaskPtr, WOKEN};
use crate::local::inbox::{Inbox, Pushed};
use crate::local::live::LiveList;
use crate::local::memory::Memory;
use crate::local::order::Order;
use crate::local::ready::ReadyQueue;
use crate::sync::{
    AtomicUsize, Cell, Ordering, Thread, Witness, current_thread, entered, replace_entered,
};

pub(crate) struct Hub {
    // any thread
    references: AtomicUsize,
    pub(crate) inbox: Inbox,
    host: Option<Waker>,
    thread: Thread,
    // owner thread
    pub(crate) ready: ReadyQueue,
    pub(crate) live: LiveList,
    pub(crate) memory: Memory,
    pub(crate) order: Order,
    pub(crate) batch_max: usize,
    /// Roots that are woken and not yet polled.
    pub(crate) roots_woken: Cell<usize>,
    /// Inside `run_batch`, `block_on` or a root's poll.
    pub(crate) busy: Cell<bool>,
    /// The executor is gone.
    pub(crate) closed: Cell<bool>,
    /// Entered guards that are there.
    guards: Cell<usize>,
    /// A guard was dropped out of order, so another may restore this hub's address.
    disordered: Cell<bool>,
    _freed: Witness,
}

/// A counted reference to a hub.
pub(crate) struct HubRef(NonNull<Hub>);

impl Hub {
    pub(crate) fn create(
        host: Option<Waker>,
        batch_max: usize,
        kept_max: usize,
        order: Order,
    ) -> HubRef {
        let hub = Box::new(Hub {
            references: AtomicUsize::new(1),
            inbox: Inbox::new(),
            host,
            thread: current_thread(),
            ready: ReadyQueue::new(),
            live: LiveList::new(),
            memory: Memory::new(kept_max),
            order,
            batch_max,
            roots_woken: Cell::new(0),
            busy: Cell::new(false),
            closed: Cell::new(false),
            guards: Cell::new(0),
            disordered: Cell::new(false),
            _freed: Witness::new(),
        });
        HubRef(NonNull::from(Box::leak(hub)))
    }

    /// Whether a batch would find something to do, or a root is to be polled.
    #[inline]
    pub(crate) fn has_ready(&self) -> bool {
        self.ready.len() > 0 || self.roots_woken.get() > 0 || !self.inbox.is_empty()
    }

    /// (owner) Makes a task ready, unless it is already or is complete.
    #[inline]
    pub(crate) fn schedule(&self, task: TaskPtr) {
        let flags = task.flags.get();
        if flags & (SCHEDULED | COMPLETE | ROOT) == 0 {
            task.flags.set(flags | SCHEDULED);
            self.ready.push(task);
        } else if flags & (ROOT | WOKEN | COMPLETE) == ROOT {
            task.flags.set(flags | WOKEN);
            self.roots_woken.set(self.roots_woken.get() + 1);
        }
    }

    /// Calls for the owner after a push, on any thread.
    pub(crate) fn call(&self, pushed: &Pushed) {
        match pushed {
            Pushed::First => {
                if let Some(host) = &self.host {
                    host.wake_by_ref();
                }
            }
            Pushed::Sleeper => self.thread.unpark(),
            Pushed::Behind | Pushed::Refused => {}
        }
    }

    /// (owner) Makes this the hub whose tasks' wakes stay on this thread.
    #[inline]
    pub(crate) fn enter(&self) -> Guard<'_> {
        self.guards.set(self.guards.get() + 1);
        Guard {
            hub: self,
            before: replace_entered(self.address()),
        }
    }

    #[inline]
    fn address(&self) -> *const () {
        std::ptr::from_ref(self).cast()
    }
}

/// The hub is entered while this is there.
pub(crate) struct Guard<'e> {
    hub: &'e Hub,
    before: *const (),
}

impl Drop for Guard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.hub.guards.set(self.hub.guards.get() - 1);
        if entered() == self.hub.address() {
            replace_entered(self.before);
        } else {
            self.hub.disordered.set(true); // another guard will restore our address: 3
        }
    }
}

impl HubRef {
    pub(crate) fn pointer(&self) -> NonNull<Hub> {
        self.0
    }

    /// One more reference. Relaxed, as for any counter: who clones has one, or knows of one.
    pub(crate) fn clone_from(hub: NonNull<Hub>) -> HubRef {
        // SAFETY: the callers hold a reference, or know by 1 of one that stays meanwhile.
        unsafe { hub.as_ref() }
            .references
            .fetch_add(1, Ordering::Relaxed);
        HubRef(hub)
    }

    /// Takes over a reference that was given up with `into_pointer`.
    ///
    /// # Safety
    /// Each such reference is taken over once.
    pub(crate) unsafe fn from_pointer(hub: NonNull<Hub>) -> HubRef {
        HubRef(hub)
    }

    /// Gives the reference up to whoever calls `from_pointer`.
    pub(crate) fn into_pointer(self) -> NonNull<Hub> {
        std::mem::ManuallyDrop::new(self).0
    }

    /// (owner) Called last when the executor goes: keeps the hub for ever if a guard may name it (3).
    pub(crate) fn leak_if_named(&self) {
        if self.guards.get() > 0 || self.disordered.get() {
            std::mem::forget(HubRef::clone_from(self.0));
        }
    }
}

impl Deref for HubRef {
    type Target = Hub;

    #[inline]
    fn deref(&self) -> &Hub {
        // SAFETY: by 1 it is there while we count.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for HubRef {
    fn drop(&mut self) {
        // Release: our use is over. Acquire: so is everyone's, for the one that frees.
        if self.references.fetch_sub(1, Ordering::AcqRel) == 1 {
            // SAFETY: it came from a box, and by 1 nobody else names it.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
        }
    }
}
