//! Counts the bytes that live on the heap, when it is told to.
//!
//! Unsafe, because an allocator is. What every block relies on:
//! 1. each call is handed to the system's allocator with the arguments it came with, so that
//!    whoever keeps `GlobalAlloc`'s contract with this keeps it with the system's;
//! 2. what the system's allocator returns is returned unchanged.
//!
//! When it is not counting, a call costs one relaxed load more than the system's, for every
//! contender alike.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering::Relaxed};

/// The system's allocator, with a count of what is asked of it while [`bytes_kept`] runs.
pub struct Counting;

static COUNTING: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicIsize = AtomicIsize::new(0);

/// How many bytes more live on the heap after `work` than before, with what `work` hands back.
///
/// One at a time: other threads' allocations count too.
pub fn bytes_kept<T>(work: impl FnOnce() -> T) -> (isize, T) {
    LIVE.store(0, Relaxed);
    COUNTING.store(true, Relaxed);
    let kept = work();
    COUNTING.store(false, Relaxed);
    (LIVE.load(Relaxed), kept)
}

fn grow(bytes: usize) {
    if COUNTING.load(Relaxed) {
        LIVE.fetch_add(bytes.cast_signed(), Relaxed);
    }
}

fn shrink(bytes: usize) {
    if COUNTING.load(Relaxed) {
        LIVE.fetch_sub(bytes.cast_signed(), Relaxed);
    }
}

// SAFETY: by 1 and 2 it is as good an allocator as the system's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: 1
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: 1
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        shrink(layout.size());
        // SAFETY: 1
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        grow(new_size);
        shrink(layout.size());
        // SAFETY: 1
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}
