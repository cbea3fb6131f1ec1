//! The lists of the wheel: which timers wait in which slot, in the order they came.
//!
//! A list is a chain of pages, and a page holds the indices of up to 28 timers, not the timers:
//!
//! ```text
//!  list         page                          page
//! ┌───────┐    ┌───────────────────────┐     ┌───────────────────────┐
//! │ first ┼───▶│ · · 7 3 – 12 4 – … 31 ┼────▶│ 8 – 2 · · · · · · · · │
//! │ last  ┼──┐ └─────▲─────────────────┘     └───────▲──▲────────────┘
//! └───────┘  │     start                     ▲      end
//!            └───────────────────────────────┘
//! ```
//!
//! Chaining the timers themselves would be the obvious way. But among a million timers each is a
//! cache miss, and a chain of them is a chain of misses, each waiting for the one before. Out of a
//! page the processor reads the indices at once, and fetches many timers at the same time.
//!
//! A timer taken from the middle leaves a hole (`–`). It would be denser to put the list's last
//! timer there, but then each removal has to touch the end of its list, which all others need,
//! and it finds that end only through the page it misses: removals wait for one another. A hole
//! is written and forgotten. A page that is half holes is merged with its neighbour.

use alloc::boxed::Box;
use alloc::vec;
use core::mem;

use crate::chunks::Chunks;
use crate::seeded;

/// The index that stands for "none", and in a page for a hole.
pub(crate) const NONE: u32 = u32::MAX;

/// Timers of a page: with its links it fills two cache lines.
pub(crate) const PAGE_TIMERS: usize = 28;
/// Numbers of timers left at which a page may be merged with a neighbour, as bits. Few, as a merge
/// that comes too early has to be done again.
const SPARSE: u32 = 1 << 10 | 1 << 5 | 1 << 2;
/// Timers that a page should hold on average: with fewer there is something to be gained.
const WORTHWHILE: usize = 16;
/// Pages that may be in use before holes matter.
const SPARE_PAGES: usize = 128;
/// Pages in a chunk of them.
const CHUNK: usize = 512;
/// A position is a page's number times 32, plus the place in the page.
const PLACE_BITS: u32 = 5;

/// A chain of pages, and a tick that no timer in them is due before.
#[derive(Clone, Debug)]
struct List {
    first: u32,
    last: u32,
    earliest: u64,
}

const EMPTY: List = List {
    first: NONE,
    last: NONE,
    earliest: u64::MAX,
};

/// Its timers are between `start` and `end`, among holes.
#[derive(Debug)]
#[repr(align(128))]
struct Page {
    next: u32,
    previous: u32,
    list: u16,
    start: u8,
    end: u8,
    /// How many timers there are. Never zero but while the page is free.
    live: u8,
    timers: [u32; PAGE_TIMERS],
}

/// Numbered lists of timers.
#[derive(Debug)]
pub(crate) struct Lists {
    lists: Box<[List]>,
    pages: Chunks<Page, CHUNK>,
    /// The first free page; they are chained by `next`.
    free: u32,
    used: usize,
    /// The page that was looked after last.
    tidied: u32,
}

impl Lists {
    pub(crate) fn new(lists: usize) -> Lists {
        let lists = vec![EMPTY; lists].into_boxed_slice();
        Lists {
            lists,
            pages: Chunks::new(),
            free: NONE,
            used: 0,
            tidied: 0,
        }
    }

    pub(crate) fn is_empty(&self, list: u16) -> bool {
        self.lists[list as usize].first == NONE
    }

    /// A tick that no timer of the list is due before; exact unless the earliest one has left or
    /// was moved back.
    pub(crate) fn earliest(&self, list: u16) -> u64 {
        self.lists[list as usize].earliest
    }

    /// Takes note that a timer already in the list is now due at `deadline`.
    pub(crate) fn lower_earliest(&mut self, list: u16, deadline: u64) {
        let earliest = &mut self.lists[list as usize].earliest;
        *earliest = deadline.min(*earliest);
    }

