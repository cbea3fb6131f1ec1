//! One wheel of the timers, and what can be known of it without its lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

use crate::arena::Key;
use crate::firing::Taken;
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
    /// No timer is due before this tick; [`NOTHING`] when there is none, or only then.
    ///
    /// Changed under the wheel's lock, read without it by a loop that wants to know whether
    /// anything is due. An old value is harmless: one that is too early makes it look in vain, and
    /// a sleep that it does not see yet is seen by `patience`, which takes the lock, before the
    /// loop waits. So the accesses need no order.
    earliest: AtomicU64,
    /// All timers up to this tick have fired, but for those that were overdue when they came.
    ///
    /// Written under the wheel's lock when a turn has come to its end, and it only grows. So who
    /// reads it without the lock may be late to learn that a timer has fired, and looks into the
    /// wheel then; but is never told of one that has not. The accesses need no order.
    fired_up_to: AtomicU64,
}

/// The tick that never comes: no clock gets there, real time not for 584 years.
pub(crate) const NOTHING: u64 = u64::MAX;

/// When a timer is known to have fired without a look into the wheel: as soon as `fired_up_to` is
/// its tick. The wheel puts what is overdue aside, and a turn that is in progress at that time may
/// end without firing it; so nothing is known of such a timer.
fn told_by(wheel: &Wheel<Waker>, tick: u64) -> u64 {
    if tick > wheel.now() { tick } else { NOTHING }
}

impl<S: Sharing> Shard<S> {
    pub(crate) fn new(keeper: S::Ref<Timekeeper>, number: usize, of: usize) -> Self {
        Shard {
            keeper,
            number: number as u32,
            of,
            wheel: S::exclusive(Wheel::new()),
            earliest: AtomicU64::new(NOTHING),
            fired_up_to: AtomicU64::new(0),
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

    /// Whether a timer has fired, going by what [`insert`](Shard::insert) or
    /// [`reschedule`](Shard::reschedule) said of it. If `false`, only the wheel knows.
    #[inline]
    pub(crate) fn tells(&self, told_by: u64) -> bool {
        told_by <= self.fired_up_to.load(Ordering::Relaxed)
    }

    /// For what does not bring a deadline forward.
    #[inline]
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut Wheel<Waker>) -> R) -> R {
        S::with(&self.wheel, work)
    }

    /// Adds a timer; also says when [`tells`](Shard::tells) will know that it has fired.
    #[inline]
    pub(crate) fn insert(&self, tick: u64, waker: Waker) -> (Key, u64) {
        self.with(|wheel| {
            self.lower_earliest(tick);
            (wheel.insert(tick, waker), told_by(wheel, tick))
        })
    }

    /// Changes a timer's tick; says when [`tells`](Shard::tells) will know that it has fired, or
    /// nothing if the timer is gone.
    #[inline]
    pub(crate) fn reschedule(&self, key: Key, tick: u64) -> Option<u64> {
        self.with(|wheel| {
            self.lower_earliest(tick);
            let there = wheel.reschedule(key, tick);
            there.then(|| told_by(wheel, tick))
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

    /// Takes what is due by `now` out of the wheel, up to a handful; `true` when there may be more.
    /// The first time in a turn of the loop it also opens a turn of the wheel.
    pub(crate) fn take_due(
        &self,
        taken: &mut Taken,
        now: u64,
        begins: bool,
        watched: bool,
    ) -> bool {
        self.with(|wheel| {
            if begins {
                wheel.begin_turn();
            }
            let more = taken.collect(wheel, now, watched);
            if !more {
                // the turn is over: up to where time stands now, none is left but what came overdue
                self.fired_up_to.store(wheel.now(), Ordering::Relaxed);
            }
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
