//! Servers under load: a server tied to one core, a fixed load generator tied to another, and what
//! the server's process spends on a message, or how long all takes by the clock.

use std::time::Instant;

use crate::child::Helper;
use crate::machine;
use crate::serve::{self, BARE_CLOSING, LENT};
use crate::stats::{Ranks, SHARES};
use crate::workload::{Contender, Invalid, Measured, OURS, Pass, Scale, Workload, expect_count};

/// Who is left out where setting up takes each contender seconds, and a quick row may last one
/// minute. All of them are in the rows of fewer connections.
pub const TEDIOUS: &[&str] = &["glommio", "smol", "monoio-uring", "compio"];

/// The row of echoing so many bytes on so many connections: the server's processor time.
pub const fn echo<const CONNECTIONS: usize, const BYTES: usize>(name: &'static str) -> Workload {
    let about = "a message there and back on each connection: the server's processor time";
    let row = Workload::new(name, about, "ns cpu/message", |scale| {
        Load::echo(scale, CONNECTIONS, BYTES).on_all_echoes()
    });
    row.on_all_cores()
}

/// The row of the same, but of what the clients see: how long until their message is back.
pub const fn latency<const CONNECTIONS: usize, const BYTES: usize>(name: &'static str) -> Workload {
    let about = "a message there and back on each connection at once: the middle latency";
    let row = Workload::new(name, about, "us", |scale| {
        let load = Load::echo(scale, CONNECTIONS, BYTES);
        let load = Load {
            count: Count::Latency(MIDDLE),
            ..load
        };
        load.on_all_echoes()
    });
    row.on_all_cores()
}

/// Echo servers that take part in rows of their own.
const ALONE: [&str; 3] = [LENT, "bare-shared", BARE_CLOSING];

/// The same with ours lending buffers for as long as something is in them, against one buffer for
/// all connections and against tokio, whose connections have their own.
pub const fn lent<const CONNECTIONS: usize, const BYTES: usize>(name: &'static str) -> Workload {
    let about = "the same, ours with lent buffers";
    let row = Workload::new(name, about, "ns cpu/message", |scale| {
        let load = Load::echo(scale, CONNECTIONS, BYTES);
        let servers = [
            (OURS, LENT),
            ("bare-shared", "bare-shared"),
            ("tokio", "tokio"),
        ];
        servers.map(|(peer, server)| load.on(peer, server)).into()
    });
    row.on_all_cores()
}

/// The row of HTTP requests answered by hyper: how many in a second, by the clock.
pub const fn http<const CONNECTIONS: usize>(name: &'static str) -> Workload {
    let about = "hyper answers requests, one at a time on each connection";
    let row = Workload::new(name, about, "requests/s", |scale| {
        Load::http(scale, CONNECTIONS, Count::Rate).on_all_http()
    });
    row.on_all_cores().more_is_better()
}

/// The same: the latency that 99 of 100 requests stay below.
pub const fn http_p99<const CONNECTIONS: usize>(name: &'static str) -> Workload {
    let about = "hyper answers a request on each connection at once: the latency of 99%";
    let row = Workload::new(name, about, "us", |scale| {
        Load::http(scale, CONNECTIONS, Count::Latency(MOST)).on_all_http()
    });
    row.on_all_cores()
}

/// The same: the server's processor time.
pub const fn http_cpu<const CONNECTIONS: usize>(name: &'static str) -> Workload {
    let about = "hyper answers a request on each connection: the server's processor time";
    let row = Workload::new(name, about, "ns cpu/request", |scale| {
        Load::http(scale, CONNECTIONS, Count::Cpu).on_all_http()
    });
    row.on_all_cores()
}

/// What is read off a pass.
#[derive(Clone, Copy)]
enum Count {
    /// Messages a second.
    Rate,
    /// The server's processor time a message.
    Cpu,
    /// How long the message of that rank took.
    Latency(usize),
}

