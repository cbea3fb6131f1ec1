//! A trace as JSON lines.

use demos::trace::json;
use demos::trace::reader::{MOST, Trace};
use serde_json::{Value, json};

use crate::sample;

#[test]
fn one_object_a_line_and_the_header_first() {
    let file = sample::file();
    let trace = Trace::read(&file, MOST).unwrap();
    let text = json::lines(&trace);
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    assert_eq!(
        lines[0],
        json!({
            "handrolled_trace": 1, "program": "event-loop run",
            "started": "2026-11-22T13:00:00Z", "title": "a <sample>",
            "workers": ["loop", "blocking-1"], "dropped": 0,
            "captions": [{"at": 4, "text": "I1 is taken in"}],
        })
    );
    let of_kind = |kind: &str| lines.iter().find(|line| line["e"] == kind).unwrap().clone();
    let all = [
        json!({"t": 2000, "e": "turn"}),
        json!({"t": 5000, "e": "spawn", "task": 2, "name": "I1", "at": "b.rs:2", "by": 1}),
        json!({"t": 3000, "e": "poll", "task": 1}),
        json!({"t": 9000, "e": "polled", "task": 1, "ready": false}),
        json!({"t": 17000, "e": "park", "ns": 995_000}),
        json!({"t": 120_000, "e": "unpark", "events": 1}),
        json!({"t": 1000, "e": "source", "source": 1, "fd": 5, "what": "pipe"}),
        json!({"t": 8000, "e": "wait", "source": 1, "dir": "read", "task": 1}),
        json!({"t": 12000, "e": "timer", "timer": 1, "due": 1_012_000, "level": 2, "slot": 17,
               "task": 2}),
        json!({"t": 1_021_000, "e": "move", "timer": 1, "level": 0, "slot": 3}),
        json!({"t": 1_022_000, "e": "fire", "timer": 1}),
        json!({"t": 15000, "e": "job", "job": 1, "at": "c.rs:3", "task": 3}),
        json!({"t": 40000, "w": 1, "e": "job-begin", "job": 1, "thread": "blocking-1"}),
        json!({"t": 110_000, "w": 1, "e": "job-end", "job": 1}),
        json!({"t": 122_000, "e": "wake", "task": 3, "by": {"thread": "blocking-1"}}),
        json!({"t": 125_000, "e": "end", "task": 3, "how": "output"}),
        json!({"t": 4000, "e": "input", "n": 1, "text": "sleep 1ms", "task": 2}),
        json!({"t": 129_000, "e": "output", "n": 2, "text": "1 line", "ok": true}),
        json!({"t": 1_034_000, "e": "gone", "source": 1}),
    ];
    for expected in all {
        let kind = expected["e"].as_str().unwrap();
        let found = if kind == "spawn" {
            lines
                .iter()
                .find(|line| line["name"] == "I1")
                .unwrap()
                .clone()
        } else {
            of_kind(kind)
        };
        assert_eq!(found, expected);
    }
    let causes: Vec<&Value> = lines
        .iter()
        .filter(|line| line["e"] == "wake")
        .map(|line| &line["by"])
        .collect();
    assert_eq!(
        causes,
        [
            &json!({"thread": "blocking-1"}),
            &json!({"task": 3}),
            &json!({"timer": 1}),
            &json!({"task": 2}),
            &json!({"self": true}),
        ]
    );
    assert_eq!(
        lines.len(),
        trace.entries.len(),
        "one for each but the note, and the header"
    );
}
