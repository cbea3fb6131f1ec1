//! What is done with an input: the four slow things, and what they come to.
//!
//! Each is a future, and none makes another wait: `sleep` is a timer, `get` is a socket of the
//! loop's own reactor, `read` and `query` are calls that block, so they go to the blocking pool.

pub mod database;
pub mod disk;
pub mod http;
pub mod reach;
pub mod url;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use executor::JoinError;
use serde::Serialize;

use crate::host::HostHandle;
use crate::program::input::Request;
use crate::program::quantity::human_duration;
use database::Database;
use reach::Reach;

/// What requests are processed with.
#[derive(Debug)]
pub struct Processing {
    /// The loop it happens on.
    pub handle: HostHandle,
    /// What `query` asks.
    pub database: Arc<Database>,
    /// The most a file, a page or the rows of a query may have, in bytes.
    pub max_content: usize,
    /// How long a `get` or `query` may take.
    pub timeout: Duration,
    /// What may be read and fetched.
    pub reach: Reach,
}

impl Processing {
    /// Does what is asked. Dropped before it is done, it gives up: a `get` closes its connection,
    /// a `query` that runs is called off, a `read` ends unheard.
    ///
    /// # Errors
    /// A sentence for whoever asked.
    pub async fn process(&self, request: Request) -> Result<Answer, Failure> {
        let Self {
            handle,
            max_content,
            ..
        } = self;
        let limit = *max_content;
        match request {
            Request::Sleep(duration) => {
                handle.timers.sleep(duration).await;
                Ok(Answer::Slept)
            }
            Request::Read(path) => {
                let reach = self.reach.clone();
                let read = handle.blocking(move || disk::read(&path, &reach, limit));
                read.await.unwrap_or_else(|error| Err(unfinished(&error)))
            }
            Request::Query(sql) => self.within_timeout(self.query(sql)).await,
            // Boxed: a connection's state is a hundred times a sleep's, and each task would have
            // room for it.
            Request::Get(url) => {
                Box::pin(self.within_timeout(http::get(handle, &url, &self.reach, limit))).await
            }
        }
    }

    async fn within_timeout(
        &self,
        processing: impl Future<Output = Result<Answer, Failure>>,
    ) -> Result<Answer, Failure> {
        let outcome = self.handle.timers.timeout(self.timeout, processing).await;
        outcome.unwrap_or_else(|_elapsed| {
            let limit = human_duration(self.timeout);
            Err(Failure(format!("gave up after {limit} (--timeout)")))
        })
    }

    async fn query(&self, sql: String) -> Result<Answer, Failure> {
        let unwanted = Arc::new(AtomicBool::new(false));
        let _when_dropped = SetWhenDropped(Arc::clone(&unwanted));
        let (database, limit) = (Arc::clone(&self.database), self.max_content);
        let query = self
            .handle
            .blocking(move || database.query(&sql, limit, &unwanted));
        query.await.unwrap_or_else(|error| Err(unfinished(&error)))
    }
}

/// Tells a thread of the pool that nobody waits for it any more.
struct SetWhenDropped(Arc<AtomicBool>);

impl Drop for SetWhenDropped {
    fn drop(&mut self) {
        // Relaxed: the flag carries nothing but itself.
        self.0.store(true, Ordering::Relaxed);
    }
}

fn unfinished(error: &JoinError) -> Failure {
    Failure(format!("its processing ended early: {error}"))
}

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
        Failure(format!("{what} is not UTF-8 text (from byte {at} on)"))
    })
}
