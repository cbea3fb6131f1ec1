//! Who is in: the open connections and the sessions that run, and how all of them are told that it
//! is time to end.
//!
//! A connection asks at every poll whether the server drains. So that this costs a load, it leaves
//! its waker once and not each time. Nobody misses the news: the waker is left under the lock that
//! the closing holds, and under it the flag is looked at again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use futures::channel::mpsc;
use parking_lot::Mutex;
use slab::Slab;

use crate::program::signals::{Signal, Signals};

/// Connections and sessions of one server. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Guests {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Set once, under the lock of `rooms`; read without it.
    closing: AtomicBool,
    rooms: Mutex<Rooms>,
}

#[derive(Debug, Default)]
struct Rooms {
    /// The open connections, and the waker of each that asked about the closing.
    connections: Slab<Option<Waker>>,
    /// The ways to signal to the sessions that run.
    sessions: Slab<mpsc::UnboundedSender<Signal>>,
    /// Whoever waits for the last connection to go.
    last: Option<Waker>,
}

impl Guests {
    /// Connections that are open.
    pub(super) fn connections(&self) -> usize {
        self.shared.rooms.lock().connections.len()
    }

    /// Whether all have been told to end.
    pub(super) fn are_leaving(&self) -> bool {
        self.shared.closing.load(Ordering::Acquire)
    }

    /// A connection more.
    pub(super) fn enter(&self) -> Place {
        let number = self.shared.rooms.lock().connections.insert(None);
        Place {
            guests: self.clone(),
            number,
        }
    }

    /// A session more, and where it hears of the end.
    pub(super) fn begin_session(&self) -> (SessionPlace, Signals) {
        let (sender, signals) = mpsc::unbounded();
        let mut rooms = self.shared.rooms.lock();
        if self.are_leaving() {
            let _ = sender.unbounded_send(Signal::Terminate);
        }
        let number = rooms.sessions.insert(sender);
        let guests = self.clone();
        (SessionPlace { guests, number }, signals)
    }

    /// Tells every session and connection that it is time to end.
    pub(super) fn close(&self) {
        let mut rooms = self.shared.rooms.lock();
        // Pairs with the load in `are_leaving`.
        self.shared.closing.store(true, Ordering::Release);
        for (_, session) in &rooms.sessions {
            let _ = session.unbounded_send(Signal::Terminate); // or it has just ended by itself
        }
        let connections = rooms.connections.iter_mut();
        let told: Vec<Waker> = connections.filter_map(|(_, waker)| waker.take()).collect();
        drop(rooms);
        told.into_iter().for_each(Waker::wake);
    }

    /// Ready when no connection is left.
    pub(super) fn poll_empty(&self, cx: &Context<'_>) -> Poll<()> {
        let mut rooms = self.shared.rooms.lock();
        if rooms.connections.is_empty() {
            return Poll::Ready(());
        }
        rooms.last = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// An open connection's place among the guests; left when dropped.
#[derive(Debug)]
pub(super) struct Place {
    guests: Guests,
    number: usize,
}

impl Place {
    /// Ready when the server drains. `left` is the waker that was left here before, if any.
    pub(super) fn poll_closing(&self, left: &mut Option<Waker>, cx: &Context<'_>) -> Poll<()> {
        if self.guests.are_leaving() {
            return Poll::Ready(());
        }
        if left.as_ref().is_some_and(|left| left.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        let mut rooms = self.guests.shared.rooms.lock();
        if self.guests.are_leaving() {
            return Poll::Ready(());
        }
        rooms.connections[self.number] = Some(cx.waker().clone());
        *left = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut rooms = self.guests.shared.rooms.lock();
        let waker = rooms.connections.remove(self.number);
        let last = match rooms.connections.is_empty() {
            true => rooms.last.take(),
            false => None,
        };
        drop(rooms);
        drop(waker);
        if let Some(last) = last {
            last.wake();
        }
    }
}

/// A session's place among the guests; left when dropped.
#[derive(Debug)]
pub(super) struct SessionPlace {
    guests: Guests,
    number: usize,
}

impl Drop for SessionPlace {
    fn drop(&mut self) {
        self.guests.shared.rooms.lock().sessions.remove(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use futures::StreamExt;

    #[test]
    fn all_are_told_and_the_last_is_heard_of() {
        let (guests, cx) = (Guests::default(), Context::from_waker(Waker::noop()));
        let (first, second) = (guests.enter(), guests.enter());
        let (place, mut signals) = guests.begin_session();
        let mut left = None;
        assert!(first.poll_closing(&mut left, &cx).is_pending());
        assert!(first.poll_closing(&mut left, &cx).is_pending());
        assert!(signals.next().now_or_never().is_none());
        guests.close();
        assert!(first.poll_closing(&mut left, &cx).is_ready());
        assert!(second.poll_closing(&mut None, &cx).is_ready());
        assert_eq!(signals.next().now_or_never(), Some(Some(Signal::Terminate)));
        let (_late, mut signals) = guests.begin_session();
        assert_eq!(signals.next().now_or_never(), Some(Some(Signal::Terminate)));
        drop((place, first));
        assert!(guests.poll_empty(&cx).is_pending());
        drop(second);
        assert!(guests.poll_empty(&cx).is_ready());
        assert_eq!(guests.connections(), 0);
    }
}
