//! The composed loop as a server would run it, I/O and timers included, and hyper on top of it.

use std::time::Instant;

use super::local::{ChainedSpawn, PingPong, Shape, SpawnJoin, Yield};
use crate::child::Helper;
use crate::contest::{
    Better, Contender, Cores, Invalid, Measured, OURS, Pass, Scale, Workload, expect_count,
};
use crate::machine;
use crate::peers;
use crate::runtime::Local;

/// The workloads of this file.
pub const ALL: &[Workload] = &[
    tasks(
        "loop/spawn_join",
        "as local/spawn_join, I/O and timers on",
        "ns/task",
        everyone::<SpawnJoin>,
    ),
    tasks(
        "loop/yield",
        "as local/yield, I/O and timers on",
        "ns/yield",
        everyone::<Yield>,
    ),
    tasks(
        "loop/ping_pong",
        "as local/ping_pong, I/O and timers on",
        "ns/pair",
        everyone::<PingPong>,
    ),
    tasks(
        "loop/chained_spawn",
        "as local/chained_spawn, all on",
        "ns/task",
        everyone::<ChainedSpawn>,
    ),
    http(
        "loop/http_64",
        "hyper, 64 connections: requests by the clock",
        "ns/request",
        |scale| servers(scale.of(64, 4), scale.of(100, 3), Count::Time),
    ),
    http(
        "loop/http_64_cpu",
        "the same: the server's processor time",
        "ns cpu/request",
        |scale| servers(scale.of(64, 4), scale.of(100, 3), Count::Cpu),
    ),
    http(
        "loop/http_1024",
        "hyper, 1,024 connections: by the clock",
        "ns/request",
        |scale| servers(scale.of(1_024, 5), scale.of(8, 3), Count::Time),
    ),
    http(
        "loop/http_1024_cpu",
        "the same: processor time",
        "ns cpu/request",
        |scale| servers(scale.of(1_024, 5), scale.of(8, 3), Count::Cpu),
    ),
];

const fn tasks(
    name: &'static str,
    about: &'static str,
    unit: &'static str,
    contenders: fn(Scale) -> Vec<Contender>,
) -> Workload {
    Workload {
        name,
        about,
        unit,
        better: Better::Less,
        cores: Cores::One,
        long: false,
        contenders,
    }
}

const fn http(
    name: &'static str,
    about: &'static str,
    unit: &'static str,
    contenders: fn(Scale) -> Vec<Contender>,
) -> Workload {
    Workload {
        cores: Cores::All,
        ..tasks(name, about, unit, contenders)
    }
}

fn everyone<S: Shape>(scale: Scale) -> Vec<Contender> {
    vec![
        one::<S, peers::ours::EventLoop>(scale),
        one::<S, peers::tokio::WithDrivers>(scale),
        one::<S, peers::smol::WithReactor>(scale),
        #[cfg(feature = "monoio")]
        one::<S, peers::monoio::Epoll>(scale),
    ]
}

fn one<S: Shape, R: Local>(scale: Scale) -> Contender {
    Contender::new(R::NAME, move || Ok(S::pass(R::new(), scale)))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Count {
    Time,
    Cpu,
}

fn servers(connections: usize, requests: usize, count: Count) -> Vec<Contender> {
    let contender = |peer| Contender::new(peer, move || server(peer, connections, requests, count));
    [OURS, "tokio"].into_iter().map(contender).collect()
}

fn server(
    peer: &'static str,
    connections: usize,
    requests: usize,
    count: Count,
) -> Result<Pass, Invalid> {
    let cores = machine::cores();
    let server = Helper::start(cores[cores.len() - 1], &["http".to_owned(), peer.into()])?;
    let words = [
        "load".to_owned(),
        server.greeting.clone(),
        connections.to_string(),
        "0".to_owned(),
    ];
    let mut load = Helper::start(cores[0], &words)?;
    let go = format!("go {requests}");
    let asked = (requests * connections) as u64;
    Ok(Box::new(move || {
        let (began, before) = (Instant::now(), server.cpu_ns()?);
        let answer = load.ask(&go, "done")?;
        let (took, after) = (began.elapsed(), server.cpu_ns()?);
        let done = answer
            .split(' ')
            .next()
            .and_then(|n| n.parse().ok())
            .unwrap_or(0);
        expect_count("requests", done, asked)?;
        let total = match count {
            Count::Time => took.as_nanos() as f64,
            Count::Cpu => (after - before) as f64,
        };
        Ok(Measured { total, ops: asked })
    }))
}
