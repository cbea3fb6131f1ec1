//! Task memory, recycled: a stack of freed blocks for each size class.
//!
//! An allocator's malloc and free are 35 ns, most of what a short task would cost; a push and a
//! pop here are 2. Blocks of a class have one layout, so a block may also go straight back to the
//! allocator, which is what a thread other than the owner does.
//!
//! # Invariants
//! 1. A block in `free[c]` was allocated with `class_layout(c)`, is unused, and belongs to the list.
//! 2. A block in a list begins with the pointer to the next one.
#![allow(unsafe_code)]

use std::alloc::{Layout, handle_alloc_error};
use std::cell::Cell;
use std::ptr::NonNull;

use crate::sync::{alloc, dealloc};

/// Classes are this far apart, in bytes; also the alignment of every block.
const STEP: usize = 16;
/// Larger tasks than `STEP * CLASSES` bytes go to the allocator.
const CLASSES: usize = 64;

struct Free {
    next: Option<NonNull<Free>>,
}

/// The free lists of one executor.
pub(crate) struct Memory {
    free: [Cell<Option<NonNull<Free>>>; CLASSES + 1],
    kept: Cell<usize>,
    kept_max: usize,
}

/// The class a task of this layout is allocated in, if any.
#[inline]
const fn class_of(layout: Layout) -> Option<usize> {
    let class = layout.size().div_ceil(STEP);
    if layout.align() <= STEP && class <= CLASSES && class > 0 {
        Some(class)
    } else {
        None
    }
}

/// What is asked of the allocator for a task of this layout.
#[inline]
const fn real_layout(layout: Layout) -> Layout {
    match class_of(layout) {
        Some(class) => match Layout::from_size_align(class * STEP, STEP) {
            Ok(layout) => layout,
            Err(_) => panic!("classes are small"),
        },
        None => layout,
    }
}

impl Memory {
    /// Keeps at most `kept_max` bytes of freed blocks.
    pub(crate) fn new(kept_max: usize) -> Self {
        Memory {
            free: [const { Cell::new(None) }; CLASSES + 1],
            kept: Cell::new(0),
            kept_max,
        }
    }

    /// Memory for one task.
    #[inline]
    pub(crate) fn allocate(&self, layout: Layout) -> NonNull<u8> {
        if let Some(class) = class_of(layout)
            && let Some(block) = self.free[class].get()
        {
            // SAFETY: by 1 and 2 it is ours and begins with the link.
            let next = unsafe { block.as_ref() }.next;
            self.free[class].set(next);
            self.kept.set(self.kept.get() - class * STEP);
            return block.cast();
        }
        allocate_fresh(real_layout(layout))
    }

    /// Takes the memory of a task back.
    ///
    /// # Safety
    /// `memory` came from `allocate` of any `Memory` with this layout, and is no longer used.
    #[inline]
    pub(crate) unsafe fn recycle(&self, memory: NonNull<u8>, layout: Layout) {
        let Some(class) = class_of(layout) else {
            // SAFETY: as the caller promises.
            return unsafe { release(memory, layout) };
        };
        let kept = self.kept.get() + class * STEP;
        if kept > self.kept_max {
            // SAFETY: as the caller promises.
            return unsafe { release(memory, layout) };
        }
        self.kept.set(kept);
        let block = memory.cast::<Free>();
        // SAFETY: a class is at least 16 bytes, and the caller gave the block up.
        unsafe {
            block.write(Free {
                next: self.free[class].get(),
            })
        };
        self.free[class].set(Some(block));
    }

    /// Gives every kept block back to the allocator.
    pub(crate) fn release_all(&self) {
        for (class, list) in self.free.iter().enumerate() {
            let mut next = list.take();
            while let Some(block) = next {
                // SAFETY: by 1 and 2 it is ours and begins with the link.
                next = unsafe { block.as_ref() }.next;
                let layout = Layout::from_size_align(class * STEP, STEP).expect("a class is small");
                // SAFETY: by 1 it has this layout, and the list no longer names it.
                unsafe { dealloc(block.as_ptr().cast(), layout) };
            }
        }
        self.kept.set(0);
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.release_all();
    }
}

#[cold]
fn allocate_fresh(layout: Layout) -> NonNull<u8> {
    // SAFETY: a task has a header, so its size is not zero.
    let memory = unsafe { alloc(layout) };
    NonNull::new(memory).unwrap_or_else(|| handle_alloc_error(layout))
}

/// Gives the memory of one task back to the allocator, on any thread.
///
/// # Safety
/// `memory` came from `Memory::allocate` with this layout, and is no longer used.
pub(crate) unsafe fn release(memory: NonNull<u8>, layout: Layout) {
    // SAFETY: `allocate` asked for the same real layout.
    unsafe { dealloc(memory.as_ptr(), real_layout(layout)) };
}
