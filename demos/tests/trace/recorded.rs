//! Recordings of real runs: what must be in them, and in which order.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use demos::trace::event::{Cause, Entry, Event, How};
use demos::trace::reader::{MOST, Trace};

/// A file that goes when the test ends.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("handrolled-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    pub(crate) fn read(&self) -> Vec<u8> {
        fs::read(&self.0).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

pub(crate) fn event_loop(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_event-loop"));
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

/// Records a run of these lines.
fn record(name: &str, options: &[&str], input: &str) -> Scratch {
    let file = Scratch::new(name);
    let arguments = [&["run", "--record", file.path()], options].concat();
    let output = event_loop(&arguments, input);
    assert!(output.status.success(), "{output:?}");
    file
}

/// What must hold in any recording that lost nothing.
fn check(trace: &Trace<'_>) {
    assert_eq!((trace.lost, trace.broken_off), (0, None));
    let (mut tasks, mut polled, mut timers) = (HashSet::new(), HashMap::new(), HashMap::new());
    let mut doing: HashMap<u16, Option<Cause>> = HashMap::new();
    for Entry { at, thread, event } in &trace.entries {
        match *event {
            Event::Spawn { task, .. } => assert!(tasks.insert(task), "spawned twice: {task}"),
            Event::Poll { task } => {
                assert!(
                    tasks.contains(&task),
                    "polled, and not spawned or gone: {task}"
                );
                assert_eq!(polled.insert(thread, task), None, "a poll within a poll");
            }
            Event::Polled { task, .. } => assert_eq!(polled.remove(thread), Some(task)),
            Event::End { task, .. } => assert!(tasks.remove(&task)),
            Event::Timer { timer, due, .. } => drop(timers.insert(timer, due)),
            Event::Fire { timer } => {
                let due = timers.remove(&timer).expect("it was inserted");
                assert!(*at >= due, "timer {timer} is early: {at} and not {due}");
                doing.insert(*thread, Some(Cause::Timer(timer)));
            }
            Event::Cancel { timer } => drop(timers.remove(&timer).expect("it was inserted")),
            Event::Turn | Event::Park { .. } => drop(doing.insert(*thread, None)),
            Event::Wake {
                by: Cause::Task(task),
                ..
            } => {
                assert_eq!(polled.get(thread), Some(&task), "the cause is being polled");
            }
            Event::Wake { by, .. } if matches!(by, Cause::Timer(_)) => {
                assert_eq!(doing[thread], Some(by), "the cause has just fired");
            }
            _ => {}
        }
    }
    assert!(polled.is_empty(), "polls that did not end: {polled:?}");
}

fn outputs(trace: &Trace<'_>) -> Vec<u64> {
    let output = |entry: &Entry<'_>| match entry.event {
        Event::Output { number, .. } => Some(number),
        _ => None,
    };
    trace.entries.iter().filter_map(output).collect()
}

#[test]
fn a_sleep_from_its_input_to_its_output() {
    let file = record("sleep", &[], "sleep 300ms\nsleep 20ms\n");
    let bytes = file.read();
    let trace = Trace::read(&bytes, MOST).unwrap();
    check(&trace);
    assert_eq!(trace.header.program, "event-loop run");
    assert_eq!(outputs(&trace), [2, 1], "in the order of readiness");
    let mut events = trace.entries.iter().map(|entry| entry.event);
    let task = events.find_map(|event| match event {
        Event::Input {
            number: 1,
            text: "sleep 300ms",
            task,
        } => Some(task.expect("it has a task")),
        _ => None,
    });
    let task = task.unwrap();
    // From here on each step is searched after the one before.
    assert!(
        events
            .any(|event| matches!(event, Event::Spawn { task: it, name: "I1", .. } if it == task))
    );
    assert!(events.any(|event| event == Event::Poll { task }));
    let timer = events.find_map(|event| match event {
        Event::Timer {
            timer, task: by, ..
        } if by == Some(task) => Some(timer),
        _ => None,
    });
    let timer = timer.unwrap();
    assert!(events.any(|event| event == Event::Polled { task, ready: false }));
    assert!(events.any(|event| matches!(
        event,
        Event::Park {
            patience: Some(1..)
        }
    )));
    assert!(events.any(|event| event == Event::Fire { timer }));
    assert!(events.any(|event| event
        == Event::Wake {
            task,
            by: Cause::Timer(timer)
        }));
    assert!(events.any(|event| event == Event::Turn));
    assert!(events.any(|event| event == Event::Poll { task }));
    assert!(events.any(|event| matches!(event, Event::Wake { by, .. } if by == Cause::Task(task))));
    assert!(events.any(|event| event
        == Event::End {
            task,
            how: How::Output
        }));
    assert!(events.any(|event| event == Event::Polled { task, ready: true }));
    assert!(events.any(|event| event
        == Event::Output {
            number: 1,
            text: "slept",
            ok: true
        }));
}

#[test]
fn on_several_threads_as_well() {
    let lines: String = (1..=50).map(|ms| format!("sleep {ms}ms\n")).collect();
    let file = record("threads", &["--threads", "3"], &lines);
    let bytes = file.read();
    let trace = Trace::read(&bytes, MOST).unwrap();
    check(&trace);
    assert!(trace.threads.len() >= 3, "{:?}", trace.threads);
    let mut found = outputs(&trace);
    found.sort_unstable();
    assert_eq!(found, (1..=50).collect::<Vec<_>>());
}

