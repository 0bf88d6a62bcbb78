//! Sell-through files in, canonical lines or located errors out, streaming; no database.
//!
//! [`inspect`] reads the whole file and refuses it as a whole, with reason and place, before anything of it
//! counts. [`read`] then gives its lines in file order. Both block, and neither holds the file in memory. What a
//! cell means is not decided here: a date, a quantity or a serial stays the text that the sender sees.

mod csv;
mod edi;
mod edifact;
mod error;
mod limits;
mod mapping;
mod table;
mod text;
mod x12;
mod xlsx;

use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

use roadstead_domain::sale::{Field, ReceivedLine};

pub use edi::{Acknowledgement, EdiMaps};
pub use error::{FileError, FileErrorCode};
pub use limits::{Limits, OwnHeaders};
pub use mapping::{folded_header, usual_field, usual_header};
pub use table::{Column, TableError, TableRow, read_table};

/// The kinds of files, as the sender declares them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Delimited text: comma, semicolon, tab or pipe, in UTF-8, UTF-16 or Windows-1252.
    Csv,
    /// A workbook in Office Open XML (ECMA-376).
    Xlsx,
    /// Interchanges of ANSI ASC X12 with 867 transaction sets, release 4010 or 5010.
    X12,
    /// Interchanges of EDIFACT (ISO 9735) with SLSRPT messages, directory D.96A.
    Edifact,
}

/// A file that was read once to its end and is structurally sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// What the file is.
    pub format: Format,
    /// How many lines it has; the header and blank rows are not lines.
    pub lines: u64,
    /// The columns that are read, in file order: number from 0, field, header.
    pub columns: Vec<(usize, Field, String)>,
    /// The headers of the columns that are not read.
    pub unknown_columns: Vec<String>,
    /// What to answer the sender of messages.
    pub acknowledgement: Option<Box<Acknowledgement>>,
    source: Source,
}

/// What reading the format again needs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Csv(csv::Dialect),
    Xlsx(xlsx::Table),
    Edi(edi::Sets),
}

/// What a file seems to be by its beginning, where nobody says it: in a drop folder.
///
/// # Errors
///
/// Where it cannot be read.
pub fn guess(path: &Path) -> Result<Format, FileError> {
    let mut head = Vec::with_capacity(512);
    File::open(path)?.take(512).read_to_end(&mut head)?;
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head).trim_ascii_start();
    Ok(match edi::syntax_of(text) {
        Some(edi::Syntax::X12) => Format::X12,
        Some(edi::Syntax::Edifact) => Format::Edifact,
        None if head.starts_with(b"PK") => Format::Xlsx,
        None => Format::Csv,
    })
}

/// Reads the file to its end and finds its header, or checks its envelopes.
///
/// # Errors
///
/// Whatever makes the file as a whole unfit; what is wrong with single lines is none of this.
pub fn inspect(format: Format, path: &Path, limits: &Limits, maps: &EdiMaps) -> Result<Layout, FileError> {
    match format {
        Format::Csv => csv::inspect(path, limits),
        Format::Xlsx => xlsx::inspect(path, limits),
        Format::X12 => edi::inspect(edi::Syntax::X12, path, limits, maps),
        Format::Edifact => edi::inspect(edi::Syntax::Edifact, path, limits, maps),
    }
}

/// Gives each line in file order to `each` until that breaks.
///
/// `layout` comes from [`inspect`] of the same file with the same limits and maps.
///
/// # Errors
///
/// Only where the file is no longer what was inspected.
pub fn read(
    path: &Path,
    layout: &Layout,
    limits: &Limits,
    maps: &EdiMaps,
    each: &mut dyn FnMut(ReceivedLine) -> ControlFlow<()>,
) -> Result<(), FileError> {
    match &layout.source {
        Source::Csv(dialect) => csv::read(path, layout, dialect, limits, each),
        Source::Xlsx(table) => xlsx::read(path, layout, table, limits, each),
        Source::Edi(sets) => edi::read(path, sets, limits, maps, each),
    }
}

/// As much of the text as the limit of a field allows.
fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}
