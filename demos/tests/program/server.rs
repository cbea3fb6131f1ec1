//! The server as a process, and the simplest client.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::process::Program;

/// A server that runs. Killed when dropped.
pub(crate) struct Server {
    pub(crate) program: Program,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(options: &[&str]) -> Self {
        let arguments: Vec<&str> = ["serve", "--listen", "127.0.0.1:0"]
            .iter()
            .chain(options)
            .copied()
            .collect();
        let mut program = Program::start(&arguments);
        let line = program.wait_for("listening on http://");
        Self {
            program,
            address: line["listening on http://".len()..].to_owned(),
        }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("the server listens");
        // So that a test fails instead of hanging.
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .expect("a socket option");
        stream
    }

    /// Sends bytes, keeps that direction open, reads to the end of the connection.
    pub(crate) fn exchange(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect();
        stream
            .write_all(request.as_ref())
            .expect("the server reads");
        read_all(&mut stream)
    }

    pub(crate) fn get(&self, path: &str) -> String {
        self.exchange(format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        ))
    }

    pub(crate) fn post(&self, lines: &str) -> String {
        self.exchange(post(lines, "connection: close\r\n"))
    }

    /// Asks until `path` says so; what it says in the end.
    pub(crate) fn wait_for(&self, path: &str, words: &str) -> String {
        for _ in 0..500 {
            let answer = self.get(path);
            if answer.contains(words) {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{path} never says {words}: {}", self.get(path));
    }
}

pub(crate) fn post(lines: &str, headers: &str) -> String {
    let length = lines.len();
    format!(
        "POST /inputs HTTP/1.1\r\nhost: localhost\r\n{headers}\
         content-length: {length}\r\n\r\n{lines}"
    )
}

/// All there is; a reset ends it as the end does.
pub(crate) fn read_all(stream: &mut TcpStream) -> String {
    let (mut all, mut bytes) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => break,
            Ok(length) => all.extend_from_slice(&bytes[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("hangs"),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

pub(crate) fn read_until(stream: &mut TcpStream, words: &str) -> String {
    let (mut all, mut bytes) = (String::new(), [0; 4096]);
    while !all.contains(words) {
        match stream.read(&mut bytes) {
            Ok(length @ 1..) => all.push_str(&String::from_utf8_lossy(&bytes[..length])),
            end => panic!("{end:?} before {words}: {all}"),
        }
    }
    all
}

/// The numbers of the outputs in an answer, in the order they came.
pub(crate) fn outputs(answer: &str) -> Vec<u64> {
    let start = r#"{"event":"output","number":"#;
    let rests = answer.split(start).skip(1);
    rests
        .filter_map(|rest| rest.split(',').next()?.parse().ok())
        .collect()
}
