//! Workbooks.

mod number;
mod package;
mod sheet;
mod workbook;

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::path::Path;

use roadstead_domain::sale::{CellFault, Field, ReceivedLine};

use self::number::Shown;
use self::sheet::{Cell, Kind, Row, Rows};
use self::workbook::{Strings, Workbook};
use crate::error::{FileError, FileErrorCode};
use crate::limits::Limits;
use crate::mapping::{self, Columns, Header};
use crate::{Format, Layout, Source, cut};

/// A row with fewer known headers is taken for a title or a note if a later sheet has more.
const HEADERS: usize = 2;

/// Where in a workbook the lines are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    part: String,
    header_row: u64,
}

pub(crate) fn inspect(path: &Path, limits: &Limits) -> Result<Layout, FileError> {
    let mut workbook = Workbook::open(path, limits)?;
    let (table, headers) = find_header(&mut workbook, limits)?;
    let Columns { known, unknown } = mapping::columns(table.header_row, &headers, &limits.own_headers)?;
    let most = limits.xlsx_rows.min(limits.lines);
    let mut lines = 0;
    each_row(&mut workbook, &table, limits, |row, _| {
        lines += 1;
        if lines > most {
            let detail = format!("more than {most} rows");
            return Err(FileError::new(FileErrorCode::TooManyLines, detail).at_row(row.number));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let source = Source::Xlsx(table);
    Ok(Layout {
        format: Format::Xlsx,
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
    table: &Table,
    limits: &Limits,
    each: &mut dyn FnMut(ReceivedLine) -> ControlFlow<()>,
) -> Result<(), FileError> {
    let mut workbook = Workbook::open(path, limits)?;
    let mut number = 0;
    each_row(&mut workbook, table, limits, |row, cells| {
        number += 1;
        let mut line = ReceivedLine::new(number, row.number);
        for cell in &row.cells {
            let Some((_, field, _)) = layout.columns.iter().find(|(column, ..)| *column == cell.column)
            else {
                continue;
            };
            let (text, fault) = cells.text(row, cell, *field)?;
            let kept = cut(&text, limits.field_bytes);
            let too_large = (kept.len() < text.len()).then_some(CellFault::TooLarge);
            if let Some(fault) = too_large.or(fault) {
                line.faults.push((*field, fault));
            }
            line.set(*field, kept);
        }
        Ok(each(line))
    })
}

/// The header is the first row that is not blank, on the first visible sheet where it looks like one.
fn find_header(workbook: &mut Workbook, limits: &Limits) -> Result<(Table, Vec<Header>), FileError> {
    let mut fallback = None;
    for part in std::mem::take(&mut workbook.sheets) {
        let table = Table { part, header_row: 0 };
        let mut found = None;
        each_row(workbook, &table, limits, |row, cells| {
            let header = |cell: &Cell| Ok((cell.column, cells.shown(row, cell)?.trim().to_owned()));
            let headers = row.cells.iter().map(header).collect::<Result<Vec<_>, FileError>>()?;
            found = Some((row.number, headers));
            Ok(ControlFlow::Break(()))
        })?;
        let Some((header_row, headers)) = found else { continue };
        let table = Table { header_row, ..table };
        if mapping::known(&headers, &limits.own_headers) >= HEADERS {
            return Ok((table, headers));
        }
        fallback.get_or_insert((table, headers));
    }
    fallback.ok_or_else(|| FileError::new(FileErrorCode::Empty, "no visible sheet has a row with text"))
}

/// Gives each row behind the header that is not blank, until it is enough.
fn each_row(
    workbook: &mut Workbook,
    table: &Table,
    limits: &Limits,
    mut each: impl FnMut(&Row, &Cells<'_>) -> Result<ControlFlow<()>, FileError>,
) -> Result<(), FileError> {
    let Workbook { package, strings, formats, from_1904, .. } = workbook;
    let cells = Cells { strings, formats, from_1904: *from_1904 };
    let Some(part) = package.part(&table.part)? else {
        return Err(FileError::new(FileErrorCode::Unreadable, format!("part {} is missing", table.part)));
    };
    let mut rows = Rows::new(part, limits);
    let mut row = Row::default();
    while rows.next(&mut row)? {
        if row.number > table.header_row && !row.is_blank(strings)? && each(&row, &cells)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// What is needed to know the text that a cell shows.
struct Cells<'a> {
    strings: &'a Strings,
    formats: &'a [Shown],
    from_1904: bool,
}

impl Cells<'_> {
    /// The text to take for a field, and what is wrong with the cell.
    fn text<'a>(
        &'a self,
        row: &'a Row,
        cell: &Cell,
        field: Field,
    ) -> Result<(Cow<'a, str>, Option<CellFault>), FileError> {
        if cell.formula {
            let text = match row.formula(cell) {
                Some(formula) => Cow::Owned(format!("={formula}")),
                None => self.shown(row, cell)?,
            };
            return Ok((text, Some(CellFault::Formula)));
        }
        if field == Field::Serial && cell.kind == Kind::Number {
            let raw = row.raw(cell);
            if let Some(text) = number::scientific(raw, self.format(cell)) {
                return Ok((Cow::Owned(text), Some(CellFault::ScientificNotation)));
            }
        }
        Ok((self.shown(row, cell)?, None))
    }

    /// The cell's text about as the spreadsheet shows it; numbers with all their digits, days in ISO 8601.
    fn shown<'a>(&'a self, row: &'a Row, cell: &Cell) -> Result<Cow<'a, str>, FileError> {
        let value = row.value(cell, self.strings)?;
        Ok(match cell.kind {
            Kind::Number => number::text(value, self.format(cell), self.from_1904)
                .map_or(Cow::Borrowed(value), Cow::Owned),
            Kind::Truth => Cow::Borrowed(match value.trim() {
                "1" | "true" => "TRUE",
                "0" | "false" => "FALSE",
                _ => value,
            }),
            // Such a cell has a time, be it midnight.
            Kind::Day => Cow::Borrowed(value.split('T').next().unwrap_or(value)),
            Kind::Text | Kind::SharedText => unescaped(value),
            Kind::Error => Cow::Borrowed(value),
        })
    }

    fn format(&self, cell: &Cell) -> Shown {
        self.formats.get(cell.style).copied().unwrap_or(Shown::General)
    }
}

/// Undoes `_x000D_`, by which strings spell what XML cannot hold (ECMA-376 part 1, 22.4.2.4).
fn unescaped(text: &str) -> Cow<'_, str> {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("_x") {
        let code = rest.get(start + 2..start + 6).filter(|_| rest[start..].get(6..7) == Some("_"));
        let letter = code
            .filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?));
        let (kept, letter, length) = match letter {
            Some(letter) => (start, Some(letter), 7),
            None => (start + 2, None, 0),
        };
        plain.push_str(&rest[..kept]);
        plain.extend(letter);
        rest = &rest[kept + length..];
    }
    if rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}
