//! Numbers with a unit: `300ms`, `1.5s`, `64KiB`. Exact integer arithmetic, no floats.
//!
//! A float would turn `0.1s` into something a little shorter or longer; a sleep that is a
//! nanosecond too short is a sleep that ended early.

use std::fmt;
use std::time::Duration;

use super::escape::shortened;

/// The longest duration this program takes. Long enough for anybody, short enough that adding
/// it to a clock reading cannot overflow on any platform.
pub const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A unit's name and how many of the smallest unit it is worth.
type Units = &'static [(&'static str, u64)];

const TIME_UNITS: Units = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", 3_600 * 1_000_000_000),
    ("d", 86_400 * 1_000_000_000),
];

const SIZE_UNITS: Units = &[
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
];

/// Why a text is not a quantity. Its `Display` says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadQuantity {
    /// There is no number at the front.
    NoNumber(String),
    /// There is a number but no unit behind it.
    NoUnit(String, &'static str),
    /// The unit is none of those known.
    UnknownUnit(String, &'static str),
    /// The number is below zero.
    Negative(String),
    /// More than the stated limit, or more than can be counted.
    TooMuch(String, String),
}

impl fmt::Display for BadQuantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNumber(text) => {
                write!(
                    f,
                    "`{text}` does not begin with a number; write for example 300ms or 1.5s"
                )
            }
            Self::NoUnit(text, units) => {
                write!(f, "`{text}` has no unit; put one of {units} behind it")
            }
            Self::UnknownUnit(unit, units) => {
                write!(f, "`{unit}` is not a unit; use one of {units}")
            }
            Self::Negative(text) => write!(f, "`{text}` is below zero"),
            Self::TooMuch(text, limit) => write!(f, "`{text}` is more than the limit of {limit}"),
        }
    }
}

impl std::error::Error for BadQuantity {}

