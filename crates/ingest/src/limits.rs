//! How much of a file is read at most, and what its sender calls the columns.

use std::collections::BTreeMap;

use roadstead_domain::sale::Field;

/// What a sender calls its columns, by the header in one spelling ([`crate::folded_header`]); `None` for a column
/// that is not read. It goes before what headers usually mean.
pub type OwnHeaders = BTreeMap<String, Option<Field>>;

/// The limits of one file; the defaults are those of the design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that a workbook may unpack to.
    pub unpacked_bytes: u64,
    /// Lines of a workbook's sheet.
    pub xlsx_rows: u64,
    /// Bytes of one cell, as UTF-8, and of one segment. A row may have 64 times as many: more means an open quote or an attack.
    pub field_bytes: usize,
    /// Lines of any file.
    pub lines: u64,
    /// What the sender calls its columns.
    pub own_headers: OwnHeaders,
    /// Transaction sets or messages of a file.
    pub sets: usize,
}

impl Limits {
    pub(crate) fn row_bytes(&self) -> usize {
        self.field_bytes.saturating_mul(64)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            unpacked_bytes: 1 << 30,
            xlsx_rows: 200_000,
            field_bytes: 64 << 10,
            lines: 10_000_000,
            own_headers: OwnHeaders::new(),
            sets: 100_000,
        }
    }
}
