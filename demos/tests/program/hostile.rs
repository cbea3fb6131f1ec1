//! Clients that mean harm, or know no better: each is answered with an error or closed, the server
//! never panics, answers afterwards, and keeps nothing of them.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use rustix::process::Signal;

use super::server::{Server, post, read_all};

/// Requests that are wrong: the name, and the bytes.
fn corpus() -> Vec<(&'static str, Vec<u8>)> {
    let get = |headers: &str| format!("GET / HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
    let post = |headers: &str, body: &str| {
        format!("POST /inputs HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n\r\n{body}")
    };
    // What a smuggler hopes will be taken for a request of its own.
    let inner = "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let chunked = "transfer-encoding: chunked";
    let text = [
        ("no HTTP", "EHLO mail.example\r\n\r\n".to_owned()),
        ("version", "GET / HTTP/9.9\r\n\r\n".to_owned()),
        ("no version", "GET /\r\n\r\n".to_owned()),
        (
            "no path",
            "GET  HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned(),
        ),
        (
            "tunnel",
            "CONNECT example:1 HTTP/1.1\r\nhost: example\r\n\r\n".to_owned(),
        ),
        (
            "long path",
            format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(100_000)),
        ),
        (
            "huge header",
            get(&format!("x: {}\r\n", "y".repeat(1 << 20))),
        ),
        ("many headers", get(&"x: y\r\n".repeat(5000))),
        ("no name", get(": y\r\n")),
        ("blank before the colon", get("x : y\r\n")),
        ("folded line", get("x: y\r\n z\r\n")),
        ("zero in a value", get("x: y\0z\r\n")),
        ("carriage return in a value", get("x: y\rz\r\n")),
        ("no host", "GET / HTTP/1.1\r\n\r\n".to_owned()),
        (
            "both lengths",
            post(
                &format!("content-length: 4\r\n{chunked}"),
                &format!("0\r\n\r\n{inner}"),
            ),
        ),
        (
            "both lengths, turned",
            post(
                &format!("{chunked}\r\ncontent-length: 4"),
                &format!("0\r\n\r\n{inner}"),
            ),
        ),
        (
            "two lengths",
            post(
                "content-length: 4\r\ncontent-length: 5",
                &format!("bad\n{inner}"),
            ),
        ),
        (
            "lengths in one",
            post("content-length: 4, 5", &format!("bad\n{inner}")),
        ),
        ("negative length", post("content-length: -1", inner)),
        (
            "length with a sign",
            post("content-length: +4", &format!("bad\n{inner}")),
        ),
        (
            "length beyond all",
            post("content-length: 99999999999999999999", "bad\n"),
        ),
        ("length that is none", post("content-length: four", inner)),
        (
            "coding twice",
            post(
                &format!("{chunked}\r\n{chunked}"),
                &format!("0\r\n\r\n{inner}"),
            ),
        ),
        (
            "coding not last",
            post("transfer-encoding: chunked, identity", inner),
        ),
        ("unknown coding", post("transfer-encoding: xchunked", inner)),
        ("bad chunk", post(chunked, "zz\r\n")),
        (
            "chunk beyond all",
            post(chunked, "ffffffffffffffff1\r\nbad"),
        ),
        ("negative chunk", post(chunked, "-1\r\n\r\n")),
        (
            "chunk too short",
            post(chunked, &format!("2\r\nbad\n\r\n0\r\n\r\n{inner}")),
        ),
        (
            "long extension",
            post(
                chunked,
                &format!("1;{}\r\nb\r\n0\r\n\r\n", "x".repeat(1 << 20)),
            ),
        ),
        (
            "many trailers",
            post(chunked, &format!("0\r\n{}\r\n", "x: y\r\n".repeat(5000))),
        ),
        (
            "body breaks off",
            post("content-length: 100", "sleep 1ms\n"),
        ),
        ("chunk breaks off", post(chunked, "ff\r\nsleep")),
    ];
    let mut all: Vec<_> = text
        .into_iter()
        .map(|(name, text)| (name, text.into_bytes()))
        .collect();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let frames: [(&str, &[u8]); 6] = [
        (
            "TLS",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        ),
        (
            "header that is no text",
            b"GET / HTTP/1.1\r\nhost: localhost\r\n\xff\xfe: y\r\n\r\n",
        ),
        ("HTTP/2, then nothing", b""),
        (
            "HTTP/2, then no frame",
            b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n",
        ),
        (
            "HTTP/2, a frame too long",
            b"\xff\xff\xff\x00\x00\x00\x00\x00\x01",
        ),
        (
            "HTTP/2, data on no stream",
            b"\0\0\0\x04\0\0\0\0\0\0\0\x01\0\0\0\0\0\0x",
        ),
    ];
    for (name, bytes) in frames {
        let start: &[u8] = if name.starts_with("HTTP/2") {
            preface
        } else {
            b""
        };
        all.push((name, [start, bytes].concat()));
    }
    all
}

