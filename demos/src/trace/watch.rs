//! `--watch ADDRESS`: the page, live, served by the very loop it shows.
//!
//! ```text
//! GET /         the page
//! GET /events   the events as they happen: server-sent events, the first line being the header
//! ```
//!
//! The server's own tasks, sources and timers are left out of the recording, and so is a turn in
//! which only they did something: or watching an idle loop would be a loop that is never idle.
//! Like the server of inputs it listens on the loop-back interface unless it is told otherwise,
//! and turns away pages of other sites.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{Either, Full};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use reactor::{TcpListener, TcpStream};
use timers::Sleep;

use super::feed::Feed;
use super::file::Header;
use super::html::PAGE;
use super::json;
use super::recorder::Recorder;
use crate::host::HostHandle;
use crate::server::answer::whole;
use crate::server::no_address;
use crate::server::origin;

/// How often somebody who watches is sent something when nothing happens.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How many connections at most.
const CONNECTIONS: usize = 64;

/// How long a request may take to come.
const SILENCE: Duration = Duration::from_secs(10);

/// How long the last events may take to reach those who watch.
const FAREWELL: Duration = Duration::from_secs(1);

/// What the server of the page needs.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The loop's recorder.
    pub recorder: Recorder,
    /// What is told of the recording.
    pub header: Header,
    /// The lines.
    pub feed: Arc<Feed>,
}

impl Watch {
    /// Starts to serve; gives the address as a URL. Beyond this machine only if `remote`.
    ///
    /// # Errors
    /// The operating system's, and an address that others can reach, without leave to.
    pub fn start(&self, handle: &HostHandle, address: &str, remote: bool) -> io::Result<String> {
        let recorder = self.recorder.clone();
        recorder.unseen(|| {
            let listener = TcpListener::bind(&handle.reactor, address).map_err(no_address)?;
            let bound = listener.local_addr()?;
            if !bound.ip().is_loopback() && !remote {
                let why = "others could reach this address, and see what is processed; \
                           if that is meant, say --watch-remote";
                return Err(io::Error::other(why));
            }
            let accept = accept(self.clone(), handle.clone(), listener);
            drop(handle.spawner.spawn_named("watch", accept));
            Ok(format!("http://{bound}/"))
        })
    }

    /// Waits for the first one who watches.
    pub async fn first_reader(&self) {
        poll_fn(|cx| self.feed.poll_first(cx)).await;
    }

    /// Lets those who watch see the last events, for a moment.
    pub async fn farewell(&self, handle: &HostHandle) {
        if self.feed.readers() == 0 {
            return;
        }
        // The last events have to come from the threads to the keeper, from there to the feed,
        // and over the wire; nobody tells when they have arrived.
        handle.timers.sleep(FAREWELL).await;
    }
}

async fn accept(watch: Watch, handle: HostHandle, listener: TcpListener) {
    let open = Arc::new(());
    loop {
        match listener.accept().await {
            Ok((stream, _)) if Arc::strong_count(&open) <= CONNECTIONS => {
                let served = serve(watch.clone(), handle.clone(), stream, Arc::clone(&open));
                drop(handle.spawner.spawn_named("watch", served));
            }
            Ok(_) => {} // one too many: closed
            Err(_) => handle.timers.sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn serve(watch: Watch, handle: HostHandle, stream: TcpStream, _open: Arc<()>) {
    let service = service_fn(|request| {
        let answer = answer(&watch, &handle, &request);
        async move { Ok::<_, Infallible>(answer) }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(handle.timers.clone())
        .header_read_timeout(SILENCE)
        .max_headers(100);
    // A client that breaks off is the client's affair.
    let _ = builder.serve_connection(stream, service).await;
}

type Answer = Response<Either<Full<Bytes>, Events>>;

fn answer(watch: &Watch, handle: &HostHandle, request: &Request<Incoming>) -> Answer {
    if let Err(refusal) = origin::admit(request, &[]) {
        return whole(refusal.status, "text/plain; charset=utf-8", refusal.message);
    }
    if request.method() != Method::GET {
        let message = "there is only GET\n";
        return whole(
            StatusCode::METHOD_NOT_ALLOWED,
            "text/plain; charset=utf-8",
            message,
        );
    }
    match request.uri().path() {
        "/" => whole(StatusCode::OK, "text/html; charset=utf-8", PAGE),
        "/events" => events(watch, handle, request),
        _ => whole(
            StatusCode::NOT_FOUND,
            "text/plain; charset=utf-8",
            "there are / and /events\n",
        ),
    }
}

fn events(watch: &Watch, handle: &HostHandle, request: &Request<Incoming>) -> Answer {
    let last = request.headers().get("last-event-id");
    let last = last.and_then(|last| last.to_str().ok()?.parse::<u64>().ok());
    watch.feed.open();
    let body = Events {
        watch: watch.clone(),
        handle: handle.clone(),
        next: last.map_or(0, |last| last.saturating_add(1)),
        threads: None,
        quiet: Box::pin(handle.timers.sleep(KEEP_ALIVE)),
    };
    let mut answer = Response::new(Either::Right(body));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// The events on their way to one who watches.
struct Events {
    watch: Watch,
    handle: HostHandle,
    /// The number of the next line.
    next: u64,
    /// How many threads the header named that was sent last.
    threads: Option<usize>,
    /// Until something has to be sent.
    quiet: Pin<Box<Sleep>>,
}

impl Events {
    /// The header, if there is none yet, or one that names all threads there are now.
    fn header(&mut self) -> Option<String> {
        let threads = self.watch.recorder.threads_from(0);
        if self.threads == Some(threads.len()) {
            return None;
        }
        self.threads = Some(threads.len());
        let names: Vec<&str> = threads.iter().map(String::as_str).collect();
        let line = json::first_line(&self.watch.header, &names, self.watch.feed.dropped());
        Some(format!("data: {line}\n"))
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        let text = if let Some(header) = this.header() {
            header
        } else if let Poll::Ready((text, next)) = this.watch.feed.poll_from(this.next, cx) {
            this.next = next;
            text
        } else if this.quiet.as_mut().poll(cx).is_ready() {
            ": keep-alive\n\n".to_owned()
        } else {
            return Poll::Pending;
        };
        this.quiet = Box::pin(this.handle.timers.sleep(KEEP_ALIVE));
        Poll::Ready(Some(Ok(Frame::data(text.into()))))
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.watch.feed.close();
    }
}
