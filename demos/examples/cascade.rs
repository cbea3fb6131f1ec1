//! Cascade: a timer comes down the levels of the wheel.
//!
//! Run it: `cargo run --example cascade`
//!
//! Watch the level. The wheel reads a deadline as a number of base 64, like the rings of an
//! odometer, and keeps it on the level of the highest digit in which it differs from 'now'. Far
//! away it lies in a slot as wide as 4,096 ticks; as time comes closer it moves to slots of 64
//! ticks, then of one, and fires exactly. Each timer moves at most once a level, however many
//! there are, and inserting one never looks at another.

use timers::Wheel;

/// The level a deadline is on, seen from `now`: the same arithmetic as the wheel's own.
fn level(now: u64, deadline: u64) -> u32 {
    (63 - ((now ^ deadline) | 1).leading_zeros()) / 6
}

fn digits(ticks: u64) -> String {
    format!(
        "{:>2}:{:>2}:{:>2}",
        ticks >> 12,
        ticks >> 6 & 63,
        ticks & 63
    )
}

fn main() {
    let deadline = 3 * 4096 + 21 * 64 + 42;
    let mut wheel = Wheel::new();
    wheel.insert(deadline, "the slow one");
    println!("deadline, digits of base 64:  {}", digits(deadline));

    let mut at_level = u32::MAX;
    for now in 1..=deadline {
        let fired = wheel.advance(now, |_, due| {
            println!("now {:>5} = {}: fires {:?}", now, digits(now), due.value);
        });
        let level = level(now, deadline);
        if fired == 0 && level != at_level {
            let width = 64u64.pow(level);
            println!(
                "now {now:>5} = {}: on level {level}, in a slot of {width} ticks",
                digits(now)
            );
            at_level = level;
        }
        assert_eq!(fired == 1, now == deadline, "neither early nor late");
    }
}
