//! The wheel: lists of timers, one for each slot, and the two motions that empty them.

mod turn;

use core::fmt;

use crate::arena::{Arena, Key};
use crate::level::{Occupancy, SLOTS_TOTAL, Slot};
use crate::lists::Lists;

/// Timers that were due already when they came. There are two such lists: one is being fired
/// while the other takes in what the firing brings, so that a turn comes to an end.
const OVERDUE: [u16; 2] = [SLOTS_TOTAL as u16, SLOTS_TOTAL as u16 + 1];
const LISTS: usize = SLOTS_TOTAL + OVERDUE.len();

/// A timer that has come due, taken out of the wheel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Due<T> {
    /// The key it had; stale now, it only serves to recognise the timer.
    pub key: Key,
    /// The tick it was due at. Never later than the tick of the turn that fires it.
    pub deadline: u64,
    /// What was inserted.
    pub value: T,
}

/// Timers ordered by deadline, in constant time for each operation.
///
/// A wheel knows ticks, not time: deadlines are any `u64`, and the caller says how far time has
/// come. It calls nobody, reads no clock and needs no `std`.
///
/// Timers fire in the order of their deadlines, and those of one deadline in the order of their
/// insertion. (A [`reschedule`](Wheel::reschedule) may come before or after others of the same
/// deadline.)
///
/// The idea is George Varghese's and Tony Lauck's, "Hashed and Hierarchical Timing Wheels",
/// SOSP 1987, their scheme 7.
///
/// ```
/// let mut wheel = timers::Wheel::new();
/// let tea = wheel.insert(180, "tea");
/// let egg = wheel.insert(300, "egg");
/// assert_eq!(wheel.next_deadline(), Some(180));
/// assert_eq!(wheel.cancel(egg), Some("egg"));
///
/// let mut served = Vec::new();
/// wheel.advance(179, |_, due| served.push(due.value));
/// assert!(served.is_empty(), "never early");
/// wheel.advance(180, |_, due| served.push(due.value));
/// assert_eq!(served, ["tea"]);
/// assert_eq!(wheel.cancel(tea), None);
/// ```
pub struct Wheel<T> {
    /// Every deadline up to and including this tick has been fired, except for the overdue.
    now: u64,
    arena: Arena<T>,
    lists: Lists<LISTS>,
    occupied: Occupancy,
    /// Which overdue list is being fired: 0 or 1.
    firing: usize,
    /// A slot above level 0 that is being emptied. Its timers may be earlier than any other.
    cascading: Option<Slot>,
}

impl<T> Wheel<T> {
    /// An empty wheel whose time stands at tick 0. Takes 12 KiB for its slots at once.
    #[must_use]
    pub fn new() -> Self {
        Wheel::starting_at(0)
    }

    /// An empty wheel whose time stands at `now`.
    #[must_use]
    pub fn starting_at(now: u64) -> Self {
        Wheel {
            now,
            arena: Arena::new(),
            lists: Lists::new(),
            occupied: Occupancy::default(),
            firing: 0,
            cascading: None,
        }
    }

