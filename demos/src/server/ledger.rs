//! What was taken in, what came of it, and the last outputs to be asked for by number.
//!
//! It is kept by the renderers of the sessions, who see every record: a session itself does not
//! know that there is a server.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::Client;
use crate::program::json::Json;
use crate::program::output::{Outcome, Record, Render};

/// The books of a server.
#[derive(Debug)]
pub struct Ledger {
    kept_max: usize,
    books: Mutex<Books>,
}

/// Kept outputs have at most so many bytes in all: a thousand pages of a megabyte would be more
/// than a server should remember.
const KEPT_BYTES: usize = 16 << 20;

#[derive(Debug, Default)]
struct Books {
    kept: VecDeque<(u64, String)>,
    kept_bytes: usize,
    of_client: HashMap<Client, usize>,
    counts: Counts,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    requests: u64,
    refused: u64,
    inputs: u64,
    done: u64,
    failed: u64,
    undone: u64,
    in_flight: usize,
}

impl Ledger {
    /// Empty books, that keep so many outputs.
    #[must_use]
    pub fn new(kept_max: usize) -> Self {
        Self {
            kept_max,
            books: Mutex::default(),
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock()
    }

    /// The output of input `number` as JSON, if it is one of the last.
    #[must_use]
    pub fn output(&self, number: u64) -> Option<String> {
        let books = self.books();
        let mut newest_first = books.kept.iter().rev();
        newest_first
            .find(|(kept, _)| *kept == number)
            .map(|(_, json)| json.clone())
    }

    /// Inputs in flight: of all clients, and of this one.
    #[must_use]
    pub fn in_flight(&self, client: Client) -> (usize, usize) {
        let books = self.books();
        let of_client = books.of_client.get(&client).copied().unwrap_or_default();
        (books.counts.in_flight, of_client)
    }

    /// Inputs in flight, of all clients.
    #[must_use]
    pub fn in_flight_of_all(&self) -> usize {
        self.books().counts.in_flight
    }

    /// Inputs left undone so far.
    #[must_use]
    pub fn undone(&self) -> u64 {
        self.books().counts.undone
    }

    /// Inputs left undone so far, and those that would be if all ended now.
    #[must_use]
    pub fn undone_now(&self) -> u64 {
        let counts = self.books().counts;
        counts.undone + counts.in_flight as u64
    }

    /// Whether every input has become exactly one output, or is in flight.
    #[must_use]
    pub fn balances(&self) -> bool {
        let books = self.books();
        let counts = books.counts;
        let landed = counts.done + counts.failed + counts.undone;
        let of_clients: usize = books.of_client.values().sum();
        counts.inputs == landed + counts.in_flight as u64 && of_clients == counts.in_flight
    }

    /// Counts a request, and whether it was turned away.
    pub fn request(&self, refused: bool) {
        let mut books = self.books();
        books.counts.requests += 1;
        books.counts.refused += u64::from(refused);
    }

    /// The counters, in the text format of Prometheus.
    #[must_use]
    pub fn metrics(&self, connections: usize) -> String {
        let counts = self.books().counts;
        let mut text = String::new();
        for (name, kind, help, value) in [
            (
                "connections",
                "gauge",
                "Connections that are open",
                connections as u64,
            ),
            ("requests_total", "counter", "Requests", counts.requests),
            (
                "requests_refused_total",
                "counter",
                "Requests turned away",
                counts.refused,
            ),
            ("inputs_total", "counter", "Inputs taken in", counts.inputs),
            (
                "inputs_in_flight",
                "gauge",
                "Inputs without an output yet",
                counts.in_flight as u64,
            ),
            (
                "outputs_done_total",
                "counter",
                "Inputs processed",
                counts.done,
            ),
            (
                "outputs_failed_total",
                "counter",
                "Bad inputs, and failures",
                counts.failed,
            ),
            (
                "outputs_undone_total",
                "counter",
                "Inputs left undone",
                counts.undone,
            ),
        ] {
            let name = format!("event_loop_{name}");
            let _ = writeln!(
                text,
                "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"
            );
        }
        text
    }
}

impl Books {
    fn taken(&mut self, client: Client) {
        self.counts.inputs += 1;
        self.counts.in_flight += 1;
        *self.of_client.entry(client).or_default() += 1;
    }

    /// So many of the client's inputs are in flight no longer.
    fn landed(&mut self, client: Client, inputs: usize) {
        self.counts.in_flight -= inputs;
        if let Some(count) = self.of_client.get_mut(&client) {
            *count -= inputs;
            if *count == 0 {
                self.of_client.remove(&client); // a client that is gone takes no memory
            }
        }
    }

