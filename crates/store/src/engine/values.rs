//! What statements are given: values, and columns of many rows at once.

use uuid::Uuid;

use crate::error::{Error, Result};

/// A value bound to a statement; `None` is null.
#[derive(Clone, Debug)]
pub enum Arg {
    /// An identifier.
    Uuid(Option<Uuid>),
    /// Text.
    Text(Option<String>),
    /// A count, or an instant in microseconds.
    Int(Option<i64>),
    /// A truth.
    Bool(bool),
    /// Bytes: hashes, pieces of files.
    Bytes(Vec<u8>),
}

/// A column of many rows, as PostgreSQL takes them.
pub(super) enum Array {
    Uuid(Vec<Option<Uuid>>),
    Text(Vec<Option<String>>),
    Int(Vec<Option<i64>>),
    Bool(Vec<bool>),
    Bytes(Vec<Vec<u8>>),
}

impl Array {
    /// Rows turned into columns; each has the type of its value in the first row.
    pub(super) fn columns(count: usize, values: Vec<Arg>) -> Result<Vec<Self>> {
        let rows = values.len() / count;
        let mut columns: Vec<Self> = Vec::with_capacity(count);
        for (at, value) in values.into_iter().enumerate() {
            if at < count {
                columns.push(match value {
                    Arg::Uuid(_) => Self::Uuid(Vec::with_capacity(rows)),
                    Arg::Text(_) => Self::Text(Vec::with_capacity(rows)),
                    Arg::Int(_) => Self::Int(Vec::with_capacity(rows)),
                    Arg::Bool(_) => Self::Bool(Vec::with_capacity(rows)),
                    Arg::Bytes(_) => Self::Bytes(Vec::with_capacity(rows)),
                });
            }
            match (&mut columns[at % count], value) {
                (Self::Uuid(column), Arg::Uuid(value)) => column.push(value),
                (Self::Text(column), Arg::Text(value)) => column.push(value.map(without_nul)),
                (Self::Int(column), Arg::Int(value)) => column.push(value),
                (Self::Bool(column), Arg::Bool(value)) => column.push(value),
                (Self::Bytes(column), Arg::Bytes(value)) => column.push(value),
                (_, value) => {
                    return Err(Error::bad("many rows", format!("{value:?} in column {}", at % count)));
                }
            }
        }
        Ok(columns)
    }

    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Uuid(_) => "uuid",
            Self::Text(_) => "text",
            Self::Int(_) => "bigint",
            Self::Bool(_) => "boolean",
            Self::Bytes(_) => "bytea",
        }
    }
}

macro_rules! into_arg {
    ($($from:ty => |$value:ident| $to:expr),+ $(,)?) => {$(
        impl From<$from> for Arg {
            fn from($value: $from) -> Self { $to }
        }
    )+};
}

into_arg! {
    Uuid => |v| Arg::Uuid(Some(v)),
    Option<Uuid> => |v| Arg::Uuid(v),
    &str => |v| Arg::Text(Some(v.to_owned())),
    String => |v| Arg::Text(Some(v)),
    &String => |v| Arg::Text(Some(v.clone())),
    Option<String> => |v| Arg::Text(v),
    Option<&str> => |v| Arg::Text(v.map(str::to_owned)),
    i64 => |v| Arg::Int(Some(v)),
    u64 => |v| Arg::Int(Some(i64::try_from(v).unwrap_or(i64::MAX))),
    Option<i64> => |v| Arg::Int(v),
    bool => |v| Arg::Bool(v),
    Vec<u8> => |v| Arg::Bytes(v),
    [u8; 32] => |v| Arg::Bytes(v.to_vec()),
    roadstead_domain::clock::Micros => |v| Arg::Int(Some(v.0)),
    roadstead_domain::ids::TenantId => |v| Arg::Uuid(Some(v.0)),
    Option<roadstead_domain::ids::TenantId> => |v| Arg::Uuid(v.map(|id| id.0)),
    roadstead_domain::ids::UserId => |v| Arg::Uuid(Some(v.0)),
    roadstead_domain::ids::SessionId => |v| Arg::Uuid(Some(v.0)),
    roadstead_domain::ids::TokenId => |v| Arg::Uuid(Some(v.0)),
    roadstead_domain::ids::ReporterId => |v| Arg::Uuid(Some(v.0)),
    Option<roadstead_domain::ids::ReporterId> => |v| Arg::Uuid(v.map(|id| id.0)),
    roadstead_domain::ids::ReportId => |v| Arg::Uuid(Some(v.0)),
    roadstead_domain::ids::OperationId => |v| Arg::Uuid(Some(v.0)),
    roadstead_domain::ids::DeviceId => |v| Arg::Uuid(Some(v.0)),
    roadstead_domain::ids::JobId => |v| Arg::Uuid(Some(v.0)),
    roadstead_domain::ids::AuditId => |v| Arg::Uuid(Some(v.0)),
    roadstead_domain::ids::QualificationId => |v| Arg::Uuid(Some(v.0)),
    roadstead_domain::ids::TransferId => |v| Arg::Uuid(Some(v.0)),
    roadstead_domain::ids::SupportCaseId => |v| Arg::Uuid(Some(v.0)),
    roadstead_domain::ids::MailId => |v| Arg::Uuid(Some(v.0)),
    roadstead_domain::ids::InvitationId => |v| Arg::Uuid(Some(v.0)),
    roadstead_domain::ids::EnrolmentId => |v| Arg::Uuid(Some(v.0)),
    roadstead_domain::ids::CpinId => |v| Arg::Uuid(Some(v.0)),
    roadstead_domain::ids::AlertId => |v| Arg::Uuid(Some(v.0)),
    roadstead_domain::ids::PopUpId => |v| Arg::Uuid(Some(v.0)),
    roadstead_domain::ids::RepairCaseId => |v| Arg::Uuid(Some(v.0)),
    roadstead_domain::ids::OutsideDeskId => |v| Arg::Uuid(Some(v.0)),
}

/// The values of a statement, in the order of its `$n`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::engine::Arg::from($value)),*] };
}

/// PostgreSQL's text holds no NUL, and SQLite's searches end at one: the mark for an unreadable character takes its
/// place on both.
pub(crate) fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}
