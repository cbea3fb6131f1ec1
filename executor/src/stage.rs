//! What lies in a task's memory behind its header: first the future, then its output.
//!
//! # Invariants
//! 1. A *memory* pointer leads to a `Task<H, F>`: a header and the stage, which is large and
//!    aligned enough for both `F` and `F::Output`. It is valid for reads and writes and derived
//!    from the task's one allocation call.
//! 2. The stage holds a live `F` from the spawn until `poll` answers `Ready` or `Panicked`, or
//!    until `drop_future` is called. Only the thread that may poll the task touches it, one at a
//!    time.
//! 3. The stage holds a live `F::Output` from the answer `Ready` until it is read out or
//!    `drop_output` is called, whichever is first, once.
//! 4. The future is never moved: it is written once at the spawn and dropped in place.
#![allow(unsafe_code)]

use std::alloc::Layout;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

use crate::error::{Payload, contain, discard};
use crate::size_class;

/// What one poll came to. After anything but `Pending` the future is gone.
///
/// The payload is boxed once more, so that this fits in two registers: a poll that does not panic
/// writes nothing to memory to say so.
pub(crate) enum Polled {
    Pending,
    /// The stage now holds the output.
    Ready,
    Panicked(Box<Payload>),
}

/// Room for the future or its output, whichever is there (2, 3).
#[repr(C)]
pub(crate) union Stage<F: Future> {
    future: ManuallyDrop<F>,
    output: ManuallyDrop<F::Output>,
}

/// A header `H` with a stage behind it: the whole of a task's memory, used for its layout only.
#[repr(C)]
struct Task<H, F: Future> {
    header: H,
    stage: Stage<F>,
}

/// What an executor must know of a future whose type it has forgotten.
pub(crate) struct TaskVTable {
    /// Polls the future; contains its panics.
    pub(crate) poll: unsafe fn(NonNull<u8>, &mut Context<'_>) -> Polled,
    /// Drops the future; gives back the panic of its drop.
    pub(crate) drop_future: unsafe fn(NonNull<u8>) -> Option<Payload>,
    /// Drops the output; contains its panics.
    pub(crate) drop_output: unsafe fn(NonNull<u8>),
    /// Whether that does anything.
    pub(crate) output_needs_drop: bool,
    /// Where the stage begins, in bytes from the header.
    pub(crate) stage: usize,
    /// What was asked of the allocator for the whole of the task's memory.
    pub(crate) layout: Layout,
    /// The class of that, or 0.
    pub(crate) size_class: usize,
}

impl TaskVTable {
    /// The table for a future `F` behind a header `H`.
    pub(crate) const fn of<H, F: Future>() -> &'static TaskVTable {
        const {
            &TaskVTable {
                poll: poll::<H, F>,
                drop_future: drop_future::<H, F>,
                drop_output: drop_output::<H, F>,
                output_needs_drop: std::mem::needs_drop::<F::Output>(),
                stage: std::mem::offset_of!(Task<H, F>, stage),
                layout: size_class::real_layout(Layout::new::<Task<H, F>>()),
                size_class: size_class::of(Layout::new::<Task<H, F>>()),
            }
        }
    }
}

/// The stage of the task at `memory`.
///
/// # Safety
/// 1.
#[inline]
unsafe fn stage<H, F: Future>(memory: NonNull<u8>) -> NonNull<u8> {
    // SAFETY: by 1 the offset is within the memory.
    unsafe { memory.add(std::mem::offset_of!(Task<H, F>, stage)) }
}

/// # Safety
/// By 1 and 2 the stage holds a live future, and the caller may poll it.
unsafe fn poll<H, F: Future>(memory: NonNull<u8>, cx: &mut Context<'_>) -> Polled {
    // SAFETY: by 1.
    let stage = unsafe { stage::<H, F>(memory) };
    let mut future = stage.cast::<F>();
    let polled = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: by 1 and 2 it is a live future that only we touch now.
        let future = unsafe { future.as_mut() };
        // SAFETY: by 4 it is not moved until it is dropped in place.
        let future = unsafe { Pin::new_unchecked(future) };
        future.poll(cx)
    }));
    match polled {
        Ok(Poll::Pending) => Polled::Pending,
        Ok(Poll::Ready(output)) => {
            // SAFETY: by 2 the future is still there; it ends here.
            match unsafe { drop_future::<H, F>(memory) } {
                None => {
                    // SAFETY: by 1 there is room, and the future no longer uses it.
                    unsafe { stage.cast::<F::Output>().write(output) };
                    Polled::Ready
                }
                Some(payload) => {
                    contain(|| drop(output));
                    Polled::Panicked(Box::new(payload))
                }
            }
        }
        // SAFETY: as the caller promises; the poll is over.
        Err(payload) => unsafe { panicked::<H, F>(memory, payload) },
    }
}

/// The poll has panicked. Out of line: what is kept over the calls here would cost every poll the
/// saving of four registers more.
///
/// # Safety
/// By 1 and 2 the stage holds a live future; it is gone afterwards.
#[cold]
#[inline(never)]
unsafe fn panicked<H, F: Future>(memory: NonNull<u8>, payload: Payload) -> Polled {
    // SAFETY: by 2 a future that panicked is still there; it ends here.
    if let Some(second) = unsafe { drop_future::<H, F>(memory) } {
        discard(second); // the joiner is told of the first
    }
    Polled::Panicked(Box::new(payload))
}

/// # Safety
/// By 1 and 2 the stage holds a live future; it is gone afterwards, also when its drop panics.
#[inline(always)]
unsafe fn drop_future<H, F: Future>(memory: NonNull<u8>) -> Option<Payload> {
    if !std::mem::needs_drop::<F>() {
        return None;
    }
    // SAFETY: by 1.
    let stage = unsafe { stage::<H, F>(memory) };
    catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: by 2 it is live; the caller gives it up.
        unsafe { stage.cast::<F>().drop_in_place() }
    }))
    .err()
}

/// # Safety
/// By 3 the stage holds a live output; it is gone afterwards.
unsafe fn drop_output<H, F: Future>(memory: NonNull<u8>) {
    // SAFETY: by 1.
    let stage = unsafe { stage::<H, F>(memory) };
    contain(|| {
        // SAFETY: by 3 it is live; the caller gives it up.
        unsafe { stage.cast::<F::Output>().drop_in_place() }
    });
}
