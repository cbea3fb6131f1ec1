//! The event loop at work on real input. `event-loop --help` tells what it takes.

use std::process::ExitCode;

use clap::Parser;
use demos::program::cli::Cli;
use demos::program::start::start;

fn main() -> ExitCode {
    start(Cli::parse())
}
