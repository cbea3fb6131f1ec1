//! The servers that child processes run: one for each peer, the same code on each runtime.

use std::convert::Infallible;
use std::net::TcpListener;
use std::rc::Rc;

use futures_lite::AsyncWriteExt;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

use crate::child::say;
use crate::contest::{Invalid, OURS};
use crate::peers;
use crate::runtime::{Local, LocalNet, LocalSpawn};
use crate::workloads::echo_inproc;

/// Echoes whatever comes, with a buffer of `buffer` bytes for each connection, until it is killed.
///
/// # Errors
/// When the peer is unknown or cannot start.
pub fn echo(peer: &str, buffer: usize) -> Result<(), Invalid> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    say("ready", listener.local_addr()?)?;
    match peer {
        OURS => echo_on::<peers::ours::EventLoop>(listener, buffer),
        LENT => echo_lent(listener, buffer),
        "bare" => peers::bare::echo_server(&listener, buffer, false),
        "bare-shared" => peers::bare::echo_server(&listener, buffer, true),
        "tokio" => echo_on::<peers::tokio::WithDrivers>(listener, buffer),
        "smol" => echo_on::<peers::smol::WithReactor>(listener, buffer),
        #[cfg(feature = "monoio")]
        "monoio" => echo_on::<peers::monoio::Epoll>(listener, buffer),
        #[cfg(feature = "monoio")]
        "monoio-uring" => echo_on::<peers::monoio::Uring>(listener, buffer),
        _ => Err(Invalid(format!("no server is called {peer}"))),
    }
}

/// What [`echo`] calls ours with buffers that connections borrow while there is something in them.
pub const LENT: &str = "ours-lent";

fn echo_lent(listener: TcpListener, buffer: usize) -> Result<(), Invalid> {
    type OurLoop = peers::ours::EventLoop;
    let mut runtime = OurLoop::new();
    let spawner = runtime.spawner();
    let net = runtime.net();
    let buffers = Rc::new(reactor::Buffers::new(buffer));
    runtime.block_on(async {
        let listener = OurLoop::listener(&net, listener)?;
        loop {
            let mut stream = OurLoop::accept(&listener).await?.0;
            let buffers = Rc::clone(&buffers);
            spawner.detach(async move {
                while let Ok(lent) = stream.read_lent(&buffers).await {
                    if lent.is_empty() || stream.write_all(&lent).await.is_err() {
                        return;
                    }
                }
            });
        }
    })
}

fn echo_on<R: LocalNet>(listener: TcpListener, buffer: usize) -> Result<(), Invalid> {
    let mut runtime = R::new();
    let spawner = runtime.spawner();
    let net = runtime.net();
    runtime.block_on(async {
        let listener = R::listener(&net, listener)?;
        loop {
            let stream = R::accept(&listener).await?;
            spawner.detach(echo_inproc::serve(stream, vec![0; buffer]));
        }
    })
}

/// What the HTTP servers answer with.
pub const HELLO: &[u8] = b"Hello, World!";

/// Answers every request with [`HELLO`] through hyper, until it is killed.
///
/// # Errors
/// When the peer is unknown or cannot start.
pub fn http(peer: &str) -> Result<(), Invalid> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    say("ready", listener.local_addr()?)?;
    match peer {
        OURS => http_on::<peers::ours::EventLoop, _>(listener, |stream| stream.0),
        "tokio" => http_on::<peers::tokio::WithDrivers, _>(listener, |s| TokioIo::new(s.0)),
        _ => Err(Invalid(format!("no server is called {peer}"))),
    }
}

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(HELLO))))
}

fn http_on<R, I>(listener: TcpListener, io: fn(R::Tcp) -> I) -> Result<(), Invalid>
where
    R: LocalNet,
    I: hyper::rt::Read + hyper::rt::Write + Unpin + 'static,
{
    let mut runtime = R::new();
    let spawner = runtime.spawner();
    let net = runtime.net();
    runtime.block_on(async {
        let listener = R::listener(&net, listener)?;
        loop {
            let stream = io(R::accept(&listener).await?);
            spawner.detach(async move {
                // An error means that the client has gone.
                let _ = http1::Builder::new()
                    .serve_connection(stream, service_fn(hello))
                    .await;
            });
        }
    })
}
