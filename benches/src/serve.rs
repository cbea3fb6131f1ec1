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
use crate::peers;
use crate::runtime::{Local, LocalNet, LocalSpawn};
use crate::workload::{Invalid, OURS};
use crate::workloads::echo_inproc;

/// A server, given its listener and bytes for each connection's buffer; it runs until it is killed.
type Server = fn(TcpListener, usize) -> Result<(), Invalid>;

/// Servers that send back whatever comes, by name.
pub const ECHO: &[(&str, Server)] = &[
    (OURS, echo_on::<peers::ours::EventLoop>),
    (LENT, echo_lent),
    ("bare", |listener, buffer| {
        peers::bare::echo_server(&listener, buffer, false)
    }),
    ("bare-shared", |listener, buffer| {
        peers::bare::echo_server(&listener, buffer, true)
    }),
    (BARE_CLOSING, |listener, buffer| {
        peers::bare_closing::echo_server(&listener, buffer)
    }),
    ("tokio", echo_on::<peers::tokio::WithDrivers>),
    ("smol", echo_on::<peers::smol::WithReactor>),
    #[cfg(feature = "monoio")]
    ("monoio", echo_on::<peers::monoio::Epoll>),
    #[cfg(feature = "monoio")]
    ("monoio-uring", echo_on::<peers::monoio::Uring>),
    #[cfg(feature = "glommio")]
    ("glommio", echo_on::<peers::glommio::OneThread>),
    #[cfg(feature = "compio")]
    ("compio", echo_on::<peers::compio::OneThread>),
];

/// Servers that answer every request with [`HELLO`] through hyper, by name.
pub const HTTP: &[(&str, Server)] = &[
    (OURS, |listener, _| {
        http_on::<peers::ours::EventLoop, _>(listener, |stream| stream.0)
    }),
    ("tokio", |listener, _| {
        http_on::<peers::tokio::WithDrivers, _>(listener, |s| TokioIo::new(s.0))
    }),
];

/// Runs the server of that name until it is killed, with `buffer` bytes for each connection.
///
/// # Errors
/// When the name is unknown or the server cannot start.
pub fn run(servers: &[(&str, Server)], name: &str, buffer: usize) -> Result<(), Invalid> {
    let (_, server) = servers
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| Invalid(format!("no server is called {name}")))?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    // std's queue of 128 overflows when thousands connect and another job has this core.
    rustix::net::listen(&listener, 4_096).map_err(std::io::Error::from)?;
    listener.set_nonblocking(true)?;
    say("ready", listener.local_addr()?)?;
    server(listener, buffer)
}

/// What [`ECHO`] calls the bare server that lets connections go.
pub const BARE_CLOSING: &str = "bare-closing";

/// What [`ECHO`] calls ours with buffers that connections borrow while there is something in them.
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
