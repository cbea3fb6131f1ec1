//! The program as a process once more, on three threads.

#[path = "program/main.rs"]
mod program;
