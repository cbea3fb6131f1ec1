//! Clients that other people wrote: curl, and Python's http.client.

use std::process::{Command, Output};

use super::server::Server;

fn output(command: &mut Command) -> Option<Output> {
    match command.output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => panic!("{error}"),
    }
}

fn curl(server: &Server, arguments: &[&str], path: &str) -> Option<String> {
    let url = format!("http://{}{path}", server.address);
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "30"]);
    let output = output(command.args(arguments).arg(url))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "curl {arguments:?}: {errors}");
    Some(String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn curl_in_both_versions_of_http() {
    let server = Server::start(&[]);
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        let lines = "sleep 200ms\nsleep 10ms\n";
        let post = [version, "--no-buffer", "--data-binary", lines];
        let Some(answer) = curl(&server, &post, "/inputs") else {
            eprintln!("skipped: there is no curl here");
            return;
        };
        let place = |words: &str| {
            answer
                .find(words)
                .unwrap_or_else(|| panic!("{words}: {answer}"))
        };
        let slept = r#""kind":"slept""#;
        assert_eq!(answer.matches(slept).count(), 2, "{answer}");
        let outputs = answer
            .split(r#""event":"output""#)
            .nth(1)
            .expect("an output");
        assert!(
            outputs.contains("sleep 10ms"),
            "the quick one is first: {answer}"
        );
        assert!(place(r#""event":"input""#) < place(slept), "{answer}");

        // A body beyond a megabyte: curl asks first whether it may come (100 Continue).
        let big = format!("# {}\n", "x".repeat(60_000)).repeat(30) + "sleep 1ms\n";
        let file = std::env::temp_dir().join(format!("event-loop-body-{}", std::process::id()));
        std::fs::write(&file, big).expect("a file");
        let from_file = format!("@{}", file.display());
        let post = [
            version,
            "--header",
            "expect: 100-continue",
            "--data-binary",
            &from_file,
        ];
        let answer = curl(&server, &post, "/inputs").expect("it was there before");
        assert!(answer.contains(r#""inputs":1,"done":1"#), "{answer}");
        let _ = std::fs::remove_file(&file);

        let events = [
            version,
            "--header",
            "accept: text/event-stream",
            "--data",
            "sleep 1ms",
        ];
        let answer = curl(&server, &events, "/inputs").expect("it was there before");
        assert!(
            answer.lines().any(|line| line.starts_with("data: {")),
            "{answer}"
        );
        let status = [
            version,
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
        ];
        assert_eq!(curl(&server, &status, "/nowhere").as_deref(), Some("404"));
    }
}

/// One connection for all, a body in chunks, an answer that is read while it comes.
const SCRIPT: &str = r#"
import http.client, json, sys
host, port = sys.argv[1].rsplit(":", 1)
c = http.client.HTTPConnection(host, int(port), timeout=30)
c.request("GET", "/healthz"); r = c.getresponse(); assert (r.status, r.read()) == (200, b"ok\n")
socket = c.sock
lines = [f"sleep {10 * (50 - n)}ms\n".encode() for n in range(50)] + [b"slep\n"]
c.request("POST", "/inputs", body=iter(lines), encode_chunked=True,
          headers={"Transfer-Encoding": "chunked", "Content-Type": "text/plain"})
r = c.getresponse()
records = [json.loads(line) for line in r if line.strip()]
assert r.status == 200 and r.headers["content-type"] == "application/x-ndjson"
inputs = [x["number"] for x in records if x["event"] == "input"]
outputs = [x for x in records if x["event"] == "output"]
assert inputs == list(range(1, 52)), inputs
assert sorted(x["number"] for x in outputs) == inputs
slept = [x["number"] for x in outputs if x["status"] == "ok"]
assert len(slept) == 50 and slept.index(50) < slept.index(1), slept # 10 ms and half a second
assert [x["number"] for x in outputs if x["status"] == "error"] == [51]
assert records[-1] == {"event": "end", "inputs": 51, "done": 50, "failed": 1, "undone": 0}
c.request("GET", "/outputs/51"); r = c.getresponse(); kept = json.loads(r.read())
assert kept["line"] == "slep" and "sleep" in kept["error"], kept
c.request("GET", "/metrics"); r = c.getresponse(); text = r.read().decode()
assert "event_loop_inputs_total 51" in text and "event_loop_connections 1\n" in text, text
assert c.sock is socket, "one connection served all"
c.request("PUT", "/inputs", body=b"x"); r = c.getresponse(); r.read()
assert r.status == 405 and r.will_close, "it does not read on, and says so"
print("fine")
"#;

#[test]
fn python_s_http_client() {
    let server = Server::start(&[]);
    let mut python = Command::new("python3");
    let output = output(python.args(["-c", SCRIPT, &server.address])).expect("python3 is there");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "fine\n",
        "{errors}"
    );
}
