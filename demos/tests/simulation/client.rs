//! A simulated client: asks, reads the answer to its end, and checks every byte of it.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;

use serde_json::Value;
use timers::SharedTimers;

use crate::chance::Chance;
use crate::wire::End;

/// How a client's visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visit {
    /// With the whole answer, and so many inputs in it.
    Answered(u64),
    /// With a refusal, of this status; 0: closed before the request was complete, since it took
    /// too long or the server drains.
    Refused(u16),
    /// It left before the answer was complete.
    Left,
    /// The connection broke.
    Broke,
}

/// What a client asks for, and how.
struct Plan {
    lines: Vec<String>,
    request: Vec<u8>,
    leaves: bool,
    breaks: bool,
    half_closes: bool,
}

fn plan(chance: &Chance) -> Plan {
    let lines: Vec<String> = (0..chance.below(12))
        .map(|_| match chance.below(6) {
            0 => "dance".to_owned(),
            1 => String::new(),
            2 if chance.once_in(4) => "x".repeat(300), // over the limit of a line
            _ => format!("sleep {}ms", chance.below(3_000)),
        })
        .collect();
    let end = if chance.once_in(2) { "\n" } else { "\r\n" };
    let mut body: String = lines.iter().flat_map(|line| [line.as_str(), end]).collect();
    let oversized = chance.once_in(30);
    if oversized {
        body.push_str(&"# filler\n".repeat(1000));
    }
    let mut request = b"POST /inputs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n".to_vec();
    if chance.once_in(2) {
        request.extend(format!("content-length: {}\r\n\r\n{body}", body.len()).into_bytes());
    } else {
        request.extend(b"transfer-encoding: chunked\r\n\r\n");
        let mut rest = body.as_bytes();
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(1 + chance.below(rest.len().min(40)));
            request.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
            request.extend(chunk);
            request.extend(b"\r\n");
            rest = after;
        }
        request.extend(b"0\r\n\r\n");
    }
    let [leaves, breaks] = [chance.once_in(8), chance.once_in(20)];
    Plan {
        lines,
        request,
        leaves,
        breaks,
        half_closes: chance.once_in(2),
    }
}

/// One visit.
pub(crate) async fn visit(
    end: End,
    chance: Chance,
    timers: SharedTimers,
    unanswered: impl Fn() -> bool,
) -> Visit {
    let plan = plan(&chance);
    if plan.leaves || plan.breaks {
        let patience = chance.millis(4_000);
        let whole = timers.timeout(patience, exchange(&end, &plan)).await;
        if plan.breaks && whole.is_err() {
            end.wire().break_down();
            return Visit::Broke;
        }
        return match whole {
            Ok(answer) => judge(&end, &plan, answer, unanswered()),
            Err(_elapsed) => Visit::Left,
        };
    }
    let answer = exchange(&end, &plan).await;
    judge(&end, &plan, answer, unanswered())
}

/// Sends and reads beside one another: a server may answer while it still reads.
async fn exchange(end: &End, plan: &Plan) -> io::Result<Vec<u8>> {
    let send = async {
        let mut rest = &plan.request[..];
        while !rest.is_empty() {
            match poll_fn(|cx| end.poll_send(cx, rest)).await {
                Ok(length) => rest = &rest[length..],
                Err(_) => return, // it has its reasons; the answer may say which
            }
        }
        if plan.half_closes {
            end.close();
        }
    };
    let receive = async {
        let mut answer = Vec::new();
        loop {
            let bytes = poll_fn(|cx| end.poll_receive(cx, 4096)).await?;
            if bytes.is_empty() {
                return io::Result::Ok(answer);
            }
            answer.extend(bytes);
        }
    };
    let (mut send, mut receive) = (std::pin::pin!(send), std::pin::pin!(receive));
    let mut sending = true;
    poll_fn(|cx| {
        sending = sending && send.as_mut().poll(cx).is_pending();
        receive.as_mut().poll(cx)
    })
    .await
}

fn judge(end: &End, plan: &Plan, answer: io::Result<Vec<u8>>, unanswered: bool) -> Visit {
    let answer = match answer {
        Ok(answer) => answer,
        Err(_) => {
            assert!(end.was_reset(), "an error without a reset");
            return Visit::Broke;
        }
    };
    let text = String::from_utf8(answer).expect("the answer is text");
    if text.is_empty() {
        assert!(unanswered, "closed without a word and without a reason");
        return Visit::Refused(0);
    }
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("half a head: {text}"));
    let status: u16 = head
        .split(' ')
        .nth(1)
        .and_then(|word| word.parse().ok())
        .expect("a status");
    if status != 200 {
        return Visit::Refused(status);
    }
    let records = records(&unchunked(body));
    if records.iter().any(|record| record["event"] == "error") {
        return Visit::Refused(200); // too large, found on the way
    }
    check(plan, &records);
    Visit::Answered(plan.lines.len() as u64)
}

/// Each input has its number in order, its line, and exactly one output with the same.
fn check(plan: &Plan, records: &[Value]) {
    let mut open = BTreeMap::new();
    let mut inputs = Vec::new();
    for record in records {
        let number = record["number"].as_u64();
        let line = record["line"].as_str().map(str::to_owned);
        match record["event"].as_str() {
            Some("input") => {
                assert!(
                    open.insert(number, line.clone()).is_none(),
                    "number {number:?} twice"
                );
                inputs.push((number, line));
            }
            Some("output") => {
                assert_eq!(
                    open.remove(&number),
                    Some(line),
                    "an output without its input"
                );
            }
            Some("step") => {}
            Some("end") => assert_eq!(record["inputs"], inputs.len()),
            other => panic!("{other:?}"),
        }
    }
    assert!(open.is_empty(), "inputs without an output: {open:?}");
    assert!(inputs.is_sorted_by_key(|(number, _)| *number));
    let drained = records
        .iter()
        .any(|record| record["step"] == "closing: SIGTERM");
    let mut sent = plan.lines.iter();
    for (_, line) in &inputs {
        let sent = sent.next().expect("no more inputs than lines");
        let line = line.as_deref().expect("an input has a line");
        let cut = line
            .strip_suffix('…')
            .is_some_and(|start| sent.starts_with(start));
        assert!(line == sent || cut, "{line} instead of {sent}");
    }
    // A server that drains takes no more lines, and says so.
    assert!(
        sent.next().is_none() || drained,
        "lines that were not taken in"
    );
    assert_eq!(records.last().expect("there is an end")["event"], "end");
}

fn records(body: &str) -> Vec<Value> {
    let lines = body.lines().filter(|line| !line.is_empty()); // heartbeats are empty lines
    lines
        .map(|line| serde_json::from_str(line).expect("one JSON object a line"))
        .collect()
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    loop {
        let (length, rest) = body.split_once("\r\n").expect("a chunk's length");
        let length = usize::from_str_radix(length, 16).expect("a number");
        if length == 0 {
            assert_eq!(rest, "\r\n", "bytes after the end");
            return whole;
        }
        whole.push_str(&rest[..length]);
        body = rest[length..].strip_prefix("\r\n").expect("a chunk's end");
    }
}
