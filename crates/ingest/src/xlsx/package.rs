//! The ZIP archive around a workbook, read part by part within the limits.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use crate::error::{FileError, FileErrorCode};
use crate::limits::Limits;
use crate::text::looks_like;

/// No part of a workbook nests deeper; the XML reader keeps what is open.
const DEPTH: usize = 64;

/// An open archive, and how much of it may still be unpacked.
pub(super) struct Package {
    archive: ZipArchive<BufReader<File>>,
    left: u64,
    most_in_event: u64,
}

impl Package {
    pub(super) fn open(path: &Path, limits: &Limits) -> Result<Self, FileError> {
        let mut file = File::open(path)?;
        let mut head = Vec::new();
        file.by_ref().take(512).read_to_end(&mut head)?;
        refuse_other_kinds(&mut file, &head)?;
        file.rewind()?;
        let whole = has_directory(&mut file)?;
        file.rewind()?;
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| {
            let code = if whole { FileErrorCode::Unreadable } else { FileErrorCode::Truncated };
            FileError::new(code, format!("the ZIP archive: {error}"))
        })?;
        match archive.decompressed_size() {
            Some(size) if size > u128::from(limits.unpacked_bytes) => {
                let detail = format!("unpacks to {size} bytes, more than {}", limits.unpacked_bytes);
                Err(FileError::new(FileErrorCode::TooLarge, detail))
            }
            _ => Ok(Self { archive, left: limits.unpacked_bytes, most_in_event: limits.row_bytes() as u64 }),
        }
    }

    /// The names of the parts, as the archive has them.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.archive.file_names_raw().filter_map(|name| std::str::from_utf8(name).ok())
    }

    /// Opens a part; none if the archive does not have it. Names of parts ignore case (ECMA-376 part 2).
    pub(super) fn part(&mut self, name: &str) -> Result<Option<Part<'_>>, FileError> {
        let Some(name) = self.names().find(|found| found.eq_ignore_ascii_case(name)).map(str::to_owned)
        else {
            return Ok(None);
        };
        let file = match self.archive.by_name(&name) {
            Ok(file) => file,
            Err(ZipError::Io(error)) => return Err(error.into()),
            Err(error) => {
                return Err(FileError::new(FileErrorCode::Unreadable, format!("part {name}: {error}")));
            }
        };
        let metered = Metered {
            file,
            left: &mut self.left,
            in_event: 0,
            most_in_event: self.most_in_event,
            exceeded: false,
        };
        let mut xml = quick_xml::Reader::from_reader(BufReader::new(metered));
        xml.config_mut().expand_empty_elements = true;
        Ok(Some(Part { xml, buffer: Vec::new(), depth: 0, name }))
    }
}

fn refuse_other_kinds(file: &mut File, head: &[u8]) -> Result<(), FileError> {
    if head.is_empty() {
        return Err(FileError::new(FileErrorCode::Empty, "no bytes"));
    }
    if head.starts_with(b"PK") {
        return Ok(());
    }
    let kind = match looks_like(head) {
        Some(_) if head.starts_with(b"\xd0\xcf\x11\xe0") => compound_kind(file, head),
        Some(kind) => kind,
        None if head.contains(&0) => "binary data",
        None => "text",
    };
    Err(FileError::new(FileErrorCode::WrongType, format!("it looks like {kind}")))
}

