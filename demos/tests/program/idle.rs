//! Waiting costs nothing: no system call, no CPU time, whatever it waits for.

use std::time::Duration;

use super::process::Program;

/// What the process has done so far: how often any of its threads gave up the CPU or had it taken
/// away, and clock ticks spent computing. A process that makes no system call and gets no CPU
/// time cannot change either.
fn activity(id: u32) -> (u64, u64) {
    let mut switches = 0;
    for task in std::fs::read_dir(format!("/proc/{id}/task")).expect("Linux") {
        let status = task.expect("an entry").path().join("status");
        let status = std::fs::read_to_string(status).unwrap_or_default(); // a thread may just end
        let counts = status.lines().filter(|line| line.contains("ctxt_switches"));
        switches += counts
            .filter_map(|line| line.split_whitespace().last()?.parse::<u64>().ok())
            .sum::<u64>();
    }
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("Linux");
    let after_name = stat.rsplit(')').next().expect("a name in brackets");
    let ticks = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().expect("a number"));
    (switches, ticks.sum())
}

fn assert_goes_still(program: &Program) {
    let mut last = activity(program.id());
    let mut seen = vec![last];
    // A thread of a pool may end after a while; then there is nothing left to happen.
    for _ in 0..40 {
        std::thread::sleep(Duration::from_secs(1));
        let now = activity(program.id());
        seen.push(now);
        if now == last {
            return;
        }
        last = now;
    }
    panic!("never a second without activity (switches, ticks): {seen:?}");
}

#[test]
fn waiting_for_input_costs_nothing() {
    let mut program = Program::start(&["run"]);
    program.write("query select 1\nsleep 1ms\n");
    program.wait_for("O2 ");
    assert_goes_still(&program);
    program.write("sleep 1ms\n");
    program.wait_for("O3 ");
}

#[test]
fn waiting_for_sleepers_costs_nothing() {
    let mut program = Program::start(&["run"]);
    program.write("sleep 1h\n".repeat(1000));
    program.wait_for("I1000 ");
    assert_goes_still(&program);
}
