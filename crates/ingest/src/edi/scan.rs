//! Segments out of a file, one at a time: X12 and EDIFACT differ only in their delimiters.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use encoding_rs::Encoding;
use memchr::{memchr, memchr2, memchr3};

use crate::error::{FileError, FileErrorCode};
use crate::limits::Limits;

const CHUNK: usize = 64 << 10;

/// The service characters of one interchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delimiters {
    pub(crate) component: u8,
    pub(crate) element: u8,
    /// Takes the meaning from the character behind it; X12 has none.
    pub(crate) release: Option<u8>,
    pub(crate) terminator: u8,
}

impl Delimiters {
    /// Whether they can be told from each other and from what a file says between them.
    pub(crate) fn are_sound(&self) -> bool {
        let all = [Some(self.component), Some(self.element), self.release, Some(self.terminator)];
        let all: Vec<u8> = all.into_iter().flatten().collect();
        let distinct = all.iter().enumerate().all(|(n, byte)| !all[..n].contains(byte));
        // A line end may end a segment; nothing else can be a blank.
        let visible = |byte: &u8| !byte.is_ascii_alphanumeric() && *byte != b' ' && *byte != 0;
        distinct && all.iter().all(visible)
    }
}

/// How an interchange spells its characters.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Charset {
    /// Not declared: UTF-8, and what is none is Latin-1.
    Undeclared,
    /// ISO 8859-1, all 256 of it; what browsers call so is another code page.
    Latin1,
    Declared(&'static Encoding),
}

/// Reads a file segment by segment, whatever its size, holding no more than the longest of them.
pub(crate) struct Scanner {
    file: File,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    most: usize,
    delimiters: Delimiters,
    pub(crate) charset: Charset,
    /// The number of the segment at hand: 1 for the file's first.
    pub(crate) number: u64,
    segment: Vec<u8>,
    /// Where its elements end, the tag being the first.
    ends: Vec<usize>,
}

impl Scanner {
    pub(crate) fn open(path: &Path, limits: &Limits) -> Result<Self, FileError> {
        let nothing = Delimiters { component: 0, element: 0, release: None, terminator: 0 };
        let mut scanner = Self {
            file: File::open(path)?,
            buffer: vec![0; limits.field_bytes + CHUNK],
            at: 0,
            end: 0,
            most: limits.field_bytes,
            delimiters: nothing,
            charset: Charset::Undeclared,
            number: 0,
            segment: Vec::new(),
            ends: Vec::new(),
        };
        if scanner.peek(3)?.starts_with(b"\xef\xbb\xbf") {
            scanner.at += 3;
        }
        Ok(scanner)
    }

    /// Reads on; whether there was more.
    fn fill(&mut self) -> Result<bool, FileError> {
        if self.end == self.buffer.len() {
            self.buffer.copy_within(self.at..self.end, 0);
            self.end -= self.at;
            self.at = 0;
        }
        let read = self.file.read(&mut self.buffer[self.end..])?;
        self.end += read;
        Ok(read > 0)
    }

    /// The next bytes, as many as asked for if the file has them.
    pub(crate) fn peek(&mut self, bytes: usize) -> Result<&[u8], FileError> {
        while self.end - self.at < bytes && self.fill()? {}
        Ok(&self.buffer[self.at..self.end.min(self.at + bytes)])
    }

