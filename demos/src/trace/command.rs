//! `event-loop trace FILE`: what can be asked of a recording.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::filter::{self, Filter};
use super::idle::why_idle;
use super::late::why_late;
use super::reader::{MOST, Trace};
use super::story::Story;
use super::summary::summary;
use super::words::{moment, sentence};
use super::{html, json, perfetto};
use crate::program::escape::escape;
use crate::program::quantity::parse_duration;

/// The options of `trace`.
#[derive(Clone, Debug, Args)]
pub struct TraceOptions {
    /// The recording; with --html, one or several
    #[arg(value_name = "FILE", required = true)]
    pub file: Vec<PathBuf>,

    /// Tell only what is about this task: its number or its name
    #[arg(long, value_name = "TASK")]
    pub task: Option<String>,

    /// Tell only what is about this input, its task and its output: 1, or I1
    #[arg(long, value_name = "N", value_parser = parse_number)]
    pub input: Option<u64>,

    /// Tell only events of these kinds: input,output is the article's sequence
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = filter::kind)]
    pub kind: Vec<u8>,

    /// Tell only what happened from then on: 1.5s
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub from: Option<Duration>,

    /// Tell only what happened until then
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub to: Option<Duration>,

    /// Why was this output late? Its way from input to output, as a chain of causes
    #[arg(long, value_name = "N", value_parser = parse_number, group = "question")]
    pub why_late: Option<u64>,

    /// Why is this task (number or name) not running, at the time of --at, or at the end?
    #[arg(long, value_name = "TASK", group = "question")]
    pub why_idle: Option<String>,

    /// The time for --why-idle
    #[arg(long, value_name = "TIME", value_parser = parse_duration, requires = "why_idle")]
    pub at: Option<Duration>,

    /// The longest poll, the time parked, who woke how often, polls for nothing
    #[arg(long, group = "question")]
    pub summary: bool,

    /// Print all as JSON, one object a line
    #[arg(long, group = "question")]
    pub json: bool,

    /// Write all for Perfetto (ui.perfetto.dev) and chrome://tracing into OUT
    #[arg(long, value_name = "OUT", group = "question")]
    pub perfetto: Option<PathBuf>,

    /// Write the page into OUT, with the recordings in it: one file, to be opened in a browser
    #[arg(long, value_name = "OUT", group = "question")]
    pub html: Option<PathBuf>,

    /// Read so many events at most
    #[arg(long, value_name = "N", default_value_t = MOST)]
    pub most: usize,
}

/// An input's or output's number, also with its letter.
fn parse_number(text: &str) -> Result<u64, String> {
    let digits = text.trim_start_matches(['I', 'O']);
    digits
        .parse()
        .map_err(|_| "write for example 1, or I1".to_owned())
}

/// Tells what is asked for. Gives the exit status.
///
/// # Errors
/// A sentence: the file cannot be read, or there is no such thing in it.
pub fn tell(options: &TraceOptions) -> Result<u8, String> {
    let read =
        |path: &PathBuf| fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let files: Vec<Vec<u8>> = options.file.iter().map(read).collect::<Result<_, _>>()?;
    let mut traces = Vec::new();
    for (path, file) in options.file.iter().zip(&files) {
        let trace = Trace::read(file, options.most);
        let trace = trace.map_err(|error| format!("{}: {error}", path.display()))?;
        remark_on(path, &trace);
        traces.push(trace);
    }
    if let Some(out) = &options.html {
        return write(out, &html::page(&traces));
    }
    let [trace] = &traces[..] else {
        return Err("only --html takes several recordings".to_owned());
    };
    tell_of(options, trace)
}

fn tell_of(options: &TraceOptions, trace: &Trace<'_>) -> Result<u8, String> {
    if options.json {
        return show(&json::lines(trace));
    }
    let story = Story::of(trace);
    if let Some(number) = options.why_late {
        show(&why_late(&story, number)?)
    } else if let Some(task) = &options.why_idle {
        show(&why_idle(&story, task, options.at.map(nanos))?)
    } else if options.summary {
        show(&summary(&story))
    } else if let Some(out) = &options.perfetto {
        write(out, &perfetto::export(&story))
    } else {
        show(&sequence(&story, &asked(options, &story)?))
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn asked(options: &TraceOptions, story: &Story<'_>) -> Result<Filter, String> {
    let task = options.task.as_ref().map(|name| {
        let found = story.find_task(name);
        found.ok_or_else(|| format!("there is no task `{}` in this recording", escape(name)))
    });
    Ok(Filter {
        task: task.transpose()?,
        input: options.input,
        kinds: options.kind.clone(),
        times: options.from.map_or(0, nanos)..=options.to.map_or(u64::MAX, nanos),
    })
}

/// All entries that the filter takes, a line each.
#[must_use]
pub fn sequence(story: &Story<'_>, filter: &Filter) -> String {
    let trace = story.trace;
    let several = trace.threads.len() > 1;
    let widest = trace
        .threads
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for (index, entry) in trace.entries.iter().enumerate() {
        if !filter.takes(story, index) {
            continue;
        }
        text.push_str(&format!("{:>14}  ", moment(entry.at)));
        if several {
            text.push_str(&format!(
                "{:<widest$}  ",
                escape(trace.thread(entry.thread))
            ));
        }
        // What happens in a poll is set in.
        let inside = story.poll_around(index);
        if inside.is_some_and(|poll| poll.begin < index && poll.end != Some(index)) {
            text.push_str("  ");
        }
        text.push_str(&sentence(story, index));
        text.push('\n');
    }
    text
}

/// What is not as it should be, on standard error: it is not part of what was asked for.
fn remark_on(path: &Path, trace: &Trace<'_>) {
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
        let _ = writeln!(
            io::stderr(),
            "event-loop: {}: {}",
            path.display(),
            escape(&remark)
        );
    }
}

fn write(out: &Path, content: &str) -> Result<u8, String> {
    fs::write(out, content).map_err(|error| format!("{}: {error}", out.display()))?;
    Ok(0)
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