    /// The list that the timer at `position` is in.
    pub(crate) fn list_at(&self, position: u32) -> u16 {
        self.pages[position >> PLACE_BITS].list
    }

    /// Appends a timer, and returns its position. A position that [`opens_page`] may have made the
    /// list non-empty.
    #[inline]
    pub(crate) fn push(&mut self, list: u16, timer: u32, deadline: u64) -> u32 {
        let chain = &mut self.lists[list as usize];
        chain.earliest = chain.earliest.min(deadline);
        let mut number = chain.last;
        if let Some(page) = self.pages.get_mut(number)
            && (page.end as usize) < PAGE_TIMERS
        {
            let place = page.end;
            page.timers[place as usize] = timer;
            page.end += 1;
            page.live += 1;
            return position(number, place);
        }
        number = self.append_page(list);
        let page = &mut self.pages[number];
        page.timers[0] = timer;
        page.end = 1;
        page.live = 1;
        position(number, 0)
    }

    /// Takes out the first timer of the list.
    #[inline]
    pub(crate) fn pop(&mut self, list: u16) -> Option<u32> {
        let number = self.lists[list as usize].first;
        let page = self.pages.get_mut(number)?;
        let mut timer = NONE;
        while timer == NONE {
            timer = page.timers[page.start as usize];
            page.start += 1;
        }
        page.live -= 1;
        if page.live == 0 {
            self.free_page(number);
        }
        Some(timer)
    }

