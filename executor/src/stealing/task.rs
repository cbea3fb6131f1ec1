//! A task's memory: one allocation, a header that all threads share and behind it the stage with
//! the future, later the output.
//!
//! # Invariants
//! 1. A `NonNull<Header>` in a [`Runnable`], a [`Reference`], a waker or a queue comes from the one
//!    block that `allocate` asked for and keeps its provenance over the whole allocation. `vtable`
//!    fits the stage behind it.
//! 2. The memory lives as long as the count in the state word is not zero; whoever takes it to
//!    zero frees it. A `Reference` and a waker own one count each, the join handle one, and one is
//!    the executor's from spawn until `complete`: on this one lives a `Runnable`.
//! 3. There is at most one `Runnable` of a task: it is the run right that `QUEUED` stands for.
//!    Only through it are the stage, `link` and `place` touched before `COMPLETE`.
//! 4. The stage follows the rules of `stage.rs`. After `COMPLETE` with an output or with a panic,
//!    that belongs to the join handle if there is one, else to who completed the task. The payload
//!    of a panic is boxed behind `link`, which no queue needs any more.
//! 5. The joiner's slot belongs to the join handle while `JOINER` and `COMPLETE` are clear, and to
//!    who completed the task as soon as both are set.
//! 6. `home` points to a home of a pool that lives until the task is complete.
#![allow(unsafe_code)]

use std::panic::Location;
use std::ptr::{self, NonNull};
use std::task::{Context, Waker};

use super::home::Home;
use super::state::{Begin, Complete, DropHandle, Outcome, State, Suspend, Wake};
use super::{waker, worker};
use crate::error::{JoinError, Payload, contain, discard};
use crate::stage::{Polled, TaskVTable};
use crate::sync::{AtomicPtr, AtomicU32, Ordering, UnsafeCell};

/// The place of a task that is not on a live list.
const NOWHERE: u32 = u32::MAX;

/// What all threads know of a task.
pub(super) struct Header {
    pub(super) state: State,
    vtable: &'static TaskVTable,
    home: AtomicPtr<Home>,
    link: AtomicPtr<Header>,
    spawned_at: &'static Location<'static>,
    place: AtomicU32,
    tag: u32,
    /// Stands for the stage, so that loom sees who touches it.
    stage: UnsafeCell<()>,
    joiner: UnsafeCell<Option<Waker>>,
}

/// The run right of a task. Not to be dropped: it ends in `suspend`, `complete` or a queue.
#[must_use]
pub(super) struct Runnable(NonNull<Header>);

// SAFETY: by 3 it is the only one of its kind, and `spawn` takes only futures that are `Send`.
unsafe impl Send for Runnable {}

/// One count of a task's references, without any right but to its memory.
pub(super) struct Reference(NonNull<Header>);

// SAFETY: it reaches only the atomics of the header, and frees what is already empty.
unsafe impl Send for Reference {}
// SAFETY: as above.
unsafe impl Sync for Reference {}

/// A task on a live list: its pointer is good while the list is locked, for it leaves the list
/// before it completes.
pub(super) struct Listed(NonNull<Header>);

// SAFETY: it reaches only the atomics of the header and the place where it was spawned.
unsafe impl Send for Listed {}

impl Listed {
    /// The run right, if the task is idle. The list it is on must be locked.
    pub(super) fn claim_idle(&self) -> Option<Runnable> {
        // SAFETY: by 2: it is not complete, so the executor's reference keeps it alive.
        let header = unsafe { self.0.as_ref() };
        header.state.claim_idle().then_some(Runnable(self.0))
    }
}

/// What became of the run right after `suspend`.
#[must_use]
pub(super) enum Suspended {
    Idle,
    Requeue(Runnable),
    Cancel(Runnable),
}

