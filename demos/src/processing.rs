//! What is done with an input: the four slow things, and what they come to.
//!
//! Each is a future, and none makes another wait: `sleep` is a timer, `get` is a socket of the
//! loop's own reactor, `read` and `query` are calls that block, so they go to the blocking pool.

pub mod database;
pub mod disk;
pub mod url;

use serde::Serialize;

/// What an input came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Answer {
    /// Slept as long as it was told to.
    Slept,
    /// The text of a file or page.
    Text {
        /// The HTTP status, of a page.
        #[serde(skip_serializing_if = "Option::is_none")]
        http_status: Option<u16>,
        /// Its length.
        bytes: usize,
        /// All of it.
        text: String,
    },
    /// The rows of a query.
    Rows(Rows),
    /// No more input is taken.
    Stopping {
        /// How many inputs are in flight.
        in_flight: usize,
    },
}

/// The rows of a query.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Rows {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with as many cells as there are columns.
    pub rows: Vec<Vec<Cell>>,
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// Text; bytes that are no text are written as SQL does: `x'00ff'`.
    Text(String),
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Integer(number) => number.fmt(f),
            Self::Real(number) => write!(f, "{number:?}"), // 1.0, not 1
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Why an input came to nothing: a sentence for the person who wrote the line.
///
/// It is text and not a tree of error types since nothing in the program decides by it; what can
/// be decided (tell a refused connection from an unknown host) is decided where it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(pub String);

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// Bytes that have to be text to be shown.
pub(crate) fn into_text(bytes: Vec<u8>, what: &str) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure(format!("{what} is not UTF-8 text (byte {at} is none)"))
    })
}
