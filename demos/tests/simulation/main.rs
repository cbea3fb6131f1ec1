//! The server and the chat in a world made of chance: simulated connections, virtual time, one seed.
//!
//! The code of `event-loop serve` runs as it is, from hyper's bytes to the session; what is
//! simulated is all around it. The order of ready tasks is drawn, time is virtual, and between
//! client and server lies a wire that delays, cuts a stream into pieces of any size, says 'not
//! now' for no reason, wakes for no reason, closes or resets in the middle. Nothing else is
//! random, so a seed is a run: a failure prints its seed, and the seed replays it.
//!
//! What counts as failure, in every run: idle with tasks unfinished; too many turns; an input
//! whose client stayed and that did not get exactly one output; one byte of an answer lost or
//! out of order (each answer is read to its end and parsed); books that do not balance; a
//! connection or input that stays behind when all clients have gone.
//!
//! ```text
//! cargo test -p handrolled-demos --test simulation                   # some hundred seeds
//! SEEDS=20000 cargo test --release -p handrolled-demos --test simulation -- --nocapture
//! SEED=17 cargo test -p handrolled-demos --test simulation -- --nocapture   # one, with its story
//! ```

mod chance;
mod chat;
mod client;
mod wire;
mod world;

use chance::{Fault, Faults};

/// Without `SEEDS`, so many runs of each world; they are more than `STEPS`.
const SEEDS: u64 = 300;
/// A step is one poll of a task. Each world has to take so many, whatever the seeds.
const STEPS: u64 = 1_000_000;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable)
        .ok()
        .map(|text| text.parse().expect("a number"))
}

/// Runs every seed, or the one that is asked for; a failure says which it was.
fn every_seed(mut run: impl FnMut(u64)) {
    let seeds = match number("SEED") {
        Some(seed) => seed..=seed,
        None => 1..=number("SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        let run = std::panic::AssertUnwindSafe(|| run(seed));
        if std::panic::catch_unwind(run).is_err() {
            panic!("seed {seed} failed: replay with SEED={seed}");
        }
    }
}

/// A simulation in which nothing happens would pass as well.
fn much_happened(steps: u64, faults: Faults, without: &[Fault]) {
    assert!(steps >= STEPS, "only {steps} steps");
    for fault in Fault::ALL {
        let happened = faults.of(fault) > 0;
        assert_eq!(happened, !without.contains(&fault), "{fault:?}: {faults:?}");
    }
}

#[test]
fn whatever_happens_on_the_wire() {
    let (mut seeds, mut sum) = (0, world::Run::default());
    every_seed(|seed| {
        let run = world::run(seed);
        seeds += 1;
        sum.add(&run);
        if number("SEED").is_some() {
            println!("{}{run:?}", run.story);
        }
    });
    println!("the server, {seeds} seeds: {sum:?}");
    if seeds >= SEEDS {
        much_happened(sum.polls, sum.faults, &[]);
        assert!(sum.answered > seeds && sum.refused > 0, "{sum:?}");
        assert!(sum.left > 0 && sum.undone > 0, "{sum:?}");
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in [1, 2, 3] {
        let (first, second) = (world::run(seed), world::run(seed));
        assert_eq!(first.story, second.story);
        assert_eq!(first.polls, second.polls);
    }
    assert_ne!(world::run(1).story, world::run(2).story);
}

#[test]
fn a_chat_loses_no_line() {
    let (mut seeds, mut sum) = (0, chat::Evening::default());
    every_seed(|seed| {
        let evening = chat::run(seed);
        seeds += 1;
        sum.add(&evening);
        if number("SEED").is_some() {
            println!("{}{evening:?}", evening.story);
        }
    });
    println!("the chat, {seeds} seeds: {sum:?}");
    if seeds >= SEEDS {
        // Its guests are in the room from the start.
        much_happened(sum.polls, sum.faults, &[Fault::NoDescriptor]);
        assert!(sum.stayed > seeds && sum.lines > seeds, "{sum:?}");
        assert!(sum.left > 0 && sum.resets > 0, "{sum:?}");
    }
    assert_eq!(chat::run(3).story, chat::run(3).story);
}
