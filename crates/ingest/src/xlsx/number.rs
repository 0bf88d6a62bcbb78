//! How a spreadsheet shows a number, as far as it matters for what the sender saw.

use jiff::civil::Date;
use jiff::{Span, ToSpan};

/// A spreadsheet computes with 15 digits; further ones were lost before the file was saved.
const DIGITS: f64 = 1e15;
/// General turns to scientific notation where an integer has more than 11 digits.
const GENERAL: f64 = 1e11;

/// What a number format makes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Digits, or scientific notation where they are many.
    General,
    /// Scientific notation with so many decimals.
    Scientific(usize),
    /// A day, perhaps with a time.
    Day,
    /// At least so many digits, with leading zeros.
    Padded(usize),
    /// All digits.
    Digits,
}

impl Shown {
    /// The formats that need no code in the file (ECMA-376 part 1, 18.8.30).
    pub(super) fn of_builtin(id: u32) -> Self {
        match id {
            0 => Self::General,
            11 => Self::Scientific(2),
            48 => Self::Scientific(1),
            14..=17 | 22 | 27..=31 | 36 | 50..=54 | 57 | 58 => Self::Day,
            _ => Self::Digits,
        }
    }

    pub(super) fn of_code(code: &str) -> Self {
        let Pattern { text, elapsed } = Pattern::of(code);
        if !elapsed && (text.trim().is_empty() || text == "general") {
            return Self::General;
        }
        if let Some(exponent) = text.find("e+").or_else(|| text.find("e-")) {
            let mantissa = &text[..exponent];
            let decimals = mantissa.split_once('.').map_or("", |(_, decimals)| decimals);
            return Self::Scientific(
                decimals.chars().filter(|digit| matches!(digit, '0' | '#' | '?')).count(),
            );
        }
        let has = |letters: &[char]| text.contains(letters);
        if has(&['y', 'd']) || (has(&['m']) && !elapsed && !has(&['h', 's'])) {
            return Self::Day;
        }
        if text.len() > 1 && text.bytes().all(|byte| byte == b'0') {
            return Self::Padded(text.len());
        }
        Self::Digits
    }
}

/// The first section of a format, without what stands for itself.
struct Pattern {
    text: String,
    elapsed: bool,
}

impl Pattern {
    fn of(code: &str) -> Self {
        let mut pattern = Self { text: String::new(), elapsed: false };
        let mut letters = code.chars();
        while let Some(letter) = letters.next() {
            match letter {
                ';' => break,
                '\\' | '_' | '*' => drop(letters.next()),
                '"' => drop(letters.by_ref().find(|letter| *letter == '"')),
                '[' => {
                    let inside: String = letters.by_ref().take_while(|letter| *letter != ']').collect();
                    let time = |letter| matches!(letter, 'h' | 'H' | 'm' | 'M' | 's' | 'S');
                    pattern.elapsed |= !inside.is_empty() && inside.chars().all(time);
                }
                _ => pattern.text.extend(letter.to_lowercase()),
            }
        }
        pattern
    }
}

/// The number's text; `None` if it is no number.
pub(super) fn text(raw: &str, shown: Shown, from_1904: bool) -> Option<String> {
    let number: f64 = raw.trim().parse().ok().filter(|number: &f64| number.is_finite())?;
    match shown {
        Shown::Day => day(number, from_1904).or_else(|| Some(digits(number))),
        Shown::Padded(width) if number >= 0.0 && number.fract() == 0.0 => {
            Some(format!("{:0>width$}", digits(number)))
        }
        _ => Some(digits(number)),
    }
}

/// The text in scientific notation, if that is how the number is shown or if it has lost digits.
pub(super) fn scientific(raw: &str, shown: Shown) -> Option<String> {
    let number: f64 = raw.trim().parse().ok().filter(|number: &f64| number.is_finite())?;
    let decimals = match shown {
        Shown::Day => return None,
        Shown::Scientific(decimals) => Some(decimals),
        Shown::General if number.abs() >= GENERAL => None,
        _ if number.abs() >= DIGITS => None,
        _ => return None,
    };
    let text = format!("{number:.*e}", decimals.unwrap_or(5));
    let (mantissa, exponent) = text.split_once('e')?;
    let mantissa = match decimals {
        Some(_) => mantissa,
        None => mantissa.trim_end_matches('0').trim_end_matches('.'),
    };
    let exponent: i32 = exponent.parse().ok()?;
    let sign = if exponent < 0 { '-' } else { '+' };
    Some(format!("{mantissa}E{sign}{:02}", exponent.abs()))
}

fn digits(number: f64) -> String {
    let rounded = format!("{number:.14e}").parse().unwrap_or(number);
    // Negative zero is shown as zero.
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded })
}

