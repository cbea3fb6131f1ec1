//! `event-loop serve`: the same session, over HTTP.
//!
//! ```text
//! POST /inputs        one or many lines; each output is sent as it becomes ready, as NDJSON
//!                     (or as server-sent events, if the client accepts text/event-stream)
//! GET  /outputs/{n}   the output of input n, if it is one of the last
//! GET  /metrics       counters, in the text format of Prometheus
//! GET  /healthz       200 while input is taken, 503 while the server drains
//! GET  /              a page to try it with
//! ```
//!
//! A request is a session: its body is the lines, its answer the display. So all that holds for
//! `run` holds here: the order of readiness, one output for each input, room that ends when the
//! client does not read, and `stop`, which ends the request's input. What is less: `read` stays
//! below a folder, and pages of other sites are turned away ([`origin`]). HTTP/1.1 and HTTP/2 (with
//! prior knowledge) come in at the same port.

mod activity;
pub mod answer;
pub mod connection;
mod guests;
pub mod inputs;
pub mod ledger;
pub mod limits;
pub mod origin;

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::task::Poll;
use std::time::Duration;

use futures::StreamExt;
use reactor::{TcpListener, TcpStream};

use crate::processing::Processing;
use crate::program::signals::{Signal, Signals};
use guests::{Guests, Place};
use ledger::Ledger;
use limits::Limits;

/// What all connections share.
pub struct Server {
    /// What requests are processed with, and on which loop.
    pub processing: Arc<Processing>,
    /// What is too much.
    pub limits: Limits,
    /// What was taken in and what came of it.
    pub ledger: Arc<Ledger>,
    /// The last number given to an input.
    numbers: Arc<AtomicU64>,
    /// Names it answers to, beside addresses and localhost.
    hosts: Vec<String>,
    guests: Guests,
}

impl Server {
    /// A server that does not listen yet.
    #[must_use]
    pub fn new(processing: Arc<Processing>, limits: Limits, hosts: Vec<String>) -> Arc<Self> {
        Arc::new(Self {
            processing,
            limits,
            ledger: Arc::new(Ledger::new(limits.kept_outputs)),
            numbers: Arc::default(),
            hosts,
            guests: Guests::default(),
        })
    }

    /// Serves until a signal comes, then lets what is in flight finish within the grace.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, mut signals: Signals) -> Drained {
        {
            let mut accept = pin!(self.accept(&listener));
            poll_fn(|cx| match signals.poll_next_unpin(cx) {
                Poll::Ready(signal) => Poll::Ready(signal.unwrap_or(Signal::Terminate)),
                Poll::Pending => accept.as_mut().poll(cx).map(|()| Signal::Terminate),
            })
            .await;
        }
        drop(listener); // refuses new connections while the old ones finish
        let undone_before = self.ledger.undone();
        self.close();
        // A second more than the sessions have, for their answers to be read.
        let grace = self.limits.grace + Duration::from_secs(1);
        let mut grace = pin!(self.processing.handle.timers.sleep(grace));
        let again = poll_fn(|cx| match signals.poll_next_unpin(cx) {
            Poll::Ready(Some(second)) => Poll::Ready(Some(second)),
            Poll::Ready(None) | Poll::Pending if self.guests.poll_empty(cx).is_ready() => {
                Poll::Ready(None)
            }
            Poll::Ready(None) | Poll::Pending => grace.as_mut().poll(cx).map(|()| None),
        })
        .await;
        Drained {
            again,
            connections: self.connections(),
            undone: self.ledger.undone_now() - undone_before,
        }
    }

    async fn accept(self: &Arc<Self>, listener: &TcpListener) {
        let spawner = &self.processing.handle.spawner;
        let welcome = |place, (stream, peer): (TcpStream, SocketAddr)| match place {
            Some(open) => {
                // Answers are written whole or as soon as they are ready: nothing to wait for.
                let _ = stream.set_nodelay(true);
                let served = connection::run(open, stream, peer.ip());
                drop(spawner.spawn_named("connection", served));
            }
            None => {
                let turned_away = connection::turn_away(stream);
                drop(spawner.spawn_named("turned away", turned_away));
            }
        };
        self.take_in(|| listener.accept(), welcome).await;
    }

    /// Takes connections in for ever: `next` waits for one, `welcome` is given each, with a place
    /// or, when there are too many, without.
    pub async fn take_in<S, F>(
        self: &Arc<Self>,
        mut next: impl FnMut() -> F,
        mut welcome: impl FnMut(Option<Open>, S),
    ) where
        F: Future<Output = io::Result<S>>,
    {
        loop {
            match next().await {
                Ok(stream) if self.connections() < self.limits.connections => {
                    welcome(Some(self.open()), stream);
                }
                Ok(stream) => welcome(None, stream),
                // Out of descriptors, or a client that gave up. The first is no reason to try
                // again at once, and neither is one to stop.
                Err(_) => {
                    let timers = &self.processing.handle.timers;
                    timers.sleep(Duration::from_millis(10)).await;
                }
            }
        }
    }

    /// Counts a connection as open until what it gives is dropped.
    #[must_use]
    pub fn open(self: &Arc<Self>) -> Open {
        Open {
            server: Arc::clone(self),
            place: self.guests.enter(),
        }
    }

    /// Connections that are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.guests.connections()
    }

    /// Tells every session and connection that it is time to end.
    pub fn close(&self) {
        self.guests.close();
    }

    /// Whether the server drains.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.guests.are_leaving()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A connection that is open, for the count of them; from [`Server::open`].
#[derive(Debug)]
pub struct Open {
    server: Arc<Server>,
    place: Place,
}

/// How a server's last moments went.
#[derive(Clone, Copy, Debug)]
pub struct Drained {
    /// The second signal, if one came.
    pub again: Option<Signal>,
    /// Connections that were left.
    pub connections: usize,
    /// Inputs that were left undone since the first signal.
    pub undone: u64,
}

/// Who asks: clients are told apart by their address.
pub type Client = IpAddr;

/// Binds the listener, and gives its address as a URL. Beyond this machine only if `remote`.
///
/// # Errors
/// The operating system's: the port is taken, or not allowed. And an address that others can
/// reach, without leave to.
pub fn listen(
    processing: &Processing,
    address: &str,
    remote: bool,
) -> io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind(&processing.handle.reactor, address);
    let listener = listener.map_err(no_address)?;
    let bound = listener.local_addr()?;
    if !bound.ip().is_loopback() && !remote {
        let why = "others could reach this address, and have files read and queries run; \
                   if that is meant, say --allow-remote";
        return Err(io::Error::other(why));
    }
    Ok((listener, format!("http://{bound}")))
}

/// What is no address at all is answered with what one looks like.
pub(crate) fn no_address(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::InvalidInput => {
            let like = "an address and a port, such as 127.0.0.1:8080";
            io::Error::other(format!("{error}; it should be {like}"))
        }
        _ => error,
    }
}