    /// Passes over bytes that were looked at and are a segment in themselves.
    pub(crate) fn take(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.end);
        self.number += 1;
    }

    /// Passes over what may stand between two interchanges; whether the file ends there. Old systems fill up a block.
    pub(crate) fn skip_padding(&mut self) -> Result<bool, FileError> {
        self.skip(b"\r\n \t\0\x1a")
    }

    fn skip(&mut self, blanks: &[u8]) -> Result<bool, FileError> {
        loop {
            match self.buffer[self.at..self.end].iter().position(|byte| !blanks.contains(byte)) {
                Some(found) => {
                    self.at += found;
                    return Ok(false);
                }
                None => {
                    self.at = self.end;
                    if !self.fill()? {
                        return Ok(true);
                    }
                }
            }
        }
    }

    pub(crate) fn use_delimiters(&mut self, delimiters: Delimiters) {
        self.delimiters = delimiters;
    }

    /// Goes to the next segment; whether there is one.
    pub(crate) fn advance(&mut self) -> Result<bool, FileError> {
        self.number += 1;
        self.find().map_err(|error| error.at_row(self.number))
    }

    fn find(&mut self) -> Result<bool, FileError> {
        if self.skip(b"\r\n \t")? {
            return Ok(false);
        }
        let Delimiters { terminator, release, .. } = self.delimiters;
        let mut looked = 0;
        let length = loop {
            let text = &self.buffer[self.at..self.end];
            let found = match release {
                None => memchr(terminator, &text[looked..]),
                Some(release) => memchr2(terminator, release, &text[looked..]),
            };
            match found.map(|found| looked + found) {
                Some(found) if text[found] == terminator => break found,
                // What it releases may not be read yet.
                Some(found) if found + 1 < text.len() => {
                    looked = found + 2;
                    continue;
                }
                Some(found) => looked = found,
                None => looked = text.len(),
            }
            if self.end - self.at > self.most {
                let detail = format!("a segment of more than {} bytes", self.most);
                return Err(FileError::new(FileErrorCode::TooLarge, detail));
            }
            if !self.fill()? {
                let detail = "the file ends within a segment";
                return Err(FileError::new(FileErrorCode::Truncated, detail));
            }
        };
        if length > self.most {
            let detail = format!("a segment of more than {} bytes", self.most);
            return Err(FileError::new(FileErrorCode::TooLarge, detail));
        }
        self.segment.clear();
        self.segment.extend_from_slice(&self.buffer[self.at..self.at + length]);
        self.at += length + 1;
        if let Some(found) = memchr3(b'\r', b'\n', 0, &self.segment) {
            if memchr(0, &self.segment[found..]).is_some() {
                return Err(FileError::new(FileErrorCode::NulBytes, "a NUL byte in a segment"));
            }
            // Some systems break lines wherever they are full.
            self.segment.retain(|byte| !matches!(byte, b'\r' | b'\n'));
        }
        self.split();
        Ok(true)
    }

    fn split(&mut self) {
        let Delimiters { element, release, .. } = self.delimiters;
        self.ends.clear();
        let mut from = 0;
        loop {
            let rest = &self.segment[from..];
            let found = match release {
                None => memchr(element, rest),
                Some(release) => memchr2(element, release, rest),
            };
            match found.map(|found| from + found) {
                Some(found) if self.segment[found] == element => {
                    self.ends.push(found);
                    from = found + 1;
                }
                Some(found) => from = (found + 2).min(self.segment.len()),
                None => break,
            }
        }
        self.ends.push(self.segment.len());
    }

    /// The segment that [`Scanner::advance`] went to.
    pub(crate) fn segment(&self) -> Segment<'_> {
        Segment {
            bytes: &self.segment,
            ends: &self.ends,
            delimiters: self.delimiters,
            charset: self.charset,
            number: self.number,
        }
    }
}

/// One segment: a tag, then elements, counted from 1 as its directory does.
#[derive(Clone, Copy)]
pub(crate) struct Segment<'a> {
    bytes: &'a [u8],
    ends: &'a [usize],
    delimiters: Delimiters,
    charset: Charset,
    pub(crate) number: u64,
}

impl<'a> Segment<'a> {
    pub(crate) fn tag(&self) -> &'a [u8] {
        // An EDIFACT tag may carry nesting behind a component separator.
        first_component(&self.bytes[..self.ends[0]], self.delimiters)
    }

    /// The last element's number.
    pub(crate) fn elements(&self) -> usize {
        self.ends.len() - 1
    }

    /// An element's bytes as they stand, release characters and all; nothing where the segment is shorter.
    pub(crate) fn element(&self, number: usize) -> &'a [u8] {
        match number.checked_sub(1) {
            Some(before) if number < self.ends.len() => &self.bytes[self.ends[before] + 1..self.ends[number]],
            _ => b"",
        }
    }

    /// One component of an element, counted from 1.
    pub(crate) fn component(&self, element: usize, number: usize) -> &'a [u8] {
        let mut rest = self.element(element);
        for _ in 1..number {
            let first = first_component(rest, self.delimiters);
            if first.len() == rest.len() {
                return b"";
            }
            rest = &rest[first.len() + 1..];
        }
        first_component(rest, self.delimiters)
    }

    /// The text that such bytes spell.
    pub(crate) fn text(&self, bytes: &'a [u8]) -> Cow<'a, str> {
        let bytes = match self.delimiters.release {
            Some(release) if memchr(release, bytes).is_some() => Cow::Owned(unrelease(bytes, release)),
            _ => Cow::Borrowed(bytes),
        };
        match bytes {
            Cow::Borrowed(bytes) => decode(bytes, self.charset),
            Cow::Owned(bytes) => Cow::Owned(decode(&bytes, self.charset).into_owned()),
        }
    }
}

