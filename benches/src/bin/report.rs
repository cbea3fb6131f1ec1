//! Makes `RESULTS.md`, its charts and the tables that READMEs quote from the records that
//! `compare --json` wrote.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use benches::{instructions, quote, record, report};
use clap::Parser;

const HERE: &str = env!("CARGO_MANIFEST_DIR");
const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results.json");

/// Makes `RESULTS.md` and `charts/*.svg` from a results file and the instruction counts.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// What `compare --json FILE` wrote.
    #[arg(long, value_name = "FILE", default_value = RESULTS)]
    json: PathBuf,
    /// Where the page and its charts go.
    #[arg(long, value_name = "FOLDER", default_value = HERE)]
    out: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match make(&arguments.json, &arguments.out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("no report: {error}");
            ExitCode::from(2)
        }
    }
}

fn make(json: &Path, out: &Path) -> std::io::Result<()> {
    let records = record::read(json)?;
    let counts = instructions::read(&Path::new(HERE).join("instructions.json"))?;
    let charts = out.join("charts");
    std::fs::create_dir_all(&charts)?;
    for (file, picture) in report::pictures(&records) {
        std::fs::write(charts.join(file), picture)?;
    }
    std::fs::write(out.join("RESULTS.md"), report::page(&records, &counts))?;
    if out == Path::new(HERE) {
        readmes(&records)?;
    }
    Ok(())
}

/// Brings the tables up to date that the READMEs of the workspace quote.
fn readmes(records: &[record::Record]) -> std::io::Result<()> {
    let root = Path::new(HERE).join("..");
    for folder in ["", "executor", "reactor", "timers", "demos", "benches"] {
        let path = root.join(folder).join("README.md");
        let page = std::fs::read_to_string(&path)?;
        let fresh = quote::refresh(&page, records).map_err(std::io::Error::other)?;
        if fresh != page {
            std::fs::write(&path, fresh)?;
        }
    }
    Ok(())
}
