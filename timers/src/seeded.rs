//! Faults that can be built in on purpose, to show that the tests find them.
//!
//! Each constant is `false` unless the crate is compiled with `--cfg seeded_bug="name"`, and the
//! compiler removes what it guards. `tests/seeded_bugs.rs` builds each one in and names the test
//! that has to fail.

#![cfg_attr(not(feature = "std"), allow(dead_code))]

/// A slot's range is computed as if it were one level higher.
pub(crate) const SLOT_START_LEVEL_UP: bool = cfg!(seeded_bug = "slot_start_level_up");
/// A level that has become empty still claims to hold timers.
pub(crate) const LEVEL_BIT_STAYS: bool = cfg!(seeded_bug = "level_bit_stays");
/// A cascade puts timers one slot too late.
pub(crate) const CASCADE_OFF_BY_ONE: bool = cfg!(seeded_bug = "cascade_off_by_one");
/// What is inserted for now joins the turn in progress.
pub(crate) const OVERDUE_JOINS_TURN: bool = cfg!(seeded_bug = "overdue_joins_turn");
/// A timer moved to an earlier tick of its slot does not count for when the slot is due.
pub(crate) const EARLIEST_NOT_LOWERED: bool = cfg!(seeded_bug = "earliest_not_lowered");
/// A place keeps its generation when its timer leaves.
pub(crate) const GENERATION_STAYS: bool = cfg!(seeded_bug = "generation_stays");
/// Timers whose pages are merged are not told their new positions.
pub(crate) const MERGE_IS_SILENT: bool = cfg!(seeded_bug = "merge_is_silent");
/// The memory of a burst is kept for ever.
pub(crate) const BURST_STAYS: bool = cfg!(seeded_bug = "burst_stays");
/// Deadlines are rounded down to a tick.
pub(crate) const DEADLINE_ROUNDED_DOWN: bool = cfg!(seeded_bug = "deadline_rounded_down");
/// The first task that polled is woken, not the last.
pub(crate) const FIRST_WAKER_WINS: bool = cfg!(seeded_bug = "first_waker_wins");
/// A sleep that is armed for an earlier time does not end the loop's wait.
pub(crate) const WAIT_GOES_ON: bool = cfg!(seeded_bug = "wait_goes_on");
/// A waker that panics keeps the rest of its handful from being woken.
pub(crate) const PANIC_ENDS_TURN: bool = cfg!(seeded_bug = "panic_ends_turn");
/// An auto-advancing clock jumps while it is held.
pub(crate) const HOLD_IGNORED: bool = cfg!(seeded_bug = "hold_ignored");
/// An auto-advancing clock jumps while another loop on it is running.
pub(crate) const OTHERS_IGNORED: bool = cfg!(seeded_bug = "others_ignored");
/// A panic of the observer gets through to the sleep.
pub(crate) const OBSERVER_NOT_CONTAINED: bool = cfg!(seeded_bug = "observer_not_contained");
/// A loop that thinks it has no timers does not hear of the first.
pub(crate) const EARLIER_NOT_NOTED: bool = cfg!(seeded_bug = "earlier_not_noted");
/// A turn that has no reason to look at the clock leaves the time of an earlier look.
pub(crate) const LOOKED_STAYS: bool = cfg!(seeded_bug = "looked_stays");
/// A loop also rests after it fired a single timer.
pub(crate) const RESTS_AFTER_ONE: bool = cfg!(seeded_bug = "rests_after_one");
/// A rest counts from the end of the one before.
pub(crate) const RESTS_ADD_UP: bool = cfg!(seeded_bug = "rests_add_up");
/// A loop that rests is woken for sleeps that would have to wait for the end of the rest.
pub(crate) const REST_IS_INTERRUPTED: bool = cfg!(seeded_bug = "rest_is_interrupted");
/// A dropped sleep stays in the wheel.
pub(crate) const DROP_LEAVES_TIMER: bool = cfg!(seeded_bug = "drop_leaves_timer");

// The integration tests, as unit tests: a fault is then built into one crate, not into all that the
// tests depend on.
#[cfg(all(test, seeded_bug))]
#[path = "../tests/model.rs"]
mod model;
#[cfg(all(test, seeded_bug))]
#[path = "../tests/moderation.rs"]
mod moderation;
#[cfg(all(test, seeded_bug))]
#[path = "../tests/observed.rs"]
mod observed;
#[cfg(all(test, seeded_bug))]
#[path = "../tests/sleep_traps.rs"]
mod sleep_traps;
#[cfg(all(test, seeded_bug))]
#[path = "../tests/sleeps.rs"]
mod sleeps;
#[cfg(all(test, seeded_bug))]
#[path = "../tests/virtual_clocks.rs"]
mod virtual_clocks;
#[cfg(all(test, seeded_bug))]
#[path = "../tests/wheel_traps.rs"]
mod wheel_traps;
