//! The bounded run queue of a worker: its owner pushes and pops, anybody else takes half.
//!
//! ```text
//!        head ──▶ ┌───┐                     head: next to pop; owner and thieves advance it by CAS
//!                 │ a │ ◀─ pop, steal       tail: next to push; the owner alone stores it
//!                 │ b │                     both count up for ever; the slot is the count modulo
//!                 │ c │                     the capacity, so a stale head can never be mistaken
//!        tail ──▶ │   │ ◀─ push             for a current one
//!                 └───┘
//! ```
//!
//! **Why a stolen item is stolen once.** A thief copies slots first and asks afterwards: it reads
//! `head`, then `tail`, copies, and moves `head` by one compare-exchange. While `head` still has
//! the value it read, nobody has taken these items, and the owner has not overwritten them: it
//! overwrites the slot of item *i* only after it has itself seen `head > i`. So if the exchange
//! succeeds the copies are good and ours alone; if it fails they are thrown away unread. That is
//! also why the slots are atomics: a copy that is thrown away may have raced with a push.
//!
//! The exchange is one for the whole half, not one an item. The idea of stealing half from a FIFO
//! ring is that of the Go scheduler and of tokio; the speculative copy is the textbook's (Chase
//! and Lev, "Dynamic Circular Work-Stealing Deque", 2005). 64-bit counters cannot run over.

use std::ptr::{self, NonNull};

use crate::sync::{AtomicPtr, AtomicU64, Ordering};

#[cfg(not(any(loom, shuttle)))]
pub(super) const CAPACITY: usize = 256;
#[cfg(any(loom, shuttle))]
pub(super) const CAPACITY: usize = 2; // so that models wrap around and overflow

/// Keeps what different cores write out of each other's cache lines (and their neighbour's, which
/// processors like to fetch along).
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Apart<T>(pub(super) T);

/// A run queue of pointers. `push`, `pop` and `pop_half` are for its owner only: another thread
/// that called them could lose items (never memory safety of this type: it only holds numbers).
#[derive(Debug)]
pub(super) struct Ring<T> {
    head: Apart<AtomicU64>,
    tail: Apart<AtomicU64>,
    slots: Box<[AtomicPtr<T>; CAPACITY]>,
}

impl<T> Ring<T> {
    pub(super) fn new() -> Self {
        Self {
            head: Apart(AtomicU64::new(0)),
            tail: Apart(AtomicU64::new(0)),
            slots: Box::new(std::array::from_fn(|_| AtomicPtr::new(ptr::null_mut()))),
        }
    }

    fn slot(&self, count: u64) -> &AtomicPtr<T> {
        &self.slots[count as usize % CAPACITY]
    }

    fn read(&self, count: u64) -> NonNull<T> {
        let item = self.slot(count).load(Ordering::Relaxed);
        NonNull::new(item).expect("slots below the tail hold items")
    }

    /// How many items there are: exact for the owner unless a thief is at work, else a snapshot
    /// (see the park protocol for when a snapshot will do).
    pub(super) fn len(&self) -> usize {
        let head = self.head.0.load(Ordering::Acquire);
        let tail = self.tail.0.load(Ordering::Acquire);
        tail.saturating_sub(head) as usize
    }

    /// Owner: appends an item; gives it back when the ring is full.
    #[inline]
    pub(super) fn push(&self, item: NonNull<T>) -> Result<(), NonNull<T>> {
        let tail = self.tail.0.load(Ordering::Relaxed); // ours
        // Acquire: a slot is overwritten after the thief that freed it has read it (pairs with the
        // exchange in `steal`).
        let head = self.head.0.load(Ordering::Acquire);
        if tail - head == CAPACITY as u64 {
            return Err(item);
        }
        self.slot(tail).store(item.as_ptr(), Ordering::Relaxed);
        // Release: who sees the tail sees the item and all that it points to (pairs with `steal`).
        self.tail.0.store(tail + 1, Ordering::Release);
        Ok(())
    }

    /// Owner: takes the oldest item.
    #[inline]
    pub(super) fn pop(&self) -> Option<NonNull<T>> {
        self.pop_first(1).map(|(first, _)| self.read(first))
    }

    /// Owner: takes the older half, oldest first; how many.
    pub(super) fn pop_half(&self, mut taken: impl FnMut(NonNull<T>)) -> usize {
        let Some((first, count)) = self.pop_first(CAPACITY as u64 / 2) else {
            return 0;
        };
        for at in first..first + count {
            // The slots are ours until we push again, and we are the one who pushes.
            taken(self.read(at));
        }
        count as usize
    }

