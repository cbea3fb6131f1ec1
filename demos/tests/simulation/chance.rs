//! Where all chance comes from, and what of it was a fault.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// What the world does to those who live in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// 'Not now' (EAGAIN), for no reason.
    NotNow,
    ShortRead,
    ShortWrite,
    /// Bytes are underway for some time.
    Delay,
    /// The connection is gone, and what was underway with it.
    Reset,
    /// A wake-up that nothing has come with.
    SpuriousEvent,
    /// Bytes are there, and who waits for them hears of it later.
    LateEvent,
    /// No descriptor is left for who has come (EMFILE).
    NoDescriptor,
}

impl Fault {
    pub(crate) const ALL: [Self; 8] = [
        Self::NotNow,
        Self::ShortRead,
        Self::ShortWrite,
        Self::Delay,
        Self::Reset,
        Self::SpuriousEvent,
        Self::LateEvent,
        Self::NoDescriptor,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::NotNow => "not now",
            Self::ShortRead => "short reads",
            Self::ShortWrite => "short writes",
            Self::Delay => "delays",
            Self::Reset => "resets",
            Self::SpuriousEvent => "spurious events",
            Self::LateEvent => "late events",
            Self::NoDescriptor => "without a descriptor",
        }
    }
}

/// How often each fault happened.
#[derive(Clone, Copy, Default)]
pub(crate) struct Faults([u64; Fault::ALL.len()]);

impl Faults {
    pub(crate) fn add(&mut self, other: Self) {
        for (mine, more) in self.0.iter_mut().zip(other.0) {
            *mine += more;
        }
    }

    pub(crate) fn of(self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }

    pub(crate) fn all(self) -> u64 {
        self.0.iter().sum()
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} faults (", self.all())?;
        for (number, fault) in Fault::ALL.into_iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{} {}", self.of(fault), fault.name())?;
        }
        f.write_str(")")
    }
}

/// A seeded generator; clones draw from the same one.
#[derive(Clone)]
pub(crate) struct Chance {
    drawn_from: Rc<RefCell<fastrand::Rng>>,
    faults: Rc<Cell<Faults>>,
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            drawn_from: Rc::new(RefCell::new(fastrand::Rng::with_seed(seed))),
            faults: Rc::default(),
        }
    }

    /// A number below `limit`.
    pub(crate) fn below(&self, limit: usize) -> usize {
        self.drawn_from.borrow_mut().usize(..limit)
    }

    /// True once in `times`.
    pub(crate) fn once_in(&self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn millis(&self, below: usize) -> Duration {
        Duration::from_millis(self.below(below) as u64)
    }

    /// Whether this fault happens now, once in `times`. It is counted.
    pub(crate) fn strikes(&self, fault: Fault, times: usize) -> bool {
        let strikes = self.once_in(times);
        if strikes {
            self.count(fault);
        }
        strikes
    }

    /// This fault has happened.
    pub(crate) fn count(&self, fault: Fault) {
        let mut faults = self.faults.get();
        faults.0[fault as usize] += 1;
        self.faults.set(faults);
    }

    pub(crate) fn faults(&self) -> Faults {
        self.faults.get()
    }
}
