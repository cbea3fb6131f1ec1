//! Faults that can be built in on purpose, to show that the tests find them.
//!
//! Each constant is `false` unless the crate is compiled with `--cfg seeded_bug="name"`, and the
//! compiler removes what it guards. `tests/seeded_bugs.rs` names the test that finds each one.

/// A slot's range is computed as if it were one level higher.
pub(crate) const SLOT_START_LEVEL_UP: bool = cfg!(seeded_bug = "slot_start_level_up");
/// A level that has become empty still claims to hold timers.
pub(crate) const LEVEL_BIT_STAYS: bool = cfg!(seeded_bug = "level_bit_stays");
