//! What the program tells, as values: inputs taken, outputs ready, steps, and the end.
//!
//! One rule holds for all of them: **an input that was taken in has exactly one output**, be it
//! an answer, a failure, or the word that it was left undone.

use std::fmt;
use std::time::Duration;

use super::quantity::counted;
use crate::processing::{Answer, Failure};

/// What an input came to in the end.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It was processed.
    Done(Answer),
    /// It was no input, or its processing failed.
    Failed(Failure),
    /// It was still in flight when time was up; why it was not waited for.
    Undone(String),
}

/// In a few words.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(Answer::Slept) => f.write_str("slept"),
            Self::Done(Answer::Text { bytes, .. }) => f.write_str(&counted(*bytes, "byte")),
            Self::Done(Answer::Rows(rows)) => f.write_str(&counted(rows.rows.len(), "row")),
            Self::Done(Answer::Stopping { .. }) => f.write_str("no more input is taken"),
            Self::Failed(failure) => write!(f, "error: {failure}"),
            Self::Undone(why) => write!(f, "left undone: {why}"),
        }
    }
}

impl From<Result<Answer, Failure>> for Outcome {
    fn from(result: Result<Answer, Failure>) -> Self {
        match result {
            Ok(answer) => Self::Done(answer),
            Err(failure) => Self::Failed(failure),
        }
    }
}

/// The output of input `number`.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The number its input was given, from 1.
    pub number: u64,
    /// The input as it was written.
    pub line: String,
    /// From being taken in to being ready, by the loop's clock.
    pub after: Duration,
    /// What it came to.
    pub outcome: Outcome,
}

/// A step of the loop, told with `--trace`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The loop looks whether a line has come.
    CheckingForInput,
    /// A line has come and its processing has begun.
    Available(u64),
    /// The loop looks whether an output is ready.
    CheckingForOutput,
    /// An output is ready and goes out.
    Ready(u64),
    /// No more input will be taken: why. After a signal this is told without `--trace` as well.
    Closing(&'static str),
}

/// How many inputs came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Taken in.
    pub inputs: u64,
    /// Processed.
    pub done: u64,
    /// Bad lines, and processing that failed.
    pub failed: u64,
    /// Left undone.
    pub undone: u64,
}

impl Tally {
    /// Counts one output.
    pub fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Done(_) => self.done += 1,
            Outcome::Failed(_) => self.failed += 1,
            Outcome::Undone(_) => self.undone += 1,
        }
    }

    /// The exit status that says it: 3 if something was left undone, else 1 if something failed.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self { undone: 1.., .. } => 3,
            Self { failed: 1.., .. } => 1,
            _ => 0,
        }
    }
}

/// One thing to tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Record<'a> {
    /// A line was taken in and given its number.
    Input(u64, &'a str),
    /// An output is ready.
    Output(&'a Output),
    /// A step of the loop.
    Step(Step),
    /// Nothing more will come.
    End(&'a Tally),
}

/// Turns records into the bytes that go out. One that tells nothing gives an empty string.
pub trait Render {
    /// The record as text, with its line end or ends.
    fn render(&mut self, record: Record<'_>) -> String;
}

impl<R: Render + ?Sized> Render for Box<R> {
    fn render(&mut self, record: Record<'_>) -> String {
        (**self).render(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_status_tells_the_worst() {
        let status = |done, failed, undone| {
            Tally {
                inputs: 9,
                done,
                failed,
                undone,
            }
            .exit_status()
        };
        assert_eq!(status(9, 0, 0), 0);
        assert_eq!(status(8, 1, 0), 1);
        assert_eq!(status(8, 0, 1), 3);
        assert_eq!(status(7, 1, 1), 3);
    }
}
