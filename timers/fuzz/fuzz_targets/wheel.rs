//! The wheel against a `BTreeMap`, driven by bytes: each two are an operation and its operand.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use timers::{Key, Wheel};

fuzz_target!(|bytes: &[u8]| {
    let mut world = World::new(bytes.first().copied().unwrap_or(0));
    for operation in bytes.chunks_exact(2) {
        world.step(operation[0], operation[1]);
        world.check();
    }
    world.drain();
});

struct World {
    wheel: Wheel<u64>,
    /// Deadlines by number.
    model: BTreeMap<u64, u64>,
    /// Keys by number, also of timers that are gone.
    keys: Vec<Key>,
    now: u64,
}

impl World {
    fn new(start: u8) -> World {
        let now = match start % 4 {
            0 => 0,
            1 => u64::MAX - u64::from(start),
            _ => tick(0, start),
        };
        World {
            wheel: Wheel::starting_at(now),
            model: BTreeMap::new(),
            keys: Vec::new(),
            now,
        }
    }

    fn step(&mut self, operation: u8, operand: u8) {
        let at = tick(self.now, operand);
        let chosen = usize::from(operation / 8) % self.keys.len().max(1);
        match operation % 8 {
            0..=2 => {
                let number = self.keys.len() as u64;
                self.keys.push(self.wheel.insert(at, number));
                self.model.insert(number, at);
            }
            3 if chosen < self.keys.len() => {
                let cancelled = self.wheel.cancel(self.keys[chosen]);
                let expected = self.model.remove(&(chosen as u64));
                assert_eq!(cancelled, expected.map(|_| chosen as u64));
            }
            4 if chosen < self.keys.len() => {
                let moved = self.wheel.reschedule(self.keys[chosen], at);
                let expected = self.model.get_mut(&(chosen as u64));
                assert_eq!(moved, expected.is_some());
                expected.into_iter().for_each(|deadline| *deadline = at);
            }
            5 => self.advance(at, 1 + usize::from(operation / 8)),
            6 => self.advance(self.wheel.next_deadline().unwrap_or(at), usize::MAX),
            _ => self.advance(at, usize::MAX),
        }
    }

    /// A turn in pieces of `steps`, until nothing is due.
    fn advance(&mut self, to: u64, steps: usize) {
        let before = self.now;
        self.now = self.now.max(to);
        let mut last = 0;
        loop {
            self.wheel.advance_at_most(to, steps, |_, due| {
                assert!(due.deadline <= self.now, "early");
                assert_eq!(self.model.remove(&due.value), Some(due.deadline));
                if due.deadline > before {
                    assert!(last <= due.deadline, "out of order");
                    last = due.deadline;
                }
            });
            let next = self.wheel.next_deadline();
            if self.wheel.now() >= self.now && next.is_none_or(|next| next > self.now) {
                break;
            }
        }
        let missed = self.model.values().find(|deadline| **deadline <= self.now);
        assert_eq!(missed, None, "not fired at {}", self.now);
    }

    fn check(&self) {
        assert_eq!(self.wheel.len(), self.model.len());
        let earliest = self.model.values().min();
        let next = self.wheel.next_deadline();
        assert_eq!(next.is_some(), earliest.is_some());
        assert!(next <= earliest.map(|earliest| self.now.max(*earliest)));
    }

    fn drain(mut self) {
        let mut left: Vec<(u64, u64)> = self.wheel.drain().map(|(at, n)| (n, at)).collect();
        left.sort_unstable();
        assert!(left.into_iter().eq(self.model));
        assert!(self.keys.iter().all(|key| self.wheel.get(*key).is_none()));
    }
}

/// A tick around `now`: near, or at and beside a boundary of any level, or at either end of time.
fn tick(now: u64, operand: u8) -> u64 {
    let magnitude = 1u64 << (operand % 64);
    match operand / 64 {
        0 => now.saturating_add(magnitude),
        1 => now
            .checked_add(magnitude)
            .map_or(u64::MAX, |up| up & !(magnitude - 1)),
        2 => now.saturating_sub(magnitude),
        _ => now.saturating_add(u64::from(operand % 64)),
    }
}
