//! Where timers are kept: one array, addressed by index, with keys that go stale.

use core::mem;
use core::num::NonZeroU32;

use crate::chunks::Chunks;
use crate::lists::NONE;
use crate::seeded;

/// Names one timer in a [`Wheel`](crate::Wheel), from its insertion until it fires or is
/// cancelled.
///
/// A key is eight bytes and copies freely; so is an `Option` of one. It carries a generation, so
/// the key of a timer that is gone never reaches a later timer in the same place. A key used with
/// another wheel than its own is not detected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    index: u32,
    generation: NonZeroU32,
}

impl Key {
    /// The place, and how many timers have had it.
    #[cfg(feature = "std")]
    pub(crate) fn parts(self) -> (u32, u32) {
        (self.index, self.generation.get())
    }
}

/// A timer, and where it is listed.
#[derive(Debug)]
pub(crate) struct Timer<T> {
    pub(crate) deadline: u64,
    pub(crate) value: T,
    generation: NonZeroU32,
    pub(crate) position: u32,
}

/// A place in the array. The compiler tells the variants apart by the zero that no live timer
/// has in one of its `NonZero` fields, so a place is no larger than a timer.
#[derive(Debug)]
enum Place<T> {
    Live(Timer<T>),
    Free { generation: NonZeroU32, next: u32 },
}

/// All timers of a wheel.
#[derive(Debug)]
pub(crate) struct Arena<T> {
    places: Chunks<Place<T>, CHUNK>,
    live: usize,
    /// The first free place, most recently freed first: it is the one still in the cache.
    free: u32,
    /// What a place that is new to the array starts with; above every generation handed out for
    /// places that were given back, so that keys stay stale across a shrink.
    first_generation: NonZeroU32,
    highest_generation: NonZeroU32,
}

/// Timers in a chunk of the array.
const CHUNK: usize = 4096;
/// An array this small is not worth giving back.
const KEEP_PLACES: usize = 1024;

impl<T> Arena<T> {
    pub(crate) const fn new() -> Self {
        Arena {
            places: Chunks::new(),
            live: 0,
            free: NONE,
            first_generation: NonZeroU32::MIN,
            highest_generation: NonZeroU32::MIN,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.live
    }

    pub(crate) fn capacity(&self) -> usize {
        self.places.capacity()
    }

    pub(crate) fn reserve(&mut self, additional: usize) {
        let free = self.places.len() - self.live;
        self.places.reserve(additional.saturating_sub(free));
    }

    /// Where the next timer will be.
    #[inline]
    pub(crate) fn next_index(&self) -> u32 {
        match self.free {
            NONE => self.places.len() as u32,
            index => index,
        }
    }

    /// Takes in a timer that is listed as [`next_index`](Arena::next_index) at `position`.
    #[inline]
    pub(crate) fn insert(&mut self, deadline: u64, value: T, position: u32) -> Key {
        self.live += 1;
        let index = self.free;
        if let Some(place) = self.places.get_mut(index)
            && let Place::Free { generation, next } = *place
        {
            self.free = next;
            *place = Place::Live(Timer {
                deadline,
                value,
                generation,
                position,
            });
            return Key { index, generation };
        }
        self.grow(deadline, value, position)
    }

    #[inline(never)]
    fn grow(&mut self, deadline: u64, value: T, position: u32) -> Key {
        let index = self.places.len();
        assert!(
            index < NONE as usize,
            "a wheel holds fewer than 2^32 - 1 timers"
        );
        let index = index as u32;
        let generation = self.first_generation;
        self.places.push(Place::Live(Timer {
            deadline,
            value,
            generation,
            position,
        }));
        Key { index, generation }
    }

    /// Takes out the timer at `index`, which must be live and no longer in a list.
    #[inline]
    pub(crate) fn remove(&mut self, index: u32) -> (Key, Timer<T>) {
        let place = &mut self.places[index];
        let free = Place::Free {
            generation: NonZeroU32::MAX,
            next: self.free,
        };
        let Place::Live(timer) = mem::replace(place, free) else {
            not_live()
        };
        let generation = timer.generation;
        if let Some(next) = generation.checked_add(u32::from(!seeded::GENERATION_STAYS)) {
            *place = Place::Free {
                generation: next,
                next: self.free,
            };
            self.free = index; // else: never used again, or a key could come back to life
        }
        self.highest_generation = self.highest_generation.max(generation);
        self.live -= 1;
        if self.live == 0 {
            self.give_back_a_burst();
        }
        (Key { index, generation }, timer)
    }

    #[cold]
    fn give_back_a_burst(&mut self) {
        let worth_it = self.places.len() > KEEP_PLACES && !seeded::BURST_STAYS;
        if worth_it && self.highest_generation < NonZeroU32::MAX {
            self.give_back();
        }
    }

    /// Frees the array; nothing in it is live.
    fn give_back(&mut self) {
        self.first_generation = self.highest_generation.saturating_add(1);
        self.places = Chunks::new();
        self.free = NONE;
    }

    /// Gives back what lies behind the last live timer.
    pub(crate) fn shrink_to_fit(&mut self) {
        let is_free = |place: Option<&Place<T>>| matches!(place, Some(Place::Free { .. }));
        let mut len = self.places.len() as u32;
        while len > 0 && is_free(self.places.get(len - 1)) {
            len -= 1;
        }
        self.places.truncate(len as usize);
        self.first_generation = self.highest_generation.saturating_add(1);
        self.free = NONE;
        for index in (0..len).rev() {
            if let Place::Free { generation, next } = &mut self.places[index]
                && *generation < NonZeroU32::MAX
            {
                *next = mem::replace(&mut self.free, index);
            }
        }
    }

    /// The index of a timer that is still there.
    pub(crate) fn find(&self, key: Key) -> Option<u32> {
        match self.places.get(key.index)? {
            Place::Live(timer) if timer.generation == key.generation => Some(key.index),
            _ => None,
        }
    }

    /// The timer at `index`, which must be live.
    #[inline]
    pub(crate) fn at(&self, index: u32) -> &Timer<T> {
        match &self.places[index] {
            Place::Live(timer) => timer,
            Place::Free { .. } => not_live(),
        }
    }

    /// The timer at `index`, which must be live.
    #[inline]
    pub(crate) fn at_mut(&mut self, index: u32) -> &mut Timer<T> {
        match &mut self.places[index] {
            Place::Live(timer) => timer,
            Place::Free { .. } => not_live(),
        }
    }

    /// Notes where the timer at `index`, which must be live, is listed now; returns its key.
    #[inline]
    pub(crate) fn relist(&mut self, index: u32, position: u32) -> Key {
        let timer = self.at_mut(index);
        timer.position = position;
        Key {
            index,
            generation: timer.generation,
        }
    }

    /// Empties the arena and hands over what was in it, in no particular order.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (u64, T)> + use<T> {
        let places = mem::replace(&mut self.places, Chunks::new());
        for place in places.iter() {
            if let Place::Live(timer) = place {
                self.highest_generation = self.highest_generation.max(timer.generation);
            }
        }
        self.live = 0;
        self.give_back();
        places.into_elements().filter_map(|place| match place {
            Place::Live(timer) => Some((timer.deadline, timer.value)),
            Place::Free { .. } => None,
        })
    }
}

