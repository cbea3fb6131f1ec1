//! The server as a process, with clients of every manner.

use std::io::Write;
use std::net::{Shutdown, TcpStream};

use demos::EventLoop;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http2;
use rustix::process::Signal;

use super::process::{Program, on_threads};
use super::server::{Server, outputs, post, read_all, read_until};

#[test]
fn outputs_are_sent_as_they_become_ready() {
    let server = Server::start(&[]);
    let answer = server.post("sleep 2s\nsleep 700ms\nquery select 1\nslep\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n"));
    let mut order = outputs(&answer);
    assert_eq!(order.len(), 4, "{answer}");
    if on_threads() {
        order[..2].sort_unstable_by(|a, b| b.cmp(a)); // a query may be done before the last line is
    }
    assert_eq!(order, [4, 3, 2, 1], "{answer}");
    assert!(answer.contains(r#"{"event":"end","inputs":4,"done":3,"failed":1,"undone":0}"#));
    // Numbers go on from one request to the next, and outputs can be asked for.
    let headers = "accept: text/event-stream\r\nconnection: close\r\n";
    let answer = server.exchange(post("sleep 1ms", headers));
    assert!(answer.contains("text/event-stream") && answer.contains("data: {\"event\":\"output\""));
    assert!(
        server
            .get("/outputs/5")
            .contains(r#""number":5,"line":"sleep 1ms""#)
    );
    assert!(
        server
            .get("/outputs/6")
            .contains("there is no input 6; the last one is 5")
    );
    assert!(server.get("/outputs/x").starts_with("HTTP/1.1 400"));
    assert!(
        server
            .get("/metrics")
            .contains("\nevent_loop_outputs_done_total 4\n")
    );
    assert!(server.get("/healthz").ends_with("ok\n"));
    assert!(server.get("/").contains("<title>event loop</title>"));
    assert!(server.get("/nowhere").starts_with("HTTP/1.1 404"));
    assert!(server.get("/inputs").starts_with("HTTP/1.1 405"));
}

#[test]
fn an_answer_begins_before_the_request_is_complete() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    let head = "POST /inputs HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    for number in 1..=3 {
        stream.write_all(b"a\r\nsleep 1ms\n\r\n").unwrap();
        read_until(
            &mut stream,
            &format!("{{\"event\":\"output\",\"number\":{number},"),
        );
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    read_until(&mut stream, r#""inputs":3,"done":3"#);
}

#[test]
fn ten_thousand_sleeps_in_one_request() {
    let server = Server::start(&[]);
    let lines: String = (1..=10_000)
        .map(|i| format!("sleep {}ms\n", 300 + i * 7 % 50))
        .collect();
    let answer = server.post(&lines);
    let mut order = outputs(&answer);
    assert_eq!(order.len(), 10_000);
    order.sort_unstable();
    assert_eq!(order, (1..=10_000).collect::<Vec<_>>());
    assert!(
        server
            .get("/metrics")
            .contains("\nevent_loop_inputs_in_flight 0\n")
    );
}

#[test]
fn what_is_too_much_is_said() {
    let server = Server::start(&[
        "--max-body",
        "1KiB",
        "--client-limit",
        "2",
        "--max-line",
        "20B",
    ]);
    let answer = server.post(&"x".repeat(2000));
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("more than the limit of 1024"));
    // Without a length it shows on the way.
    let mut chunked =
        "POST /inputs HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
    for _ in 0..200 {
        chunked.push_str("a\r\nsleep 1ms\n\r\n");
    }
    let mut stream = server.connect();
    stream.write_all(chunked.as_bytes()).unwrap();
    read_until(&mut stream, "the body has more bytes than the limit");
    // To who reads events it is an event.
    let events = chunked.replacen("\r\n", "\r\naccept: text/event-stream\r\n", 1);
    let mut stream = server.connect();
    stream.write_all(events.as_bytes()).unwrap();
    let error = r#"data: {"event":"error","error":"the body has more bytes than the limit"}"#;
    read_until(&mut stream, &format!("\r\n{error}\n\n"));
    let answer = server.post("query select 'far too long'\nsleep 1ms\n");
    assert!(
        answer.contains("the line has 27 bytes, more than the limit of 20"),
        "{answer}"
    );

    let mut busy = server.connect();
    busy.write_all(post("sleep 1h\nsleep 1h\nsleep 1h\n", "").as_bytes())
        .unwrap();
    read_until(&mut busy, "sleep 1h\"}\n\r\n");
    server.wait_for("/metrics", "\nevent_loop_inputs_in_flight 2\n");
    let answer = server.post("sleep 1ms");
    assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("you have 2 inputs in flight"));
    assert!(answer.contains("retry-after: 1"), "{answer}");
}

