//! The life of one task on its owner thread.
//!
//! ```text
//!                    (1) spawn                        (2) run
//!                  +-----------> SCHEDULED ----------------------------> RUNNING
//!                                 ^     ^                               |   |   |
//!                 (4) schedule    |     |  (5) schedule, while RUNNING  |   |   |
//!                  +--------------+     +-------------------------------+   |   |
//!                  |                                                        |   |
//!              suspended <------------------ (3) suspend -------------------+   |
//!                                                                               |
//!      freed <--- (7) give_up --- no handle <--- COMPLETE <--- (6) complete ----+
//! ```
//! 1. [`spawn`]. 2, 3. [`run`]: `SCHEDULED` is cleared *before* the poll, so that 5, a task that wakes
//!    itself, is the same step as 4 ([`Hub::schedule`]) and the end of a poll has nothing to check.
//! 6. [`complete`], also from [`cancel`]. 7. [`give_up`], when no handle is left and the task is in no
//!    queue; wakers may still be there, and the last one frees.
//!
//! # Invariants
//! 1. All here runs on the owner thread.
//! 2. A task that is not complete has a live future in its stage. `poll` and `drop_future` are called
//!    by `run` and `cancel` only, with RUNNING set, which neither of them starts with.
//! 3. OUTPUT says the stage holds a live output. Who clears it reads or drops the output.
//! 4. A task is freed by `give_up` when complete, without handle, in no queue and not RUNNING, and
//!    never used by us after.
#![allow(unsafe_code)]

use std::future::Future;
use std::ptr::NonNull;
use std::task::Context;

use crate::error::{Payload, contain, discard};
use crate::local::header::{
    CANCEL, COMPLETE, HANDLE, Header, LISTED, OUTPUT, RUNNING, SCHEDULED, TaskPtr,
};
use crate::local::hub::{Hub, HubRef};
use crate::local::waker;
use crate::stage::{Polled, TaskVTable};
use crate::sync::entered;

/// What a task came to.
enum Outcome {
    Output,
    Panicked(Payload),
    Cancelled,
}

/// (1) Makes a task of a future; `flags` say how it begins.
#[inline]
pub(crate) fn spawn<F: Future>(hub: &HubRef, future: F, flags: u16) -> TaskPtr {
    let vtable = TaskVTable::of::<Header, F>();
    let memory = hub.memory.allocate(vtable.layout);
    // SAFETY: the memory was allocated for this table's layout just now.
    let task = unsafe { TaskPtr::write(memory, hub.pointer(), vtable, flags, future) };
    if flags & SCHEDULED != 0 {
        hub.ready.push(task);
    }
    task
}

/// Polls what was ready at the beginning, at most `batch_max` tasks.
pub(crate) fn batch(hub: &Hub) {
    collect(hub);
    let count = hub.ready.len().min(hub.batch_max);
    for _ in 0..count {
        match hub.order.pop(&hub.ready) {
            Some(task) => run(hub, task),
            None => break,
        }
    }
}

/// Moves what other threads woke into the ready queue.
#[inline]
pub(crate) fn collect(hub: &Hub) {
    for task in hub.inbox.take() {
        waker::arrive(task, |task| hub.schedule(task));
    }
}

/// (2, 3) Runs a task that was popped from the ready queue.
#[inline]
fn run(hub: &Hub, task: TaskPtr) {
    let flags = task.flags.get();
    if flags & (COMPLETE | CANCEL) != 0 {
        return run_rarely(hub, task);
    }
    task.flags.set((flags & !SCHEDULED) | RUNNING);
    let waker = waker::lend(task);
    let mut cx = Context::from_waker(&waker);
    // SAFETY: by 2 the future is there, and nobody else polls or drops it.
    match unsafe { (task.vtable.poll)(task.stage(), &mut cx) } {
        Polled::Pending => {
            let flags = task.flags.get() & !RUNNING;
            task.flags.set(flags);
            if flags & (LISTED | CANCEL) != LISTED {
                suspend(hub, task);
            }
        }
        Polled::Ready => complete(hub, task, Outcome::Output),
        Polled::Panicked(payload) => complete(hub, task, Outcome::Panicked(payload)),
    }
}

