//! The tests are tested: each bug of `seeded_bugs.diff` is put in, and the test named there must
//! fail. Minutes:
//!
//! ```text
//! cargo test -p handrolled-executor --test seeded_bugs -- --ignored --nocapture
//! ```
//!
//! `SEEDED_BUG=wake` in the environment tries only those with `wake` in their names.

#[path = "../../.ci/seeded_bugs.rs"]
mod seeded_bugs;
