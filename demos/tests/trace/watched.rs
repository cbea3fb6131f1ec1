//! The page, served live by the loop that it shows.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use demos::trace::html;
use demos::trace::reader::{MOST, Trace};
use serde_json::Value;

use crate::recorded::event_loop;
use crate::sample;

/// A run that is watched. Killed when dropped.
struct Watched {
    child: Child,
    input: Option<ChildStdin>,
    address: String,
}

impl Watched {
    fn start(options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_event-loop"));
        command.args(options).args(["--watch", "127.0.0.1:0"]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stderr.take().unwrap())
            .read_line(&mut said)
            .unwrap();
        let address = said.trim().strip_prefix("event-loop: watch it at http://");
        let address = address
            .unwrap_or_else(|| panic!("{said}"))
            .trim_end_matches('/')
            .to_owned();
        let input = child.stdin.take();
        Self {
            child,
            input,
            address,
        }
    }

    fn ask(&self, request: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        BufReader::new(stream)
    }

    fn answer(&self, request: &str) -> String {
        let mut text = String::new();
        self.ask(request).read_to_string(&mut text).unwrap();
        text
    }

    fn events(&self, more: &str) -> Events {
        let host = &self.address;
        let request = format!("GET /events HTTP/1.1\r\nHost: {host}\r\n{more}\r\n");
        let mut stream = self.ask(&request);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line).unwrap();
        }
        Events { stream }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Events {
    stream: BufReader<TcpStream>,
}

impl Events {
    /// The next message, with its number if it has one. Chunk sizes and comments are passed over.
    fn next(&mut self) -> (Option<u64>, Value) {
        let mut id = None;
        loop {
            let mut line = String::new();
            assert_ne!(
                self.stream.read_line(&mut line).unwrap(),
                0,
                "the stream has ended"
            );
            assert!(
                !line.starts_with(':'),
                "nothing came for so long that it was kept alive"
            );
            if let Some(number) = line.strip_prefix("id: ") {
                id = Some(number.trim().parse().unwrap());
            } else if let Some(data) = line.strip_prefix("data: ") {
                return (id, serde_json::from_str(data).unwrap());
            }
        }
    }

    /// All up to the first that is wanted.
    fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Vec<(Option<u64>, Value)> {
        let mut seen = Vec::new();
        let patience = Instant::now() + Duration::from_secs(30);
        loop {
            let next = self.next();
            let found = wanted(&next.1);
            seen.push(next);
            if found {
                return seen;
            }
            assert!(Instant::now() < patience, "it does not come: {seen:?}");
        }
    }
}

fn is_output(number: u64) -> impl Fn(&Value) -> bool {
    move |event| event["e"] == "output" && event["n"] == number
}

#[test]
fn events_come_as_they_happen_and_the_watcher_is_not_among_them() {
    for threads in ["1", "2"] {
        let mut run = Watched::start(&["run", "--threads", threads]);
        let mut events = run.events("");
        let (id, header) = events.next();
        assert_eq!(
            (id, &header["handrolled_trace"]),
            (None, &Value::from(1)),
            "{header}"
        );
        let mut input = run.input.take().unwrap();
        input.write_all(b"sleep 1ms\n").unwrap();
        let mut seen = events.until(is_output(1));
        input.write_all(b"sleep 2ms\n").unwrap();
        seen.extend(events.until(is_output(2)));
        seen.retain(|(id, _)| id.is_some()); // a header that names more threads
        let ids: Vec<u64> = seen.iter().filter_map(|(id, _)| *id).collect();
        assert_eq!(
            ids,
            (0..ids.len() as u64).collect::<Vec<_>>(),
            "none is missing"
        );
        assert!(
            seen.iter().all(|(_, event)| event["name"] != "watch"),
            "{seen:?}"
        );
        let listens = |event: &Value| {
            event["what"]
                .as_str()
                .is_some_and(|what| what.contains("tcp"))
        };
        assert!(!seen.iter().any(|(_, event)| listens(event)), "{seen:?}");
        // After a break the rest comes, and not all again.
        let middle = ids.len() as u64 / 2;
        let mut again = run.events(&format!("Last-Event-ID: {middle}\r\n"));
        assert!(again.next().1["handrolled_trace"] == 1);
        let next = again.until(|event| event["e"].is_string()).pop();
        assert_eq!(next.unwrap().0, Some(middle + 1));
    }
}

/// The loop waits until something comes, or until the watcher's own next sign of life.
fn is_long_wait(event: &Value) -> bool {
    event["e"] == "park" && event["ns"].as_u64().is_none_or(|time| time > 1_000_000_000)
}

#[test]
fn to_watch_an_idle_loop_does_not_make_it_busy() {
    let mut run = Watched::start(&["run"]);
    let mut input = run.input.take().unwrap();
    input.write_all(b"sleep 1ms\n").unwrap();
    let mut events = run.events("");
    events.until(is_output(1));
    events.until(is_long_wait);
    // Somebody else comes to watch, reads all, and goes: that is seen by nobody.
    let mut other = run.events("");
    other.until(is_long_wait);
    drop(other);
    input.write_all(b"sleep 3ms\n").unwrap();
    let until = events.until(|event| event["e"] == "input");
    let parks = until
        .iter()
        .filter(|(_, event)| event["e"] == "park")
        .count();
    assert!(parks <= 2, "the loop slept until the line came: {until:?}");
}

#[test]
fn the_page_is_served_and_strangers_are_not() {
    let run = Watched::start(&["run"]);
    let host = run.address.clone();
    let page = run.answer(&format!(
        "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    ));
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{}", &page[..60]);
    assert!(page.contains("/*TRACE*/"), "it asks for the events itself");
    let status = |request: &str| run.answer(request).split(' ').nth(1).unwrap().to_owned();
    let close = "Connection: close\r\n\r\n";
    let rebound = format!("GET /events HTTP/1.1\r\nHost: rebound.example\r\n{close}");
    assert_eq!(status(&rebound), "421");
    let foreign =
        format!("GET / HTTP/1.1\r\nHost: {host}\r\nOrigin: http://evil.example\r\n{close}");
    assert_eq!(status(&foreign), "403");
    assert_eq!(
        status(&format!("POST / HTTP/1.1\r\nHost: {host}\r\n{close}")),
        "405"
    );
    assert_eq!(
        status(&format!("GET /else HTTP/1.1\r\nHost: {host}\r\n{close}")),
        "404"
    );
}

#[test]
fn others_are_let_in_only_when_that_is_said() {
    let output = event_loop(&["run", "--watch", "0.0.0.0:0"], "");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("if that is meant, say --watch-remote"),
        "{said}"
    );
}

#[test]
fn a_page_of_its_own_has_the_recording_in_it_and_no_tag_of_the_recordings() {
    let file = sample::file();
    let trace = Trace::read(&file, MOST).unwrap();
    let page = html::page(std::slice::from_ref(&trace));
    assert!(!page.contains("/*TRACE*/"));
    assert!(
        page.contains(r#""text":"read \u003cscript>""#),
        "the line is in it, harmless"
    );
    assert_eq!(
        page.matches("<script").count(),
        html::PAGE.matches("<script").count()
    );
    let gallery = html::page(&[trace.clone(), trace]);
    assert_eq!(
        gallery.matches("application/x-ndjson").count(),
        page.matches("application/x-ndjson").count() + 1
    );
}
