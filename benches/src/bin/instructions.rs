//! Counts instructions under callgrind and compares them with the committed baseline.

use std::path::PathBuf;
use std::process::ExitCode;

use benches::instructions::{self, BESIDE, COUNTED};
use benches::workload::OURS;
use clap::Parser;

/// Prints instructions for one operation of ours and of the peers, counted by valgrind.
///
/// Exits with 0 when ours has not grown, with 1 when it has, with 2 when nothing can be counted.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The baseline.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json"))]
    baseline: PathBuf,
    /// Make the present counts the baseline, the peers' with them.
    #[arg(long)]
    write: bool,
    /// Count ours alone, which is all that is compared.
    #[arg(long, conflicts_with = "write")]
    ours: bool,
}

fn main() -> ExitCode {
    benches::child::main();
    let arguments = Arguments::parse();
    let peers = if arguments.ours { &[][..] } else { &BESIDE[..] };
    let mut counts = Vec::new();
    for workload in COUNTED {
        print!("{workload:<32}");
        for peer in [OURS].iter().chain(peers) {
            match instructions::count(workload, peer) {
                Ok(Some(count)) => {
                    print!("  {peer} {}", count.instructions);
                    counts.push(count);
                }
                Ok(None) => {}
                Err(invalid) => {
                    eprintln!("\n{invalid}");
                    return ExitCode::from(2);
                }
            }
        }
        println!();
    }
    if arguments.write {
        return match instructions::write(&arguments.baseline, &counts) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&arguments.baseline, &error),
        };
    }
    let baseline = match instructions::read(&arguments.baseline) {
        Ok(baseline) => baseline,
        Err(error) => return complain(&arguments.baseline, &error),
    };
    let complaints = instructions::complaints(&baseline, &counts);
    for complaint in &complaints {
        eprintln!("{complaint}; if that is the price of something, run with --write and commit it");
    }
    if complaints.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn complain(path: &std::path::Path, error: &std::io::Error) -> ExitCode {
    eprintln!("{}: {error}", path.display());
    ExitCode::from(2)
}
