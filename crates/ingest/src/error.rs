//! Why a whole file is refused, and where.

use std::fmt;

use roadstead_domain::sale::Field;

use crate::edi::Acknowledgement;

/// The reason of a refusal; its text is stable and part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileErrorCode {
    /// Nothing but blanks.
    Empty,
    /// Another kind of file than the one it was sent as.
    WrongType,
    /// The right kind, but broken.
    Unreadable,
    /// It stops in the middle of a field, a character or the archive.
    Truncated,
    /// Text with NUL bytes.
    NulBytes,
    /// A required column is not in the header.
    ColumnMissing,
    /// Two columns mean the same field.
    ColumnDuplicate,
    /// Its ISA, UNA or UNB cannot be read, so that nothing behind it can be.
    EnvelopeBroken,
    /// It can be read, but each of its transaction sets or messages is refused.
    NothingAccepted,
    /// More bytes than the limits allow, once unpacked or in one row.
    TooLarge,
    /// More lines than the limits allow.
    TooManyLines,
}

impl FileErrorCode {
    /// The stable code: `file.empty`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "file.empty",
            Self::WrongType => "file.wrong_type",
            Self::Unreadable => "file.unreadable",
            Self::Truncated => "file.truncated",
            Self::NulBytes => "file.nul_bytes",
            Self::ColumnMissing => "file.column_missing",
            Self::ColumnDuplicate => "file.column_duplicate",
            Self::EnvelopeBroken => "file.envelope_broken",
            Self::NothingAccepted => "file.nothing_accepted",
            Self::TooLarge => "file.too_large",
            Self::TooManyLines => "file.too_many_lines",
        }
    }
}

impl fmt::Display for FileErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A whole file is refused; nothing of it counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}{}: {detail}", row.map(|row| format!(" in row {row}")).unwrap_or_default())]
pub struct FileError {
    /// The reason.
    pub code: FileErrorCode,
    /// The row as a spreadsheet numbers it, or the number of the segment, where one is to blame.
    pub row: Option<u64>,
    /// The column's header; for a missing column the header that is usual for it.
    pub column: Option<String>,
    /// The field that the column stands for.
    pub field: Option<Field>,
    /// What was found, in English, for logs; may quote the file.
    pub detail: String,
    /// The headers of the file, where they are the fault.
    pub headers: Vec<String>,
    /// What to answer the sender, where the file says enough for it.
    pub acknowledgement: Option<Box<Acknowledgement>>,
}

impl FileError {
    pub(crate) fn new(code: FileErrorCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            row: None,
            column: None,
            field: None,
            detail: detail.into(),
            headers: Vec::new(),
            acknowledgement: None,
        }
    }

    pub(crate) fn at_row(mut self, row: u64) -> Self {
        self.row.get_or_insert(row);
        self
    }

    pub(crate) fn in_column(mut self, field: Field, column: impl Into<String>) -> Self {
        self.field = Some(field);
        self.column = Some(column.into());
        self
    }
}

impl From<std::io::Error> for FileError {
    fn from(error: std::io::Error) -> Self {
        Self::new(FileErrorCode::Unreadable, format!("the file cannot be read: {error}"))
    }
}
