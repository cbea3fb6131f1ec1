//! Text of unknown origin, made fit for a terminal.
//!
//! A file, a page or a database may hold bytes that a terminal obeys: move the cursor, rename the
//! window, answer as if somebody had typed. What this program prints of them is text and nothing
//! else: control characters and the invisible characters that reorder a line (the bidirectional
//! ones) are shown by their number.

use std::borrow::Cow;

/// One line, safe to print. Tabs stay; line ends are the caller's to split at.
///
/// ```
/// use demos::program::escape::escape;
/// assert_eq!(escape("plain"), "plain");
/// assert_eq!(escape("\x1b[31mred\u{202e}"), "\\u{1b}[31mred\\u{202e}");
/// ```
#[must_use]
pub fn escape(line: &str) -> Cow<'_, str> {
    if !line.chars().any(is_obeyed) {
        return Cow::Borrowed(line);
    }
    let mut safe = String::with_capacity(line.len() + 16);
    for c in line.chars() {
        if is_obeyed(c) {
            safe.extend(c.escape_unicode());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Whether a terminal would act on the character rather than show it.
fn is_obeyed(c: char) -> bool {
    let reorders =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks_lines = matches!(c, '\u{2028}' | '\u{2029}');
    (c.is_control() && c != '\t') || reorders || breaks_lines
}

/// A text as a message shows it: a line may be thousands of bytes long, a message should not be.
#[must_use]
pub fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_obeyed_is_left() {
        let all: String = (0..=0x1_0000u32).filter_map(char::from_u32).collect();
        let safe = escape(&all);
        assert!(!safe.chars().any(is_obeyed));
        assert!(safe.contains("\\u{1b}") && safe.contains("\\u{9b}") && safe.contains("\\u{7f}"));
    }

    #[test]
    fn text_is_left_alone() {
        for line in ["", "a\tb", "äöü €", "日本語", "👩‍🚀"] {
            assert!(matches!(escape(line), Cow::Borrowed(_)), "{line}");
        }
    }
}
