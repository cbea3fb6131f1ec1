//! The state word of a task: who may touch what, in one atomic.
//!
//! ```text
//!                      ┌──────────────────────────────────────────────┐
//!   spawned ──▶ QUEUED: in a queue, or being polled                   │
//!                │  │ ▲                                               │
//!       suspend  │  │ │ wake, abort: QUEUED is set, who set it        │ complete
//!                ▼  │ │              owns the run right and queues it │
//!              idle ┼─┘                                               ▼
//!                   │                                              COMPLETE
//!                   └─ wake, abort while QUEUED: only NOTIFIED; whoever
//!                      holds the run right polls once more for it
//! ```
//!
//! * `QUEUED`: somebody holds the **run right**. It is one token: a place in a queue, or a worker
//!   in the middle of a poll. Only its holder touches the future. A task that wakes itself keeps
//!   the bit, so a yield does not write the word at all.
//! * `NOTIFIED`: woken while `QUEUED`. Cleared when the next poll begins. A task that wakes itself in
//!   its poll is not even marked here: its worker notes it, and `suspend` is told.
//! * `COMPLETE`: the future is gone; the cell holds what came of it, as `PANICKED` and `CANCELLED`
//!   say. Final.
//! * `HANDLE`: the join handle exists, and the output is its to drop. `JOINER`: it has left a
//!   waker, and until `COMPLETE` the slot is not to be touched without clearing this bit first;
//!   after it the slot belongs to the completer.
//! * `ABORT`: the holder of the run right drops the future instead of polling it.
//! * the rest counts references: one of the executor until `COMPLETE`, one of the join handle, one
//!   for each waker and abort handle. **The run right is not a reference**: it lives on the
//!   executor's.
//!
//! Every transition is a function here and touches nothing but the word; the effects its outcome
//! asks for are the caller's. So all of them are tested without a single pointer.

use crate::sync::{AtomicUsize, Ordering, fence};

const QUEUED: usize = 1 << 0;
const NOTIFIED: usize = 1 << 1;
const COMPLETE: usize = 1 << 2;
const HANDLE: usize = 1 << 3;
const JOINER: usize = 1 << 4;
const ABORT: usize = 1 << 5;
const PANICKED: usize = 1 << 6;
const CANCELLED: usize = 1 << 7;
const REFERENCE: usize = 1 << 8;

/// So many references are a leak of wakers in a loop: no program gets here by honest means.
const TOO_MANY: usize = usize::MAX / 2;

const fn references(word: usize) -> usize {
    word / REFERENCE
}

/// What a wake has to do.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Wake {
    /// The caller got the run right and must queue the task.
    Schedule,
    /// It is noted, or the task is complete.
    Nothing,
    /// By value only: the task was complete, and this was the last reference to its memory.
    Free,
}

/// What the holder of the run right does with a task from a queue.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Begin {
    /// Poll it.
    Poll,
    /// Drop its future: somebody asked for that.
    Cancel,
}

/// What becomes of the run right after a poll that was pending.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Suspend {
    /// Given up; the next wake takes it.
    Idle,
    /// Kept: woken meanwhile, so queue it again.
    Requeue,
    /// Kept: aborted meanwhile, so drop the future.
    Cancel,
}

/// How a future ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// With its output.
    Output,
    /// With a panic, in a poll or in its drop.
    Panicked,
    /// It was dropped before it ended.
    Cancelled,
}

/// What the completer still has to do.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Complete {
    /// Nothing, and it may not touch the task again: the handle has the output and the memory.
    HandedOver,
    /// Take the joiner's waker and wake it, then give the executor's reference back.
    WakeJoiner,
    /// Nobody wants the output: drop it, then give the executor's reference back.
    DropOutput,
}

/// What the join handle has to do when it goes.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum DropHandle {
    /// Nothing; its reference is given back.
    Detached,
    /// Drop the waker it left in the slot, then give its reference back.
    DropJoiner,
    /// Drop the output, then give its reference back.
    DropOutput,
}

/// The word itself.
#[derive(Debug)]
pub(super) struct State(AtomicUsize);