    /// The tick that time has come to: the greatest one passed to [`advance`](Wheel::advance), or
    /// less while a bounded turn has work left.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.now
    }

    /// Timers waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        self.arena.len()
    }

    /// Whether no timer waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Timers there is room for without asking for memory.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.arena.capacity()
    }

    /// Makes room for `additional` timers more.
    ///
    /// # Panics
    /// When that is more than 32 bits can number. With more than there is memory the process ends,
    /// as in all of std.
    pub fn reserve(&mut self, additional: usize) {
        self.arena.reserve(additional);
    }

    /// Gives back unused memory, as far as the places of waiting timers allow.
    ///
    /// A wheel that held more than a thousand timers does so by itself when the last one leaves.
    pub fn shrink_to_fit(&mut self) {
        self.arena.shrink_to_fit();
        self.lists.shrink();
    }

    /// Adds a timer. With a deadline that time has passed already it fires in the next turn,
    /// which is not the one that may be in progress.
    ///
    /// # Panics
    /// With more timers waiting than 32 bits can number, or without memory.
    #[inline]
    pub fn insert(&mut self, deadline: u64, value: T) -> Key {
        // the common case is without a call, so that no register has to be saved for one
        if let Some(index) = self.arena.vacant()
            && deadline > self.now
            && let slot = Slot::of(self.now, deadline)
            && let Some(position) = self.lists.push_if_room(slot.0, index, deadline)
        {
            return self.arena.insert(deadline, value, position);
        }
        self.insert_with_more_room(deadline, value)
    }

    #[inline(never)]
    fn insert_with_more_room(&mut self, deadline: u64, value: T) -> Key {
        let index = self.arena.next_index();
        let position = self.list(index, deadline, self.list_for(deadline));
        self.arena.insert(deadline, value, position)
    }

    /// Takes a timer out before it fires. `None` when it has fired or was cancelled before.
    #[inline]
    pub fn cancel(&mut self, key: Key) -> Option<T> {
        let timer = self.arena.take(key)?;
        if !self.lists.clear_bit(timer.position, self.len()) {
            self.delist(timer.position);
        }
        Some(timer.value)
    }

    /// Changes a timer's deadline; `false` when the timer is gone.
    ///
    /// Cheap when the deadline moves back, as a keep-alive's does with every message: the timer
    /// stays in its slot with the new deadline noted, and moves on when time comes to that slot.
    pub fn reschedule(&mut self, key: Key, deadline: u64) -> bool {
        let Some(timer) = self.arena.get_mut(key) else {
            return false;
        };
        if self.now < timer.deadline && timer.deadline <= deadline {
            timer.deadline = deadline; // time comes to its slot earlier, and it is moved on then
            return true;
        }
        timer.deadline = deadline;
        let position = timer.position;
        let list = self.lists.list_at(position);
        let stays = deadline > self.now
            && Slot::new(list).is_some_and(|slot| slot.start(self.now) <= deadline);
        if stays {
            self.lists.lower_earliest(list, deadline);
        } else {
            self.delist(position);
            self.enlist(key.index(), deadline, self.list_for(deadline));
        }
        true
    }

    /// What a timer carries; `None` when it has fired or was cancelled.
    #[must_use]
    pub fn get(&self, key: Key) -> Option<&T> {
        self.arena.get(key).map(|timer| &timer.value)
    }

    /// What a timer carries, to be changed; `None` when it has fired or was cancelled.
    #[must_use]
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.arena.get_mut(key).map(|timer| &mut timer.value)
    }

    /// When a timer is due; `None` when it has fired or was cancelled.
    #[must_use]
    pub fn deadline(&self, key: Key) -> Option<u64> {
        self.arena.get(key).map(|timer| timer.deadline)
    }

    /// The slot a timer waits in; `None` when it was due already when it came, and when it has
    /// fired or was cancelled.
    ///
    /// ```
    /// let mut wheel = timers::Wheel::new();
    /// let tea = wheel.insert(3 * 64 + 7, "tea");
    /// let slot = wheel.slot(tea).unwrap();
    /// assert_eq!((slot.level(), slot.digit()), (1, 3));
    /// ```
    #[must_use]
    pub fn slot(&self, key: Key) -> Option<Slot> {
        let timer = self.arena.get(key)?;
        Slot::new(self.lists.list_at(timer.position))
    }

    /// A tick that no timer is due before: how long the caller may wait. `None` when it is empty.
    ///
    /// It is exactly the earliest deadline, but for two cases. With something overdue it is
    /// [`now`](Wheel::now). And when the earliest timer of a slot was cancelled or moved back it
    /// may be too early; a turn at that tick then fires nothing and corrects it.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        if self.is_empty() {
            return None; // also if a cascade was left off, and what it had to move was cancelled
        }
        let overdue = OVERDUE.iter().any(|&list| !self.lists.is_empty(list));
        if overdue || self.cascading.is_some() {
            return Some(self.now);
        }
        let slot = self.occupied.first()?;
        Some(self.lists.earliest(slot.0))
    }

    /// Moves time to `now` and fires all that is due by then, in order; returns how many.
    ///
    /// The callback may insert and cancel as it likes. What it inserts for a later tick up to
    /// `now` fires in this same turn, in its place in the order; what it inserts for the tick it
    /// is called at, or before, waits for the next turn, so that a turn always ends. When it
    /// panics, the timers not yet fired stay for the next turn.
    ///
    /// A `now` before the wheel's own time only fires what is overdue.
    pub fn advance(&mut self, now: u64, fire: impl FnMut(&mut Self, Due<T>)) -> usize {
        self.advance_at_most(now, usize::MAX, fire)
    }

    /// Like [`advance`](Wheel::advance), but stops after `steps` steps, of which firing a timer is
    /// one and moving a timer to a lower level is another. Returns how many were fired.
    ///
    /// While work is left, [`next_deadline`](Wheel::next_deadline) is no later than `now`.
    pub fn advance_at_most(
        &mut self,
        now: u64,
        steps: usize,
        mut fire: impl FnMut(&mut Self, Due<T>),
    ) -> usize {
        self.begin_turn();
        let (mut left, mut fired) = (steps, 0);
        while let Some(due) = self.next_due(now, &mut left, |_, _, _| ()) {
            fired += 1;
            fire(self, due);
        }
        fired
    }

    /// Takes out the first timer that is due by `now`, moving time on to it; `None` when there is
    /// none, and time stands at `now` then.
    ///
    /// For callers that cannot fire from inside a call: `while let Some(due) = wheel.pop(now)`.
    /// Unlike a turn of [`advance`](Wheel::advance), such a loop has no end if it inserts a timer
    /// that is due at once for each that it takes out.
    pub fn pop(&mut self, now: u64) -> Option<Due<T>> {
        let mut steps = usize::MAX;
        self.begin_turn();
        self.next_due(now, &mut steps, |_, _, _| ())
    }

    /// Takes out every timer, each with its deadline, in no particular order.
    pub fn drain(&mut self) -> impl Iterator<Item = (u64, T)> + use<T> {
        self.lists.clear();
        self.occupied = Occupancy::default();
        self.cascading = None;
        self.arena.drain()
    }

    /// The list for a timer that comes from outside.
    fn list_for(&self, deadline: u64) -> u16 {
        if deadline <= self.now {
            OVERDUE[1 - self.firing]
        } else {
            Slot::of(self.now, deadline).0
        }
    }

    /// Lists a timer that is in the arena already.
    fn enlist(&mut self, index: u32, deadline: u64, list: u16) -> Key {
        let position = self.list(index, deadline, list);
        self.arena.relist(index, position)
    }

    /// Puts a timer on a list, and returns its position there.
    #[inline]
    fn list(&mut self, index: u32, deadline: u64, list: u16) -> u32 {
        let (position, opens_page) = self.lists.push(list, index, deadline);
        if opens_page && let Some(slot) = Slot::new(list) {
            self.occupied.set(slot);
        }
        position
    }

    /// Takes the timer at `position` off its list, whatever comes of it.
    #[inline(never)]
    fn delist(&mut self, position: u32) {
        let (all, arena) = (self.len(), &mut self.arena);
        let moved = |timer, position| {
            arena.relist(timer, position);
        };
        if let Some(emptied) = self.lists.remove(position, all, moved)
            && let Some(slot) = Slot::new(emptied)
        {
            self.occupied.clear(slot);
        }
        self.give_back_a_burst();
    }

    /// Gives back the memory of many timers when the last one has left.
    #[inline]
    fn give_back_a_burst(&mut self) {
        if self.is_empty() {
            self.arena.emptied();
            if self.arena.capacity() == 0 {
                self.lists.clear();
            }
        }
    }
}

impl<T> Default for Wheel<T> {
    fn default() -> Self {
        Wheel::new()
    }
}

impl<T> fmt::Debug for Wheel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wheel")
            .field("now", &self.now)
            .field("len", &self.len())
            .field("next_deadline", &self.next_deadline())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn pages_are_given_back_with_the_timers_of_a_burst_and_not_before() {
        for (timers, given_back) in [(10, false), (5_000, true)] {
            for cancelled in [false, true] {
                let mut wheel = Wheel::new();
                let keys: Vec<Key> = (0..timers).map(|n| wheel.insert(n + 1, n)).collect();
                if cancelled {
                    let values = keys.into_iter().filter_map(|key| wheel.cancel(key));
                    assert_eq!(values.count() as u64, timers);
                } else {
                    assert_eq!(wheel.advance(timers, |_, _| ()) as u64, timers);
                }
                assert_eq!(wheel.lists.capacity() == 0, given_back, "{timers}");
            }
        }
    }
}
