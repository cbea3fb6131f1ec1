//! Wakers: what any thread may do to a task.
//!
//! ```text
//!   on the owner thread, executor entered        anywhere else
//!   -------------------------------------        ------------------------------------------
//!   clone   wakers += 1                          remote += REFERENCE
//!   drop    wakers -= 1                          remote -= REFERENCE, maybe free
//!   wake    flag SCHEDULED, ready queue          remote |= SCHEDULED, inbox, call for the owner
//! ```
//! No line on the left has an atomic read-modify-write.
//!
//! # Invariants
//! 1. A waker's data is a task's raw pointer, and the waker counts as one reference to it, in the
//!    owner's count or the remote word. The waker lent to a poll does not: the task
//!    is not complete.
//! 2. `is_owner` is true on the owner thread only: the hub that is entered here is the task's, and
//!    only the owner enters that. A task that outlived its hub might take a newer one at the same
//!    address for its own; but it is merged, which whoever has entered the newer one sees
//!    (`is_owner` says why).
#![allow(unsafe_code)]

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::local::header::{Header, TaskPtr};
use crate::local::hub::Hub;
use crate::local::hub_ref::HubRef;
use crate::local::inbox::Pushed;
use crate::local::memory;
use crate::local::remote::{Taken, Woken};
use crate::sync::entered;

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// The waker lent to a poll of this task: it counts for nothing and is not to be dropped.
#[inline]
pub(crate) fn lend(task: TaskPtr) -> ManuallyDrop<Waker> {
    let raw = RawWaker::new(task.as_raw().cast_const().cast(), &VTABLE);
    // SAFETY: the functions of the table keep the contract; by 1 the task stays while it is polled.
    ManuallyDrop::new(unsafe { Waker::from_raw(raw) })
}

/// Whether this is the owner thread, and it has entered the executor.
///
/// Should the hub be gone and its address be that of a newer hub, entered here: then the task was
/// merged before the old hub was freed, which was before the new one was allocated, so this thread
/// must see it as merged. The load is a plain one.
#[inline]
fn is_owner(task: TaskPtr) -> bool {
    entered() == task.hub.as_ptr().cast_const().cast() && !task.remote.is_merged()
}

/// # Safety
/// By 1, `data` is that of a waker that stays for the call.
#[inline]
unsafe fn task_of(data: *const ()) -> TaskPtr {
    // SAFETY: by 1 it came from `as_raw`, and the waker keeps the task.
    unsafe { TaskPtr::from_raw(data.cast::<Header>()) }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: called with a waker's data.
    let task = unsafe { task_of(data) };
    if is_owner(task)
        && let Some(more) = task.wakers.get().checked_add(1)
    {
        task.wakers.set(more);
    } else {
        clone_rarely(task);
    }
    RawWaker::new(data, &VTABLE)
}

#[inline(never)]
fn clone_rarely(task: TaskPtr) {
    if is_owner(task) {
        spill(task, 1);
    } else {
        task.remote.add_reference();
    }
}

/// The owner's narrow count is full: move it to the remote word.
#[cold]
fn spill(task: TaskPtr, then: i16) {
    task.remote.spill(task.wakers.get());
    task.wakers.set(then);
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: called with a waker's data.
    let task = unsafe { task_of(data) };
    if !wake_plain(task) {
        wake_by_ref_rarely(task);
    }
}

/// A wake on the owner thread of a task that waits: true if that was all there was to do. Apart from
/// the rest so that the common wake needs no stack frame.
#[inline(always)]
fn wake_plain(task: TaskPtr) -> bool {
    is_owner(task) && hub_of(task).schedule_plain(task)
}

#[inline(never)]
fn wake_by_ref_rarely(task: TaskPtr) {
    if is_owner(task) {
        hub_of(task).schedule(task);
    } else if task.remote.wake_by_ref() == Woken::Push {
        push(task);
    }
}

unsafe fn wake(data: *const ()) {
    // SAFETY: called with a waker's data.
    let task = unsafe { task_of(data) };
    if wake_plain(task) {
        return drop_owned(task);
    }
    wake_rarely(task);
}

#[inline(never)]
fn wake_rarely(task: TaskPtr) {
    if is_owner(task) {
        hub_of(task).schedule(task);
        drop_owned(task);
        return;
    }
    match task.remote.wake_by_value() {
        Woken::Push => push(task),
        Woken::Nothing => {}
        // SAFETY: the word says this was the last reference.
        Woken::Free => unsafe { free(task) },
    }
}

unsafe fn drop_waker(data: *const ()) {
    // SAFETY: called with a waker's data.
    let task = unsafe { task_of(data) };
    if is_owner(task) {
        drop_owned(task);
    } else if task.remote.drop_reference() {
        // SAFETY: the word says this was the last reference.
        unsafe { free(task) };
    }
}

/// One of the owner's wakers less. Nothing is freed here: a task that is not merged is not
/// complete, or it would have no wakers.
#[inline]
fn drop_owned(task: TaskPtr) {
    match task.wakers.get().checked_sub(1) {
        Some(fewer) => task.wakers.set(fewer),
        None => spill(task, -1),
    }
}

/// The hub of a task that is not complete, or that is scheduled remotely.
#[inline]
fn hub_of<'h>(task: TaskPtr) -> &'h Hub {
    // SAFETY: header's invariant 3; the borrow ends with the call it is made for.
    unsafe { task.hub.as_ref() }
}

/// Pushes a task whose remote SCHEDULED this thread has just set.
///
/// The bit keeps task and hub until the push is done: the owner completes no task with wakers
/// without merging, and a merge that finds the bit set leaves a hub reference with it. After the
/// push the owner may take the task, finish and go, so what is needed to call for it is kept
/// before.
#[cold]
fn push(task: TaskPtr) {
    let hub = task.hub;
    // SAFETY: until the push is seen our bit keeps the hub.
    let (pushed, keep) = hub_of(task)
        .inbox
        .push(task, || unsafe { HubRef::new(hub) });
    match pushed {
        Pushed::Refused => arrive(task, |_| {}),
        Pushed::Behind => {}
        Pushed::First | Pushed::Sleeper => {
            if let Some(hub) = &keep {
                hub.call(&pushed);
            }
        }
    }
}

/// A task comes out of the inbox, or was refused by it: takes SCHEDULED back, and hands the task to
/// `ready` if it is not complete.
pub(crate) fn arrive(task: TaskPtr, ready: impl FnOnce(TaskPtr)) {
    let hub: NonNull<Hub> = task.hub;
    let Taken { merged, last } = task.remote.take_scheduled();
    if !merged {
        return ready(task);
    }
    if last {
        // SAFETY: the word says nothing else holds the memory.
        unsafe { free(task) };
    }
    // SAFETY: by `hub_ref`'s invariant 1 a reference came with the bit, and we took the bit.
    drop(unsafe { HubRef::from_pointer(hub) });
}

/// Frees a task's memory on any thread; future and output are gone already.
///
/// # Safety
/// The task is complete and nothing refers to it any more.
pub(crate) unsafe fn free(task: TaskPtr) {
    let (memory, vtable) = (task.memory(), task.vtable);
    // SAFETY: the caller gives it up; it was allocated with this table.
    unsafe { memory::release(memory, vtable) };
}
