//! The structure under the timers, by itself: no clock, no tasks, ticks of a millisecond.

use timers::Wheel;

use crate::contest::{
    Better, Contender, Cores, Invalid, Measured, Pass, Scale, Workload, expect_count,
};
use crate::peers::schedules::{Delays, HashWheel, LazyHeap, Ordered};
use crate::runtime::{Reschedule, Schedule};

/// The workloads of this file.
pub const ALL: &[Workload] = &[
    wheel(
        "timers/wheel_insert_cancel_1k",
        "replace one of 1,000 deadlines",
        cancel::<1_000>,
    ),
    wheel(
        "timers/wheel_insert_cancel_100k",
        "replace one of 100,000",
        cancel::<100_000>,
    ),
    wheel(
        "timers/wheel_insert_cancel_1m",
        "replace one of 1,000,000",
        cancel::<1_000_000>,
    ),
    wheel(
        "timers/wheel_reschedule_1k",
        "put off one of 1,000 keep-alives",
        put_off::<1_000>,
    ),
    wheel(
        "timers/wheel_reschedule_100k",
        "put off one of 100,000",
        put_off::<100_000>,
    ),
    wheel(
        "timers/wheel_reschedule_1m",
        "put off one of 1,000,000",
        put_off::<1_000_000>,
    ),
    wheel(
        "timers/wheel_insert_fire_10k",
        "insert 10,000 in 1 to 1,000 ms, fire",
        fire::<10_000>,
    ),
    wheel(
        "timers/wheel_insert_fire_1m",
        "insert 1,000,000, fire all",
        fire::<1_000_000>,
    ),
];

const fn wheel(
    name: &'static str,
    about: &'static str,
    contenders: fn(Scale) -> Vec<Contender>,
) -> Workload {
    let unit = "ns/deadline";
    Workload {
        name,
        about,
        unit,
        better: Better::Less,
        cores: Cores::One,
        long: false,
        contenders,
    }
}

fn cancel<const OUTSTANDING: usize>(scale: Scale) -> Vec<Contender> {
    let count = scale.of(OUTSTANDING, 20);
    vec![
        contender::<Wheel<u64>>(count, replace),
        contender::<Delays>(count, replace),
        contender::<HashWheel>(count, replace),
        contender::<LazyHeap>(count, replace),
        contender::<Ordered>(count, replace),
    ]
}

fn put_off<const OUTSTANDING: usize>(scale: Scale) -> Vec<Contender> {
    let count = scale.of(OUTSTANDING, 20);
    vec![
        contender::<Wheel<u64>>(count, postpone),
        contender::<Delays>(count, postpone),
        contender::<Ordered>(count, postpone),
    ]
}

fn fire<const DEADLINES: usize>(scale: Scale) -> Vec<Contender> {
    let count = scale.of(DEADLINES, 20);
    vec![
        contender::<Wheel<u64>>(count, insert_fire),
        contender::<HashWheel>(count, insert_fire),
        contender::<LazyHeap>(count, insert_fire),
        contender::<Ordered>(count, insert_fire),
    ]
}

fn contender<S: Schedule>(count: usize, pass: fn(S, u64) -> Pass) -> Contender {
    Contender::new(S::NAME, move || Ok(pass(S::new(), count as u64)))
}

/// Operations in one pass of [`replace`] and [`postpone`].
const PASS: u64 = 10_000;
/// The farthest deadline, in ticks from now: connection timeouts of up to half a minute.
const FARTHEST: u64 = 30_000;

/// Xorshift: the same numbers for everybody, for a nanosecond each.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((u128::from(self.0) * u128::from(limit)) >> 64) as u64
    }
}

/// Cancels a deadline at random and inserts another, time going on meanwhile at such a pace that
/// each lives for about a hundred ticks; the few that fire are inserted again.
fn replace<S: Schedule>(mut schedule: S, outstanding: u64) -> Pass {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut now = 0;
    let mut due = Vec::new();
    let mut keys: Vec<S::Key> = schedule.within(|schedule| {
        (0..outstanding)
            .map(|n| schedule.insert(1 + dice.below(FARTHEST), n))
            .collect()
    });
    let operations_a_tick = (outstanding / 100).max(1);
    let mut until_tick = operations_a_tick;
    Box::new(move || {
        Measured::cpu(PASS, || {
            schedule.within(|schedule| {
                for _ in 0..PASS {
                    let which = dice.below(outstanding);
                    let value = schedule.cancel(keys[which as usize]);
                    if value != Some(which) {
                        return Err(Invalid(format!("{value:?} was cancelled for {which}")));
                    }
                    let deadline = now + 1 + dice.below(FARTHEST);
                    keys[which as usize] = schedule.insert(deadline, which);
                    until_tick -= 1;
                    if until_tick == 0 {
                        until_tick = operations_a_tick;
                        now += 1;
                        schedule.advance(now, |value| due.push(value));
                        for which in due.drain(..) {
                            let deadline = now + 1 + dice.below(FARTHEST);
                            keys[which as usize] = schedule.insert(deadline, which);
                        }
                    }
                }
                Ok(())
            })
        })
    })
}

/// Connections in random order hear from their peers and put their timeout off to half a minute
/// from now. None is ever due, as time goes on by a hundred ticks while all are put off once.
fn postpone<S: Reschedule>(mut schedule: S, outstanding: u64) -> Pass {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut now = 0;
    let mut keys: Vec<S::Key> = schedule.within(|schedule| {
        (0..outstanding)
            .map(|n| schedule.insert(FARTHEST + dice.below(100), n))
            .collect()
    });
    let operations_a_tick = (outstanding / 100).max(1);
    let mut until_tick = operations_a_tick;
    Box::new(move || {
        Measured::cpu(PASS, || {
            schedule.within(|schedule| {
                for _ in 0..PASS {
                    let which = dice.below(outstanding) as usize;
                    keys[which] = schedule.reschedule(keys[which], now + FARTHEST);
                    until_tick -= 1;
                    if until_tick == 0 {
                        until_tick = operations_a_tick;
                        now += 1;
                        let mut due = 0;
                        schedule.advance(now, |_| due += 1);
                        expect_count("keep-alives ended", due, 0)?;
                    }
                }
                Ok(())
            })
        })
    })
}

/// Inserts them all, uniform over a second, and lets time go through that second tick by tick.
fn insert_fire<S: Schedule>(mut schedule: S, deadlines: u64) -> Pass {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut now = 0;
    Box::new(move || {
        Measured::cpu(deadlines, || {
            let mut fired = 0;
            let mut sum = 0;
            for value in 0..deadlines {
                schedule.insert(now + 1 + dice.below(1_000), value);
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
    })
}
