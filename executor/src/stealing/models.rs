//! Models of the pure parts for loom: ring, injector, idle word. Those of whole tasks are in
//! `task_models.rs`.
//!
//! `RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom cargo test -p handrolled-executor --release
//! --lib stealing` runs them. Two threads are tried without bound; where a model has three, it says
//! how many preemptions are.

use std::ptr::{self, NonNull};

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::idle::Idle;
use super::ring::{CAPACITY, Ring};

/// Runs a model; with at most so many preemptions in one schedule, if a number is given.
pub(super) fn bounded(preemptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    if builder.preemption_bound.is_none() {
        builder.preemption_bound = preemptions;
    }
    builder.check(model);
}

fn item(number: usize) -> NonNull<u8> {
    NonNull::new(ptr::without_provenance_mut(number + 1)).unwrap()
}

fn number(item: NonNull<u8>) -> usize {
    item.addr().get() - 1
}

/// Counts how often each of the first items came out.
#[derive(Default)]
struct Seen([u8; 6]);

impl Seen {
    fn add(&mut self, item: NonNull<u8>) {
        self.0[number(item)] += 1;
    }

    fn drain(&mut self, ring: &Ring<u8>) {
        while let Some(item) = ring.pop() {
            self.add(item);
        }
    }

    fn merge(&mut self, other: &Seen) {
        for (mine, other) in self.0.iter_mut().zip(other.0) {
            *mine += other;
        }
    }

    fn each_once(&self, items: usize) {
        for (item, &times) in self.0.iter().enumerate() {
            assert_eq!(
                times,
                u8::from(item < items),
                "item {item} came out {times} times"
            );
        }
    }
}

fn steal_all(ring: &Ring<u8>, attempts: usize) -> Seen {
    let own = Ring::new();
    let mut seen = Seen::default();
    for _ in 0..attempts {
        if let Some((item, _)) = ring.steal(&own) {
            seen.add(item);
            seen.drain(&own);
        }
    }
    seen
}

#[test]
fn ring_each_item_comes_out_once() {
    loom::model(|| {
        let ring = Arc::new(Ring::new());
        let victim = ring.clone();
        let thief = thread::spawn(move || steal_all(&victim, 2));
        let mut seen = Seen::default();
        for number in 0..4 {
            if ring.push(item(number)).is_err() {
                seen.add(item(number));
            }
            if number % 2 == 1 {
                ring.pop().into_iter().for_each(|item| seen.add(item));
            }
        }
        seen.drain(&ring);
        seen.merge(&thief.join().unwrap());
        seen.each_once(4);
    });
}

#[test]
fn ring_two_thieves_share() {
    bounded(Some(3), || {
        let ring = Arc::new(Ring::new());
        ring.push(item(0)).unwrap();
        let thieves: Vec<_> = (0..2)
            .map(|_| {
                let victim = ring.clone();
                thread::spawn(move || steal_all(&victim, 1))
            })
            .collect();
        let mut seen = Seen::default();
        for number in 1..4 {
            if ring.push(item(number)).is_err() {
                seen.add(item(number));
            }
        }
        seen.drain(&ring);
        for thief in thieves {
            seen.merge(&thief.join().unwrap());
        }
        seen.each_once(4);
    });
}

#[test]
fn ring_half_of_it_overflows_while_a_thief_is_at_work() {
    loom::model(|| {
        let ring = Arc::new(Ring::new());
        let victim = ring.clone();
        let thief = thread::spawn(move || steal_all(&victim, 2));
        let mut seen = Seen::default();
        for number in 0..CAPACITY + 2 {
            if let Err(item) = ring.push(item(number)) {
                ring.pop_half(|item| seen.add(item));
                seen.add(item);
            }
        }
        seen.drain(&ring);
        seen.merge(&thief.join().unwrap());
        seen.each_once(CAPACITY + 2);
    });
}

/// What was written before the push is seen by who steals it: the release of the tail.
#[test]
fn ring_a_thief_sees_what_was_written_before_the_push() {
    loom::model(|| {
        let ring = Arc::new(Ring::new());
        let cargo = Arc::new(AtomicUsize::new(0));
        let (victim, seen) = (ring.clone(), cargo.clone());
        let thief = thread::spawn(move || {
            if victim.steal(&Ring::new()).is_some() {
                assert_eq!(seen.load(Ordering::Relaxed), 7);
            }
        });
        cargo.store(7, Ordering::Relaxed);
        ring.push(item(0)).unwrap();
        thief.join().unwrap();
    });
}

/// One who gives work and one who lies down: either the work is seen, or the sleeper is woken.
#[test]
fn idle_no_wake_up_is_lost() {
    loom::model(|| {
        let idle = Arc::new(Idle::new(2));
        let work = Arc::new(AtomicUsize::new(0));
        let (their_idle, their_work) = (idle.clone(), work.clone());
        let sleeper = thread::spawn(move || {
            let searching = their_idle.search();
            let _ = their_idle.sleep(1, searching);
            their_work.load(Ordering::Relaxed) == 1
        });
        work.store(1, Ordering::Relaxed);
        loom::sync::atomic::fence(Ordering::SeqCst);
        let woken = idle.notify();
        let seen = sleeper.join().unwrap();
        assert!(
            seen || woken == Some(1),
            "work is queued, and worker 1 sleeps"
        );
    });
}

/// Two who give, two who lie down: each sleeper is woken once at most, and not all stay asleep.
#[test]
fn idle_givers_wake_different_workers() {
    bounded(Some(3), || {
        let idle = Arc::new(Idle::new(2));
        let work = Arc::new(AtomicUsize::new(0));
        let (their_idle, their_work) = (idle.clone(), work.clone());
        let sleeper = thread::spawn(move || {
            let _ = their_idle.sleep(0, false);
            let seen = their_work.load(Ordering::Relaxed) > 0;
            if seen {
                their_idle.get_up(0);
            }
            seen
        });
        let (their_idle, their_work) = (idle.clone(), work.clone());
        let giver = thread::spawn(move || {
            their_work.fetch_add(1, Ordering::Relaxed);
            loom::sync::atomic::fence(Ordering::SeqCst);
            their_idle.notify()
        });
        work.fetch_add(1, Ordering::Relaxed);
        loom::sync::atomic::fence(Ordering::SeqCst);
        let first = idle.notify();
        let (seen, second) = (sleeper.join().unwrap(), giver.join().unwrap());
        assert!(
            first.is_none() || second.is_none(),
            "one sleeper cannot be woken twice"
        );
        assert!(seen || first.is_some() || second.is_some());
        assert!(
            !idle.seems_busy() || idle.found(),
            "who is up counts as a searcher, once"
        );
        assert!(!idle.all_asleep());
    });
}
