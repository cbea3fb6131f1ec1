//! `get URL`: a page, over a socket of the loop's own reactor.
//!
//! Redirects are not followed: an answer of another place than the one asked would have to say
//! so, and each hop is a new decision (https? another host? a loop?). The status and the place it
//! names are told, and the next line can ask there.

use std::fmt::Display;
use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::pin;

use futures::FutureExt;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response};
use reactor::TcpStream;

use super::reach::Reach;
use super::url::{self, Target};
use super::{Answer, Failure, into_text};
use crate::host::HostHandle;
use crate::program::escape::shortened;
use crate::program::quantity::grouped;

/// Fetches the page at `url`, if it has at most `limit` bytes and is UTF-8 text.
///
/// # Errors
/// A sentence that says how far it came: the URL, the name, the connection, the answer.
pub async fn get(
    handle: &HostHandle,
    url: &str,
    reach: &Reach,
    limit: usize,
) -> Result<Answer, Failure> {
    let target = url::parse(url)?;
    let mut addresses = look_up(handle, &target).await?;
    // The addresses and not the name: who owns a name may point it anywhere.
    addresses.retain(|address| reach.admits(address.ip()));
    if addresses.is_empty() {
        let host = shortened(&target.host);
        return Err(Failure(format!(
            "`{host}` is not on the public Internet; it is out of reach here"
        )));
    }
    let stream = connect(handle, &target, &addresses).await?;
    let (sender, connection) = http1::handshake(stream)
        .await
        .map_err(|error| broken(&target, &error))?;
    // Both halves live in this task: the one that speaks HTTP on the socket, and the one that
    // asks and listens. Dropping the task closes the connection.
    let mut connection = pin!(connection.fuse());
    let mut exchange = pin!(exchange(sender, &target, limit));
    poll_fn(|cx| {
        // What ends the connection is told to the exchange as well, in more useful words.
        let _ = connection.as_mut().poll(cx);
        exchange.as_mut().poll(cx)
    })
    .await
}

/// Addresses of the host. Name lookup is a blocking call of the C library, so it goes to the pool.
async fn look_up(handle: &HostHandle, target: &Target) -> Result<Vec<SocketAddr>, Failure> {
    let port = target.port;
    if let Ok(address) = target.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let host = target.host.clone();
    let lookup = handle.blocking(move || (host, port).to_socket_addrs().map(Iterator::collect));
    let unknown = |why: &dyn Display| {
        Failure(format!(
            "the host `{}` is not known: {why}",
            shortened(&target.host)
        ))
    };
    let addresses: Vec<SocketAddr> = match lookup.await {
        Ok(found) => found.map_err(|error| unknown(&error))?,
        Err(error) => return Err(unknown(&error)),
    };
    if addresses.is_empty() {
        Err(unknown(&"it has no address"))
    } else {
        Ok(addresses)
    }
}

/// Tries all addresses in the order the lookup gave them.
async fn connect(
    handle: &HostHandle,
    target: &Target,
    addresses: &[SocketAddr],
) -> Result<TcpStream, Failure> {
    let connected = TcpStream::connect_any(&handle.reactor, addresses.iter().copied()).await;
    let stream = connected.map_err(|error| {
        let place = format!("{} port {}", shortened(&target.host), target.port);
        Failure(match error.kind() {
            ErrorKind::ConnectionRefused => {
                format!("nobody listens at {place} (connection refused)")
            }
            _ => format!("no connection to {place}: {error}"),
        })
    })?;
    // Requests are one small write; waiting to send more with it would only delay it. A socket
    // that refuses the option works without.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

async fn exchange(
    mut sender: SendRequest<Empty<Bytes>>,
    target: &Target,
    limit: usize,
) -> Result<Answer, Failure> {
    let request = Request::get(&target.path)
        .header(HOST, &target.authority)
        .header(
            USER_AGENT,
            concat!("event-loop/", env!("CARGO_PKG_VERSION")),
        )
        .header(ACCEPT, "*/*")
        .body(Empty::new())
        .map_err(|error| broken(target, &error))?;
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| broken(target, &error))?;
    let status = response.status();
    if !status.is_success() {
        return Err(Failure(refusal(&response)));
    }
    let too_large = || {
        let limit = grouped(limit);
        Failure(format!(
            "the page has more than the limit of {limit} bytes (--max-content)"
        ))
    };
    let body = response.into_body();
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large()); // it says so itself: no need to fetch it
    }
    let bytes = match Limited::new(body, limit).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(too_large()),
        Err(error) => return Err(broken(target, &*error)),
    };
    let length = bytes.len();
    let text = into_text(bytes.into(), "the page")?;
    Ok(Answer::Text {
        http_status: Some(status.as_u16()),
        bytes: length,
        text,
    })
}

/// What a status other than success means to whoever asked.
fn refusal(response: &Response<Incoming>) -> String {
    let place = response
        .headers()
        .get(LOCATION)
        .and_then(|place| place.to_str().ok());
    match place {
        Some(place) if response.status().is_redirection() => {
            format!(
                "HTTP {}: it is at {} now (redirects are not followed)",
                response.status(),
                shortened(place)
            )
        }
        _ => format!("HTTP {}", response.status()),
    }
}

fn broken(target: &Target, error: &dyn std::error::Error) -> Failure {
    let mut message = format!(
        "{} does not speak HTTP as it should: {error}",
        shortened(&target.authority)
    );
    let mut source = error.source();
    while let Some(cause) = source {
        message.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    Failure(message)
}
