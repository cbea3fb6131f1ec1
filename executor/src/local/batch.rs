//! Batches: the tasks that are ready when one begins are run, and what they make ready meanwhile
//! waits for the next; and the sleep when nothing is ready.
//!
//! An executor that nobody watches, and whose order nobody chooses, has a loop of its own, since a
//! chain of tasks that wake one another is one task a batch: what a batch asks, each of them pays.

use crate::local::hub::Hub;
use crate::local::metrics::count;
use crate::local::order::{self, Order};
use crate::local::run::{run, run_rarely};
use crate::local::waker;
use crate::sync::park;

/// Batch after batch, until nothing is ready, a root is to be polled, or `polls` were made.
pub(crate) fn batches(hub: &Hub, polls: usize) {
    let settings = &hub.settings;
    let until = hub.ready.taken().saturating_add(polls as u64);
    let enough = || hub.ready.taken() >= until || hub.roots_woken.get() != 0;
    if let (Order::Fair, None) = (&settings.order, &settings.watch) {
        loop {
            collect(hub);
            if !batch(hub) {
                hub.memory.trim(); // nothing is ready: a time of rest
                return;
            }
            if enough() {
                return;
            }
        }
    }
    if let Some(watch) = &settings.watch {
        watch.interrupted();
    }
    loop {
        if let Some(watch) = &settings.watch {
            watch.batch_begins(); // before the inbox is emptied: its wakes belong to this batch
        }
        collect(hub);
        if !batch_rarely(hub) {
            hub.memory.trim();
        }
        if enough() || !hub.has_ready() {
            return;
        }
    }
}

/// Polls what was ready at the beginning, at most `batch_max` tasks. Whether there was anything.
#[inline(always)]
fn batch(hub: &Hub) -> bool {
    let ready = hub.ready.len();
    let tasks = ready.min(hub.settings.batch_max);
    if tasks == 0 {
        return false;
    }
    count(&hub.counters.batches, 1);
    let mut taken = hub.ready.take(tasks, ready);
    while let Some(task) = taken.next() {
        run(hub, task);
    }
    taken.put_back();
    true
}

/// A batch whose tasks somebody watches, or whose order somebody chooses. Whether there was any.
#[cold]
fn batch_rarely(hub: &Hub) -> bool {
    let ready = hub.ready.len();
    let tasks = ready.min(hub.settings.batch_max);
    if tasks == 0 {
        return false;
    }
    count(&hub.counters.batches, 1);
    if let Order::Chosen(choose) = &hub.settings.order {
        for _ in 0..tasks {
            let Some(task) = order::pop(choose, &hub.ready) else {
                break;
            };
            run_rarely(hub, task);
        }
        return true;
    }
    let mut taken = hub.ready.take(tasks, ready);
    while let Some(task) = taken.next() {
        run_rarely(hub, task);
    }
    taken.put_back();
    true
}

/// Runs batches, or parks the thread when there is nothing to do.
pub(crate) fn batches_or_sleep(hub: &Hub) {
    if !hub.ready.is_empty() || !hub.inbox.is_empty() {
        batches(hub, usize::MAX);
    } else {
        sleep(hub);
    }
}

/// Parks the thread until something is pushed onto the inbox.
#[cold]
fn sleep(hub: &Hub) {
    let roots = hub.roots_woken.get();
    if let Some(watch) = &hub.settings.watch {
        watch.parks(); // may wake a task or a root here, which no push would tell of
    }
    let idle = hub.ready.is_empty() && hub.roots_woken.get() == roots;
    while idle && hub.inbox.is_empty() && hub.memory.trim() {}
    if idle && hub.inbox.sleep() {
        count(&hub.counters.parks, 1);
        while !hub.inbox.is_awake() {
            park(); // may return for no reason, or for somebody else's
        }
    }
    if let Some(watch) = &hub.settings.watch {
        watch.unparks();
    }
}

/// Moves what other threads woke into the ready queue.
#[inline(always)]
fn collect(hub: &Hub) {
    if !hub.inbox.is_empty() {
        collect_rarely(hub);
    }
}

/// Apart from the look that finds nothing, so that this needs no stack frame.
#[inline(never)]
fn collect_rarely(hub: &Hub) {
    for task in hub.inbox.take() {
        count(&hub.counters.remote_wakes, 1);
        waker::arrive(task, |task| hub.schedule(task));
    }
}