#[test]
fn wrong_requests_are_refused_and_nothing_is_smuggled() {
    let server = Server::start(&["--silence", "300ms"]);
    for (name, request) in corpus() {
        let mut stream = server.connect();
        // The server may close before it has read all of it.
        let _ = stream.write_all(&request);
        let _ = stream.shutdown(Shutdown::Write);
        let answer = read_all(&mut stream);
        assert!(
            !answer.contains("event_loop_connections"),
            "{name}: smuggled: {answer}"
        );
        if name.starts_with("HTTP/2") {
            assert!(!answer.contains("HTTP/1.1 2"), "{name}: {answer}");
            continue;
        }
        // Refused, or a session that says what was wrong, or the end. (With both lengths, and with
        // a coding named twice, the chunks count and the connection ends: RFC 9112, 6.3.)
        let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 4");
        let said = answer.contains("broke off") || answer.contains("connection: close");
        assert!(refused || said, "{name}: {answer}");
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{name}: {answer}");
    }
    all_is_well_after(server, "wrong requests");
}

/// How a client that breaks off does it.
fn break_off(stream: TcpStream, how: u64) {
    match how % 3 {
        0 => drop(stream),
        1 => {
            // Closing without lingering is a reset.
            let _ = rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
        }
        _ => {
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.set_read_timeout(Some(Duration::from_millis(20)));
            let _ = std::io::Read::read(&mut &stream, &mut [0; 64]);
        }
    }
}

#[test]
fn who_breaks_off_anywhere_leaves_nothing_behind() {
    let server = Server::start(&["--silence", "300ms", "--heartbeat", "50ms"]);
    let whole = post("sleep 1h\nquery select 1\n", "x: y\r\n");
    for at in (1..=whole.len()).step_by(7) {
        for how in 0..3 {
            let mut stream = server.connect();
            stream
                .write_all(&whole.as_bytes()[..at])
                .expect("the server reads");
            break_off(stream, how);
        }
    }
    all_is_well_after(server, "clients that broke off");
}

#[test]
fn noise_harms_nobody() {
    let server = Server::start(&["--silence", "300ms", "--heartbeat", "50ms"]);
    let seeds: Vec<Vec<u8>> = corpus()
        .into_iter()
        .map(|(_, bytes)| bytes)
        .filter(|bytes| bytes.len() < 1000)
        .collect();
    let mut chance = fastrand::Rng::with_seed(1);
    let mut below = |limit: usize| chance.usize(..limit);
    for _ in 0..400 {
        let mut bytes = seeds[below(seeds.len())].clone();
        for _ in 0..below(6) {
            let at = below(bytes.len());
            match below(3) {
                0 => bytes[at] = below(256) as u8,
                1 => bytes.truncate(at + 1),
                _ => bytes.insert(at, b"\r\n\0: "[below(5)]),
            }
        }
        let mut stream = server.connect();
        let _ = stream.write_all(&bytes);
        break_off(stream, below(3) as u64);
    }
    all_is_well_after(server, "noise");
}

/// One frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame");
    let head = [
        &length.to_be_bytes()[1..],
        &[kind, flags],
        &stream.to_be_bytes(),
    ];
    [&head.concat(), payload].concat()
}

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `GET /` on a stream, by the static table of RFC 7541.
fn request(stream: u32) -> Vec<u8> {
    let head = [b"\x82\x86\x84\x41\x09", &b"localhost"[..]].concat();
    frame(1, END_STREAM | END_HEADERS, stream, &head)
}

