//! The textbook's wheel, with raw pointers: nodes that are chained to each other, as in tokio and
//! in the Linux kernel. What safe indices and generation-checked keys are to be measured by.
//!
//! A node is its owner's, at an address of its own, as if inside of a pinned future; the wheel
//! allocates nothing when something is inserted. Ours to compare with checks every key; this one
//! trusts its owners, as such wheels do.
//!
//! # Invariants
//! 1. A node comes from one `Box::into_raw` and is freed in `Drop for Intrusive` alone. Until then
//!    it is in a slot or in `free`, never in both.
//! 2. The `next` and `previous` of a node in a slot are live: nodes of the same slot or its
//!    sentinel. Sentinels are in one boxed slice that is never moved or shrunk, and reached only by
//!    pointers derived from `sentinels`.
//! 3. References to nodes are never kept: each access is a read or a write of one field.
//! 4. A key is used at most once, by who inserted it, and not after its timer has fired. This is
//!    the owners' part, as it is with nodes in pinned futures; the workloads keep to it.
#![allow(unsafe_code)]

use std::ptr;

use crate::runtime::Schedule;

struct Node {
    next: *mut Node,
    previous: *mut Node,
    deadline: u64,
    value: u64,
    slot: usize,
}

const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 11;

/// Eleven levels of 64 slots, a doubly linked list in each.
pub struct Intrusive {
    now: u64,
    /// A node for each slot, whose `next` is the first of its list and `previous` the last.
    sentinels: *mut Node,
    levels: u16,
    occupied: [u64; LEVELS],
    /// Nodes that wait for an owner.
    free: Vec<*mut Node>,
}

impl Intrusive {
    fn sentinel(&self, slot: usize) -> *mut Node {
        assert!(slot < LEVELS * SLOTS);
        // SAFETY: in bounds of the slice (2).
        unsafe { self.sentinels.add(slot) }
    }

    fn slot(&self, deadline: u64) -> usize {
        let level = (63 - ((self.now ^ deadline) | 1).leading_zeros()) / BITS;
        level as usize * SLOTS + (deadline >> (level * BITS)) as usize % SLOTS
    }

    /// Links a node that is in no slot at the end of where its deadline belongs.
    fn link(&mut self, node: *mut Node) {
        // SAFETY: the node is live (1), as in all that follow.
        let deadline = unsafe { (*node).deadline };
        let slot = self.slot(deadline);
        let sentinel = self.sentinel(slot);
        // SAFETY: a sentinel is live (2), and so is the last of its list.
        let last = unsafe { (*sentinel).previous };
        // SAFETY: as above.
        unsafe { (*node).next = sentinel };
        // SAFETY: as above.
        unsafe { (*node).previous = last };
        // SAFETY: as above.
        unsafe { (*node).slot = slot };
        // SAFETY: as above.
        unsafe { (*last).next = node };
        // SAFETY: as above.
        unsafe { (*sentinel).previous = node };
        self.occupied[slot / SLOTS] |= 1 << (slot % SLOTS);
        self.levels |= 1 << (slot / SLOTS);
    }

    /// Unlinks a node that is in a slot.
    fn unlink(&mut self, node: *mut Node) {
        // SAFETY: the node is live (1).
        let next = unsafe { (*node).next };
        // SAFETY: as above.
        let previous = unsafe { (*node).previous };
        // SAFETY: the neighbours of a node in a slot are live (2).
        unsafe { (*next).previous = previous };
        // SAFETY: as above.
        unsafe { (*previous).next = next };
        if next == previous {
            // only the sentinel is left
            // SAFETY: the node is live (1).
            let slot = unsafe { (*node).slot };
            self.occupied[slot / SLOTS] &= !(1 << (slot % SLOTS));
            if self.occupied[slot / SLOTS] == 0 {
                self.levels &= !(1 << (slot / SLOTS));
            }
        }
    }

