//! Which request gets which answer.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use http_body_util::{Either, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER,
    TRANSFER_ENCODING,
};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Version};

use super::inputs::{self, Outputs};
use super::ledger::Format;
use super::limits::Refusal;
use super::{Client, Server, origin};

/// The body of an answer: whole, or sent as it becomes ready.
pub type AnswerBody = Either<Full<Bytes>, Outputs>;

/// An answer.
pub type Answer = Response<AnswerBody>;

/// A page to try the server with; it needs nothing from elsewhere.
const PAGE: &str = include_str!("page.html");

/// Answers one request. Never fails: what is wrong is an answer too.
///
/// # Errors
/// None.
pub async fn answer(
    server: Arc<Server>,
    client: Client,
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    let http1 = request.version() <= Version::HTTP_11;
    let unread = !request.body().is_end_stream();
    let answer = framing(&request).and_then(|()| route(&server, client, request));
    server.ledger.request(answer.is_err());
    Ok(answer.unwrap_or_else(|refusal| {
        let mut answer = refused(&refusal);
        if http1 && (refusal.status == StatusCode::BAD_REQUEST || unread) {
            // Who wrote a bad request may mean something else by what follows as well; and a body
            // that was not read is in the way of the next request.
            let close = HeaderValue::from_static("close");
            answer.headers_mut().insert(CONNECTION, close);
        }
        answer
    }))
}

/// Turns away what another server could take to end elsewhere: between two that disagree, a second
/// request can be smuggled. hyper sees to lengths that contradict each other; a coding beside
/// `chunked`, or twice, it lets pass if the last one is `chunked`.
fn framing<B>(request: &Request<B>) -> Result<(), Refusal> {
    let mut codings = request.headers().get_all(TRANSFER_ENCODING).iter();
    let plain = codings
        .next()
        .is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    if plain && codings.next().is_none() {
        return Ok(());
    }
    let message = "the only transfer coding is chunked, once";
    Err(Refusal::new(StatusCode::BAD_REQUEST, message))
}

fn route(
    server: &Arc<Server>,
    client: Client,
    request: Request<Incoming>,
) -> Result<Answer, Refusal> {
    origin::admit(&request, &server.hosts)?;
    let path = request.uri().path();
    let allowed = if path == "/inputs" {
        Method::POST
    } else {
        Method::GET
    };
    let number = path.strip_prefix("/outputs/");
    let known = matches!(path, "/" | "/inputs" | "/metrics" | "/healthz") || number.is_some();
    if known && *request.method() != allowed {
        let message = format!("{path} takes {allowed}");
        return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message));
    }
    match (path, number) {
        ("/", _) => Ok(whole(StatusCode::OK, "text/html; charset=utf-8", PAGE)),
        ("/inputs", _) => post_inputs(server, client, request),
        ("/metrics", _) => {
            let metrics = server.ledger.metrics(server.connections());
            Ok(whole(
                StatusCode::OK,
                "text/plain; version=0.0.4; charset=utf-8",
                metrics,
            ))
        }
        ("/healthz", _) if server.is_closing() => {
            Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "draining"))
        }
        ("/healthz", _) => Ok(whole(StatusCode::OK, TEXT, "ok\n")),
        (_, Some(number)) => output(server, number),
        _ => {
            let message = "there are /inputs, /outputs/{n}, /metrics, /healthz and /";
            Err(Refusal::new(StatusCode::NOT_FOUND, message))
        }
    }
}

fn post_inputs(
    server: &Arc<Server>,
    client: Client,
    request: Request<Incoming>,
) -> Result<Answer, Refusal> {
    if server.is_closing() {
        return Err(Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "I take no more input",
        ));
    }
    let (all, of_client) = server.ledger.in_flight(client);
    server
        .limits
        .admit(all, of_client, request.body().size_hint().exact())?;
    let format = format_for(request.headers());
    let outputs = inputs::start(server, client, format, request.into_body());
    let mut answer = Response::new(Either::Right(outputs));
    let kind = match format {
        Format::Lines => "application/x-ndjson",
        Format::Events => "text/event-stream",
    };
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

fn format_for(headers: &HeaderMap) -> Format {
    let mut accepted = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let events = accepted.any(|value| value.contains("text/event-stream"));
    if events {
        Format::Events
    } else {
        Format::Lines
    }
}

fn output(server: &Server, number: &str) -> Result<Answer, Refusal> {
    let Ok(number) = number.parse::<u64>() else {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "write for example /outputs/7",
        ));
    };
    if let Some(json) = server.ledger.output(number) {
        return Ok(whole(StatusCode::OK, "application/json", json));
    }
    let last = server.numbers.load(Ordering::Relaxed);
    let message = if number == 0 || number > last {
        format!("there is no input {number}; the last one is {last}")
    } else {
        let kept = server.limits.kept_outputs;
        format!("output {number} is not ready, or no longer one of the last {kept}")
    };
    Err(Refusal::new(StatusCode::NOT_FOUND, message))
}

const TEXT: &str = "text/plain; charset=utf-8";

/// An answer that is there at once, beside those that come in pieces (`S`).
pub(crate) fn whole<S>(
    status: StatusCode,
    kind: &'static str,
    body: impl Into<Bytes>,
) -> Response<Either<Full<Bytes>, S>> {
    let mut answer = Response::new(Either::Left(Full::new(body.into())));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

fn refused(refusal: &Refusal) -> Answer {
    let mut answer = whole(refusal.status, TEXT, format!("{}\n", refusal.message));
    let headers = answer.headers_mut();
    match refusal.status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
        }
        _ => {}
    }
    answer
}
