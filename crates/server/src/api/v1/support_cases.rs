//! Support cases: requests to the operator's platform team.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use roadstead_domain::access::{Action, Scope};
use roadstead_store::attachments::{self, Attachment};
use roadstead_store::page::{self, Page};
use roadstead_store::support_cases::{self as rows, Message, Missed, SupportCase};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, Reference, created, instant};
use crate::app::App;
use crate::flows::{attachments as files, support_cases};
use crate::http::{ApiCaller, Problem};
use crate::portal::encoded;

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct NewCase {
    /// `missing_devices`, `question` or `other`.
    kind: String,
    text: String,
    /// At most 10,000; each is judged at once.
    serials: Vec<String>,
}

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct NewMessage {
    text: String,
    /// From whoever opened it only.
    serials: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CaseBody {
    id: Uuid,
    number: String,
    kind: String,
    /// `new`, `waiting_for_partner`, `in_work`, `solved` or `closed`.
    state: String,
    /// Whoever opened it: a partner, customer or reporter.
    partner: PartnerBody,
    /// Until when the operator wants to have answered; for the operator, while it is to answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_by: Option<String>,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<MessageBody>>,
    /// The first 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    serials: Option<Vec<SerialBody>>,
    /// Where `/support-cases/{id}/serials` goes on behind them, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    serials_cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PartnerBody {
    name: String,
    partner_number: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MessageBody {
    id: Uuid,
    /// `partner` or `operator`.
    from: &'static str,
    text: String,
    at: String,
    attachments: Vec<AttachmentBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AttachmentBody {
    id: Uuid,
    name: String,
    bytes: i64,
    /// Whether it can no longer be fetched: the case was closed a year ago.
    forgotten: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SerialBody {
    serial: String,
    /// A stable code: what the platform said when it was listed.
    verdict: String,
    /// `approved`, `refused` or null.
    decision: Option<String>,
    reason: Option<String>,
}

fn body(case: SupportCase) -> CaseBody {
    CaseBody {
        id: case.id,
        answer_by: case.answer_by().map(instant),
        number: case.number,
        kind: case.kind,
        state: case.state,
        partner: PartnerBody { name: case.home_name, partner_number: case.home_number },
        created_at: instant(case.created_at),
        updated_at: instant(case.updated_at),
        messages: None,
        serials: None,
        serials_cursor: None,
    }
}

fn serial(missed: Missed) -> SerialBody {
    SerialBody {
        serial: missed.serial,
        verdict: missed.finding,
        decision: missed.decision,
        reason: missed.reason,
    }
}

fn attachment(file: Attachment) -> AttachmentBody {
    AttachmentBody { id: file.id, name: file.name, bytes: file.bytes, forgotten: file.forgotten_at.is_some() }
}

async fn whole(app: &App, scope: &Scope, id: &str) -> Result<CaseBody, Problem> {
    let mut tx = app.store.read(scope).await?;
    let case = support_cases::found(&mut tx, scope, id).await?;
    let messages = rows::messages(&mut tx, scope, &case).await?;
    let first = Page { limit: Some(page::MOST), cursor: None };
    let serials = rows::serials_page(&mut tx, scope, &case, &first).await?.ok_or_else(Problem::cursor)?;
    let mut files = attachments::list(&mut tx, scope, &case).await?;
    let message = |message: Message| MessageBody {
        attachments: files.extract_if(.., |file| file.message == message.id).map(attachment).collect(),
        id: message.id,
        from: if message.side == "operator" { "operator" } else { "partner" },
        text: message.body,
        at: instant(message.at),
    };
    Ok(CaseBody {
        messages: Some(messages.into_iter().map(message).collect()),
        serials: Some(serials.items.into_iter().map(serial).collect()),
        serials_cursor: serials.next_cursor,
        ..body(case)
    })
}

/// Open a support case.
#[utoipa::path(
    post, path = "/support-cases", tag = "support cases", request_body = NewCase,
    responses((status = 201, body = Reference), (status = 422, body = ProblemBody))
)]
pub(super) async fn open(
    State(app): State<App>,
    caller: ApiCaller,
    Json(new): Json<NewCase>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::OpenSupportCases)?;
    let id = support_cases::open(&app, &scope, &new.kind, &new.text, &new.serials, &[]).await?;
    Ok(created(id.0))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Leave out what is closed.
    #[serde(default)]
    open: bool,
}

/// List support cases, newest first: the partner its own, the operator all.
#[utoipa::path(
    get, path = "/support-cases", tag = "support cases", params(Which, PageQuery),
    responses((status = 200, body = ListOf<CaseBody>), (status = 404, body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(which): Query<Which>,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<CaseBody>>, Problem> {
    let scope = caller.may(Action::ReadSupportCases)?;
    let mut tx = app.store.read(&scope).await?;
    let found = rows::list(&mut tx, &scope, which.open, &page.into()).await?.ok_or_else(Problem::cursor)?;
    Ok(Json(ListOf::from_rows(found, body)))
}

/// A support case with its messages and serials.
#[utoipa::path(
    get, path = "/support-cases/{id}", tag = "support cases", params(("id" = String, Path)),
    responses((status = 200, body = CaseBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Json<CaseBody>, Problem> {
    let scope = caller.may(Action::ReadSupportCases)?;
    Ok(Json(whole(&app, &scope, &id).await?))
}

/// The serials of a support case, in their order, with what the platform said of each when it was listed.
#[utoipa::path(
    get, path = "/support-cases/{id}/serials", tag = "support cases", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = ListOf<SerialBody>), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn serials(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<SerialBody>>, Problem> {
    let scope = caller.may(Action::ReadSupportCases)?;
    let mut tx = app.store.read(&scope).await?;
    let case = support_cases::found(&mut tx, &scope, &id).await?;
    let found =
        rows::serials_page(&mut tx, &scope, &case, &page.into()).await?.ok_or_else(Problem::cursor)?;
    Ok(Json(ListOf::from_rows(found, serial)))
}

/// Write in a support case.
#[utoipa::path(
    post, path = "/support-cases/{id}/messages", tag = "support cases", params(("id" = String, Path)),
    request_body = NewMessage,
    responses((status = 201, body = CaseBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody))
)]
pub(super) async fn say(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Json(new): Json<NewMessage>,
) -> Result<(StatusCode, Json<CaseBody>), Problem> {
    let scope = caller.may(Action::OpenSupportCases)?;
    support_cases::say(&app, &scope, &id, &new.text, &new.serials, &[]).await?;
    Ok((StatusCode::CREATED, Json(whole(&app, &scope, &id).await?)))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct AttachQuery {
    /// What the file is called; its extension says what it is.
    name: String,
    /// What is written beside it.
    #[param(required = false)]
    text: String,
}

/// Write in a support case with a file, the raw bytes as body: PDF, PNG, JPEG, text, CSV, messages or XLSX without
/// macros, at most 10 MiB. What is in it must be what its name says. A case takes 20 files and 50 MiB.
#[utoipa::path(
    post, path = "/support-cases/{id}/attachments", tag = "support cases", params(("id" = String, Path), AttachQuery),
    request_body(content((Vec<u8> = "application/octet-stream"))),
    responses(
        (status = 201, body = CaseBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 413, body = ProblemBody), (status = 422, body = ProblemBody)
    )
)]
pub(super) async fn attach(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Query(asked): Query<AttachQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<CaseBody>), Problem> {
    let scope = caller.may(Action::OpenSupportCases)?;
    support_cases::writable(&app, &scope, &id).await?;
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let file = files::receive(&app, &asked.name, length, body.into_data_stream()).await?;
    support_cases::say(&app, &scope, &id, &asked.text, &[], &[file]).await?;
    Ok((StatusCode::CREATED, Json(whole(&app, &scope, &id).await?)))
}

/// A file of a support case. Browsers keep it and show nothing of it.
#[utoipa::path(
    get, path = "/support-cases/{id}/attachments/{attachment}", tag = "support cases",
    params(("id" = String, Path), ("attachment" = String, Path)),
    responses((status = 200, body = Vec<u8>), (status = 404, body = ProblemBody), (status = 410, body = ProblemBody))
)]
pub(super) async fn attached(
    State(app): State<App>,
    caller: ApiCaller,
    Path((id, attachment)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::ReadSupportCases)?;
    let file = files::found(&app, &scope, &id, &attachment).await?;
    let headers = [
        (header::CONTENT_TYPE, files::content_type(&file.name).to_owned()),
        (header::CONTENT_LENGTH, file.bytes.to_string()),
        (header::CONTENT_DISPOSITION, disposition(&file.name)),
    ];
    let pieces = stream::try_unfold((app, scope, file, 0), |(app, scope, file, number)| async move {
        let mut tx = app.store.read(&scope).await?;
        let piece = attachments::piece(&mut tx, &scope, &file, number).await?;
        drop(tx);
        Ok::<_, roadstead_store::Error>(piece.map(|piece| (piece, (app, scope, file, number + 1))))
    });
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// The header that makes a browser keep a file under its name (RFC 6266 4, RFC 8187 3.2).
fn disposition(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii() && !matches!(c, '"' | '\\') { c } else { '_' }).collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", encoded(name))
}

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct Decision {
    serials: Vec<String>,
    /// `approve` or `refuse`.
    decision: String,
    reason: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DecidedBody {
    /// The report that places what was approved.
    report: Option<Reference>,
}

/// Approve or refuse serials of a case. Approved ones are reported by the operator with the case as document.
#[utoipa::path(
    post, path = "/support-cases/{id}/decision", tag = "support cases", params(("id" = String, Path)),
    request_body = Decision,
    responses((status = 200, body = DecidedBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody))
)]
pub(super) async fn decide(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Json(asked): Json<Decision>,
) -> Result<Json<DecidedBody>, Problem> {
    let scope = caller.may(Action::DecideSupportCases)?;
    let approve = match asked.decision.as_str() {
        "approve" => true,
        "refuse" => false,
        _ => return Err(Problem::field("field.unknown_value", "decision")),
    };
    let report = support_cases::decide(&app, &scope, &id, &asked.serials, approve, &asked.reason).await?;
    Ok(Json(DecidedBody { report: report.map(|report| Reference { id: report.0 }) }))
}

/// End a support case.
#[utoipa::path(
    post, path = "/support-cases/{id}/close", tag = "support cases", params(("id" = String, Path)),
    responses((status = 200, body = CaseBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody))
)]
pub(super) async fn close(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Json<CaseBody>, Problem> {
    let scope = caller.may(Action::OpenSupportCases)?;
    support_cases::close(&app, &scope, &id).await?;
    Ok(Json(whole(&app, &scope, &id).await?))
}
