//! Where timers are kept: one growing array, addressed by index, with keys that go stale.

use alloc::vec::Vec;
use core::mem;
use core::num::{NonZeroU16, NonZeroU32};

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
    pub(crate) fn index(self) -> u32 {
        self.index
    }
}

/// The index that stands for "none": the end of a list.
pub(crate) const NONE: u32 = u32::MAX;

/// Which of the wheel's lists a timer is in; one more than its number, to leave zero unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListId(NonZeroU16);

impl ListId {
    pub(crate) fn new(number: u16) -> ListId {
        ListId(NonZeroU16::MIN.saturating_add(number))
    }

    pub(crate) fn number(self) -> u16 {
        self.0.get() - 1
    }
}

/// A timer and its neighbours in the list it waits in.
#[derive(Debug)]
pub(crate) struct Timer<T> {
    pub(crate) deadline: u64,
    pub(crate) value: T,
    pub(crate) next: u32,
    pub(crate) previous: u32,
    generation: NonZeroU32,
    pub(crate) list: ListId,
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
    places: Vec<Place<T>>,
    live: usize,
    /// The first free place, most recently freed first: it is the one still in the cache.
    free: u32,
    /// What a place that is new to the array starts with; above every generation handed out for
    /// places that were given back, so that keys stay stale across a shrink.
    first_generation: NonZeroU32,
    highest_generation: NonZeroU32,
}

/// An array this small is not worth giving back.
const KEEP_PLACES: usize = 1024;

impl<T> Arena<T> {
    pub(crate) const fn new() -> Self {
        Arena {
            places: Vec::new(),
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

    /// Takes in a timer that is in no list yet; `list` only says where it is about to be linked.
    pub(crate) fn insert(&mut self, deadline: u64, value: T, list: ListId) -> Key {
        self.live += 1;
        let index = self.free;
        if let Some(place) = self.places.get_mut(index as usize)
            && let Place::Free { generation, next } = *place
        {
            self.free = next;
            let (next, previous) = (NONE, NONE);
            *place = Place::Live(Timer {
                deadline,
                value,
                next,
                previous,
                generation,
                list,
            });
            return Key { index, generation };
        }
        self.grow(deadline, value, list)
    }

    #[cold]
    fn grow(&mut self, deadline: u64, value: T, list: ListId) -> Key {
        let index = self.places.len();
        assert!(
            index < NONE as usize,
            "a wheel holds fewer than 2^32 - 1 timers"
        );
        let index = index as u32;
        let generation = self.first_generation;
        let (next, previous) = (NONE, NONE);
        self.places.push(Place::Live(Timer {
            deadline,
            value,
            next,
            previous,
            generation,
            list,
        }));
        Key { index, generation }
    }

    /// Takes out the timer at `index`, which must be live and no longer in a list.
    pub(crate) fn remove(&mut self, index: u32) -> (Key, Timer<T>) {
        let place = &mut self.places[index as usize];
        let Place::Live(Timer { generation, .. }) = *place else {
            not_live()
        };
        let key = Key { index, generation };
        let next_generation = generation.checked_add(1);
        let free = Place::Free {
            generation: next_generation.unwrap_or(generation),
            next: self.free,
        };
        let Place::Live(timer) = mem::replace(place, free) else {
            not_live()
        };
        if next_generation.is_some() {
            self.free = index; // else: never used again, or a key could come back to life
        }
        self.highest_generation = self.highest_generation.max(generation);
        self.live -= 1;
        if self.live == 0
            && self.places.len() > KEEP_PLACES
            && self.highest_generation < NonZeroU32::MAX
        {
            self.give_back();
        }
        (key, timer)
    }

    /// Frees the array; nothing in it is live.
    fn give_back(&mut self) {
        self.first_generation = self.highest_generation.saturating_add(1);
        self.places = Vec::new();
        self.free = NONE;
    }

    /// Gives back what lies behind the last live timer.
    pub(crate) fn shrink_to_fit(&mut self) {
        while let Some(Place::Free { .. }) = self.places.last() {
            self.places.pop();
        }
        self.first_generation = self.highest_generation.saturating_add(1);
        self.places.shrink_to_fit();
        self.free = NONE;
        for (index, place) in self.places.iter_mut().enumerate().rev() {
            if let Place::Free { generation, next } = place
                && *generation < NonZeroU32::MAX
            {
                *next = mem::replace(&mut self.free, index as u32);
            }
        }
    }

    /// The index of a timer that is still there.
    pub(crate) fn find(&self, key: Key) -> Option<u32> {
        match self.places.get(key.index as usize)? {
            Place::Live(timer) if timer.generation == key.generation => Some(key.index),
            _ => None,
        }
    }

    /// The timer at `index`, which must be live.
    #[inline]
    pub(crate) fn at(&self, index: u32) -> &Timer<T> {
        match &self.places[index as usize] {
            Place::Live(timer) => timer,
            Place::Free { .. } => not_live(),
        }
    }

    /// The timer at `index`, which must be live.
    #[inline]
    pub(crate) fn at_mut(&mut self, index: u32) -> &mut Timer<T> {
        match &mut self.places[index as usize] {
            Place::Live(timer) => timer,
            Place::Free { .. } => not_live(),
        }
    }

    /// Empties the arena and hands over what was in it, in no particular order.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (u64, T)> + use<T> {
        let places = mem::take(&mut self.places);
        for place in &places {
            if let Place::Live(timer) = place {
                self.highest_generation = self.highest_generation.max(timer.generation);
            }
        }
        self.live = 0;
        self.give_back();
        places.into_iter().filter_map(|place| match place {
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

    const LIST: u16 = 7;

    fn arena(timers: u64) -> (Arena<u64>, Vec<Key>) {
        let mut arena = Arena::new();
        let keys = (0..timers)
            .map(|n| arena.insert(n, n, ListId::new(LIST)))
            .collect();
        (arena, keys)
    }

    #[test]
    fn an_entry_with_an_eight_byte_payload_takes_32_bytes() {
        assert_eq!(size_of::<Place<u64>>(), 32);
        assert_eq!(size_of::<Option<Key>>(), 8);
    }

    #[test]
    fn a_key_goes_stale_when_its_timer_leaves() {
        let (mut arena, keys) = arena(2);
        let index = arena.find(keys[1]).unwrap();
        assert_eq!(arena.remove(index).1.value, 1);
        assert_eq!(arena.find(keys[1]), None);
        let again = arena.insert(9, 9, ListId::new(LIST));
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
        let last = arena.insert(0, 0, ListId::new(LIST));
        arena.remove(0);
        assert_eq!(arena.find(last), None);
        let other = arena.insert(0, 0, ListId::new(LIST));
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
        arena.insert(1, 1, ListId::new(LIST));
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
        let fresh: Vec<Key> = (0..60)
            .map(|n| arena.insert(n, n, ListId::new(LIST)))
            .collect();
        assert_eq!(
            fresh[0].index, 0,
            "free places before the last live one are used again"
        );
        let stale = keys.iter().enumerate().filter(|(index, _)| *index != 40);
        assert!(stale.into_iter().all(|(_, &key)| arena.find(key).is_none()));
        assert_eq!(arena.len(), 61);
    }
}
