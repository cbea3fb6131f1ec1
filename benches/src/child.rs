//! Servers and load generators as processes of their own, tied to different cores, so that what a
//! server costs can be read off its process and nobody else's.
//!
//! Parent and child speak in lines: the child says `ready …` once, then answers each line it is
//! given with one line, and ends when its input does.

use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use crate::workload::Invalid;
use crate::{churn, instructions, load, machine, serve};

/// The argument that makes the program a child; the core to run on and what to be come after it.
pub const MARK: &str = "--child";

/// A running child, ended when this is dropped.
pub struct Helper {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// What it said when it was ready.
    pub greeting: String,
}

/// The program that [`main`] is called from, when that is not the one that runs: for tests.
pub static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Where the program is that has [`main`] in it.
///
/// # Errors
/// When the system does not say.
pub fn program() -> io::Result<PathBuf> {
    match PROGRAM.get() {
        Some(path) => Ok(path.clone()),
        None => std::env::current_exe(),
    }
}

impl Helper {
    /// Starts a child on `core` and waits until it is ready.
    ///
    /// # Errors
    /// When it does not start, or ends before it is ready.
    ///
    /// # Panics
    /// Never: its input and output are piped.
    pub fn start(core: usize, arguments: &[String]) -> Result<Self, Invalid> {
        let mut process = Command::new(program()?)
            .arg(MARK)
            .arg(core.to_string())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = process.stdin.take().expect("it was piped");
        let output = BufReader::new(process.stdout.take().expect("it was piped"));
        let mut helper = Self {
            process,
            input,
            output,
            greeting: String::new(),
        };
        helper.greeting = helper.answer("ready")?;
        Ok(helper)
    }

    /// Gives it a line and waits for the answer that begins with `word`; hands back the rest.
    ///
    /// # Errors
    /// What it complains of, or that it ended.
    pub fn ask(&mut self, line: &str, word: &str) -> Result<String, Invalid> {
        writeln!(self.input, "{line}")?;
        self.answer(word)
    }

    fn answer(&mut self, word: &str) -> Result<String, Invalid> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        match line.strip_prefix(word) {
            Some(rest) => Ok(rest.trim().to_owned()),
            None => Err(Invalid(format!(
                "instead of '{word}' a helper said '{}'",
                line.trim()
            ))),
        }
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Processor time it has used so far, in nanoseconds.
    ///
    /// # Errors
    /// When it is gone.
    pub fn cpu_ns(&self) -> Result<u64, Invalid> {
        Ok(machine::process_cpu_ns(self.process.id())?)
    }

    /// The kernel's share of that time, as far as there is enough of it to tell.
    #[must_use]
    pub fn kernel_share(&self) -> Option<f64> {
        machine::kernel_share(self.process.id())
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // Errors mean that it is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs as a child if the arguments say so, and then never returns. Call it first of all.
pub fn main() {
    machine::raise_file_limit();
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(MARK) {
        return;
    }
    let arguments: Vec<String> = arguments.collect();
    let status = match run(&arguments) {
        Ok(()) => 0,
        Err(invalid) => {
            println!("{invalid}");
            1
        }
    };
    std::process::exit(status);
}

fn run(arguments: &[String]) -> Result<(), Invalid> {
    // Nobody is left behind when the parent is killed.
    let signal = Some(rustix::process::Signal::KILL);
    rustix::process::set_parent_process_death_signal(signal).map_err(io::Error::from)?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let strange = || Invalid(format!("a child cannot be {arguments:?}"));
    let [core, what, rest @ ..] = &arguments[..] else {
        return Err(strange());
    };
    machine::pin(&[core.parse().map_err(|_| strange())?])?;
    match (*what, rest) {
        ("echo" | "http", [name, buffer]) => {
            let servers = if *what == "echo" {
                serve::ECHO
            } else {
                serve::HTTP
            };
            serve::run(servers, name, buffer.parse().map_err(|_| strange())?)
        }
        ("load", [address, connections, bytes]) => {
            let connections = connections.parse().map_err(|_| strange())?;
            let bytes = bytes.parse().map_err(|_| strange())?;
            load::generate(address.parse().map_err(|_| strange())?, connections, bytes)
        }
        ("churn", [address, at_once]) => churn::generate(
            address.parse().map_err(|_| strange())?,
            at_once.parse().map_err(|_| strange())?,
        ),
        ("passes", [workload, peer, count]) => {
            instructions::passes(workload, peer, count.parse().map_err(|_| strange())?)
        }
        _ => Err(strange()),
    }
}

/// Says that the child is ready, and `rest`.
///
/// # Errors
/// When the parent is gone.
pub fn say(word: &str, rest: impl std::fmt::Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{word} {rest}")?;
    out.flush()
}
