//! What a shutdown found.

use std::fmt;
use std::panic::Location;

/// What [`BlockingPool::shutdown`](crate::BlockingPool::shutdown) left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockingReport {
    /// Jobs that had not begun and now never will; their awaiters are told that they are cancelled.
    pub cancelled: usize,
    /// Jobs that were still running at the deadline: where each was submitted.
    pub running: Vec<&'static Location<'static>>,
}

impl BlockingReport {
    /// Whether nothing was running any more.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.running.is_empty()
    }
}

impl fmt::Display for BlockingReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cancelled, {} still running",
            self.cancelled,
            self.running.len()
        )?;
        for location in &self.running {
            write!(f, "\n  a job submitted at {location}")?;
        }
        Ok(())
    }
}
