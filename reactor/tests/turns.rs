//! Several threads poll one reactor: who waits for its turn does not wait any longer for that. And how
//! long a wait may be.
#![cfg(not(loom))]

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use reactor::Reactor;
use reactor::poller::{Abilities, Direction, Event, Poller, Token};

/// Tells how long each wait may take, and ends it when told to.
#[derive(Debug)]
struct Slow {
    waits: Mutex<Sender<Option<Duration>>>,
    go_on: Mutex<Receiver<()>>,
}

impl Poller for Slow {
    fn abilities(&self) -> Abilities {
        Abilities {
            edges: true,
            hangups: true,
        }
    }
    fn add(&self, _: BorrowedFd<'_>, _: Token) -> io::Result<()> {
        Ok(())
    }
    fn modify(&self, _: BorrowedFd<'_>, _: Token, _: Direction) -> io::Result<()> {
        Ok(())
    }
    fn delete(&self, _: BorrowedFd<'_>, _: Token) -> io::Result<()> {
        Ok(())
    }
    fn wait(&self, _: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()> {
        self.waits.lock().unwrap().send(timeout).unwrap();
        self.go_on.lock().unwrap().recv().unwrap();
        Ok(())
    }
    fn notify(&self) {}
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// How long the second of two threads waits that poll with a first one in its turn.
fn second_wait(patience: Duration) -> Duration {
    let (waits, told) = channel();
    let (go, go_on) = channel();
    let poller = Slow {
        waits: Mutex::new(waits),
        go_on: Mutex::new(go_on),
    };
    let reactor = Reactor::builder().poller(poller).build().unwrap();
    let first = reactor.clone();
    let first = thread::spawn(move || first.poll(None));
    assert_eq!(told.recv().unwrap(), None);

    let second = reactor.clone();
    let second = thread::spawn(move || second.poll(Some(patience)));
    thread::sleep(Duration::from_millis(50)); // it should get as far as waiting for its turn
    go.send(()).unwrap();
    let left = told.recv().unwrap().unwrap();
    go.send(()).unwrap();
    assert_eq!(first.join().unwrap().unwrap(), 0);
    assert_eq!(second.join().unwrap().unwrap(), 0);
    left
}

#[test]
fn the_time_until_its_turn_is_part_of_the_timeout() {
    let patience = Duration::from_secs(60);
    // On a busy machine the second thread may come late, and find the turn free.
    let shortened = (0..20).any(|_| second_wait(patience) < patience);
    assert!(shortened, "it waits for all of {patience:?} on top");
}

/// Each is ended by a wake, one that comes before the wait or in it.
#[test]
fn no_timeout_is_too_long() {
    let ways = [Reactor::builder(), Reactor::builder().portable()];
    for reactor in ways.map(|way| way.build().unwrap()) {
        for seconds in [1 << 31, 1 << 32, 1 << 62, i64::MAX as u64, u64::MAX] {
            for nanos in [0, 1, 999_999_999] {
                let timeout = Duration::new(seconds, nanos);
                let waker = reactor.waker();
                let ring = thread::spawn(move || waker.wake());
                reactor.poll(Some(timeout)).unwrap();
                ring.join().unwrap();
            }
        }
    }
}
