//! Waiting for a place in the queue, in order of arrival.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::task::Waker;

use parking_lot::Mutex;

use crate::error::contain;

/// Those who found the queue full.
///
/// No wake-up is lost: a waiter first enters, then looks at the queue again; a worker first takes
/// from the queue, then looks for waiters. Each has a SeqCst fence between its two steps, so at
/// least one of them sees the other. Only the first in line looks, or newcomers would take the
/// places that others were called to. Who leaves the line, for whatever reason, calls the next one:
/// then that one looks, also for places that became free before it came.
pub(crate) struct Places {
    count: AtomicUsize,
    waiting: Mutex<Waiting>,
}

struct Waiting {
    line: VecDeque<(u64, Waker)>,
    next_ticket: u64,
}

impl Places {
    pub(crate) fn new() -> Self {
        let waiting = Waiting {
            line: VecDeque::new(),
            next_ticket: 0,
        };
        Places {
            count: AtomicUsize::new(0),
            waiting: Mutex::new(waiting),
        }
    }

    /// Whether somebody waits: newcomers go behind them.
    pub(crate) fn anyone_waits(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Enters the line, or refreshes the waker of a ticket that is still in it. If the ticket, which
    /// it returns, is the first in line, the caller then looks at the queue once more.
    pub(crate) fn wait(&self, ticket: Option<u64>, waker: Waker) -> (u64, bool) {
        let mut waiting = self.waiting.lock();
        let ticket = match ticket {
            Some(ticket) => {
                if let Some(at) = waiting.line.iter().position(|entry| entry.0 == ticket) {
                    let before = std::mem::replace(&mut waiting.line[at].1, waker);
                    drop(waiting);
                    drop(before);
                    fence(Ordering::SeqCst); // pairs with the one in `one_is_free`
                    return (ticket, at == 0);
                }
                // Called, yet somebody was faster: first in line again.
                waiting.line.push_front((ticket, waker));
                ticket
            }
            None => {
                let ticket = waiting.next_ticket;
                waiting.next_ticket += 1;
                waiting.line.push_back((ticket, waker));
                ticket
            }
        };
        let is_first = waiting.line.front().is_some_and(|entry| entry.0 == ticket);
        self.count.store(waiting.line.len(), Ordering::Relaxed);
        drop(waiting);
        fence(Ordering::SeqCst); // pairs with the one in `one_is_free`
        (ticket, is_first)
    }

    /// Leaves the line, unless the ticket was called and has left it so. The caller then calls the
    /// next in line.
    pub(crate) fn leave(&self, ticket: u64) {
        let mut waiting = self.waiting.lock();
        let at = waiting.line.iter().position(|entry| entry.0 == ticket);
        let entry = at.and_then(|at| waiting.line.remove(at));
        self.count.store(waiting.line.len(), Ordering::Relaxed);
        drop(waiting);
        drop(entry);
    }

    /// A place is free: calls the first in line.
    pub(crate) fn one_is_free(&self) {
        fence(Ordering::SeqCst); // pairs with the one in `wait`
        if !self.anyone_waits() {
            return;
        }
        let mut waiting = self.waiting.lock();
        let first = waiting.line.pop_front();
        self.count.store(waiting.line.len(), Ordering::Relaxed);
        drop(waiting);
        if let Some((_, waker)) = first {
            contain(|| waker.wake());
        }
    }

    /// The pool closes: calls everybody.
    pub(crate) fn call_all(&self) {
        let line = {
            let mut waiting = self.waiting.lock();
            self.count.store(0, Ordering::Relaxed);
            std::mem::take(&mut waiting.line)
        };
        for (_, waker) in line {
            contain(|| waker.wake());
        }
    }
}