/// The place of one half among [`SHARES`].
pub(super) const MIDDLE: usize = 3;
/// The place of 99% among them.
pub(super) const MOST: usize = 6;
const _: () = assert!(SHARES[MIDDLE] == 0.5 && SHARES[MOST] == 0.99);

/// How many answers the load generator got, and their latencies in microseconds.
pub(super) fn understand(answer: &str) -> Result<(u64, Ranks), Invalid> {
    let strange = || Invalid(format!("the load generator said '{answer}'"));
    let mut numbers = answer.split(' ').map(str::parse::<u64>);
    let mut next = || numbers.next().and_then(Result::ok).ok_or_else(strange);
    let done = next()?;
    let mut latency_us = [0.0; SHARES.len()];
    for rank in &mut latency_us {
        *rank = next()? as f64 / 1_000.0;
    }
    Ok((done, latency_us))
}

/// What a server is put under.
#[derive(Clone, Copy)]
struct Load {
    what: &'static str, // echo or http
    connections: usize,
    bytes: usize,    // of a message; 0 for a request
    messages: usize, // on each connection in one pass
    count: Count,
}

impl Load {
    fn echo(scale: Scale, connections: usize, bytes: usize) -> Self {
        let connections = scale.of(connections, connections.min(5));
        let in_all = if bytes > 4_096 { 6_144 } else { 15_360 };
        Self {
            what: "echo",
            connections,
            bytes: scale.of(bytes, bytes.min(5_000)),
            messages: scale.of((in_all / connections).clamp(1, 4_000), 3),
            count: Count::Cpu,
        }
    }

    fn http(scale: Scale, connections: usize, count: Count) -> Self {
        let connections = scale.of(connections, connections.min(5));
        Self {
            what: "http",
            connections,
            bytes: 0,
            messages: scale.of(8_192 / connections, 3),
            count,
        }
    }

    fn on_all_echoes(self) -> Vec<Contender> {
        let echoes = serve::ECHO.iter().filter(|(peer, _)| !ALONE.contains(peer));
        echoes.map(|(peer, _)| self.on(peer, peer)).collect()
    }

    fn on_all_http(self) -> Vec<Contender> {
        serve::HTTP
            .iter()
            .map(|(peer, _)| self.on(peer, peer))
            .collect()
    }

    fn on(self, peer: &'static str, server: &'static str) -> Contender {
        Contender::new(peer, move || self.start(server))
    }

    fn start(self, server: &'static str) -> Result<Pass, Invalid> {
        let cores = machine::cores();
        let (server_core, load_core) = (cores[cores.len() - 1], cores[0]);
        let buffer = self.bytes.max(1_024).to_string();
        let words = [self.what.to_owned(), server.to_owned(), buffer];
        let server = Helper::start(server_core, &words)?;
        let [connections, bytes] = [self.connections, self.bytes].map(|n| n.to_string());
        let words = [
            "load".to_owned(),
            server.greeting.clone(),
            connections,
            bytes,
        ];
        let mut load = Helper::start(load_core, &words)?;
        let go = format!("go {}", self.messages);
        let asked = (self.messages * self.connections) as u64;
        Ok(Box::new(move || {
            let (began, before) = (Instant::now(), server.cpu_ns()?);
            let answer = load.ask(&go, "done")?;
            let (took, after) = (began.elapsed(), server.cpu_ns()?);
            let (done, latency_us) = understand(&answer)?;
            expect_count("answers", done, asked)?;
            let measured = match self.count {
                Count::Rate => Measured::new(asked as f64 * 1e9, took.as_nanos() as u64),
                Count::Cpu => Measured::new((after - before) as f64, asked),
                Count::Latency(rank) => Measured {
                    ranks: Some(latency_us),
                    ..Measured::new(latency_us[rank], 1)
                },
            };
            Ok(Measured {
                kernel: server.kernel_share(),
                ..measured
            })
        }))
    }
}
