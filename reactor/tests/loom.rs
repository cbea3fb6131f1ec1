//! Every interleaving of the two protocols; where a model has three threads at work on one slot, up
//! to three preemptions (without a bound it does not end in minutes).
//!
//! ```text
//! RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom \
//!     cargo test --release -p handrolled-reactor --test loom
//! ```
//!
//! `LOOM_MAX_PREEMPTIONS` sets another bound, for all.
#![cfg(loom)]

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Wake, Waker};

use loom::sync::atomic::{AtomicUsize as ModelUsize, Ordering};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use reactor::model::{Alarm, Slot, Waiter};
use reactor::poller::{Direction, Ready};

const READ: Direction = Direction::Read;

/// Three preemptions, unless the environment says otherwise.
fn bounded_model(check: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(check);
}

/// A waker that counts. Read only after the threads are joined, so std's atomics will do.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn counted() -> (std::sync::Arc<Count>, Waker) {
    let count = std::sync::Arc::new(Count::default());
    (std::sync::Arc::clone(&count), Waker::from(count))
}

fn wake(woken: Vec<Waker>) {
    woken.into_iter().for_each(Waker::wake);
}

/// A task: reads while there is something, sleeps when there is not. Returns how much it read.
fn read_until_asleep(
    slot: &Slot,
    kernel: &ModelUsize,
    waiter: &mut Waiter,
    waker: &Waker,
) -> usize {
    let mut got = 0;
    while let Some(seen) = slot.poll_ready(READ, waiter, waker) {
        match kernel.swap(0, Ordering::AcqRel) {
            0 => slot.drained(READ, seen),
            bytes => got += bytes,
        }
    }
    got
}

/// The kernel: makes data available, then reports it.
fn arrive(slot: &Slot, kernel: &ModelUsize) {
    kernel.fetch_add(1, Ordering::AcqRel);
    wake(slot.deliver(0, Ready::READABLE));
}

#[test]
fn no_byte_is_left_with_a_sleeping_reader() {
    loom::model(|| {
        let (slot, kernel) = (Arc::new(Slot::new()), Arc::new(ModelUsize::new(0)));
        let poller = {
            let (slot, kernel) = (Arc::clone(&slot), Arc::clone(&kernel));
            thread::spawn(move || {
                arrive(&slot, &kernel);
                arrive(&slot, &kernel);
            })
        };
        let (count, waker) = counted();
        let got = read_until_asleep(&slot, &kernel, &mut Waiter::default(), &waker);
        poller.join().unwrap();
        assert!(
            got == 2 || count.0.load(SeqCst) > 0,
            "got {got} of 2, asleep and never woken"
        );
    });
}

#[test]
fn an_event_wakes_all_who_wait() {
    bounded_model(|| {
        let slot = Arc::new(Slot::new());
        let kernel = Arc::new(ModelUsize::new(0));
        let tasks: Vec<_> = (0..2)
            .map(|_| {
                let (slot, kernel) = (Arc::clone(&slot), Arc::clone(&kernel));
                thread::spawn(move || {
                    let (count, waker) = counted();
                    let mut waiter = Waiter::listed();
                    let got = read_until_asleep(&slot, &kernel, &mut waiter, &waker);
                    (got, count)
                })
            })
            .collect();
        arrive(&slot, &kernel);
        let ends: Vec<_> = tasks.into_iter().map(|task| task.join().unwrap()).collect();
        let got: usize = ends.iter().map(|(got, _)| got).sum();
        let woken = ends.iter().any(|(_, count)| count.0.load(SeqCst) > 0);
        assert!(got == 1 || woken);
    });
}

#[test]
fn a_future_that_goes_away_takes_nobody_with_it() {
    loom::model(|| {
        let slot = Arc::new(Slot::new());
        let kernel = Arc::new(ModelUsize::new(0));
        let (count, waker) = counted();
        let mut stays = Waiter::listed();
        assert_eq!(read_until_asleep(&slot, &kernel, &mut stays, &waker), 0);
        let goes = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || {
                let (_, waker) = counted();
                let mut waiter = Waiter::listed();
                let _ = slot.poll_ready(READ, &mut waiter, &waker);
                slot.forget(&waiter);
            })
        };
        arrive(&slot, &kernel);
        goes.join().unwrap();
        assert_eq!(count.0.load(SeqCst), 1);
    });
}

#[test]
fn a_late_event_never_reaches_the_next_source() {
    loom::model(|| {
        let slot = Arc::new(Slot::new());
        let late = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || wake(slot.deliver(0, Ready::READABLE)))
        };
        slot.reopen();
        let (count, waker) = counted();
        let mut waiter = Waiter::default();
        // The fresh slot lets one operation try; it finds nothing.
        let seen = slot
            .poll_ready(READ, &mut waiter, &waker)
            .expect("worth a try");
        slot.drained(READ, seen);
        assert!(slot.poll_ready(READ, &mut waiter, &waker).is_none());
        late.join().unwrap();
        assert_eq!(count.0.load(SeqCst), 0);
    });
}

#[test]
fn directions_do_not_disturb_each_other() {
    loom::model(|| {
        let slot = Arc::new(Slot::new());
        let kernel = Arc::new(ModelUsize::new(0));
        let writer = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || {
                let (count, waker) = counted();
                let mut waiter = Waiter::default();
                while let Some(seen) = slot.poll_ready(Direction::Write, &mut waiter, &waker) {
                    slot.drained(Direction::Write, seen);
                }
                count
            })
        };
        arrive(&slot, &kernel);
        let (count, waker) = counted();
        let got = read_until_asleep(&slot, &kernel, &mut Waiter::default(), &waker);
        let writes = writer.join().unwrap();
        assert!(got == 1 || count.0.load(SeqCst) > 0);
        assert_eq!(writes.0.load(SeqCst), 0, "nothing became writable");
        wake(slot.deliver(0, Ready::WRITABLE));
        assert_eq!(writes.0.load(SeqCst), 1);
    });
}

/// An eventfd: a write ends the wait, or the next one.
#[derive(Default)]
struct Eventfd {
    written: Mutex<bool>,
    changed: Condvar,
}

impl Eventfd {
    fn write(&self) {
        *self.written.lock().unwrap() = true;
        self.changed.notify_one();
    }

    fn wait(&self) {
        let mut written = self.written.lock().unwrap();
        while !*written {
            written = self.changed.wait(written).unwrap();
        }
        *written = false;
    }
}

/// An event loop and `remotes` threads that give it work. A lost ring is a deadlock, which loom
/// reports.
fn ring_in(remotes: usize) {
    loom::model(move || {
        let shared = Arc::new((Alarm::new(), Eventfd::default(), ModelUsize::new(0)));
        for _ in 0..remotes {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (alarm, eventfd, inbox) = &*shared;
                inbox.fetch_add(1, Ordering::Relaxed); // the alarm's own ordering must do
                if alarm.ring() {
                    eventfd.write();
                }
            });
        }
        let (alarm, eventfd, inbox) = &*shared;
        let mut done = 0;
        loop {
            done += inbox.swap(0, Ordering::Relaxed);
            if done == remotes {
                return;
            }
            if alarm.fall_asleep() {
                eventfd.wait();
            }
            alarm.wake_up();
        }
    });
}

#[test]
fn a_ring_between_look_and_sleep_is_heard() {
    ring_in(1);
}

#[test]
fn two_rings_are_heard() {
    ring_in(2);
}
