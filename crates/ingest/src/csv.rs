//! Delimited text.
//!
//! The `csv` crate would hide what a refusal has to say: which row an open quote or a NUL byte stands in, and
//! how many blank rows came before. So this drives its state machine, `csv-core`, which leaves that to us.

use std::ops::ControlFlow;
use std::path::Path;

use csv_core::{ReadRecordResult, ReaderBuilder};
use roadstead_domain::sale::{CellFault, ReceivedLine};

use crate::error::{FileError, FileErrorCode};
use crate::limits::Limits;
use crate::mapping::{self, Columns, Header};
use crate::text::{self, Encoding, Text};
use crate::{Format, Layout, Source, cut};

const DELIMITERS: [u8; 4] = *b",;\t|";

/// What [`read`] needs to know of a file of delimited text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    encoding: Encoding,
    delimiter: u8,
    header_row: u64,
}

pub(crate) fn inspect(path: &Path, limits: &Limits) -> Result<Layout, FileError> {
    let encoding = text::detect(path)?;
    let (dialect, headers) = find_header(path, encoding, limits)?;
    let Columns { known, unknown } = mapping::columns(dialect.header_row, &headers, &limits.own_headers)?;
    let mut records = Records::open(path, &dialect, limits)?;
    let mut lines = 0;
    while let Some(row) = records.next_line(dialect.header_row)? {
        lines += 1;
        if lines > limits.lines {
            let detail = format!("more than {} lines", limits.lines);
            return Err(FileError::new(FileErrorCode::TooManyLines, detail).at_row(row));
        }
    }
    let source = Source::Csv(dialect);
    Ok(Layout {
        format: Format::Csv,
        lines,
        columns: known,
        unknown_columns: unknown,
        acknowledgement: None,
        source,
    })
}

pub(crate) fn read(
    path: &Path,
    layout: &Layout,
    dialect: &Dialect,
    limits: &Limits,
    each: &mut dyn FnMut(ReceivedLine) -> ControlFlow<()>,
) -> Result<(), FileError> {
    let mut records = Records::open(path, dialect, limits)?;
    let mut number = 0;
    while let Some(row) = records.next_line(dialect.header_row)? {
        number += 1;
        let mut line = ReceivedLine::new(number, row);
        for (column, field, _) in &layout.columns {
            let text = records.field(*column)?;
            let kept = cut(text, limits.field_bytes);
            if kept.len() < text.len() {
                line.faults.push((*field, CellFault::TooLarge));
            }
            line.set(*field, kept);
        }
        if each(line).is_break() {
            break;
        }
    }
    Ok(())
}

/// The header is the first row that is not blank. The delimiter is the one that makes most of it.
fn find_header(
    path: &Path,
    encoding: Encoding,
    limits: &Limits,
) -> Result<(Dialect, Vec<Header>), FileError> {
    let declared = declared_delimiter(path, encoding)?;
    let candidates = declared.map_or(DELIMITERS.to_vec(), |delimiter| vec![delimiter]);
    let behind = u64::from(declared.is_some());
    let mut best: Option<((usize, usize), Dialect, Vec<Header>)> = None;
    let mut fault = None;
    for delimiter in candidates {
        let mut dialect = Dialect { encoding, delimiter, header_row: behind };
        match header(path, &mut dialect, limits) {
            Ok(Some(headers)) => {
                let score = (mapping::known(&headers, &limits.own_headers), headers.len());
                if best.as_ref().is_none_or(|(most, ..)| score > *most) {
                    best = Some((score, dialect, headers));
                }
            }
            // Every row is blank if this delimits, so the file is nothing but delimiters and blanks.
            Ok(None) => return Err(FileError::new(FileErrorCode::Empty, "no row with text")),
            Err(error) => fault = fault.or(Some(error)),
        }
    }
    match (best, fault) {
        (None, Some(fault)) => Err(fault),
        (best, _) => best
            .map(|(_, dialect, headers)| (dialect, headers))
            .ok_or_else(|| FileError::new(FileErrorCode::Empty, "no row with text")),
    }
}

