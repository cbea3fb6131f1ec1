//! The lists of the wheel: which timers wait in which slot, in the order they came.
//!
//! A list is a chain of pages, and a page holds the indices of up to 30 timers, not the timers:
//!
//! ```text
//!  list         page                          page
//! ┌───────┐    ┌───────────────────────┐     ┌───────────────────────┐
//! │ first ┼───▶│ 7 3 (5) 12 4 (9) … 31 ┼────▶│ 8 (6) 2               │
//! │ last  ┼──┐ └───────────────────────┘     └───────▲───────────────┘
//! └───────┘  └───────────────────────────────────────┘
//!        head: 1 1 0 1 1 0 … 1                 head: 1 0 1
//! ```
//!
//! Chaining the timers themselves would be the obvious way. But among a million timers each is a
//! cache miss, and a chain of them is a chain of misses, each waiting for the one before. Out of a
//! page the processor reads the indices at once, and fetches many timers at the same time.
//!
//! Which of a page's places are taken is a bit each in its *head*, and all heads are in an array of
//! their own, eight bytes for 30 timers: small enough to be in the cache when the pages are not. So
//! a timer that leaves clears its bit and does not touch its page; the index stays there, in
//! brackets above, and nobody looks at it. It would be denser to put the list's last timer in its
//! place, but then each removal touches the end of its list, which all others need: removals wait
//! for one another. A page that has become sparse is merged with its neighbour: see `sparse`.
//!
//! The list that was emptied last keeps its page: the timeouts of a calm server come one at a time,
//! each to the slot that the one before has just left.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;

use crate::chunks::Chunks;

mod sparse;

/// The index that stands for "none".
pub(crate) const NONE: u32 = u32::MAX;

/// Timers of a page: with its links it fills two cache lines.
pub(crate) const PAGE_TIMERS: usize = 30;
/// When the timer at one of these places leaves, its page is looked at. Is it sparse?
const LOOKS: u32 = 1 << 5 | 1 << 14 | 1 << 23;
/// Timers that a page should hold on average: with fewer there is something to be gained.
const WORTHWHILE: usize = 12;
/// Pages that may be in use before sparse ones matter.
const SPARE_PAGES: usize = 128;
/// Pages in a chunk of them.
const CHUNK: usize = 64;
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

/// What is known of a page without reading it.
#[derive(Clone, Copy, Debug)]
struct Head {
    /// A bit for each place that is taken. Never zero but while the page is free or rests.
    taken: u32,
    list: u16,
}

/// The timers at its taken places, in order; and the pages around it, or the next free one.
#[derive(Debug)]
#[repr(align(128))]
struct Page {
    next: u32,
    previous: u32,
    timers: [u32; PAGE_TIMERS],
}

const EMPTY_PAGE: Page = Page {
    next: NONE,
    previous: NONE,
    timers: [NONE; PAGE_TIMERS],
};

/// Numbered lists of timers.
#[derive(Debug)]
pub(crate) struct Lists<const LISTS: usize> {
    lists: Box<[List; LISTS]>,
    heads: Vec<Head>,
    pages: Chunks<Page, CHUNK>,
    /// The first free page; they are chained by `next`.
    free: u32,
    /// The page that rested last. If it is empty, it is the only one of its list.
    resting: u32,
    used: usize,
    /// With fewer timers than this there are more pages than needed.
    tidy_below: usize,
    /// The page that was looked after last.
    tidied: usize,
}

impl<const LISTS: usize> Lists<LISTS> {
    pub(crate) fn new() -> Self {
        let lists = vec![EMPTY; LISTS].into_boxed_slice().try_into();
        Lists {
            lists: lists.unwrap_or_else(|_| unreachable!("it has LISTS elements")),
            heads: Vec::new(),
            pages: Chunks::new(),
            free: NONE,
            resting: NONE,
            used: 0,
            tidy_below: 0,
            tidied: 0,
        }
    }

    pub(crate) fn is_empty(&self, list: u16) -> bool {
        let first = self.lists[list as usize].first;
        self.heads.get(first as usize).is_none_or(Head::is_empty)
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
        self.heads[page_of(position)].list
    }

    /// Appends a timer to others if that does not take a new page, and returns its position. Calls
    /// nothing.
    #[inline]
    pub(crate) fn push_if_room(&mut self, list: u16, timer: u32, deadline: u64) -> Option<u32> {
        let chain = &mut self.lists[list as usize];
        let number = chain.last;
        let head = self.heads.get_mut(number as usize)?;
        let place = head.taken.checked_ilog2()? as usize + 1;
        if place >= PAGE_TIMERS {
            return None;
        }
        chain.earliest = chain.earliest.min(deadline);
        head.taken |= 1 << place;
        self.pages[number].timers[place] = timer;
        Some(position(number, place))
    }

