//! System calls that fail for no fault of ours: strace makes them, in this binary started again.
//! Without strace (or without the right to trace) there is nothing to see here.
#![cfg(all(target_os = "linux", not(loom)))]

mod driver;

use std::process::{Command, Stdio};

use driver::{Driver, block_on};
use reactor::{Reactor, UnixStream, pipe};

#[test]
#[ignore = "run by the others, under strace"]
fn the_child() {
    // A time that needs nanoseconds, one that does not, and none.
    let reactor = Reactor::new().unwrap();
    for timeout in [1_500_000, 1_000_000] {
        reactor
            .poll(Some(std::time::Duration::from_nanos(timeout)))
            .unwrap();
    }
    let driver = Driver::over(reactor);
    let (one, other) = UnixStream::pair(&driver.reactor).unwrap();
    let (reader, writer) = pipe::pipe(&driver.reactor).unwrap();
    block_on(async {
        let mut buf = [0; 10];
        for _ in 0..20 {
            use std::io::{Read, Write};
            let sent = other.write_with(|mut io| io.write(b"x")).await.unwrap();
            let received = one.read_with(|mut io| io.read(&mut buf)).await.unwrap();
            let written = writer.write_with(|mut io| io.write(b"y")).await.unwrap();
            let read = reader.read_with(|mut io| io.read(&mut buf)).await.unwrap();
            assert_eq!([sent, received, written, read], [1; 4]);
        }
    });
}

fn with_faults(inject: &[&str]) {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null"]);
    for fault in inject {
        strace.args(["-e", &format!("inject={fault}")]);
    }
    strace.arg(std::env::current_exe().unwrap());
    strace
        .args(["the_child", "--exact", "--ignored", "--quiet"])
        .stdout(Stdio::null());
    match strace.status() {
        Ok(status) => assert!(status.success(), "{inject:?}"),
        Err(_) => eprintln!("no strace: not tested"),
    }
}

fn can_trace() -> bool {
    let mut strace = Command::new("strace");
    strace
        .args(["-qq", "-o", "/dev/null", "true"])
        .stderr(Stdio::null());
    strace.status().is_ok_and(|status| status.success())
}

#[test]
fn by_signals() {
    if can_trace() {
        with_faults(&["epoll_wait,epoll_pwait,epoll_pwait2,poll,ppoll:error=EINTR:when=1+3"]);
        with_faults(&["recvfrom,sendto,recvmsg:error=EINTR:when=1+2"]);
    }
}

/// An old kernel, and an old sandbox: nanoseconds cannot be had.
#[test]
fn without_epoll_pwait2() {
    if can_trace() {
        with_faults(&["epoll_pwait2:error=ENOSYS"]);
        with_faults(&["epoll_pwait2:error=EPERM"]);
    }
}