    /// Keeps an output, and lets go of the oldest as far as there are too many, or too long ones.
    fn keep(&mut self, number: u64, json: &str, kept_max: usize) {
        self.kept.push_back((number, json.to_owned()));
        self.kept_bytes += json.len();
        while self.kept.len() > kept_max || self.kept_bytes > KEPT_BYTES {
            let Some((_, oldest)) = self.kept.pop_front() else {
                return;
            };
            self.kept_bytes -= oldest.len();
        }
    }
}

/// How a session's records go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Lines,
    /// Server-sent events, each with the JSON object as its data.
    Events,
}

impl Format {
    /// A line of JSON, with its end, as it goes out.
    #[must_use]
    pub fn line(self, json: &str) -> String {
        match self {
            Self::Lines => json.to_owned(),
            // JSON has no line ends inside, so one `data:` line holds it.
            Self::Events => format!("data: {json}\n"),
        }
    }
}

/// Renders a session's records for one client, and keeps the books.
#[derive(Debug)]
pub struct Bookkeeper {
    ledger: Arc<Ledger>,
    client: Client,
    format: Format,
    in_flight: usize,
}

impl Bookkeeper {
    /// For a session of `client`.
    #[must_use]
    pub fn new(ledger: Arc<Ledger>, client: Client, format: Format) -> Self {
        Self {
            ledger,
            client,
            format,
            in_flight: 0,
        }
    }
}

impl Render for Bookkeeper {
    fn render(&mut self, record: Record<'_>) -> String {
        let json = Json.render(record);
        match record {
            Record::Input(..) => {
                self.in_flight += 1;
                self.ledger.books().taken(self.client);
            }
            Record::Output(output) => {
                self.in_flight -= 1;
                let mut books = self.ledger.books();
                books.landed(self.client, 1);
                match output.outcome {
                    Outcome::Done(_) => books.counts.done += 1,
                    Outcome::Failed(_) => books.counts.failed += 1,
                    Outcome::Undone(_) => books.counts.undone += 1,
                }
                books.keep(output.number, &json, self.ledger.kept_max);
            }
            Record::Step(_) | Record::End(_) => {}
        }
        self.format.line(&json)
    }
}

impl Drop for Bookkeeper {
    fn drop(&mut self) {
        // The client went away: what it had in flight is called off.
        let undone = self.in_flight;
        let mut books = self.ledger.books();
        books.landed(self.client, undone);
        books.counts.undone += undone as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processing::Answer;
    use crate::program::output::Output;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    fn output(number: u64) -> Output {
        let outcome = Outcome::Done(Answer::Slept);
        Output {
            number,
            line: "sleep 1ms".to_owned(),
            after: Duration::ZERO,
            outcome,
        }
    }

    #[test]
    fn the_books_balance_also_when_a_client_goes_away() {
        let ledger = Arc::new(Ledger::new(2));
        let client = Client::from(Ipv4Addr::LOCALHOST);
        let mut keeper = Bookkeeper::new(Arc::clone(&ledger), client, Format::Events);
        for number in 1..=5 {
            let text = keeper.render(Record::Input(number, "sleep 1ms"));
            assert!(text.starts_with("data: {\"event\":\"input\"") && text.ends_with("}\n\n"));
        }
        for number in 1..=3 {
            keeper.render(Record::Output(&output(number)));
        }
        assert_eq!(ledger.in_flight(client), (2, 2));
        assert!(ledger.output(1).is_none(), "only the last two are kept");
        assert!(
            ledger
                .output(3)
                .is_some_and(|json| json.contains("\"number\":3"))
        );
        drop(keeper);
        let page = "x".repeat(KEPT_BYTES / 2);
        for number in [10, 11] {
            ledger.books().keep(number, &page, 5);
        }
        assert_eq!(
            ledger.books().kept.len(),
            2,
            "no room for output 3 beside two large ones"
        );
        ledger.books().keep(12, &page.repeat(3), 5);
        let books = ledger.books();
        assert_eq!(
            (books.kept.len(), books.kept_bytes),
            (0, 0),
            "more than all there is room for"
        );
        drop(books);
        assert_eq!(ledger.in_flight(client), (0, 0));
        assert!(ledger.books().of_client.is_empty());
        let metrics = ledger.metrics(7);
        assert!(
            metrics.contains("\nevent_loop_outputs_undone_total 2\n"),
            "{metrics}"
        );
        assert!(
            metrics.contains("\nevent_loop_connections 7\n"),
            "{metrics}"
        );
    }
}