    /// The timers of the list's first page, in order.
    pub(crate) fn first_page(&self, list: u16) -> impl Iterator<Item = u32> + '_ {
        let page = self.pages.get(self.lists[list as usize].first);
        page.into_iter().flat_map(Page::timers)
    }

    /// Takes out the first page of the list with all its timers; false when there is none.
    pub(crate) fn pop_page(&mut self, list: u16) {
        let number = self.lists[list as usize].first;
        if number != NONE {
            self.free_page(number);
        }
    }

    /// Takes out the timer at `position`. Returns the number of the list that this has emptied, if
    /// so. Of `all` timers others may get new positions: `moved` is told each and where it is now.
    #[inline]
    pub(crate) fn remove(
        &mut self,
        position: u32,
        all: usize,
        moved: impl FnMut(u32, u32),
    ) -> Option<u16> {
        let (number, place) = (
            position >> PLACE_BITS,
            position as usize % (1 << PLACE_BITS),
        );
        let page = &mut self.pages[number];
        page.timers[place] = NONE;
        page.live -= 1;
        if place + 1 == page.end as usize {
            page.end -= 1; // the newest leaves: no hole
        }
        if page.live == 0 {
            return self.free_page(number);
        }
        let sparse = SPARSE >> page.live & 1 != 0;
        if sparse && self.used > SPARE_PAGES + all / WORTHWHILE {
            self.tidy(number, moved);
        }
        None
    }

    /// Merges a page that has become sparse, and looks after two others that may have become so
    /// earlier, when there were no holes to mind.
    #[inline(never)]
    fn tidy(&mut self, number: u32, mut moved: impl FnMut(u32, u32)) {
        self.merge(number, &mut moved);
        for _ in 0..2 {
            self.tidied = (self.tidied + 1) % self.pages.len() as u32;
            if self.pages[self.tidied].live > 0 {
                self.merge(self.tidied, &mut moved);
            }
        }
    }

    /// Joins a page with those around it for as long as two fit into one.
    fn merge(&mut self, number: u32, moved: &mut impl FnMut(u32, u32)) {
        let mut merged = Some(number);
        while let Some(number) = merged {
            let page = &self.pages[number];
            let (previous, next) = (page.previous, page.next);
            merged = self.join(number, next, moved);
            if merged.is_none() {
                merged = self.join(previous, number, moved);
            }
        }
    }

    /// Moves the timers of `second` behind those of `first`, if both exist and they fit; returns
    /// the page that holds them.
    fn join(&mut self, first: u32, second: u32, moved: &mut impl FnMut(u32, u32)) -> Option<u32> {
        let one = self.pages.get(first)?;
        let two = self.pages.get(second)?;
        if usize::from(one.live + two.live) > PAGE_TIMERS {
            return None;
        }
        let mut timers = [NONE; PAGE_TIMERS];
        let mut end = 0;
        for timer in one.timers().chain(two.timers()) {
            timers[end as usize] = timer;
            if !seeded::MERGE_IS_SILENT {
                moved(timer, position(first, end));
            }
            end += 1;
        }
        self.free_page(second);
        let page = &mut self.pages[first];
        (page.timers, page.start, page.end, page.live) = (timers, 0, end, end);
        Some(first)
    }

    /// Links an empty page behind the last of the list.
    #[inline(never)]
    fn append_page(&mut self, list: u16) -> u32 {
        let previous = self.lists[list as usize].last;
        let number = match self.pages.get_mut(self.free) {
            Some(page) => {
                let number = mem::replace(&mut self.free, page.next);
                // what is outside of `start` and `end` may stay: nobody looks at it
                (page.next, page.previous, page.list) = (NONE, previous, list);
                (page.start, page.end) = (0, 0);
                number
            }
            None => self.new_page(previous, list),
        };
        match self.pages.get_mut(previous) {
            Some(page) => page.next = number,
            None => self.lists[list as usize].first = number,
        }
        self.lists[list as usize].last = number;
        self.used += 1;
        number
    }

    #[inline(never)]
    fn new_page(&mut self, previous: u32, list: u16) -> u32 {
        assert!(
            self.pages.len() < (NONE >> PLACE_BITS) as usize,
            "the wheel is full"
        );
        let timers = [NONE; PAGE_TIMERS];
        self.pages.push(Page {
            next: NONE,
            previous,
            list,
            start: 0,
            end: 0,
            live: 0,
            timers,
        });
        self.pages.len() as u32 - 1
    }

    /// Unlinks a page; returns its list if that is empty now.
    #[inline(never)]
    fn free_page(&mut self, number: u32) -> Option<u16> {
        let page = &mut self.pages[number];
        let (previous, next, list) = (page.previous, page.next, page.list);
        page.next = mem::replace(&mut self.free, number);
        page.live = 0; // how `tidy` knows it
        self.used -= 1;
        match self.pages.get_mut(previous) {
            Some(page) => page.next = next,
            None => self.lists[list as usize].first = next,
        }
        match self.pages.get_mut(next) {
            Some(page) => page.previous = previous,
            None => self.lists[list as usize].last = previous,
        }
        if previous == NONE && next == NONE {
            self.lists[list as usize].earliest = u64::MAX;
            return Some(list);
        }
        None
    }

    /// Empties all lists and gives their pages back.
    pub(crate) fn clear(&mut self) {
        self.lists.fill(EMPTY);
        self.pages = Chunks::new();
        self.free = NONE;
        self.used = 0;
        self.tidied = 0;
    }

    /// Gives the pages back if none is in use.
    pub(crate) fn shrink(&mut self) {
        if self.used == 0 {
            self.clear();
        }
    }
}

impl Page {
    fn timers(&self) -> impl Iterator<Item = u32> + '_ {
        let timers = &self.timers[self.start as usize..self.end as usize];
        timers.iter().copied().filter(|&timer| timer != NONE)
    }
}

/// Whether a position is the first of its page.
pub(crate) fn opens_page(position: u32) -> bool {
    position.is_multiple_of(1 << PLACE_BITS)
}

