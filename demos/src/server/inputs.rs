//! `POST /inputs`: a session whose lines are the request's body, and whose display is the answer.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::SinkExt;
use futures::channel::mpsc;
use futures::future::join;
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming};

use super::ledger::{Bookkeeper, Format};
use super::limits::Limits;
use super::{Client, Server};
use crate::host::HostHandle;
use crate::program::display::Display;
use crate::program::lines::{Line, Lines};
use crate::program::session::{End, Ends, Session, Settings};

/// How many lines of a body may be waiting to be taken in.
const WAITING: usize = 64;

/// Starts a session, and gives the body of its answer.
pub(super) fn start(
    server: &Arc<Server>,
    client: Client,
    format: Format,
    body: Incoming,
) -> Outputs {
    let display = Display::default();
    let handle = server.processing.handle.clone();
    let (lines, incoming) = mpsc::channel(WAITING);
    let reader = read(handle.clone(), server.limits, body, lines);
    let settings = Settings {
        trace: false,
        limit: server.limits.in_flight_of_request,
        max_line: server.limits.line,
        grace: None, // a request's end is no order to hurry
        grace_if_told: server.limits.grace,
    };
    let (place, signals) = server.guests.begin_session();
    let ends = Ends {
        incoming,
        signals,
        render: Bookkeeper::new(Arc::clone(&server.ledger), client, format),
        display: display.clone(),
        numbers: Arc::clone(&server.numbers),
    };
    let session = Session::new(Arc::clone(&server.processing), settings, ends);
    let shown = display.clone();
    let heartbeat = beat(
        handle.clone(),
        server.limits.heartbeat,
        format,
        display.clone(),
    );
    drop(handle.spawner.spawn_named("session", async move {
        // Polled beside the session, so that it ends with it.
        let (session, reader) = (pin!(session.run()), pin!(join(reader, heartbeat)));
        if let Some(last_word) = beside(session, reader).await {
            shown.show(&format.line(&last_word));
        }
        shown.complete();
        drop(place);
    }));
    Outputs(display)
}

/// Sends something that means nothing, now and then.
///
/// A client that closed its side may be gone, or may have said all and be listening: to us both
/// look the same. Only writing tells, and an input may take an hour.
async fn beat(handle: HostHandle, every: Duration, format: Format, display: Display) {
    let meaningless = match format {
        Format::Lines => "\n",
        Format::Events => ":\n\n", // a comment
    };
    loop {
        handle.timers.sleep(every).await;
        // If the client does not even read what there is, more of it tells nothing.
        std::future::poll_fn(|cx| display.poll_written(cx)).await;
        display.show(meaningless);
    }
}

/// Runs both until the session ends; what is to be said of the end, if it was no good one.
async fn beside(
    mut session: Pin<&mut impl Future<Output = End>>,
    mut others: Pin<&mut impl Future>,
) -> Option<String> {
    let end = std::future::poll_fn(|cx| {
        // Never ready: there is no last heartbeat.
        let _ = others.as_mut().poll(cx);
        session.as_mut().poll(cx)
    })
    .await;
    match end {
        End::Broken(_, error) => Some(error_line(&error.to_string())),
        // Nobody is there to be told, or it was told.
        End::Finished(_) | End::Unheard(..) | End::Interrupted(..) => None,
    }
}

fn error_line(message: &str) -> String {
    let message = serde_json::Value::from(message);
    format!("{{\"event\":\"error\",\"error\":{message}}}\n")
}

/// The body as lines; ends with an error when it is too large, stands still or breaks off.
async fn read(
    handle: HostHandle,
    limits: Limits,
    mut body: Incoming,
    mut sender: mpsc::Sender<io::Result<Line>>,
) {
    let mut lines = Lines::new(limits.line);
    let (mut bytes, mut ready) = (0, Vec::new());
    loop {
        let frame = handle.timers.timeout(limits.silence, body.frame()).await;
        let more = match frame {
            Ok(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    bytes += data.len() as u64;
                    lines.push(data, |line| ready.push(Ok(line)));
                }
                (bytes <= limits.body)
                    .then_some(())
                    .ok_or("the body has more bytes than the limit")
            }
            Ok(None) => {
                lines.finish(|line| ready.push(Ok(line)));
                Err("")
            }
            Ok(Some(Err(_))) => Err("the body broke off"),
            Err(_elapsed) => Err("the body stood still for too long"),
        };
        if let Err(why) = more
            && !why.is_empty()
        {
            ready.push(Err(io::Error::other(why)));
        }
        for line in ready.drain(..) {
            if sender.send(line).await.is_err() {
                return; // no more input is wanted
            }
        }
        if more.is_err() {
            return;
        }
    }
}

/// The outputs on their way to the client. Dropped early, the session is told that nobody hears.
pub struct Outputs(Display);

impl Body for Outputs {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        // Asked for more, so the connection had room for what it took before.
        self.0.sent();
        let bytes = ready!(self.0.poll_take(cx));
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes.into()))))
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        self.0.broke(io::ErrorKind::BrokenPipe.into());
    }
}
