//! Bytes in, lines out: whatever way the bytes were cut, the lines are the same.
//!
//! Pure: knows no descriptor. A chunk may end in the middle of a line, of a character or of a
//! CR LF. Held in memory is at most one line of the stated limit: of an over-long line nothing is
//! kept but its length, and it becomes one [`Line::TooLong`] however many megabytes it has.

/// One line, without its line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A line of text.
    Text(String),
    /// A line that is not UTF-8: how many bytes, the first that is wrong, and the line with
    /// U+FFFD in place of what is not text.
    NotUtf8 {
        /// Position of the first wrong byte, from 0.
        at: usize,
        /// The line as well as it can be shown.
        lossy: String,
    },
    /// A line over the limit: how many bytes it had.
    TooLong {
        /// Its length, line end not counted.
        bytes: usize,
        /// Its beginning, to know it by.
        start: String,
    },
}

/// How much of an over-long line is kept to show.
const START: usize = 40;

/// Cuts a stream of bytes into lines.
///
/// ```
/// use demos::program::lines::{Line, Lines};
/// let mut lines = Lines::new(1024);
/// let mut seen = Vec::new();
/// lines.push(b"sleep 1s\r\nre", |line| seen.push(line));
/// lines.push(b"ad x", |line| seen.push(line));
/// lines.finish(|line| seen.push(line));
/// assert_eq!(seen, [Line::Text("sleep 1s".into()), Line::Text("read x".into())]);
/// ```
#[derive(Debug)]
pub struct Lines {
    limit: usize,
    /// The line begun and not ended: at most `limit + 1` bytes, as a CR may yet follow.
    begun: Vec<u8>,
    /// How many bytes of it came after `begun` was full.
    beyond: usize,
    /// Whether the last byte that came was a CR (it counts only if LF does not follow).
    cr_last: bool,
}

impl Lines {
    /// Lines of at most `limit` bytes, line end not counted.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            begun: Vec::new(),
            beyond: 0,
            cr_last: false,
        }
    }

    /// Takes the next bytes and hands on each line they complete, in order.
    pub fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(Line)) {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            self.keep(&bytes[..end]);
            each(self.take());
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes);
    }

    /// The input has ended: hands on the last line if it had no line end.
    pub fn finish(&mut self, each: impl FnOnce(Line)) {
        if !self.begun.is_empty() || self.beyond > 0 {
            each(self.take());
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if let Some(&last) = bytes.last() {
            self.cr_last = last == b'\r';
        }
        let room = (self.limit + 1).saturating_sub(self.begun.len());
        let kept = room.min(bytes.len());
        self.begun.extend_from_slice(&bytes[..kept]);
        self.beyond += bytes.len() - kept;
    }

    fn take(&mut self) -> Line {
        let ended_by_cr = std::mem::take(&mut self.cr_last);
        let beyond = std::mem::take(&mut self.beyond);
        let length = self.begun.len() + beyond - usize::from(ended_by_cr);
        let mut line = std::mem::take(&mut self.begun);
        if length > self.limit {
            line.truncate(START);
            return Line::TooLong {
                bytes: length,
                start: String::from_utf8_lossy(&line).into_owned(),
            };
        }
        line.truncate(length);
        match String::from_utf8(line) {
            Ok(text) => Line::Text(text),
            Err(error) => Line::NotUtf8 {
                at: error.utf8_error().valid_up_to(),
                lossy: String::from_utf8_lossy(error.as_bytes()).into_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(limit: usize, chunks: &[&[u8]]) -> Vec<Line> {
        let mut lines = Lines::new(limit);
        let mut seen = Vec::new();
        for chunk in chunks {
            lines.push(chunk, |line| seen.push(line));
            assert!(
                lines.begun.len() <= limit + 1,
                "more kept than the limit allows"
            );
        }
        lines.finish(|line| seen.push(line));
        seen
    }

    fn text(line: &str) -> Line {
        Line::Text(line.to_owned())
    }

    #[test]
    fn line_ends() {
        assert_eq!(cut(9, &[b"a\nb\r\nc"]), [text("a"), text("b"), text("c")]);
        assert_eq!(cut(9, &[b"a\n"]), [text("a")]);
        assert_eq!(cut(9, &[b"\n\r\n\n"]), [text(""), text(""), text("")]);
        assert_eq!(cut(9, &[b"a\rb\n"]), [text("a\rb")]);
        assert_eq!(cut(9, &[b"a\r\r\n"]), [text("a\r")]);
        assert_eq!(cut(9, &[]), []);
        assert_eq!(cut(9, &[b"", b""]), []);
        assert_eq!(cut(9, &[b"a\r"]), [text("a")]);
    }

    #[test]
    fn every_way_of_cutting_gives_the_same_lines() {
        let whole: &[u8] = "sleep 1s\r\n\nread ä€😀\n".as_bytes();
        let mut bytes = whole.to_vec();
        bytes.extend_from_slice(b"bad \xff\xfe byte\r\n12345678901234567890123\r\r\nlast\r");
        let expected = cut(20, &[&bytes]);
        assert_eq!(expected.len(), 6);
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let chunks = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(cut(20, &chunks), expected, "cut at {first} and {second}");
            }
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(cut(20, &single), expected);
    }

    #[test]
    fn the_limit_is_exact_and_the_next_line_is_whole() {
        assert_eq!(cut(4, &[b"1234\n"]), [text("1234")]);
        assert_eq!(cut(4, &[b"1234\r\n"]), [text("1234")]);
        let refused = |bytes, start: &str| Line::TooLong {
            bytes,
            start: start.to_owned(),
        };
        assert_eq!(cut(4, &[b"12345\nok\n"]), [refused(5, "12345"), text("ok")]);
        assert_eq!(
            cut(4, &[b"12345\r\nok\n"]),
            [refused(5, "12345"), text("ok")]
        );
        assert_eq!(cut(4, &[b"12345"]), [refused(5, "12345")]);
    }

    #[test]
    fn an_endless_line_costs_no_memory() {
        let megabyte = vec![b'x'; 1 << 20];
        let mut lines = Lines::new(100);
        for _ in 0..64 {
            lines.push(&megabyte, |line| panic!("a line out of nowhere: {line:?}"));
        }
        assert!(lines.begun.capacity() < 4096);
        let mut seen = Vec::new();
        lines.push(b"\nstop\n", |line| seen.push(line));
        assert_eq!(
            seen,
            [
                Line::TooLong {
                    bytes: 64 << 20,
                    start: "x".repeat(40)
                },
                text("stop")
            ]
        );
    }

    #[test]
    fn bytes_that_are_not_text_spoil_one_line_only() {
        let seen = cut(20, &[b"ok\n\xc3\x28 read\nok\n"]);
        assert_eq!(seen[0], text("ok"));
        assert_eq!(
            seen[1],
            Line::NotUtf8 {
                at: 0,
                lossy: "\u{fffd}( read".to_owned()
            }
        );
        assert_eq!(seen[2], text("ok"));
    }
}
