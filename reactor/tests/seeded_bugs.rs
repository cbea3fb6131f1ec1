//! The tests are tested: each bug of the list is put into the crate, and the test named beside it
//! has to fail.
//!
//! ```text
//! cargo test -p handrolled-reactor --test seeded_bugs -- --ignored
//! ```
//!
//! (`SEEDED_BUG=no_tick` in the environment: only that one.) It runs cargo for each bug, with a
//! compiler wrapper that adds `--cfg seeded_bug="…"` to this workspace's crates only, so that
//! dependencies are built once. Some minutes on two cores.
#![cfg(all(target_os = "linux", not(loom), not(polling_test_poll_backend)))]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// How a bug shows.
#[derive(Clone, Copy, PartialEq)]
enum By {
    /// An ordinary test of this binary.
    Test(&'static str),
    /// A loom model.
    Model,
}

use By::{Model, Test};

/// The bug, how it is caught, and the name of the test that catches it.
const BUGS: &[(&str, By, &str)] = &[
    // The readiness word.
    ("no_tick", Model, "no_byte_is_left_with_a_sleeping_reader"),
    ("no_tick", Test("simulation"), "unkind_worlds"),
    (
        "clear_ignores_tick",
        Model,
        "no_byte_is_left_with_a_sleeping_reader",
    ),
    (
        "sleep_without_recheck",
        Model,
        "no_byte_is_left_with_a_sleeping_reader",
    ),
    // Slots and waiters.
    (
        "generation_kept",
        Model,
        "a_late_event_never_reaches_the_next_source",
    ),
    (
        "one_waiter_only",
        Test("source"),
        "several_tasks_wait_for_one_direction",
    ),
    (
        "keeps_first_waker",
        Test("source"),
        "a_replaced_waker_is_not_woken",
    ),
    // The alarm.
    (
        "sleep_without_looking",
        Model,
        "a_ring_between_look_and_sleep_is_heard",
    ),
    (
        "ring_writes_never",
        Model,
        "a_ring_between_look_and_sleep_is_heard",
    ),
    // What the kernel does not tell twice.
    (
        "rdhup_ignored",
        Test("hard_cases"),
        "data_and_end_in_one_event",
    ),
    (
        "cut_ignored",
        Test("hard_cases"),
        "a_passed_descriptor_does_not_hide_what_follows",
    ),
    (
        "closed_before_deleted",
        Test("hard_cases"),
        "a_duplicate_keeps_no_events_coming",
    ),
    (
        "exhaustion_forgotten",
        Test("exhaustion"),
        "accept_waits_for_a_descriptor_to_become_free",
    ),
    (
        "exhaustion_spins",
        Test("exhaustion"),
        "accept_waits_for_a_descriptor_to_become_free",
    ),
];

/// Seconds after which a test that hangs counts as failed: for some bugs hanging is the symptom.
const PATIENCE_S: &str = "30";

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("seeded_bugs")
}

/// A program that calls the compiler with the bug switched on.
fn wrapper(bug: &str) -> PathBuf {
    let path = target().join(format!("rustc-{bug}"));
    let text = format!(
        "#!/bin/sh\nrustc=$1\nshift\nexec \"$rustc\" \"$@\" --cfg 'seeded_bug=\"{bug}\"'\n"
    );
    fs::create_dir_all(target()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    path
}

fn cargo(wrapper: &Path, by: By, arguments: &[&str]) -> Command {
    let (binary, kind) = match by {
        Test(binary) => (binary, "plain"),
        Model => ("loom", "loom"),
    };
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["test", "--package", "handrolled-reactor", "--test", binary])
        .args(arguments);
    cargo.env("CARGO_TARGET_DIR", target().join(kind));
    cargo.env("RUSTC_WORKSPACE_WRAPPER", wrapper);
    cargo
        .env("RUST_BACKTRACE", "0")
        .env_remove("RUSTFLAGS")
        .stdin(Stdio::null());
    if by == Model {
        cargo
            .args(["--release"])
            .env("RUSTFLAGS", "--cfg loom")
            .env("LOOM_MAX_PREEMPTIONS", "2");
    }
    cargo
}

fn test_binary(output: &Output) -> PathBuf {
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let artifact = lines.lines().rev().find_map(|line| {
        let rest = line.split_once("\"executable\":\"")?.1;
        Some(PathBuf::from(rest.split('"').next()?))
    });
    artifact.unwrap_or_else(|| {
        panic!(
            "did not build:\n{}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// Whether the named test passes with the bug in. (That it passes without is for the ordinary
/// runs to show.)
fn passes(bug: &str, by: By, test: &str) -> bool {
    let wrapper = wrapper(bug);
    let build = cargo(&wrapper, by, &["--no-run", "--message-format", "json"])
        .output()
        .unwrap();
    let mut run = Command::new("timeout");
    run.arg(PATIENCE_S)
        .arg(test_binary(&build))
        .args(["--exact", test]);
    run.env("RUST_BACKTRACE", "0")
        .env("LOOM_MAX_PREEMPTIONS", "2")
        .stdin(Stdio::null());
    let output = run.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("running 1 test"), "no test {test}: {text}");
    output.status.success()
}

#[test]
#[ignore = "runs cargo once for each bug: minutes"]
fn every_seeded_bug_is_caught() {
    let mut escaped = Vec::new();
    let only = std::env::var("SEEDED_BUG").ok();
    for (bug, by, test) in BUGS {
        if only.as_deref().is_some_and(|only| only != *bug) {
            continue;
        }
        match passes(bug, *by, test) {
            false => println!("{bug:24} caught by {test}"),
            true => escaped.push((bug, test)),
        }
    }
    assert!(escaped.is_empty(), "not caught: {escaped:?}");
}

/// A bug in the sources that is not in the list, or the other way round.
#[test]
fn the_list_is_complete() {
    let mut named = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let found = text
                .split("seeded_bug = \"")
                .skip(1)
                .map(|rest| rest.split('"').next());
            named.extend(found.flatten().map(str::to_owned));
        }
    }
    named.sort();
    named.dedup();
    let mut listed: Vec<_> = BUGS.iter().map(|(bug, ..)| bug.to_string()).collect();
    listed.sort();
    listed.dedup();
    assert_eq!(named, listed);
}
