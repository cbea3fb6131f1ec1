//! Which rows of the results become lines: what costs do as something grows, and how the operations
//! of one workload differ.

use crate::chart::lines::{Frame, Line, draw};
use crate::record::Record;
use crate::report::round;
use crate::workload::OURS;

/// A picture of lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Its file's name, without the ending.
    pub file: &'static str,
    /// What is above it.
    pub title: &'static str,
    /// The picture.
    pub svg: String,
}

/// Rows whose names are `before`, a size, `after`.
struct Growth {
    file: &'static str,
    title: &'static str,
    before: &'static str,
    after: &'static str,
    across: &'static str,
}

const GROWTHS: [Growth; 8] = [
    Growth {
        file: "growth_tasks",
        title: "Spawn and join, by how many tasks there are at once",
        before: "growth/tasks_",
        after: "",
        across: "tasks",
    },
    Growth {
        file: "growth_deadlines",
        title: "Replacing a deadline, by how many are waiting",
        before: "timers/wheel_insert_cancel_",
        after: "",
        across: "deadlines waiting",
    },
    Growth {
        file: "growth_sleeps",
        title: "Making, polling and dropping a sleep, by how many others there are",
        before: "growth/sleeps_",
        after: "",
        across: "other sleeps",
    },
    Growth {
        file: "growth_connections",
        title: "Echo of 64 bytes, by how many connections there are",
        before: "reactor/echo_",
        after: "x64",
        across: "connections",
    },
    Growth {
        file: "workers_compute",
        title: "Tasks that compute 10 us each, by how many workers share them",
        before: "workers/compute_",
        after: "",
        across: "workers",
    },
    Growth {
        file: "workers_spawn_many",
        title: "Spawning from one worker, by how many workers there are",
        before: "workers/spawn_many_",
        after: "",
        across: "workers",
    },
    Growth {
        file: "workers_yield",
        title: "Yielding, by how many workers there are",
        before: "workers/yield_",
        after: "",
        across: "workers",
    },
    Growth {
        file: "workers_remote_spawn",
        title: "Spawning from one foreign thread, by how many workers there are",
        before: "workers/remote_spawn_",
        after: "",
        across: "workers",
    },
];

/// Workloads whose distributions are drawn.
const DISTRIBUTIONS: [(&str, &str, &str); 5] = [
    (
        "spread_lateness",
        "How late sleeps end on an idle loop",
        "timers/lateness",
    ),
    (
        "spread_echo_64",
        "How long an echo takes, 64 connections at once",
        "reactor/latency_64",
    ),
    (
        "spread_echo_1024",
        "How long an echo takes, 1,024 connections at once",
        "reactor/latency_1024",
    ),
    (
        "spread_http_64",
        "How long a request takes, 64 connections at once",
        "loop/http_64_p99",
    ),
    (
        "spread_http_1024",
        "How long a request takes, 1,024 connections at once",
        "loop/http_1024_p99",
    ),
];

/// What [`SHARES`](crate::stats::SHARES) are called below a picture.
const MARKS: [&str; crate::stats::SHARES.len()] = [
    "1%", "10%", "25%", "half", "75%", "90%", "99%", "99.9%", "all",
];

/// Every picture that `records` have the rows for.
#[must_use]
pub fn all(records: &[Record]) -> Vec<Curve> {
    let growths = GROWTHS.iter().filter_map(|kind| growth(kind, records));
    let spreads = DISTRIBUTIONS
        .iter()
        .filter_map(|(file, title, workload)| distribution(file, title, workload, records));
    growths.chain(spreads).collect()
}

