//! One line of the comparison: ours beside one peer on one workload, as it goes into the JSON file.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::machine::Facts;
use crate::stats::Ranks;

/// Ours beside one peer on one workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Which workload, as `group/name`.
    pub workload: String,
    /// Who ours is compared with.
    pub peer: String,
    /// What `ours` and `theirs` count, for example `ns/task`.
    pub unit: String,
    /// Median of our rounds.
    pub ours: f64,
    /// Median of the peer's rounds.
    pub theirs: f64,
    /// Median of the ratios of each round; above 1 ours is better.
    pub ratio: f64,
    /// Lower end of the ratio's 95% interval.
    pub low: f64,
    /// Upper end of the ratio's 95% interval.
    pub high: f64,
    /// How many rounds were run, each with ours and the peer in it.
    pub rounds: usize,
    /// The middle half of our rounds.
    pub ours_quartiles: (f64, f64),
    /// The middle half of the peer's rounds.
    pub theirs_quartiles: (f64, f64),
    /// How our operations differed: the values below which [`SHARES`](crate::stats::SHARES) of
    /// them lie, for workloads that are about that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours_ranks: Option<Ranks>,
    /// How the peer's operations differed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs_ranks: Option<Ranks>,
    /// The kernel's share of our server's processor time, where there is a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours_kernel: Option<f64>,
    /// The kernel's share of the peer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs_kernel: Option<f64>,
    /// The ratio this project wants to reach, where it states one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<f64>,
    /// Whether it was run with `--quick`: the same shapes, fewer and shorter rounds.
    pub quick: bool,
    /// How long the workload took with all its contenders and rounds, in seconds.
    #[serde(default)]
    pub took_s: f64,
    /// Where it was run.
    pub machine: Facts,
}

impl Record {
    /// Whether the median ratio reaches the goal; nothing when there is no goal.
    #[must_use]
    pub fn met(&self) -> Option<bool> {
        self.goal.map(|goal| self.ratio >= goal)
    }
}

/// Writes the records as one JSON array.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, records: &[Record]) -> std::io::Result<()> {
    let mut text = serde_json::to_string_pretty(records)?;
    text.push('\n');
    std::fs::write(path, text)
}

/// Reads what [`write()`] wrote.
///
/// # Errors
/// When the file cannot be read or is not such an array.
pub fn read(path: &Path) -> std::io::Result<Vec<Record>> {
    Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
}
