//! Why goals are missed, as far as it is known: what the crates' READMEs tell at length.

/// Why the goal of `workload` against `peer` is hard to reach, if that is known.
#[must_use]
pub fn reason(workload: &str, peer: &str) -> Option<&'static str> {
    let named = REASONS
        .iter()
        .find(|(start, whom, _)| workload.starts_with(start) && (*whom == peer || whom.is_empty()));
    named.map(|(_, _, why)| *why)
}

/// Workloads by the beginning of their names, peers (all when empty), and why. The first counts.
const REASONS: &[(&str, &str, &str)] = &[
    (
        "local/yield",
        "monoio",
        "monoio polls a task that wakes itself again before all others: no switch, and no queue",
    ),
    (
        "local/block_on",
        "futures",
        "theirs runs no other tasks; the like of it is in `local/block_on_alone`",
    ),
    (
        "local/ping_pong",
        "",
        "each pair makes two channels, whose allocations and locks are the same for all",
    ),
    (
        "local/cross_thread",
        "",
        "the kernel wakes a thread on another core twice a trip; that differs from run to run",
    ),
    (
        "local/",
        "",
        "the goal comes from trials on another machine, where the peers took about twice as long as \
         here; the instructions below compare without a machine",
    ),
    (
        "multi/remote_busy1",
        "",
        "the busy tasks stall for ten microseconds a poll, and everybody waits for them",
    ),
    (
        "multi/",
        "",
        "the goal comes from trials on another machine, where the peers took longer than here",
    ),
    (
        "heap/idle_task_256",
        "",
        "the captures alone are 256 bytes, more than 0.6 of what tokio takes with its header",
    ),
    (
        "timers/wheel_insert_cancel",
        "",
        "keys that cannot go stale and entries in pages cost a look-up more than a plain list; among \
         very many, every structure waits for memory",
    ),
    (
        "timers/sleep_reset",
        "",
        "ours spares the clock and the wheel; the look-up and the poll remain, on both sides",
    ),
    (
        "timers/sleep_tasks",
        "",
        "ours wakes for each deadline's own moment, thousands of times a second, where tokio waits \
         for the next millisecond; `ours-1ms` is ours with that tick",
    ),
    (
        "reactor/echo_inproc",
        "bare",
        "the bare loop has neither tasks nor wakers nor readiness: a branch on the event is its logic",
    ),
    (
        "reactor/echo_1024x16k_lent",
        "",
        "the kernel's copies of 16 KiB are the same on both sides",
    ),
    (
        "reactor/",
        "",
        "the sockets' system calls are the same on both sides",
    ),
    (
        "loop/http",
        "",
        "hyper and the sockets' system calls are the same on both sides",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_about_a_workload() {
        for (start, ..) in REASONS {
            let mut all = crate::workloads::ALL.iter();
            assert!(
                all.any(|workload| workload.name.starts_with(start)),
                "{start}"
            );
        }
    }

    #[test]
    fn the_first_that_fits_counts() {
        let [own, other] = ["monoio", "tokio"].map(|peer| reason("local/yield", peer));
        assert!(own.is_some() && other.is_some() && own != other);
        assert_eq!(reason("growth/tasks_10", "tokio"), None);
    }
}