#[test]
fn one_connection_too_many_is_told_so() {
    let server = Server::start(&["--connections", "1"]);
    let mut first = server.connect();
    first
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    read_until(&mut first, "ok\n");
    let answer = read_all(&mut server.connect());
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("too many connections"));
    // The first one is as good as before.
    first
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    read_until(&mut first, "ok\n");
}

#[test]
fn silence_is_not_waited_for() {
    let server = Server::start(&["--silence", "200ms"]);
    for start in ["", "P", "GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: "] {
        let answer = server.exchange(start);
        assert!(
            answer.starts_with("HTTP/1.1 408 Request Timeout"),
            "{start:?}: {answer}"
        );
    }
    let mut stalled = server.connect();
    stalled
        .write_all(
            b"POST /inputs HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99\r\n\r\nsleep 1ms\n",
        )
        .unwrap();
    read_until(&mut stalled, "the body stood still for too long");
    // An input in flight is no silence, however long it takes.
    assert_eq!(outputs(&server.post("sleep 700ms")).len(), 1);
}

#[test]
fn silence_between_two_requests_is_no_offence() {
    let server = Server::start(&["--silence", "300ms"]);
    let answer = server.exchange("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok\n"),
        "{answer}"
    );
}

#[test]
fn a_client_that_leaves_takes_its_inputs_along() {
    let server = Server::start(&["--heartbeat", "50ms"]);
    for _ in 0..20 {
        let mut stream = server.connect();
        stream
            .write_all(post(&"sleep 1h\n".repeat(50), "").as_bytes())
            .unwrap();
        read_until(&mut stream, "sleep 1h");
    }
    server.wait_for("/metrics", "\nevent_loop_inputs_in_flight 0\n");
    let metrics = server.wait_for("/metrics", "\nevent_loop_connections 1\n");
    let count = |name: &str| {
        let value = metrics.split(&format!("\nevent_loop_{name} ")).nth(1);
        value
            .and_then(|rest| rest.lines().next()?.parse::<u64>().ok())
            .expect("a number")
    };
    assert!(count("inputs_total") >= 20, "{metrics}");
    assert_eq!(
        count("outputs_undone_total"),
        count("inputs_total"),
        "{metrics}"
    );
}

#[test]
fn who_has_said_all_may_still_listen() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    stream
        .write_all(post("sleep 100ms", "").as_bytes())
        .unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let answer = read_all(&mut stream);
    assert_eq!(outputs(&answer).len(), 1, "{answer}");
}

#[test]
fn requests_may_be_sent_before_the_answers() {
    let server = Server::start(&[]);
    let request = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let last = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = server.exchange(request.repeat(20) + last);
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 21, "{answer}");
}

#[test]
fn http2_at_the_same_port() {
    let server = Server::start(&[]);
    let event_loop = EventLoop::new().unwrap();
    let handle = event_loop.handle();
    let address = server.address.parse().expect("an address");
    let bodies = event_loop.run(async {
        let stream = reactor::TcpStream::connect(&handle.reactor, address)
            .await
            .unwrap();
        let spawner = handle.spawner.clone();
        let (sender, connection) = http2::handshake(spawner, stream).await.unwrap();
        drop(handle.spawner.spawn(connection));
        // Two streams of one connection: the second is answered first.
        let exchanges = ["sleep 300ms", "sleep 10ms"].map(|line| {
            let mut sender = sender.clone();
            async move {
                let request = Request::post(format!("http://{address}/inputs"));
                let request = request.body(Full::new(Bytes::from(line))).unwrap();
                let answer = sender.send_request(request).await.unwrap();
                assert_eq!(answer.version(), hyper::Version::HTTP_2);
                answer.into_body().collect().await.unwrap().to_bytes()
            }
        });
        let mut ready = exchanges.into_iter().collect::<FuturesUnordered<_>>();
        let mut bodies = Vec::new();
        while let Some(body) = ready.next().await {
            bodies.push(String::from_utf8_lossy(&body).into_owned());
        }
        bodies
    });
    let bodies = bodies.unwrap();
    assert!(
        bodies[0].contains("sleep 10ms") && bodies[1].contains("sleep 300ms"),
        "{bodies:#?}"
    );
    assert!(
        bodies.iter().all(|body| outputs(body).len() == 1),
        "{bodies:#?}"
    );
}

