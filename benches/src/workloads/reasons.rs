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
/// Instructions and the kernel's share are added by the report, where they were counted.
const REASONS: &[(&str, &str, &str)] = &[
    (
        "local/yield",
        "monoio",
        "monoio polls a task that wakes itself again before all others: no switch, and no queue",
    ),
    (
        "local/block_on",
        "futures",
        "theirs runs no other tasks and looks at no queue, which are the instructions more; the \
         like of it is in `local/block_on_alone`",
    ),
    (
        "local/ping_pong",
        "",
        "about 900 of the instructions are two channels: four allocations (malloc and free alone \
         400) and their locks, the same for all \
         ([profile](../executor/README.md#what-it-costs))",
    ),
    (
        "local/cross_thread_same_core",
        "",
        "2.4 futex calls a trip (counted by strace, tokio's as many) and two switches are the \
         kernel's",
    ),
    (
        "local/cross_thread_two_cores",
        "",
        "2.4 futex calls a trip (counted by strace, tokio's as many); the kernel wakes a halted \
         core twice, with an interrupt through the hypervisor, for several times what the trip \
         takes on one core",
    ),
    (
        "local/",
        "",
        "where ours go is in the [profile](../executor/README.md#what-it-costs); the goal comes \
         from trials on another machine, where the peers took about twice as long as here",
    ),
    (
        "multi/yield",
        "",
        "151 instructions a yield with one locked one, tokio's 503 to 681: the locked one, some \
         20 cycles, is as dear as all the others ([profile](../executor/README.md#what-it-costs))",
    ),
    (
        "multi/ping_pong",
        "",
        "as on one thread, 900 instructions of a pair are its channels, the same for all; here \
         their locked operations and frees on another thread than the malloc's come on top",
    ),
    (
        "multi/remote_busy1",
        "",
        "the busy tasks stall for ten microseconds a poll, and everybody waits for them",
    ),
    (
        "multi/",
        "",
        "the atomic operations of each step are counted in the \
         [executor's chapter](../executor/README.md#what-it-costs); the rest is the workload's",
    ),
    (
        "heap/idle_task_256",
        "",
        "the captures alone are 256 bytes, 0.64 of tokio's 397: a task of no size at all would miss \
         it; ours adds 80",
    ),
    (
        "timers/wheel_insert_cancel_1m",
        "",
        "32 MB of entries, as large as the third-level cache that the host's guests share: \
         `unordered`, which only finds an entry again, says how much of it is memory",
    ),
    (
        "timers/wheel_insert_cancel",
        "",
        "keys that cannot go stale cost a check of the generation a look-up, entries in pages a \
         second index ([profile](../timers/README.md#rejected-designs))",
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
        "the bare loop has neither tasks nor wakers nor readiness: a branch on the event is its \
         logic; system calls are the same",
    ),
    (
        "reactor/echo_1024x16k_lent",
        "",
        "the kernel's copies of 16 KiB are the same on both sides; `memcpy` is what two of them take",
    ),
    (
        "reactor/calls",
        "",
        "a read, a write and a share of a wait; how many messages one wait finds is the load's doing",
    ),
    (
        "reactor/wake",
        "",
        "a write to an eventfd and a wait: two system calls for each (counted by strace), \
         which are nearly all of it",
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