    /// Appends a timer, and returns its position, and whether it is alone on its page: then the list
    /// may have been empty.
    #[inline]
    pub(crate) fn push(&mut self, list: u16, timer: u32, deadline: u64) -> (u32, bool) {
        match self.push_if_room(list, timer, deadline) {
            Some(position) => (position, false),
            None => {
                self.lower_earliest(list, deadline);
                (self.push_on_empty_page(list, timer), true)
            }
        }
    }

    /// Appends a timer to a list whose last page is full, or that has no page, or one that rests.
    fn push_on_empty_page(&mut self, list: u16, timer: u32) -> u32 {
        let last = self.lists[list as usize].last;
        match self.heads.get_mut(last as usize) {
            Some(head) if head.is_empty() => {
                head.taken = 1;
                self.pages[last].timers[0] = timer;
                position(last, 0)
            }
            _ => self.push_on_new_page(list, timer),
        }
    }

    /// Takes out the first timer of the list.
    #[inline]
    pub(crate) fn pop(&mut self, list: u16) -> Option<u32> {
        let number = self.lists[list as usize].first;
        let head = self.heads.get_mut(number as usize)?;
        if head.is_empty() {
            return None;
        }
        let place = head.taken.trailing_zeros() as usize;
        head.taken &= head.taken - 1;
        let timer = self.pages[number].timers[place];
        if self.heads[number as usize].taken == 0 {
            self.free_page(number);
        }
        Some(timer)
    }

    /// The timers of the list's first page, in order.
    pub(crate) fn first_page(&self, list: u16) -> impl Iterator<Item = u32> + '_ {
        self.timers_of(self.lists[list as usize].first)
    }

    /// Takes out the first page of the list with all its timers, if it has any.
    pub(crate) fn pop_page(&mut self, list: u16) {
        let number = self.lists[list as usize].first;
        if number != NONE {
            self.free_page(number);
        }
    }

    /// Takes out the timer at `position`, one of `all`, if that is no more than clearing a bit;
    /// `false` if there is more to do, which is for [`remove`](Lists::remove).
    #[inline]
    pub(crate) fn clear_bit(&mut self, position: u32, all: usize) -> bool {
        let head = &mut self.heads[page_of(position)];
        let left = head.taken & !bit(position);
        let simple = left != 0 && (all >= self.tidy_below || LOOKS & bit(position) == 0);
        if simple {
            head.taken = left;
        }
        simple
    }

    /// Takes out the timer at `position`. Returns the number of the list that this has emptied, if
    /// so. Of `all` timers others may get new positions: `moved` is told each and where it is now.
    pub(crate) fn remove(
        &mut self,
        position: u32,
        all: usize,
        moved: impl FnMut(u32, u32),
    ) -> Option<u16> {
        if self.clear_bit(position, all) {
            return None;
        }
        let number = page_of(position);
        let head = &mut self.heads[number];
        head.taken &= !bit(position);
        if head.is_empty() {
            return self.rest(number as u32);
        }
        self.tidy(number as u32, moved);
        None
    }

    /// Unlinks a page whose last timer has left, unless it is the only one of its list: that one
    /// stays until another list is emptied. Returns the list if that is empty now.
    fn rest(&mut self, number: u32) -> Option<u16> {
        let page = &self.pages[number];
        if page.previous != NONE || page.next != NONE {
            self.free_page(number);
            return None;
        }
        let list = self.heads[number as usize].list;
        self.lists[list as usize].earliest = u64::MAX;
        let rested = mem::replace(&mut self.resting, number);
        if rested != number && self.rests(rested) {
            self.free_page(rested);
        }
        Some(list)
    }

    /// Whether a page that rested, and was not freed since, is empty.
    fn rests(&self, page: u32) -> bool {
        self.heads.get(page as usize).is_some_and(Head::is_empty)
    }

    /// The timers of a page, in order; none if there is no such page.
    fn timers_of(&self, number: u32) -> impl Iterator<Item = u32> + '_ {
        let mut taken = self.heads.get(number as usize).map_or(0, |head| head.taken);
        let page = self.pages.get(number);
        page.into_iter().flat_map(move |page| {
            core::iter::from_fn(move || {
                let place = taken.trailing_zeros() as usize;
                taken &= taken.wrapping_sub(1);
                page.timers.get(place).copied()
            })
        })
    }

    /// Appends a timer and a page for it.
    #[inline(never)]
    fn push_on_new_page(&mut self, list: u16, timer: u32) -> u32 {
        let previous = self.lists[list as usize].last;
        let head = Head { taken: 1, list };
        let number = self.free;
        let number = match self.pages.get_mut(number) {
            Some(page) => {
                self.free = page.next;
                (page.next, page.previous, page.timers[0]) = (NONE, previous, timer);
                self.heads[number as usize] = head;
                number
            }
            None => self.new_page(previous, timer, head),
        };
        match self.pages.get_mut(previous) {
            Some(page) => page.next = number,
            None => self.lists[list as usize].first = number,
        }
        self.lists[list as usize].last = number;
        self.uses(self.used + 1);
        position(number, 0)
    }

    fn new_page(&mut self, previous: u32, timer: u32, head: Head) -> u32 {
        let number = self.heads.len();
        assert!(number < page_of(NONE), "the wheel is full");
        self.heads.push(head);
        if number == self.pages.len() {
            self.pages.grow(|_| EMPTY_PAGE);
        }
        let number = number as u32;
        let page = &mut self.pages[number];
        (page.previous, page.timers[0]) = (previous, timer);
        number
    }

    /// Unlinks a page.
    #[inline(never)]
    fn free_page(&mut self, number: u32) {
        if number == self.resting {
            self.resting = NONE;
        }
        let head = &mut self.heads[number as usize];
        head.taken = 0; // how `tidy` knows it
        let list = head.list;
        let page = &mut self.pages[number];
        let (previous, next) = (page.previous, page.next);
        page.next = mem::replace(&mut self.free, number);
        self.uses(self.used - 1);
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
        }
    }

    /// Notes how many pages are in use, and from when on that is too many.
    fn uses(&mut self, pages: usize) {
        self.used = pages;
        self.tidy_below = pages.saturating_sub(SPARE_PAGES) * WORTHWHILE;
    }

    /// Empties all lists and gives their pages back.
    pub(crate) fn clear(&mut self) {
        self.lists.fill(EMPTY);
        self.heads = Vec::new();
        self.pages = Chunks::new();
        self.free = NONE;
        self.resting = NONE;
        self.uses(0);
        self.tidied = 0;
    }

    /// Gives the pages back if no timer is listed.
    pub(crate) fn shrink(&mut self) {
        if self.used == usize::from(self.rests(self.resting)) {
            self.clear();
        }
    }
}