#[test]
fn the_tour_plays_i1_i2_o2_o1_with_captions() {
    let file = Scratch::new("tour");
    let output = event_loop(&["tour", "--record", file.path()], "");
    assert!(output.status.success(), "{output:?}");
    let bytes = file.read();
    let trace = Trace::read(&bytes, MOST).unwrap();
    check(&trace);
    assert_eq!(outputs(&trace)[..2], [2, 1]);
    let events = || trace.entries.iter().map(|entry| entry.event);
    assert!(events().any(|event| matches!(event, Event::Note { text } if text.starts_with("O2"))));
    let by_a_source = |event| {
        matches!(
            event,
            Event::Wake {
                by: Cause::Source(..),
                ..
            }
        )
    };
    assert!(events().any(by_a_source), "pages come over sockets");
}

#[test]
fn the_same_seed_is_the_same_recording() {
    let lines = "sleep 3s\nsleep 1h\nsleep 20ms\nnonsense\nsleep 1s\n";
    let file = |name| {
        let file = Scratch::new(name);
        event_loop(&["run", "--seed", "7", "--record", file.path()], lines);
        file.read()
    };
    let (one, two) = (file("seed-1"), file("seed-2"));
    let read = |bytes| Trace::read(bytes, MOST).unwrap();
    let (one, two) = (read(&one), read(&two));
    check(&one);
    // When a thread writes to standard output is nobody's promise: those turns are left out.
    let of_inputs = |trace: &Trace<'_>| -> Vec<(u64, String)> {
        let told = trace.entries.iter().filter(|entry| {
            matches!(
                entry.event,
                Event::Input { .. }
                    | Event::Output { .. }
                    | Event::Fire { .. }
                    | Event::Timer { .. }
            )
        });
        told.map(|entry| (entry.at, format!("{:?}", entry.event)))
            .collect()
    };
    assert_eq!(of_inputs(&one), of_inputs(&two));
    let hour = one
        .entries
        .iter()
        .any(|entry| entry.at == 3_600_000_000_000);
    assert!(hour, "virtual time is the trace's time");
}

#[test]
fn a_killed_run_leaves_a_good_file() {
    let file = Scratch::new("killed");
    let mut command = Command::new(env!("CARGO_BIN_EXE_event-loop"));
    command.args(["run", "--record", file.path()]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"sleep 1ms\n").unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    let has_output = || {
        let bytes = fs::read(&file.0).unwrap_or_default();
        Trace::read(&bytes, MOST).is_ok_and(|trace| outputs(&trace) == [1])
    };
    while !has_output() {
        assert!(Instant::now() < patience, "the output is not in the file");
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let bytes = file.read();
    let trace = Trace::read(&bytes, MOST).unwrap();
    assert_eq!(trace.broken_off, Some(bytes.len()));
    drop(input);
}

#[test]
fn what_finds_no_room_is_counted_and_not_hidden() {
    let file = Scratch::new("small");
    let lines: String = (0..500).map(|_| "sleep 1ms\n").collect();
    let arguments = ["run", "--record", file.path(), "--record-limit", "2KiB"];
    let output = event_loop(&arguments, &lines);
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("that found no room"), "{said}");
    let bytes = file.read();
    assert!(bytes.len() < 4096, "{}", bytes.len());
    let trace = Trace::read(&bytes, MOST).unwrap();
    assert!(trace.lost > 1000, "{}", trace.lost);
}

#[test]
fn a_file_that_cannot_be_is_wrong_use() {
    let output = event_loop(&["run", "--record", "/nowhere/at/all"], "");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        said,
        "event-loop: --record /nowhere/at/all: No such file or directory (os error 2)\n"
    );
}

#[test]
fn a_file_that_is_no_trace_is_wrong_use() {
    let output = event_loop(&["trace", "Cargo.toml"], "");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        said,
        "event-loop: Cargo.toml: this is no recording: it does not begin with `handrolled trace`; \
         one is made by `event-loop run --record FILE`, and by tour and serve\n"
    );
}

#[test]
fn who_wakes_from_outside_and_what_is_registered_have_names() {
    let input = Scratch::new("lines");
    fs::write(&input.0, "sleep 1ms\n").unwrap();
    for options in [&[][..], &["--threads", "2"]] {
        let options = [options, &["--input", input.path()]].concat();
        let file = record("names", &options, "");
        let bytes = file.read();
        let trace = Trace::read(&bytes, MOST).unwrap();
        let mut wakers = HashSet::new();
        let mut sources = HashSet::new();
        for entry in &trace.entries {
            match entry.event {
                Event::Wake {
                    by: Cause::Thread(thread),
                    ..
                } => drop(wakers.insert(trace.thread(thread).to_owned())),
                Event::Source { what, .. } => drop(sources.insert(what)),
                _ => {}
            }
        }
        assert!(
            wakers.iter().any(|name| name.starts_with("display")),
            "{wakers:?}"
        );
        assert!(
            wakers.iter().any(|name| name.starts_with("reader")),
            "{wakers:?}"
        );
        assert_eq!(sources, HashSet::from(["ctrl-c", "SIGTERM"]));
    }
}
