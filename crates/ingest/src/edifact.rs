//! EDIFACT: the envelopes of ISO 9735 with a SLSRPT (Sales data report) of directory D.96A in them.

mod contrl;

pub(crate) use contrl::acknowledge;

use crate::edi;
use crate::edi::answer::{EnvelopeFault, Interchange};
use crate::edi::scan::{Charset, Delimiters, Scanner, Segment, first_component};
use crate::error::{FileError, FileErrorCode};

/// The service characters where no UNA says others.
const USUAL: Delimiters =
    Delimiters { component: b':', element: b'+', release: Some(b'?'), terminator: b'\'' };
/// Those of syntax level B, which are characters that no text holds.
const LEVEL_B: Delimiters = Delimiters { component: 0x1f, element: 0x1d, release: None, terminator: 0x1c };
/// UNA and its six characters.
const SERVICE_STRING: usize = 9;

/// Whether a file that begins so is one of EDIFACT.
pub(crate) fn begins(head: &[u8]) -> bool {
    match head {
        [b'U', b'N', b'B', element, ..] => matches!(element, b'+' | 0x1d),
        [b'U', b'N', b'A', component, element, _, _, _, terminator, ..] => {
            [component, element, terminator].iter().all(|byte| !byte.is_ascii_alphanumeric())
        }
        _ => false,
    }
}

/// Reads UNA, if there is one, and UNB.
pub(crate) fn open(scanner: &mut Scanner) -> Result<Interchange, FileError> {
    let broken = |detail: String| FileError::new(FileErrorCode::EnvelopeBroken, detail);
    let head = scanner.peek(SERVICE_STRING)?;
    let delimiters = match head {
        [b'U', b'N', b'A', component, element, _, release, _, terminator] => Delimiters {
            component: *component,
            element: *element,
            // A blank says that nothing is released.
            release: (*release != b' ').then_some(*release),
            terminator: *terminator,
        },
        [b'U', b'N', b'B', 0x1d, ..] => LEVEL_B,
        [b'U', b'N', b'B', ..] => USUAL,
        [b'U', b'N', b'A', ..] => {
            return Err(FileError::new(FileErrorCode::Truncated, "the file ends within its UNA"));
        }
        _ => {
            let found = String::from_utf8_lossy(head).into_owned();
            return Err(broken(format!("UNA or UNB was expected, not {found:?}")));
        }
    };
    if !delimiters.are_sound() {
        return Err(broken("the characters of UNA are not to be told apart".to_owned()));
    }
    if head.starts_with(b"UNA") {
        scanner.take(SERVICE_STRING);
    }
    scanner.use_delimiters(delimiters);
    scanner.charset = Charset::Undeclared;
    if !scanner.advance()? {
        return Err(FileError::new(FileErrorCode::Truncated, "the file ends before its UNB segment"));
    }
    let segment = scanner.segment();
    if segment.tag() != b"UNB" {
        let found = segment.text(segment.tag()).chars().take(12).collect::<String>();
        return Err(broken(format!("UNB was expected, not {found:?}")).at_row(segment.number));
    }
    let mut interchange =
        Interchange { delimiters, header: edi::elements(&segment), faults: Vec::new(), groups: Vec::new() };
    if segment.element(5).is_empty() {
        let detail = "UNB has no interchange control reference".to_owned();
        return Err(broken(detail).at_row(segment.number));
    }
    match charset(segment.component(1, 1)) {
        Some(charset) => scanner.charset = charset,
        None => interchange.faults.push(EnvelopeFault::NotSupported),
    }
    Ok(interchange)
}

/// The character sets by the syntax identifier of UNB.
fn charset(identifier: &[u8]) -> Option<Charset> {
    use encoding_rs as sets;
    Some(match identifier {
        // Meant to be plain; what is more is taken as it comes.
        b"UNOA" | b"UNOB" => Charset::Undeclared,
        b"UNOC" => Charset::Latin1,
        b"UNOD" => Charset::Declared(sets::ISO_8859_2),
        b"UNOE" => Charset::Declared(sets::ISO_8859_5),
        b"UNOF" => Charset::Declared(sets::ISO_8859_7),
        b"UNOG" => Charset::Declared(sets::ISO_8859_3),
        b"UNOH" => Charset::Declared(sets::ISO_8859_4),
        b"UNOI" => Charset::Declared(sets::ISO_8859_6),
        b"UNOJ" => Charset::Declared(sets::ISO_8859_8),
        b"UNOK" => Charset::Declared(sets::WINDOWS_1254),
        b"UNOW" | b"UNOY" => Charset::Declared(sets::UTF_8),
        _ => return None,
    })
}

/// What makes a message none that we read.
pub(crate) fn set_fault(segment: &Segment<'_>) -> Option<EnvelopeFault> {
    match (segment.component(2, 1), segment.component(2, 2), segment.component(2, 3)) {
        (b"SLSRPT", b"D", b"96A") => None,
        (b"SLSRPT", ..) => Some(EnvelopeFault::VersionNotSupported),
        _ => Some(EnvelopeFault::NotSupported),
    }
}

/// Who an interchange is from (2) or for (3): the identifier without its qualifier.
pub(crate) fn party(interchange: &Interchange, element: usize) -> &[u8] {
    first_component(interchange.element(element), interchange.delimiters)
}

/// What UNZ counts: the groups, or the messages where there are none.
pub(crate) fn count(interchange: &Interchange) -> usize {
    let grouped = interchange.groups.iter().any(|group| !group.header.is_empty());
    match grouped {
        true => interchange.groups.len(),
        false => interchange.groups.iter().map(|group| group.sets.len()).sum(),
    }
}
