//! The life of one task on its owner thread.
//!
//! ```text
//!                    (1) spawn                        (2) run
//!                  +-----------> SCHEDULED ----------------------------> polled
//!                                 ^     ^                               |   |   |
//!                 (4) schedule    |     |  (5) schedule, while polled   |   |   |
//!                  +--------------+     +-------------------------------+   |   |
//!                  |                                                        |   |
//!              suspended <------------------ (3) suspend -------------------+   |
//!                                                                               |
//!      freed <--- (7) give_up --- no handle <--- COMPLETE <--- (6) complete ----+
//! ```
//! 1. [`spawn`]. 2, 3. [`run`]: `SCHEDULED` is cleared *before* the poll, so that 5, a task that
//!    wakes itself, is the same step as 4 ([`Hub::schedule`]). No flag says that a task is being
//!    polled: that it is not complete keeps it, and the end of a poll has nothing to write.
//! 6. [`complete`], also from [`cancel`]. 7. [`give_up`], when no handle is left and the task is in
//!    no queue; wakers may still be there, and the last one frees.
//!
//! # Invariants
//! 1. All here runs on the owner thread.
//! 2. A task that is not complete has a live future in its stage. `poll` and `drop_future` are
//!    called by `run` and `cancel` only, for a task that was taken out of the ready queue in a
//!    batch or is dropped with its executor. Batches do not nest (`Busy` in `root.rs`), and an
//!    executor that runs one is borrowed; so no task is in two of them at once.
//! 3. OUTPUT says the stage holds a live output. Who clears it reads or drops the output.
//! 4. A task is freed by `give_up` when complete, without handle, in no queue and not ENDING, or by
//!    `complete_plain` when nobody knows it but the caller; and never used by us after.
//! 5. `TaskPtr::memory` is the pointer that `stage.rs` asks for: the vtable is that of the task.
#![allow(unsafe_code)]

use std::future::Future;
use std::hint::cold_path;
use std::task::Context;

use crate::checkpoint;
use crate::error::{Payload, contain, discard};
use crate::local::header::{
    CANCEL, COMPLETE, ENDING, HANDLE, Header, JOINER, OUTPUT, ROOT, SCHEDULED, TaskPtr, UNLISTED,
    WATCHED,
};
use crate::local::hub::Hub;
use crate::local::hub_ref::{HubRef, OwnerRef};
use crate::local::metrics::count;
use crate::local::waker;
use crate::observe::TaskEnd;
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
pub(crate) fn spawn<F: Future>(hub: &OwnerRef, future: F, flags: u16) -> TaskPtr {
    let vtable = TaskVTable::of::<Header, F>();
    let memory = hub.memory.allocate(vtable);
    // SAFETY: the memory was allocated for this table just now.
    let task = unsafe { TaskPtr::write(memory, hub.pointer(), vtable, flags | UNLISTED, future) };
    if flags & SCHEDULED != 0 {
        hub.ready.push(task);
        count(&hub.counters.spawned, 1);
    }
    task
}

/// Drops a future that came when the executor was gone, as that of a task that is cancelled before
/// its first poll: then a spawn has one way to move it, into a task. It counts as no task.
#[inline(always)]
pub(crate) fn refuse<F: Future>(hub: &OwnerRef, future: F) {
    cancel(hub, spawn(hub, future, ROOT));
}

/// (2, 3) Runs a task that was popped from the ready queue.
#[inline(always)]
pub(crate) fn run(hub: &Hub, task: TaskPtr) {
    let flags = task.flags.get();
    if flags & (COMPLETE | CANCEL | WATCHED) == 0 {
        poll(hub, task);
    } else {
        run_rarely(hub, task);
    }
}

/// (2, 3) One poll.
///
/// What is rare is out of line or marked, so that the compiler lays a suspension and an end out
/// straight: what a yield takes depends on its jumps and stores more than on its arithmetic.
#[inline(always)]
fn poll(hub: &Hub, task: TaskPtr) {
    let flags = task.flags.get();
    checkpoint::refill();
    task.flags.set(flags & !SCHEDULED);
    let waker = waker::lend(task);
    let mut cx = Context::from_waker(&waker);
    // SAFETY: by 2 the future is there, and nobody else polls or drops it.
    let polled = unsafe { (task.vtable.poll)(task.memory(), &mut cx) };
    if let Polled::Pending = polled {
        if task.has(UNLISTED | CANCEL) {
            suspend(hub, task);
        }
    } else {
        ended(hub, task, polled);
    }
}

/// (6) The poll was the last.
#[inline(always)]
fn ended(hub: &Hub, task: TaskPtr, polled: Polled) {
    if let Polled::Panicked(payload) = polled {
        cold_path();
        return complete(hub, task, Outcome::Panicked(*payload));
    }
    let flags = task.flags.get();
    let plain = flags & (WATCHED | JOINER | ROOT | SCHEDULED) == 0;
    if !plain || task.wakers.get() != 0 || !task.remote.is_zero() {
        cold_path();
        return complete(hub, task, Outcome::Output);
    }
    complete_plain(hub, task, flags);
}

