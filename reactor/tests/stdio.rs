//! Standard streams of every kind. The parent starts this test binary again with others.
#![cfg(not(loom))]

mod driver;

use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use driver::{Driver, block_on};
use reactor::{Stdin, Stdout};
use rustix::fs::{OFlags, fcntl_getfl};

/// Starts `the_child`; its outcome is the exit status.
fn child(mode: &str, stdin: impl Into<Stdio>) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["the_child", "--exact", "--ignored", "--quiet"])
        .env("STDIN_TEST", mode)
        .stdin(stdin)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn succeeds(mut child: Child) {
    assert!(child.wait().unwrap().success());
}

#[test]
#[ignore = "run by the others, with a stdin of their choice"]
fn the_child() {
    let before = fcntl_getfl(std::io::stdin()).unwrap();
    let driver = Driver::new();
    let stdin = Stdin::new(&driver.reactor);
    match std::env::var("STDIN_TEST").as_deref() {
        Ok("lines") => {
            let stdin = stdin.unwrap();
            let mut all = Vec::new();
            block_on(async {
                let mut buf = [0; 5];
                loop {
                    match stdin.read(&mut buf).await.unwrap() {
                        0 => return,
                        n => all.extend_from_slice(&buf[..n]),
                    }
                }
            });
            assert_eq!(all, b"first and second");
        }
        Ok("refused") => assert_eq!(stdin.unwrap_err().kind(), ErrorKind::Unsupported),
        other => panic!("{other:?}"),
    }
    let after = fcntl_getfl(std::io::stdin()).unwrap();
    assert_eq!(
        before & OFlags::NONBLOCK,
        after & OFlags::NONBLOCK,
        "others share these flags"
    );
}

#[test]
fn a_pipe() {
    let mut child = child("lines", Stdio::piped());
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(b"first ").unwrap();
    std::thread::yield_now();
    pipe.write_all(b"and second").unwrap();
    drop(pipe);
    succeeds(child);
}

#[test]
fn a_pipe_whose_writer_has_gone_before_we_look() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"first and second").unwrap();
    drop(writer);
    succeeds(child("lines", OwnedFd::from(reader)));
}

#[test]
fn a_socket() {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let child = child("lines", OwnedFd::from(theirs));
    (&ours).write_all(b"first and ").unwrap();
    std::thread::yield_now();
    (&ours).write_all(b"second").unwrap();
    drop(ours);
    succeeds(child);
}

#[test]
fn a_file_and_the_null_device() {
    for path in [
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        "/dev/null",
    ] {
        if path == "/dev/null" && cfg!(polling_test_poll_backend) {
            continue; // poll(2) calls it readable, which it is
        }
        succeeds(child("refused", std::fs::File::open(path).unwrap()));
    }
}

/// A pseudo-terminal, opened again under a description of its own.
#[test]
#[cfg(target_os = "linux")]
fn a_terminal() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let (flags, mode) = (OFlags::RDWR | OFlags::NOCTTY, rustix::fs::Mode::empty());
    let slave = rustix::fs::open(name, flags, mode).unwrap();
    let child = child("lines", slave);
    // ^D after text hands the text over, ^D at the beginning of a line ends the input.
    rustix::io::write(&master, b"first \x04and second\x04\x04").unwrap();
    succeeds(child);
}

/// Writes more than any pipe or socket holds, slowly read.
#[test]
#[ignore = "run by the others, with a stderr of their choice"]
fn the_writer() {
    let before = fcntl_getfl(std::io::stderr()).unwrap();
    let driver = Driver::new();
    let stderr = Stdout::stderr(&driver.reactor).unwrap();
    block_on(stderr.write_all(&vec![b'x'; 300_000])).unwrap();
    let after = fcntl_getfl(std::io::stderr()).unwrap();
    assert_eq!(
        before & OFlags::NONBLOCK,
        after & OFlags::NONBLOCK,
        "others share these flags"
    );
}

fn writer(stderr: impl Into<Stdio>) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["the_writer", "--exact", "--ignored", "--quiet"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .unwrap()
}

#[test]
fn writing_waits_for_a_slow_reader() {
    let mut child = writer(Stdio::piped());
    let mut all = Vec::new();
    child.stderr.take().unwrap().read_to_end(&mut all).unwrap();
    assert_eq!(all, vec![b'x'; 300_000]);
    succeeds(child);

    let (mut ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let child = writer(OwnedFd::from(theirs));
    ours.read_exact(&mut all).unwrap();
    assert_eq!(all, vec![b'x'; 300_000]);
    succeeds(child);
}
