//! Traces: written, read, damaged, told, and recorded from real runs.

mod file;
mod hostile;
mod json;
mod lessons;
mod recorded;
mod sample;
mod told;
mod watched;
