//! The command line: what can be asked for, and the help that says so.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::quantity::{parse_duration, parse_size};
use crate::trace::command::TraceOptions;
use crate::trace::recording::RecordOptions;

const GRAMMAR: &str = "\
An input is a line:
  sleep DURATION     wait: 300ms, 1.5s, 2m, up to 365d
  read PATH          a file from the disk, as text
  query SQL          rows of a database; one statement that only reads
                     (built in: planets(name, radius_km, rings), moons(name, planet, found))
  get URL            a page over http
  stop               take no more input
  # …                a comment; it takes no number
Blanks around a line and CR LF are fine. An empty line is an input, and a bad one.

Each input gets its number at once (I1, I2, …). Its output (O1, O2, …) appears when it is ready:
in order of readiness, not of input. A bad line has an output too: what is wrong with it.

It ends when input ends, at `stop`, or at ctrl-c (or SIGTERM). What is in flight is finished first;
what is not finished within the grace is listed. A second ctrl-c ends it at once.

Exit status:
  0    every input was processed
  1    some input failed; its output says why
  2    wrong use of the command line, or the loop itself failed
  3    something was left undone when the grace was over
  130  ended at once by a second ctrl-c (143: SIGTERM)";

const OVER_HTTP: &str = "\
In another terminal (or open the address in a browser):
  curl -N --data-binary $'sleep 2s\\nsleep 300ms\\nquery select 1' http://127.0.0.1:8080/inputs

POST /inputs      one or many lines; each output is sent as it becomes ready
GET  /outputs/N   the output of input N, if it is one of the last
GET  /metrics     counters, in the text format of Prometheus
GET  /healthz     200 while input is taken, 503 while what is in flight is finished

`event-loop --help` tells what a line may be.";

const MORE: &str = "--help tells the inputs and the exit statuses.";

/// An event loop at work: takes inputs as they come, gives outputs as they are ready.
#[derive(Debug, Parser)]
#[command(name = "event-loop", version)]
#[command(after_long_help = GRAMMAR, after_help = MORE)]
pub struct Cli {
    /// What to do; without one, the tour.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play I1, I2, O2, O1 against a local server, and explain each line (the default)
    Tour(RecordOptions),
    /// Take inputs from a terminal, a pipe or a file
    #[command(after_long_help = GRAMMAR, after_help = MORE)]
    Run(RunOptions),
    /// Take inputs over HTTP, and send each output as it becomes ready
    #[command(after_help = OVER_HTTP)]
    Serve(ServeOptions),
    /// Tell what happened in a run that was recorded with --record, and why
    Trace(TraceOptions),
    /// Play five short runs that each show one thing, and write the page with them into OUT
    Lessons {
        /// The page; open it in a browser
        #[arg(value_name = "OUT")]
        out: PathBuf,
    },
}

/// The options of `run`.
#[derive(Clone, Debug, Args)]
pub struct RunOptions {
    /// Take lines from FILE, not from standard input
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,

    /// Tell each step of the loop
    #[arg(long)]
    pub trace: bool,

    /// Write one JSON object a line, contents whole
    #[arg(long)]
    pub json: bool,

    /// Query this SQLite file (opened for reading) instead of the sample that is built in
    #[arg(long, value_name = "FILE")]
    pub database: Option<PathBuf>,

    /// How long to wait for what is in flight once no more input is taken: a duration, or
    /// `forever` [default: 5s at `stop` and ctrl-c; at the end of input, forever]
    #[arg(long, value_name = "DURATION", value_parser = parse_grace)]
    pub grace: Option<Grace>,

    /// Give up a `get` or `query` that takes longer
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "30s")]
    pub timeout: Duration,

    /// Inputs in flight at most; at the limit the next line waits where it is, in the pipe
    #[arg(long, value_name = "N", default_value = "10000")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,

    /// Refuse lines longer than this
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "64KiB")]
    pub max_line: usize,

    /// Refuse a file, a page or rows larger than this; for each input
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "8MiB")]
    pub max_content: usize,

    /// Read all input first, draw the order of ready tasks from this seed, and let time be virtual:
    /// sleeps take none. The same seed and lines are the same run, but for what disk, database
    /// and network do
    #[arg(long, value_name = "N", value_parser = parse_seed)]
    pub seed: Option<u64>,

    /// How many threads process inputs; with one, all happens on it
    #[arg(long, value_name = "N", default_value = "1", conflicts_with = "seed")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=48))]
    pub threads: u32,

    /// Lines of a content to show; with --json it is always whole
    #[arg(long, value_name = "LINES", default_value = "10")]
    pub preview: usize,

    /// Whether to record the run.
    #[command(flatten)]
    pub recording: RecordOptions,
}

/// The options of `serve`.
#[derive(Clone, Debug, Args)]
pub struct ServeOptions {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: String,

    /// Listen also where other machines can reach it. They may then have files below --files
    /// read and queries run; `get` is kept to the public Internet
    #[arg(long)]
    pub allow_remote: bool,

