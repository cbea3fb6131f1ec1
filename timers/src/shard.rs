//! One wheel of the timers, and what can be known of it without its lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

use crate::arena::Key;
use crate::firing::Firing;
use crate::observe::TimerId;
use crate::sharing::Sharing;
use crate::timekeeper::Timekeeper;
use crate::wheel::Wheel;

/// On cache lines of its own, as is the count of the sleeps that refer to it: workers on different
/// shards do not slow each other.
#[repr(align(128))]
pub(crate) struct Shard<S: Sharing> {
    keeper: S::Ref<Timekeeper>,
    number: u32,
    /// How many there are.
    of: usize,
    wheel: S::Exclusive<Wheel<Waker>>,
    /// No timer is due before this tick; [`NOTHING`] when there is none, or only in 584 years.
    ///
    /// Changed under the wheel's lock, read without it by a loop that wants to know whether
    /// anything is due. An old value is harmless: one that is too early makes it look in vain, and
    /// a sleep that it does not see yet is seen by `patience`, which takes the lock, before the
    /// loop waits. So the accesses need no order.
    earliest: AtomicU64,
}

/// The tick that never comes.
pub(crate) const NOTHING: u64 = u64::MAX;

impl<S: Sharing> Shard<S> {
    pub(crate) fn new(keeper: S::Ref<Timekeeper>, number: usize, of: usize) -> Self {
        Shard {
            keeper,
            number: number as u32,
            of,
            wheel: S::exclusive(Wheel::new()),
            earliest: AtomicU64::new(NOTHING),
        }
    }

    #[inline]
    pub(crate) fn keeper(&self) -> &Timekeeper {
        &self.keeper
    }

    /// What the observer knows the timer of this key by.
    pub(crate) fn timer_id(&self, key: Key) -> TimerId {
        TimerId::new(key, self.number, self.of)
    }

    /// A tick that nothing is due before, without taking the lock.
    #[inline]
    pub(crate) fn earliest(&self) -> u64 {
        self.earliest.load(Ordering::Relaxed)
    }

    /// For what does not bring a deadline forward.
    #[inline]
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut Wheel<Waker>) -> R) -> R {
        S::with(&self.wheel, work)
    }

    #[inline]
    pub(crate) fn insert(&self, tick: u64, waker: Waker) -> Key {
        self.with(|wheel| {
            self.lower_earliest(tick);
            wheel.insert(tick, waker)
        })
    }

    #[inline]
    pub(crate) fn reschedule(&self, key: Key, tick: u64) -> bool {
        self.with(|wheel| {
            self.lower_earliest(tick);
            wheel.reschedule(key, tick)
        })
    }

    #[inline]
    fn lower_earliest(&self, tick: u64) {
        if tick < self.earliest() {
            self.earliest.store(tick, Ordering::Relaxed);
        }
    }

    /// When something is due next, as the wheel has it.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.with(|wheel| self.refresh(wheel))
    }

    /// Opens a turn of the wheel and collects the first handful; `true` when there may be more.
    pub(crate) fn begin_turn(&self, firing: &mut Firing<'_>, now: u64) -> bool {
        self.with(|wheel| {
            wheel.begin_turn();
            let more = firing.collect(wheel, now);
            self.refresh(wheel);
            more
        })
    }

    /// Collects another handful; `true` when there may be more.
    pub(crate) fn go_on(&self, firing: &mut Firing<'_>, now: u64) -> bool {
        self.with(|wheel| {
            let more = firing.collect(wheel, now);
            self.refresh(wheel);
            more
        })
    }

    fn refresh(&self, wheel: &Wheel<Waker>) -> Option<u64> {
        let next = wheel.next_deadline();
        let earliest = next.unwrap_or(NOTHING);
        self.earliest.store(earliest, Ordering::Relaxed);
        next
    }
}
