//! Everything that can be measured, by name, one line each, and what this project wants to reach.

pub mod blocking;
pub mod channels;
pub mod echo_inproc;
mod goals;
pub mod heap;
pub mod lateness;
pub mod local;
pub mod local_outside;
pub mod locks;
pub mod multi;
pub mod multi_outside;
pub mod reactor_servers;
pub mod reactor_turns;
mod reasons;
pub mod servers;
pub mod sharing;
pub mod sleeping;
pub mod timers_threads;
pub mod waking;
pub mod wheel;

pub use goals::goal;
pub use reasons::{reason, surprise};

use crate::peers::calls;
use crate::peers::memory::copies;
use crate::roster::{
    cancel, fire, local, net, outside, pool, reschedule, threads, time, together, whole, workers,
};
use crate::workload::Workload;
use channels::{Bounded, Broadcast, Contended, Unbounded, Uncontended};
use echo_inproc::{Echo, Event, TCP, UNIX, bare};
use local_outside::{SAME_CORE, TWO_CORES};
use multi_outside::{IDLE, RESPAWNING, YIELDING};

/// Every workload, in the order of the report.
pub const ALL: &[Workload] = &[
    local::<local::SpawnJoin<10_000>>("local/spawn_join"),
    local::<local::SpawnJoinEach>("local/spawn_join_each"),
    local::<local::SpawnMany>("local/spawn_many_local").beside(calls::once),
    local::<local::Yield>("local/yield").beside(calls::again),
    local::<waking::Wake>("local/wake"),
    local::<local::PingPong>("local/ping_pong"),
    local::<local::ChainedSpawn>("local/chained_spawn").beside(calls::chained),
    local::<local::BlockOn>("local/block_on"),
    outside::<local_outside::Remote<false>>("local/remote_idle"),
    outside::<local_outside::Remote<true>>("local/remote_busy"),
    local_outside::block_on_alone("local/block_on_alone"),
    local::<local_outside::CrossThread<SAME_CORE>>("local/cross_thread_same_core"),
    local::<local_outside::CrossThread<TWO_CORES>>("local/cross_thread_two_cores")
        .with_cores(2)
        .in_rounds(21),
    threads::<multi::SpawnMany<false>>("multi/spawn_many_local"),
    threads::<multi::SpawnMany<true>>("multi/spawn_many"),
    threads::<multi::SpawnJoin>("multi/spawn_join"),
    threads::<multi::Yield>("multi/yield"),
    threads::<multi::PingPong>("multi/ping_pong"),
    threads::<multi::ChainedSpawn>("multi/chained_spawn"),
    threads::<multi_outside::Remote<IDLE>>("multi/remote_idle"),
    threads::<multi_outside::Remote<YIELDING>>("multi/remote_busy1"),
    threads::<multi_outside::Remote<RESPAWNING>>("multi/remote_busy2"),
    threads::<multi_outside::RemoteSpawn<1>>("multi/remote_spawn_1"),
    threads::<multi_outside::RemoteSpawn<2>>("multi/remote_spawn_2"),
    together::<multi_outside::CrossThread<SAME_CORE>>("multi/cross_thread_same_core"),
    together::<multi_outside::CrossThread<TWO_CORES>>("multi/cross_thread_two_cores")
        .with_cores(2)
        .in_rounds(21),
    workers::<multi::SpawnMany<true>, 1>("workers/spawn_many_1"),
    workers::<multi::SpawnMany<true>, 2>("workers/spawn_many_2"),
    workers::<multi::SpawnMany<true>, 4>("workers/spawn_many_4"),
    workers::<multi::SpawnMany<true>, 8>("workers/spawn_many_8"),
    workers::<multi::SpawnMany<true>, 16>("workers/spawn_many_16"),
    workers::<multi::SpawnMany<true>, 32>("workers/spawn_many_32"),
    workers::<multi::SpawnMany<true>, 48>("workers/spawn_many_48"),
    workers::<multi::Yield, 1>("workers/yield_1"),
    workers::<multi::Yield, 2>("workers/yield_2"),
    workers::<multi::Yield, 4>("workers/yield_4"),
    workers::<multi::Yield, 8>("workers/yield_8"),
    workers::<multi::Yield, 16>("workers/yield_16"),
    workers::<multi::Yield, 32>("workers/yield_32"),
    workers::<multi::Yield, 48>("workers/yield_48"),
    workers::<multi_outside::RemoteSpawn<1>, 1>("workers/remote_spawn_1"),
    workers::<multi_outside::RemoteSpawn<1>, 2>("workers/remote_spawn_2"),
    workers::<multi_outside::RemoteSpawn<1>, 4>("workers/remote_spawn_4"),
    workers::<multi_outside::RemoteSpawn<1>, 8>("workers/remote_spawn_8"),
    workers::<multi_outside::RemoteSpawn<1>, 16>("workers/remote_spawn_16"),
    workers::<multi_outside::RemoteSpawn<1>, 32>("workers/remote_spawn_32"),
    workers::<multi_outside::RemoteSpawn<1>, 48>("workers/remote_spawn_48"),
    workers::<sharing::Compute, 1>("workers/compute_1"),
    workers::<sharing::Compute, 2>("workers/compute_2"),
    workers::<sharing::Compute, 4>("workers/compute_4"),
    workers::<sharing::Compute, 8>("workers/compute_8"),
    workers::<sharing::Compute, 16>("workers/compute_16"),
    workers::<sharing::Compute, 32>("workers/compute_32"),
    workers::<sharing::Compute, 48>("workers/compute_48"),
    local::<Uncontended<Bounded<1_000_000>>>("sync/local_mpsc_uncontended"),
    local::<Contended<Unbounded>>("sync/local_mpsc_unbounded"),
    local::<Contended<Bounded<1_000_000>>>("sync/local_mpsc_bounded"),
    local::<Contended<Bounded<100>>>("sync/local_mpsc_full"),
    local::<locks::Permits<5>>("sync/local_semaphore_contended"),
    local::<locks::Readers<true>>("sync/local_rwlock_contended"),
    threads::<Contended<Unbounded>>("sync/mpsc_unbounded"),
    threads::<Contended<Bounded<1_000_000>>>("sync/mpsc_bounded"),
    threads::<Contended<Bounded<100>>>("sync/mpsc_full"),
    threads::<Broadcast>("sync/broadcast"),
    threads::<locks::Permits<10>>("sync/semaphore"),
    threads::<locks::Permits<5>>("sync/semaphore_contended"),
    threads::<locks::Readers<false>>("sync/rwlock"),
    threads::<locks::Readers<true>>("sync/rwlock_contended"),
    threads::<locks::Notify<false>>("sync/notify_one"),
    threads::<locks::Notify<true>>("sync/notify_all"),
    pool::<blocking::One>("blocking/one_at_a_time"),
    pool::<blocking::Burst>("blocking/burst"),
    pool::<blocking::Two>("blocking/two_producers"),
    local::<heap::IdleTasks<0>>("heap/idle_task_0"),
    local::<heap::IdleTasks<64>>("heap/idle_task_64"),
    local::<heap::IdleTasks<256>>("heap/idle_task_256"),
    net::<heap::IdleConnections>("heap/idle_connection"),
    cancel::<heap::Deadlines<false>>("heap/deadline").without(&["unordered"]),
    cancel::<heap::Deadlines<true>>("heap/deadline_churned").without(&["unordered"]),
    cancel::<wheel::Replace<1_000>>("timers/wheel_insert_cancel_1k"),
    cancel::<wheel::Replace<10_000>>("timers/wheel_insert_cancel_10k"),
    cancel::<wheel::Replace<100_000>>("timers/wheel_insert_cancel_100k"),
    cancel::<wheel::Replace<1_000_000>>("timers/wheel_insert_cancel_1m"),
    reschedule::<wheel::Postpone<1_000>>("timers/wheel_reschedule_1k"),
    reschedule::<wheel::Postpone<100_000>>("timers/wheel_reschedule_100k"),
    reschedule::<wheel::Postpone<1_000_000>>("timers/wheel_reschedule_1m"),
    fire::<wheel::InsertFire<10_000>>("timers/wheel_insert_fire_10k"),
    fire::<wheel::InsertFire<1_000_000>>("timers/wheel_insert_fire_1m"),
    time::<sleeping::Create<1_000>>("timers/sleep_create_poll_drop"),
    time::<sleeping::Create<0>>("timers/sleep_create_poll_drop_0"),
    time::<sleeping::Create<100_000>>("timers/sleep_create_poll_drop_100k").without(sleeping::FEW),
    timers_threads::two_workers("timers/sleep_2_workers"),
    time::<sleeping::Reset>("timers/sleep_reset"),
    time::<sleeping::TimeoutReady>("timers/timeout_ready"),
    sleeping::tasks::<100_000>("timers/sleep_tasks_100k"),
    sleeping::tasks::<1_000_000>("timers/sleep_tasks_1m")
        .without(sleeping::TEDIOUS)
        .long(),
    lateness::at::<50>("timers/lateness"),
    lateness::at::<99>("timers/lateness_p99"),
    net::<Event>("reactor/event"),
    net::<Echo<UNIX, 1>>("reactor/echo_inproc_1").beside(bare::<UNIX, 1>),
    net::<Echo<UNIX, 64>>("reactor/echo_inproc_64").beside(bare::<UNIX, 64>),
    net::<Echo<TCP, 1>>("reactor/echo_inproc_tcp_1").beside(bare::<TCP, 1>),
    net::<Echo<TCP, 64>>("reactor/echo_inproc_tcp_64").beside(bare::<TCP, 64>),
    servers::echo::<1, 64>("reactor/echo_1x64"),
    servers::echo::<64, 64>("reactor/echo_64x64"),
    servers::echo::<1_024, 64>("reactor/echo_1024x64"),
    servers::echo::<8_192, 64>("reactor/echo_8192x64"),
    servers::echo::<19_000, 64>("reactor/echo_19000x64")
        .without(servers::TEDIOUS)
        .long(),
    servers::latency::<64, 64>("reactor/latency_64"),
    servers::latency::<1_024, 64>("reactor/latency_1024"),
    servers::echo::<1_024, 16_384>("reactor/echo_1024x16k").beside(copies::<1_024, 16_384, false>),
    servers::lent::<1_024, 16_384>("reactor/echo_1024x16k_lent")
        .beside(copies::<1_024, 16_384, true>),
    reactor_servers::CHURN,
    reactor_servers::CALLS_1,
    reactor_servers::CALLS_64,
    reactor_servers::HELD_MEMORY,
    reactor_servers::HELD_P50,
    reactor_servers::HELD_P99,
    reactor_turns::IDLE,
    reactor_turns::AWAKE,
    reactor_turns::WRITTEN.in_rounds(21),
    reactor_turns::ACROSS.in_rounds(21),
    whole::<local::SpawnJoin<10_000>>("loop/spawn_join"),
    whole::<local::Yield>("loop/yield"),
    whole::<local::PingPong>("loop/ping_pong"),
    whole::<local::ChainedSpawn>("loop/chained_spawn"),
    servers::http::<64>("loop/http_64"),
    servers::http_p99::<64>("loop/http_64_p99"),
    servers::http_cpu::<64>("loop/http_64_cpu"),
    servers::http::<1_024>("loop/http_1024"),
    servers::http_p99::<1_024>("loop/http_1024_p99"),
    servers::http_cpu::<1_024>("loop/http_1024_cpu"),
    local::<local::SpawnJoin<10>>("growth/tasks_10"),
    local::<local::SpawnJoin<100>>("growth/tasks_100"),
    local::<local::SpawnJoin<1_000>>("growth/tasks_1k"),
    local::<local::SpawnJoin<10_000>>("growth/tasks_10k"),
    local::<local::SpawnJoin<100_000>>("growth/tasks_100k"),
    local::<local::SpawnJoin<1_000_000>>("growth/tasks_1m"),
    time::<sleeping::Create<1>>("growth/sleeps_1"),
    time::<sleeping::Create<100>>("growth/sleeps_100"),
    time::<sleeping::Create<10_000>>("growth/sleeps_10k"),
    time::<sleeping::Create<1_000_000>>("growth/sleeps_1m").without(sleeping::FEW),
];

