//! Time that stands still while code runs, shared by the loops that live in it.
//!
//! A loop is a *member*. It is idle from the moment it asks how long it may wait until it fires
//! its timers again. On an auto-advancing clock time jumps when the last member becomes idle, or
//! the last hold goes: the member that asks makes the jump, and wakes the others that have
//! something due. A member that never asked does not count, so a handle that nobody drives does
//! not stop time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::observe::contained;

#[derive(Debug)]
pub(crate) struct VirtualTime {
    base: Instant,
    /// Nanoseconds since `base`. Changed only under the lock; only grows.
    elapsed: AtomicU64,
    auto: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    holds: usize,
    members: Vec<MemberState>,
    next_id: u64,
}

#[derive(Debug)]
struct MemberState {
    id: u64,
    idle: Idle,
    host: Option<Arc<Waker>>,
}

/// What a member waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Idle {
    /// It runs tasks.
    No,
    /// It waits until this time, in nanoseconds since `base`, or for ever.
    Until(Option<u64>),
    /// It has not asked yet.
    NeverAsked,
}

impl VirtualTime {
    pub(crate) fn new(auto: bool) -> Self {
        VirtualTime {
            base: Instant::now(),
            elapsed: AtomicU64::new(0),
            auto,
            state: Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        // Acquire, pairs with the Release in `move_to`: who sees the new time sees what was
        // done before time moved.
        self.base + Duration::from_nanos(self.elapsed.load(Ordering::Acquire))
    }

    pub(crate) fn advance(&self, by: Duration) {
        let state = self.state.lock();
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        let elapsed = self.elapsed.load(Ordering::Relaxed);
        self.move_to(elapsed.saturating_add(by).min(FAR));
        let hosts = state.hosts(|_| true);
        drop(state);
        wake_all(hosts);
    }

    pub(crate) fn hold(&self) {
        self.state.lock().holds += 1;
    }

    /// The last hold's end wakes every idle member: each asks again, and the last one jumps.
    pub(crate) fn release(&self) {
        let mut state = self.state.lock();
        state.holds -= 1;
        let hosts = match state.holds {
            0 if self.auto => state.hosts(|idle| matches!(idle, Idle::Until(_))),
            _ => Vec::new(),
        };
        drop(state);
        wake_all(hosts);
    }

    fn move_to(&self, elapsed: u64) {
        self.elapsed.store(elapsed, Ordering::Release); // pairs with the Acquire in `now`
    }
}

/// Where virtual time ends, after some 292 years: every `Instant` can still express it.
const FAR: u64 = u64::MAX / 2;

impl State {
    fn hosts(&self, which: impl Fn(Idle) -> bool) -> Vec<Arc<Waker>> {
        let chosen = self.members.iter().filter(|member| which(member.idle));
        chosen.filter_map(|member| member.host.clone()).collect()
    }
}

/// Not under the lock: these are other people's code. One that panics does not keep the others
/// from hearing of it.
fn wake_all(hosts: Vec<Arc<Waker>>) {
    for host in hosts {
        contained(|| host.wake_by_ref());
    }
}

/// A loop's part in virtual time; leaves it when dropped.
#[derive(Debug)]
pub(crate) struct Member {
    time: Arc<VirtualTime>,
    id: u64,
}

impl Member {
    pub(crate) fn new(time: Arc<VirtualTime>, host: Option<Waker>) -> Member {
        let host = host.map(Arc::new);
        let mut state = time.state.lock();
        let id = state.next_id;
        state.next_id += 1;
        state.members.push(MemberState {
            id,
            idle: Idle::NeverAsked,
            host,
        });
        drop(state);
        Member { time, id }
    }

    /// How long the member may wait for `deadline`: not at all, or until it is woken.
    pub(crate) fn patience(&self, deadline: Option<Instant>) -> Option<Duration> {
        let time = &*self.time;
        let deadline = deadline
            .map(|at| at.saturating_duration_since(time.base).as_nanos())
            .map(|nanos| u64::try_from(nanos).unwrap_or(u64::MAX));
        let mut state = time.state.lock();
        let now = time.elapsed.load(Ordering::Relaxed);
        if deadline.is_some_and(|at| at <= now) {
            self.set_idle(&mut state, Idle::No);
            return Some(Duration::ZERO);
        }
        self.set_idle(&mut state, Idle::Until(deadline));
        let all_idle = state.members.iter().all(|member| member.idle != Idle::No);
        if !time.auto || state.holds > 0 || !all_idle {
            return None;
        }
        let deadlines = state.members.iter().filter_map(|member| match member.idle {
            Idle::Until(at) => at,
            _ => None,
        });
        let next = deadlines.min().filter(|at| *at <= FAR)?;
        time.move_to(next);
        let mut hosts = Vec::new();
        for member in &mut state.members {
            if matches!(member.idle, Idle::Until(Some(at)) if at <= next) {
                member.idle = Idle::No; // it runs from now on, even if it is yet to wake up
                hosts.extend(member.host.clone().filter(|_| member.id != self.id));
            }
        }
        self.set_idle(&mut state, Idle::No);
        drop(state);
        wake_all(hosts);
        // also when the deadline was another member's: it may be driven by this same thread
        Some(Duration::ZERO)
    }

    /// The member runs again.
    pub(crate) fn busy(&self) {
        self.set_idle(&mut self.time.state.lock(), Idle::No);
    }

    fn set_idle(&self, state: &mut State, idle: Idle) {
        let mine = state.members.iter_mut().find(|member| member.id == self.id);
        if let Some(mine) = mine {
            mine.idle = idle;
        }
    }
}

impl Drop for Member {
    /// Others may have waited only for this member.
    fn drop(&mut self) {
        let mut state = self.time.state.lock();
        let mine = state.members.iter().position(|other| other.id == self.id);
        let mine = mine.map(|place| state.members.remove(place));
        let hosts = match self.time.auto {
            true => state.hosts(|idle| matches!(idle, Idle::Until(_))),
            false => Vec::new(),
        };
        drop(state);
        drop(mine); // with its host's waker: other people's code as well
        wake_all(hosts);
    }
}
