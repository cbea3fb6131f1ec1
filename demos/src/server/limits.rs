//! What is too much, and the answer that says so.

use std::time::Duration;

use hyper::StatusCode;

/// The limits of a server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at most; one more is told 503 and closed.
    pub connections: usize,
    /// Inputs in flight in all; a request beyond is told 503.
    pub in_flight: usize,
    /// Inputs in flight of one client; a request beyond is told 429.
    pub in_flight_of_client: usize,
    /// Inputs in flight of one request. No error: its body is read no further until an output
    /// has gone out.
    pub in_flight_of_request: usize,
    /// Bytes of a body; more is told 413.
    pub body: u64,
    /// Bytes of a line; more is that line's error.
    pub line: usize,
    /// The time a client may take for the head of a request, from the end of the one before or
    /// from connecting; then it is told 408 and closed. Also how long a body may stand still.
    pub silence: Duration,
    /// How often a client that waits for outputs is sent something, to see whether it is there.
    pub heartbeat: Duration,
    /// How long what is in flight is waited for when the server drains.
    pub grace: Duration,
    /// How many outputs are kept to be asked for by number.
    pub kept_outputs: usize,
}

/// A request that is turned away: what with, and in which words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// The words.
    pub message: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }
}

impl Limits {
    /// Whether a new request for processing is let in.
    ///
    /// # Errors
    /// The refusal.
    pub fn admit(&self, all: usize, of_client: usize, body: Option<u64>) -> Result<(), Refusal> {
        if body.is_some_and(|bytes| bytes > self.body) {
            let limit = self.body;
            let message = format!("the body has more than the limit of {limit} bytes");
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message));
        }
        if of_client >= self.in_flight_of_client {
            let message = format!("you have {of_client} inputs in flight; wait for some outputs");
            return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, message));
        }
        if all >= self.in_flight {
            let message = format!("there are {all} inputs in flight, which is all I take");
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, message));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_has_its_status() {
        let limits = Limits {
            connections: 1,
            in_flight: 10,
            in_flight_of_client: 5,
            in_flight_of_request: 5,
            body: 100,
            line: 100,
            silence: Duration::from_secs(1),
            heartbeat: Duration::from_secs(1),
            grace: Duration::from_secs(1),
            kept_outputs: 1,
        };
        let status = |all, of_client, body| match limits.admit(all, of_client, body) {
            Ok(()) => 200,
            Err(refusal) => refusal.status.as_u16(),
        };
        assert_eq!(status(9, 4, Some(100)), 200);
        assert_eq!(status(9, 4, None), 200);
        assert_eq!(status(9, 4, Some(101)), 413);
        assert_eq!(status(9, 5, None), 429);
        assert_eq!(status(10, 0, None), 503);
    }
}
