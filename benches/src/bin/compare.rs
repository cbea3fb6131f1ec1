//! Ours beside the peers, interleaved round by round:
//! `compare [WORKLOAD…] [--quick] [--json FILE]`.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use benches::contest::{Effort, Rounds};
use benches::machine::{self, Facts};
use benches::record::{self, Record};
use benches::report::short;
use benches::workload::{OURS, Scale, Workload};
use benches::{stats, workloads};
use clap::Parser;
use clap::builder::RangedU64ValueParser;
use indicatif::{ProgressBar, ProgressStyle};

// Counts nothing unless a workload about memory asks it to.
#[global_allocator]
static ALLOCATOR: benches::heap::Counting = benches::heap::Counting;

/// Runs every workload on every runtime, in turns, and compares ours with each peer.
///
/// Exits with 0 when every result is valid, however slow; with 1 when one is not (a task or a byte
/// was lost); with 2 when the arguments make no sense.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Workloads by name, or groups such as `local` or `timers/wheel`; all when there is none.
    workloads: Vec<String>,
    /// The same shapes with fewer and shorter rounds: all of them within ten minutes.
    #[arg(long)]
    quick: bool,
    /// Write the records there, as one JSON array.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Only these peers beside ours; may be repeated.
    #[arg(long, value_name = "PEER")]
    peer: Vec<String>,
    /// Rounds, instead of 21 or with --quick 9.
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    rounds: Option<usize>,
    /// Names the workloads and what they do, and stops.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    benches::child::main();
    let arguments = Arguments::parse();
    let chosen = match workloads::choose(&arguments.workloads) {
        Ok(chosen) => chosen,
        Err(name) => {
            eprintln!("no workload is called {name:?}; --list names them all");
            return ExitCode::from(2);
        }
    };
    if arguments.list {
        say(&list(&chosen), &arguments);
        return ExitCode::SUCCESS;
    }
    let chosen: Vec<_> = chosen
        .into_iter()
        .filter(|w| w.least_cores <= machine::all_cores().len())
        .collect();
    let mut effort = if arguments.quick {
        Effort::QUICK
    } else {
        Effort::FULL
    };
    if let Some(rounds) = arguments.rounds {
        effort.rounds = rounds;
    }
    if let Err(complaint) = all_take_part(&arguments.peer, &chosen) {
        eprintln!("{complaint}");
        return ExitCode::from(2);
    }
    let facts = Facts::gather();
    let mut heading = format!(
        "{facts}\n\
         behind a figure  the middle half of its rounds\n\
         behind a ratio   where the true one is, with 95% probability (from 6 rounds on)\n\n"
    );
    if cfg!(debug_assertions) {
        heading += "a debug build: figures mean nothing; use --release\n\n";
    }
    say(&heading, &arguments);
    let failures = run(&chosen, effort, &arguments, &facts);
    for failure in &failures {
        eprintln!("invalid: {failure}");
    }
    if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Whether each of these peers is in one of the workloads; else says who is.
fn all_take_part(wanted: &[String], chosen: &[&Workload]) -> Result<(), String> {
    let contenders = chosen.iter().flat_map(|w| w.contenders(Scale::Smoke));
    let known: BTreeSet<&str> = contenders.map(|contender| contender.peer).collect();
    match wanted.iter().find(|peer| !known.contains(peer.as_str())) {
        None => Ok(()),
        Some(stranger) => {
            let known = Vec::from_iter(known).join(", ");
            Err(format!(
                "no peer of these workloads is called {stranger:?}; there are {known}"
            ))
        }
    }
}

fn list(chosen: &[&Workload]) -> String {
    let line = |w: &&Workload| format!("{:<34} {:<12} {}\n", w.name, w.unit, w.about);
    chosen.iter().map(line).collect()
}

/// Prints `text`. When nobody reads any more, only records can be of use.
fn say(text: &str, arguments: &Arguments) {
    let mut out = io::stdout().lock();
    let said = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match said {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("cannot print: {error}");
            std::process::exit(2);
        }
        Err(_) if arguments.json.is_none() => std::process::exit(0),
        _ => (),
    }
}

fn run(chosen: &[&Workload], effort: Effort, arguments: &Arguments, facts: &Facts) -> Vec<String> {
    let wanted = |peer: &str| {
        peer == OURS || arguments.peer.is_empty() || arguments.peer.iter().any(|p| p == peer)
    };
    let turns = |workload: &Workload| workload.turns(effort, &wanted) as u64;
    let bar = ProgressBar::new(chosen.iter().map(|w| turns(w)).sum());
    let style = "{wide_bar} {pos}/{len} turns, {elapsed} gone, about {eta} left · {msg}";
    bar.set_style(ProgressStyle::with_template(style).expect("a good template"));
    let mut records = Vec::new();
    let mut failures = Vec::new();
    for workload in chosen {
        bar.set_message(workload.name);
        let after = bar.position() + turns(workload);
        match workload.run(effort, &wanted, &mut || bar.inc(1)) {
            Ok(rounds) => {
                let new = rounds.records(workload, arguments.quick, facts);
                let text = describe(workload, &rounds, &new);
                bar.suspend(|| say(&text, arguments));
                records.extend(new);
                save(arguments, &records); // now, so that an interrupted run keeps what it has
            }
            Err(invalid) => failures.push(invalid.0),
        }
        bar.set_position(after); // also when an invalid result cut it short
    }
    bar.finish_and_clear();
    failures
}

/// Writes what there is so far; whoever asked for the file must hear if it cannot be.
fn save(arguments: &Arguments, records: &[Record]) {
    let Some(path) = &arguments.json else { return };
    if let Err(error) = record::write(path, records) {
        eprintln!("cannot write {}: {error}", path.display());
        std::process::exit(2);
    }
}

fn describe(workload: &Workload, rounds: &Rounds, records: &[Record]) -> String {
    let took_s = rounds.took.as_secs_f64();
    let mut text = format!(
        "{} · {} · {} · took {took_s:.1} s\n",
        workload.name, workload.about, workload.unit
    );
    for (peer, figures) in rounds.peers.iter().zip(&rounds.figures) {
        let (low, high) = (
            stats::quantile(figures, 0.25),
            stats::quantile(figures, 0.75),
        );
        text += &format!(
            "  {peer:<14} {:>12} [{} – {}]",
            short(stats::median(figures)),
            short(low),
            short(high)
        );
        if let Some(record) = records.iter().find(|record| record.peer == *peer) {
            text += &format!(
                "   ours is {:.2}x [{:.2} – {:.2}]",
                record.ratio, record.low, record.high
            );
            if let (Some(goal), Some(met)) = (record.goal, record.met()) {
                let verdict = if met { "met" } else { "missed" };
                text += &format!("   goal {goal:.2}x: {verdict}");
            }
        }
        text.push('\n');
    }
    text.push('\n');
    text
}