/// Makes a task: its run right, and the reference of its join handle. `memory` is a function of
/// `magazine.rs`.
pub(super) fn allocate<F: Future>(
    future: F,
    home: &Home,
    (spawned_at, tag): (&'static Location<'static>, u32),
    memory: impl FnOnce(&'static TaskVTable) -> NonNull<u8>,
) -> (Runnable, Reference) {
    let vtable = TaskVTable::of::<Header, F>();
    let header = memory(vtable).cast::<Header>();
    let fresh = Header {
        state: State::spawned(),
        vtable,
        home: AtomicPtr::new(ptr::from_ref(home).cast_mut()),
        link: AtomicPtr::new(ptr::null_mut()),
        spawned_at,
        place: AtomicU32::new(NOWHERE),
        tag,
        stage: UnsafeCell::new(()),
        joiner: UnsafeCell::new(None),
    };
    // SAFETY: fresh memory of this layout, which begins with a header.
    unsafe { header.write(fresh) };
    // SAFETY: `stage` is an offset within this layout.
    let stage = unsafe { header.cast::<u8>().add(vtable.stage) };
    // SAFETY: by the table it has the future's size and alignment.
    unsafe { stage.cast::<F>().write(future) };
    (Runnable(header), Reference(header))
}

/// Frees the memory of a task.
///
/// # Safety
/// Its last reference is gone, and nobody else has been told so.
pub(super) unsafe fn free(header: NonNull<Header>) {
    // SAFETY: by 2 nobody else can reach it, and it is still there.
    let vtable = unsafe { header.as_ref() }.vtable;
    // SAFETY: as above; the stage and the joiner's slot are empty by 4 and 5.
    unsafe { ptr::drop_in_place(header.as_ptr()) };
    // SAFETY: by 1 it comes from `allocate`, with this table.
    unsafe { worker::recycle(header.cast(), vtable) };
}

impl Header {
    /// The link of the queue the task is in. By the holder of the run right.
    pub(super) fn link(&self) -> &AtomicPtr<Header> {
        &self.link
    }

    pub(super) fn spawned_at(&self) -> &'static Location<'static> {
        self.spawned_at
    }

    /// What the observer's side knows the task by, if it is watched.
    #[inline]
    pub(super) fn tag(&self) -> Option<u32> {
        (self.tag != 0).then_some(self.tag)
    }
}

fn stage_of(header: NonNull<Header>) -> *mut () {
    // SAFETY: by 1 and 2 it is a live header.
    let offset = unsafe { header.as_ref() }.vtable.stage;
    // SAFETY: by 1 the offset is within the allocation.
    unsafe { header.as_ptr().byte_add(offset) }.cast()
}

impl Runnable {
    /// The number that stands for it in a queue.
    pub(super) fn into_raw(self) -> NonNull<Header> {
        self.0
    }

    /// # Safety
    /// `raw` comes from `into_raw`, and nobody else makes a `Runnable` of it.
    pub(super) unsafe fn from_raw(raw: NonNull<Header>) -> Self {
        Self(raw)
    }

    pub(super) fn header(&self) -> &Header {
        // SAFETY: by 2 and 3 the executor's reference keeps it alive.
        unsafe { self.0.as_ref() }
    }

    /// Where it lives.
    pub(super) fn home(&self) -> &Home {
        // SAFETY: by 6: it is not complete, and cannot be before we give it up.
        unsafe { &*self.header().home.load(Ordering::Relaxed) }
    }

    /// Its place on the live list of its home, if it is on it.
    pub(super) fn place(&self) -> Option<u32> {
        let place = self.header().place.load(Ordering::Relaxed);
        (place != NOWHERE).then_some(place)
    }

    pub(super) fn listed(&self) -> Listed {
        Listed(self.0)
    }

    /// Notes that it is on no live list.
    pub(super) fn unsettle(&self) {
        self.header().place.store(NOWHERE, Ordering::Relaxed);
    }

    /// Notes that it is on the live list of `home`, at `place`.
    pub(super) fn settle(&self, home: &Home, place: u32) {
        self.header()
            .home
            .store(ptr::from_ref(home).cast_mut(), Ordering::Relaxed);
        self.header().place.store(place, Ordering::Relaxed);
    }

    pub(super) fn begin(&self) -> Begin {
        self.header().state.begin()
    }

    /// Polls the future. After anything but `Pending` it is gone.
    pub(super) fn poll(&mut self) -> Polled {
        let waker = waker::borrowed(self.0);
        let mut cx = Context::from_waker(&waker);
        let header = self.header();
        // SAFETY: by 3 and 4 there is a future, and we alone may poll it.
        header
            .stage
            .with_mut(|_| unsafe { (header.vtable.poll)(self.0.cast(), &mut cx) })
    }

    /// Gives the run right up, unless the task was woken meanwhile, by itself or by others.
    #[inline]
    pub(super) fn suspend(self, woke_itself: bool) -> Suspended {
        match self.header().state.suspend(woke_itself) {
            Suspend::Idle => Suspended::Idle,
            Suspend::Requeue => Suspended::Requeue(self),
            Suspend::Cancel => Suspended::Cancel(self),
        }
    }

    /// Drops the future, and tells the joiner. The task must be off the live list.
    pub(super) fn cancel(self) {
        let header = self.header();
        // SAFETY: by 3 and 4 there is a future, and it is ours.
        let panic = header
            .stage
            .with_mut(|_| unsafe { (header.vtable.drop_future)(self.0.cast()) });
        match panic {
            None => self.complete(Outcome::Cancelled),
            Some(payload) => self.fail(Box::new(payload)),
        }
    }

    /// Ends a task whose future is gone, by a panic. The task must be off the live list.
    #[cold]
    pub(super) fn fail(self, payload: Box<Payload>) {
        if let Some(pool) = self.home().pool.upgrade() {
            pool.note_panic();
        }
        let payload = Box::into_raw(payload).cast();
        self.header().link.store(payload, Ordering::Relaxed);
        self.complete(Outcome::Panicked);
    }

    /// Ends a task whose future is gone. The task must be off the live list.
    pub(super) fn complete(self, how: Outcome) {
        let header = self.header();
        if header.tag().is_some() {
            self.tell_end(how);
        }
        match header.state.complete(how) {
            Complete::HandedOver => return, // the handle may have freed it already
            Complete::WakeJoiner => {
                // SAFETY: by 5 the slot is ours now, and by 2 so is a reference.
                let joiner = header.joiner.with_mut(|slot| unsafe { (*slot).take() });
                if let Some(joiner) = joiner {
                    contain(|| joiner.wake());
                }
            }
            // By 4 there is no handle, so what is there is ours.
            Complete::DropOutput => drop_result(self.0, how),
        }
        drop(Reference(self.0)); // the executor's
    }
}

/// Drops the output or the payload of a task that ended so.
fn drop_result(task: NonNull<Header>, how: Outcome) {
    // SAFETY: by 2 the caller has a reference.
    let header = unsafe { task.as_ref() };
    match how {
        Outcome::Output => {
            // SAFETY: by 4 there is an output, and the caller owns it.
            header
                .stage
                .with_mut(|_| unsafe { (header.vtable.drop_output)(task.cast()) });
        }
        Outcome::Panicked => discard(take_payload(header)),
        Outcome::Cancelled => {}
    }
}

fn take_payload(header: &Header) -> Payload {
    let payload = header
        .link
        .swap(ptr::null_mut(), Ordering::Relaxed)
        .cast::<Payload>();
    // SAFETY: by 4 `fail` put it there, and the caller owns it.
    *unsafe { Box::from_raw(payload) }
}

impl Reference {
    pub(super) fn header(&self) -> &Header {
        // SAFETY: by 2 our count keeps it alive.
        unsafe { self.0.as_ref() }
    }

    /// Asks for the future to be dropped: the run right, if the task is idle and must be queued
    /// for that.
    pub(super) fn abort(&self) -> Option<Runnable> {
        (self.header().state.abort() == Wake::Schedule).then_some(Runnable(self.0))
    }

    /// # Safety
    /// The caller owns one count of the task's, and gives it to the new value.
    pub(super) unsafe fn from_raw(raw: NonNull<Header>) -> Self {
        Self(raw)
    }

    /// As the join handle: the result of a task that has ended so.
    ///
    /// # Safety
    /// The caller is the join handle, `T` is the output of the task's future, `state.outcome()`
    /// has said `how`, and this is called once.
    pub(super) unsafe fn take_result<T>(&self, how: Outcome) -> Result<T, JoinError> {
        let header = self.header();
        match how {
            Outcome::Output => {
                let stage = stage_of(self.0).cast::<T>();
                // SAFETY: by 4 it holds a `T` that is the caller's.
                Ok(header.stage.with_mut(|_| unsafe { stage.read() }))
            }
            Outcome::Panicked => Err(JoinError::panicked(take_payload(header))),
            Outcome::Cancelled => Err(JoinError::cancelled()),
        }
    }

    /// As the join handle: leaves a waker for the completer. False if there will be no wake,
    /// because the task is complete.
    pub(super) fn leave_joiner(&self, waker: &Waker) -> bool {
        let header = self.header();
        if header.state.has_joiner() && !header.state.clear_joiner() {
            return false;
        }
        // SAFETY: by 5 it is ours: JOINER is clear, and was not yet set when the task completed.
        let before = header.joiner.with_mut(|slot| match unsafe { &mut *slot } {
            Some(known) if known.will_wake(waker) => None,
            slot => {
                let before = slot.take(); // so that it is empty should the clone panic
                *slot = Some(waker.clone());
                before
            }
        });
        let left = header.state.set_joiner();
        drop(before); // foreign code too: by now the word says what is in the slot
        if !left {
            // SAFETY: by 5 the slot stayed ours: JOINER was clear when the task completed.
            drop(header.joiner.with_mut(|slot| unsafe { (*slot).take() }));
        }
        left
    }

    /// As the join handle: goes, without having taken the result.
    pub(super) fn drop_handle(self) {
        let header = self.header();
        match header.state.drop_handle() {
            DropHandle::Detached => {
                std::mem::forget(self); // the count is given back
            }
            DropHandle::DropJoiner => {
                // SAFETY: by 5 the slot is ours: we cleared JOINER before the task completed.
                drop(header.joiner.with_mut(|slot| unsafe { (*slot).take() }));
            }
            DropHandle::DropOutput => {
                if let Some(how) = header.state.outcome() {
                    drop_result(self.0, how);
                }
            }
        }
    }
}

impl Clone for Reference {
    fn clone(&self) -> Self {
        self.header().state.reference();
        Self(self.0)
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        if self.header().state.dereference() {
            // SAFETY: our reference was the last.
            unsafe { free(self.0) };
        }
    }
}
