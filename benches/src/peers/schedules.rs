//! Data structures that hold deadlines, without clock or tasks.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use ::tokio::runtime::{Builder, LocalRuntime};
use hierarchical_hash_wheel_timer::IdOnlyTimerEntry;
use hierarchical_hash_wheel_timer::wheels::Skip;
use hierarchical_hash_wheel_timer::wheels::cancellable::QuadWheelWithOverflow;
use tokio_util::time::{DelayQueue, delay_queue};

use crate::runtime::{Reschedule, Schedule};

/// The standard library's ordered map, a sequence number telling equal deadlines apart.
#[derive(Default)]
pub struct Ordered {
    entries: BTreeMap<(u64, u64), u64>,
    sequence: u64,
}

impl Schedule for Ordered {
    const NAME: &'static str = "btreemap";
    type Key = (u64, u64);

    fn new() -> Self {
        Self::default()
    }

    fn insert(&mut self, deadline: u64, value: u64) -> Self::Key {
        self.sequence += 1;
        let key = (deadline, self.sequence);
        self.entries.insert(key, value);
        key
    }

    fn cancel(&mut self, key: Self::Key) -> Option<u64> {
        self.entries.remove(&key)
    }

    fn advance(&mut self, now: u64, mut fire: impl FnMut(u64)) {
        while let Some(first) = self.entries.first_entry()
            && first.key().0 <= now
        {
            fire(first.remove());
        }
    }
}

impl Reschedule for Ordered {
    fn reschedule(&mut self, key: Self::Key, deadline: u64) -> Self::Key {
        let value = self.entries.remove(&key).expect("it is waiting");
        self.insert(deadline, value)
    }
}

/// A binary heap whose cancelled entries stay until they surface, or are more than half of it.
#[derive(Default)]
pub struct LazyHeap {
    heap: BinaryHeap<Reverse<(u64, u32, u32)>>, // deadline, place, generation
    places: Vec<(u32, u64)>,                    // generation, value
    free: Vec<u32>,
    dead: usize,
}

impl LazyHeap {
    fn release(&mut self, place: u32) -> u64 {
        let (generation, value) = &mut self.places[place as usize];
        *generation = generation.wrapping_add(1);
        self.free.push(place);
        *value
    }
}

impl Schedule for LazyHeap {
    const NAME: &'static str = "heap";
    type Key = (u32, u32);

    fn new() -> Self {
        Self::default()
    }

    fn insert(&mut self, deadline: u64, value: u64) -> Self::Key {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push((0, 0));
            (self.places.len() - 1) as u32
        });
        self.places[place as usize].1 = value;
        let key = (place, self.places[place as usize].0);
        self.heap.push(Reverse((deadline, key.0, key.1)));
        key
    }

    fn cancel(&mut self, (place, generation): Self::Key) -> Option<u64> {
        if self.places[place as usize].0 != generation {
            return None;
        }
        let value = self.release(place);
        self.dead += 1;
        if self.dead > 64 && self.dead * 2 > self.heap.len() {
            let places = &self.places;
            self.heap
                .retain(|Reverse((_, p, g))| places[*p as usize].0 == *g);
            self.dead = 0;
        }
        Some(value)
    }

    fn advance(&mut self, now: u64, mut fire: impl FnMut(u64)) {
        while let Some(&Reverse((deadline, place, generation))) = self.heap.peek()
            && deadline <= now
        {
            self.heap.pop();
            if self.places[place as usize].0 == generation {
                fire(self.release(place));
            } else {
                self.dead -= 1;
            }
        }
    }
}

/// hierarchical_hash_wheel_timer: four levels of 256 and a hash map of what is still wanted.
pub struct HashWheel {
    wheel: QuadWheelWithOverflow<IdOnlyTimerEntry<u64>>,
    now: u64,
    sequence: u64,
}

impl Schedule for HashWheel {
    const NAME: &'static str = "hash-wheel";
    type Key = u64;

    fn new() -> Self {
        Self {
            wheel: QuadWheelWithOverflow::new(),
            now: 0,
            sequence: 0,
        }
    }

    fn insert(&mut self, deadline: u64, value: u64) -> u64 {
        // The identity carries the value in its low half, and is new each time.
        self.sequence += 1;
        let id = self.sequence << 32 | value;
        let delay = Duration::from_millis(deadline - self.now);
        let inserted = self.wheel.insert(IdOnlyTimerEntry { id, delay });
        assert!(inserted.is_ok(), "the hash wheel refused a deadline");
        id
    }

    fn cancel(&mut self, id: u64) -> Option<u64> {
        self.wheel
            .cancel(&id)
            .ok()
            .map(|()| id & u64::from(u32::MAX))
    }

    fn advance(&mut self, now: u64, mut fire: impl FnMut(u64)) {
        while self.now < now {
            let left = now - self.now;
            match self.wheel.can_skip() {
                Skip::Empty => self.now = now,
                Skip::Millis(gap) if u64::from(gap) >= left => {
                    self.wheel.skip(left as u32);
                    self.now = now;
                }
                Skip::Millis(gap) => {
                    self.wheel.skip(gap);
                    self.now += u64::from(gap);
                    self.tick(&mut fire);
                }
                Skip::None => self.tick(&mut fire),
            }
        }
    }
}

impl HashWheel {
    fn tick(&mut self, fire: &mut impl FnMut(u64)) {
        self.now += 1;
        for entry in self.wheel.tick() {
            fire(entry.id & u64::from(u32::MAX));
        }
    }
}

/// tokio_util's DelayQueue. It lives by the real clock: its time cannot be moved by hand, so it
/// stands still here, which spares it the turning of its wheel.
pub struct Delays {
    queue: DelayQueue<u64>,
    origin: ::tokio::time::Instant,
    runtime: LocalRuntime,
}

impl Schedule for Delays {
    const NAME: &'static str = "delayqueue";
    type Key = delay_queue::Key;

    fn new() -> Self {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .build_local(Default::default());
        let runtime = runtime.expect("tokio starts");
        // Deadlines are in milliseconds from here; an hour ahead, none is due while it is measured.
        let origin = ::tokio::time::Instant::now() + Duration::from_secs(3_600);
        Self {
            queue: DelayQueue::new(),
            origin,
            runtime,
        }
    }

    fn insert(&mut self, deadline: u64, value: u64) -> delay_queue::Key {
        self.queue
            .insert_at(value, self.origin + Duration::from_millis(deadline))
    }

    fn cancel(&mut self, key: delay_queue::Key) -> Option<u64> {
        self.queue
            .try_remove(&key)
            .map(delay_queue::Expired::into_inner)
    }

    fn advance(&mut self, _now: u64, _fire: impl FnMut(u64)) {}

    fn within<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        // DelayQueue finds its clock through the runtime that has been entered.
        let handle = self.runtime.handle().clone();
        let _entered = handle.enter();
        work(self)
    }
}

impl Reschedule for Delays {
    fn reschedule(&mut self, key: delay_queue::Key, deadline: u64) -> delay_queue::Key {
        self.queue
            .reset_at(&key, self.origin + Duration::from_millis(deadline));
        key
    }
}
