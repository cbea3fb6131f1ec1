//! One connection: which HTTP it speaks, how long it may be silent, and how it ends.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io::{self, Write};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use executor::LocalSpawner;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response, rt};
use reactor::TcpStream;
use timers::LocalSleep;

use super::answer::{AnswerBody, answer};
use super::{Client, Open, Server};

/// How HTTP/2 begins; no request of HTTP/1 begins so.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// Serves a connection to its end.
pub(super) async fn run(open: Open, stream: TcpStream, client: Client) {
    let server = Rc::clone(&open.server);
    let timers = &server.processing.handle.timers;
    let speaks = timers
        .timeout(server.limits.silence, speaks_http2(&server, &stream))
        .await;
    match speaks {
        Ok(Ok(true)) => serve_http2(open, stream, client).await,
        Ok(Ok(false)) => {
            if let Some(silent) = serve_http1(open, stream, client).await {
                time_out(&silent).await;
            }
        }
        Ok(Err(_)) | Err(_) => time_out(&stream).await,
    }
}

/// Serves HTTP/1.1 on any transport. Gives it back if no request came in time.
pub async fn serve_http1<T>(open: Open, transport: T, client: Client) -> Option<T>
where
    T: rt::Read + rt::Write + Unpin + 'static,
{
    let activity = Rc::new(Activity::default());
    let service = service_fn(|request| serve_request(&open, &activity, client, request));
    let mut watch = Watch::new(&open.server, &activity);
    let mut builder = http1::Builder::new();
    // Who has said all may close that direction and still listen.
    builder.half_close(true).max_headers(100);
    let transport = Noted {
        transport,
        activity: Rc::clone(&activity),
    };
    let mut connection = builder.serve_connection(transport, service);
    let ended = poll_fn(|cx| {
        if watch.poll_closing(cx).is_ready() {
            Pin::new(&mut connection).graceful_shutdown();
        }
        match Pin::new(&mut connection).poll(cx) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending => watch.poll_silent(cx).map(|()| false),
        }
    })
    .await;
    // Between two requests silence is no offence: such a connection just ends.
    (!ended && !watch.served).then(|| connection.into_parts().io.transport)
}

async fn serve_http2(open: Open, stream: TcpStream, client: Client) {
    let activity = Rc::new(Activity::default());
    let service = service_fn(|request| serve_request(&open, &activity, client, request));
    let mut watch = Watch::new(&open.server, &activity);
    let transport = Noted {
        transport: stream,
        activity: Rc::clone(&activity),
    };
    let spawner = Spawn(open.server.processing.handle.spawner.clone());
    let mut builder = http2::Builder::new(spawner);
    builder.max_concurrent_streams(1000);
    let mut connection = pin!(builder.serve_connection(transport, service));
    poll_fn(|cx| {
        if watch.poll_closing(cx).is_ready() {
            connection.as_mut().graceful_shutdown();
        }
        match connection.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => watch.poll_silent(cx),
        }
    })
    .await;
}

/// The answer to a request; the connection is busy until it is sent.
fn serve_request(
    open: &Open,
    activity: &Rc<Activity>,
    client: Client,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<Watched<AnswerBody>>, Infallible>> + use<> {
    let busy = Busy::new(activity);
    let answer = answer(Rc::clone(&open.server), client, request);
    async move {
        answer
            .await
            .map(|answer| answer.map(|body| Watched { body, busy }))
    }
}

/// Looks at the first bytes without taking them.
async fn speaks_http2(server: &Server, stream: &TcpStream) -> io::Result<bool> {
    loop {
        let mut start = [0; PREFACE.len()];
        let length = stream.peek(&mut start).await?;
        if length == 0 {
            return Ok(false); // hyper will find the end
        }
        if !PREFACE.starts_with(&start[..length]) {
            return Ok(false);
        }
        if length == PREFACE.len() {
            return Ok(true);
        }
        // `P` may become `PRI` or `POST`. What was peeked at stays readable, so waiting for
        // readiness would not wait; a client that sends single bytes can wait for a timer.
        server
            .processing
            .handle
            .timers
            .sleep(Duration::from_millis(5))
            .await;
    }
}

/// The requests that are being answered.
#[derive(Default)]
struct Activity {
    busy: Cell<u32>,
    /// Something was written since the last look: an answer that is ready may take a slow client
    /// longer than silence may last.
    wrote: Cell<bool>,
    /// The connection, while it is busy: with HTTP/2 an answer may end in another task.
    connection: Cell<Option<Waker>>,
}

/// The connection's clock: when it was last busy, and how long it may be silent.
struct Watch<'a> {
    server: &'a Server,
    activity: &'a Activity,
    /// Runs while no request is being answered.
    silence: LocalSleep,
    was_busy: bool,
    /// There was a request at all.
    served: bool,
    told: bool,
}

