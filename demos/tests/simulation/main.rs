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
//! SEEDS=100000 cargo test --release -p handrolled-demos --test simulation -- --nocapture
//! SEED=17 cargo test -p handrolled-demos --test simulation -- --nocapture   # one, with its story
//! ```

mod chance;
mod chat;
mod client;
mod wire;
mod world;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable)
        .ok()
        .map(|text| text.parse().expect("a number"))
}

#[test]
fn whatever_happens_on_the_wire() {
    if let Some(seed) = number("SEED") {
        let run = world::run(seed);
        println!("{}{run:?}", run.story);
        return;
    }
    let seeds = number("SEEDS").unwrap_or(200);
    let mut sum = world::Run::default();
    for seed in 1..=seeds {
        let outcome = std::panic::catch_unwind(|| world::run(seed));
        let run = outcome.unwrap_or_else(|_| panic!("seed {seed} failed: replay with SEED={seed}"));
        sum.add(&run);
    }
    println!("{seeds} seeds: {sum:?}");
    // A simulation in which nothing happens would pass as well.
    assert!(
        sum.polls > 100 * seeds && sum.faults > 10 * seeds,
        "{sum:?}"
    );
    assert!(
        sum.answered > seeds && sum.resets > 0 && sum.refused > 0,
        "{sum:?}"
    );
    assert!(sum.left > 0 && sum.undone > 0, "{sum:?}");
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
    if let Some(seed) = number("SEED") {
        let evening = chat::run(seed);
        println!("{}{evening:?}", evening.story);
        return;
    }
    let seeds = number("SEEDS").unwrap_or(200);
    let mut sum = chat::Evening::default();
    for seed in 1..=seeds {
        let outcome = std::panic::catch_unwind(|| chat::run(seed));
        let evening =
            outcome.unwrap_or_else(|_| panic!("seed {seed} failed: replay with SEED={seed}"));
        sum.add(&evening);
    }
    println!("{seeds} seeds: {sum:?}");
    assert!(
        sum.polls > 100 * seeds && sum.faults > 10 * seeds,
        "{sum:?}"
    );
    assert!(
        sum.stayed > seeds && sum.lines > seeds && sum.left > 0 && sum.resets > 0,
        "{sum:?}"
    );
    assert_eq!(chat::run(3).story, chat::run(3).story);
}