fn growth(kind: &Growth, records: &[Record]) -> Option<Curve> {
    let sized = |record: &Record| {
        let size = record.workload.strip_prefix(kind.before)?;
        parse(size.strip_suffix(kind.after)?)
    };
    let mut sizes: Vec<u64> = records.iter().filter_map(sized).collect();
    sizes.sort_unstable();
    sizes.dedup();
    if sizes.len() < 2 {
        return None;
    }
    let mut lines = Vec::new();
    for record in records.iter().filter(|record| sized(record).is_some()) {
        let mark = sizes.binary_search(&sized(record)?).ok()?;
        let ours = (mark, record.ours, record.ours_quartiles);
        add(&mut lines, OURS, ours);
        let theirs = (mark, record.theirs, record.theirs_quartiles);
        add(&mut lines, &record.peer, theirs);
    }
    for line in &mut lines {
        line.points.sort_by_key(|(mark, ..)| *mark);
    }
    let unit = &records.iter().find(|record| sized(record).is_some())?.unit;
    let about = format!("{unit}, medians and the middle half of all rounds; lower is better");
    let marks: Vec<String> = sizes.iter().map(|&size| round(size as f64)).collect();
    let frame = Frame {
        title: kind.title,
        about: &about,
        across: kind.across,
        marks: &marks,
    };
    let (file, title) = (kind.file, kind.title);
    let svg = draw(frame, &lines);
    Some(Curve { file, title, svg })
}

/// Adds a point to the line of that name; ours comes once with each of its peers.
fn add(lines: &mut Vec<Line>, name: &str, point: (usize, f64, (f64, f64))) {
    let place = lines.iter().position(|line| line.name == name);
    let place = place.unwrap_or_else(|| {
        let name = name.to_owned();
        lines.push(Line {
            name,
            points: Vec::new(),
        });
        lines.len() - 1
    });
    let points = &mut lines[place].points;
    if points.iter().all(|(mark, ..)| *mark != point.0) {
        points.push(point);
    }
}

fn distribution(
    file: &'static str,
    title: &'static str,
    workload: &str,
    records: &[Record],
) -> Option<Curve> {
    let mut lines = Vec::new();
    let rows = || records.iter().filter(|record| record.workload == workload);
    for record in rows() {
        let both = [
            (OURS, record.ours_ranks),
            (&*record.peer, record.theirs_ranks),
        ];
        for (name, ranks) in both {
            for (mark, value) in ranks?.into_iter().enumerate() {
                add(&mut lines, name, (mark, value, (value, value)));
            }
        }
    }
    let unit = &rows().next()?.unit;
    let about = format!("{unit}, medians over the rounds; lower is better");
    let frame = Frame {
        title,
        about: &about,
        across: "share of all that stays below",
        marks: &MARKS.map(str::to_owned),
    };
    let svg = draw(frame, &lines);
    Some(Curve { file, title, svg })
}

/// Sizes as names have them: `64`, `10k`, `1m`.
fn parse(size: &str) -> Option<u64> {
    let (digits, factor) = match size.strip_suffix('k') {
        Some(digits) => (digits, 1_000),
        None => match size.strip_suffix('m') {
            Some(digits) => (digits, 1_000_000),
            None => (size, 1),
        },
    };
    Some(digits.parse::<u64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_off_names() {
        assert_eq!(
            ["64", "10k", "1m"].map(parse),
            [Some(64), Some(10_000), Some(1_000_000)]
        );
        assert_eq!(["1024x16k", "lent", ""].map(parse), [None; 3]);
    }

    #[test]
    fn ours_has_one_point_a_size_however_many_peers() {
        let mut lines = Vec::new();
        for _ in 0..3 {
            add(&mut lines, OURS, (0, 1.0, (1.0, 1.0)));
        }
        add(&mut lines, OURS, (1, 1.0, (1.0, 1.0)));
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].points.len(), 2);
    }

    #[test]
    fn every_curve_has_its_workloads() {
        let names: Vec<_> = crate::workloads::ALL.iter().map(|w| w.name).collect();
        for kind in &GROWTHS {
            let of = |name: &&&str| {
                let size = name
                    .strip_prefix(kind.before)
                    .and_then(|s| s.strip_suffix(kind.after));
                size.and_then(parse).is_some()
            };
            assert!(names.iter().filter(of).count() >= 4, "{}", kind.before);
        }
        for (_, _, workload) in DISTRIBUTIONS {
            assert!(names.contains(&workload), "{workload}");
        }
    }
}
