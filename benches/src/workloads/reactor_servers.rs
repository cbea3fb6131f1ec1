//! What servers cost beside their messages: connections that come and go, system calls, and very
//! many connections that are only held.

use std::net::SocketAddr;

use super::servers::{MIDDLE, MOST, understand};
use crate::child::Helper;
use crate::machine;
use crate::serve::{BARE_CLOSING, ECHO, LENT};
use crate::syscalls;
use crate::workload::{Contender, Invalid, Measured, OURS, Pass, Scale, Workload, expect_count};

/// Connections that are opened, echo one message and are closed, 16 at a time.
pub const CHURN: Workload = Workload::new(
    "reactor/churn",
    "a connection opened, 64 B echoed, closed: the server's processor time",
    "ns cpu/connection",
    churn,
)
.on_all_cores();

/// System calls of the server for a message there and back, at full speed.
pub const CALLS_1: Workload = calls_row::<1>("reactor/calls_1x64");

/// The same with 64 connections.
pub const CALLS_64: Workload = calls_row::<64>("reactor/calls_64x64");

const fn calls_row<const CONNECTIONS: usize>(name: &'static str) -> Workload {
    let about = "system calls of the server for 64 B there and back, at full speed";
    Workload::new(name, about, "calls/message", calls::<CONNECTIONS>).on_all_cores()
}

/// Resident memory of the server for each of 19,000 connections that have talked and are held.
pub const HELD_MEMORY: Workload = Workload::new(
    "reactor/held_19000_memory",
    "resident memory of the server for each of 19,000 connections",
    "bytes/connection",
    |scale| held(scale, Held::Memory),
)
.on_all_cores()
.long();

/// A message on each of them at the same time: when half of them are back.
pub const HELD_P50: Workload = Workload::new(
    "reactor/held_19000_p50",
    "64 B on each of 19,000 connections at the same time: when half are back",
    "ns",
    |scale| held(scale, Held::HalfOfTheAnswers),
)
.on_all_cores()
.long();

/// The same: when 99 of 100 are back.
pub const HELD_P99: Workload = Workload::new(
    "reactor/held_19000_p99",
    "64 B on each of 19,000 connections at the same time: when 99% are back",
    "ns",
    |scale| held(scale, Held::MostOfTheAnswers),
)
.on_all_cores()
.long();

/// Bytes of each connection's buffer.
const BUFFER: usize = 1024;

fn churn(scale: Scale) -> Vec<Contender> {
    let (at_once, rounds) = (scale.of(16, 2), scale.of(100, 2));
    let servers = [
        (OURS, OURS),
        ("bare", BARE_CLOSING),
        ("tokio", "tokio"),
        ("smol", "smol"),
        #[cfg(feature = "monoio")]
        ("monoio", "monoio"),
    ];
    let start = |(peer, server): (&'static str, &'static str)| {
        Contender::new(peer, move || {
            let (server, mut load) = pair(server, "churn", &[at_once])?;
            let asked = (at_once * rounds) as u64;
            Ok(Box::new(move || {
                let before = server.cpu_ns()?;
                let done = load.ask(&format!("go {rounds}"), "done")?;
                expect_count("connections", done.parse().unwrap_or(0), asked)?;
                let total = (server.cpu_ns()? - before) as f64;
                Ok(Measured {
                    kernel: server.kernel_share(),
                    ..Measured::new(total, asked)
                })
            }))
        })
    };
    servers.into_iter().map(start).collect()
}

/// Nobody takes part where calls cannot be counted.
fn calls<const CONNECTIONS: usize>(scale: Scale) -> Vec<Contender> {
    if !syscalls::can_be_counted() {
        return Vec::new();
    }
    let connections = scale.of(CONNECTIONS, CONNECTIONS.min(5));
    let messages = scale.of((16_000 / connections).min(4_000), 3);
    let peers = ECHO.iter().map(|(peer, _)| *peer);
    let start = |peer| {
        Contender::new(peer, move || {
            let (server, mut load) = pair(peer, "load", &[connections, 64])?;
            let asked = (connections * messages) as u64;
            Ok(Box::new(move || {
                let count = syscalls::Count::begin(server.id())?;
                exchange(&mut load, messages, asked)?;
                let total = count.finish()? as f64;
                Ok(Measured::new(total, asked))
            }))
        })
    };
    let twice = [LENT, "bare-shared", BARE_CLOSING]; // what they call, others call too
    peers
        .filter(|peer| !twice.contains(peer))
        .map(start)
        .collect()
}

/// What is read off a server that holds very many connections.
#[derive(Clone, Copy, PartialEq)]
enum Held {
    Memory,
    HalfOfTheAnswers,
    MostOfTheAnswers,
}

fn held(scale: Scale, what: Held) -> Vec<Contender> {
    // Client and server may have 20,000 descriptors each on many systems.
    let connections = scale.of(19_000, 5);
    let start = |peer: &'static str| {
        Contender::new(peer, move || {
            let server = Helper::start(last_core(), &words(&["echo", peer], &[BUFFER]))?;
            let empty = machine::resident_bytes(server.id())?;
            let mut load = load_on(&server, "load", &[connections, 64])?;
            let asked = connections as u64;
            Ok(Box::new(move || {
                let answer = exchange(&mut load, 1, asked)?;
                let (_, latency_us) = understand(&answer)?;
                let full = machine::resident_bytes(server.id())?;
                Ok(match what {
                    Held::Memory => {
                        let total = full.saturating_sub(empty) as f64;
                        Measured::new(total, asked)
                    }
                    Held::HalfOfTheAnswers => one(latency_us[MIDDLE] * 1_000.0),
                    Held::MostOfTheAnswers => one(latency_us[MOST] * 1_000.0),
                })
            }) as Pass)
        })
    };
    [OURS, "bare", "tokio"].into_iter().map(start).collect()
}

fn one(total: f64) -> Measured {
    Measured::new(total, 1)
}

fn last_core() -> usize {
    let cores = machine::cores();
    cores[cores.len() - 1]
}

fn words(first: &[&str], numbers: &[usize]) -> Vec<String> {
    let first = first.iter().map(|word| (*word).to_owned());
    first.chain(numbers.iter().map(usize::to_string)).collect()
}

/// An echo server and what puts it under load, on different cores.
fn pair(server: &str, load: &str, numbers: &[usize]) -> Result<(Helper, Helper), Invalid> {
    let server = Helper::start(last_core(), &words(&["echo", server], &[BUFFER]))?;
    let load = load_on(&server, load, numbers)?;
    Ok((server, load))
}

fn load_on(server: &Helper, load: &str, numbers: &[usize]) -> Result<Helper, Invalid> {
    let address: SocketAddr = server
        .greeting
        .parse()
        .map_err(|_| Invalid(format!("'{}' is no address", server.greeting)))?;
    let address = address.to_string();
    Helper::start(machine::cores()[0], &words(&[load, &address], numbers))
}

/// So many messages on each connection; the load generator's answer.
fn exchange(load: &mut Helper, messages: usize, asked: u64) -> Result<String, Invalid> {
    let answer = load.ask(&format!("go {messages}"), "done")?;
    let done = answer.split(' ').next().and_then(|n| n.parse().ok());
    expect_count("answers", done.unwrap_or(0), asked)?;
    Ok(answer)
}