/// The day as `2026-11-18`; none outside the calendar of spreadsheets. The system from 1900 has a 29 February
/// 1900 that never was: it is given back as such, for whoever checks dates.
fn day(number: f64, from_1904: bool) -> Option<String> {
    if !(0.0..2_958_466.0).contains(&number) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "within the calendar, checked above")]
    let days = number.floor() as i64;
    let (zero, days) = match (from_1904, days) {
        (true, _) => (Date::constant(1904, 1, 1), days),
        (false, 0) => return None,
        (false, 60) => return Some("1900-02-29".to_owned()),
        (false, 1..60) => (Date::constant(1899, 12, 31), days),
        (false, _) => (Date::constant(1899, 12, 30), days),
    };
    let span: Span = days.days();
    zero.checked_add(span).ok().map(|date| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        for (code, shown) in [
            ("General", Shown::General),
            ("General;[Red]-General", Shown::General),
            ("", Shown::General),
            ("0", Shown::Digits),
            ("@", Shown::Digits),
            ("#,##0", Shown::Digits),
            ("0000000000", Shown::Padded(10)),
            ("0.00E+00", Shown::Scientific(2)),
            ("##0.0e-0", Shown::Scientific(1)),
            ("0E+0", Shown::Scientific(0)),
            ("0\"E+\"", Shown::Digits),
            ("yyyy-mm-dd", Shown::Day),
            ("[$-407]d. mmmm yyyy;@", Shown::Day),
            ("dd.mm.yyyy hh:mm", Shown::Day),
            ("mmm", Shown::Day),
            ("h:mm AM/PM", Shown::Digits),
            ("[h]:mm", Shown::Digits),
            ("[mm]", Shown::Digits),
            ("#,##0 \"days\"", Shown::Digits),
            ("0_d;[Red]-0_d", Shown::Digits),
            ("\"unclosed", Shown::General),
            ("[unclosed", Shown::General),
        ] {
            assert_eq!(Shown::of_code(code), shown, "{code:?}");
        }
    }

    #[test]
    fn numbers() {
        for (raw, shown, expected) in [
            ("1", Shown::General, "1"),
            ("-1", Shown::General, "-1"),
            ("1.0", Shown::General, "1"),
            ("0.30000000000000004", Shown::General, "0.3"),
            ("1.5", Shown::Digits, "1.5"),
            ("1.23456789012E11", Shown::Digits, "123456789012"),
            ("-0", Shown::General, "0"),
            ("42", Shown::Padded(6), "000042"),
            ("1234567", Shown::Padded(6), "1234567"),
            ("46344", Shown::Day, "2026-11-18"),
            ("46344.75", Shown::Day, "2026-11-18"),
            ("1", Shown::Day, "1900-01-01"),
            ("59", Shown::Day, "1900-02-28"),
            ("60", Shown::Day, "1900-02-29"),
            ("61", Shown::Day, "1900-03-01"),
            ("2958465", Shown::Day, "9999-12-31"),
            ("2958466", Shown::Day, "2958466"),
            ("-5", Shown::Day, "-5"),
        ] {
            assert_eq!(text(raw, shown, false).as_deref(), Some(expected), "{raw} {shown:?}");
        }
        assert_eq!(text("0", Shown::Day, true).as_deref(), Some("1904-01-01"));
        assert_eq!(text("44882", Shown::Day, true).as_deref(), Some("2026-11-18"));
        assert_eq!(text("2958465", Shown::Day, true).as_deref(), Some("2958465"));
        assert_eq!(text("abc", Shown::General, false), None);
        assert_eq!(text("NaN", Shown::General, false), None);
    }

    #[test]
    fn scientific_notation() {
        for (raw, shown, expected) in [
            ("1234567890123", Shown::General, Some("1.23457E+12")),
            ("123456789012", Shown::General, Some("1.23457E+11")),
            ("100000000000", Shown::General, Some("1E+11")),
            ("12345678901", Shown::General, None),
            ("1234567890123", Shown::Digits, None),
            ("1234567890123", Shown::Padded(13), None),
            ("1234567890123456", Shown::Digits, Some("1.23457E+15")),
            ("1234567890123", Shown::Scientific(2), Some("1.23E+12")),
            ("12", Shown::Scientific(2), Some("1.20E+01")),
            ("0.001", Shown::Scientific(0), Some("1E-03")),
            ("46344", Shown::Day, None),
            ("5CG1234ABC", Shown::General, None),
        ] {
            assert_eq!(scientific(raw, shown).as_deref(), expected, "{raw} {shown:?}");
        }
    }
}
