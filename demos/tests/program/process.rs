//! Starting the program, talking to it, and not waiting for it for ever.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A process that has not ended by then hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// The tests of this folder are compiled twice, and under the second name the program gets several
/// threads wherever it takes them.
pub(crate) fn on_threads() -> bool {
    env!("CARGO_CRATE_NAME") == "program_on_threads"
}

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_event-loop"));
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let takes_threads = matches!(arguments.first(), Some(&("run" | "serve")));
    if on_threads() && takes_threads && !arguments.contains(&"--seed") {
        command.args(["--threads", "3"]);
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The program, running. Killed when dropped.
pub(crate) struct Program {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    seen: Vec<String>,
    errors: Option<JoinHandle<String>>,
}

/// What it said, and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` if a signal killed it.
    pub(crate) status: Option<i32>,
    pub(crate) lines: Vec<String>,
    pub(crate) errors: String,
}

impl Program {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::spawn(command(arguments))
    }

    /// Standard output and error must be piped.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the program starts");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut errors = child.stderr.take().expect("it is piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines() {
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return; // dropped: this end of the pipe closes too
                }
            }
        });
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            text
        });
        Self {
            input: child.stdin.take(),
            child,
            lines,
            seen: Vec::new(),
            errors: Some(errors),
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let input = self.input.as_mut().expect("the input is open");
        input.write_all(bytes.as_ref()).expect("the program reads");
    }

    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(self.child.id() as i32).expect("a process has a number");
        kill_process(id, signal).expect("the process is there");
    }

    /// The next line of standard output; `None` at its end.
    pub(crate) fn line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => {
                self.seen.push(line.clone());
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("hangs, after {:#?}", self.seen),
        }
    }

    /// Reads on until a line begins so.
    pub(crate) fn wait_for(&mut self, start: &str) -> String {
        while let Some(line) = self.line() {
            if line.starts_with(start) {
                return line;
            }
        }
        panic!("no line begins with {start}: {:#?}", self.seen);
    }

    /// Reads to the end and waits for the process. Input stays as it is, open or not.
    pub(crate) fn finish(mut self) -> Ended {
        while self.line().is_some() {}
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().expect("it is our child") {
                Some(status) => break status,
                None if Instant::now() > deadline => panic!("closed its output and hangs"),
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        let errors = self
            .errors
            .take()
            .expect("taken once")
            .join()
            .expect("it only reads");
        Ended {
            status: status.code(),
            lines: std::mem::take(&mut self.seen),
            errors,
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs it on `input`, to the end.
pub(crate) fn run(arguments: &[&str], input: impl AsRef<[u8]>) -> Ended {
    let mut program = Program::start(arguments);
    let mut pipe = program.input.take().expect("it is piped");
    let input = input.as_ref().to_owned();
    // From a thread: a program that stops reading must not hold the test.
    let writer = std::thread::spawn(move || {
        let _ = pipe.write_all(&input);
    });
    let ended = program.finish();
    writer.join().expect("it only writes");
    ended
}

impl Ended {
    /// The numbers of the outputs, in the order they came.
    pub(crate) fn outputs(&self) -> Vec<u64> {
        let outputs = self.lines.iter().filter_map(|line| line.strip_prefix('O'));
        outputs
            .filter_map(|line| line.split(' ').next()?.parse().ok())
            .collect()
    }

    /// The first line of an output.
    pub(crate) fn output(&self, number: u64) -> &str {
        let start = format!("O{number} ");
        let found = self.lines.iter().find(|line| line.starts_with(&start));
        found.unwrap_or_else(|| panic!("no output {number}: {self:#?}"))
    }

    pub(crate) fn position(&self, start: &str) -> usize {
        let found = self.lines.iter().position(|line| line.starts_with(start));
        found.unwrap_or_else(|| panic!("no line begins with {start}: {self:#?}"))
    }
}

/// A temporary file that goes away.
pub(crate) struct Scratch(pub(crate) std::path::PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = std::env::temp_dir().join(format!("handrolled-{}-{name}", std::process::id()));
        std::fs::write(&path, content).expect("the temporary directory takes files");
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().expect("a plain path")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
