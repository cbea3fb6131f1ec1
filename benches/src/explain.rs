//! The parts of the page that give reasons: for goals that were missed, and for ratios that look like
//! a mistake.

use std::fmt::Write;

use crate::instructions::Count;
use crate::record::Record;
use crate::workload::{OURS, is_limit};
use crate::workloads::{reason, surprise};

/// Goals that were not reached, and what was counted or measured about each.
pub(crate) fn missed(page: &mut String, records: &[Record], counts: &[Count]) {
    let below = |record: &&Record| record.met() == Some(false);
    if records.iter().any(|record| below(&record)) {
        page.push_str(
            "\n## Goals that were missed, and why\n\nInstructions are those of the table at the \
             end; the kernel's share of a server's processor time was sampled in this run.\n\n\
             | workload | peer | ratio | goal | why |\n|---|---|---:|---:|---|\n",
        );
    }
    for row in records.iter().filter(below) {
        let goal = row.goal.unwrap_or_default();
        let within = "the goal lies within the interval".to_owned();
        let why: Vec<String> = [
            (row.high >= goal).then_some(within),
            reason(&row.workload, &row.peer).map(str::to_owned),
            counted(row, counts),
            sampled(row),
        ]
        .into_iter()
        .flatten()
        .collect();
        let _ = writeln!(
            page,
            "| {} | {} | {:.2} | {goal:.2} | {} |",
            row.workload,
            row.peer,
            row.ratio,
            if why.is_empty() {
                "not known".into()
            } else {
                why.join("; ")
            },
        );
    }
}

/// Ratios that look like a mistake, and what makes them.
pub(crate) fn surprises(page: &mut String, records: &[Record]) {
    const LARGE: f64 = 50.0;
    let large: Vec<_> = records.iter().filter(|r| r.ratio > LARGE).collect();
    if large.is_empty() {
        return;
    }
    let _ = write!(
        page,
        "\n## Ratios above {LARGE}, and what makes them\n\n\
         | workload | peer | ratio | what was found |\n|---|---|---:|---|\n",
    );
    for row in large {
        let found = surprise(&row.workload, &row.peer).unwrap_or("not looked into");
        let (name, peer) = (&row.workload, &row.peer);
        let _ = writeln!(page, "| {name} | {peer} | {:.0} | {found} |", row.ratio);
    }
}

/// The instructions of both, where they were counted.
fn counted(row: &Record, counts: &[Count]) -> Option<String> {
    let of = |peer: &str| {
        let mut all = counts.iter();
        let found = all.find(|count| count.workload == row.workload && count.peer == peer);
        found.map(|count| count.instructions)
    };
    let (ours, theirs) = (of(OURS)?, of(&row.peer)?);
    let ratio = theirs / ours;
    Some(format!(
        "instructions {ours:.0} against {theirs:.0}: {ratio:.2}"
    ))
}

/// The kernel's share of both servers, and what that leaves to win.
fn sampled(row: &Record) -> Option<String> {
    let (ours, theirs) = (row.ours_kernel?, row.theirs_kernel?);
    let share = format!(
        "the kernel is {:.0}% of ours and {:.0}% of theirs",
        ours * 100.0,
        theirs * 100.0
    );
    let bound = 1.0 / theirs;
    Some(match is_limit(&row.peer) {
        true => share,
        false => {
            format!("{share}: with no code at all beside the same calls it would be {bound:.2}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::missed as row;

    #[test]
    fn a_missed_goal_comes_with_what_was_counted_and_sampled() {
        let count = |peer: &str, instructions| Count {
            workload: "local/yield".into(),
            peer: peer.into(),
            instructions,
        };
        let mut page = String::new();
        let counts = [count("ours", 100.0), count("tokio", 400.0)];
        missed(&mut page, &[row("tokio")], &counts);
        assert!(
            page.contains("instructions 100 against 400: 4.00"),
            "{page}"
        );
        assert!(page.contains("50% of ours and 80% of theirs"), "{page}");
        assert!(page.contains("it would be 1.25"), "{page}");
    }
}
