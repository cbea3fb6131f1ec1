//! One connection: which HTTP it speaks, how long it may be silent, and how it ends.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io::{self, Write};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response, rt};
use reactor::TcpStream;
use timers::Sleep;

use super::activity::{Activity, Busy, Noted, Watched};
use super::answer::{AnswerBody, answer};
use super::{Client, Open, Server};

/// How HTTP/2 begins; no request of HTTP/1 begins so.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// Serves a connection to its end.
pub(super) async fn run(open: Open, stream: TcpStream, client: Client) {
    let server = Arc::clone(&open.server);
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
    let activity = Arc::new(Activity::default());
    let service = service_fn(|request| serve_request(&open, &activity, client, request));
    let mut watch = Watch::new(&open, &activity);
    let mut builder = http1::Builder::new();
    // Who has said all may close that direction and still listen.
    builder.half_close(true).max_headers(100);
    let transport = Noted {
        transport,
        activity: Arc::clone(&activity),
    };
    let mut connection = builder.serve_connection(transport, service);
    let ended = poll_fn(|cx| {
        if watch.poll_closing(cx).is_ready() {
            Pin::new(&mut connection).graceful_shutdown();
        }
        match activity.while_polled(cx, |cx| Pin::new(&mut connection).poll(cx)) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending => watch.poll_silent(cx).map(|()| false),
        }
    })
    .await;
    // Between two requests silence is no offence: such a connection just ends.
    (!ended && !activity.served()).then(|| connection.into_parts().io.transport)
}

async fn serve_http2(open: Open, stream: TcpStream, client: Client) {
    let activity = Arc::new(Activity::default());
    let service = service_fn(|request| serve_request(&open, &activity, client, request));
    let mut watch = Watch::new(&open, &activity);
    let transport = Noted {
        transport: stream,
        activity: Arc::clone(&activity),
    };
    let spawner = open.server.processing.handle.spawner.clone();
    let mut builder = http2::Builder::new(spawner);
    builder.max_concurrent_streams(1000);
    let mut connection = pin!(builder.serve_connection(transport, service));
    poll_fn(|cx| {
        if watch.poll_closing(cx).is_ready() {
            connection.as_mut().graceful_shutdown();
        }
        match activity.while_polled(cx, |cx| connection.as_mut().poll(cx)) {
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => watch.poll_silent(cx),
        }
    })
    .await;
}

/// The answer to a request; the connection is busy until it is sent.
fn serve_request(
    open: &Open,
    activity: &Arc<Activity>,
    client: Client,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<Watched<AnswerBody>>, Infallible>> + use<> {
    let busy = Busy::new(activity);
    let answer = answer(Arc::clone(&open.server), client, request);
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

/// The connection's clock: when it was last busy, and how long it may be silent.
struct Watch<'a> {
    open: &'a Open,
    activity: &'a Activity,
    /// Runs while no request is being answered.
    silence: Sleep,
    was_busy: bool,
    /// Was told that the server drains; until then, the waker that was left for it.
    told: bool,
    left: Option<Waker>,
}

impl<'a> Watch<'a> {
    fn new(open: &'a Open, activity: &'a Activity) -> Self {
        let server = &open.server;
        Self {
            open,
            activity,
            silence: server.processing.handle.timers.sleep(server.limits.silence),
            was_busy: false,
            told: false,
            left: None,
        }
    }

    /// Ready once, when the server drains.
    fn poll_closing(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.told
            || self
                .open
                .place
                .poll_closing(&mut self.left, cx)
                .is_pending()
        {
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
        if self.activity.is_busy() {
            self.was_busy = true;
            return Poll::Pending;
        }
        let wrote = self.activity.wrote();
        if std::mem::take(&mut self.was_busy) || wrote {
            // From the beginning of the turn, which is near enough and costs no look at the clock.
            self.silence.postpone(self.open.server.limits.silence);
        }
        Pin::new(&mut self.silence).poll(cx)
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
