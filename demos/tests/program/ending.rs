//! How it ends: `stop`, ctrl-c once and twice, the end of the grace, and a reader that leaves.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use rustix::process::Signal;

use super::process::{Program, Scratch, command, run};

#[test]
fn stop_finishes_what_is_in_flight_and_takes_no_more() {
    let ended = run(&["run"], "sleep 150ms\nstop\nsleep 1h\nbad line\n");
    assert_eq!(
        (ended.status, ended.outputs()),
        (Some(0), vec![2, 1]),
        "{ended:#?}"
    );
    assert!(
        ended
            .output(2)
            .ends_with("no more input is taken; 1 in flight"),
        "{ended:#?}"
    );
    assert_eq!(
        ended.lines.last().map(String::as_str),
        Some("end: 2 inputs, 2 done")
    );
}

#[test]
fn what_the_grace_does_not_cover_is_named() {
    let ended = run(
        &["run", "--grace", "100ms"],
        "sleep 1h\nsleep 2h\nsleep 1ms\nstop\n",
    );
    assert_eq!(ended.status, Some(3), "{ended:#?}");
    for number in [1, 2] {
        assert!(
            ended
                .output(number)
                .ends_with("left undone: the grace of 100ms is over"),
            "{ended:#?}"
        );
    }
    assert_eq!(
        ended.lines.last().map(String::as_str),
        Some("end: 4 inputs, 2 done, 2 left undone")
    );
}

#[test]
fn the_grace_counts_at_the_end_of_input_if_it_is_given() {
    let ended = run(&["run", "--grace", "50ms"], "sleep 1h\n");
    assert_eq!(ended.status, Some(3), "{ended:#?}");
    let ended = run(&["run", "--grace", "forever"], "sleep 300ms\nstop\n");
    assert_eq!(ended.status, Some(0), "{ended:#?}");
}

#[test]
fn the_first_signal_gives_grace() {
    for (signal, name) in [(Signal::INT, "ctrl-c"), (Signal::TERM, "SIGTERM")] {
        let mut program = Program::start(&["run", "--trace", "--grace", "300ms"]);
        program.write("sleep 1h\nsleep 150ms\n");
        program.wait_for("I2 ");
        program.signal(signal);
        let ended = program.finish(); // its input is still open
        assert_eq!(ended.status, Some(3), "{ended:#?}");
        assert!(
            ended.position(&format!("  . closing: {name}")) < ended.position("O2 "),
            "{ended:#?}"
        );
        assert!(ended.output(2).ends_with("slept"), "{ended:#?}");
        assert!(ended.output(1).contains("left undone"), "{ended:#?}");
    }
}

#[test]
fn the_second_signal_ends_at_once() {
    for (signal, name, status) in [(Signal::INT, "ctrl-c", 130), (Signal::TERM, "SIGTERM", 143)] {
        let mut program = Program::start(&["run", "--trace", "--grace", "1h"]);
        program.write("sleep 1h\nsleep 2h\n");
        program.wait_for("I2 ");
        program.signal(signal);
        program.wait_for("  . closing");
        program.signal(signal);
        let ended = program.finish();
        assert_eq!(ended.status, Some(status), "{ended:#?}");
        for line in ["I1 sleep 1h", "I2 sleep 2h"] {
            assert!(
                ended
                    .errors
                    .contains(&format!("{name} again: left undone: {line}")),
                "{ended:#?}"
            );
        }
    }
}

/// The C library's name lookup, when no name server answers; it stays where it is for ever.
const STUCK_LOOKUP: &str = "#include <unistd.h>\n\
     int getaddrinfo(const char *name, ...) { for (;;) pause(); }\n";

#[test]
fn a_name_lookup_that_hangs_holds_up_nothing() {
    let source = Scratch::new("stuck-lookup.c", STUCK_LOOKUP);
    let library = Scratch::new("stuck-lookup.so", "");
    let cc = Command::new("cc")
        .args(["-shared", "-fPIC", "-o", library.path(), source.path()])
        .status();
    assert!(
        cc.expect("a linker is there, or no test would be")
            .success()
    );
    let mut command = command(&["run", "--grace", "100ms"]);
    command.env("LD_PRELOAD", library.path());
    let mut program = Program::spawn(command);
    program.write("get http://nobody.example/\n");
    program.wait_for("I1 ");
    program.write("sleep 50ms\n");
    program.wait_for("O2 "); // the loop goes on
    program.write("stop\n");
    let ended = program.finish();
    assert_eq!(ended.status, Some(3), "{ended:#?}");
    assert!(ended.output(1).contains("left undone"), "{ended:#?}");
}

#[test]
fn a_signal_with_nothing_in_flight_is_a_good_end() {
    let mut program = Program::start(&["run"]);
    program.write("sleep 1ms\n");
    program.wait_for("O1 ");
    program.signal(Signal::INT);
    assert_eq!(program.finish().status, Some(0));
}

#[test]
fn a_reader_that_has_had_enough_ends_it_quietly() {
    let mut child = command(&["run"]).spawn().expect("the program starts");
    let mut input = child.stdin.take().expect("it is piped");
    let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
    std::io::Write::write_all(&mut input, b"sleep 1ms\nsleep 1h\n").expect("it reads");
    let mut line = String::new();
    output.read_line(&mut line).expect("a line");
    assert_eq!(line, "I1 sleep 1ms\n");
    drop(output);
    // It notices at its next word, with an input in flight and its input open.
    let _ = std::io::Write::write_all(&mut input, b"sleep 2ms\n");
    let status = child.wait().expect("it ends");
    let mut errors = String::new();
    child
        .stderr
        .take()
        .expect("it is piped")
        .read_to_string(&mut errors)
        .expect("text");
    assert_eq!((status.code(), errors.as_str()), (Some(0), ""));
}

#[test]
fn a_full_disk_is_told() {
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("Linux");
    let mut child = command(&["run"])
        .stdin(Stdio::null())
        .stdout(full)
        .spawn()
        .expect("the program starts");
    let status = child.wait().expect("it ends");
    let mut errors = String::new();
    child
        .stderr
        .take()
        .expect("it is piped")
        .read_to_string(&mut errors)
        .expect("text");
    assert_eq!(status.code(), Some(2));
    assert!(
        errors.contains("standard output takes no more: No space left"),
        "{errors}"
    );
}

#[test]
fn a_slow_reader_loses_nothing() {
    const LINES: usize = 60_000;
    let mut child = command(&["run", "--limit", "100"])
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("it is piped");
    let writer = std::thread::spawn(move || {
        std::io::Write::write_all(&mut input, "dance\n".repeat(LINES).as_bytes())
    });
    // While nobody reads, the program may take in what it has room for, and then no more.
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(
        !writer.is_finished(),
        "it takes in without end, while nobody reads what it says"
    );
    let output = BufReader::new(child.stdout.take().expect("it is piped"));
    let lines: Vec<String> = output.lines().map(|line| line.expect("text")).collect();
    writer.join().expect("it only writes").expect("all is read");
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    assert_eq!(
        lines.iter().filter(|line| line.starts_with('O')).count(),
        LINES
    );
    assert_eq!(
        lines.last().map(String::as_str),
        Some("end: 60,000 inputs, 0 done, 60,000 failed")
    );
}
