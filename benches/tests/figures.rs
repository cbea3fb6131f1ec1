//! Figures in READMEs: quoted from the results by `report`, or said where they come from.

use std::fs;
use std::path::{Path, PathBuf};

use benches::{quote, record};

const READMES: [&str; 6] = [
    "README.md",
    "executor/README.md",
    "reactor/README.md",
    "timers/README.md",
    "demos/README.md",
    "benches/README.md",
];

/// Words of a section that says how its figures were taken.
const SOURCES: [&str; 7] = [
    "trial",
    "prototype",
    "counted",
    "measured",
    "callgrind",
    "strace",
    "perf stat",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn what_readmes_quote_is_what_the_results_say() {
    let records = record::read(&root().join("benches/results.json")).unwrap();
    for name in READMES {
        let page = fs::read_to_string(root().join(name)).unwrap();
        let fresh =
            quote::refresh(&page, &records).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            page == fresh,
            "{name} quotes old figures: run `cargo run --release -p handrolled-benches --bin report`"
        );
    }
}

/// Whether `line` has a number that is followed by a unit which only a measurement can give.
fn has_figure(line: &str) -> bool {
    const UNITS: [&str; 3] = ["ns", "us", "µs"];
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |word: &str| {
        let digits = word
            .trim_start_matches(['(', '~', '*'])
            .trim_end_matches(['*', ',']);
        !digits.is_empty()
            && digits
                .chars()
                .all(|c| c.is_ascii_digit() || c == '.' || c == ',')
    };
    words.windows(2).any(|pair| {
        let unit = pair[1].trim_end_matches(|c: char| !c.is_alphanumeric());
        number(pair[0]) && UNITS.contains(&unit)
    })
}

#[test]
fn other_figures_stand_where_it_is_said_how_they_were_taken() {
    let mut wrong = Vec::new();
    for name in READMES {
        let page = quote::without_quotes(&fs::read_to_string(root().join(name)).unwrap());
        for section in page.split("\n#") {
            let lower = section.to_lowercase();
            if SOURCES.iter().any(|word| lower.contains(word)) {
                continue;
            }
            let lines = section.lines().filter(|line| has_figure(line));
            wrong.extend(lines.map(|line| format!("{name}: {line}")));
        }
    }
    assert!(
        wrong.is_empty(),
        "figures from nowhere:\n  {}",
        wrong.join("\n  ")
    );
}

#[test]
fn figures_are_told_from_other_numbers() {
    assert!(has_figure("a yield takes 10.8 ns, "));
    assert!(has_figure("about (35 us) late"));
    assert!(!has_figure("sleeps of 1 to 200 ms, 2 cores, 64 levels"));
    assert!(!has_figure("the ns of it"));
}
