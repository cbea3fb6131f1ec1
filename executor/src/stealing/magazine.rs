//! Task memory across threads: each worker keeps freed blocks in magazines, and trades full ones
//! through a depot.
//!
//! ```text
//!   worker 0: loaded, spare ◀──┐   a magazine: up to 64 blocks of one size class
//!   worker 1: loaded, spare ◀──┼── depot: full magazines, one lock a size class
//!   outside threads ◀──────────┘   (take single blocks from an open one)
//! ```
//!
//! A task is often freed on another thread than it was allocated on, which is what an allocator's
//! thread caches are worst at. A push and a pop here touch no other thread; every 64th time at most
//! a magazine changes hands (Bonwick and Adams, "Magazines and Vmem", 2001). Two magazines a worker
//! keep it from trading at every turn when it allocates and frees by turns.
//!
//! Blocks of a class have one layout, so any block may go back to the allocator at any time; what
//! is freed on an outside thread does. Under loom nothing is recycled, so that loom sees each use.
//!
//! # Invariants
//! 1. A block in a magazine was allocated with the layout of its class, is unused, and belongs to
//!    the magazine. It begins with the pointer to the next one.
#![allow(unsafe_code)]

use std::alloc::handle_alloc_error;
use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::size_class::{self, LARGEST};
use crate::stage::TaskVTable;
use crate::sync::{alloc, dealloc};

/// Blocks in a full magazine.
const FULL: usize = 64;
/// So many bytes of a class the depot keeps: what is more goes back to the allocator.
const KEPT_BYTES: usize = 1 << 20;

/// How many magazines that is.
fn kept(class: usize) -> usize {
    KEPT_BYTES / (FULL * size_class::bytes(class))
}

struct Block {
    next: *mut Block,
}

/// A stack of free blocks of one class (1).
struct Magazine {
    first: *mut Block,
    blocks: usize,
}

// SAFETY: by 1 the blocks belong to the magazine alone.
unsafe impl Send for Magazine {}

impl Magazine {
    const EMPTY: Magazine = Magazine {
        first: ptr::null_mut(),
        blocks: 0,
    };

    #[inline]
    fn pop(&mut self) -> Option<NonNull<u8>> {
        let block = NonNull::new(self.first)?;
        // SAFETY: by 1 it is ours, and begins with the link.
        self.first = unsafe { block.as_ref() }.next;
        self.blocks -= 1;
        Some(block.cast())
    }

    /// # Safety
    /// `block` is an unused block of the magazine's class, and the caller gives it up.
    #[inline]
    unsafe fn push(&mut self, block: NonNull<u8>) {
        let block = block.cast::<Block>();
        // SAFETY: as the caller promises; a class is 16 bytes at least, aligned to 16.
        unsafe { block.write(Block { next: self.first }) };
        self.first = block.as_ptr();
        self.blocks += 1;
    }

    fn release(mut self, class: usize) {
        while let Some(block) = self.pop() {
            // SAFETY: by 1.
            unsafe { dealloc(block.as_ptr(), size_class::layout(class)) };
        }
    }
}

/// A worker's own magazines.
pub(super) struct Magazines<'a> {
    loaded: [Cell<Magazine>; LARGEST + 1],
    spare: [Cell<Magazine>; LARGEST + 1],
    depot: &'a Depot,
}

impl<'a> Magazines<'a> {
    pub(super) fn new(depot: &'a Depot) -> Self {
        Self {
            loaded: [const { Cell::new(Magazine::EMPTY) }; LARGEST + 1],
            spare: [const { Cell::new(Magazine::EMPTY) }; LARGEST + 1],
            depot,
        }
    }

    /// Memory for a task.
    #[inline]
    pub(super) fn allocate(&self, vtable: &'static TaskVTable) -> NonNull<u8> {
        let class = vtable.size_class;
        let mut loaded = self.loaded[class].replace(Magazine::EMPTY);
        let block = loaded.pop();
        self.loaded[class].set(loaded);
        block.unwrap_or_else(|| self.reload(vtable))
    }

    #[cold]
    fn reload(&self, vtable: &'static TaskVTable) -> NonNull<u8> {
        let class = vtable.size_class;
        let spare = self.spare[class].replace(Magazine::EMPTY);
        let loaded = match spare.blocks {
            0 => self.depot.take(class),
            _ => Some(spare),
        };
        let Some(mut loaded) = loaded else {
            return fresh(vtable);
        };
        let block = loaded.pop();
        self.loaded[class].set(loaded);
        block.unwrap_or_else(|| fresh(vtable))
    }

    /// Takes the memory of a task back.
    ///
    /// # Safety
    /// As for [`release`].
    #[inline]
    pub(super) unsafe fn recycle(&self, memory: NonNull<u8>, vtable: &'static TaskVTable) {
        let class = vtable.size_class;
        if class == 0 || cfg!(loom) {
            // SAFETY: as the caller promises.
            return unsafe { release(memory, vtable) };
        }
        let mut loaded = self.loaded[class].replace(Magazine::EMPTY);
        if loaded.blocks == FULL {
            let spare = self.spare[class].replace(loaded);
            loaded = Magazine::EMPTY;
            if spare.blocks > 0 {
                self.depot.give(class, spare);
            }
        }
        // SAFETY: as the caller promises; its layout is that of the class.
        unsafe { loaded.push(memory) };
        self.loaded[class].set(loaded);
    }
}

