//! Sparse pages: which are merged with their neighbours, and when.
//!
//! Timers that leave at random leave pages behind that hold few. Two neighbours of one list that
//! fit into one page are joined, in order, and the page that is free then goes to any list. Looking
//! for them must cost nearly nothing:
//!
//! ```text
//!   before   │ 7 . . 12 . . 9 . …  4 . │ ──▶ │ . 8 . . 2 . … . . │
//!   after    │ 7 12 9 4 8 2            │     free
//! ```
//!
//! * A page is looked at when the timer at one of three of its places leaves, so about one removal
//!   in ten looks at all. (A page that all have left needs no neighbour: see `Lists::rest`.)
//! * Nobody looks while the pages in use hold twelve timers on average, or are few.
//! * What became sparse while nobody looked is found later: each look at a page looks after two
//!   others as well, in a round through all.

use super::{Lists, NONE, PAGE_TIMERS, position};

/// With no more timers it may be merged with a neighbour; a merge too early has to be repeated.
const SPARSE: u32 = 10;

impl<const LISTS: usize> Lists<LISTS> {
    /// Merges a page that has become sparse, and looks after two others that may have become so
    /// earlier, when there was nothing to be gained.
    #[inline(never)]
    pub(super) fn tidy(&mut self, number: u32, mut moved: impl FnMut(u32, u32)) {
        if self.heads[number as usize].taken.count_ones() <= SPARSE {
            self.merge(number, &mut moved);
        }
        for _ in 0..2 {
            self.tidied = (self.tidied + 1) % self.heads.len();
            if !self.heads[self.tidied].is_empty() {
                self.merge(self.tidied as u32, &mut moved);
            }
        }
    }

    /// Joins a page with those around it for as long as two fit into one.
    pub(super) fn merge(&mut self, number: u32, moved: &mut impl FnMut(u32, u32)) {
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
        let one = self.heads.get(first as usize)?;
        let two = self.heads.get(second as usize)?;
        let together = one.taken.count_ones() + two.taken.count_ones();
        if together as usize > PAGE_TIMERS {
            return None;
        }
        let mut timers = [NONE; PAGE_TIMERS];
        let both = self.timers_of(first).chain(self.timers_of(second));
        for (place, timer) in both.enumerate() {
            timers[place] = timer;
            moved(timer, position(first, place));
        }
        self.free_page(second);
        self.pages[first].timers = timers;
        self.heads[first as usize].taken = (1 << together) - 1;
        Some(first)
    }
}
