//! Dates, instants and numbers as a reader of each language writes them. Instants are shown in
//! the time zone that the reader has set, UTC without one.

use jiff::civil::Date;
use roadstead_domain::clock::Micros;

use crate::i18n::{DateFormat, Lang};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A whole number with separators between its thousands.
pub(super) fn number(lang: Lang, number: i64) -> String {
    let separator = if lang.is_german() { '.' } else { ',' };
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

/// A day: `18 Nov 2026`, `18.11.2026`, or as the reader has set.
pub(super) fn date(lang: Lang, date: Date) -> String {
    stored_date(lang, &date.to_string())
}

/// A stored day (`2026-11-18`); a text that is none is shown as it is.
pub(super) fn stored_date(lang: Lang, text: &str) -> String {
    let Some((year, month, day, name)) = parts_of(text) else { return text.to_owned() };
    let plain = day.trim_start_matches('0');
    match (lang.dates(), lang.is_german()) {
        (DateFormat::DayMonthYear, false) => [plain, " ", name, " ", year].concat(),
        (DateFormat::DayMonthYear, true) => [day, ".", month, ".", year].concat(),
        (DateFormat::MonthDayYear, false) => [name, " ", plain, ", ", year].concat(),
        (DateFormat::MonthDayYear, true) => [month, "/", day, "/", year].concat(),
        (DateFormat::Iso, _) => text.to_owned(),
    }
}

/// Year, month and day of a stored day as they stand there, and the month's name.
fn parts_of(text: &str) -> Option<(&str, &str, &str, &'static str)> {
    let is_digit = |at: usize| text.as_bytes()[at].is_ascii_digit();
    if text.len() != 10
        || !(0..10).all(|at| if at == 4 || at == 7 { text.as_bytes()[at] == b'-' } else { is_digit(at) })
    {
        return None;
    }
    let name = MONTHS.get(text[5..7].parse::<usize>().ok()?.checked_sub(1)?)?;
    Some((&text[..4], &text[5..7], &text[8..], name))
}

/// An instant to the minute, in the reader's time zone: `18 Nov 2026, 07:05`.
pub(crate) fn instant(lang: Lang, at: Micros) -> String {
    let there = at.timestamp().to_zoned(lang.zone());
    let mut text = date(lang, there.date());
    text.push_str(", ");
    push_two(&mut text, there.hour());
    text.push(':');
    push_two(&mut text, there.minute());
    text
}

/// Two digits, without the machinery of `format!`: a list has a hundred of them.
fn push_two(text: &mut String, number: i8) {
    let number = number.unsigned_abs() % 100;
    text.push(char::from(b'0' + number / 10));
    text.push(char::from(b'0' + number % 10));
}

/// A size: `512 B`, `1.4 MB`, `1,4 MB`.
pub(super) fn bytes(lang: Lang, bytes: i64) -> String {
    let (unit, name) = match bytes {
        ..1_000 => return format!("{bytes} B"),
        1_000..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    let tenths = (bytes + unit / 20) / (unit / 10);
    let point = if lang.is_german() { ',' } else { '.' };
    match tenths % 10 {
        0 => format!("{} {name}", tenths / 10),
        rest => format!("{}{point}{rest} {name}", tenths / 10),
    }
}

/// A path with a query made of the pairs that are not empty.
pub(super) fn link(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut link = path.to_owned();
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        link.push(if link.len() == path.len() { '?' } else { '&' });
        link.push_str(name);
        link.push('=');
        link.push_str(&encoded(value));
    }
    link
}

/// A text as a part of a path or query (RFC 3986 2.3).
pub(crate) fn encoded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if text.bytes().all(is_plain) {
        return text.to_owned();
    }
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_by_language() {
        for (n, english, german) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1_000, "1,000", "1.000"),
            (1_234_567, "1,234,567", "1.234.567"),
            (-12_345, "-12,345", "-12.345"),
            (i64::MIN, "-9,223,372,036,854,775,808", "-9.223.372.036.854.775.808"),
        ] {
            assert_eq!((number(Lang::En, n).as_str(), number(Lang::De, n).as_str()), (english, german));
        }
    }

    #[test]
    fn days_and_instants_by_language() {
        for (text, english, german) in [
            ("2026-11-18", "18 Nov 2026", "18.11.2026"),
            ("2026-01-02", "2 Jan 2026", "02.01.2026"),
            ("2026-11-30", "30 Nov 2026", "30.11.2026"),
            ("soon", "soon", "soon"),
            ("2026-13-01", "2026-13-01", "2026-13-01"),
            ("2026-1\u{661}-0", "2026-1\u{661}-0", "2026-1\u{661}-0"),
        ] {
            let both = (stored_date(Lang::En, text), stored_date(Lang::De, text));
            assert_eq!((both.0.as_str(), both.1.as_str()), (english, german));
        }
        let at = Micros(1_795_374_000_000_000 + 65 * 60_000_000);
        assert_eq!(instant(Lang::En, at), "22 Nov 2026, 20:05");
        assert_eq!(instant(Lang::De, at), "22.11.2026, 20:05");
        let set = |lang: Lang, zone, dates| instant(lang.with(Some(zone), Some(dates)), at);
        assert_eq!(set(Lang::En, "Asia/Tokyo", "month_day_year"), "Nov 23, 2026, 05:05");
        assert_eq!(set(Lang::De, "America/New_York", "month_day_year"), "11/22/2026, 15:05");
        assert_eq!(set(Lang::De, "Europe/Berlin", "iso"), "2026-11-22, 21:05");
    }

    #[test]
    fn sizes_by_language() {
        for (n, english, german) in [
            (0, "0 B", "0 B"),
            (999, "999 B", "999 B"),
            (1_000, "1 kB", "1 kB"),
            (1_440_000, "1.4 MB", "1,4 MB"),
            (9_596_631, "9.6 MB", "9,6 MB"),
            (1 << 30, "1.1 GB", "1,1 GB"),
        ] {
            assert_eq!((bytes(Lang::En, n).as_str(), bytes(Lang::De, n).as_str()), (english, german));
        }
    }

    #[test]
    fn links_leave_out_what_is_empty_and_escape_the_rest() {
        assert_eq!(link("/a", &[("q", ""), ("cursor", "")]), "/a");
        assert_eq!(link("/a", &[("q", "x&y ä"), ("n", ""), ("s", "-since")]), "/a?q=x%26y%20%C3%A4&s=-since");
    }
}
