//! The structure under the timers, by itself: no clock, no tasks, ticks of a millisecond.

use fastrand::Rng;

use crate::roster::{OnReschedule, OnSchedule, Shape};
use crate::runtime::{Reschedule, Schedule};
use crate::workload::{Invalid, Measured, Pass, Scale, expect_count};

const UNIT: &str = "ns/deadline";

/// Operations in one pass of [`Replace`] and [`Postpone`].
const PASS: u64 = 10_000;
/// The farthest deadline, in ticks from now: connection timeouts of up to half a minute.
pub(super) const FARTHEST: u64 = 30_000;

/// The same numbers for everybody.
pub(super) fn dice() -> Rng {
    Rng::with_seed(0x9E37_79B9_7F4A_7C15)
}

/// Lets time go on by a tick so often that a hundred ticks pass while each of so many deadlines is
/// touched once, and says when.
struct Pace {
    now: u64,
    operations_a_tick: u64,
    until_tick: u64,
}

impl Pace {
    fn of(outstanding: u64) -> Self {
        let operations_a_tick = (outstanding / 100).max(1);
        Self {
            now: 0,
            operations_a_tick,
            until_tick: operations_a_tick,
        }
    }

    /// After an operation: whether time has gone on.
    fn step(&mut self) -> bool {
        self.until_tick -= 1;
        let ticked = self.until_tick == 0;
        if ticked {
            self.until_tick = self.operations_a_tick;
            self.now += 1;
        }
        ticked
    }
}

/// So many deadlines, and how to find them again.
fn fill<S: Schedule>(
    schedule: &mut S,
    count: u64,
    mut deadline: impl FnMut() -> u64,
) -> Vec<S::Key> {
    schedule.within(|schedule| (0..count).map(|n| schedule.insert(deadline(), n)).collect())
}

/// Cancels a deadline at random and inserts another, time going on meanwhile at such a pace that
/// each lives for about a hundred ticks; the few that fire are inserted again.
pub struct Replace<const OUTSTANDING: usize>;

impl<const OUTSTANDING: usize> Shape for Replace<OUTSTANDING> {
    const ABOUT: &str = "cancel one of many deadlines, chosen at random, and insert another";
    const UNIT: &str = UNIT;
}

impl<const OUTSTANDING: usize> OnSchedule for Replace<OUTSTANDING> {
    fn pass<S: Schedule>(scale: Scale) -> Result<Pass, Invalid> {
        let mut schedule = S::new();
        let outstanding = scale.of(OUTSTANDING, 20) as u64;
        let mut dice = dice();
        let mut pace = Pace::of(outstanding);
        let mut due = Vec::new();
        let mut keys = fill(&mut schedule, outstanding, || 1 + dice.u64(..FARTHEST));
        Ok(Box::new(move || {
            Measured::cpu(PASS, || {
                schedule.within(|schedule| {
                    for _ in 0..PASS {
                        let which = dice.u64(..outstanding);
                        let value = schedule.cancel(keys[which as usize]);
                        if value != Some(which) {
                            return Err(Invalid(format!("{value:?} was cancelled for {which}")));
                        }
                        let deadline = pace.now + 1 + dice.u64(..FARTHEST);
                        keys[which as usize] = schedule.insert(deadline, which);
                        if pace.step() {
                            schedule.advance(pace.now, |value| due.push(value));
                            for which in due.drain(..) {
                                let deadline = pace.now + 1 + dice.u64(..FARTHEST);
                                keys[which as usize] = schedule.insert(deadline, which);
                            }
                        }
                    }
                    Ok(())
                })
            })
        }))
    }
}

/// Connections in random order hear from their peers and put their timeout off to half a minute
/// from now. None is ever due, as time goes on by a hundred ticks while all are put off once.
pub struct Postpone<const OUTSTANDING: usize>;

impl<const OUTSTANDING: usize> Shape for Postpone<OUTSTANDING> {
    const ABOUT: &str = "put off one of many keep-alives, chosen at random";
    const UNIT: &str = UNIT;
}

impl<const OUTSTANDING: usize> OnReschedule for Postpone<OUTSTANDING> {
    fn pass<S: Reschedule>(scale: Scale) -> Result<Pass, Invalid> {
        let mut schedule = S::new();
        let outstanding = scale.of(OUTSTANDING, 20) as u64;
        let mut dice = dice();
        let mut pace = Pace::of(outstanding);
        let mut keys = fill(&mut schedule, outstanding, || FARTHEST + dice.u64(..100));
        Ok(Box::new(move || {
            Measured::cpu(PASS, || {
                schedule.within(|schedule| {
                    for _ in 0..PASS {
                        let which = dice.u64(..outstanding) as usize;
                        keys[which] = schedule.reschedule(keys[which], pace.now + FARTHEST);
                        if pace.step() {
                            let mut due = 0;
                            schedule.advance(pace.now, |_| due += 1);
                            expect_count("keep-alives ended", due, 0)?;
                        }
                    }
                    Ok(())
                })
            })
        }))
    }
}

/// Inserts them all, uniform over a second, and lets time go through that second tick by tick.
pub struct InsertFire<const DEADLINES: usize>;

impl<const DEADLINES: usize> Shape for InsertFire<DEADLINES> {
    const ABOUT: &str = "insert many in 1 to 1,000 ms, then fire all";
    const UNIT: &str = UNIT;
}

impl<const DEADLINES: usize> OnSchedule for InsertFire<DEADLINES> {
    fn pass<S: Schedule>(scale: Scale) -> Result<Pass, Invalid> {
        let mut schedule = S::new();
        let deadlines = scale.of(DEADLINES, 20) as u64;
        let mut dice = dice();
        let mut now = 0;
        Ok(Box::new(move || {
            Measured::cpu(deadlines, || {
                let mut fired = 0;
                let mut sum = 0;
                for value in 0..deadlines {
                    schedule.insert(now + 1 + dice.u64(..1_000), value);
                }
                for _ in 0..1_000 {
                    now += 1;
                    schedule.advance(now, |value| {
                        fired += 1;
                        sum += value;
                    });
                }
                expect_count("deadlines fired", fired, deadlines)?;
                expect_count("as their sum", sum, deadlines * (deadlines - 1) / 2)
            })
        }))
    }
}
