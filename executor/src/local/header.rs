//! A task's header, and the pointer to it.
//!
//! ```text
//!  one allocation
//!  +-----------------------------------------------------------+--------------+------------------+
//!  | owner half: cells        | remote half: one atomic word   | joiner's     | the future, then |
//!  | flags, wakers, links     | and the inbox link             | waker, panic | its output       |
//!  +-----------------------------------------------------------+--------------+------------------+
//!  ^ TaskPtr                                                     slot           stage
//! ```
//!
//! # Invariants
//! 1. A `TaskPtr` leads to a live header for as long as it is used. What keeps the memory: the task
//!    is not complete; or a handle is there (`HANDLE`); or the task is in the ready queue
//!    (`SCHEDULED`) or just coming to its end (`ENDING`); or a waker is there; or the remote word's
//!    `SCHEDULED`.
//! 2. Cells are touched by the owner thread only; `remote` by any. `inbox_next` is written by the
//!    thread that set the remote `SCHEDULED`, and read by the owner after it took the inbox.
//! 3. `hub` leads to a live hub while the task is not complete, and while the remote `SCHEDULED`
//!    is set; otherwise it is an address to compare and no more.
//! 4. `slot` holds a waker while `JOINER` is set, a panic's payload while `PANICKED` is; never
//!    both.
//! 5. The pointer is derived from the allocation, not from a reference to the header, so it may
//!    reach the stage.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;
use std::task::Waker;

use crate::error::Payload;
use crate::local::hub::Hub;
use crate::local::remote::RemoteWord;
use crate::stage::TaskVTable;
use crate::sync::Cell;

/// In the ready queue, or on its way to be run.
pub(crate) const SCHEDULED: u16 = 1;
/// Being cancelled, or completed: user code of it may be on the stack.
pub(crate) const ENDING: u16 = 1 << 1;
/// The future is gone, and what it came to is in the flags.
pub(crate) const COMPLETE: u16 = 1 << 2;
/// A join handle is there.
pub(crate) const HANDLE: u16 = 1 << 3;
/// The next run drops the future instead of polling it.
pub(crate) const CANCEL: u16 = 1 << 4;
/// The stage holds the output.
pub(crate) const OUTPUT: u16 = 1 << 5;
/// The slot holds the payload of a panic.
pub(crate) const PANICKED: u16 = 1 << 6;
/// The slot holds the waker of whoever awaits the handle.
pub(crate) const JOINER: u16 = 1 << 7;
/// Not in the list of tasks that have suspended at least once.
pub(crate) const UNLISTED: u16 = 1 << 8;
/// Not a task: stands for a root future that its owner polls in place.
pub(crate) const ROOT: u16 = 1 << 9;
/// (root) Woken since it was last polled.
pub(crate) const WOKEN: u16 = 1 << 10;
/// (root) Its future has ended, and there is no next one yet: wakes are for nobody.
pub(crate) const RESTING: u16 = 1 << 12;
/// (root) That of `block_on`: wakes are for nobody but while one runs.
pub(crate) const BLOCKING: u16 = 1 << 13;

/// Somebody watches: not the short path.
pub(crate) const WATCHED: u16 = 1 << 11;

pub(crate) type Link = Option<TaskPtr>;

/// See the picture above. 72 bytes: half of what a small task costs elsewhere is its header.
#[repr(C)]
pub(crate) struct Header {
    /// Next in the ready queue.
    pub(crate) next: Cell<Link>,
    pub(crate) flags: Cell<u16>,
    /// The owner's share of the waker count; signed, see `remote`.
    pub(crate) wakers: Cell<i16>,
    pub(crate) remote: RemoteWord,
    pub(crate) hub: NonNull<Hub>,
    pub(crate) vtable: &'static TaskVTable,
    /// Next in the inbox.
    pub(crate) inbox_next: Cell<*mut Header>,
    pub(crate) live_previous: Cell<Link>,
    pub(crate) live_next: Cell<Link>,
    slot: UnsafeCell<Slot>,
}

#[cfg(all(not(any(loom, shuttle)), target_pointer_width = "64"))]
const _: () = assert!(size_of::<Header>() == 72, "every idle task pays for it");

union Slot {
    empty: (),
    joiner: ManuallyDrop<Waker>,
    payload: ManuallyDrop<Payload>,
}

/// A pointer to a task. See invariant 1 for when it may be used.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct TaskPtr(NonNull<Header>);

impl Deref for TaskPtr {
    type Target = Header;

    #[inline]
    fn deref(&self) -> &Header {
        // SAFETY: by 1 it is live; by 2 all it holds may be shared.
        unsafe { self.0.as_ref() }
    }
}