fn header(path: &Path, dialect: &mut Dialect, limits: &Limits) -> Result<Option<Vec<Header>>, FileError> {
    let mut records = Records::open(path, dialect, limits)?;
    let Some(row) = records.next_line(dialect.header_row)? else { return Ok(None) };
    dialect.header_row = row;
    let columns = 0..records.ends_len;
    columns
        .map(|column| Ok((column, records.field(column)?.trim().to_owned())))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// Some spreadsheets write and obey a first line like `sep=;`.
fn declared_delimiter(path: &Path, encoding: Encoding) -> Result<Option<u8>, FileError> {
    let mut text = Text::open(path, encoding)?;
    Ok(match text.fill()? {
        [s, e, p, b'=', delimiter, rest @ ..]
            if [s, e, p].map(u8::to_ascii_lowercase) == *b"sep"
                && (delimiter.is_ascii_punctuation() || *delimiter == b'\t')
                && *delimiter != b'"'
                && matches!(rest.first(), None | Some(b'\r' | b'\n')) =>
        {
            Some(*delimiter)
        }
        _ => None,
    })
}

/// Reads record after record, and knows the row of each.
struct Records {
    text: Text,
    core: csv_core::Reader,
    most: usize,
    bytes: Vec<u8>,
    bytes_len: usize,
    ends: Vec<usize>,
    ends_len: usize,
    /// The row that is being read, or was read last.
    row: u64,
    /// A carriage return ended the last row; a line feed right behind belongs to it.
    after_return: bool,
}

impl Records {
    fn open(path: &Path, dialect: &Dialect, limits: &Limits) -> Result<Self, FileError> {
        Ok(Self {
            text: Text::open(path, dialect.encoding)?,
            core: ReaderBuilder::new().delimiter(dialect.delimiter).build(),
            most: limits.row_bytes(),
            bytes: vec![0; 4096],
            bytes_len: 0,
            ends: vec![0; 64],
            ends_len: 0,
            row: 0,
            after_return: false,
        })
    }

    /// Goes to the next record with text behind this row; its row.
    fn next_line(&mut self, behind: u64) -> Result<Option<u64>, FileError> {
        loop {
            self.row += 1;
            let found = self.next_record();
            match found.map_err(|error| error.at_row(self.row))? {
                false => return Ok(None),
                true if self.row > behind && !self.is_blank() => return Ok(Some(self.row)),
                true => {}
            }
        }
    }

    fn next_record(&mut self) -> Result<bool, FileError> {
        loop {
            let Some(&first) = self.text.fill()?.first() else { return Ok(false) };
            let line_feed_of_last = self.after_return && first == b'\n';
            self.after_return = first == b'\r';
            match first {
                b'\n' | b'\r' => self.text.consume(1),
                _ => break,
            }
            self.row += u64::from(!line_feed_of_last);
        }
        let (mut taken, mut bytes_len, mut ends_len) = (0, 0, 0);
        loop {
            let chunk = self.text.fill()?;
            // A line feed ends the last row wherever it may end, and only within quotes is just one more letter.
            let (input, last) = if chunk.is_empty() { (&b"\n"[..], true) } else { (chunk, false) };
            let (result, read, wrote, ended) =
                self.core.read_record(input, &mut self.bytes[bytes_len..], &mut self.ends[ends_len..]);
            self.after_return = read > 0 && input[read - 1] == b'\r';
            if !last {
                self.text.consume(read);
            }
            taken += read;
            bytes_len += wrote;
            ends_len += ended;
            if taken > self.most {
                let detail = format!("a row of more than {} bytes; is a quote left open?", self.most);
                return Err(FileError::new(FileErrorCode::TooLarge, detail));
            }
            match result {
                ReadRecordResult::Record => break,
                ReadRecordResult::InputEmpty if last => {
                    let detail = "the file ends within quotes that opened in this row";
                    return Err(FileError::new(FileErrorCode::Truncated, detail));
                }
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.bytes.resize(self.bytes.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::End => return Ok(false),
            }
        }
        (self.bytes_len, self.ends_len) = (bytes_len, ends_len);
        Ok(true)
    }

    fn is_blank(&self) -> bool {
        let bytes = &self.bytes[..self.bytes_len];
        match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None => true,
            Some(byte) if byte.is_ascii() => false,
            // A no-break space, perhaps.
            Some(_) => std::str::from_utf8(bytes).is_ok_and(|text| text.trim().is_empty()),
        }
    }

    /// The field's text; empty behind the end of a short row.
    fn field(&self, column: usize) -> Result<&str, FileError> {
        if column >= self.ends_len {
            return Ok("");
        }
        let start = if column == 0 { 0 } else { self.ends[column - 1] };
        std::str::from_utf8(&self.bytes[start..self.ends[column]])
            .map_err(|error| FileError::new(FileErrorCode::Unreadable, error.to_string()).at_row(self.row))
    }
}
