//! X12: the envelopes of ANSI ASC X12 with an 867 (Product Transfer and Resale Report) in them.

mod functional_ack;

pub(crate) use functional_ack::acknowledge;

use crate::edi::answer::{EnvelopeFault, Interchange};
use crate::edi::scan::{Delimiters, Scanner, Segment};
use crate::error::{FileError, FileErrorCode};

/// ISA is as long as its elements are wide, and says the delimiters of all that follows by their position.
const HEADER: usize = 106;
const WIDTHS: [usize; 16] = [2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1];

/// The releases of 867 that are read.
const RELEASES: [&[u8]; 2] = [b"004010", b"005010"];

/// Whether a file that begins so is one of X12.
pub(crate) fn begins(head: &[u8]) -> bool {
    match head {
        [b'I', b'S', b'A', element, rest @ ..] if !element.is_ascii_alphanumeric() && *element != b' ' => {
            // ISA01 is of two digits; a column that is called so is not.
            rest.get(2).is_none_or(|third| third == element)
        }
        _ => false,
    }
}

/// Reads ISA.
pub(crate) fn open(scanner: &mut Scanner) -> Result<Interchange, FileError> {
    let broken = |detail: String| FileError::new(FileErrorCode::EnvelopeBroken, detail);
    let head = scanner.peek(HEADER)?;
    if !head.starts_with(b"ISA") {
        let found = String::from_utf8_lossy(&head[..head.len().min(12)]).into_owned();
        return Err(broken(format!("an ISA segment was expected, not {found:?}")));
    }
    if head.len() < HEADER {
        return Err(FileError::new(FileErrorCode::Truncated, "the file ends within its ISA segment"));
    }
    let element = head[3];
    let mut at = 3;
    let mut header = Vec::with_capacity(WIDTHS.len());
    for (number, width) in (1..).zip(WIDTHS) {
        let text = &head[at + 1..=at + width];
        if head[at] != element || text.contains(&element) {
            let before = if head[at] == element { number } else { number - 1 };
            return Err(broken(format!(
                "ISA{before:02} has not its fixed width, so that ISA is not 106 long"
            )));
        }
        header.push(text.into());
        at += width + 1;
    }
    let delimiters = Delimiters { component: head[104], element, release: None, terminator: head[105] };
    if !delimiters.are_sound() {
        let detail = "the delimiters in ISA are not to be told apart; ISA is 106 characters long".to_owned();
        return Err(broken(detail));
    }
    scanner.take(HEADER);
    scanner.use_delimiters(delimiters);
    Ok(Interchange { delimiters, header, faults: Vec::new(), groups: Vec::new() })
}

/// What makes a group none that we read.
pub(crate) fn group_fault(segment: &Segment<'_>) -> Option<EnvelopeFault> {
    let release = segment.element(8);
    match segment.element(1) {
        b"PT" if RELEASES.iter().any(|known| release.starts_with(known)) => None,
        b"PT" => Some(EnvelopeFault::VersionNotSupported),
        _ => Some(EnvelopeFault::NotSupported),
    }
}

/// What makes a set none that we read.
pub(crate) fn set_fault(segment: &Segment<'_>) -> Option<EnvelopeFault> {
    (segment.element(1) != b"867").then_some(EnvelopeFault::NotSupported)
}