/// The workloads that `names` choose: whole names, or beginnings such as `local/` or `timers/wheel`.
/// A name that is whole chooses that one, though others begin with it.
///
/// # Errors
/// The first name that chooses nothing.
pub fn choose(names: &[String]) -> Result<Vec<&'static Workload>, String> {
    if names.is_empty() {
        return Ok(ALL.iter().collect());
    }
    let whole = |name: &str| ALL.iter().any(|workload| workload.name == name);
    let chosen_by = |workload: &Workload, name: &str| match workload.name.strip_prefix(name) {
        Some("") => true,
        _ if whole(name) => false,
        Some(rest) => name.ends_with('/') || rest.starts_with(['/', '_']),
        None => false,
    };
    if let Some(stranger) = names
        .iter()
        .find(|name| !ALL.iter().any(|w| chosen_by(w, name)))
    {
        return Err(stranger.clone());
    }
    Ok(ALL
        .iter()
        .filter(|w| names.iter().any(|name| chosen_by(w, name)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str]) -> Vec<&'static str> {
        let names: Vec<String> = names.iter().map(|&name| name.into()).collect();
        choose(&names).unwrap().iter().map(|w| w.name).collect()
    }

    #[test]
    fn names_are_unique_and_grouped() {
        let mut names: Vec<_> = ALL.iter().map(|w| w.name).collect();
        assert!(names.iter().all(|name| name.split('/').count() == 2));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn groups_and_whole_names_choose() {
        assert_eq!(chosen(&["local/yield"]), ["local/yield"]);
        assert_eq!(chosen(&["local/spawn_join"]), ["local/spawn_join"]);
        assert!(chosen(&["local/spawn"]).contains(&"local/spawn_join_each"));
        assert_eq!(chosen(&["local"]), chosen(&["local/"]));
        assert_eq!(chosen(&[]).len(), ALL.len());
        assert!(chosen(&["local"]).len() > 4);
    }

    #[test]
    fn a_name_of_nothing_is_an_error() {
        assert_eq!(
            choose(&["local/yeild".into()]).err().as_deref(),
            Some("local/yeild")
        );
        assert_eq!(
            choose(&["local/yie".into()]).err().as_deref(),
            Some("local/yie")
        );
    }
}
