//! Serial numbers: one normal form, and why a text is none.

/// Shortest and longest serial, in characters of its normal form.
pub const LENGTH: std::ops::RangeInclusive<usize> = 5..=40;

/// Why a text is not a serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SerialError {
    /// Nothing but blanks.
    Missing,
    /// A spreadsheet turned the serial into a number, as in `1.23457E+12`; the digits are lost.
    ScientificNotation,
    /// Not 5 to 40 of `A-Z`, `0-9`, `-`, `.`, `/`.
    Invalid,
}

/// The normal form of a serial: no blanks, upper case, then 5 to 40 of `A-Z 0-9 - . /`.
pub fn normalize(text: &str) -> Result<String, SerialError> {
    let serial: String = text.chars().filter(|c| !is_blank(*c)).flat_map(char::to_uppercase).collect();
    if serial.is_empty() {
        return Err(SerialError::Missing);
    }
    if is_scientific(&serial) {
        return Err(SerialError::ScientificNotation);
    }
    let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | '/');
    if LENGTH.contains(&serial.len()) && serial.chars().all(allowed) {
        Ok(serial)
    } else {
        Err(SerialError::Invalid)
    }
}

/// White space, and the marks that copying from a web page leaves behind.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}')
}

/// One to three digits, then decimals or a plus sign: what a spreadsheet writes. `123E456789` is a serial.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once('E') else { return false };
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let (whole, decimals) = match mantissa.split_once(['.', ',']) {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (mantissa, None),
    };
    let signed = exponent.strip_prefix('+');
    digits(whole)
        && whole.len() <= 3
        && decimals.is_none_or(digits)
        && (decimals.is_some() || signed.is_some())
        && digits(signed.unwrap_or(exponent))
        && signed.unwrap_or(exponent).len() <= 3
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn table() {
        let ok = |s: &str| Ok(s.to_owned());
        let cases = [
            ("5CG1234ABC", ok("5CG1234ABC")),
            ("  5cg325sav6 ", ok("5CG325SAV6")),
            ("5CG 1234\u{a0}ABC", ok("5CG1234ABC")),
            ("123E456789", ok("123E456789")),
            ("12E-3456", ok("12E-3456")),
            ("AB-12/3.4", ok("AB-12/3.4")),
            ("", Err(SerialError::Missing)),
            (" \t", Err(SerialError::Missing)),
            ("1.23457E+12", Err(SerialError::ScientificNotation)),
            ("1,23457E+12", Err(SerialError::ScientificNotation)),
            ("1.23457e12", Err(SerialError::ScientificNotation)),
            ("1E+12", Err(SerialError::ScientificNotation)),
            ("5CG12!4ABC", Err(SerialError::Invalid)),
            ("5CG1234ABC_01", Err(SerialError::Invalid)),
            ("5CG1", Err(SerialError::Invalid)),
            ("Ä5CG1234", Err(SerialError::Invalid)),
            ("=1+1+1+1", Err(SerialError::Invalid)),
        ];
        for (text, expected) in cases {
            assert_eq!(normalize(text), expected, "{text:?}");
        }
        assert_eq!(normalize(&"A".repeat(40)), ok(&"A".repeat(40)));
        assert_eq!(normalize(&"A".repeat(41)), Err(SerialError::Invalid));
    }

    proptest! {
        #[test]
        fn normal_form_is_stable(text in "\\PC{0,50}") {
            if let Ok(serial) = normalize(&text) {
                prop_assert_eq!(normalize(&serial), Ok(serial.clone()));
                prop_assert!(LENGTH.contains(&serial.len()));
            }
        }
    }
}
