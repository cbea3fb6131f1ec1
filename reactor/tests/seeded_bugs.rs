//! The tests are tested: each bug of `seeded_bugs.diff` is put in, and the test named there must
//! fail. Minutes:
//!
//! ```text
//! cargo test -p handrolled-reactor --test seeded_bugs -- --ignored --nocapture
//! ```
//!
//! `SEEDED_BUG=tick` in the environment tries only those with `tick` in their names.
#![cfg(all(target_os = "linux", not(loom), not(polling_test_poll_backend)))]

#[path = "../../.ci/seeded_bugs.rs"]
mod seeded_bugs;