impl State {
    /// In a queue from the start, known to the executor and to the handle.
    pub(super) fn spawned() -> Self {
        Self(AtomicUsize::new(QUEUED | HANDLE | (2 * REFERENCE)))
    }

    /// Wakes without giving a reference back.
    ///
    /// Also a repeated wake writes the word: what its caller wrote before must be seen by the poll
    /// that answers it, and only the end of a chain of read-modify-writes is seen whole.
    pub(super) fn wake_by_ref(&self) -> Wake {
        self.take_run_right_or_set(NOTIFIED, 0)
    }

    /// Wakes, and gives the waker's reference back in the same step.
    pub(super) fn wake_by_value(&self) -> Wake {
        self.take_run_right_or_set(NOTIFIED, REFERENCE)
    }

    /// Asks whoever runs it next to drop the future.
    pub(super) fn abort(&self) -> Wake {
        self.take_run_right_or_set(NOTIFIED | ABORT, 0)
    }

    fn take_run_right_or_set(&self, bits: usize, given_back: usize) -> Wake {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let (next, outcome) = if word & COMPLETE != 0 {
                if given_back == 0 {
                    return Wake::Nothing;
                }
                let last = references(word) == 1;
                (
                    word - given_back,
                    if last { Wake::Free } else { Wake::Nothing },
                )
            } else if word & QUEUED != 0 {
                ((word | bits) - given_back, Wake::Nothing)
            } else {
                let abort = bits & ABORT;
                ((word | QUEUED | abort) - given_back, Wake::Schedule)
            };
            // Release: the poll this asks for sees what the waker wrote (pairs with `begin`).
            // Acquire: the run right comes with what the last poll wrote (pairs with `suspend`),
            // and freeing comes after every other use (pairs with `dereference`).
            match self
                .0
                .compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return outcome,
                Err(now) => word = now,
            }
        }
    }

    /// Opens a poll. By the holder of the run right.
    pub(super) fn begin(&self) -> Begin {
        // Acquire here and below: pairs with the release of every wake that set NOTIFIED.
        let mut word = self.0.load(Ordering::Acquire);
        debug_assert!(word & (QUEUED | COMPLETE) == QUEUED);
        if word & NOTIFIED != 0 {
            word = self.0.fetch_and(!NOTIFIED, Ordering::AcqRel);
        }
        if word & ABORT == 0 {
            Begin::Poll
        } else {
            Begin::Cancel
        }
    }

    /// Whether a poll is owed to a wake that came since `begin`. By the holder of the run right.
    pub(super) fn is_notified(&self) -> bool {
        self.0.load(Ordering::Relaxed) & NOTIFIED != 0
    }

    /// Closes a poll that was pending; `woke_itself` if its own thread has woken it in this poll,
    /// which is not in the word. By the holder of the run right.
    #[inline]
    pub(super) fn suspend(&self, woke_itself: bool) -> Suspend {
        let mut word = self.0.load(Ordering::Acquire);
        loop {
            if word & ABORT != 0 {
                return Suspend::Cancel;
            }
            if woke_itself || word & NOTIFIED != 0 {
                return Suspend::Requeue;
            }
            // Release: whoever takes the run right next sees this poll's writes.
            let next = word & !QUEUED;
            match self
                .0
                .compare_exchange_weak(word, next, Ordering::Release, Ordering::Acquire)
            {
                Ok(_) => return Suspend::Idle,
                Err(now) => word = now,
            }
        }
    }

    /// Takes the run right of an idle task to cancel it. False when somebody else holds it, or
    /// the task is complete.
    pub(super) fn claim_idle(&self) -> bool {
        let mut word = self.0.load(Ordering::Relaxed);
        while word & (QUEUED | COMPLETE) == 0 {
            let next = word | QUEUED | ABORT;
            match self
                .0
                .compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// Ends the task. By the holder of the run right, after the future is gone and its outcome in
    /// the cell.
    pub(super) fn complete(&self, how: Outcome) -> Complete {
        let how = match how {
            Outcome::Output => 0,
            Outcome::Panicked => PANICKED,
            Outcome::Cancelled => CANCELLED,
        };
        let mut word = self.0.load(Ordering::Acquire);
        loop {
            debug_assert!(word & (QUEUED | COMPLETE) == QUEUED);
            if word & HANDLE == 0 && references(word) == 1 {
                return Complete::DropOutput; // nobody else knows the task: no need to tell
            }
            let mut next = (word & !(QUEUED | NOTIFIED)) | COMPLETE | how;
            let outcome = if word & JOINER != 0 {
                Complete::WakeJoiner
            } else if word & HANDLE != 0 {
                next -= REFERENCE;
                Complete::HandedOver
            } else {
                Complete::DropOutput
            };
            // Release: the joiner sees the output (pairs with `outcome`). Acquire: the completer
            // sees the waker in the slot (pairs with `set_joiner`).
            match self
                .0
                .compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return outcome,
                Err(now) => word = now,
            }
        }
    }

    /// How it ended, or `None` if it has not.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        // Pairs with the release in `complete`.
        let word = self.0.load(Ordering::Acquire);
        match word & (COMPLETE | PANICKED | CANCELLED) {
            0 => None,
            COMPLETE => Some(Outcome::Output),
            word if word & PANICKED != 0 => Some(Outcome::Panicked),
            _ => Some(Outcome::Cancelled),
        }
    }

    /// Whether the handle's waker is in the slot. By the handle alone.
    pub(super) fn has_joiner(&self) -> bool {
        self.0.load(Ordering::Relaxed) & JOINER != 0
    }

    /// The handle shows the waker it left in the slot. False if the task is complete: nobody has
    /// seen the waker then, nor will.
    #[must_use]
    pub(super) fn set_joiner(&self) -> bool {
        self.change_joiner(JOINER)
    }

    /// The handle takes the slot back. False if the task is complete: the completer has the slot.
    #[must_use]
    pub(super) fn clear_joiner(&self) -> bool {
        self.change_joiner(0)
    }

    fn change_joiner(&self, joiner: usize) -> bool {
        let mut word = self.0.load(Ordering::Relaxed);
        while word & COMPLETE == 0 {
            let next = (word & !JOINER) | joiner;
            // Release: the completer sees the waker (pairs with `complete`).
            match self
                .0
                .compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// The handle goes without having taken the output.
    pub(super) fn drop_handle(&self) -> DropHandle {
        let mut word = self.0.load(Ordering::Acquire);
        loop {
            if word & COMPLETE != 0 {
                return DropHandle::DropOutput;
            }
            let (next, outcome) = if word & JOINER == 0 {
                ((word & !HANDLE) - REFERENCE, DropHandle::Detached)
            } else {
                (word & !(HANDLE | JOINER), DropHandle::DropJoiner)
            };
            match self
                .0
                .compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return outcome,
                Err(now) => word = now,
            }
        }
    }

    /// One reference more, by somebody who has one.
    pub(super) fn reference(&self) {
        let before = self.0.fetch_add(REFERENCE, Ordering::Relaxed);
        if before > TOO_MANY {
            std::process::abort(); // the count would run over, and memory be freed under wakers
        }
    }

    /// One reference less. True if it was the last: the caller frees the memory.
    #[must_use]
    pub(super) fn dereference(&self) -> bool {
        // The only reference cannot be joined by another: then there is nobody to tell.
        if references(self.0.load(Ordering::Acquire)) == 1 {
            return true;
        }
        // Release: whoever frees comes after our last use. Acquire on the last: the other side.
        let before = self.0.fetch_sub(REFERENCE, Ordering::Release);
        let last = references(before) == 1;
        if last {
            fence(Ordering::Acquire);
        }
        last
    }
}

