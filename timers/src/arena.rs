//! Where timers are kept: one array, addressed by index, with keys that go stale.

use core::mem;
use core::num::NonZeroU32;

use crate::chunks::Chunks;
use crate::lists::NONE;

/// Names one timer in a [`Wheel`](crate::Wheel), from its insertion until it fires or is
/// cancelled.
///
/// A key is eight bytes and copies freely; so is an `Option` of one. It carries a generation, so
/// the key of a timer that is gone never reaches a later timer in the same place. (A place that has
/// had 2<sup>32</sup> timers is not used again; from then on a wheel keeps a burst's memory, and one
/// that is drained or shrunk starts over.) A key used with another wheel than its own is not
/// detected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    index: u32,
    generation: NonZeroU32,
}

impl Key {
    #[inline]
    pub(crate) fn index(self) -> u32 {
        self.index
    }

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
    free: FreeList,
    /// What a place that is new to the array starts with; above every generation handed out for
    /// places that were given back, so that keys stay stale across a shrink.
    first_generation: NonZeroU32,
}

/// The free places, most recently freed first: that one is still in the cache.
#[derive(Debug)]
struct FreeList {
    first: u32,
    highest_generation: NonZeroU32,
}

/// Timers in a chunk of the array.
const CHUNK: usize = 512;
/// An array this small is not worth giving back.
const KEEP_PLACES: usize = 1024;

