//! The main program's parts: lines in, numbered inputs, outputs in order of readiness.

pub mod cli;
pub mod escape;
pub mod input;
pub mod json;
pub mod lines;
pub mod output;
pub mod quantity;
pub mod text;
