//! Waking what is due, with nothing borrowed meanwhile.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::task::Waker;

use crate::arena::Key;
use crate::level::Slot;
use crate::observe::{TimerId, Watch, discard};
use crate::timekeeper::Timekeeper;
use crate::wheel::Wheel;

/// Takes wakers out of a wheel by the handful, and wakes them once the wheel is let go.
pub(crate) struct Firing<'t> {
    keeper: &'t Timekeeper,
    watch: &'t Watch,
    /// What to tell the observer; empty without one.
    moved: Vec<(Key, Slot, u64)>,
    keys: Vec<Key>,
    wakers: Vec<Waker>,
    fired: usize,
    panicked: Option<Box<dyn Any + Send>>,
}

/// Wakers collected under one lock: enough to spread its price, few enough to keep it short.
const HANDFUL: usize = 64;
/// Steps of a wheel until an observer hears of them: a bound for the notes.
const NOTED: usize = 4096;

impl<'t> Firing<'t> {
    pub(crate) fn new(keeper: &'t Timekeeper) -> Self {
        Firing {
            keeper,
            watch: &keeper.watch,
            moved: Vec::new(),
            keys: Vec::new(),
            wakers: Vec::new(),
            fired: 0,
            panicked: None,
        }
    }

    /// Takes what the wheel's turn has due, up to a handful; `true` when there may be more.
    pub(crate) fn collect(&mut self, wheel: &mut Wheel<Waker>, now: u64) -> bool {
        let watched = self.watch.is_on();
        let mut steps = if watched { NOTED } else { usize::MAX };
        while self.wakers.len() < HANDFUL {
            let due = if watched {
                let moved = &mut self.moved;
                wheel.next_due(now, &mut steps, |key, slot, tick| {
                    moved.push((key, slot, tick));
                })
            } else {
                wheel.next_due(now, &mut steps, |_, _, _| ())
            };
            let Some(due) = due else {
                return steps == 0;
            };
            if self.wakers.is_empty() {
                self.wakers.reserve(HANDFUL);
            }
            self.wakers.push(due.value);
            if watched {
                self.keys.push(due.key);
            }
        }
        true
    }

    /// Wakes what was collected. A waker that panics does not keep the others from theirs.
    ///
    /// The observer hears of all moves first: a task that is woken may cancel what has moved.
    pub(crate) fn wake(&mut self, id: impl Fn(Key) -> TimerId) {
        for (key, slot, tick) in self.moved.drain(..) {
            let due = self.keeper.ticks.instant(tick);
            self.watch.tell(|o| o.moved(id(key), slot, due));
        }
        self.fired += self.wakers.len();
        let mut keys = self.keys.drain(..);
        for waker in self.wakers.drain(..) {
            if let Some(key) = keys.next() {
                self.watch.tell(|observer| observer.fires(id(key)));
            }
            let woken = panic::catch_unwind(AssertUnwindSafe(|| waker.wake()));
            if let Err(panic) = woken {
                match self.panicked {
                    None => self.panicked = Some(panic),
                    Some(_) => discard(panic),
                }
            }
        }
    }

    /// How many were woken.
    pub(crate) fn fired(&self) -> usize {
        self.fired
    }

    pub(crate) fn finish(self) -> usize {
        if self.fired > 0 {
            self.watch.tell(|observer| observer.fired(self.fired));
        }
        match self.panicked {
            Some(panic) => panic::resume_unwind(panic),
            None => self.fired,
        }
    }
}
