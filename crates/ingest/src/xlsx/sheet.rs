//! The rows of one worksheet.
//!
//! Written for this project, because `calamine` gives either a cell's formula or its format but not both, and
//! trusts counts in the file: a false `uniqueCount` of shared strings makes it panic.

use std::borrow::Cow;

use quick_xml::events::{BytesStart, Event};

use super::package::{Part, attribute, referenced};
use super::workbook::{Strings, append};
use crate::error::{FileError, FileErrorCode};
use crate::limits::Limits;

/// The last row and column of any spreadsheet.
const ROWS: u64 = 1_048_576;
const COLUMNS: usize = 16_384;

/// What the text of a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Text,
    SharedText,
    Truth,
    Day,
    Error,
}

/// A cell; its text is in its row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) column: usize,
    pub(super) style: usize,
    pub(super) kind: Kind,
    pub(super) formula: bool,
    has_value: bool,
    text: (usize, usize),
    formula_text: (usize, usize),
}

/// One row as the file has it, reused for the next.
#[derive(Default)]
pub(super) struct Row {
    pub(super) number: u64,
    pub(super) cells: Vec<Cell>,
    text: String,
    formulas: String,
}

impl Row {
    /// What the cell's value is in the file: of a shared text its number.
    pub(super) fn raw(&self, cell: &Cell) -> &str {
        self.text.get(cell.text.0..cell.text.1).unwrap_or_default()
    }

    /// The formula of a cell that has no value.
    pub(super) fn formula(&self, cell: &Cell) -> Option<&str> {
        let text = self.formulas.get(cell.formula_text.0..cell.formula_text.1).unwrap_or_default();
        (cell.formula && !cell.has_value).then_some(text)
    }

    /// The text of a text cell, the raw value of another.
    pub(super) fn value<'a>(&'a self, cell: &Cell, strings: &'a Strings) -> Result<&'a str, FileError> {
        let raw = self.raw(cell);
        match cell.kind {
            Kind::SharedText if raw.trim().is_empty() => Ok(""),
            Kind::SharedText => {
                raw.trim().parse().ok().and_then(|index| strings.get(index)).ok_or_else(|| {
                    let detail = format!("no shared string has the number {:?}", crate::cut(raw, 60));
                    FileError::new(FileErrorCode::Unreadable, detail).at_row(self.number)
                })
            }
            _ => Ok(raw),
        }
    }

