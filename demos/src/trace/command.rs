//! `event-loop trace FILE`: what can be asked of a recording.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::json;
use super::reader::{MOST, Trace};
use crate::program::escape::escape;

/// The options of `trace`.
#[derive(Clone, Debug, Args)]
pub struct TraceOptions {
    /// The recording
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Print it as JSON, one object a line
    #[arg(long)]
    pub json: bool,

    /// Read so many events at most
    #[arg(long, value_name = "N", default_value_t = MOST)]
    pub most: usize,
}

/// Tells what is asked for. Gives the exit status.
///
/// # Errors
/// A sentence: the file cannot be read.
pub fn tell(options: &TraceOptions) -> Result<u8, String> {
    let name = options.file.display();
    let file = fs::read(&options.file).map_err(|error| format!("{name}: {error}"))?;
    let trace = Trace::read(&file, options.most).map_err(|error| format!("{name}: {error}"))?;
    remark_on(&trace);
    show(&json::lines(&trace))
}

/// What is not as it should be, on standard error: it is not part of what was asked for.
fn remark_on(trace: &Trace<'_>) {
    let mut remarks = Vec::new();
    if let Some(at) = trace.broken_off {
        remarks.push(format!(
            "the recording breaks off at byte {at}: the program was killed, or is still \
             running; what was written by then is told"
        ));
    }
    if trace.lost > 0 {
        remarks.push(format!(
            "{} events found no room and are missing",
            trace.lost
        ));
    }
    if trace.passed_over > 0 {
        let blocks = trace.passed_over;
        remarks.push(format!(
            "{blocks} blocks are of a kind I do not know, and passed over"
        ));
    }
    for remark in remarks {
        let _ = writeln!(io::stderr(), "event-loop: {}", escape(&remark));
    }
}

/// Prints to standard output. Who closed it has seen enough.
fn show(text: &str) -> Result<u8, String> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("standard output takes no more: {error}"))
        }
        _ => Ok(0),
    }
}