impl<'a> Watch<'a> {
    fn new(server: &'a Server, activity: &'a Activity) -> Self {
        let silence = server.processing.handle.timers.sleep(server.limits.silence);
        Self {
            server,
            activity,
            silence,
            was_busy: false,
            served: false,
            told: false,
        }
    }

    /// Ready once, when the server drains.
    fn poll_closing(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.told || self.server.poll_closing(cx).is_pending() {
            return Poll::Pending;
        }
        self.told = true;
        Poll::Ready(())
    }

    /// Ready when no request came, or none was complete, for too long.
    ///
    /// A request counts from the end of its head to the end of its answer: bytes of a head that
    /// comes in drops do not.
    fn poll_silent(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.activity.busy.get() > 0 {
            (self.was_busy, self.served) = (true, true);
            self.activity.connection.set(Some(cx.waker().clone()));
            return Poll::Pending;
        }
        let wrote = self.activity.wrote.take();
        if std::mem::take(&mut self.was_busy) || wrote {
            self.silence.reset_after(self.server.limits.silence);
        }
        Pin::new(&mut self.silence).poll(cx)
    }
}

/// A transport that notes when something was written.
struct Noted<T> {
    transport: T,
    activity: Rc<Activity>,
}

impl<T: rt::Read + Unpin> rt::Read for Noted<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        cursor: rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_read(cx, cursor)
    }
}

impl<T: rt::Write + Unpin> rt::Write for Noted<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.transport).poll_write(cx, bytes);
        self.activity
            .wrote
            .set(self.activity.wrote.get() || written.is_ready());
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.transport).poll_write_vectored(cx, slices);
        self.activity
            .wrote
            .set(self.activity.wrote.get() || written.is_ready());
        written
    }
}

/// The body of an answer; the connection is busy until it is sent.
struct Watched<B> {
    body: B,
    #[expect(dead_code, reason = "held for its drop")]
    busy: Busy,
}

impl<B: Body + Unpin> Body for Watched<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A request that is being answered.
struct Busy(Rc<Activity>);

impl Busy {
    fn new(activity: &Rc<Activity>) -> Self {
        activity.busy.set(activity.busy.get() + 1);
        Self(Rc::clone(activity))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.set(self.0.busy.get() - 1);
        if let Some(connection) = self.0.connection.take() {
            connection.wake(); // its silence begins
        }
    }
}

async fn time_out(stream: &TcpStream) {
    last_words(stream, "408 Request Timeout", "no request came in time").await;
}

/// For one connection too many.
pub(super) async fn turn_away(stream: TcpStream) {
    last_words(&stream, "503 Service Unavailable", "too many connections").await;
}

/// An answer that needs no request. As it is short and the first, it fits the socket's buffer.
async fn last_words(stream: &TcpStream, status: &str, message: &str) {
    let length = message.len() + 1;
    let text = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{message}\n"
    );
    let _ = stream
        .write_with(|mut socket| socket.write_all(text.as_bytes()))
        .await;
    let _ = stream.shutdown(std::net::Shutdown::Both);
}

/// hyper's way to start tasks, for HTTP/2.
#[derive(Clone)]
struct Spawn(LocalSpawner<'static>);

impl<F> rt::Executor<F> for Spawn
where
    F: Future + 'static,
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        drop(self.0.spawn(future));
    }
}