/// (6) `complete` for the commonest cases: nobody to wake and no waker left, so that only the
/// handle knows the task, or nobody.
#[inline(always)]
fn complete_plain(hub: &Hub, task: TaskPtr, flags: u16) {
    if flags & UNLISTED == 0 {
        cold_path();
        hub.live.remove(task);
    }
    count(&hub.counters.ended, 1);
    if flags & HANDLE != 0 {
        return task.flags.set(flags | UNLISTED | OUTPUT | COMPLETE);
    }
    if task.vtable.output_needs_drop {
        // SAFETY: by 3 the poll left an output, and without a handle it is ours.
        unsafe { (task.vtable.drop_output)(task.memory()) };
    }
    // SAFETY: by 4 nothing refers to it. It was allocated by this hub, which is entered.
    unsafe { hub.memory.recycle(task.memory(), task.vtable) };
}

/// As [`run`], for all tasks: also one that was completed or cancelled while it waited for its run,
/// or that is watched.
#[cold]
#[inline(never)]
pub(crate) fn run_rarely(hub: &Hub, task: TaskPtr) {
    if !task.has(COMPLETE | CANCEL) {
        // `poll` clears SCHEDULED. An observer that wakes the task before that finds it set, as it
        // must: the poll at hand answers the wake, and nothing is queued.
        let watch = hub.settings.watch.as_ref();
        let watched = watch.and_then(|watch| watch.poll_begins(task));
        poll(hub, task);
        if let Some(poll) = watched {
            poll.ends();
        }
        return;
    }
    task.clear(SCHEDULED);
    if !task.has(COMPLETE) {
        cancel(hub, task);
        if let Some(watch) = &hub.settings.watch {
            watch.interrupted(); // by the future's drop
        }
    } else if !task.has(HANDLE | ENDING) {
        give_up(task);
    }
}

/// (3) The first suspension enters the live list; an abort during the poll takes effect now.
#[cold]
#[inline(never)]
fn suspend(hub: &Hub, task: TaskPtr) {
    if task.has(UNLISTED) {
        hub.live.insert(task);
    }
    if task.has(CANCEL) {
        cancel(hub, task);
    }
}

/// Marks a task to be cancelled by its next run, or by the end of the poll it is in.
pub(crate) fn abort(task: TaskPtr) {
    if task.has(COMPLETE) {
        return;
    }
    task.set(CANCEL);
    if !task.has(ENDING) {
        // SAFETY: the header's invariant 3: a task that is not complete has its hub.
        unsafe { task.hub.as_ref() }.schedule(task);
    }
}

/// Drops the future of a task that is neither complete nor running.
#[cold]
pub(crate) fn cancel(hub: &Hub, task: TaskPtr) {
    debug_assert!(!task.has(COMPLETE | ENDING));
    task.set(ENDING);
    // SAFETY: by 2 the future is there and nobody polls it; it is not used after.
    let outcome = match unsafe { (task.vtable.drop_future)(task.memory()) } {
        None => Outcome::Cancelled,
        Some(payload) => Outcome::Panicked(payload),
    };
    complete(hub, task, outcome);
}

/// (6) The future is gone: keeps what it came to for the handle, and wakes who waits for it.
///
/// ENDING is set while user code runs, so that a handle dropped by it does not free the task.
fn complete(hub: &Hub, task: TaskPtr, outcome: Outcome) {
    task.set(ENDING);
    if !task.has(UNLISTED) {
        hub.live.remove(task);
    }
    if task.has(WATCHED) {
        tell_end(hub, task, &outcome);
    }
    if !task.has(ROOT) {
        count(&hub.counters.ended, 1);
    }
    let joiner = task.take_joiner();
    let wanted = task.has(HANDLE);
    match outcome {
        Outcome::Output if wanted => task.set(OUTPUT | COMPLETE),
        // SAFETY: by 3 the poll left an output; OUTPUT was never set, so nobody else drops it.
        Outcome::Output => unsafe { (task.vtable.drop_output)(task.memory()) },
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
    task.clear(ENDING);
    if !task.has(HANDLE | SCHEDULED) {
        give_up(task);
    }
}

#[cold]
fn tell_end(hub: &Hub, task: TaskPtr, outcome: &Outcome) {
    let end = match outcome {
        Outcome::Output => TaskEnd::Output,
        Outcome::Panicked(_) => TaskEnd::Panicked,
        Outcome::Cancelled => TaskEnd::Cancelled,
    };
    if let Some(watch) = &hub.settings.watch {
        watch.ended(task, end);
    }
}

/// Wakers are left at the end: from here on every thread counts in the remote word.
///
/// If one of them is just being woken elsewhere, its thread will still push to the inbox: the
/// reference to the hub that we leave with the bit keeps the hub for it.
#[cold]
pub(crate) fn merge(task: TaskPtr) {
    // SAFETY: the caller is the executor, which goes only after its last task is complete.
    let for_the_pusher = unsafe { HubRef::new(task.hub) };
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
        let (hub, vtable) = (task.hub, task.vtable);
        // SAFETY: entered, so it is there: a hub is freed only when no guard can name it.
        let hub = unsafe { hub.as_ref() };
        // SAFETY: by 4 nothing refers to it: it has no wakers.
        unsafe { hub.memory.recycle(task.memory(), vtable) };
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
            task.set(CANCEL);
            run_rarely(hub, task);
        } else if let Some(task) = hub.live.first() {
            cancel(hub, task);
        } else {
            break;
        }
    }
    hub.memory.release_all();
}
