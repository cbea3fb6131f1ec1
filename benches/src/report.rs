//! The results as a page for people: every row of the records, in tables by group, and charts.

use std::fmt::Write;

use crate::instructions::Count;
use crate::record::Record;
use crate::workload::is_limit;
use crate::{chart, curves, explain};

/// Groups in the order of the page, and what each is about.
const GROUPS: [(&str, &str); 10] = [
    ("local", "Executor, one thread"),
    ("multi", "Executor, two workers"),
    ("workers", "Executor, by how many workers there are"),
    ("sync", "Tasks that share channels and locks"),
    ("blocking", "Blocking pool"),
    ("heap", "Memory"),
    ("timers", "Timers"),
    ("reactor", "Reactor"),
    ("loop", "The whole loop"),
    ("growth", "Growth"),
];

/// The groups that `records` have something in, each with its title.
#[must_use]
pub fn groups(records: &[Record]) -> Vec<(&'static str, &'static str, Vec<&Record>)> {
    let belongs = |record: &Record, group: &str| {
        record
            .workload
            .split_once('/')
            .is_some_and(|(own, _)| own == group)
    };
    let mut groups = Vec::new();
    for (group, title) in GROUPS {
        let rows: Vec<_> = records
            .iter()
            .filter(|record| belongs(record, group))
            .collect();
        if !rows.is_empty() {
            groups.push((group, title, rows));
        }
    }
    groups
}

/// The page, in Markdown.
#[must_use]
pub fn page(records: &[Record], counts: &[Count]) -> String {
    let mut page = String::from(
        "# Results\n\nMade by `cargo run --release -p handrolled-benches --bin report`; \
         not written by hand.\n\n",
    );
    if let Some(record) = records.first() {
        let _ = writeln!(page, "```text\n{}\n```\n", record.machine);
        if record.quick {
            page.push_str("Run with `--quick`: fewer and shorter rounds than a full run.\n\n");
        }
    }
    page.push_str(
        "A ratio above 1 means that ours is better. It is the median over rounds that ours and the \
         peer shared, with an interval that holds the true median with 95% probability. **Bold**: \
         the peer wins, the whole interval being below 1. *Italic*: not a peer but a limit, or ours \
         with another setting. The goal is what this project wants to \
         reach against that peer; most were set before there was any code, on another machine. How \
         it is measured, and what the figures do not show, is in the [README](README.md).\n",
    );
    summary(&mut page, records);
    for (group, title, rows) in groups(records) {
        let _ = write!(page, "\n## {title}\n\n![{title}](charts/{group}.svg)\n\n");
        page.push_str("| workload | unit | ours | peer | theirs | ratio | goal |\n");
        page.push_str("|---|---|---:|---|---:|---:|---|\n");
        for row in rows {
            table_row(&mut page, row);
        }
    }
    explain::missed(&mut page, records, counts);
    explain::surprises(&mut page, records);
    curve_section(&mut page, records);
    instruction_table(&mut page, counts);
    page
}

/// Every picture of the page: its file below `charts/`, and what is in it.
#[must_use]
pub fn pictures(records: &[Record]) -> Vec<(String, String)> {
    let bars = groups(records)
        .into_iter()
        .map(|(group, title, rows)| (format!("{group}.svg"), chart::ratios(title, &rows)));
    let curves = curves::all(records)
        .into_iter()
        .map(|curve| (format!("{}.svg", curve.file), curve.svg));
    bars.chain(curves).collect()
}

fn curve_section(page: &mut String, records: &[Record]) {
    let curves = curves::all(records);
    if !curves.is_empty() {
        page.push_str("\n## What grows, and how much it differs\n");
    }
    for curve in curves {
        let _ = write!(page, "\n![{}](charts/{}.svg)\n", curve.title, curve.file);
    }
}

