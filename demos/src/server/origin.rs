//! Who may ask: not a web page that somebody else wrote.
//!
//! A browser on this machine reaches 127.0.0.1, and runs the pages of strangers. Two things tell
//! them apart from a user. A page of another site has another `Origin` than our host. And a page
//! whose *name* was pointed at 127.0.0.1 after it was loaded (DNS rebinding) is of our origin by
//! its own account, but calls us by that name: so only addresses, `localhost` and names given
//! with `--host` are taken for our own.

use std::net::IpAddr;

use hyper::header::{HOST, ORIGIN};
use hyper::http::uri::Authority;
use hyper::{Request, StatusCode};

use super::limits::Refusal;

/// Lets a request in if it calls us by a name of ours, and comes from no other site's page.
///
/// # Errors
/// The refusal.
pub fn admit<B>(request: &Request<B>, our_names: &[String]) -> Result<(), Refusal> {
    let refuse = |status, message: &str| Err(Refusal::new(status, message));
    let header = |name| {
        request
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap_or("?"))
    };
    // HTTP/2 has it in the URI.
    let called = request
        .uri()
        .authority()
        .map(Authority::as_str)
        .or(header(HOST));
    let Some(called) = called else {
        return refuse(StatusCode::BAD_REQUEST, "the request names no host");
    };
    if !called
        .parse::<Authority>()
        .is_ok_and(|called| is_ours(called.host(), our_names))
    {
        let message = "I answer to addresses, to localhost, and to names given with --host";
        return refuse(StatusCode::MISDIRECTED_REQUEST, message);
    }
    match header(ORIGIN) {
        None => Ok(()), // no browser, or a page of ours that only reads
        Some(origin)
            if origin
                .split_once("://")
                .is_some_and(|(_, from)| from == called) =>
        {
            Ok(())
        }
        Some(_) => refuse(StatusCode::FORBIDDEN, "pages of other sites may not ask me"),
    }
}

fn is_ours(host: &str, our_names: &[String]) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let mut names = our_names.iter().map(String::as_str).chain(["localhost"]);
    bare.parse::<IpAddr>().is_ok() || names.any(|name| name.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(host: Option<&str>, origin: Option<&str>) -> u16 {
        let mut request = Request::post("/inputs");
        for (name, value) in [(HOST, host), (ORIGIN, origin)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let request = request.body(()).expect("a request");
        admit(&request, &["box.example".to_owned()]).map_or_else(|no| no.status.as_u16(), |()| 200)
    }

    #[test]
    fn by_which_name() {
        for host in [
            "127.0.0.1:8080",
            "[::1]:8080",
            "localhost",
            "LOCALHOST:1",
            "Box.example:80",
        ] {
            assert_eq!(status(Some(host), None), 200, "{host}");
        }
        for host in [
            "rebound.example:8080",
            "localhost.example",
            "",
            "a b",
            "x@127.0.0.1.example",
        ] {
            assert_eq!(status(Some(host), None), 421, "{host}");
        }
        assert_eq!(status(None, None), 400);
    }

    #[test]
    fn from_which_page() {
        let ours = Some("127.0.0.1:8080");
        assert_eq!(status(ours, Some("http://127.0.0.1:8080")), 200);
        for origin in [
            "http://evil.example",
            "null",
            "http://127.0.0.1:9090",
            "127.0.0.1:8080",
            "é",
        ] {
            assert_eq!(status(ours, Some(origin)), 403, "{origin}");
        }
    }
}