    /// Owner: moves the head over at most `most` items; the first and how many.
    #[inline]
    fn pop_first(&self, most: u64) -> Option<(u64, u64)> {
        let tail = self.tail.0.load(Ordering::Relaxed); // ours
        let mut head = self.head.0.load(Ordering::Relaxed);
        loop {
            let count = most.min(tail - head);
            if count == 0 {
                return None;
            }
            let next = head + count;
            // Release: a thief that sees this head also sees the tail it lies below.
            let moved =
                self.head
                    .0
                    .compare_exchange_weak(head, next, Ordering::Release, Ordering::Relaxed);
            match moved {
                Ok(_) => return Some((head, count)),
                Err(now) => head = now,
            }
        }
    }

    /// Anybody: moves the older half (at least one) into `own`, whose owner the caller is; gives
    /// back one of them to run at once, and how many there were with it. `None` when there was
    /// nothing, or another thief was faster.
    pub(super) fn steal(&self, own: &Ring<T>) -> Option<(NonNull<T>, usize)> {
        // Acquire: pairs with the exchanges that move it, so that the tail read next is not older.
        let head = self.head.0.load(Ordering::Acquire);
        // Acquire: pairs with the store in `push`.
        let tail = self.tail.0.load(Ordering::Acquire);
        let available = tail.saturating_sub(head);
        if available == 0 || available > CAPACITY as u64 {
            return None; // too many: the head was old
        }
        let own_tail = own.tail.0.load(Ordering::Relaxed);
        let own_head = own.head.0.load(Ordering::Acquire);
        let room = CAPACITY as u64 - (own_tail - own_head);
        // One of them goes to the caller, the rest needs room.
        let count = available.div_ceil(2).min(room + 1);
        let mine = self.read(head);
        for at in 1..count {
            let item = self.slot(head + at).load(Ordering::Relaxed);
            own.slot(own_tail + at - 1).store(item, Ordering::Relaxed);
        }
        // Release: our reads stay before it (pairs with the load in `push`). Acquire: nothing of
        // what we do with the items happens before it.
        let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
        let moved = self
            .head
            .0
            .compare_exchange(head, head + count, success, failure);
        moved.ok()?;
        own.tail.0.store(own_tail + count - 1, Ordering::Release); // as in `push`
        Some((mine, count as usize))
    }
}

#[cfg(not(loom))]
#[cfg(test)]
mod tests {
    use super::*;

    fn item(number: usize) -> NonNull<u8> {
        NonNull::new(ptr::without_provenance_mut(number + 1)).unwrap()
    }

    fn numbers(ring: &Ring<u8>) -> Vec<usize> {
        std::iter::from_fn(|| ring.pop())
            .map(|item| item.addr().get() - 1)
            .collect()
    }

    #[test]
    fn it_is_first_in_first_out_and_bounded() {
        let ring = Ring::new();
        for number in 0..CAPACITY {
            ring.push(item(number)).unwrap();
        }
        assert_eq!(ring.push(item(7)), Err(item(7)));
        assert_eq!(ring.len(), CAPACITY);
        assert_eq!(numbers(&ring), (0..CAPACITY).collect::<Vec<_>>());
        assert_eq!(ring.len(), 0);
    }

    #[test]
    fn a_thief_takes_the_older_half_and_the_rest_stays() {
        for full in 0..CAPACITY {
            let (ring, own) = (Ring::new(), Ring::new());
            for number in 0..full {
                ring.push(item(number)).unwrap();
            }
            let mut stolen: Vec<usize> = ring
                .steal(&own)
                .map(|(first, _)| first.addr().get() - 1)
                .into_iter()
                .collect();
            stolen.extend(numbers(&own));
            assert_eq!(stolen, (0..full.div_ceil(2)).collect::<Vec<_>>());
            assert_eq!(numbers(&ring), (full.div_ceil(2)..full).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_thief_takes_no_more_than_it_has_room_for() {
        let (ring, own) = (Ring::new(), Ring::new());
        for number in 0..CAPACITY {
            ring.push(item(number)).unwrap();
            own.push(item(number)).unwrap();
        }
        own.pop().unwrap();
        assert_eq!(ring.steal(&own), Some((item(0), 2)));
        assert_eq!(ring.len(), CAPACITY - 2);
        assert_eq!(own.len(), CAPACITY);
    }

    #[test]
    fn half_of_a_full_ring_makes_room() {
        let ring = Ring::new();
        for number in 0..CAPACITY {
            ring.push(item(number)).unwrap();
        }
        let mut taken = Vec::new();
        assert_eq!(
            ring.pop_half(|item| taken.push(item.addr().get() - 1)),
            CAPACITY / 2
        );
        assert_eq!(taken, (0..CAPACITY / 2).collect::<Vec<_>>());
        ring.push(item(CAPACITY)).unwrap();
        assert_eq!(ring.len(), CAPACITY / 2 + 1);
    }
}
