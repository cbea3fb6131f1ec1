//! The main program's parts: lines in, numbered inputs, outputs in order of readiness.

pub mod escape;
pub mod input;
pub mod lines;
pub mod quantity;