/// A compound file holds either a legacy workbook or an encrypted package; its directory names the stream
/// ([MS-CFB] 2.2: sector shift at offset 30, first sector of the directory at offset 48).
fn compound_kind(file: &mut File, head: &[u8]) -> &'static str {
    const UNKNOWN: &str = "a legacy workbook (.xls) or one with a password";
    let (Some(&[low, high]), Some(&[a, b, c, d])) = (head.get(30..32), head.get(48..52)) else {
        return UNKNOWN;
    };
    let (shift, sector) = (u32::from(u16::from_le_bytes([low, high])), u32::from_le_bytes([a, b, c, d]));
    let Some(start) = (u64::from(sector) + 1).checked_mul(1_u64.checked_shl(shift).unwrap_or(0)) else {
        return UNKNOWN;
    };
    let mut directory = Vec::new();
    let read = file.seek(SeekFrom::Start(start)).and_then(|_| file.take(4096).read_to_end(&mut directory));
    let wanted: Vec<u8> = "EncryptedPackage".bytes().flat_map(|byte| [byte, 0]).collect();
    match read {
        Ok(1..) if directory.windows(wanted.len()).any(|name| name == wanted) => "a workbook with a password",
        Ok(1..) => "a legacy workbook (.xls)",
        _ => UNKNOWN,
    }
}

/// Whether the end of the file has the mark that closes a ZIP archive; a comment of 64 KiB may follow it.
fn has_directory(file: &mut File) -> io::Result<bool> {
    let size = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(size.saturating_sub(22 + 65_535)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    Ok(tail.windows(4).any(|mark| mark == b"PK\x05\x06"))
}

/// Counts what really comes out of the archive, whatever its directory claims.
struct Metered<'a> {
    file: ZipFile<'a, BufReader<File>>,
    left: &'a mut u64,
    in_event: u64,
    most_in_event: u64,
    exceeded: bool,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.in_event += read as u64;
        match self.left.checked_sub(read as u64) {
            Some(left) if self.in_event <= self.most_in_event => *self.left = left,
            _ => {
                self.exceeded = true;
                return Err(io::Error::other("too large"));
            }
        }
        Ok(read)
    }
}

/// One XML part, event by event.
pub(super) struct Part<'a> {
    xml: quick_xml::Reader<BufReader<Metered<'a>>>,
    buffer: Vec<u8>,
    depth: usize,
    name: String,
}

impl Part<'_> {
    /// The next event; [`Event::Eof`] only where everything is closed. An empty element comes as start and end.
    pub(super) fn next(&mut self) -> Result<Event<'_>, FileError> {
        self.buffer.clear();
        self.xml.get_mut().get_mut().in_event = 0;
        // Both borrow the reader's buffer, so the error is judged before the event is looked at.
        let event = match self.xml.read_event_into(&mut self.buffer) {
            Ok(event) => event,
            Err(error) => {
                let exceeded = self.xml.get_mut().get_mut().exceeded;
                return Err(fault(&self.name, exceeded, &error));
            }
        };
        match event {
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            Event::Eof if self.depth > 0 => {
                return Err(FileError::new(
                    FileErrorCode::Truncated,
                    format!("part {} ends within an element", self.name),
                ));
            }
            _ => {}
        }
        if self.depth > DEPTH {
            return Err(FileError::new(
                FileErrorCode::Unreadable,
                format!("part {} nests deeper than {DEPTH}", self.name),
            ));
        }
        Ok(event)
    }
}

fn fault(part: &str, exceeded: bool, error: &quick_xml::Error) -> FileError {
    let code = match error {
        _ if exceeded => FileErrorCode::TooLarge,
        quick_xml::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            FileErrorCode::Truncated
        }
        _ => FileErrorCode::Unreadable,
    };
    FileError::new(code, format!("part {part}: {error}"))
}

/// The attribute with this local name. One that is no XML counts as absent.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    let found =
        attributes.with_checks(false).flatten().find(|found| found.key.local_name().as_ref() == name)?;
    found.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
}

/// What a reference like `&amp;` or `&#10;` stands for.
pub(super) fn referenced(reference: &BytesRef<'_>) -> Result<String, FileError> {
    let resolved = match reference.resolve_char_ref() {
        Ok(Some(letter)) => Some(letter.to_string()),
        Ok(None) => quick_xml::escape::resolve_predefined_entity(reference).map(str::to_owned),
        Err(_) => None,
    };
    resolved.ok_or_else(|| {
        FileError::new(
            FileErrorCode::Unreadable,
            format!("unknown reference &{};", crate::cut(reference, 60)),
        )
    })
}
