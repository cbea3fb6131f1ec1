//! Where all chance comes from.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// A seeded generator; clones draw from the same one.
#[derive(Clone)]
pub(crate) struct Chance(Rc<RefCell<fastrand::Rng>>);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Rc::new(RefCell::new(fastrand::Rng::with_seed(seed))))
    }

    /// A number below `limit`.
    pub(crate) fn below(&self, limit: usize) -> usize {
        self.0.borrow_mut().usize(..limit)
    }

    /// True once in `times`.
    pub(crate) fn once_in(&self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn millis(&self, below: usize) -> Duration {
        Duration::from_millis(self.below(below) as u64)
    }
}