impl TaskPtr {
    /// Writes a task into fresh memory.
    ///
    /// # Safety
    /// `memory` fits `vtable.layout`, is valid for writes and nobody else's; `vtable` is that of
    /// `F` behind a `Header`.
    #[inline]
    pub(crate) unsafe fn write<F: Future>(
        memory: NonNull<u8>,
        hub: NonNull<Hub>,
        vtable: &'static TaskVTable,
        flags: u16,
        future: F,
    ) -> TaskPtr {
        let task = memory.cast::<Header>();
        let header = Header {
            next: Cell::new(None),
            flags: Cell::new(flags),
            wakers: Cell::new(0),
            remote: RemoteWord::new(),
            hub,
            vtable,
            inbox_next: Cell::new(std::ptr::null_mut()),
            live_previous: Cell::new(None),
            live_next: Cell::new(None),
            slot: UnsafeCell::new(Slot { empty: () }),
        };
        // SAFETY: the caller's memory fits a header, which comes first.
        unsafe { task.write(header) };
        let task = TaskPtr(task);
        // SAFETY: the caller's memory fits the stage behind the header.
        unsafe { task.stage().cast::<F>().write(future) };
        task
    }

    /// # Safety
    /// `raw` came from `as_raw`, and by 1 the task is live while the result is used.
    #[inline]
    pub(crate) unsafe fn from_raw(raw: *const Header) -> TaskPtr {
        // SAFETY: `as_raw` gives no null.
        TaskPtr(unsafe { NonNull::new_unchecked(raw.cast_mut()) })
    }

    #[inline]
    pub(crate) fn as_raw(self) -> *mut Header {
        self.0.as_ptr()
    }

    /// The task's memory, as it was allocated.
    #[inline]
    pub(crate) fn memory(self) -> NonNull<u8> {
        self.0.cast()
    }

    /// Where the future or its output lies.
    #[inline]
    pub(crate) fn stage(self) -> *mut () {
        let offset = self.vtable.stage;
        // SAFETY: by 5 the pointer may reach the whole allocation; the offset is inside it.
        unsafe { self.0.as_ptr().byte_add(offset).cast() }
    }

    #[inline]
    pub(crate) fn has(self, flags: u16) -> bool {
        self.flags.get() & flags != 0
    }

    #[inline]
    pub(crate) fn set(self, flags: u16) {
        self.flags.set(self.flags.get() | flags);
    }

    #[inline]
    pub(crate) fn clear(self, flags: u16) {
        self.flags.set(self.flags.get() & !flags);
    }

    /// The waker of whoever awaits the handle, taken out.
    #[inline]
    pub(crate) fn take_joiner(self) -> Option<Waker> {
        if !self.has(JOINER) {
            return None;
        }
        self.clear(JOINER);
        // SAFETY: by 2 only the owner thread comes here.
        let slot = unsafe { &mut *self.slot.get() };
        // SAFETY: by 4 it held a waker until the flag was cleared just now.
        Some(unsafe { ManuallyDrop::take(&mut slot.joiner) })
    }

    /// Whether the waker in the slot would wake what `waker` wakes.
    #[inline]
    pub(crate) fn joiner_is(self, waker: &Waker) -> bool {
        if !self.has(JOINER) {
            return false;
        }
        // SAFETY: by 2 only the owner thread comes here, and `will_wake` runs no user code.
        let slot = unsafe { &*self.slot.get() };
        // SAFETY: by 4 it holds a waker.
        let joiner = unsafe { &slot.joiner };
        joiner.will_wake(waker)
    }

    /// Puts a waker into the empty slot.
    pub(crate) fn put_joiner(self, waker: Waker) {
        debug_assert!(!self.has(JOINER | PANICKED));
        // SAFETY: by 2 only the owner thread comes here; by 4 the slot is empty.
        unsafe {
            self.slot.get().write(Slot {
                joiner: ManuallyDrop::new(waker),
            })
        };
        self.set(JOINER);
    }

    /// Puts a panic's payload into the empty slot.
    pub(crate) fn put_payload(self, payload: Payload) {
        debug_assert!(!self.has(JOINER | PANICKED));
        // SAFETY: by 2 only the owner thread comes here; by 4 the slot is empty.
        unsafe {
            self.slot.get().write(Slot {
                payload: ManuallyDrop::new(payload),
            })
        };
        self.set(PANICKED);
    }

    /// The payload of the panic that ended the task, taken out.
    pub(crate) fn take_payload(self) -> Option<Payload> {
        if !self.has(PANICKED) {
            return None;
        }
        self.clear(PANICKED);
        // SAFETY: by 2 only the owner thread comes here.
        let slot = unsafe { &mut *self.slot.get() };
        // SAFETY: by 4 it held a payload until the flag was cleared just now.
        Some(unsafe { ManuallyDrop::take(&mut slot.payload) })
    }
}

#[cfg(all(test, not(any(loom, shuttle)), target_pointer_width = "64"))]
mod tests {
    use super::*;

    fn idle_task<const CAPTURES: usize>() -> impl Future {
        let captures = [0_u8; CAPTURES];
        async move {
            std::future::pending::<()>().await;
            std::hint::black_box(&captures);
        }
    }

    fn bytes<F: Future>(_: F) -> usize {
        TaskVTable::of::<Header, F>().layout.size()
    }

    #[test]
    fn an_idle_task_takes_what_the_readme_says() {
        let sizes = [
            bytes(idle_task::<0>()),
            bytes(idle_task::<64>()),
            bytes(idle_task::<256>()),
        ];
        assert_eq!(sizes, [80, 144, 336]);
    }
}
