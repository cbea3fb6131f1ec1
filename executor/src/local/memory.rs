//! Task memory, recycled: a stack of freed blocks for each size class.
//!
//! An allocator's malloc and free are 35 ns, most of what a short task would cost; a push and a
//! pop here are 2. Blocks of a class have one layout, so a block may also go straight back to the
//! allocator, which is what a thread other than the owner does.
//!
//! While there is work every block is kept: what was in use at once is the best guess of what will
//! be. The limit is for times of rest: what is beyond it goes back when nothing is ready, so many
//! blocks at a time that nobody waits long for it.
//!
//! # Invariants
//! 1. A block in `free[c - 1]` was allocated with the layout of class `c`, is unused, and belongs to the
//!    list.
//! 2. A block in a list begins with the pointer to the next one.
#![allow(unsafe_code)]

use std::alloc::{Layout, handle_alloc_error};
use std::cell::Cell;
use std::ptr::NonNull;

use crate::size_class::{self, LARGEST};
use crate::stage::TaskVTable;
use crate::sync::{alloc, dealloc};

struct Free {
    next: Option<NonNull<Free>>,
}

/// The free lists of one executor.
pub(crate) struct Memory {
    free: [Cell<Option<NonNull<Free>>>; LARGEST],
    /// How many bytes more may be kept while nothing is ready; below zero, how many are too many.
    room: Cell<isize>,
}

/// How many blocks go back at a time: some 50 us of work.
const SLICE: usize = 1_024;

impl Memory {
    /// Keeps at most `kept_max` bytes of freed blocks over a time of rest.
    pub(crate) fn new(kept_max: usize) -> Self {
        Memory {
            free: [const { Cell::new(None) }; LARGEST],
            room: Cell::new(isize::try_from(kept_max).unwrap_or(isize::MAX)),
        }
    }

    /// Memory for one task.
    #[inline]
    pub(crate) fn allocate(&self, vtable: &'static TaskVTable) -> NonNull<u8> {
        let class = vtable.size_class;
        let list = self.free.get(class.wrapping_sub(1));
        match list.and_then(|list| Some((list, list.get()?))) {
            Some((list, block)) => {
                // SAFETY: by 1 and 2 it is ours and begins with the link.
                list.set(unsafe { block.as_ref() }.next);
                self.room.set(self.room.get() + bytes_of(vtable));
                block.cast()
            }
            None => allocate_fresh(vtable.layout.size(), vtable.layout.align()),
        }
    }

    /// Takes the memory of a task back.
    ///
    /// # Safety
    /// `memory` came from `allocate` of any `Memory` with this table, and is no longer used.
    #[inline]
    pub(crate) unsafe fn recycle(&self, memory: NonNull<u8>, vtable: &'static TaskVTable) {
        let Some(list) = self.free.get(vtable.size_class.wrapping_sub(1)) else {
            // SAFETY: as the caller promises.
            return unsafe { release(memory, vtable) };
        };
        self.room.set(self.room.get() - bytes_of(vtable));
        let block = memory.cast::<Free>();
        // SAFETY: a class is at least 16 bytes, and the caller gave the block up.
        unsafe { block.write(Free { next: list.get() }) };
        list.set(Some(block));
    }

    /// Gives some of what is kept beyond the limit back to the allocator, if there is such; whether
    /// more is left.
    #[inline]
    pub(crate) fn trim(&self) -> bool {
        self.room.get() < 0 && self.trim_slice()
    }

    #[cold]
    fn trim_slice(&self) -> bool {
        let mut left = SLICE;
        self.release_while(|| {
            let goes = left > 0 && self.room.get() < 0;
            left -= usize::from(goes);
            goes
        });
        self.room.get() < 0
    }

    /// Gives every kept block back to the allocator.
    pub(crate) fn release_all(&self) {
        self.release_while(|| true);
    }

    /// Gives kept blocks back, the largest first, until there is none or `goes` says no.
    fn release_while(&self, mut goes: impl FnMut() -> bool) {
        for (index, list) in self.free.iter().enumerate().rev() {
            let class = index + 1;
            while let Some(block) = list.get() {
                if !goes() {
                    return;
                }
                // SAFETY: by 1 and 2 it is ours and begins with the link.
                list.set(unsafe { block.as_ref() }.next);
                self.room
                    .set(self.room.get() + size_class::bytes(class).cast_signed());
                // SAFETY: by 1 it has this layout, and the list no longer names it.
                unsafe { dealloc(block.as_ptr().cast(), size_class::layout(class)) };
            }
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.release_all();
    }
}

#[inline]
fn bytes_of(vtable: &TaskVTable) -> isize {
    vtable.layout.size().cast_signed()
}

/// `extern "C"` says that nothing unwinds out of it: out of memory ends the process. Were a panic
/// possible here, a future that is on its way into its task would have to be kept on the stack for
/// it, and be copied from there, just written, at a cost of an eighth of a spawn and its run.
#[cold]
extern "C" fn allocate_fresh(size: usize, align: usize) -> NonNull<u8> {
    let layout = Layout::from_size_align(size, align).expect("it is the layout of a task");
    // SAFETY: a task has a header, so its size is not zero.
    let memory = unsafe { alloc(layout) };
    NonNull::new(memory).unwrap_or_else(|| handle_alloc_error(layout))
}

/// Gives the memory of one task back to the allocator, on any thread.
///
/// # Safety
/// `memory` came from `Memory::allocate` with this table, and is no longer used.
#[cold]
pub(crate) unsafe fn release(memory: NonNull<u8>, vtable: &'static TaskVTable) {
    // SAFETY: `allocate` asked for the same layout.
    unsafe { dealloc(memory.as_ptr(), vtable.layout) };
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use crate::local::header::Header;

    #[test]
    fn what_is_beyond_the_limit_goes_back_slice_by_slice() {
        let vtable = TaskVTable::of::<Header, std::future::Ready<()>>();
        let memory = Memory::new(vtable.layout.size());
        let blocks: Vec<_> = (0..SLICE + 3).map(|_| memory.allocate(vtable)).collect();
        let last = blocks[SLICE + 2];
        for block in blocks {
            // SAFETY: it was allocated with this table just now, and is not used.
            unsafe { memory.recycle(block, vtable) };
        }
        let size = bytes_of(vtable);
        assert_eq!(
            memory.room.get(),
            -size * (SLICE.cast_signed() + 2),
            "all are kept"
        );
        let again = memory.allocate(vtable);
        assert_eq!(again, last);
        // SAFETY: as above.
        unsafe { memory.recycle(again, vtable) };
        assert!(memory.trim());
        assert_eq!(memory.room.get(), -size * 2);
        assert!(!memory.trim());
        assert_eq!(memory.room.get(), 0, "one is kept");
        memory.release_all();
        assert_eq!(memory.room.get(), size);
    }
}
