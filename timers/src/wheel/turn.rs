//! A turn of the wheel: time moves to the next slot that holds timers. One of level 0 is fired; one
//! of a higher level is emptied into the levels below.

use super::{Due, OVERDUE, Wheel};
use crate::arena::Key;
use crate::level::Slot;
use crate::lists::PAGE_TIMERS;

impl<T> Wheel<T> {
    /// Opens a turn: what is overdue now may fire, what becomes overdue from here on waits.
    pub(crate) fn begin_turn(&mut self) {
        if self.lists.is_empty(OVERDUE[self.firing]) {
            self.firing = 1 - self.firing;
        }
    }

    /// The next timer of the turn that [`begin_turn`](Wheel::begin_turn) opened, unless `steps`
    /// are used up first. `moved` hears of each timer that goes to another slot on the
    /// way, and when it is due.
    ///
    /// Each time round does the first of these that there is to do:
    /// 1. fire an overdue timer;
    /// 2. move a page of the slot that is cascading;
    /// 3. move time to the first occupied slot, if that begins by `now`. One of a higher level
    ///    begins to cascade; of one of level 0 the first timer fires, or, if its deadline was moved
    ///    back after it had come here, goes to the slot where it belongs now.
    pub(crate) fn next_due(
        &mut self,
        now: u64,
        steps: &mut usize,
        mut moved: impl FnMut(Key, Slot, u64),
    ) -> Option<Due<T>> {
        let now = now.max(self.now);
        while *steps > 0 {
            *steps -= 1;
            if let Some(index) = self.lists.pop(OVERDUE[self.firing]) {
                return Some(self.take(index));
            }
            if let Some(slot) = self.cascading {
                *steps = steps.saturating_sub(self.cascade_page(slot, &mut moved));
                continue;
            }
            let first = self.occupied.first();
            let first = first.map(|slot| (slot, slot.start(self.now)));
            let Some((slot, start)) = first.filter(|(_, start)| *start <= now) else {
                self.now = now;
                return None;
            };
            if slot.level() > 0 {
                // everything before the slot's earliest timer can be skipped: nothing is there
                self.now = self.lists.earliest(slot.0).max(start).min(now);
                self.cascading = Some(slot);
                continue;
            }
            self.now = start;
            let Some(index) = self.pop_from(slot) else {
                continue;
            };
            let deadline = self.arena.at(index).deadline;
            if deadline <= start {
                return Some(self.take(index));
            }
            let slot = Slot::of(start, deadline); // it was moved back
            moved(self.enlist(index, deadline, slot.0), slot, deadline);
        }
        None
    }

    /// Moves the first page of the cascading slot to where its timers belong as seen from `now`;
    /// returns how many those were.
    ///
    /// All deadlines are read before the first timer is moved: reads that nothing stands between
    /// go out to memory together, and that is most of what a cascade costs.
    fn cascade_page(&mut self, slot: Slot, moved: &mut impl FnMut(Key, Slot, u64)) -> usize {
        let mut page = [(0, 0); PAGE_TIMERS];
        let mut moves = 0;
        for index in self.lists.first_page(slot.0) {
            page[moves] = (index, self.arena.at(index).deadline);
            moves += 1;
        }
        self.lists.pop_page(slot.0);
        for &(index, deadline) in &page[..moves] {
            let slot = Slot::of(self.now, deadline);
            moved(self.enlist(index, deadline, slot.0), slot, deadline);
        }
        if self.lists.is_empty(slot.0) {
            self.occupied.clear(slot);
            self.cascading = None;
        }
        moves
    }

    /// Takes the first timer off a slot's list.
    fn pop_from(&mut self, slot: Slot) -> Option<u32> {
        let index = self.lists.pop(slot.0);
        if self.lists.is_empty(slot.0) {
            self.occupied.clear(slot);
        }
        index
    }

    fn take(&mut self, index: u32) -> Due<T> {
        let (key, timer) = self.arena.remove(index);
        self.give_back_a_burst();
        Due {
            key,
            deadline: timer.deadline,
            value: timer.value,
        }
    }
}
