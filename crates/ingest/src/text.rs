//! The text of a file as UTF-8, whatever its encoding, a chunk at a time.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use encoding_rs::{Decoder, DecoderResult, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::edi::{self, Syntax};
use crate::error::{FileError, FileErrorCode};

const CHUNK: usize = 64 << 10;
const ZIP: &str = "a ZIP archive or workbook";

/// How the bytes of a text file spell its characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// With or without a byte order mark.
    Utf8,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// The code page of Western European spreadsheets; taken for what is not valid UTF-8.
    Windows1252,
}

/// Decides the encoding over the whole file, and refuses what is no text by its beginning.
pub(crate) fn detect(path: &Path) -> Result<Encoding, FileError> {
    let mut file = File::open(path)?;
    let mut head = Vec::with_capacity(CHUNK);
    file.by_ref().take(CHUNK as u64).read_to_end(&mut head)?;
    if head.is_empty() {
        return Err(FileError::new(FileErrorCode::Empty, "no bytes"));
    }
    if let Some(kind) = looks_like(&head) {
        return Err(FileError::new(FileErrorCode::WrongType, format!("it looks like {kind}")));
    }
    if let Some(encoding) = utf16(&head) {
        return Ok(encoding);
    }
    let control = |byte: &u8| *byte < b' ' && !matches!(byte, 0 | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
    if let Some(position) = head.iter().position(control) {
        let detail = format!("binary data: byte {:#04x} at {position}", head[position]);
        return Err(FileError::new(FileErrorCode::WrongType, detail));
    }
    if head.starts_with(b"\xef\xbb\xbf") {
        return Ok(Encoding::Utf8);
    }
    file.rewind()?;
    utf8_or_code_page(&mut file)
}

/// What kind of file begins like this, if it is none of plain text.
pub(crate) fn looks_like(head: &[u8]) -> Option<&'static str> {
    const MAGIC: &[(&[u8], &str)] = &[
        (b"PK\x03\x04", ZIP),
        (b"PK\x05\x06", ZIP),
        (b"PK\x07\x08", ZIP),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a legacy workbook (.xls) or one with a password"),
        (b"%PDF", "a PDF document"),
        (b"\x89PNG", "a PNG image"),
        (b"\xff\xd8\xff", "a JPEG image"),
        (b"GIF8", "a GIF image"),
        (b"\x1f\x8b", "gzip data"),
        (b"{\\rtf", "an RTF document"),
    ];
    const BEGINNINGS: &[(&str, &str)] =
        &[("<!doctype", "an HTML page"), ("<html", "an HTML page"), ("<?xml", "an XML document")];
    let magic = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, kind)| *kind);
    magic.or_else(|| {
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        let begins = |beginning: &str| {
            text.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning.as_bytes()))
        };
        let known = BEGINNINGS.iter().find(|(beginning, _)| begins(beginning)).map(|(_, kind)| *kind);
        let message = || match edi::syntax_of(text)? {
            Syntax::X12 => Some("an X12 interchange"),
            Syntax::Edifact => Some("an EDIFACT interchange"),
        };
        known.or_else(message)
    })
}

/// UTF-16 by its mark, or by its pattern: the header is Latin text, so every other byte is zero.
fn utf16(head: &[u8]) -> Option<Encoding> {
    match head {
        [0xff, 0xfe, ..] => return Some(Encoding::Utf16Le),
        [0xfe, 0xff, ..] => return Some(Encoding::Utf16Be),
        _ => {}
    }
    let head = &head[..head.len().min(256)];
    let zeros = |offset: usize| head.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), head.len() / 4);
    match (even, odd) {
        (0, odd) if odd > half => Some(Encoding::Utf16Le),
        (even, 0) if even > half => Some(Encoding::Utf16Be),
        _ => None,
    }
}

fn utf8_or_code_page(file: &mut File) -> Result<Encoding, FileError> {
    let mut buffer = vec![0; CHUNK];
    let mut kept = 0;
    let mut beyond_ascii = false;
    loop {
        let read = file.read(&mut buffer[kept..])?;
        let filled = kept + read;
        let valid = match std::str::from_utf8(&buffer[..filled]) {
            Ok(_) => filled,
            Err(error) if error.error_len().is_some() => return Ok(Encoding::Windows1252),
            Err(error) => error.valid_up_to(),
        };
        beyond_ascii |= !buffer[..valid].is_ascii();
        if read == 0 {
            // One letter beyond ASCII as the last byte is a code page; anything more is UTF-8 that was cut.
            let code_page = filled - valid == 1 && !beyond_ascii;
            return Ok(if code_page { Encoding::Windows1252 } else { Encoding::Utf8 });
        }
        buffer.copy_within(valid..filled, 0);
        kept = filled - valid;
    }
}

/// Reads a file as UTF-8. The byte order mark is left out.
pub(crate) struct Text {
    file: File,
    decoder: Decoder,
    raw: Vec<u8>,
    raw_at: usize,
    raw_end: usize,
    utf8: Vec<u8>,
    at: usize,
    end: usize,
    ended: bool,
    /// Found behind the text that is still to be given out.
    fault: Option<FileError>,
}

impl Text {
    pub(crate) fn open(path: &Path, encoding: Encoding) -> Result<Self, FileError> {
        let decoder = match encoding {
            Encoding::Utf8 => UTF_8,
            Encoding::Utf16Le => UTF_16LE,
            Encoding::Utf16Be => UTF_16BE,
            Encoding::Windows1252 => WINDOWS_1252,
        }
        .new_decoder_with_bom_removal();
        Ok(Self {
            file: File::open(path)?,
            decoder,
            raw: vec![0; CHUNK],
            raw_at: 0,
            raw_end: 0,
            utf8: vec![0; CHUNK],
            at: 0,
            end: 0,
            ended: false,
            fault: None,
        })
    }

    /// The text at hand, read on if there is none; empty at the end of the file.
    pub(crate) fn fill(&mut self) -> Result<&[u8], FileError> {
        while self.at == self.end {
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            if self.ended {
                break;
            }
            self.decode()?;
        }
        Ok(&self.utf8[self.at..self.end])
    }

    /// Goes on behind the first `bytes` of what [`Text::fill`] gave.
    pub(crate) fn consume(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.end);
    }

    fn decode(&mut self) -> Result<(), FileError> {
        let mut last = false;
        if self.raw_at == self.raw_end {
            self.raw_end = self.file.read(&mut self.raw)?;
            self.raw_at = 0;
            last = self.raw_end == 0;
        }
        let raw = &self.raw[self.raw_at..self.raw_end];
        let (result, read, written) =
            self.decoder.decode_to_utf8_without_replacement(raw, &mut self.utf8, last);
        self.raw_at += read;
        (self.at, self.end) = (0, written);
        match result {
            DecoderResult::InputEmpty => self.ended = last,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => {
                let (code, detail) = match last {
                    true => (FileErrorCode::Truncated, "the file ends within a character"),
                    false => {
                        (FileErrorCode::Unreadable, "bytes that are no character in the file's encoding")
                    }
                };
                self.fault = Some(FileError::new(code, detail));
            }
        }
        if let Some(nul) = self.utf8[..written].iter().position(|byte| *byte == 0) {
            self.end = nul;
            self.fault = Some(FileError::new(FileErrorCode::NulBytes, "a NUL byte in text"));
        }
        Ok(())
    }
}
