//! System calls that fail for no fault of ours: strace makes them, in this binary started again.
//! Without strace (or without the right to trace) there is nothing to see here.
#![cfg(all(target_os = "linux", not(loom)))]

mod driver;

use std::process::{Command, Stdio};
use std::task::{Context, Poll, Waker};

use driver::{Driver, block_on, settle};
use reactor::{Reactor, TcpListener, TcpStream, UnixStream, pipe};

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
    with_faults_in("the_child", inject);
}

fn with_faults_in(child: &str, inject: &[&str]) {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null"]);
    for fault in inject {
        strace.args(["-e", &format!("inject={fault}")]);
    }
    strace.arg(std::env::current_exe().unwrap());
    strace
        .args([child, "--exact", "--ignored", "--quiet"])
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

#[test]
#[ignore = "run by the next, under strace"]
fn the_child_that_writes_to_nobody() {
    use std::io::{ErrorKind, IoSlice, Write};
    let reactor = Reactor::new().unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let tcp = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    drop(listener.accept().unwrap());
    let tcp = TcpStream::from_std(&reactor, tcp).unwrap();
    let expect_broken = |written: Poll<std::io::Result<usize>>| match written {
        Poll::Ready(Err(error)) => {
            let kinds = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
            assert!(kinds.contains(&error.kind()), "{error}");
        }
        other => panic!("{other:?}"),
    };
    let parts = [IoSlice::new(b"a"), IoSlice::new(b"b")];
    let _ = tcp.poll_write_from(&mut cx, b"x"); // the answer to it is a reset
    while tcp.poll_read_into(&mut cx, &mut [0]).is_pending() {
        reactor.poll(None).unwrap();
    }
    let _ = tcp.get_ref().take_error();
    expect_broken(tcp.poll_write_from(&mut cx, b"x"));
    expect_broken(tcp.poll_write_from_vectored(&mut cx, &parts));
    let (unix, peer) = UnixStream::pair(&reactor).unwrap();
    drop(peer);
    expect_broken(unix.poll_write_from(&mut cx, b"x"));
    expect_broken(unix.poll_write_from_vectored(&mut cx, &parts));
    if std::env::var_os("AND_A_PIPE").is_some() {
        let (reader, writer) = pipe::pipe(&reactor).unwrap();
        drop(reader);
        expect_broken(writer.poll_write_with(&mut cx, |mut io| io.write(b"x")));
    }
}

/// A process need not ignore `SIGPIPE`, as Rust's own do: writing to a socket must not raise it.
/// (A pipe's write has no flag for that; it shows here that the test would see the signal.)
#[test]
fn a_socket_without_reader_raises_no_signal() {
    if !can_trace() {
        return;
    }
    for pipe_too in [false, true] {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-e", "trace=none", "-e", "signal=SIGPIPE"]);
        strace.arg(std::env::current_exe().unwrap());
        strace.args(["the_child_that_writes_to_nobody", "--exact", "--ignored"]);
        if pipe_too {
            strace.env("AND_A_PIPE", "1");
        }
        let output = strace.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(told.contains("--- SIGPIPE"), pipe_too, "{told}");
    }
}

#[test]
#[ignore = "run by the next, under strace"]
fn the_child_that_accepts() {
    let reactor = Reactor::new().unwrap();
    let listener = TcpListener::bind(&reactor, "127.0.0.1:0").unwrap();
    let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (ours, _theirs) = UnixStream::pair(&reactor).unwrap();
    settle(&reactor);
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Err(error)) = listener.poll_accept(&mut cx) else {
        panic!("strace makes this one fail");
    };
    assert_eq!(
        error.raw_os_error(),
        Some(rustix::io::Errno::NFILE.raw_os_error())
    );
    assert!(
        listener.poll_accept(&mut cx).is_pending(),
        "it would only fail again"
    );
    drop(ours); // room for one more
    assert!(listener.poll_accept(&mut cx).is_ready());
}

/// The whole system has no descriptors left, which nobody would like to bring about.
#[test]
fn a_system_without_descriptors() {
    if can_trace() {
        with_faults_in(
            "the_child_that_accepts",
            &["accept,accept4:error=ENFILE:when=1..2"],
        );
    }
}
