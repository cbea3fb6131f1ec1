//! The half of a task that any thread may touch: one atomic word, as pure state.
//!
//! ```text
//!   31                                  2        1           0
//!  +--------------------------------------+----------+-------------+
//!  | signed difference of waker references | MERGED   | SCHEDULED   |
//!  +--------------------------------------+----------+-------------+
//! ```
//! The owner thread counts the wakers it clones and drops in a plain cell; every other thread
//! counts in this word. Only the sum means anything: a waker cloned by the owner and dropped
//! elsewhere leaves +1 there and -1 here. This is biased reference counting (Choi, Shull and
//! Torrellas, 2018). When the task is complete and wakers remain, the owner *merges* its count into
//! this word; from then on all count here, and who reaches zero frees the memory.
//!
//! `SCHEDULED` belongs to who set it: that thread, and no other, pushes the task onto the inbox.
//! While it is set the memory stays, so it counts as a reference.

use crate::sync::{AtomicU32, Ordering};

const SCHEDULED: u32 = 1;
const MERGED: u32 = 1 << 1;
const REFERENCE: u32 = 1 << 2;

/// More wakers than this at once, and the process is stopped before the count can wrap.
const REFERENCES_MAX: i32 = 1 << 28;

pub(crate) struct RemoteWord(AtomicU32);

/// What a waker must do after its wake.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// Push the task onto the inbox.
    Push,
    /// Nothing: the task is on its way already, or complete.
    Nothing,
    /// Free the memory: the task is complete, and this was its last reference.
    Free,
}

/// What the word was when `SCHEDULED` was taken back.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The task is complete; the taker also gives back the hub reference that came with the bit.
    pub(crate) merged: bool,
    /// Nothing else holds the memory: free it.
    pub(crate) last: bool,
}

impl RemoteWord {
    pub(crate) fn new() -> Self {
        RemoteWord(AtomicU32::new(0))
    }

    /// Whether the owner has merged its count. Exact on the owner thread; elsewhere `true` is
    /// final.
    #[inline]
    pub(crate) fn is_merged(&self) -> bool {
        self.0.load(Ordering::Relaxed) & MERGED != 0
    }

    /// One more waker. Relaxed, as for any counter: who clones already has one.
    pub(crate) fn add_reference(&self) {
        let before = self.0.fetch_add(REFERENCE, Ordering::Relaxed);
        if references(before) > REFERENCES_MAX {
            std::process::abort();
        }
    }

    /// One waker less; true when the memory is to be freed.
    ///
    /// Release: what this thread did with the task is done. Acquire: so is what the others did, for
    /// the one that frees. A drop pairs with all the drops after it.
    pub(crate) fn drop_reference(&self) -> bool {
        let before = self.0.fetch_sub(REFERENCE, Ordering::AcqRel);
        is_last(before.wrapping_sub(REFERENCE))
    }

    /// Moves `count` references of the owner's plain count here, so that it does not overflow.
    pub(crate) fn spill(&self, count: i16) {
        let before = self
            .0
            .fetch_add(shifted(i32::from(count)), Ordering::AcqRel);
        if references(before) > REFERENCES_MAX {
            std::process::abort();
        }
    }

    /// A wake that keeps the waker.
    pub(crate) fn wake_by_ref(&self) -> Woken {
        self.wake(0)
    }

    /// A wake that uses the waker up: its reference goes in the same step.
    pub(crate) fn wake_by_value(&self) -> Woken {
        self.wake(REFERENCE)
    }

    /// The word is written even when `SCHEDULED` was set: the store puts this thread's writes into
    /// the chain the owner acquires in `take_scheduled`. A mere load would lose them.
    #[inline]
    fn wake(&self, given_up: u32) -> Woken {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let merged = word & MERGED != 0;
            if merged && given_up == 0 {
                return Woken::Nothing;
            }
            let next = word.wrapping_sub(given_up) | if merged { 0 } else { SCHEDULED };
            // AcqRel: release pairs with `take_scheduled`, acquire is for the one that frees.
            match self
                .0
                .compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) if merged && is_last(next) => return Woken::Free,
                Ok(_) if !merged && word & SCHEDULED == 0 => return Woken::Push,
                Ok(_) => return Woken::Nothing,
                Err(now) => word = now,
            }
        }
    }

    /// Takes `SCHEDULED` back: the owner after taking the task from the inbox and *before* it
    /// polls, or a pusher whom the closed inbox refused. Acquire pairs with the wakes: the poll
    /// that follows sees what was written before them.
    pub(crate) fn take_scheduled(&self) -> Taken {
        let before = self.0.fetch_and(!SCHEDULED, Ordering::AcqRel);
        debug_assert!(
            before & SCHEDULED != 0,
            "taken from the inbox without having been scheduled"
        );
        Taken {
            merged: before & MERGED != 0,
            last: is_last(before & !SCHEDULED),
        }
    }

    /// Whether no waker is left and no wake is under way, given the owner's own count. If so none
    /// can ever be made again once the task is complete. Acquire pairs with the drops elsewhere.
    #[inline]
    pub(crate) fn is_unreferenced(&self, owners_count: i16) -> bool {
        let word = self.0.load(Ordering::Acquire);
        word & (SCHEDULED | MERGED) == 0 && references(word) + i32::from(owners_count) == 0
    }

    /// Whether no other thread has left anything in it. Acquire as above.
    #[inline]
    pub(crate) fn is_zero(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }

    /// Adds the owner's count, and one more for the owner itself. True when a wake is under way:
    /// then the thread behind it will still touch the hub.
    pub(crate) fn merge(&self, owners_count: i16) -> bool {
        let add = shifted(i32::from(owners_count) + 1) | MERGED;
        self.0.fetch_add(add, Ordering::AcqRel) & SCHEDULED != 0
    }
}

/// The signed count in a word.
fn references(word: u32) -> i32 {
    word.cast_signed() >> 2
}

/// A signed count as an addend of the word.
fn shifted(count: i32) -> u32 {
    (count << 2).cast_unsigned()
}

/// Merged, not scheduled, and no reference.
fn is_last(word: u32) -> bool {
    word == MERGED
}
