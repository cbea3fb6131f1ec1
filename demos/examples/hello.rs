//! The same HTTP server on two runtimes: hyper on ours, or hyper on tokio.
//!
//! ```text
//! cargo run --release --example hello -- ours 1      # one thread: the event loop
//! cargo run --release --example hello -- ours 2      # two threads: the runtime
//! cargo run --release --example hello -- tokio 2
//! wrk -t1 -c64 -d10s --latency http://ADDRESS/       # in another terminal
//! ```
//!
//! Watch the requests a second (the code is the same but for who accepts and who spawns), and the
//! line VmRSS of /proc/PID/status while ten thousand clients are connected and silent. Without
//! arguments it asks each of the four servers itself, once, and ends.

use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;

use demos::{Host, HostHandle};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, rt};
use hyper_util::rt::TokioIo;
use reactor::TcpListener;

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(
        b"Hello, World!",
    ))))
}

async fn connection(stream: impl rt::Read + rt::Write + Unpin + Send + 'static) {
    // An error means that the client has gone.
    let _ = http1::Builder::new()
        .serve_connection(stream, service_fn(hello))
        .await;
}

fn on_ours(threads: usize, listening: impl FnOnce(SocketAddr)) -> io::Result<()> {
    let host = Host::new(threads)?;
    let handle = host.handle();
    let listener = TcpListener::bind(&handle.reactor, "127.0.0.1:0")?;
    listening(listener.local_addr()?);
    host.run(accept(handle, listener))?
}

async fn accept(handle: HostHandle, listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        drop(handle.spawner.spawn(connection(stream)));
    }
}

fn on_tokio(threads: usize, listening: impl FnOnce(SocketAddr)) -> io::Result<()> {
    let runtime = match threads {
        1 => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?,
        _ => tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()?,
    };
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        listening(listener.local_addr()?);
        // As a task, as ours: a future of `block_on` is not one of the workers'.
        let accept = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                drop(tokio::spawn(connection(TokioIo::new(stream))));
            }
        });
        accept.await.expect("accepting does not panic")
    })
}

fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn check() -> io::Result<()> {
    for (on, threads) in [("ours", 1), ("ours", 2), ("tokio", 1), ("tokio", 2)] {
        let (sender, address) = mpsc::channel();
        thread::spawn(move || serve(on, threads, |address| sender.send(address).expect("heard")));
        let address = address.recv().expect("it listens");
        let answer = ask(address)?;
        assert!(answer.ends_with("Hello, World!"), "{answer}");
        println!("hyper on {on}, threads: {threads}: Hello, World!");
    }
    Ok(())
}

fn serve(on: &str, threads: usize, listening: impl FnOnce(SocketAddr)) -> io::Result<()> {
    match on {
        "tokio" => on_tokio(threads, listening),
        _ => on_ours(threads, listening),
    }
}

fn main() -> io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match &words[..] {
        [on, threads] if matches!(on.as_str(), "ours" | "tokio") => {
            let threads = threads.parse().map_err(io::Error::other)?;
            serve(on, threads, |address| println!("listening on {address}"))
        }
        [] => check(),
        _ => Err(io::Error::other("hello [ours | tokio] THREADS, or nothing")),
    }
}