pub(crate) fn first_component(bytes: &[u8], delimiters: Delimiters) -> &[u8] {
    let Delimiters { component, release, .. } = delimiters;
    let mut from = 0;
    loop {
        let rest = &bytes[from.min(bytes.len())..];
        let found = match release {
            None => memchr(component, rest),
            Some(release) => memchr2(component, release, rest),
        };
        match found.map(|found| from + found) {
            Some(found) if bytes[found] == component => return &bytes[..found],
            Some(found) => from = found + 2,
            None => return bytes,
        }
    }
}

fn unrelease(bytes: &[u8], release: u8) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut bytes = bytes.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            byte if *byte == release => plain.extend(bytes.next()),
            byte => plain.push(*byte),
        }
    }
    plain
}

fn decode(bytes: &[u8], charset: Charset) -> Cow<'_, str> {
    let latin = || Cow::Owned(bytes.iter().copied().map(char::from).collect());
    match charset {
        Charset::Latin1 if !bytes.is_ascii() => latin(),
        Charset::Latin1 | Charset::Undeclared => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => latin(),
        },
        Charset::Declared(encoding) => encoding.decode_without_bom_handling(bytes).0,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

    use super::*;

    const EDIFACT: Delimiters =
        Delimiters { component: b':', element: b'+', release: Some(b'?'), terminator: b'\'' };

    fn segments(
        bytes: &[u8],
        delimiters: Delimiters,
        most: usize,
    ) -> Result<Vec<Vec<Vec<String>>>, FileError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let limits = Limits { field_bytes: most, ..Limits::default() };
        let mut scanner = Scanner::open(file.path(), &limits)?;
        scanner.use_delimiters(delimiters);
        let mut all = Vec::new();
        while scanner.advance()? {
            let segment = scanner.segment();
            let components = |n: usize| {
                let mut found: Vec<String> = (1..=5)
                    .map(|c| {
                        segment
                            .text(if n == 0 { segment.tag() } else { segment.component(n, c) })
                            .into_owned()
                    })
                    .collect();
                found.truncate(if n == 0 { 1 } else { 5 });
                while found.len() > 1 && found.last().is_some_and(String::is_empty) {
                    found.pop();
                }
                found
            };
            all.push((0..=segment.elements()).map(components).collect());
        }
        Ok(all)
    }

    #[test]
    fn release_characters_line_breaks_and_short_segments() {
        let found = segments(b"PIA+5+Prem\r\nium?+:ZZZ'\r\n A?'B+x??:y?:z++'", EDIFACT, 100).unwrap();
        assert_eq!(
            found,
            [
                vec![vec!["PIA"], vec!["5"], vec!["Premium+", "ZZZ"]],
                vec![vec!["A'B"], vec!["x?", "y:z"], vec![""], vec![""]],
            ]
        );
    }

    #[test]
    fn a_segment_across_every_edge_of_the_buffer_is_whole() {
        for before in CHUNK - 12..CHUNK + 200 {
            let bytes = ["A+", &"x".repeat(100), "'"].concat().repeat(before / 103).into_bytes();
            let filler = "y".repeat(before % 103);
            let bytes = [&bytes[..], b"F+", filler.as_bytes(), b"'B+?'?+??:c'"].concat();
            let found = segments(&bytes, EDIFACT, 200).unwrap();
            assert_eq!(found.last().unwrap()[1], ["'+?", "c"], "{before}");
        }
    }

    #[test]
    fn too_long_cut_off_and_nul() {
        let refused = |bytes: &[u8]| {
            let error = segments(bytes, EDIFACT, 50).unwrap_err();
            (error.code, error.row)
        };
        assert_eq!(refused(&[b"A+1'B+", &[b'x'; 90][..], b"'"].concat()), (FileErrorCode::TooLarge, Some(2)));
        assert_eq!(refused(&[b'x'; 500_000]), (FileErrorCode::TooLarge, Some(1)));
        assert_eq!(refused(b"A+1'B+2"), (FileErrorCode::Truncated, Some(2)));
        assert_eq!(refused(b"A+1'B+2?"), (FileErrorCode::Truncated, Some(2)));
        assert_eq!(refused(b"A+1'B+2?'"), (FileErrorCode::Truncated, Some(2)));
        assert_eq!(refused(b"A+1'B+\0'"), (FileErrorCode::NulBytes, Some(2)));
    }

    #[test]
    fn characters_are_those_of_the_charset() {
        assert_eq!(decode(b"Caf\xe9\x80", Charset::Latin1), "Café\u{80}");
        assert_eq!(decode("Café".as_bytes(), Charset::Latin1), "CafÃ©");
        assert_eq!(decode("Café".as_bytes(), Charset::Undeclared), "Café");
        assert_eq!(decode(b"Caf\xe9", Charset::Undeclared), "Café");
        assert_eq!(decode(b"\xb1", Charset::Declared(encoding_rs::ISO_8859_2)), "ą");
    }
}