#[cfg(not(loom))]
#[cfg(test)]
mod tests {
    use super::*;

    fn word(state: &State) -> usize {
        state.0.load(Ordering::Relaxed)
    }

    fn with(word: usize) -> State {
        State(AtomicUsize::new(word))
    }

    #[test]
    fn a_wake_of_an_idle_task_takes_the_run_right_once() {
        let state = with(HANDLE | (3 * REFERENCE));
        assert_eq!(state.wake_by_ref(), Wake::Schedule);
        assert_eq!(state.wake_by_ref(), Wake::Nothing);
        assert_eq!(state.wake_by_value(), Wake::Nothing);
        assert_eq!(word(&state), QUEUED | NOTIFIED | HANDLE | (2 * REFERENCE));
    }

    #[test]
    fn a_wake_in_a_queue_costs_no_second_poll_but_one_in_a_poll_does() {
        let state = State::spawned();
        assert_eq!(state.wake_by_ref(), Wake::Nothing);
        assert_eq!(state.begin(), Begin::Poll);
        assert!(!state.is_notified());
        assert_eq!(state.wake_by_ref(), Wake::Nothing);
        assert_eq!(state.suspend(false), Suspend::Requeue);
        assert_eq!(state.begin(), Begin::Poll);
        assert_eq!(state.suspend(true), Suspend::Requeue, "it woke itself");
        assert_eq!(state.begin(), Begin::Poll);
        assert_eq!(state.suspend(false), Suspend::Idle);
        assert_eq!(state.wake_by_ref(), Wake::Schedule);
    }