    /// The first slot that holds something, and the tick it begins at.
    fn first(&self) -> Option<(usize, u64)> {
        if self.levels == 0 {
            return None;
        }
        let level = self.levels.trailing_zeros();
        let digit = self.occupied[level as usize].trailing_zeros();
        let above = self.now >> (level * BITS) & !(SLOTS as u64 - 1);
        let start = (above | u64::from(digit)) << (level * BITS);
        Some((level as usize * SLOTS + digit as usize, start))
    }
}

impl Schedule for Intrusive {
    const NAME: &'static str = "intrusive";
    type Key = *mut ();

    fn new() -> Self {
        let empty = || Node {
            next: ptr::null_mut(),
            previous: ptr::null_mut(),
            deadline: 0,
            value: 0,
            slot: 0,
        };
        let sentinels: Box<[Node]> = (0..LEVELS * SLOTS).map(|_| empty()).collect();
        let wheel = Intrusive {
            now: 0,
            sentinels: Box::into_raw(sentinels).cast(),
            levels: 0,
            occupied: [0; LEVELS],
            free: Vec::new(),
        };
        for slot in 0..LEVELS * SLOTS {
            let sentinel = wheel.sentinel(slot);
            // SAFETY: a sentinel is live (2).
            unsafe { (*sentinel).next = sentinel };
            // SAFETY: as above.
            unsafe { (*sentinel).previous = sentinel };
        }
        wheel
    }

    fn insert(&mut self, deadline: u64, value: u64) -> Self::Key {
        let node = self.free.pop().unwrap_or_else(|| {
            Box::into_raw(Box::new(Node {
                next: ptr::null_mut(),
                previous: ptr::null_mut(),
                deadline: 0,
                value: 0,
                slot: 0,
            }))
        });
        // SAFETY: the node is live (1).
        unsafe { (*node).deadline = deadline.max(self.now) };
        // SAFETY: as above.
        unsafe { (*node).value = value };
        self.link(node);
        node.cast()
    }

    fn cancel(&mut self, key: Self::Key) -> Option<u64> {
        let node: *mut Node = key.cast();
        self.unlink(node); // it is in a slot (4)
        self.free.push(node);
        // SAFETY: the node is live (1).
        Some(unsafe { (*node).value })
    }

    fn advance(&mut self, now: u64, mut fire: impl FnMut(u64)) {
        while let Some((slot, start)) = self.first()
            && start <= now
        {
            self.now = start;
            let sentinel = self.sentinel(slot);
            // SAFETY: a sentinel is live (2).
            let mut node = unsafe { (*sentinel).next };
            // the list is taken as a whole: what is inserted meanwhile is not in it
            // SAFETY: as above.
            unsafe { (*sentinel).next = sentinel };
            // SAFETY: as above.
            unsafe { (*sentinel).previous = sentinel };
            self.occupied[slot / SLOTS] &= !(1 << (slot % SLOTS));
            if self.occupied[slot / SLOTS] == 0 {
                self.levels &= !(1 << (slot / SLOTS));
            }
            while node != sentinel {
                // SAFETY: the node is live (1), and it still names the one after it (2).
                let next = unsafe { (*node).next };
                if slot < SLOTS {
                    self.free.push(node);
                    // SAFETY: as above.
                    fire(unsafe { (*node).value });
                } else {
                    self.link(node);
                }
                node = next;
            }
        }
        self.now = self.now.max(now);
    }
}

impl Drop for Intrusive {
    fn drop(&mut self) {
        for slot in 0..LEVELS * SLOTS {
            let sentinel = self.sentinel(slot);
            // SAFETY: a sentinel is live (2).
            let mut node = unsafe { (*sentinel).next };
            while node != sentinel {
                self.free.push(node);
                // SAFETY: the node is live (1), and it still names the one after it (2).
                node = unsafe { (*node).next };
            }
        }
        for node in self.free.drain(..) {
            // SAFETY: from `Box::into_raw`, and freed nowhere else (1).
            drop(unsafe { Box::from_raw(node) });
        }
        let sentinels = ptr::slice_from_raw_parts_mut(self.sentinels, LEVELS * SLOTS);
        // SAFETY: from `Box::into_raw` of a slice of this length, and not used again (2).
        drop(unsafe { Box::from_raw(sentinels) });
    }
}
