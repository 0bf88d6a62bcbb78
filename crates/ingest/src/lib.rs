//! Sell-through files in, canonical lines or located errors out, streaming; no database.
//!
//! [`inspect`] reads the whole file and refuses it as a whole, with reason and place, before anything of it
//! counts. [`read`] then gives its lines in file order. Both block, and neither holds the file in memory. What a
//! cell means is not decided here: a date, a quantity or a serial stays the text that the sender sees.

mod csv;
mod error;
mod limits;
mod mapping;
mod text;
mod xlsx;

use std::ops::ControlFlow;
use std::path::Path;

use roadstead_domain::sale::{Field, ReceivedLine};

pub use error::{FileError, FileErrorCode};
pub use limits::{Limits, OwnHeaders};
pub use mapping::{folded_header, usual_field, usual_header};

/// The kinds of files, as the sender declares them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Delimited text: comma, semicolon, tab or pipe, in UTF-8, UTF-16 or Windows-1252.
    Csv,
    /// A workbook in Office Open XML (ECMA-376).
    Xlsx,
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
    source: Source,
}

/// What reading the format again needs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Csv(csv::Dialect),
    Xlsx(xlsx::Table),
}

/// Reads the file to its end and finds its header.
///
/// # Errors
///
/// Whatever makes the file as a whole unfit; what is wrong with single lines is none of this.
pub fn inspect(format: Format, path: &Path, limits: &Limits) -> Result<Layout, FileError> {
    match format {
        Format::Csv => csv::inspect(path, limits),
        Format::Xlsx => xlsx::inspect(path, limits),
    }
}

/// Gives each line in file order to `each` until that breaks.
///
/// `layout` comes from [`inspect`] of the same file with the same limits.
///
/// # Errors
///
/// Only where the file is no longer what was inspected.
pub fn read(
    path: &Path,
    layout: &Layout,
    limits: &Limits,
    each: &mut dyn FnMut(ReceivedLine) -> ControlFlow<()>,
) -> Result<(), FileError> {
    match &layout.source {
        Source::Csv(dialect) => csv::read(path, layout, dialect, limits, each),
        Source::Xlsx(table) => xlsx::read(path, layout, table, limits, each),
    }
}

/// As much of the text as the limit of a field allows.
fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}
