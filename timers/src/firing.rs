//! Waking what is due, of all shards in one order, and with nothing borrowed meanwhile.
//!
//! Each shard that has something due gives a handful at a time, in the order of its wheel; of all
//! hands the timer with the earliest deadline is woken first. Shard after shard would be simpler.
//! But after a wait that was long for a loop, because the machine was busy, a turn fires what was
//! due in all that time, and half of it would be woken before what was due earlier.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::task::Waker;

use crate::arena::Key;
use crate::level::Slot;
use crate::observe::{Watch, discard};
use crate::shard::Shard;
use crate::sharing::Sharing;
use crate::timekeeper::Timekeeper;
use crate::wheel::Wheel;

/// Timers collected under one lock: enough to spread its price, few enough to keep it short.
const HANDFUL: usize = 64;
/// Steps of a wheel until an observer hears of them: a bound for the notes.
const NOTED: usize = 4096;

/// One shard's turn: what was taken out of its wheel, and is still to be woken.
pub(crate) struct Hand<'t, S: Sharing> {
    shard: &'t Shard<S>,
    taken: Taken,
    turn: Turn,
}

/// How far the turn of a hand's wheel is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    NotBegun,
    /// There may be more.
    Begun,
    Over,
}

/// What a wheel's turn brought, first things first.
pub(crate) struct Taken {
    /// With several hands each has to know when its timers were due, with an observer which they
    /// were. Else nobody asks.
    noted: bool,
    /// None for what has been woken.
    wakers: Vec<Option<Waker>>,
    /// How many those are.
    woken: usize,
    /// Of each waker, if noted, the timer and when it was due.
    notes: Vec<(Key, u64)>,
    /// What to tell the observer; empty without one.
    moved: Vec<(Key, Slot, u64)>,
}

impl Taken {
    /// Takes what the wheel's turn has due, up to a handful; `true` when there may be more.
    pub(crate) fn collect(&mut self, wheel: &mut Wheel<Waker>, now: u64, watched: bool) -> bool {
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
            self.wakers.push(Some(due.value));
            if self.noted {
                self.notes.push((due.key, due.deadline));
            }
        }
        true
    }

    /// When the first that is to be woken was due, if that was noted.
    fn first_due(&self) -> u64 {
        self.notes.get(self.woken).map_or(0, |&(_, due)| due)
    }
}

impl<'t, S: Sharing> Hand<'t, S> {
    /// For the turn of `shard`; `alone` if no other shard has anything due.
    pub(crate) fn new(shard: &'t Shard<S>, alone: bool) -> Self {
        let taken = Taken {
            noted: !alone || shard.keeper().watch.is_on(),
            wakers: Vec::new(),
            woken: 0,
            notes: Vec::new(),
            moved: Vec::new(),
        };
        Hand {
            shard,
            taken,
            turn: Turn::NotBegun,
        }
    }

    /// When the first of the hand was due, or any time if nobody noted it; takes more out of the
    /// wheel if the hand is empty.
    ///
    /// The observer hears of all moves before anything is woken: a task that is woken may cancel
    /// what has moved.
    fn first(&mut self, now: u64, watch: &Watch) -> Option<u64> {
        while self.taken.wakers.is_empty() {
            if self.turn == Turn::Over {
                return None;
            }
            let begins = self.turn == Turn::NotBegun;
            let more = (self.shard).take_due(&mut self.taken, now, begins, watch.is_on());
            self.turn = if more { Turn::Begun } else { Turn::Over };
            let ticks = &self.shard.keeper().ticks;
            for (key, slot, tick) in self.taken.moved.drain(..) {
                let due = ticks.instant(tick);
                watch.tell(|o| o.moved(self.shard.timer_id(key), slot, due));
            }
        }
        Some(self.taken.first_due())
    }
}

/// Wakes what is due in a turn of the loop, and counts it.
pub(crate) struct Firing<'t> {
    watch: &'t Watch,
    fired: usize,
    panicked: Option<Box<dyn Any + Send>>,
}

impl<'t> Firing<'t> {
    pub(crate) fn new(keeper: &'t Timekeeper) -> Self {
        Firing {
            watch: &keeper.watch,
            fired: 0,
            panicked: None,
        }
    }

    /// Wakes all that is due in these shards by `now`, in the order of the deadlines; of one
    /// deadline, shard after shard.
    pub(crate) fn wake_all<S: Sharing>(&mut self, hands: &mut [Hand<'_, S>], now: u64) {
        loop {
            let (mut first, mut until) = (None, u64::MAX);
            for (number, hand) in hands.iter_mut().enumerate() {
                let Some(due) = hand.first(now, self.watch) else {
                    continue;
                };
                match first {
                    Some((_, earliest)) if earliest <= due => until = until.min(due),
                    Some((_, later)) => (first, until) = (Some((number, due)), later),
                    None => first = Some((number, due)),
                }
            }
            let Some((number, _)) = first else {
                return;
            };
            self.wake(&mut hands[number], until);
        }
    }

    /// Wakes what is in this hand and was due no later than the first of the others. A waker that
    /// panics does not keep the others from theirs.
    fn wake<S: Sharing>(&mut self, hand: &mut Hand<'_, S>, until: u64) {
        let taken = &mut hand.taken;
        let begin = taken.woken;
        for (number, place) in taken.wakers.iter_mut().enumerate().skip(begin) {
            let note = taken.notes.get(number);
            if note.is_some_and(|&(_, due)| due > until) {
                break;
            }
            taken.woken = number + 1;
            let Some(waker) = place.take() else {
                continue; // never: it is taken once
            };
            if let Some(&(key, _)) = note {
                self.watch
                    .tell(|observer| observer.fires(hand.shard.timer_id(key)));
            }
            let woken = panic::catch_unwind(AssertUnwindSafe(|| waker.wake()));
            if let Err(panic) = woken {
                match self.panicked {
                    None => self.panicked = Some(panic),
                    Some(_) => discard(panic),
                }
            }
        }
        self.fired += taken.woken - begin;
        if taken.woken == taken.wakers.len() {
            taken.wakers.clear();
            taken.notes.clear();
            taken.woken = 0;
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
