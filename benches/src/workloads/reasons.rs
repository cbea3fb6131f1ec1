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
        "as many instructions as theirs, 15, though theirs runs no other tasks; where the half of a \
         nanosecond goes is not known. The like of theirs is in `local/block_on_alone`",
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
        "150 instructions a yield with one locked one, tokio's 503 to 681: the locked one, some \
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
        "stalling tasks offer their core to whoever wants it, and three threads share two cores: a \
         task took 55 to 81 ns in passes with few stalls, 300 and more where both workers went on \
         stalling, which is the kernel's choice \
         ([profile](../executor/README.md#what-it-costs))",
    ),
    (
        "multi/",
        "",
        "the atomic operations of each step are counted in the \
         [executor's chapter](../executor/README.md#what-it-costs); the rest is the workload's",
    ),
    (
        "blocking/burst",
        "",
        "of 10,000 jobs at once all but 1,024 wait for a place in the queue, and are called one by \
         one in their order: a wake and a poll each. In eight runs more it was 3.0 to 6.2 times; \
         where newcomers could take the places of those who were called, 1.2, 1.6, 2.8 and 14.6",
    ),
    (
        "heap/idle_task_256",
        "",
        "the captures alone are 256 bytes, 0.64 of tokio's 397: a task of no size at all would \
         miss it; ours adds 80",
    ),
    (
        "timers/wheel_insert_cancel_1m",
        "",
        "misses of a 1 MiB cache, simulated: 3.1 an operation, 2.4 of which an array of such \
         entries without any order has too (`unordered`); the intrusive wheel has 4.4. A quarter of \
         DelayQueue's time is within 12% of that array's",
    ),
    (
        "timers/wheel_insert_cancel_1k",
        "delayqueue",
        "in three runs just after it was 4.55, 3.74 and 4.14",
    ),
    (
        "timers/wheel_insert_cancel",
        "",
        "keys that cannot go stale cost a check of the generation at each look-up, entries in \
         pages a second index: 150 instructions against 65, without the workload's own 50 \
         ([profile](../timers/README.md#where-the-instructions-go))",
    ),
    (
        "timers/sleep_reset",
        "",
        "130 instructions with the workload's own, 39 of them the poll, counted by callgrind: ours \
         spares the clock and the wheel, the look-up and the poll remain on both sides",
    ),
    (
        "timers/sleep_tasks_1m",
        "",
        "misses of the cache: by perf 21% of the time is the wheel's (half of it reads of a cascade, \
         thirty at a time), 31% the tasks' headers and futures; of 11.4 read misses a task in a \
         simulated 1 MiB cache 2.4 are the wheel's \
         ([profile](../timers/README.md#where-the-instructions-go))",
    ),
    (
        "timers/sleep_tasks",
        "",
        "ours wakes every 170 us at most, so as not to be later than that, where tokio \
         waits for the next millisecond; `ours-1ms` (in the row of 100,000) is ours with that tick",
    ),
    (
        "reactor/echo_inproc",
        "bare",
        "the same system calls; two turns, two wakes and four polls are some 480 ns (measured in \
         a trial), 22 atomic operations among them, where the bare loop has none of it",
    ),
    (
        "reactor/echo_1024x16k_lent",
        "",
        "95% is the kernel; a buffer each costs tokio 2,240 and 1,650 ns in the two copies (by \
         perf), one lent 1,290 and 1,280: all that lending can save while 16 MiB of buffers lie in \
         a 32 MiB cache",
    ),
    (
        "reactor/churn",
        "",
        "9.7 system calls a connection, tokio's 10.5, bare 8.7 (counted by perf; the one more than \
         bare deletes from epoll, needed because of duplicates and forks); the rest is two \
         handshakes in the kernel",
    ),
    (
        "reactor/calls",
        "",
        "one read and one write a message on each side, the rest are waits: who is done sooner \
         sleeps more often, and finds fewer messages when it wakes; with server and client on one \
         core ours, tokio and bare all make 2.02",
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
        "of a request's 8,532 user instructions the runtime has 440 (tokio 1,105 of 9,256), hyper \
         the rest, which is the same on both sides \
         ([profile](../demos/README.md#why-hello-is-not-twice-as-fast))",
    ),
];

/// How a ratio came to be so large that one would rather believe in a mistake, if that is known.
#[must_use]
pub fn surprise(workload: &str, peer: &str) -> Option<&'static str> {
    let named = SURPRISES
        .iter()
        .find(|(end, whom, _)| workload.ends_with(end) && *whom == peer);
    named.map(|(_, _, why)| *why)
}

/// Workloads by the end of their names, peers, and what was found there.
const SURPRISES: &[(&str, &str, &str)] = &[
    (
        "chained_spawn",
        "compio",
        "one `io_uring_enter` a link, a wait in the kernel each (counted by strace)",
    ),
    (
        "local/block_on",
        "glommio",
        "three `io_uring_enter` a call (counted by strace); ours makes no system call",
    ),
    (
        "local/block_on",
        "smol",
        "each `run` makes a queue of 512 places for its runner, and registers it",
    ),
    (
        "local/remote_busy",
        "tokio",
        "it looks at the queue of tasks from outside once in 31 polls while there are others, and \
         the chain never ends; ours takes all that came at every batch",
    ),
    (
        "multi/remote_busy2",
        "tokio",
        "each worker goes on with its own chain and looks at the queue from outside rarely, while \
         each poll stalls for ten microseconds; ours takes them in batches",
    ),
    (
        "reactor/wake_awake",
        "mio",
        "every wake is written to the kernel; ours sees that nobody waits, and leaves a note",
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