/// What has brought servers of HTTP/2 down: the name, and the frames after preface and settings.
fn floods() -> Vec<(&'static str, Vec<u8>)> {
    let streams = || (0..3000_u32).map(|number| 2 * number + 1);
    let cancel = |stream| [request(stream), frame(3, 0, stream, &[0, 0, 0, 8])].concat();
    let open_head = frame(1, END_STREAM, 1, b"\x82\x86\x84");
    let more_head = frame(
        9,
        0,
        1,
        &[b"\x00\x01x\x7f\x81\x07", &[b'y'; 1024][..]].concat(),
    );
    let no_window = frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]);
    let endless_data = [
        request(1),
        frame(0, 0, 1, &[b'x'; 16_384]), // after the end of the stream
    ];
    vec![
        ("rapid reset", streams().flat_map(cancel).collect()),
        (
            "more streams than may be",
            streams().flat_map(request).collect(),
        ),
        (
            "a head without end",
            [open_head, more_head.repeat(3000)].concat(),
        ),
        ("pings", frame(6, 0, 0, b"12345678").repeat(20_000)),
        ("settings", frame(4, 0, 0, &[]).repeat(20_000)),
        (
            "empty data",
            [request(1), frame(0, 0, 1, &[]).repeat(20_000)].concat(),
        ),
        ("data after the end", endless_data.concat()),
        (
            "a window that overflows",
            frame(8, 0, 0, &[0x7f, 255, 255, 255]).repeat(2),
        ),
        ("a window of nothing", frame(8, 0, 0, &[0; 4])),
        (
            "a bad table index",
            frame(1, END_STREAM | END_HEADERS, 1, &[0xff, 0xff, 0xff, 0x7f]),
        ),
        (
            "a stream that depends on itself",
            frame(2, 0, 1, &[0, 0, 0, 1, 0]),
        ),
        (
            "answers with nowhere to go",
            [
                no_window,
                (0..100)
                    .flat_map(|number| request(2 * number + 1))
                    .collect(),
            ]
            .concat(),
        ),
    ]
}

#[test]
fn floods_of_http2_are_ended_or_borne() {
    let server = Server::start(&["--silence", "300ms"]);
    let hello = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &frame(4, 0, 0, &[])[..],
    ]
    .concat();
    for (name, frames) in floods() {
        let stream = server.connect();
        let write_timeout = stream.set_write_timeout(Some(Duration::from_secs(20)));
        write_timeout.expect("a socket option");
        // Nothing is read meanwhile: a server that queues all its answers queues them for ever.
        let bytes = [&hello[..], &frames].concat();
        if let Err(error) = (&stream).write_all(&bytes) {
            let hangs = error.kind() == std::io::ErrorKind::WouldBlock;
            assert!(!hangs, "{name}: it neither reads nor closes");
        }
        drop(stream);
        let answer = server.post("sleep 1ms\n");
        assert!(answer.contains("\"done\":1"), "after {name}: {answer}");
    }
    if cfg!(target_os = "linux") {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.program.id()));
        let status = status.expect("it runs");
        let peak = status.split("VmHWM:").nth(1).expect("its peak of memory");
        let peak = peak.split_whitespace().next().map(str::parse::<u64>);
        let peak = peak.expect("a number").expect("of kB");
        assert!(peak < 40 * 1024, "{peak} kB at its peak");
    }
    all_is_well_after(server, "floods");
}

/// The server answers, holds nothing, ends in order, and had nothing to complain of.
fn all_is_well_after(server: Server, what: &str) {
    server.wait_for("/metrics", "\nevent_loop_inputs_in_flight 0\n");
    server.wait_for("/metrics", "\nevent_loop_connections 1\n");
    let answer = server.post("sleep 1ms\n");
    assert!(answer.contains("\"done\":1"), "after {what}: {answer}");
    server.program.signal(Signal::INT);
    let ended = server.program.finish();
    assert_eq!(
        (ended.status, ended.errors.as_str()),
        (Some(0), ""),
        "after {what}"
    );
}