    /// Whether a reader of the sheet sees nothing in it.
    pub(super) fn is_blank(&self, strings: &Strings) -> Result<bool, FileError> {
        for cell in &self.cells {
            if self.formula(cell).is_some() || !self.value(cell, strings)?.trim().is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Where in a cell the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Nothing,
    Value,
    Formula,
}

/// Reads row after row.
pub(super) struct Rows<'a> {
    part: Part<'a>,
    last: u64,
    most_in_cell: usize,
    most_in_row: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn new(part: Part<'a>, limits: &Limits) -> Self {
        Self { part, last: 0, most_in_cell: limits.field_bytes, most_in_row: limits.row_bytes() }
    }

    /// Goes to the next row that the file has; false at its end.
    pub(super) fn next(&mut self, row: &mut Row) -> Result<bool, FileError> {
        let last = self.last;
        self.advance(row).map_err(|error| error.at_row(self.last.max(last + 1)))
    }

    fn advance(&mut self, row: &mut Row) -> Result<bool, FileError> {
        let mut in_row = false;
        let mut within = Within::Nothing;
        let mut phonetic = false;
        row.cells.clear();
        row.text.clear();
        row.formulas.clear();
        loop {
            let event = self.part.next()?;
            match &event {
                Event::Start(element) => match element.local_name().as_ref() {
                    "row" => {
                        row.number = row_number(element, self.last)?;
                        self.last = row.number;
                        in_row = true;
                    }
                    "c" if in_row => {
                        let next = row.cells.last().map_or(0, |cell| cell.column + 1);
                        row.cells.push(cell(element, next, (row.text.len(), row.formulas.len()))?);
                    }
                    "v" => within = Within::Value,
                    "t" if !phonetic => within = Within::Value,
                    "rPh" => phonetic = true,
                    "f" => within = Within::Formula,
                    _ => {}
                },
                Event::End(element) => match element.local_name().as_ref() {
                    "row" => return Ok(true),
                    "v" | "t" | "f" => within = Within::Nothing,
                    "rPh" => phonetic = false,
                    _ => {}
                },
                Event::Eof => return Ok(false),
                _ => {}
            }
            let Some(cell) = row.cells.last_mut().filter(|_| within != Within::Nothing) else { continue };
            // A formula with an empty element still is one, and so is an empty value a value.
            match within {
                Within::Formula => cell.formula = true,
                _ => cell.has_value = true,
            }
            let more = match &event {
                Event::Text(text) => text.xml10_content(),
                Event::CData(text) => text.xml10_content(),
                Event::GeneralRef(reference) => Cow::Owned(referenced(reference)?),
                _ => continue,
            };
            let (text, range) = match within {
                Within::Formula => (&mut row.formulas, &mut cell.formula_text),
                _ => (&mut row.text, &mut cell.text),
            };
            append(text, range.0, &more, self.most_in_cell);
            range.1 = text.len();
            if row.text.len() + row.formulas.len() > self.most_in_row {
                let detail = format!("a row of more than {} bytes", self.most_in_row);
                return Err(FileError::new(FileErrorCode::TooLarge, detail));
            }
        }
    }
}

fn row_number(element: &BytesStart<'_>, last: u64) -> Result<u64, FileError> {
    let number = match attribute(element, "r") {
        Some(text) => text.trim().parse().ok(),
        None => Some(last + 1),
    };
    number.filter(|number| (last + 1..=ROWS).contains(number)).ok_or_else(|| {
        FileError::new(
            FileErrorCode::Unreadable,
            format!("a row behind row {last} with a number out of order"),
        )
    })
}

fn cell(element: &BytesStart<'_>, next: usize, (text, formula): (usize, usize)) -> Result<Cell, FileError> {
    let unfit = |what: &str, found: &str| {
        FileError::new(
            FileErrorCode::Unreadable,
            format!("a cell whose {what} is {:?}", crate::cut(found, 60)),
        )
    };
    let mut cell = Cell {
        column: next,
        style: 0,
        kind: Kind::Number,
        formula: false,
        has_value: false,
        text: (text, text),
        formula_text: (formula, formula),
    };
    for found in element.attributes().with_checks(false) {
        let found = found.map_err(|error| unfit("attribute", &error.to_string()))?;
        let value = found.value.as_ref();
        match found.key.local_name().as_ref() {
            "r" => cell.column = column(value).ok_or_else(|| unfit("place", value))?,
            "s" => cell.style = value.parse().unwrap_or(0),
            "t" => {
                cell.kind = match value {
                    "n" => Kind::Number,
                    "s" => Kind::SharedText,
                    "str" | "inlineStr" => Kind::Text,
                    "b" => Kind::Truth,
                    "d" => Kind::Day,
                    "e" => Kind::Error,
                    _ => return Err(unfit("type", value)),
                }
            }
            _ => {}
        }
    }
    if cell.column < next || cell.column >= COLUMNS {
        return Err(unfit("place", "out of order"));
    }
    Ok(cell)
}

/// The column of a place like `AB12`, from 0.
fn column(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_alphabetic).take(4);
    let number =
        letters.fold(0, |number, letter| number * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1);
    number.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::column;

    #[test]
    fn places() {
        for (place, expected) in [
            ("A1", Some(0)),
            ("Z9", Some(25)),
            ("AA1", Some(26)),
            ("xfd1048576", Some(16_383)),
            ("12", None),
            ("", None),
        ] {
            assert_eq!(column(place), expected, "{place}");
        }
        assert!(column("AAAAAAAAAAAAAAAAAAAAAAAA1") > Some(16_383));
    }
}