/// Reads a duration such as `300ms`, `1.5s`, `2m`, up to [`LONGEST`].
///
/// A fraction of a nanosecond is rounded up, so that what follows is never early.
///
/// # Errors
/// [`BadQuantity`], with the offending word in it.
///
/// ```
/// use demos::program::quantity::parse_duration;
/// use std::time::Duration;
/// assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1500)));
/// assert_eq!(parse_duration("2").unwrap_err().to_string(),
///     "`2` has no unit; put one of ns, us, ms, s, m, h, d behind it");
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, BadQuantity> {
    let too_much = || BadQuantity::TooMuch(shortened(text), "365d".to_owned());
    let nanos = parse(text, TIME_UNITS, "ns, us, ms, s, m, h, d")?.ok_or_else(too_much)?;
    if nanos > LONGEST.as_nanos() {
        return Err(too_much());
    }
    let (secs, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    // Both casts fit: the limit above keeps seconds far below u64, the remainder below 10^9.
    Ok(Duration::new(secs as u64, rest as u32))
}

/// Reads a size in bytes such as `64KiB` or `8MiB`, up to 1 GiB.
///
/// # Errors
/// [`BadQuantity`], with the offending word in it.
pub fn parse_size(text: &str) -> Result<usize, BadQuantity> {
    let too_much = || BadQuantity::TooMuch(shortened(text), "1GiB".to_owned());
    let bytes = parse(text, SIZE_UNITS, "B, KiB, MiB, GiB, kB, MB")?.ok_or_else(too_much)?;
    if bytes > 1 << 30 {
        return Err(too_much());
    }
    Ok(bytes as usize)
}

/// The number times its unit, rounded up; `None` when there are more digits than can be counted.
fn parse(text: &str, units: Units, unit_names: &'static str) -> Result<Option<u128>, BadQuantity> {
    if text.starts_with('-') {
        return Err(BadQuantity::Negative(shortened(text)));
    }
    let number_end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(number_end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.contains('.') || number.ends_with('.') {
        return Err(BadQuantity::NoNumber(shortened(text)));
    }
    if unit.is_empty() {
        return Err(BadQuantity::NoUnit(shortened(text), unit_names));
    }
    let Some(&(_, worth)) = units.iter().find(|(name, _)| *name == unit) else {
        return Err(BadQuantity::UnknownUnit(shortened(unit), unit_names));
    };
    let whole = whole.trim_start_matches('0');
    if whole.len() > 20 || fraction.len() > 15 {
        // 10^20 of the smallest unit is beyond every limit; 15 digits of a fraction is beyond
        // every clock. Both bounds keep the products below within 128 bits.
        return Ok(None);
    }
    let scale = 10u128.pow(fraction.len() as u32);
    let digits = |text: &str| {
        if text.is_empty() {
            0
        } else {
            text.parse::<u128>().unwrap_or(u128::MAX)
        }
    };
    let mantissa = digits(whole) * scale + digits(fraction);
    Ok(mantissa
        .checked_mul(u128::from(worth))
        .map(|product| product.div_ceil(scale)))
}

/// A duration as a person writes it: three digits at most, in the largest unit that fits.
///
/// ```
/// use demos::program::quantity::human_duration;
/// use std::time::Duration;
/// assert_eq!(human_duration(Duration::from_millis(300)), "300ms");
/// assert_eq!(human_duration(Duration::from_millis(1500)), "1.5s");
/// assert_eq!(human_duration(Duration::from_secs(90)), "1.5m");
/// ```
#[must_use]
pub fn human_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let named = TIME_UNITS.iter().rev().filter(|(name, _)| *name != "µs");
    for &(name, worth) in named {
        let worth = u128::from(worth);
        if nanos >= worth {
            let (whole, tenths) = (nanos / worth, nanos % worth * 10 / worth);
            let two_digits_are_enough = whole >= 100 || tenths == 0;
            return if two_digits_are_enough {
                format!("{whole}{name}")
            } else {
                format!("{whole}.{tenths}{name}")
            };
        }
    }
    "0s".to_owned()
}

/// A count with its thousands set apart: `1,234,567`.
#[must_use]
pub fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 line`, `2 lines`.
#[must_use]
pub fn counted(count: usize, noun: &str) -> String {
    format!(
        "{} {noun}{}",
        grouped(count),
        if count == 1 { "" } else { "s" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact() {
        for (text, nanos) in [
            ("0s", 0),
            ("1ns", 1),
            ("300ms", 300_000_000),
            ("1.5s", 1_500_000_000),
            ("0.1s", 100_000_000),
            ("2m", 120_000_000_000),
            ("007us", 7_000),
            ("2.000000000000001s", 2_000_000_001), // rounded up, never early
            ("365d", 31_536_000_000_000_000),
        ] {
            assert_eq!(
                parse_duration(text).map(|d| d.as_nanos()),
                Ok(nanos),
                "{text}"
            );
        }
    }

    #[test]
    fn absurd_durations_are_refused_not_wrapped() {
        let nines = "9".repeat(400);
        for text in [
            "366d",
            "365.5d",
            "18446744073709551616s",
            "99999999999999999999d",
            "1.0000000000000001s",
        ] {
            assert!(
                matches!(parse_duration(text), Err(BadQuantity::TooMuch(..))),
                "{text}"
            );
        }
        assert!(matches!(
            parse_duration(&format!("{nines}s")),
            Err(BadQuantity::TooMuch(..))
        ));
        assert!(matches!(
            parse_duration(&format!("1.{nines}s")),
            Err(BadQuantity::TooMuch(..))
        ));
    }

    #[test]
    fn malformed_durations_name_the_word() {
        for (text, part) in [
            ("soon", "`soon` does not begin with a number"),
            ("2", "`2` has no unit"),
            ("2parsecs", "`parsecs` is not a unit"),
            ("-1s", "`-1s` is below zero"),
            ("1.s", "does not begin"),
            (".5s", "does not begin"),
            ("1.2.3s", "does not begin"),
            ("", "does not begin"),
            ("1e9s", "`e9s` is not a unit"),
            ("٣s", "does not begin"),
        ] {
            let message = parse_duration(text).unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("64KiB"), Ok(65_536));
        assert_eq!(parse_size("1.5KiB"), Ok(1_536));
        assert_eq!(parse_size("1GiB"), Ok(1 << 30));
        assert!(matches!(parse_size("2GiB"), Err(BadQuantity::TooMuch(..))));
        assert!(matches!(parse_size("64"), Err(BadQuantity::NoUnit(..))));
    }

    #[test]
    fn people_read_three_digits() {
        for (nanos, text) in [
            (0, "0s"),
            (999, "999ns"),
            (1_500, "1.5us"),
            (100_900_000, "100ms"),
            (2_000_000_000, "2s"),
        ] {
            assert_eq!(human_duration(Duration::from_nanos(nanos)), text);
        }
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(123), "123");
        assert_eq!(counted(1, "line"), "1 line");
        assert_eq!(counted(1_000, "line"), "1,000 lines");
    }
}
