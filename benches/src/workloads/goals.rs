//! The ratios that this project sets itself, to be printed beside what was reached.

/// The least ratio wanted on `workload` against `peer`, where one is stated.
///
/// A limit of the form 'at most 1.08 times a bare epoll loop' is the ratio 1 / 1.08.
#[must_use]
pub fn goal(workload: &str, peer: &str) -> Option<f64> {
    let found = GOALS.iter().find(|(w, p, _)| *w == workload && *p == peer);
    found.map(|&(_, _, ratio)| ratio)
}

const GOALS: &[(&str, &str, f64)] = &[
    // one thread
    ("local/spawn_join", "tokio", 12.0),
    ("local/spawn_join", "monoio", 3.0),
    ("local/yield", "tokio", 5.5),
    ("local/yield", "monoio", 4.0),
    ("local/ping_pong", "tokio", 3.0),
    ("local/ping_pong", "monoio", 1.5),
    ("local/chained_spawn", "tokio", 8.0),
    ("local/chained_spawn", "monoio", 3.0),
    ("local/block_on", "tokio", 30.0),
    ("local/block_on", "futures", 1.0),
    ("local/remote_idle", "tokio", 3.0),
    ("local/remote_busy", "tokio", 10.0),
    ("local/cross_thread_same_core", "tokio", 0.9),
    ("local/cross_thread_two_cores", "tokio", 0.9),
    // two workers
    ("multi/spawn_many_local", "tokio", 4.0),
    ("multi/spawn_many_local", "smol", 1.0),
    ("multi/spawn_many", "tokio", 5.0),
    ("multi/spawn_many", "smol", 1.0),
    ("multi/spawn_join", "tokio", 4.5),
    ("multi/spawn_join", "smol", 1.0),
    ("multi/remote_idle", "tokio", 6.0),
    ("multi/remote_idle", "smol", 1.0),
    ("multi/remote_busy1", "tokio", 3.0),
    ("multi/remote_busy1", "smol", 1.0),
    ("multi/remote_busy2", "tokio", 10.0),
    ("multi/remote_busy2", "smol", 1.0),
    ("multi/yield", "tokio", 4.0),
    ("multi/yield", "smol", 1.0),
    ("multi/ping_pong", "tokio", 2.5),
    ("multi/ping_pong", "smol", 1.0),
    ("multi/chained_spawn", "tokio", 4.0),
    ("multi/chained_spawn", "smol", 1.0),
    ("multi/remote_spawn_1", "tokio", 5.0),
    ("multi/remote_spawn_1", "smol", 1.0),
    ("multi/remote_spawn_2", "tokio", 2.5),
    ("multi/remote_spawn_2", "smol", 1.0),
    // blocking pool
    ("blocking/one_at_a_time", "tokio", 1.0),
    ("blocking/burst", "tokio", 5.0),
    ("blocking/two_producers", "tokio", 4.0),
    // memory: at most 0.6 of tokio's
    ("heap/idle_task_0", "tokio", 1.0 / 0.6),
    ("heap/idle_task_64", "tokio", 1.0 / 0.6),
    ("heap/idle_task_256", "tokio", 1.0 / 0.6),
    ("heap/idle_connection", "tokio", 1.0 / 0.6),
    // timers
    ("timers/wheel_insert_cancel_1k", "delayqueue", 4.0),
    ("timers/wheel_insert_cancel_1k", "hash-wheel", 4.0),
    ("timers/wheel_insert_cancel_1k", "btreemap", 4.0),
    ("timers/wheel_insert_cancel_100k", "delayqueue", 4.0),
    ("timers/wheel_insert_cancel_100k", "hash-wheel", 4.0),
    ("timers/wheel_insert_cancel_100k", "btreemap", 4.0),
    ("timers/wheel_insert_cancel_1m", "delayqueue", 4.0),
    ("timers/wheel_insert_cancel_1m", "hash-wheel", 4.0),
    ("timers/wheel_insert_cancel_1m", "btreemap", 4.0),
    ("timers/wheel_insert_cancel_1k", "intrusive", 1.0 / 1.2),
    ("timers/wheel_insert_cancel_100k", "intrusive", 1.0 / 1.2),
    ("timers/wheel_insert_cancel_1m", "intrusive", 1.0 / 1.2),
    ("timers/wheel_reschedule_1k", "btreemap", 8.0),
    ("timers/wheel_reschedule_100k", "btreemap", 8.0),
    ("timers/wheel_reschedule_1m", "btreemap", 8.0),
    ("timers/wheel_insert_fire_1m", "hash-wheel", 1.0),
    ("timers/wheel_insert_fire_1m", "heap", 1.0),
    ("timers/wheel_insert_fire_1m", "btreemap", 1.0),
    ("timers/sleep_create_poll_drop", "tokio", 3.0),
    ("timers/sleep_2_workers", "tokio", 8.0),
    ("timers/sleep_reset", "tokio", 3.0),
    ("timers/sleep_tasks_1m", "tokio", 2.0),
    ("timers/lateness", "nanosleep", 1.0 / 1.5),
    ("timers/lateness_p99", "tokio", 3.0),
    // reactor
    ("reactor/echo_inproc_1", "bare", 1.0 / 1.10),
    ("reactor/echo_inproc_64", "bare", 1.0 / 1.12),
    ("reactor/echo_inproc_1", "tokio", 1.0),
    ("reactor/echo_inproc_64", "tokio", 1.0),
    ("reactor/echo_1x64", "bare", 1.0 / 1.08),
    ("reactor/echo_1x64", "tokio", 1.0),
    ("reactor/echo_64x64", "bare", 1.0 / 1.08),
    ("reactor/echo_64x64", "tokio", 1.0),
    ("reactor/echo_1024x64", "bare", 1.0 / 1.08),
    ("reactor/echo_1024x64", "tokio", 1.0),
    ("reactor/echo_1024x16k_lent", "bare-shared", 1.0 / 1.05),
    ("reactor/echo_1024x16k_lent", "tokio", 1.0 / 0.75),
    ("reactor/calls_1x64", "tokio", 1.0),
    ("reactor/calls_1x64", "bare", 1.0),
    ("reactor/calls_64x64", "tokio", 1.0),
    ("reactor/churn", "bare", 1.0),
    ("reactor/churn", "tokio", 1.1),
    ("reactor/wake_written", "mio", 1.0),
    ("reactor/wake_across", "mio", 1.0),
    // loop
    ("loop/http_64", "tokio", 1.1),
    ("loop/http_1024", "tokio", 1.1),
    ("loop/http_64_p99", "tokio", 1.0),
    ("loop/http_1024_p99", "tokio", 1.0),
    ("loop/http_64_cpu", "tokio", 1.0),
    ("loop/http_1024_cpu", "tokio", 1.0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_goal_names_a_workload() {
        let all = crate::workloads::ALL;
        for (workload, peer, _) in GOALS {
            assert!(
                all.iter().any(|w| w.name == *workload),
                "no workload {workload} ({peer})"
            );
        }
    }
}