    /// Answer to this name as well (addresses and localhost always; any other name is refused,
    /// as a stranger's web page could be behind it)
    #[arg(long, value_name = "NAME")]
    pub host: Vec<String>,

    /// Let `read` read what is below DIR, and nothing else
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub files: PathBuf,

    /// Query this SQLite file (opened for reading) instead of the sample that is built in
    #[arg(long, value_name = "FILE")]
    pub database: Option<PathBuf>,

    /// Give up a `get` or `query` that takes longer
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "30s")]
    pub timeout: Duration,

    /// How many threads serve; with one, all connections are on it
    #[arg(long, value_name = "N", default_value = "1")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=48))]
    pub threads: u32,

    /// Close a connection that sends no complete request, or no more of its body, for so long (408)
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "10s")]
    pub silence: Duration,

    /// How often to send a client that waits an empty line, to see whether it is still there
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "15s")]
    pub heartbeat: Duration,

    /// How long to wait for what is in flight after ctrl-c
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "5s")]
    pub grace: Duration,

    /// Connections at most (503)
    #[arg(long, value_name = "N", default_value = "10000")]
    pub connections: usize,

    /// Inputs in flight at most, of all clients (503)
    #[arg(long, value_name = "N", default_value = "100000")]
    pub limit: usize,

    /// Inputs in flight at most, of one client (429); a request's body is read no further
    /// while it has so many
    #[arg(long, value_name = "N", default_value = "10000")]
    pub client_limit: usize,

    /// Bytes of a request's body at most (413)
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "16MiB")]
    pub max_body: usize,

    /// Refuse lines longer than this
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "64KiB")]
    pub max_line: usize,

    /// Refuse a file, a page or rows larger than this; for each input
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "1MiB")]
    pub max_content: usize,

    /// Outputs to keep for GET /outputs/N
    #[arg(long, value_name = "N", default_value = "1000")]
    pub keep: usize,

    /// Whether to record the run.
    #[command(flatten)]
    pub recording: RecordOptions,
}

/// How long what is in flight is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grace {
    /// At most so long.
    Within(Duration),
    /// As long as it takes; ctrl-c still ends it.
    Forever,
}

fn parse_grace(text: &str) -> Result<Grace, super::quantity::BadQuantity> {
    if text == "forever" {
        Ok(Grace::Forever)
    } else {
        parse_duration(text).map(Grace::Within)
    }
}

fn parse_seed(text: &str) -> Result<u64, String> {
    let seed = text.parse();
    seed.map_err(|_| format!("`{text}` is not a whole number from 0 to {}", u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    fn run(arguments: &[&str]) -> Result<RunOptions, String> {
        let words = ["event-loop", "run"].iter().chain(arguments);
        match Cli::try_parse_from(words)
            .map_err(|error| error.to_string())?
            .command
        {
            Some(Command::Run(options)) => Ok(options),
            other => panic!("not run: {other:?}"),
        }
    }

    #[test]
    fn defaults_and_quantities() {
        let options = run(&[]).unwrap();
        assert_eq!(
            (options.max_line, options.limit, options.preview),
            (65_536, 10_000, 10)
        );
        assert_eq!(
            (options.timeout, options.grace),
            (Duration::from_secs(30), None)
        );
        assert_eq!((options.threads, options.seed), (1, None));
        assert_eq!(run(&["--seed", "7"]).unwrap().seed, Some(7));
        assert!(
            run(&["--seed", "7", "--threads", "2"]).is_err(),
            "threads have no seed"
        );
        assert_eq!(
            run(&["--grace", "200ms"]).unwrap().grace,
            Some(Grace::Within(Duration::from_millis(200)))
        );
        assert_eq!(
            run(&["--grace", "forever"]).unwrap().grace,
            Some(Grace::Forever)
        );
    }

    #[test]
    fn wrong_use_names_the_word() {
        for (arguments, part) in [
            (["--grace", "5"], "`5` has no unit"),
            (["--limit", "0"], "0 is not in 1.."),
            (["--threads", "0"], "0 is not in 1..=48"),
            (["--max-line", "9TiB"], "`TiB` is not a unit"),
            (["--timeout", "soon"], "`soon` does not begin with a number"),
            (["--seed", "x"], "`x` is not a whole number"),
        ] {
            let message = run(&arguments).unwrap_err();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn the_help_tells_every_word_and_status() {
        let mut command = Cli::command();
        let serve = command.find_subcommand_mut("serve").expect("it is there");
        let serve = serve.render_help().to_string();
        for word in ["keep for GET /outputs/N", r"$'sleep 2s\nsleep 300ms"] {
            assert!(serve.contains(word), "{word} is not in\n{serve}");
        }
        let help = command.render_long_help().to_string();
        assert!(help.starts_with("An event loop at work"), "{help}");
        for word in [
            "sleep",
            "read",
            "query",
            "get",
            "stop",
            "Exit status",
            "130",
        ] {
            assert!(help.contains(word), "{word}");
        }
    }
}
