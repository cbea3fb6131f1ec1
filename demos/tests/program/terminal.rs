//! At a terminal: lines as they are typed, ctrl-d, ctrl-c, and a terminal left as it was.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

struct Terminal {
    keyboard_and_screen: File,
    program: Child,
    shown: String,
    line: OwnedFd,
}

impl Terminal {
    /// The program with a terminal of its own as input, output and error. `setsid --ctty` makes
    /// it the controlling one, so that ctrl-c is a signal.
    fn start() -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).expect("granted");
        unlockpt(&master).expect("unlocked");
        let name = ptsname(&master, Vec::new()).expect("a name");
        let line =
            rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("its line");
        let end = || Stdio::from(line.try_clone().expect("a descriptor"));
        let program = Command::new("setsid")
            .args(["--ctty", "--wait", env!("CARGO_BIN_EXE_event-loop"), "run"])
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .expect("util-linux is there");
        Self {
            keyboard_and_screen: File::from(master),
            program,
            shown: String::new(),
            line,
        }
    }

    fn key_in(&mut self, keys: &str) {
        self.keyboard_and_screen
            .write_all(keys.as_bytes())
            .expect("the terminal takes keys");
    }

    fn wait_for(&mut self, text: &str) {
        while !self.shown.contains(text) {
            let mut bytes = [0; 4096];
            let length = self
                .keyboard_and_screen
                .read(&mut bytes)
                .expect("something is shown");
            self.shown
                .push_str(&String::from_utf8_lossy(&bytes[..length]));
        }
    }

    fn status(mut self) -> (Option<i32>, String) {
        let status = self.program.wait().expect("it ends");
        // The flag of the terminal we share with it: were it non-blocking now, our shell's next
        // read would fail.
        let flags = rustix::fs::fcntl_getfl(&self.line).expect("flags");
        assert!(
            !flags.contains(OFlags::NONBLOCK),
            "the terminal was left non-blocking"
        );
        (status.code(), std::mem::take(&mut self.shown))
    }
}

#[test]
fn lines_as_they_are_typed_and_ctrl_d() {
    let mut terminal = Terminal::start();
    terminal.wait_for("--help tells more");
    terminal.key_in("sleep 400ms\n");
    terminal.wait_for("I1 sleep 400ms");
    terminal.key_in("sleep 1ms\n");
    terminal.wait_for("O2 (");
    assert!(!terminal.shown.contains("O1 ("), "{}", terminal.shown);
    terminal.wait_for("O1 (");
    terminal.key_in("\x04");
    terminal.wait_for("end: 2 inputs, 2 done");
    assert_eq!(terminal.status().0, Some(0));
}

#[test]
fn ctrl_c_once_and_twice() {
    let mut terminal = Terminal::start();
    terminal.wait_for("--help tells more");
    terminal.key_in("sleep 1h\n");
    terminal.wait_for("I1 sleep 1h");
    terminal.key_in("\x03");
    terminal.wait_for("closing: ctrl-c");
    assert!(
        terminal.program.try_wait().expect("our child").is_none(),
        "one ctrl-c is not two"
    );
    terminal.key_in("\x03");
    terminal.wait_for("ctrl-c again: left undone: I1 sleep 1h");
    assert_eq!(terminal.status().0, Some(130));
}