impl<T> Arena<T> {
    pub(crate) const fn new() -> Self {
        Arena {
            places: Chunks::new(),
            live: 0,
            free: FreeList {
                first: NONE,
                highest_generation: NonZeroU32::MIN,
            },
            first_generation: NonZeroU32::MIN,
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    pub(crate) fn capacity(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn reserve(&mut self, additional: usize) {
        let wanted = self.live.saturating_add(additional);
        let has_numbers = wanted <= NONE as usize / CHUNK * CHUNK;
        assert!(has_numbers, "a wheel holds fewer than 2^32 - 512 timers");
        while self.capacity() - self.live < additional {
            self.grow();
        }
    }

    /// Where the next timer will be, if there is room for it.
    #[inline]
    pub(crate) fn vacant(&self) -> Option<u32> {
        (self.free.first != NONE).then_some(self.free.first)
    }

    /// Where the next timer will be.
    pub(crate) fn next_index(&mut self) -> u32 {
        if self.free.first == NONE {
            self.grow();
        }
        self.free.first
    }

    /// Adds a chunk of free places.
    #[cold]
    fn grow(&mut self) {
        let (first, end) = (self.places.len(), self.places.len() + CHUNK);
        assert!(
            end <= NONE as usize,
            "a wheel holds fewer than 2^32 - 512 timers"
        );
        let generation = self.first_generation;
        let then = mem::replace(&mut self.free.first, first as u32);
        self.places.grow(|index| {
            let last = index as usize + 1 == end;
            let next = if last { then } else { index + 1 };
            Place::Free { generation, next }
        });
    }

    /// Takes in a timer that is listed as [`next_index`](Arena::next_index) at `position`.
    #[inline]
    pub(crate) fn insert(&mut self, deadline: u64, value: T, position: u32) -> Key {
        let index = self.free.first;
        let place = &mut self.places[index];
        let Place::Free { generation, next } = *place else {
            unreachable!("it is in the list of free places")
        };
        self.free.first = next;
        self.live += 1;
        *place = Place::Live(Timer {
            deadline,
            value,
            generation,
            position,
        });
        Key { index, generation }
    }

    /// Takes out the timer of this key, if it is still there. It must leave its list as well. If
    /// it was the last one, [`emptied`](Arena::emptied) is to be called.
    #[inline]
    pub(crate) fn take(&mut self, key: Key) -> Option<Timer<T>> {
        let place = self.places.get_mut(key.index)?;
        place.timer(key)?;
        let timer = self.free.vacate(place, key.index);
        self.live -= 1;
        Some(timer)
    }

    /// Takes out the timer at `index`, which must be live and no longer in a list. If it was the
    /// last one, [`emptied`](Arena::emptied) is to be called.
    #[inline]
    pub(crate) fn remove(&mut self, index: u32) -> (Key, Timer<T>) {
        let timer = self.free.vacate(&mut self.places[index], index);
        self.live -= 1;
        let generation = timer.generation;
        (Key { index, generation }, timer)
    }

    /// Gives a burst's memory back, now that nothing is live.
    #[cold]
    pub(crate) fn emptied(&mut self) {
        let worth_it = self.places.len() > KEEP_PLACES;
        if worth_it && self.free.highest_generation < NonZeroU32::MAX {
            self.give_back();
        }
    }

    /// Frees the array; nothing in it is live.
    fn give_back(&mut self) {
        self.first_generation = self.free.highest_generation.saturating_add(1);
        self.places = Chunks::new();
        self.free.first = NONE;
    }

    /// Gives back the chunks behind the last live timer.
    pub(crate) fn shrink_to_fit(&mut self) {
        let is_free = |place: Option<&Place<T>>| matches!(place, Some(Place::Free { .. }));
        let mut len = self.places.len() as u32;
        while len > 0 && is_free(self.places.get(len - 1)) {
            len -= 1;
        }
        self.places.truncate(len as usize);
        self.first_generation = self.free.highest_generation.saturating_add(1);
        self.free.first = NONE;
        for index in (0..self.places.len() as u32).rev() {
            if let Place::Free { generation, next } = &mut self.places[index]
                && *generation < NonZeroU32::MAX
            {
                *next = mem::replace(&mut self.free.first, index);
            }
        }
    }

    /// The timer of this key, if it is still there.
    #[inline]
    pub(crate) fn get(&self, key: Key) -> Option<&Timer<T>> {
        match self.places.get(key.index)? {
            Place::Live(timer) if timer.generation == key.generation => Some(timer),
            _ => None,
        }
    }

    /// The timer of this key, if it is still there.
    #[inline]
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut Timer<T>> {
        self.places.get_mut(key.index)?.timer(key)
    }

    /// The timer at `index`, which must be live.
    #[inline]
    pub(crate) fn at(&self, index: u32) -> &Timer<T> {
        match &self.places[index] {
            Place::Live(timer) => timer,
            Place::Free { .. } => not_live(),
        }
    }

    /// Notes where the timer at `index`, which must be live, is listed now; returns its key.
    #[inline]
    pub(crate) fn relist(&mut self, index: u32, position: u32) -> Key {
        let Place::Live(timer) = &mut self.places[index] else {
            not_live()
        };
        timer.position = position;
        let generation = timer.generation;
        Key { index, generation }
    }

    /// Empties the arena and hands over what was in it, in no particular order.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (u64, T)> + use<T> {
        let places = mem::replace(&mut self.places, Chunks::new());
        for place in places.iter() {
            if let Place::Live(timer) = place {
                self.free.used(timer.generation);
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

impl<T> Place<T> {
    #[inline]
    fn timer(&mut self, key: Key) -> Option<&mut Timer<T>> {
        match self {
            Place::Live(timer) if timer.generation == key.generation => Some(timer),
            _ => None,
        }
    }
}

impl FreeList {
    /// Takes the timer out of the place of this index, which must hold one.
    #[inline]
    fn vacate<T>(&mut self, place: &mut Place<T>, index: u32) -> Timer<T> {
        let Place::Live(Timer { generation, .. }) = *place else {
            not_live()
        };
        self.used(generation);
        let next = self.first;
        // after the last generation: never used again, or a key could come back to life
        let after = generation.checked_add(1);
        if after.is_some() {
            self.first = index;
        }
        let generation = after.unwrap_or(NonZeroU32::MAX);
        match mem::replace(place, Place::Free { generation, next }) {
            Place::Live(timer) => timer,
            Place::Free { .. } => not_live(),
        }
    }

    #[inline]
    fn used(&mut self, generation: NonZeroU32) {
        self.highest_generation = self.highest_generation.max(generation);
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

    fn add<T: Copy + Into<u64>>(arena: &mut Arena<T>, value: T) -> Key {
        let index = arena.next_index();
        let key = arena.insert(value.into(), value, 0);
        assert_eq!(key.index, index);
        key
    }

    fn arena(timers: u64) -> (Arena<u64>, Vec<Key>) {
        let mut arena = Arena::new();
        let keys = (0..timers).map(|n| add(&mut arena, n)).collect();
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
        assert_eq!(arena.take(keys[1]).unwrap().value, 1);
        assert!(arena.take(keys[1]).is_none());
        let again = add(&mut arena, 9);
        assert_eq!(again.index, keys[1].index, "the place is used again");
        assert!(
            arena.get(keys[1]).is_none() && arena.get_mut(keys[1]).is_none(),
            "the old key does not reach the new timer"
        );
        assert!(arena.take(keys[1]).is_none() && arena.len() == 2);
        assert_eq!(arena.remove(again.index).0, again);
        assert_eq!(arena.get(keys[0]).unwrap().value, 0);
    }

    #[test]
    fn a_place_whose_generations_are_used_up_is_retired() {
        let mut arena = Arena::<u8>::new();
        arena.first_generation = NonZeroU32::MAX;
        let last = add(&mut arena, 0);
        arena.remove(0);
        assert!(arena.get(last).is_none());
        let other = add(&mut arena, 0);
        assert!(arena.get(last).is_none() && arena.get(other).is_some());
        assert_eq!((last.index, other.index), (0, 1));
    }

    #[test]
    fn a_burst_is_given_back_and_its_keys_stay_stale() {
        let (mut arena, mut keys) = arena(5_000);
        for index in 0..5_000 {
            arena.remove(index);
            keys.push(add(&mut arena, 0)); // the same place again
            arena.remove(index);
        }
        arena.emptied();
        assert_eq!((arena.len(), arena.capacity()), (0, 0));
        let fresh: Vec<Key> = (0..5_000).map(|n| add(&mut arena, n)).collect();
        assert!(keys.iter().all(|&key| arena.get(key).is_none()));
        assert!(fresh.iter().all(|&key| arena.get(key).is_some()));
    }

    #[test]
    fn a_small_array_is_kept() {
        let (mut arena, keys) = arena(KEEP_PLACES as u64);
        for key in keys {
            arena.take(key);
        }
        arena.emptied();
        assert_eq!((arena.len(), arena.capacity()), (0, KEEP_PLACES));
    }

    #[test]
    fn an_array_without_generations_left_is_kept() {
        let mut arena = Arena::<u64>::new();
        arena.first_generation = NonZeroU32::MAX;
        let keys: Vec<Key> = (0..2_000).map(|n| add(&mut arena, n)).collect();
        for &key in &keys {
            arena.take(key);
        }
        arena.emptied();
        assert_eq!(arena.capacity(), 4 * CHUNK);
        add(&mut arena, 0);
        assert!(keys.iter().all(|&key| arena.get(key).is_none()));
    }

    #[test]
    fn reserving_makes_room_for_that_many_and_no_more() {
        let (mut arena, _) = arena(600);
        for (additional, chunks) in [(0, 2), (424, 2), (425, 3), (936, 3), (3_000, 8)] {
            arena.reserve(additional);
            assert_eq!(arena.capacity(), chunks * CHUNK, "{additional}");
        }
    }

    #[test]
    fn shrinking_gives_back_all_that_is_free_and_no_place_that_is_retired() {
        let (mut empty, keys) = arena(1_500);
        for key in keys {
            empty.take(key);
        }
        empty.shrink_to_fit();
        assert_eq!(empty.capacity(), 0);

        let mut arena = Arena::<u64>::new();
        arena.first_generation = NonZeroU32::MAX;
        let retired = add(&mut arena, 0);
        add(&mut arena, 1);
        arena.take(retired);
        arena.shrink_to_fit();
        let others: Vec<Key> = (0..2_000).map(|n| add(&mut arena, n)).collect();
        assert!(arena.get(retired).is_none());
        assert!(others.iter().all(|key| key.index > 1));
    }

    #[test]
    fn shrinking_keeps_what_is_live_and_what_is_free_before_it() {
        let (mut arena, keys) = arena(3_000);
        for index in (0..3_000).filter(|index| *index != 600) {
            arena.remove(index);
        }
        arena.shrink_to_fit();
        assert_eq!(arena.capacity(), 2 * CHUNK);
        assert_eq!(arena.get(keys[600]).unwrap().value, 600);
        let fresh: Vec<Key> = (0..2_000).map(|n| add(&mut arena, n)).collect();
        assert_eq!(
            fresh[0].index, 0,
            "free places before the last live one are used again"
        );
        let stale = keys.iter().enumerate().filter(|(index, _)| *index != 600);
        assert!(stale.into_iter().all(|(_, &key)| arena.get(key).is_none()));
        assert_eq!(arena.len(), 2_001);
    }
}