fn position(page: u32, place: u8) -> u32 {
    page << PLACE_BITS | u32::from(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;

    /// Lists beside a plain model of them, with every timer's position.
    struct Checked {
        lists: Lists,
        model: BTreeMap<u16, Vec<u32>>,
        positions: BTreeMap<u32, u32>,
    }

    impl Checked {
        fn new() -> Self {
            let lists = Lists::new(3);
            Checked {
                lists,
                model: BTreeMap::new(),
                positions: BTreeMap::new(),
            }
        }

        fn push(&mut self, list: u16, timer: u32) {
            let position = self.lists.push(list, timer, u64::from(timer));
            self.positions.insert(timer, position);
            self.model.entry(list).or_default().push(timer);
        }

        fn remove(&mut self, timer: u32) {
            let position = self.positions.remove(&timer).unwrap();
            let list = self.lists.list_at(position);
            let timers = self.model.get_mut(&list).unwrap();
            timers.retain(|other| *other != timer);
            let emptied = timers.is_empty().then_some(list);
            let all = self.positions.len();
            let positions = &mut self.positions;
            let moved = |timer, position| assert!(positions.insert(timer, position).is_some());
            assert_eq!(self.lists.remove(position, all, moved), emptied);
            assert_eq!(self.lists.is_empty(list), emptied.is_some());
        }

        /// Empties the lists from the front and compares.
        fn check(mut self) {
            for (&list, timers) in &self.model {
                let first = self.lists.first_page(list).next();
                assert_eq!(first, timers.first().copied());
                let popped = core::iter::from_fn(|| self.lists.pop(list));
                assert!(popped.eq(timers.iter().copied()));
                assert_eq!(self.lists.earliest(list), u64::MAX);
            }
            assert_eq!(self.lists.used, 0, "no page is lost");
        }
    }

    #[test]
    fn a_page_fills_two_cache_lines() {
        assert_eq!(size_of::<Page>(), 128);
    }

    #[test]
    fn lists_keep_their_order_through_removals() {
        for step in 1..40 {
            let mut checked = Checked::new();
            for timer in 0..300 {
                checked.push((timer % 3) as u16, timer);
            }
            for timer in (0..300).step_by(step) {
                checked.remove(timer);
            }
            for timer in 300..320 {
                checked.push(1, timer);
            }
            checked.check();
        }
    }

    #[test]
    fn pages_of_holes_are_merged_and_lists_stay_in_order() {
        let mut checked = Checked::new();
        for timer in 0..20_000 {
            checked.push((timer / 28 % 3) as u16, timer);
        }
        let full = checked.lists.used;
        for timer in (0..20_000).filter(|timer| timer % 7 > 0) {
            checked.remove(timer); // each page goes down to a seventh
        }
        let left = checked.lists.used;
        assert!(
            left <= SPARE_PAGES + 20_000 / 7 / WORTHWHILE + 1,
            "{full} pages to {left}"
        );
        for timer in 20_000..20_100 {
            checked.push(2, timer);
        }
        checked.check();
    }

    #[test]
    fn the_newest_timer_leaves_no_hole() {
        let mut checked = Checked::new();
        checked.push(0, 0);
        for timer in 1..1_000 {
            checked.push(0, timer);
            checked.remove(timer);
        }
        assert_eq!(checked.lists.pages.len(), 1, "the same place is used again");
        checked.remove(0);
        checked.check();
    }

    #[test]
    fn a_page_is_used_again_by_any_list() {
        let mut lists = Lists::new(3);
        for round in 0..90 {
            let list = round % 3;
            for timer in 0..28 {
                assert_eq!(opens_page(lists.push(list, timer, 7)), timer == 0);
            }
            assert_eq!(lists.earliest(list), 7);
            lists.lower_earliest(list, 9);
            lists.lower_earliest(list, 5);
            assert_eq!(lists.earliest(list), 5);
            assert_eq!(lists.first_page(list).count(), 28);
            lists.pop_page(list);
            lists.pop_page(list);
            assert!(lists.is_empty(list) && lists.first_page(list).next().is_none());
        }
        assert_eq!(lists.pages.len(), 1);
        lists.shrink();
        assert_eq!(lists.pages.capacity(), 0);
    }
}
