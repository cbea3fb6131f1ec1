//! The tests are tested: each bug of `seeded_bugs.diff` is put in, and the test named there must
//! fail. Minutes:
//!
//! ```text
//! cargo test -p handrolled-timers --test seeded_bugs -- --ignored --nocapture
//! ```
//!
//! `SEEDED_BUG=rest` in the environment tries only those with `rest` in their names.

#[path = "../../.ci/seeded_bugs.rs"]
mod seeded_bugs;