    #[test]
    fn an_abort_is_seen_at_begin_and_at_suspend_and_takes_an_idle_task() {
        let state = State::spawned();
        assert_eq!(state.abort(), Wake::Nothing);
        assert_eq!(state.begin(), Begin::Cancel);

        let state = State::spawned();
        assert_eq!(state.begin(), Begin::Poll);
        assert_eq!(state.abort(), Wake::Nothing);
        assert_eq!(state.suspend(false), Suspend::Cancel);

        let state = with(HANDLE | (2 * REFERENCE));
        assert_eq!(state.abort(), Wake::Schedule);
        assert_eq!(state.begin(), Begin::Cancel);
    }

    #[test]
    fn completion_knows_who_owns_the_output() {
        let state = State::spawned();
        assert_eq!(state.complete(Outcome::Output), Complete::HandedOver);
        assert_eq!(word(&state), COMPLETE | HANDLE | REFERENCE);
        assert_eq!(state.outcome(), Some(Outcome::Output));
        assert_eq!(state.drop_handle(), DropHandle::DropOutput);
        assert!(state.dereference());

        let state = State::spawned();
        assert!(state.set_joiner());
        assert_eq!(state.complete(Outcome::Panicked), Complete::WakeJoiner);
        assert_eq!(state.outcome(), Some(Outcome::Panicked));
        assert!(!state.clear_joiner());
        assert!(!state.dereference());
        assert!(state.dereference());

        let state = State::spawned();
        assert_eq!(state.drop_handle(), DropHandle::Detached);
        state.reference();
        assert_eq!(state.complete(Outcome::Cancelled), Complete::DropOutput);
        assert_eq!(state.outcome(), Some(Outcome::Cancelled));
        assert!(!state.dereference());
        assert_eq!(state.wake_by_value(), Wake::Free);
    }

    #[test]
    fn a_handle_that_waited_takes_its_waker_along() {
        let state = State::spawned();
        assert!(state.set_joiner());
        assert!(state.has_joiner());
        assert_eq!(state.drop_handle(), DropHandle::DropJoiner);
        assert!(!state.has_joiner());
        assert!(!state.dereference());
        assert_eq!(state.complete(Outcome::Output), Complete::DropOutput);
        assert!(state.dereference());
    }

    #[test]
    fn shutdown_claims_only_what_nobody_runs() {
        let state = State::spawned();
        assert!(!state.claim_idle());
        assert_eq!(state.begin(), Begin::Poll);
        assert_eq!(state.suspend(false), Suspend::Idle);
        assert!(state.claim_idle());
        assert!(!state.claim_idle());
        assert_eq!(state.begin(), Begin::Cancel);
        assert_eq!(state.complete(Outcome::Cancelled), Complete::HandedOver);
        assert!(!state.claim_idle());
        assert_eq!(state.wake_by_ref(), Wake::Nothing);
        assert_eq!(state.abort(), Wake::Nothing);
    }
}
