//! How long a hub lives: references any thread may hold, and the owner's, which share one of them.
//!
//! # Invariants
//! 1. A hub's memory stays while its `Count` is not zero. It counts: one for all `OwnerRef`s
//!    together; one that goes with every remote word that is MERGED and SCHEDULED (see
//!    `run::merge`); and one a pusher takes before its push can be seen, if it will have to call
//!    for the owner.
//! 2. `OwnerRef`s are the executor's and the spawners'. They are `!Send`, so a plain cell counts
//!    them.
#![allow(unsafe_code)]

use std::ops::Deref;
use std::ptr::NonNull;

use crate::local::hub::Hub;
use crate::sync::{AtomicUsize, Cell, Ordering};

/// The counts in a hub.
pub(crate) struct Count {
    any_thread: AtomicUsize,
    owner: Cell<usize>,
}

impl Count {
    /// One `OwnerRef`, and the reference they share.
    pub(crate) fn new() -> Self {
        Count {
            any_thread: AtomicUsize::new(1),
            owner: Cell::new(1),
        }
    }
}

/// A reference of the executor, or of a spawner.
pub(crate) struct OwnerRef(NonNull<Hub>);

impl OwnerRef {
    pub(crate) fn of(hub: Hub) -> Self {
        OwnerRef(NonNull::from(Box::leak(Box::new(hub))))
    }

    pub(crate) fn pointer(&self) -> NonNull<Hub> {
        self.0
    }

    /// Called last when the executor goes: keeps the hub for ever if a guard may name it.
    pub(crate) fn leak_if_named(&self) {
        if self.guards.get() > 0 || self.disordered.get() {
            std::mem::forget(self.clone());
        }
    }
}

impl Clone for OwnerRef {
    #[inline]
    fn clone(&self) -> Self {
        let owner = &self.references.owner;
        owner.set(owner.get() + 1);
        OwnerRef(self.0)
    }
}

impl Deref for OwnerRef {
    type Target = Hub;

    #[inline]
    fn deref(&self) -> &Hub {
        // SAFETY: by 1 and 2 it is there while we count.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for OwnerRef {
    #[inline]
    fn drop(&mut self) {
        let owner = &self.references.owner;
        owner.set(owner.get() - 1);
        if owner.get() == 0 {
            self.settings.let_go(); // the hub may be freed by another thread
            // SAFETY: the last of us gives up the reference we shared.
            drop(unsafe { HubRef::from_pointer(self.0) });
        }
    }
}

/// A reference that any thread may hold.
pub(crate) struct HubRef(NonNull<Hub>);

impl HubRef {
    /// One more reference. Relaxed, as for any counter: there is another one meanwhile.
    ///
    /// # Safety
    /// By 1 the hub is there now.
    pub(crate) unsafe fn new(hub: NonNull<Hub>) -> HubRef {
        // SAFETY: as the caller says.
        unsafe { hub.as_ref() }
            .references
            .any_thread
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
}

impl Deref for HubRef {
    type Target = Hub;

    fn deref(&self) -> &Hub {
        // SAFETY: by 1 it is there while we count.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for HubRef {
    fn drop(&mut self) {
        // Release: our use is over. Acquire: so is everyone's, for the one that frees.
        if self.references.any_thread.fetch_sub(1, Ordering::AcqRel) == 1 {
            // SAFETY: it came from a box, and by 1 nobody else names it.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
        }
    }
}
