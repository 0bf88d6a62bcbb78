//! One file a use case: scope, rules, one transaction. The portal, the API and the command line call the same flows.

pub mod accept_invitation;
pub mod account;
pub mod alerts;
pub mod arrivals;
pub mod attachments;
pub mod certify;
pub mod check_in;
pub mod cpins;
pub mod customers;
pub mod desk_hours;
pub mod devices;
pub mod disputes;
pub mod enrol;
pub mod entitlements;
pub mod explanations;
pub mod import_partners;
pub mod ingest;
pub mod invite;
mod judge_batch;
pub mod operator_report;
pub mod outside_desks;
pub mod own_headers;
pub mod pool;
pub mod pop_ups;
pub mod recalls;
pub mod repair_cases;
pub mod replay;
pub mod reporter_quality;
pub mod reporters;
pub mod reset_password;
pub mod retry_job;
pub mod saved_views;
pub mod self_service;
pub mod sign_in;
pub mod submit_report;
pub mod support_bundle;
pub mod support_cases;
pub mod throttle;
pub mod tokens;
pub mod transfers;
pub mod users;
pub mod withdraw_report;

use roadstead_domain::access::Denied;
use roadstead_domain::webhook::Untrue;
use roadstead_ingest::{FileError, TableError};
use roadstead_store::Error;

use crate::spool::SpoolError;

/// Why a use case did not happen. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The caller may not, or for the caller it does not exist.
    #[error("denied")]
    Denied(Denied),
    /// A field cannot be as it is: a stable code, and the field.
    #[error("{code} in {field}")]
    Invalid {
        /// The stable code.
        code: &'static str,
        /// The field.
        field: &'static str,
    },
    /// Something else has this value already.
    #[error("{field} is taken")]
    Taken {
        /// The field.
        field: &'static str,
    },
    /// As things stand it cannot be done: a stable code.
    #[error("{0}")]
    Conflict(&'static str),
    /// It names several things; the field that would tell them apart, and its values.
    #[error("{field} is needed")]
    Ambiguous {
        /// The field.
        field: &'static str,
        /// Its values.
        choices: Vec<String>,
    },
    /// These rows stand in the way: a stable code, and each row's number and serial.
    #[error("{code} in {} rows", rows.len())]
    Rows {
        /// The stable code.
        code: &'static str,
        /// The rows.
        rows: Vec<(i64, String)>,
    },
    /// A link that works once was used, has ended, or never was one.
    #[error("the link opens nothing")]
    LinkSpent,
    /// Too many tries that failed.
    #[error("too many tries; wait {seconds} seconds")]
    TooManyTries {
        /// How long to wait.
        seconds: i64,
    },
    /// A PC that comes again and again.
    #[error("too often; wait {seconds} seconds")]
    TooOften {
        /// The stable code.
        code: &'static str,
        /// How long to wait.
        seconds: i64,
    },
    /// The file cannot be taken as a whole.
    #[error("{error}")]
    File {
        /// Why.
        error: Box<FileError>,
        /// What the sender's own system can read of it, where the file came as messages.
        acknowledgement: Option<Vec<u8>>,
    },
    /// Too much of this at once.
    #[error("busy")]
    Busy,
    /// The customer has not let the partner in.
    #[error("the customer is not open to the partner")]
    NotOpen,
    /// Too many wrong guesses, or too much that anybody can make up: a stable code.
    #[error("{0}")]
    TooMany(&'static str),
    /// No PC has this key.
    #[error("no PC has this key")]
    UnknownKey,
    /// It was there and is over: a stable code.
    #[error("{0}")]
    Gone(&'static str),
    /// Somebody else would get the case by now; nothing was sent.
    #[error("the recipient is another by now")]
    RecipientChanged(Box<roadstead_domain::wire::pop_up::Recipient>),
    /// A message whose signature does not hold.
    #[error("the message is not signed as it should be")]
    Untrue(Untrue),
    /// A request that its key has not signed.
    #[error("the signature does not fit the key and the request")]
    Forged,
    /// A signed request that was taken already.
    #[error("the request was taken already")]
    Repeated,
    /// A file that did not come whole.
    #[error(transparent)]
    Upload(SpoolError),
    /// The database.
    #[error(transparent)]
    Store(Error),
    /// Our own machine.
    #[error(transparent)]
    Internal(anyhow::Error),
}

impl Refused {
    /// A field that cannot be as it is.
    pub fn invalid(code: &'static str, field: &'static str) -> Self {
        Self::Invalid { code, field }
    }

    /// A table that cannot be taken as a whole; `field` is where it was sent.
    pub fn table(error: TableError, field: &'static str) -> Self {
        match error {
            TableError::Unreadable => Self::invalid("file.unreadable", field),
            TableError::ColumnMissing(column) => Self::invalid("file.column_missing", column),
            TableError::ColumnTwice(column) => Self::invalid("file.column_duplicate", column),
            TableError::Empty => Self::invalid("file.empty", field),
            TableError::TooManyRows => Self::invalid("file.too_many_lines", field),
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Refused::Denied(Denied::NotFound) => "not_found",
            Refused::Denied(Denied::Forbidden) => "forbidden",
            Refused::Invalid { code, .. } | Refused::Conflict(code) | Refused::Rows { code, .. } => code,
            Refused::Taken { .. } => "field.taken",
            Refused::Ambiguous { .. } => "serial.ambiguous",
            Refused::File { error, .. } => error.code.as_str(),
            Refused::LinkSpent => "link.spent",
            Refused::TooManyTries { .. } => "too_many_tries",
            Refused::TooOften { code, .. } => code,
            Refused::NotOpen => "customer.not_open",
            Refused::TooMany(code) => code,
            Refused::Gone(code) => code,
            Refused::RecipientChanged(_) => "pop_up.recipient_changed",
            Refused::UnknownKey => "device.unknown",
            Refused::Untrue(Untrue::Unreadable) => "webhook.unreadable",
            Refused::Untrue(Untrue::Skewed) => "webhook.clock_skewed",
            Refused::Untrue(Untrue::Forged) => "webhook.forged",
            Refused::Forged => "signature.wrong",
            Refused::Repeated => "signature.repeated",
            Refused::Busy => "busy",
            Refused::Upload(SpoolError::TooLarge(_)) => "upload.too_large",
            Refused::Upload(SpoolError::Broken(_)) => "upload.broken",
            Refused::Store(_) | Refused::Internal(_) | Refused::Upload(SpoolError::Disk(_)) => "internal",
        }
    }

    /// A unique index that said no, told as the field behind it.
    pub fn taken(error: Error, field: &'static str) -> Self {
        match error {
            Error::Conflict(_) => Self::Taken { field },
            other => other.into(),
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(denied) => Self::Denied(denied),
            other => Self::Store(other),
        }
    }
}

impl From<Denied> for Refused {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

/// Refuses a field that is empty or longer than 200 characters.
fn filled(field: &'static str, text: &str) -> Result<(), Refused> {
    match text.chars().count() {
        0 => Err(Refused::invalid("field.missing", field)),
        1..=200 => Ok(()),
        _ => Err(Refused::invalid("field.too_long", field)),
    }
}
