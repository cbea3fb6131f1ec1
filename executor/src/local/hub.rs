//! What the tasks of one executor share: the ready queue and the rest of the owner's half, and the
//! inbox and the host's waker for everyone else.
//!
//! How long it lives is the subject of `hub_ref`. All but `inbox`, `host`, `thread` and
//! `references` is touched by the owner thread only, and is empty when the last of the owner's
//! references is gone, the user's observer and order with it: the last reference of all may be
//! dropped by any thread.
//!
//! The thread-local that says which hub is entered, and the guards that will restore it, may name a
//! hub only while its memory is there. A hub that a guard might still name when its executor goes
//! (a guard forgotten, or dropped out of order) is leaked: its address is never used again.

use std::task::Waker;

use crate::error::contain;
use crate::local::header::{
    BLOCKING, COMPLETE, Link, RESTING, ROOT, SCHEDULED, TaskPtr, WATCHED, WOKEN,
};
use crate::local::hub_ref::{Count, OwnerRef};
use crate::local::inbox::{Inbox, Pushed};
use crate::local::live::LiveList;
use crate::local::memory::Memory;
use crate::local::metrics::Counters;
use crate::local::order::Order;
use crate::local::ready::ReadyQueue;
use crate::local::watch::Watch;
use crate::sync::{Cell, Thread, Witness, current_thread, entered, replace_entered};

pub(crate) struct Hub {
    // any thread
    pub(crate) references: Count,
    pub(crate) inbox: Inbox,
    host: Option<Waker>,
    thread: Thread,
    // owner thread
    pub(crate) ready: ReadyQueue,
    pub(crate) live: LiveList,
    pub(crate) memory: Memory,
    pub(crate) settings: Settings,
    pub(crate) counters: Counters,
    /// Roots that are woken and not yet polled.
    pub(crate) roots_woken: Cell<usize>,
    /// The task of a root that has ended, for the next root of a host.
    pub(crate) spare_root: Cell<Link>,
    /// What is on the stack just now.
    pub(crate) running: Cell<Running>,
    /// The executor is gone.
    pub(crate) closed: Cell<bool>,
    /// Entered guards that are there.
    pub(crate) guards: Cell<usize>,
    /// A guard was dropped out of order, so another may restore this hub's address.
    pub(crate) disordered: Cell<bool>,
    _freed: Witness,
}

/// Which of the calls that poll is under way: there is one at a time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Running {
    Nothing,
    /// `run_batch`, `run_batches`, or a host's root that is polled.
    Batch,
    BlockOn,
}

/// What the builder chose.
pub(crate) struct Settings {
    pub(crate) batch_max: usize,
    pub(crate) order: Order,
    pub(crate) watch: Option<Box<Watch>>,
}

impl Settings {
    /// (owner) Drops the user's functions, which need not be `Send`.
    pub(crate) fn let_go(&self) {
        if let Order::Chosen(choose) = &self.order {
            let choose = choose.replace(Box::new(|_| 0));
            contain(|| drop(choose));
        }
        if let Some(watch) = &self.watch {
            let observer = watch.take_observer();
            contain(|| drop(observer));
        }
    }
}

impl Hub {
    pub(crate) fn create(host: Option<Waker>, kept_max: usize, settings: Settings) -> OwnerRef {
        OwnerRef::of(Hub {
            references: Count::new(),
            inbox: Inbox::new(),
            host,
            thread: current_thread(),
            ready: ReadyQueue::new(),
            live: LiveList::new(),
            memory: Memory::new(kept_max),
            settings,
            counters: Counters::new(),
            roots_woken: Cell::new(0),
            spare_root: Cell::new(None),
            running: Cell::new(Running::Nothing),
            closed: Cell::new(false),
            guards: Cell::new(0),
            disordered: Cell::new(false),
            _freed: Witness::new(),
        })
    }

    /// Whether a batch would find something to do, or a root is to be polled.
    #[inline]
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty() || self.roots_woken.get() > 0 || !self.inbox.is_empty()
    }

    /// (owner) Makes a task ready, unless it is already or is complete.
    #[inline]
    pub(crate) fn schedule(&self, task: TaskPtr) {
        if !self.schedule_plain(task) {
            self.schedule_rarely(task);
        }
    }

    /// (owner) As `schedule`, in the commonest case: a task that waits and is not watched. False in
    /// all others, with nothing done.
    #[inline(always)]
    pub(crate) fn schedule_plain(&self, task: TaskPtr) -> bool {
        let flags = task.flags.get();
        let plain = flags & (SCHEDULED | COMPLETE | ROOT | WATCHED) == 0;
        if plain {
            task.flags.set(flags | SCHEDULED);
            self.ready.push(task);
        }
        plain
    }

    /// A root is not queued but marked; a watched task's wake is told.
    fn schedule_rarely(&self, task: TaskPtr) {
        let flags = task.flags.get();
        if flags & ROOT != 0 {
            let resting = flags & RESTING != 0
                || flags & BLOCKING != 0 && self.running.get() != Running::BlockOn;
            if resting || flags & WOKEN != 0 {
                return;
            }
            task.flags.set(flags | WOKEN);
            self.roots_woken.set(self.roots_woken.get() + 1);
        } else if flags & (SCHEDULED | COMPLETE) == 0 {
            task.flags.set(flags | SCHEDULED);
            self.ready.push(task);
            if let Some(watch) = &self.settings.watch {
                watch.woken(task);
            }
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

    /// (owner) Makes this the hub whose tasks' wakes stay on this thread. For a scope of our own,
    /// which cannot be forgotten: the executor is borrowed until it goes. One in the hands of users
    /// is counted (`Entered`).
    #[inline]
    pub(crate) fn enter_scope(&self) -> Scope<'_> {
        Scope {
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
pub(crate) struct Scope<'e> {
    hub: &'e Hub,
    before: *const (),
}

impl Drop for Scope<'_> {
    #[inline]
    fn drop(&mut self) {
        if entered() == self.hub.address() {
            replace_entered(self.before);
        } else {
            self.hub.disordered.set(true); // another guard will restore our address
        }
    }
}
