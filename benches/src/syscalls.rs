//! Counts the system calls of a process at full speed, through the kernel's own trace point: a
//! tracer such as strace slows a server so much that its reads find everything there already.

use std::io::{self, BufRead, BufReader, PipeWriter, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::io::{FdFlags, fcntl_setfd};

use crate::workload::Invalid;

/// A running count. Ended by [`Count::finish`].
pub struct Count {
    perf: Child,
    told: ChildStdout,
    control: PipeWriter,
    answers: BufReader<io::PipeReader>,
}

/// Whether calls can be counted here: perf is installed and may use trace points.
#[must_use]
pub fn can_be_counted() -> bool {
    let mut perf = Command::new("perf");
    perf.args(["stat", "-e", EVENT, "true"]);
    let status = perf.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

const EVENT: &str = "raw_syscalls:sys_enter";

impl Count {
    /// Starts to count what the process `pid` does.
    ///
    /// # Errors
    /// When perf does not start.
    pub fn begin(pid: u32) -> Result<Self, Invalid> {
        let (orders, control) = io::pipe()?;
        let (answers, acknowledged) = io::pipe()?;
        let (orders, acknowledged) = (OwnedFd::from(orders), OwnedFd::from(acknowledged));
        for inherited in [&orders, &acknowledged] {
            fcntl_setfd(inherited, FdFlags::empty()).map_err(io::Error::from)?;
        }
        let pipes = format!("fd:{},{}", orders.as_raw_fd(), acknowledged.as_raw_fd());
        let mut perf = Command::new("perf")
            .args(["stat", "-x", ";", "-o", "/dev/stdout", "-D", "-1", "-e"])
            .args([EVENT, "--control", &pipes, "-p", &pid.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let told = perf.stdout.take();
        let told = told.ok_or_else(|| Invalid("perf is mute".into()))?;
        let mut count = Self {
            perf,
            told,
            control,
            answers: BufReader::new(answers),
        };
        count.order("enable")?;
        Ok(count)
    }

    fn order(&mut self, order: &str) -> Result<(), Invalid> {
        writeln!(self.control, "{order}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        match answer.contains("ack") {
            true => Ok(()),
            false => Err(Invalid(format!("perf does not {order}"))),
        }
    }

    /// How many there have been.
    ///
    /// # Errors
    /// When perf does not tell.
    pub fn finish(mut self) -> Result<u64, Invalid> {
        self.order("disable")?;
        let pid = rustix::process::Pid::from_child(&self.perf);
        rustix::process::kill_process(pid, rustix::process::Signal::INT)
            .map_err(io::Error::from)?;
        let mut told = String::new();
        self.told.read_to_string(&mut told)?;
        self.perf.wait()?;
        let line = told.lines().find(|line| line.contains(EVENT));
        let number = line.and_then(|line| line.split(';').next()?.parse().ok());
        number.ok_or_else(|| Invalid(format!("perf counted nothing: {told}")))
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        let _ = self.perf.kill(); // it may have ended
        let _ = self.perf.wait();
    }
}
