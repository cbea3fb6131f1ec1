//! The page with recordings in it: one file that needs nothing else, not even a network.

use super::json;
use super::reader::Trace;

/// The page, as it is built in `page/`.
pub const PAGE: &str = include_str!("../../page/built/page.html");

/// What is replaced by a recording.
const PLACE: &str = "/*TRACE*/";

/// Around it.
const OPENING: &str = "<script";
const CLOSING: &str = "</script>";

/// The page with these recordings: one opens at once, several are a gallery.
#[must_use]
pub fn page(traces: &[Trace<'_>]) -> String {
    let at = PAGE.find(PLACE).unwrap_or(PAGE.len());
    // The whole element around the place is repeated.
    let begin = PAGE[..at].rfind(OPENING).unwrap_or(at);
    let end = PAGE[at..]
        .find(CLOSING)
        .map_or(PAGE.len(), |end| at + end + CLOSING.len());
    let (before, element, after) = (&PAGE[..begin], &PAGE[begin..end], &PAGE[end..]);
    let mut whole = before.to_owned();
    for trace in traces {
        // In a script element only `<` could mean anything to a browser: the end of the element,
        // or a comment. In JSON it stands in texts alone, and there it has another spelling.
        let lines = json::lines(trace).replace('<', "\\u003c");
        whole.push_str(&element.replacen(PLACE, &lines, 1));
    }
    whole.push_str(after);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_one_place() {
        assert_eq!(PAGE.matches(PLACE).count(), 1);
        let before = &PAGE[..PAGE.find(PLACE).unwrap()];
        let element = &before[before.rfind(OPENING).unwrap()..];
        assert!(element.contains("application/x-ndjson"), "{element}");
    }
}
