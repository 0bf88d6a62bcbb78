//! One error type for the API and the pages: a stable code with its places. The API answers RFC 9457
//! `application/problem+json`, the portal a page; both in the reader's language, which only the middleware knows.

use std::num::NonZeroI64;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use roadstead_domain::access::Denied;
use roadstead_ingest::{FileError, FileErrorCode};
use roadstead_store::Error;
use serde::Serialize;

use crate::flows::Refused;
use crate::i18n::Lang;
use crate::spool::{self, SpoolError};

/// Where in the request or the file the fault is.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Place {
    /// The row of the file, 1 for its first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The column of the file: its header, or the field that has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The field of the request, as a JSON pointer, or of the file, by its stable name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The PC that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
}

/// An error on its way to whoever asked. Also the draft that the middleware finds in the response and renders.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The stable code.
    pub code: &'static str,
    /// What was found, in English, where there is more to say than the code does.
    pub found: Option<String>,
    /// Where.
    pub places: Vec<Place>,
    /// Who would get a case by now.
    pub recipient: Option<Box<roadstead_domain::wire::pop_up::Recipient>>,
    /// Seconds to wait before trying again.
    pub retry_after: Option<NonZeroI64>,
    /// The headers of a file whose columns are not known.
    pub headers: Box<[String]>,
    /// What the sender's own system can read of it: a 997 or a CONTRL.
    pub acknowledgement: Option<Box<str>>,
}

impl Problem {
    /// An error without a place.
    pub fn new(status: StatusCode, code: &'static str) -> Self {
        Self {
            status,
            code,
            found: None,
            places: Vec::new(),
            recipient: None,
            retry_after: None,
            headers: Box::default(),
            acknowledgement: None,
        }
    }

    /// It does not exist, or not for this caller.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found")
    }

    /// A field that cannot be as it is.
    pub fn field(code: &'static str, field: &str) -> Self {
        let place = Place { field: Some(field.to_owned()), ..Place::default() };
        Self { places: vec![place], ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, code) }
    }

    /// A request that cannot be read.
    pub fn unreadable(found: impl ToString) -> Self {
        let problem = Self::new(StatusCode::BAD_REQUEST, "request.invalid");
        Self { found: Some(found.to_string()), ..problem }
    }

    /// A cursor that nobody here made.
    pub fn cursor() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "cursor.invalid")
    }

    /// A disk of ours is full.
    fn full(error: &dyn std::fmt::Display) -> Self {
        tracing::error!("{error:#}");
        Self::new(StatusCode::INSUFFICIENT_STORAGE, "storage.full")
    }

    fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!("{error:#}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal")
    }

    /// Puts `Retry-After` on a response, where waiting helps.
    pub fn say_when(&self, response: &mut Response) {
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.get().into());
        }
    }

    /// The sentence that says what, where and what to do.
    pub fn detail(&self, lang: Lang) -> String {
        let mut parts = Vec::new();
        // A sentence names a few; the body has all.
        for place in self.places.iter().take(5) {
            if let Some(row) = place.row {
                parts.push(lang.text_with("file-place-row", &[("row", row.to_string().into())]));
            }
            if let Some(column) = &place.column {
                parts.push(lang.text_with("file-place-column", &[("column", column.as_str().into())]));
            }
        }
        let place = parts.join(", ");
        let advice = lang.code_advice(self.code);
        [place, advice].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(". ")
    }

    /// The RFC 9457 body.
    pub fn body(&self, lang: Lang, request_id: &str) -> serde_json::Value {
        let mut body = serde_json::json!({
            "type": format!("/problems/{}", self.code),
            "title": lang.code_text(self.code),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail(lang),
            "request_id": request_id,
        });
        if let Some(found) = &self.found {
            body["found"] = found.as_str().into();
        }
        if !self.headers.is_empty() {
            body["headers"] = self.headers.to_vec().into();
        }
        if let Some(acknowledgement) = &self.acknowledgement {
            body["acknowledgement"] = (**acknowledgement).into();
        }
        if let Some(recipient) = &self.recipient {
            body["recipient"] = serde_json::to_value(recipient).unwrap_or_default();
        }
        if !self.places.is_empty() {
            body["errors"] = serde_json::to_value(&self.places).unwrap_or_default();
        }
        body
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        self.say_when(&mut response);
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::NotFound => Self::not_found(),
            Denied::Forbidden => Self::new(StatusCode::FORBIDDEN, "forbidden"),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(denied) => denied.into(),
            Error::Unavailable(_) => {
                tracing::error!("{error:#}");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "database.unavailable")
            }
            Error::Full(_) => Self::full(&error),
            other => Self::internal(&other),
        }
    }
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        let status = match error.code {
            FileErrorCode::TooLarge | FileErrorCode::TooManyLines => StatusCode::PAYLOAD_TOO_LARGE,
            FileErrorCode::WrongType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let place = Place {
            row: error.row,
            column: error.column,
            field: error.field.map(|field| field.as_str().to_owned()),
            serial: None,
        };
        let places = if place.row.is_some() || place.column.is_some() { vec![place] } else { Vec::new() };
        let headers = error.headers.into();
        let problem = Self::new(status, error.code.as_str());
        Self { found: Some(error.detail), places, headers, ..problem }
    }
}

