//! Every example is run, and says what the text at its top promises.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Each example, and what has to come out of it, in this order.
const EXAMPLES: [(&str, &[&str]); 24] = [
    (
        "axum_app",
        &[
            "order 1",
            "order 2",
            "brewed at once",
            ", please",
            "is no order 3",
        ],
    ),
    (
        "blocking",
        &[
            "the thread sleeps: I1 begins, O1, I2 begins, O2",
            "the task sleeps:   I1 begins, I2 begins, O2, O1",
        ],
    ),
    (
        "cancellation",
        &[
            "without a guard   100   70  100",
            "with a guard      100  100  100",
        ],
    ),
    (
        "cascade",
        &[
            "on level 2, in a slot of 4096",
            "on level 1, in a slot of 64",
            "on level 0",
            "3:21:42: fires",
        ],
    ),
    ("chat", &["100 guests heard 10000 lines, 100 each"]),
    ("compose", &["tick", "tock", "done", "and that is all"]),
    ("echo", &["ours: there and back", "tokio: there and back"]),
    (
        "executor_only",
        &[
            "frame  1 a....b.....c",
            "frame  5 ....a....b..",
            "all have left after 9 frames",
        ],
    ),
    ("fetch", &["100 pages, 8 at a time"]),
    (
        "hello",
        &[
            "on_tokio: false, threads: 1, http2: false }: Hello",
            "on_tokio: false, threads: 1, http2: true }: Hello",
            "on_tokio: false, threads: 2, http2: false }: Hello",
            "on_tokio: false, threads: 2, http2: true }: Hello",
            "on_tokio: true, threads: 2, http2: true }: Hello",
        ],
    ),
    (
        "host_loop",
        &[
            "my timer fired",
            "I read \"knock\" in my own loop",
            "I read \"who is there?\"",
            "and I go on",
        ],
    ),
    (
        "lost_wakeup",
        &[
            "look, then leave the waker:",
            "watchdog: the flag is set: true, and the reader sleeps",
            "leave the waker, then look:",
            "came through",
        ],
    ),
    (
        "one_future",
        &[
            "nothing happens",
            "Pending",
            "not woken, so I do not poll",
            "ring!",
            "Ready",
            "tea",
        ],
    ),
    // With a server or, as mostly, without one.
    ("postgres", &["PostgreSQL"]),
    (
        "proxy",
        &[
            "KiB read",
            "all is sent, my side is closed",
            "the client has nothing more to send",
            "I have 4194304 bytes of yours",
            "held 16 KiB at most",
        ],
    ),
    (
        "reactor_only",
        &[
            "echoed 17 bytes: \"is there anybody?\"",
            "connected to whom we meant",
        ],
    ),
    (
        "seeded_run",
        &[
            "seed 1: ",
            "seed 2: ",
            "seed 3: ",
            "seed 1: ",
            "c goes first in all four rounds:",
            ", and again c",
        ],
    ),
    (
        "starvation",
        &[
            "100000 polls of the greedy task, and the timer has not fired",
            "one batch a turn:",
            "then the timer fires",
        ],
    ),
    (
        "stealing",
        &[
            "spawned by a task on worker",
            "64 parts done by",
            "sum: 2080",
        ],
    ),
    (
        "swap",
        &[
            "our timeout ends it first: true",
            "reads from our reactor: hello",
            "smol's socket: good morning",
        ],
    ),
    (
        "timers_only",
        &[
            "next in the wheel: tick 240",
            "tick 240: egg, soft",
            "tick 420",
            "3600 s on the virtual clock: 1 fired",
        ],
    ),
    (
        "tls",
        &[
            "second cupboard, over TLSv1_3",
            "bytes and no secret",
            "UnknownIssuer",
        ],
    ),
    (
        "wakers_journey",
        &["1 ", "2 ", "3 ", "4 ", "5 ", "6 ", "7 ", "8 ", "9 "],
    ),
    (
        "websocket",
        &["you said hello", "tick 1", "tick 2", "closed"],
    ),
];

/// An example that has not ended by then hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn built(name: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_event-loop"));
    let example = program
        .parent()
        .expect("it lies in a folder")
        .join("examples")
        .join(name);
    assert!(
        example.exists(),
        "{name} is not built: cargo test builds it, cargo test --test does not"
    );
    example
}

fn output_of(name: &str) -> String {
    let mut child = Command::new(built(name))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the example starts");
    let deadline = Instant::now() + PATIENCE;
    // Their output is short: it fits into the pipe, so they do not wait for us to read.
    while child.try_wait().expect("it is our child").is_none() {
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("{name} hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().expect("it has ended");
    assert!(output.status.success(), "{name}: {}", output.status);
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn every_example_does_what_it_says() {
    for (name, lines) in EXAMPLES {
        let output = output_of(name);
        let mut rest = output.as_str();
        for line in lines {
            let at = rest
                .find(line)
                .unwrap_or_else(|| panic!("{name}: no {line:?} in\n{output}"));
            rest = &rest[at + line.len()..];
        }
    }
}

/// Only where a server is named: `DATABASE_URL=… cargo test --test examples`.
#[test]
fn naps_on_a_server_end_in_the_order_of_their_lengths() {
    if std::env::var_os("DATABASE_URL").is_some() {
        let output = output_of("postgres");
        let naps: Vec<_> = output.lines().filter(|line| line.contains("nap")).collect();
        let shortest_first = ["napped 0.1 s", "napped 0.2 s", "napped 0.3 s"];
        assert_eq!(naps, shortest_first, "{output}");
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let output = output_of("seeded_run");
    let traces: Vec<&str> = output
        .lines()
        .filter(|line| line.starts_with("seed "))
        .collect();
    assert_eq!(traces[..3], traces[3..6], "{output}");
    let (first, again) = traces[6].split_once(", and again ").expect("twice");
    assert!(first.ends_with(again), "{output}");
    let bare = |trace: &str| trace.split(": ").nth(1).map(str::to_owned);
    assert_ne!(bare(traces[0]), bare(traces[1]), "{output}");
}

#[test]
fn no_example_is_left_out_and_each_says_how_to_run_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a source file");
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        assert!(
            text.contains(&format!("--example {name}")),
            "{name} does not say how to run it"
        );
        assert!(
            text.contains("//! Watch "),
            "{name} does not say what to watch"
        );
        found.push(name);
    }
    found.sort();
    found.retain(|name| name != "console"); // by feature: it needs sixty crates, and a client
    assert_eq!(found, EXAMPLES.map(|(name, _)| name.to_owned()));
}
