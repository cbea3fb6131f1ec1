//! Results as other pages quote them: tables between two marks, written by `report` and by nobody
//! else, so that no figure outlives the run it came from.
//!
//! ```text
//! <!-- results: local/yield, timers/ -->
//! … a table of these rows …
//! <!-- end of results -->
//! ```

use std::fmt::Write;

use crate::record::Record;
use crate::report::short;
use crate::workload;
use crate::workload::Workload;
use crate::workloads;

const BEGIN: &str = "\n<!-- results: "; // at the beginning of a line
const END: &str = "<!-- end of results -->";

/// `page` with every table between marks made anew from `records`.
///
/// # Errors
/// When a mark has no end, or names a workload that is not among the records.
pub fn refresh(page: &str, records: &[Record]) -> Result<String, String> {
    let mut fresh = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (names, after) = after
            .split_once(" -->")
            .ok_or_else(|| format!("{BEGIN:?} without its end"))?;
        let (_, after) = after
            .split_once(END)
            .ok_or_else(|| format!("the results of {names} have no end"))?;
        let table = table(names, records)?;
        let _ = write!(fresh, "{before}{BEGIN}{names} -->\n{table}{END}");
        rest = after;
    }
    fresh.push_str(rest);
    Ok(fresh)
}

/// `page` without what stands between marks: what its author wrote.
#[must_use]
pub fn without_quotes(page: &str) -> String {
    let mut own = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        own.push_str(before);
        rest = after.split_once(END).map_or("", |(_, after)| after);
    }
    own.push_str(rest);
    own
}

/// Ours beside tokio and beside the best of the other peers. The limits of the machine are in the
/// report alone.
fn table(names: &str, records: &[Record]) -> Result<String, String> {
    let mut chosen: Vec<&Workload> = Vec::new();
    for name in names.split(", ") {
        let group = workloads::choose(&[name.to_owned()]);
        chosen.extend(group.map_err(|name| format!("no workload {name}"))?);
    }
    let mut table = String::from(
        "| workload | unit | ours | tokio | times better | the best other |\n\
         |---|---|---:|---:|---:|---|\n",
    );
    for workload in chosen {
        let rows: Vec<&Record> = records
            .iter()
            .filter(|record| record.workload == workload.name)
            .collect();
        let Some(first) = rows.first() else {
            continue; // left out of a quick run
        };
        let tokio = rows.iter().find(|record| record.peer == "tokio");
        let is_other = |peer: &str| peer != "tokio" && !workload::is_limit(peer);
        let others = rows.iter().filter(|record| is_other(&record.peer));
        let best = others.min_by(|a, b| a.ratio.total_cmp(&b.ratio));
        let _ = writeln!(
            table,
            "| `{}` {} | {} | {} | {} | {} | {} |",
            workload.name,
            workload.about,
            first.unit,
            short(first.ours),
            tokio.map_or_else(|| "–".into(), |record| short(record.theirs)),
            tokio.map_or_else(|| "–".into(), |record| ratio(record)),
            best.map_or_else(
                || "–".into(),
                |record| format!(
                    "{} {}: {}",
                    record.peer,
                    short(record.theirs),
                    ratio(record)
                )
            ),
        );
    }
    Ok(table)
}

/// The ratio, bold where the peer wins.
fn ratio(record: &Record) -> String {
    match record.ratio {
        ratio if record.high < 1.0 => format!("**{ratio:.2}**"),
        ratio => format!("{ratio:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_its_words_and_loses_stale_figures() {
        let page =
            "before\n<!-- results: local/yield -->\n| stale 3 ns |\n<!-- end of results -->\nafter";
        let fresh = refresh(page, &[]).unwrap();
        assert!(fresh.starts_with("before\n<!-- results: local/yield -->\n| workload"));
        assert!(fresh.ends_with("<!-- end of results -->\nafter") && !fresh.contains("stale"));
        assert_eq!(refresh(&fresh, &[]).as_ref(), Ok(&fresh));
        assert_eq!(without_quotes(&fresh), "before\nafter");
    }

    #[test]
    fn what_cannot_be_made_is_an_error() {
        assert!(refresh("\n<!-- results: local/yield -->", &[]).is_err());
        assert!(refresh("\n<!-- results: no/such -->\n<!-- end of results -->", &[]).is_err());
    }
}
