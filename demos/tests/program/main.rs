//! The program as a process: real pipes, files, terminals, signals, and its exit status.
//!
//! Nothing here is asserted of elapsed time but that a hung process fails its test. What is
//! asserted is order, counts and words.

mod bad_input;
mod clients;
mod ending;
mod hostile;
mod idle;
mod process;
mod run;
mod serve;
mod server;
mod smoke;
mod terminal;
mod tour;
