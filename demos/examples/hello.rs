//! The same HTTP server on two runtimes: hyper on ours, or hyper on tokio.
//!
//! ```text
//! cargo run --release --example hello -- ours 1      # one thread: the event loop
//! cargo run --release --example hello -- ours 2      # two threads: the runtime
//! cargo run --release --example hello -- tokio 2
//! wrk -t1 -c64 -d10s --latency http://ADDRESS/       # in another terminal
//! cargo run --release --example hello -- ours 1 http2
//! h2load -c64 -m10 -D10 http://ADDRESS/              # HTTP/2: ten streams a connection
//! ```
//!
//! Watch the requests a second (the code is the same but for who accepts and who spawns), and the
//! line VmRSS of /proc/PID/status while ten thousand clients are connected and silent. Without
//! arguments it asks each of the eight servers itself, once, and ends.

use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;

use demos::{EventLoop, Host, HostHandle};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2 as client;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response, rt};
use hyper_util::rt::{TokioExecutor, TokioIo};
use reactor::TcpListener;

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(
        b"Hello, World!",
    ))))
}

/// Which server to be.
#[derive(Clone, Copy, Debug)]
struct Kind {
    on_tokio: bool,
    threads: usize,
    http2: bool,
}

async fn http1(stream: impl rt::Read + rt::Write + Unpin + Send + 'static) {
    // An error means that the client has gone.
    let _ = http1::Builder::new()
        .serve_connection(stream, service_fn(hello))
        .await;
}

fn on_ours(kind: Kind, listening: impl FnOnce(SocketAddr)) -> io::Result<()> {
    let host = Host::new(kind.threads)?;
    let handle = host.handle();
    let listener = TcpListener::bind(&handle.reactor, "127.0.0.1:0")?;
    listening(listener.local_addr()?);
    host.run(accept(handle, listener, kind.http2))?
}

async fn accept(handle: HostHandle, listener: TcpListener, http2: bool) -> io::Result<()> {
    let builder = http2::Builder::new(handle.spawner.clone());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        if http2 {
            let connection = builder.serve_connection(stream, service_fn(hello));
            drop(handle.spawner.spawn(connection));
        } else {
            drop(handle.spawner.spawn(http1(stream)));
        }
    }
}

fn on_tokio(kind: Kind, listening: impl FnOnce(SocketAddr)) -> io::Result<()> {
    let runtime = match kind.threads {
        1 => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?,
        _ => tokio::runtime::Builder::new_multi_thread()
            .worker_threads(kind.threads)
            .enable_all()
            .build()?,
    };
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        listening(listener.local_addr()?);
        // As a task, as ours: a future of `block_on` is not one of the workers'.
        let accept = tokio::spawn(async move {
            let builder = http2::Builder::new(TokioExecutor::new());
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let stream = TokioIo::new(stream);
                if kind.http2 {
                    let connection = builder.serve_connection(stream, service_fn(hello));
                    drop(tokio::spawn(connection));
                } else {
                    drop(tokio::spawn(http1(stream)));
                }
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

fn ask_by_http2(address: SocketAddr) -> io::Result<String> {
    let event_loop = EventLoop::new()?;
    let handle = event_loop.handle();
    let asked = event_loop.run(async {
        let stream = reactor::TcpStream::connect(&handle.reactor, address).await?;
        let spawner = handle.spawner.clone();
        let shaken = client::handshake(spawner, stream).await;
        let (mut sender, connection) = shaken.map_err(io::Error::other)?;
        drop(handle.spawner.spawn(connection));
        let request = Request::get(format!("http://{address}/")).body(Full::<Bytes>::default());
        let request = request.map_err(io::Error::other)?;
        let answer = sender.send_request(request).await;
        let body = answer.map_err(io::Error::other)?.into_body().collect();
        Ok(body.await.map_err(io::Error::other)?.to_bytes())
    })?;
    asked.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn check() -> io::Result<()> {
    for number in 0..8 {
        let kind = Kind {
            http2: number & 1 != 0,
            threads: 1 + (number >> 1 & 1),
            on_tokio: number & 4 != 0,
        };
        let (sender, address) = mpsc::channel();
        thread::spawn(move || serve(kind, |address| sender.send(address).expect("heard")));
        let address = address.recv().expect("it listens");
        let answer = match kind.http2 {
            true => ask_by_http2(address)?,
            false => ask(address)?,
        };
        assert!(answer.ends_with("Hello, World!"), "{answer}");
        println!("{kind:?}: Hello, World!");
    }
    Ok(())
}

fn serve(kind: Kind, listening: impl FnOnce(SocketAddr)) -> io::Result<()> {
    match kind.on_tokio {
        true => on_tokio(kind, listening),
        false => on_ours(kind, listening),
    }
}

fn main() -> io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (on, threads, http2) = match words[..] {
        [] => return check(),
        [on @ ("ours" | "tokio"), threads] => (on, threads, false),
        [on @ ("ours" | "tokio"), threads, "http2"] => (on, threads, true),
        _ => {
            return Err(io::Error::other(
                "hello [ours | tokio] THREADS [http2], or nothing",
            ));
        }
    };
    let kind = Kind {
        on_tokio: on == "tokio",
        threads: threads.parse().map_err(io::Error::other)?,
        http2,
    };
    serve(kind, |address| println!("listening on {address}"))
}
