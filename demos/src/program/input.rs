//! The grammar of one input: a word, and what it needs.
//!
//! ```text
//! sleep DURATION    300ms, 1.5s, 2m: up to 365d
//! read PATH         the rest of the line is the path, blanks inside it included
//! query SQL         one statement that only reads
//! get URL           http only
//! stop              take no more input
//! ```
//!
//! Blanks around the line are ignored. A line that begins with `#` is a comment: it takes no
//! number. An empty line is an input, and a bad one: where lines come out of a script it is more
//! often a variable that was empty than somebody's wish for a gap.

use std::fmt;
use std::time::Duration;

use super::escape::shortened;
use super::quantity::{BadQuantity, parse_duration};

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Something to process.
    Process(Request),
    /// Take no more input.
    Stop,
}

/// What is to be processed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Wait, without anything else waiting.
    Sleep(Duration),
    /// Read a file from the disk.
    Read(String),
    /// Ask the database.
    Query(String),
    /// Fetch a page.
    Get(String),
}

/// The words there are, each with an example of its use.
const WORDS: [(&str, &str); 5] = [
    ("sleep", "sleep 300ms"),
    ("read", "read Cargo.toml"),
    ("query", "query select name from planets"),
    ("get", "get http://127.0.0.1:8080/"),
    ("stop", "stop"),
];

/// Why a line is not an input. Its `Display` says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadInput {
    /// Nothing in the line.
    Empty,
    /// The first word is none that is known; the one it resembles, if any.
    UnknownWord(String, Option<&'static str>),
    /// The word stands alone and needs an argument; an example.
    MissingArgument(&'static str, &'static str),
    /// The word needs no argument but has one.
    Surplus(&'static str, String),
    /// The duration of a `sleep` is none.
    Duration(BadQuantity),
}

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the line is empty; write for example `sleep 300ms`"),
            Self::UnknownWord(word, Some(likely)) => {
                write!(f, "`{word}` is not a word I know; did you mean `{likely}`?")
            }
            Self::UnknownWord(word, None) => {
                write!(
                    f,
                    "`{word}` is not a word I know; use one of sleep, read, query, get, stop"
                )
            }
            Self::MissingArgument(word, example) => {
                write!(
                    f,
                    "`{word}` needs something behind it; write for example `{example}`"
                )
            }
            Self::Surplus(word, rest) => write!(f, "`{word}` stands alone; take away `{rest}`"),
            Self::Duration(bad) => bad.fmt(f),
        }
    }
}

impl std::error::Error for BadInput {}

/// Whether the line is a comment, which is no input and takes no number.
#[must_use]
pub fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// Reads one line.
///
/// # Errors
/// [`BadInput`], with the offending word and an example in it.
///
/// ```
/// use demos::program::input::{Input, Request, parse};
/// let read = Request::Read("my notes.txt".into());
/// assert_eq!(parse("read my notes.txt"), Ok(Input::Process(read)));
/// assert_eq!(parse("slep 2s").unwrap_err().to_string(),
///     "`slep` is not a word I know; did you mean `sleep`?");
/// ```
pub fn parse(line: &str) -> Result<Input, BadInput> {
    let line = line.trim();
    if line.is_empty() {
        return Err(BadInput::Empty);
    }
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim_start();
    let Some(&(word, example)) = WORDS.iter().find(|(known, _)| *known == word) else {
        return Err(BadInput::UnknownWord(shortened(word), likely_word(word)));
    };
    if word == "stop" {
        return if rest.is_empty() {
            Ok(Input::Stop)
        } else {
            Err(BadInput::Surplus(word, shortened(rest)))
        };
    }
    if rest.is_empty() {
        return Err(BadInput::MissingArgument(word, example));
    }
    Ok(Input::Process(match word {
        "sleep" => Request::Sleep(parse_duration(rest).map_err(BadInput::Duration)?),
        "read" => Request::Read(rest.to_owned()),
        "query" => Request::Query(rest.to_owned()),
        _ => Request::Get(rest.to_owned()),
    }))
}

/// The known word that a mistyped one was probably meant to be.
fn likely_word(word: &str) -> Option<&'static str> {
    if word.len() > 16 {
        return None; // not a slip of the finger
    }
    let word = word.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&word, known);
    let (likely, _) = WORDS.iter().min_by_key(|(known, _)| distance(known))?;
    (distance(likely) <= 1 || (likely.len() > 4 && distance(likely) <= 2)).then_some(likely)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_lines() {
        assert_eq!(
            parse("sleep 2s"),
            Ok(Input::Process(Request::Sleep(Duration::from_secs(2))))
        );
        assert_eq!(
            parse("  sleep\t2s \r"),
            Ok(Input::Process(Request::Sleep(Duration::from_secs(2))))
        );
        assert_eq!(
            parse("read /etc/a b  c"),
            Ok(Input::Process(Request::Read("/etc/a b  c".into())))
        );
        assert_eq!(
            parse("query select 1 -- one"),
            Ok(Input::Process(Request::Query("select 1 -- one".into())))
        );
        assert_eq!(
            parse("get http://h/"),
            Ok(Input::Process(Request::Get("http://h/".into())))
        );
        assert_eq!(parse("stop"), Ok(Input::Stop));
    }

    #[test]
    fn bad_lines_say_what_to_do() {
        for (line, message) in [
            ("", "the line is empty; write for example `sleep 300ms`"),
            (
                "   \t",
                "the line is empty; write for example `sleep 300ms`",
            ),
            (
                "sleep",
                "`sleep` needs something behind it; write for example `sleep 300ms`",
            ),
            (
                "read  ",
                "`read` needs something behind it; write for example `read Cargo.toml`",
            ),
            ("stop now", "`stop` stands alone; take away `now`"),
            (
                "Sleep 2s",
                "`Sleep` is not a word I know; did you mean `sleep`?",
            ),
            (
                "qurey x",
                "`qurey` is not a word I know; did you mean `query`?",
            ),
            ("got x", "`got` is not a word I know; did you mean `get`?"),
            (
                "dance",
                "`dance` is not a word I know; use one of sleep, read, query, get, stop",
            ),
            (
                "sleep 1s 2s",
                "`s 2s` is not a unit; use one of ns, us, ms, s, m, h, d",
            ),
        ] {
            assert_eq!(parse(line).unwrap_err().to_string(), message, "{line:?}");
        }
    }

    #[test]
    fn a_message_stays_short_whatever_the_line() {
        let message = parse(&"ä".repeat(50_000)).unwrap_err().to_string();
        assert!(message.chars().count() < 200, "{message}");
        let message = parse(&format!("stop {}", "x".repeat(50_000)))
            .unwrap_err()
            .to_string();
        assert!(message.len() < 200, "{message}");
    }

    #[test]
    fn a_long_bad_duration_is_shortened_too() {
        let message = parse(&format!("sleep {}", "x".repeat(50_000)))
            .unwrap_err()
            .to_string();
        assert!(message.len() < 200, "{}", message.len());
    }

    #[test]
    fn every_example_is_a_good_line() {
        for (word, example) in WORDS {
            assert!(parse(example).is_ok(), "{word}");
        }
    }

    #[test]
    fn comments() {
        assert!(is_comment("# later"));
        assert!(is_comment("  # later"));
        assert!(!is_comment("read #file"));
    }
}
