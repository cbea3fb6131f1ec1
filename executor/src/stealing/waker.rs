//! The waker of a task: a pointer to its header that owns one reference.
//!
//! # Invariants
//! 1. The data pointer of a `Waker` with this table is a task's header, and the waker owns one
//!    reference of it (invariant 2 of `task.rs`), except the borrowed one of a poll.
//! 2. The borrowed one is never dropped, and does not outlive the poll.
#![allow(unsafe_code)]

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

use super::state::Wake;
use super::task::{Header, Reference, Runnable, free};
use super::worker::{schedule, wakes_itself};

static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// The waker lent to a poll: most polls clone it never or once, so that counting is left to
/// `clone`.
pub(super) fn borrowed(task: NonNull<Header>) -> ManuallyDrop<Waker> {
    let raw = RawWaker::new(task.as_ptr().cast(), &TABLE);
    // SAFETY: the functions of the table are those of a reference count; by 2 none is missing.
    ManuallyDrop::new(unsafe { Waker::from_raw(raw) })
}

/// # Safety
/// By 1 `data` is a header the waker may use.
unsafe fn header<'a>(data: *const ()) -> &'a Header {
    // SAFETY: by 1.
    unsafe { &*data.cast::<Header>() }
}

/// # Safety
/// By 1 `data` is not null.
unsafe fn pointer(data: *const ()) -> NonNull<Header> {
    // SAFETY: by 1.
    unsafe { NonNull::new_unchecked(data.cast_mut().cast()) }
}

/// # Safety
/// A waker's own function: by 1 `data` is good.
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: by 1.
    unsafe { header(data) }.state.reference();
    RawWaker::new(data, &TABLE)
}

/// # Safety
/// A waker's own function: by 1 `data` is good, and its reference is ours.
unsafe fn wake(data: *const ()) {
    // SAFETY: by 1.
    let task = unsafe { pointer(data) };
    // SAFETY: by 1.
    match unsafe { header(data) }.state.wake_by_value() {
        Wake::Nothing => {}
        // SAFETY: the word has just given us the run right.
        Wake::Schedule => schedule(unsafe { Runnable::from_raw(task) }),
        // SAFETY: the word has just said that ours was the last reference.
        Wake::Free => unsafe { free(task) },
    }
}

/// # Safety
/// A waker's own function: by 1 `data` is good.
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: by 1.
    let task = unsafe { pointer(data) };
    if wakes_itself(task) {
        return;
    }
    // SAFETY: by 1.
    if unsafe { header(data) }.state.wake_by_ref() == Wake::Schedule {
        // SAFETY: the word has just given us the run right.
        schedule(unsafe { Runnable::from_raw(task) });
    }
}

/// # Safety
/// A waker's own function: by 1 `data` is good, and its reference is ours.
unsafe fn drop_waker(data: *const ()) {
    // SAFETY: by 1.
    let task = unsafe { pointer(data) };
    // SAFETY: by 1 the count is the waker's.
    drop(unsafe { Reference::from_raw(task) });
}