#[test]
fn the_grace_is_for_the_end_of_the_server_not_of_a_request() {
    let server = Server::start(&["--grace", "50ms"]);
    let answer = server.post("sleep 300ms\n");
    assert!(answer.contains(r#""kind":"slept""#), "{answer}");
    // Except when the client itself says that it takes no more.
    let answer = server.post("sleep 1h\nstop\n");
    assert!(answer.contains("the grace of 50ms is over"), "{answer}");
}

#[test]
fn it_drains_when_told_to_end() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    stream
        .write_all(post("sleep 500ms", "").as_bytes())
        .unwrap();
    read_until(&mut stream, "\"input\"");
    server.program.signal(Signal::INT);
    let answer = read_until(&mut stream, "\"end\"");
    assert!(answer.contains("\"kind\":\"slept\""), "{answer}");
    assert!(
        TcpStream::connect(&server.address).is_err(),
        "it takes connections while it drains"
    );
    assert_eq!(server.program.finish().status, Some(0));
}

#[test]
fn what_the_grace_does_not_cover_is_said() {
    let server = Server::start(&["--grace", "100ms"]);
    let mut stream = server.connect();
    stream.write_all(post("sleep 1h", "").as_bytes()).unwrap();
    read_until(&mut stream, "\"input\"");
    server.program.signal(Signal::TERM);
    read_until(&mut stream, "the grace of 100ms is over");
    let ended = server.program.finish();
    assert_eq!(ended.status, Some(3), "{ended:#?}");
    assert!(ended.errors.contains("left undone: 1 inputs"), "{ended:#?}");
}

#[test]
fn pages_of_other_sites_are_turned_away() {
    let server = Server::start(&["--host", "box.example"]);
    let ask = |host: &str, origin: &str| {
        let head =
            format!("POST /inputs HTTP/1.1\r\nhost: {host}\r\n{origin}connection: close\r\n");
        server.exchange(head + "content-type: text/plain\r\ncontent-length: 9\r\n\r\nsleep 1ms")
    };
    let own = format!("origin: http://{}\r\n", server.address);
    assert!(ask(&server.address, &own).starts_with("HTTP/1.1 200"));
    assert!(ask("box.example", "").starts_with("HTTP/1.1 200"));
    assert!(ask("rebound.example", "").starts_with("HTTP/1.1 421"));
    assert!(
        ask("rebound.example", "origin: http://rebound.example\r\n").starts_with("HTTP/1.1 421")
    );
    assert!(ask(&server.address, "origin: http://evil.example\r\n").starts_with("HTTP/1.1 403"));
    assert!(ask(&server.address, "origin: null\r\n").starts_with("HTTP/1.1 403"));
    assert!(
        server
            .get("/metrics")
            .contains("\nevent_loop_inputs_total 2\n")
    );
}

#[test]
fn files_are_read_below_one_folder_only() {
    let server = Server::start(&["--files", "src"]);
    let answer =
        server.post("read lib.rs\nread ../Cargo.toml\nread /etc/passwd\nread /proc/self/environ\n");
    assert!(
        answer.contains(r#""line":"read lib.rs","after_ms":"#) && answer.contains("include_str")
    );
    assert_eq!(
        answer
            .matches("is not below the folder that is served")
            .count(),
        3,
        "{answer}"
    );
    let missing = super::process::run(&["serve", "--files", "no/such"], "");
    assert_eq!(missing.status, Some(2), "{missing:#?}");
}

#[test]
fn other_machines_only_with_leave() {
    let ended = super::process::run(&["serve", "--listen", "0.0.0.0:0"], "");
    assert_eq!(ended.status, Some(2), "{ended:#?}");
    assert!(
        ended
            .errors
            .contains("if that is meant, say --allow-remote"),
        "{ended:#?}"
    );
    let mut program = Program::start(&["serve", "--listen", "0.0.0.0:0", "--allow-remote"]);
    let line = program.wait_for("listening on http://0.0.0.0:");
    let port = line.rsplit(':').next().expect("a port");
    let server = Server {
        program,
        address: format!("127.0.0.1:{port}"),
    };
    let answer = server.post("get http://127.0.0.1:1/\nget http://localhost:1/\n");
    assert_eq!(
        answer.matches("is not on the public Internet").count(),
        2,
        "{answer}"
    );
}

#[test]
fn what_it_cannot_listen_at_is_an_error_at_start() {
    let ended = super::process::run(&["serve", "--listen", "8080"], "");
    assert_eq!(ended.status, Some(2), "{ended:#?}");
    assert!(
        ended.errors.contains("such as 127.0.0.1:8080"),
        "{ended:#?}"
    );
    let server = Server::start(&[]);
    let ended = super::process::run(&["serve", "--listen", &server.address], "");
    assert_eq!(ended.status, Some(2));
    assert!(
        ended.errors.contains("Address already in use"),
        "{ended:#?}"
    );
}
