//! The grammar of `get URL`: what a URL must be for this program to fetch it.
//!
//! Plain HTTP only. TLS is a subject of its own, and a program that teaches a loop would hide
//! behind it; a `https` URL gets an error that says so instead of a fetch that is not secure.

use hyper::Uri;

use super::Failure;
use crate::program::escape::shortened;

/// Where to connect, and what to ask for there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A name or an address; an IPv6 address without its brackets.
    pub host: String,
    /// 80 unless the URL says otherwise.
    pub port: u16,
    /// The `Host` header.
    pub authority: String,
    /// Path and query; `/` if there is none. What follows a `#` never leaves the client.
    pub path: String,
}

/// Reads a URL.
///
/// # Errors
/// A sentence that says what is wrong with it.
///
/// ```
/// use demos::processing::url::Target;
/// let target = demos::processing::url::parse("http://localhost:8080/a?b#c").unwrap();
/// assert_eq!((target.host.as_str(), target.port), ("localhost", 8080));
/// assert_eq!(target.path, "/a?b");
/// ```
pub fn parse(url: &str) -> Result<Target, Failure> {
    let shown = format!("`{}`", shortened(url));
    let fail = |what: &str| Err(Failure(format!("{shown} {what}")));
    if url.contains(char::is_whitespace) {
        return fail("has a blank in it; write it as %20");
    }
    let Ok(uri) = url.parse::<Uri>() else {
        return fail("is not a URL; write for example http://127.0.0.1:8080/page");
    };
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => {
            return fail("needs TLS, which this program leaves out; use a http:// URL");
        }
        Some(_) => return fail("is not a http:// URL"),
        None => return fail("does not begin with http://"),
    }
    let Some(authority) = uri.authority() else {
        return fail("names no host");
    };
    if authority.as_str().contains('@') {
        return fail("has a user name in it, which plain HTTP would send for all to read");
    }
    let host = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']');
    if host.is_empty() {
        return fail("names no host");
    }
    let port = match authority
        .as_str()
        .strip_prefix(authority.host())
        .unwrap_or_default()
    {
        "" | ":" => 80,
        _ => match authority.port_u16() {
            Some(0) | None => return fail("has a port that is none; ports are 1 to 65535"),
            Some(port) => port,
        },
    };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let path = if path.starts_with('?') {
        format!("/{path}")
    } else {
        path.to_owned()
    };
    let authority = authority.as_str().trim_end_matches(':').to_owned();
    Ok(Target {
        host: host.to_owned(),
        port,
        authority,
        path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        let parts = |url: &str| {
            let target = parse(url).unwrap_or_else(|failure| panic!("{url}: {failure}"));
            (target.host, target.port, target.authority, target.path)
        };
        let is = |host: &str, port, authority: &str, path: &str| {
            (host.to_owned(), port, authority.to_owned(), path.to_owned())
        };
        assert_eq!(parts("http://h"), is("h", 80, "h", "/"));
        assert_eq!(
            parts("http://h:81/a/b?c=d#e"),
            is("h", 81, "h:81", "/a/b?c=d")
        );
        assert_eq!(parts("HTTP://h:/"), is("h", 80, "h", "/"));
        assert_eq!(
            parts("http://[::1]:8080/"),
            is("::1", 8080, "[::1]:8080", "/")
        );
        assert_eq!(parts("http://h?q"), is("h", 80, "h", "/?q"));
    }

    #[test]
    fn bad_urls_say_what_is_wrong() {
        for (url, message) in [
            (
                "https://h/",
                "`https://h/` needs TLS, which this program leaves out; use a http:// URL",
            ),
            ("ftp://h/", "`ftp://h/` is not a http:// URL"),
            ("example.org", "`example.org` does not begin with http://"),
            ("/path", "`/path` does not begin with http://"),
            (
                "http://",
                "`http://` is not a URL; write for example http://127.0.0.1:8080/page",
            ),
            (
                "http:///x",
                "`http:///x` is not a URL; write for example http://127.0.0.1:8080/page",
            ),
            (
                "http://h:0/",
                "`http://h:0/` has a port that is none; ports are 1 to 65535",
            ),
            (
                "http://h:99999/",
                "`http://h:99999/` has a port that is none; ports are 1 to 65535",
            ),
            (
                "http://a b/",
                "`http://a b/` has a blank in it; write it as %20",
            ),
            (
                "http://me:secret@h/",
                "`http://me:secret@h/` has a user name in it, which plain HTTP would send \
                 for all to read",
            ),
        ] {
            assert_eq!(
                parse(url).map_err(|failure| failure.0),
                Err(message.to_owned())
            );
        }
    }
}
