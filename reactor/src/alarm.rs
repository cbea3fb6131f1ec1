//! Waking the thread that polls, from any thread, with as few system calls as possible.
//!
//! One byte tells whether a write to the poller's wake-up descriptor is needed:
//!
//! ```text
//!            1 fall_asleep                    3 ring: and write to the descriptor
//!    AWAKE ────────────────▶ ASLEEP ────────────────────────────┐
//!      ▲  ▲                    │                                ▼
//!      │  └────────────────────┘ 2 wake_up                   NOTIFIED ◀─┐
//!      │                                                      │   │     │ 5 ring: nothing to do
//!      └──────────────────────────────────────────────────────┘   └─────┘
//!            4 wake_up
//! ```
//! A ring of one who is AWAKE leads to NOTIFIED as well, and writes nothing.
//!
//! Why no ring is lost: work is put into a queue before the ring, and the swap in [`Alarm::ring`]
//! (release) pairs with the swap in [`Alarm::wake_up`] or the failed exchange in
//! [`Alarm::fall_asleep`] (acquire). If the ring comes first, `fall_asleep` fails and the poll does
//! not wait; if the sleeper comes first, the ring sees ASLEEP and writes, and the wait ends. Either
//! way the poll returns after the ring, and its caller looks at the queues again.

use crate::sync::{AtomicU8, Ordering};

const AWAKE: u8 = 0;
const ASLEEP: u8 = 1;
const NOTIFIED: u8 = 2;

/// The state of the one thread that polls.
#[derive(Debug)]
pub(crate) struct Alarm {
    state: AtomicU8,
    /// What an ended poll leaves behind. In a foreign loop it is ASLEEP: the host sleeps
    /// somewhere else, on the poller's descriptor, and only a write to it reaches the host.
    rest: u8,
}

impl Alarm {
    pub(crate) fn new(embedded: bool) -> Alarm {
        let rest = if embedded { ASLEEP } else { AWAKE };
        Alarm {
            state: AtomicU8::new(rest),
            rest,
        }
    }

    /// Before a wait. `false`: somebody has rung, do not wait.
    #[must_use]
    pub(crate) fn fall_asleep(&self) -> bool {
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        match self.state.compare_exchange(AWAKE, ASLEEP, success, failure) {
            Ok(_) => true,
            Err(state) => state == ASLEEP,
        }
    }

    /// After a wait, and before anything is looked at. Every ring up to here is answered by the
    /// caller's looking at its queues after the poll.
    pub(crate) fn wake_up(&self) {
        self.state.swap(self.rest, Ordering::AcqRel);
    }

    /// From any thread. `true`: the poller's descriptor has to be written to.
    ///
    /// A ring that finds NOTIFIED still swaps: the release makes this caller's work visible to the
    /// poll that answers the first ring.
    #[must_use]
    pub(crate) fn ring(&self) -> bool {
        self.state.swap(NOTIFIED, Ordering::AcqRel) == ASLEEP
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn many_rings_write_once() {
        let alarm = Alarm::new(false);
        assert!(alarm.fall_asleep());
        assert_eq!(
            [alarm.ring(), alarm.ring(), alarm.ring()],
            [true, false, false]
        );
        alarm.wake_up();
        assert!(!alarm.ring(), "awake: nothing to write");
        assert!(
            !alarm.fall_asleep(),
            "the ring before the wait is not forgotten"
        );
    }

    #[test]
    fn an_embedded_alarm_writes_once_a_turn() {
        let alarm = Alarm::new(true);
        assert_eq!([alarm.ring(), alarm.ring()], [true, false]);
        assert!(!alarm.fall_asleep());
        alarm.wake_up();
        assert!(alarm.ring());
    }
}