fn summary(page: &mut String, records: &[Record]) {
    let with_goal = records.iter().filter(|record| record.goal.is_some());
    let met = records.iter().filter(|record| record.met() == Some(true));
    let (limits, peers): (Vec<_>, Vec<_>) =
        records.iter().partition(|record| is_limit(&record.peer));
    let lost = peers.iter().filter(|record| record.high < 1.0).count();
    let won = peers.iter().filter(|record| record.low > 1.0).count();
    let _ = writeln!(
        page,
        "\n{} comparisons with other runtimes and structures: ours wins {won}, a peer wins {lost}, \
         the rest are within noise. {} more are with limits: how near is it to what the machine \
         can do at all? {} of {} goals are met.",
        peers.len(),
        limits.len(),
        met.count(),
        with_goal.count(),
    );
    let mut rows: Vec<&Record> = records.iter().collect();
    rows.dedup_by_key(|record| &record.workload); // they stand together
    let all_s: f64 = rows.iter().map(|record| record.took_s).sum();
    let longest = rows.iter().max_by(|a, b| a.took_s.total_cmp(&b.took_s));
    if let Some(longest) = longest.filter(|_| all_s > 0.0) {
        let _ = writeln!(
            page,
            "\nThe run took {:.1} minutes for {} workloads, the longest of them, `{}`, {:.0} s.",
            all_s / 60.0,
            rows.len(),
            longest.workload,
            longest.took_s,
        );
    }
}

fn table_row(page: &mut String, row: &Record) {
    let name = row.workload.split_once('/').map_or("", |(_, name)| name);
    let ratio = format!("{:.2} [{:.2} – {:.2}]", row.ratio, row.low, row.high);
    let ratio = if row.high < 1.0 {
        format!("**{ratio}**")
    } else {
        ratio
    };
    let goal = match (row.goal, row.met()) {
        (Some(goal), Some(true)) => format!("{goal:.2} met"),
        (Some(goal), _) => format!("{goal:.2} missed"),
        (None, _) => String::new(),
    };
    let peer = match is_limit(&row.peer) {
        true => format!("*{}*", row.peer),
        false => row.peer.clone(),
    };
    let _ = writeln!(
        page,
        "| {name} | {} | {} | {peer} | {} | {ratio} | {goal} |",
        row.unit,
        short(row.ours),
        short(row.theirs),
    );
}

fn instruction_table(page: &mut String, counts: &[Count]) {
    if counts.is_empty() {
        return;
    }
    page.push_str(
        "\n## Instructions of user code for one operation\n\nCounted by callgrind; the gate that \
         keeps ours from growing by more than 3% unnoticed.\n\n| workload | whose | instructions \
         |\n|---|---|---:|\n",
    );
    for count in counts {
        let _ = writeln!(
            page,
            "| {} | {} | {} |",
            count.workload, count.peer, count.instructions
        );
    }
}

/// A figure of few digits, as scales have it.
#[must_use]
pub fn round(value: f64) -> String {
    match value {
        v if v >= 100.0 => short(v),
        v => format!("{v}"),
    }
}

/// Three figures that matter, without an exponent.
#[must_use]
pub fn short(value: f64) -> String {
    match value {
        v if v >= 100.0 => {
            let digits = format!("{v:.0}");
            let mut grouped = String::new();
            for (place, digit) in digits.chars().enumerate() {
                if place > 0 && (digits.len() - place).is_multiple_of(3) {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            grouped
        }
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn missed(peer: &str) -> Record {
        Record {
            workload: "local/yield".into(),
            peer: peer.into(),
            unit: "ns/yield".into(),
            ours: 10.0,
            theirs: 20.0,
            ratio: 2.0,
            low: 1.9,
            high: 2.1,
            rounds: 9,
            ours_quartiles: (10.0, 10.0),
            theirs_quartiles: (20.0, 20.0),
            ours_ranks: None,
            theirs_ranks: None,
            ours_kernel: Some(0.5),
            theirs_kernel: Some(0.8),
            goal: Some(3.0),
            quick: true,
            took_s: 1.5,
            machine: crate::machine::Facts::gather(),
        }
    }

    #[test]
    fn every_workload_has_its_place_on_the_page() {
        for workload in crate::workloads::ALL {
            let (own, _) = workload.name.split_once('/').expect("a group");
            assert!(GROUPS.iter().any(|(group, _)| *group == own), "{own}");
        }
    }

    #[test]
    fn limits_are_counted_by_themselves() {
        let mut page = String::new();
        summary(&mut page, &[missed("tokio"), missed("calls")]);
        assert!(page.contains("\n1 comparisons with other"), "{page}");
        assert!(page.contains("1 more are with limits"), "{page}");
        assert!(page.contains("for 1 workloads"), "{page}");
    }

    #[test]
    fn figures_are_short() {
        assert_eq!(short(1.234), "1.23");
        assert_eq!(short(12.34), "12.3");
        assert_eq!(short(123.4), "123");
        assert_eq!(short(12_345.6), "12,346");
        assert_eq!(short(1_234_567.0), "1,234,567");
    }
}