impl Head {
    #[inline]
    fn is_empty(&self) -> bool {
        self.taken == 0
    }
}

fn page_of(position: u32) -> usize {
    (position >> PLACE_BITS) as usize
}

/// The bit of a position's place in the head of its page.
#[inline]
fn bit(position: u32) -> u32 {
    1 << (position % (1 << PLACE_BITS))
}

fn position(page: u32, place: usize) -> u32 {
    page << PLACE_BITS | place as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;

    /// Lists beside a plain model of them, with every timer's position.
    struct Checked {
        lists: Lists<3>,
        model: BTreeMap<u16, Vec<u32>>,
        positions: BTreeMap<u32, u32>,
    }

    impl Checked {
        fn new() -> Self {
            Checked {
                lists: Lists::new(),
                model: BTreeMap::new(),
                positions: BTreeMap::new(),
            }
        }

        fn push(&mut self, list: u16, timer: u32) {
            let (position, _) = self.lists.push(list, timer, u64::from(timer));
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
            let rests = usize::from(self.lists.rests(self.lists.resting));
            assert_eq!(self.lists.used, rests, "no page is lost");
        }
    }

    impl<const LISTS: usize> Lists<LISTS> {
        /// Pages there is memory for.
        pub(crate) fn capacity(&self) -> usize {
            self.pages.len()
        }
    }

    #[test]
    fn a_page_fills_two_cache_lines() {
        assert_eq!((size_of::<Page>(), size_of::<Head>()), (128, 8));
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
            checked.push((timer / 30 % 3) as u16, timer);
        }
        let full = checked.lists.used;
        for timer in (0..20_000).filter(|timer| timer % 7 > 0) {
            checked.remove(timer); // each page goes down to a seventh
        }
        let left = checked.lists.used;
        assert!(
            left <= SPARE_PAGES + 20_000 / 7 / WORTHWHILE + 10,
            "{full} pages to {left}"
        );
        for timer in 20_000..20_100 {
            checked.push(2, timer);
        }
        checked.check();
    }

    #[test]
    fn few_pages_are_left_as_they_are() {
        let timers = (SPARE_PAGES * PAGE_TIMERS) as u32;
        let mut lists = Lists::<1>::new();
        let positions: Vec<u32> = (0..timers).map(|n| lists.push(0, n, 0).0).collect();
        let mut left = timers as usize;
        for (timer, &position) in positions.iter().enumerate() {
            if timer % PAGE_TIMERS > 0 {
                left -= 1;
                let moved = |_, _| unreachable!("a page was merged");
                assert_eq!(lists.remove(position, left, moved), None);
            }
        }
        assert_eq!(lists.used, SPARE_PAGES);
    }

    #[test]
    fn what_clears_a_bit_is_no_more_than_that() {
        let mut checked = Checked::new();
        for timer in 0..20_000 {
            checked.push((timer / 30 % 3) as u16, timer);
        }
        for timer in (0..20_000).filter(|timer| timer % 7 > 0) {
            let position = checked.positions[&timer];
            let (list, pages) = (checked.lists.list_at(position), checked.lists.used);
            if !checked
                .lists
                .clear_bit(position, checked.positions.len() - 1)
            {
                checked.remove(timer);
                continue;
            }
            assert_eq!(checked.lists.used, pages);
            checked.positions.remove(&timer);
            let timers = checked.model.get_mut(&list).unwrap();
            timers.retain(|other| *other != timer);
        }
        let left = checked.lists.used;
        assert!(left <= SPARE_PAGES + 20_000 / 7 / WORTHWHILE + 10, "{left}");
        checked.check();
    }

    #[test]
    fn two_pages_are_joined_when_one_holds_them() {
        for (leave, pages) in [(29, 2), (30, 1)] {
            let mut lists = Lists::<1>::new();
            let positions: Vec<u32> = (0..60).map(|n| lists.push(0, n, 0).0).collect();
            for &position in positions.iter().step_by(2).take(leave) {
                assert!(lists.clear_bit(position, 60), "nothing else to do");
            }
            lists.merge(0, &mut |_, _| ());
            assert_eq!(lists.used, pages, "{leave} of 60 have left");
        }
    }

    #[test]
    fn the_newest_timer_leaves_no_hole() {
        let mut checked = Checked::new();
        checked.push(0, 0);
        for timer in 1..1_000 {
            checked.push(0, timer);
            checked.remove(timer);
        }
        assert_eq!(checked.lists.heads.len(), 1, "the same place is used again");
        checked.remove(0);
        checked.check();
    }

    #[test]
    fn the_list_emptied_last_keeps_its_page_and_no_other_does() {
        let mut lists = Lists::<3>::new();
        for round in 0..90 {
            let (position, alone) = lists.push(round / 30, round.into(), 7);
            assert!(alone, "the list was empty");
            assert_eq!(lists.remove(position, 0, |_, _| ()), Some(round / 30));
            assert!(lists.is_empty(round / 30) && lists.pop(round / 30).is_none());
            assert_eq!(lists.earliest(round / 30), u64::MAX);
            assert_eq!(lists.used, 1);
        }
        assert_eq!(
            lists.heads.len(),
            2,
            "the next list takes a page before the last one's goes"
        );
        let (position, _) = lists.push(0, 7, 7);
        lists.push(2, 8, 8); // on the page that rests
        assert_eq!(lists.remove(position, 1, |_, _| ()), Some(0));
        assert_eq!(
            lists.pop(2),
            Some(8),
            "a page at work again is not taken away"
        );
        lists.pop_page(0);
        assert_eq!(lists.used, 0);
        lists.push(0, 9, 9);
        assert_eq!(lists.heads.len(), 2);
        assert_eq!(lists.pop(0), Some(9));
        lists.shrink();
        assert_eq!(lists.pages.len(), 0);
    }

    #[test]
    fn a_page_is_used_again_by_any_list() {
        let mut lists = Lists::<3>::new();
        for round in 0..90 {
            let list = round % 3;
            for timer in 0..30 {
                let (_, opens_page) = lists.push(list, timer, 7);
                assert_eq!(opens_page, timer == 0);
            }
            assert_eq!(lists.earliest(list), 7);
            lists.lower_earliest(list, 9);
            lists.lower_earliest(list, 5);
            assert_eq!(lists.earliest(list), 5);
            assert_eq!(lists.first_page(list).count(), 30);
            lists.pop_page(list);
            lists.pop_page(list);
            assert!(lists.is_empty(list) && lists.first_page(list).next().is_none());
        }
        assert_eq!(lists.heads.len(), 1);
        lists.shrink();
        assert_eq!(lists.pages.len(), 0);
    }
}