/// A task that was completed or cancelled while it waited for its run.
#[cold]
fn run_rarely(hub: &Hub, task: TaskPtr) {
    task.clear(SCHEDULED);
    if !task.has(COMPLETE) {
        cancel(hub, task);
    } else if !task.has(HANDLE | RUNNING) {
        give_up(task);
    }
}

/// (3) The first suspension enters the live list; an abort during the poll takes effect now.
#[cold]
fn suspend(hub: &Hub, task: TaskPtr) {
    if !task.has(LISTED) {
        hub.live.insert(task);
    }
    if task.has(CANCEL) {
        cancel(hub, task);
    }
}

/// Drops the future of a task that is neither complete nor running.
pub(crate) fn cancel(hub: &Hub, task: TaskPtr) {
    debug_assert!(!task.has(COMPLETE | RUNNING));
    task.set(RUNNING);
    // SAFETY: by 2 the future is there and nobody polls it; it is not used after.
    let outcome = match unsafe { (task.vtable.drop_future)(task.stage()) } {
        None => Outcome::Cancelled,
        Some(payload) => Outcome::Panicked(payload),
    };
    complete(hub, task, outcome);
}

/// (6) The future is gone: keeps what it came to for the handle, and wakes who waits for it.
///
/// RUNNING stays set while user code runs, so that a handle dropped by it does not free the task.
fn complete(hub: &Hub, task: TaskPtr, outcome: Outcome) {
    if task.has(LISTED) {
        hub.live.remove(task);
    }
    let joiner = task.take_joiner();
    let wanted = task.has(HANDLE);
    match outcome {
        Outcome::Output if wanted => task.set(OUTPUT | COMPLETE),
        // SAFETY: by 3 the poll left an output; OUTPUT was never set, so nobody else drops it.
        Outcome::Output => unsafe { (task.vtable.drop_output)(task.stage()) },
        Outcome::Panicked(payload) if wanted => task.put_payload(payload),
        Outcome::Panicked(payload) => discard(payload),
        Outcome::Cancelled => {}
    }
    task.set(COMPLETE);
    if !task.remote.is_unreferenced(task.wakers.get()) {
        merge(task);
    }
    if let Some(joiner) = joiner {
        contain(|| joiner.wake());
    }
    task.clear(RUNNING);
    if !task.has(HANDLE | SCHEDULED) {
        give_up(task);
    }
}

/// Wakers are left at the end: from here on every thread counts in the remote word.
///
/// If one of them is just being woken elsewhere, its thread will still push to the inbox: the reference
/// to the hub that we leave with the bit keeps the hub for it.
#[cold]
pub(crate) fn merge(task: TaskPtr) {
    let for_the_pusher = HubRef::clone_from(task.hub);
    let wakers = task.wakers.replace(0);
    if task.remote.merge(wakers) {
        let _ = for_the_pusher.into_pointer();
    }
}

/// (7) The owner is done with a complete task.
#[inline]
pub(crate) fn give_up(task: TaskPtr) {
    if task.remote.is_merged() {
        if task.remote.drop_reference() {
            // SAFETY: by 4 and the word nothing refers to it.
            unsafe { waker::free(task) };
        }
    } else if entered() == task.hub.as_ptr().cast_const().cast() {
        let (hub, layout) = (task.hub, task.vtable.layout);
        // SAFETY: entered, so by the hub's invariant 3 it is there.
        let hub = unsafe { hub.as_ref() };
        let memory = NonNull::new(task.as_raw())
            .expect("a task pointer is not null")
            .cast();
        // SAFETY: by 4 nothing refers to it: it has no wakers.
        unsafe { hub.memory.recycle(memory, layout) };
    } else {
        // SAFETY: by 4 nothing refers to it: it has no wakers. The hub may be gone.
        unsafe { waker::free(task) };
    }
}

/// The executor goes: drops every future, here and now.
pub(crate) fn close(hub: &Hub) {
    hub.closed.set(true);
    for task in hub.inbox.close() {
        waker::arrive(task, |task| hub.schedule(task));
    }
    // User code in a drop may wake other tasks, but it can spawn none: two lists that only shrink.
    loop {
        if let Some(task) = hub.ready.pop() {
            run_rarely(hub, task);
        } else if let Some(task) = hub.live.first() {
            cancel(hub, task);
        } else {
            break;
        }
    }
    hub.memory.release_all();
}