impl Drop for Magazines<'_> {
    fn drop(&mut self) {
        for class in 1..=LARGEST {
            self.loaded[class].replace(Magazine::EMPTY).release(class);
            self.spare[class].replace(Magazine::EMPTY).release(class);
        }
    }
}

/// Full magazines of one class, and one that outside threads take from.
struct Shelf {
    /// Blocks on it: a hint for those who do not want the lock.
    blocks: AtomicUsize,
    full: Mutex<(Vec<Magazine>, Magazine)>,
}

/// Where workers trade magazines.
pub(super) struct Depot([Shelf; LARGEST + 1]);

impl Depot {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| Shelf {
            blocks: AtomicUsize::new(0),
            full: Mutex::new((Vec::new(), Magazine::EMPTY)),
        }))
    }

    fn take(&self, class: usize) -> Option<Magazine> {
        let shelf = &self.0[class];
        if shelf.blocks.load(Ordering::Relaxed) < FULL {
            return None;
        }
        let magazine = shelf.full.lock().0.pop()?;
        shelf.blocks.fetch_sub(magazine.blocks, Ordering::Relaxed);
        Some(magazine)
    }

    #[cold]
    fn give(&self, class: usize, magazine: Magazine) {
        let shelf = &self.0[class];
        let mut full = shelf.full.lock();
        if full.0.len() < kept(class) {
            shelf.blocks.fetch_add(magazine.blocks, Ordering::Relaxed);
            full.0.push(magazine);
        } else {
            drop(full);
            magazine.release(class);
        }
    }

    /// Memory for a task that an outside thread spawns.
    pub(super) fn allocate(&self, vtable: &'static TaskVTable) -> NonNull<u8> {
        let class = vtable.size_class;
        let shelf = &self.0[class];
        if shelf.blocks.load(Ordering::Relaxed) == 0 {
            return fresh(vtable);
        }
        let mut full = shelf.full.lock();
        let block = full.1.pop().or_else(|| {
            full.1 = full.0.pop()?;
            full.1.pop()
        });
        match block {
            Some(block) => {
                shelf.blocks.fetch_sub(1, Ordering::Relaxed);
                block
            }
            None => fresh(vtable),
        }
    }
}

impl Drop for Depot {
    fn drop(&mut self) {
        for (class, shelf) in self.0.iter_mut().enumerate() {
            let (full, open) =
                std::mem::replace(shelf.full.get_mut(), (Vec::new(), Magazine::EMPTY));
            full.into_iter()
                .chain([open])
                .for_each(|magazine| magazine.release(class));
        }
    }
}

fn fresh(vtable: &'static TaskVTable) -> NonNull<u8> {
    // SAFETY: a task has a header, so its size is not zero.
    let memory = unsafe { alloc(vtable.layout) };
    NonNull::new(memory).unwrap_or_else(|| handle_alloc_error(vtable.layout))
}

/// Gives the memory of a task back to the allocator, on any thread.
///
/// # Safety
/// `memory` was allocated here for a task with this table, and is no longer used.
pub(super) unsafe fn release(memory: NonNull<u8>, vtable: &'static TaskVTable) {
    // SAFETY: it was asked for with this layout, which is that of the class if there is one.
    unsafe { dealloc(memory.as_ptr(), vtable.layout) };
}

#[cfg(not(loom))]
#[cfg(test)]
mod tests {
    use super::*;

    fn vtable() -> &'static TaskVTable {
        TaskVTable::of::<[u64; 8], std::future::Ready<()>>()
    }

    #[test]
    fn a_block_comes_back_to_who_freed_it_last() {
        let depot = Depot::new();
        let own = Magazines::new(&depot);
        let block = own.allocate(vtable());
        // SAFETY: it comes from there, and is unused.
        unsafe { own.recycle(block, vtable()) };
        assert_eq!(own.allocate(vtable()), block);
        // SAFETY: as above.
        unsafe { own.recycle(block, vtable()) };
    }

    #[test]
    fn full_magazines_reach_the_others() {
        let depot = Depot::new();
        let (giver, taker) = (Magazines::new(&depot), Magazines::new(&depot));
        let blocks: Vec<_> = (0..3 * FULL).map(|_| giver.allocate(vtable())).collect();
        for &block in &blocks {
            // SAFETY: it comes from there, and is unused.
            unsafe { giver.recycle(block, vtable()) };
        }
        assert_eq!(
            depot.0[vtable().size_class].blocks.load(Ordering::Relaxed),
            FULL
        );
        let (inside, outside) = (taker.allocate(vtable()), depot.allocate(vtable()));
        assert!(blocks.contains(&inside));
        assert!(!blocks.contains(&outside), "the only full one was taken");
        for block in [inside, outside] {
            // SAFETY: as above.
            unsafe { taker.recycle(block, vtable()) };
        }
    }

    #[test]
    fn the_depot_is_bounded() {
        let depot = Depot::new();
        let own = Magazines::new(&depot);
        let class = vtable().size_class;
        let blocks: Vec<_> = (0..(kept(class) + 9) * FULL)
            .map(|_| own.allocate(vtable()))
            .collect();
        for block in blocks {
            // SAFETY: it comes from there, and is unused.
            unsafe { own.recycle(block, vtable()) };
        }
        let blocks = depot.0[class].blocks.load(Ordering::Relaxed);
        assert_eq!(blocks, kept(class) * FULL);
    }
}
