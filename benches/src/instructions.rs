//! Instructions of user code for one operation, counted by valgrind's callgrind: the same on every
//! run and every machine with this compiler and library, so that a limit of 3% can be a gate where
//! seconds cannot.
//!
//! A workload's pass is run a few times and then more times, each in a process of its own; the
//! difference of the two counts has no start-up in it. System calls are not counted, only the
//! instructions around them.

use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::child;
use crate::workload::{Invalid, OURS, Scale};
use crate::{machine, workloads};

/// How much ours may grow before somebody must say so by changing the baseline.
pub const TOLERANCE: f64 = 0.03;

/// What is counted: workloads of one thread that do not depend on the clock.
pub const COUNTED: [&str; 14] = [
    "local/spawn_join",
    "local/spawn_join_each",
    "local/yield",
    "local/wake",
    "local/ping_pong",
    "local/chained_spawn",
    "local/block_on",
    "timers/wheel_insert_cancel_1k",
    "timers/wheel_insert_cancel_100k",
    "timers/sleep_create_poll_drop",
    "timers/sleep_reset",
    "reactor/event",
    "reactor/echo_inproc_1",
    "reactor/echo_inproc_tcp_64",
];

/// Beside whom.
pub const BESIDE: [&str; 8] = [
    "tokio",
    "monoio",
    "futures",
    "calls",
    "bare",
    "delayqueue",
    "intrusive",
    "hash-wheel",
];

/// One count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Count {
    /// Which workload.
    pub workload: String,
    /// Whose.
    pub peer: String,
    /// Instructions for one operation.
    pub instructions: f64,
}

/// Runs `count` passes of a workload for one peer and says how many operations one of them was:
/// what the counted child process does.
///
/// # Errors
/// When there is no such workload or peer, or a pass is invalid.
pub fn passes(workload: &str, peer: &str, count: u32) -> Result<(), Invalid> {
    let workload = workloads::ALL.iter().find(|w| w.name == workload);
    let contenders = workload
        .map(|w| w.contenders(Scale::Full))
        .unwrap_or_default();
    let contender = contenders.into_iter().find(|c| c.peer == peer);
    let contender = contender.ok_or_else(|| Invalid(format!("{peer} does not run that")))?;
    let mut pass = (contender.build)()?;
    let mut ops = 0;
    for _ in 0..count {
        ops = pass()?.ops;
    }
    child::say("ready", ops)?;
    Ok(())
}

/// Counts one operation of `workload` for `peer`; nothing when the peer does not run it.
///
/// # Errors
/// When valgrind is not installed or its output makes no sense.
pub fn count(workload: &str, peer: &str) -> Result<Option<Count>, Invalid> {
    let known = workloads::ALL.iter().find(|w| w.name == workload);
    let known = known.ok_or_else(|| Invalid(format!("no workload {workload}")))?;
    if !known.contenders(Scale::Full).iter().any(|c| c.peer == peer) {
        return Ok(None);
    }
    let (few, more) = (2, 6);
    let (fewer, ops) = counted_run(workload, peer, few)?;
    let (greater, _) = counted_run(workload, peer, more)?;
    let instructions = (greater - fewer) / (f64::from(more - few) * ops);
    let instructions = (instructions * 10.0).round() / 10.0;
    Ok(Some(Count {
        workload: workload.into(),
        peer: peer.into(),
        instructions,
    }))
}

/// Instructions of a whole run, and the operations of one pass in it.
fn counted_run(workload: &str, peer: &str, count: u32) -> Result<(f64, f64), Invalid> {
    let core = machine::cores()[0].to_string();
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(child::program()?)
        .args([
            child::MARK,
            &core,
            "passes",
            workload,
            peer,
            &count.to_string(),
        ])
        .output()
        .map_err(|error| Invalid(format!("valgrind cannot be run: {error}")))?;
    let (told, log) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let ops = told
        .trim()
        .strip_prefix("ready ")
        .and_then(|n| n.parse().ok());
    match (collected(&log), ops) {
        (Some(instructions), Some(ops)) => Ok((instructions, ops)),
        _ => Err(Invalid(format!("{workload}, {peer}: {told}{log}"))),
    }
}

/// The figure in callgrind's closing words, `Collected : 123`.
fn collected(log: &str) -> Option<f64> {
    let line = log.lines().find(|line| line.contains("Collected :"))?;
    line.split(':').next_back()?.trim().parse().ok()
}

/// What is wrong with `now` beside the baseline: our counts that grew by more than the tolerance,
/// or that the baseline does not have.
#[must_use]
pub fn complaints(baseline: &[Count], now: &[Count]) -> Vec<String> {
    let mut complaints = Vec::new();
    for count in now.iter().filter(|count| count.peer == OURS) {
        let before = baseline
            .iter()
            .find(|b| b.workload == count.workload && b.peer == OURS);
        match before.map(|b| b.instructions) {
            None => complaints.push(format!("{} is not in the baseline", count.workload)),
            Some(before) if count.instructions > before * (1.0 + TOLERANCE) => {
                let (name, now) = (&count.workload, count.instructions);
                complaints.push(format!("{name} grew from {before} to {now} instructions"));
            }
            Some(_) => {}
        }
    }
    complaints
}

/// Reads a baseline.
///
/// # Errors
/// When the file cannot be read or is not one.
pub fn read(path: &Path) -> std::io::Result<Vec<Count>> {
    Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
}

/// Writes a baseline.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, counts: &[Count]) -> std::io::Result<()> {
    std::fs::write(path, serde_json::to_string_pretty(counts)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(workload: &str, instructions: f64) -> Count {
        Count {
            workload: workload.into(),
            peer: OURS.into(),
            instructions,
        }
    }

    #[test]
    fn growth_beyond_the_tolerance_is_complained_of() {
        let baseline = [ours("a/b", 100.0), ours("c/d", 100.0)];
        assert!(complaints(&baseline, &[ours("a/b", 102.9), ours("c/d", 50.0)]).is_empty());
        assert_eq!(
            complaints(&baseline, &[ours("a/b", 103.1), ours("e/f", 1.0)]),
            [
                "a/b grew from 100 to 103.1 instructions",
                "e/f is not in the baseline"
            ],
        );
    }

    #[test]
    fn peers_may_grow_as_they_like() {
        let theirs = Count {
            peer: "tokio".into(),
            ..ours("a/b", 1e9)
        };
        assert!(complaints(&[], &[theirs]).is_empty());
    }

    #[test]
    fn callgrinds_closing_words_are_read() {
        assert_eq!(collected("==1== \n==1== Collected : 4217\n"), Some(4217.0));
        assert_eq!(collected("nothing of the kind"), None);
    }

    #[test]
    fn what_is_counted_exists() {
        for name in COUNTED {
            assert!(
                workloads::ALL.iter().any(|w| w.name == name),
                "no workload {name}"
            );
        }
    }
}