#[cold]
fn not_live() -> ! {
    unreachable!("lists only link live timers")
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn arena(timers: u64) -> (Arena<u64>, Vec<Key>) {
        let mut arena = Arena::new();
        let keys = (0..timers).map(|n| arena.insert(n, n, 0)).collect();
        (arena, keys)
    }

    #[test]
    fn a_timer_with_an_eight_byte_payload_takes_24_bytes() {
        assert_eq!(size_of::<Place<u64>>(), 24);
        assert_eq!(size_of::<Option<Key>>(), 8);
    }

    #[test]
    fn a_key_goes_stale_when_its_timer_leaves() {
        let (mut arena, keys) = arena(2);
        let index = arena.find(keys[1]).unwrap();
        assert_eq!(arena.remove(index).1.value, 1);
        assert_eq!(arena.find(keys[1]), None);
        let again = arena.insert(9, 9, 0);
        assert_eq!(arena.find(again), Some(index), "the place is used again");
        assert_eq!(
            arena.find(keys[1]),
            None,
            "the old key does not reach the new timer"
        );
        assert_eq!(arena.find(keys[0]), Some(0));
    }

    #[test]
    fn a_place_whose_generations_are_used_up_is_retired() {
        let mut arena = Arena::<u8>::new();
        arena.first_generation = NonZeroU32::MAX;
        let last = arena.insert(0, 0, 0);
        arena.remove(0);
        assert_eq!(arena.find(last), None);
        let other = arena.insert(0, 0, 0);
        assert_eq!(arena.find(other), Some(1));
        assert_eq!(arena.find(last), None);
    }

    #[test]
    fn a_burst_is_given_back_and_its_keys_stay_stale() {
        let (mut arena, keys) = arena(5_000);
        for index in 0..5_000 {
            arena.remove(index);
        }
        assert_eq!((arena.len(), arena.capacity()), (0, 0));
        arena.insert(1, 1, 0);
        assert!(keys.iter().all(|&key| arena.find(key).is_none()));
    }

    #[test]
    fn shrinking_keeps_what_is_live_and_what_is_free_before_it() {
        let (mut arena, keys) = arena(100);
        for index in (0..100).filter(|index| *index != 40) {
            arena.remove(index);
        }
        arena.shrink_to_fit();
        assert!(arena.capacity() >= 41 && arena.capacity() < 100);
        assert_eq!(arena.find(keys[40]), Some(40));
        let fresh: Vec<Key> = (0..60).map(|n| arena.insert(n, n, 0)).collect();
        assert_eq!(
            fresh[0].index, 0,
            "free places before the last live one are used again"
        );
        let stale = keys.iter().enumerate().filter(|(index, _)| *index != 40);
        assert!(stale.into_iter().all(|(_, &key)| arena.find(key).is_none()));
        assert_eq!(arena.len(), 61);
    }
}
