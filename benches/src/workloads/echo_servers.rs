//! Echo over TCP: a server tied to one core, a fixed load generator tied to another, and the
//! processor time that the server's process spends on a message.

use crate::child::Helper;
use crate::contest::{
    Better, Contender, Cores, Invalid, Measured, OURS, Pass, Scale, Workload, expect_count,
};
use crate::machine;
use crate::serve::LENT;

/// The workloads of this file.
pub const ALL: &[Workload] = &[
    echo(
        "reactor/echo_1x64",
        "1 connection, 64 B: the server's processor time",
        |scale| {
            everyone(Shape {
                connections: 1,
                bytes: 64,
                messages: scale.of(4_000, 3),
            })
        },
    ),
    echo(
        "reactor/echo_64x64",
        "64 connections, 64 B: the server's processor time",
        |scale| {
            everyone(Shape {
                connections: scale.of(64, 4),
                bytes: 64,
                messages: scale.of(200, 3),
            })
        },
    ),
    echo(
        "reactor/echo_1024x64",
        "1,024 connections, 64 B: the same",
        |scale| {
            everyone(Shape {
                connections: scale.of(1_024, 5),
                bytes: 64,
                messages: scale.of(15, 3),
            })
        },
    ),
    echo(
        "reactor/echo_1024x16k",
        "1,024 connections, 16 KiB: the same",
        |scale| {
            let bytes = scale.of(16_384, 5_000);
            everyone(Shape {
                connections: scale.of(1_024, 5),
                bytes,
                messages: scale.of(6, 3),
            })
        },
    ),
    echo(
        "reactor/echo_1024x16k_lent",
        "the same, ours with lent buffers",
        |scale| {
            let bytes = scale.of(16_384, 5_000);
            let shape = Shape {
                connections: scale.of(1_024, 5),
                bytes,
                messages: scale.of(6, 3),
            };
            lent(shape)
        },
    ),
];

const fn echo(
    name: &'static str,
    about: &'static str,
    contenders: fn(Scale) -> Vec<Contender>,
) -> Workload {
    let unit = "ns cpu/message";
    Workload {
        name,
        about,
        unit,
        better: Better::Less,
        cores: Cores::All,
        long: false,
        contenders,
    }
}

#[derive(Clone, Copy)]
struct Shape {
    connections: usize,
    bytes: usize,
    messages: usize, // on each connection in one pass
}

fn everyone(shape: Shape) -> Vec<Contender> {
    let mut peers = vec![OURS, "bare", "tokio", "smol"];
    if cfg!(feature = "monoio") {
        peers.extend(["monoio", "monoio-uring"]);
    }
    let contender = |peer| Contender::new(peer, move || server(peer, shape));
    peers.into_iter().map(contender).collect()
}

/// Ours with buffers that are lent for as long as something is in them, against one buffer for all
/// connections and against tokio, whose connections have their own.
fn lent(shape: Shape) -> Vec<Contender> {
    let servers = [
        (OURS, LENT),
        ("bare-shared", "bare-shared"),
        ("tokio", "tokio"),
    ];
    let contender = |(peer, name)| Contender::new(peer, move || server(name, shape));
    servers.into_iter().map(contender).collect()
}

fn server(peer: &'static str, shape: Shape) -> Result<Pass, Invalid> {
    let cores = machine::cores();
    let (server_core, load_core) = (cores[cores.len() - 1], cores[0]);
    let buffer = shape.bytes.max(1_024);
    let words = ["echo".to_owned(), peer.into(), buffer.to_string()];
    let server = Helper::start(server_core, &words)?;
    let [connections, bytes] = [shape.connections, shape.bytes].map(|n| n.to_string());
    let words = [
        "load".to_owned(),
        server.greeting.clone(),
        connections,
        bytes,
    ];
    let mut load = Helper::start(load_core, &words)?;
    let go = format!("go {}", shape.messages);
    let asked = (shape.messages * shape.connections) as u64;
    Ok(Box::new(move || {
        let before = server.cpu_ns()?;
        let answer = load.ask(&go, "done")?;
        let after = server.cpu_ns()?;
        let done = answer
            .split(' ')
            .next()
            .and_then(|n| n.parse().ok())
            .unwrap_or(0);
        expect_count("messages", done, asked)?;
        Ok(Measured {
            total: (after - before) as f64,
            ops: asked,
        })
    }))
}
