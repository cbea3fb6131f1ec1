//! Where all chance comes from.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// A seeded generator; clones draw from the same one.
#[derive(Clone)]
pub(crate) struct Chance(Rc<Cell<u64>>);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Rc::new(Cell::new(seed)))
    }

    /// A number below `limit`. (Steele, Lea and Flood's SplitMix64: any seed will do.)
    pub(crate) fn below(&self, limit: usize) -> usize {
        self.0.set(self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        let mut z = self.0.get();
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }

    /// True once in `times`.
    pub(crate) fn once_in(&self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn millis(&self, below: usize) -> Duration {
        Duration::from_millis(self.below(below) as u64)
    }
}
