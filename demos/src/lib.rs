//! The full event loop, composed of `executor`, `reactor` and `timers`, and a program that runs
//! on it.

pub mod processing;
pub mod program;