/// No problem names more places than this.
const MOST_PLACES: usize = 1000;

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Denied(denied) => denied.into(),
            Refused::Invalid { code: code @ "reporter.unknown", field } => {
                Self { status: StatusCode::NOT_FOUND, ..Self::field(code, field) }
            }
            Refused::Invalid { code: code @ "attachment.too_large", field } => {
                Self { status: StatusCode::PAYLOAD_TOO_LARGE, ..Self::field(code, field) }
            }
            Refused::Invalid { code, field } => Self::field(code, field),
            Refused::Taken { field } => {
                Self { status: StatusCode::CONFLICT, ..Self::field("field.taken", field) }
            }
            Refused::Conflict(code @ "alert.pc_is_moving") => {
                Self { retry_after: NonZeroI64::new(5), ..Self::new(StatusCode::CONFLICT, code) }
            }
            Refused::Conflict(code) => Self::new(StatusCode::CONFLICT, code),
            Refused::Ambiguous { field, choices } => Self {
                status: StatusCode::CONFLICT,
                found: Some(choices.join(", ")),
                ..Self::field("serial.ambiguous", field)
            },
            Refused::Rows { code, rows } => {
                let place = |(row, serial): (i64, String)| Place {
                    row: u64::try_from(row).ok(),
                    serial: Some(serial),
                    ..Place::default()
                };
                let places = rows.into_iter().take(MOST_PLACES).map(place).collect();
                let is_bad = code == "serial.invalid";
                let status = if is_bad { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::CONFLICT };
                Self { places, ..Self::new(status, code) }
            }
            Refused::LinkSpent => Self::new(StatusCode::NOT_FOUND, "link.spent"),
            Refused::TooManyTries { seconds } => Self {
                retry_after: NonZeroI64::new(seconds),
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tries")
            },
            Refused::TooOften { code, seconds } => Self {
                retry_after: NonZeroI64::new(seconds),
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, code)
            },
            Refused::File { error, acknowledgement } => Self {
                acknowledgement: acknowledgement.map(|bytes| String::from_utf8_lossy(&bytes).into()),
                ..(*error).into()
            },
            Refused::Busy => {
                Self { retry_after: NonZeroI64::new(5), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy") }
            }
            Refused::NotOpen => Self::new(StatusCode::FORBIDDEN, "customer.not_open"),
            Refused::TooMany(code) => Self::new(StatusCode::TOO_MANY_REQUESTS, code),
            Refused::Gone(code) => Self::new(StatusCode::GONE, code),
            Refused::RecipientChanged(recipient) => Self {
                recipient: Some(recipient),
                ..Self::new(StatusCode::CONFLICT, "pop_up.recipient_changed")
            },
            Refused::Untrue(_) => Self::new(StatusCode::UNAUTHORIZED, refused.code()),
            Refused::UnknownKey => Self::new(StatusCode::UNAUTHORIZED, "device.unknown"),
            Refused::Forged => Self {
                found: Some(refused.to_string()),
                ..Self::new(StatusCode::UNAUTHORIZED, "signature.wrong")
            },
            Refused::Repeated => Self::new(StatusCode::UNAUTHORIZED, "signature.repeated"),
            Refused::Upload(error) => error.into(),
            Refused::Store(error) => error.into(),
            Refused::Internal(error) => Self::internal(&error),
        }
    }
}

impl From<SpoolError> for Problem {
    fn from(error: SpoolError) -> Self {
        match error {
            SpoolError::TooLarge(limit) => Self {
                found: Some(format!("the limit is {limit} bytes")),
                ..Self::new(StatusCode::PAYLOAD_TOO_LARGE, "upload.too_large")
            },
            SpoolError::Broken(found) => {
                Self { found: Some(found), ..Self::new(StatusCode::BAD_REQUEST, "upload.broken") }
            }
            SpoolError::Disk(error) if spool::is_full(&error) => Self::full(&error),
            SpoolError::Disk(error) => Self::internal(&error),
        }
    }
}
