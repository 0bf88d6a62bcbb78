//! Sell-through reports: handed in, followed, read line by line.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::ids::ReportId;
use roadstead_domain::sale::Reason;
use roadstead_ingest::Format;
use roadstead_store::lines::{self, Line};
use roadstead_store::reports::{self, Report};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, Reference, csv, error_file, instant};
use crate::app::App;
use crate::flows::submit_report::{Submission, Submitted, submit as submit_report, submit_preview};
use crate::flows::withdraw_report::{self, About, Way};
use crate::http::{ApiCaller, Problem};
use crate::i18n::Lang;
use crate::spool;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SubmitQuery {
    /// The reporter's id or number; a distributor's own by default, needed by operators.
    reporter: Option<String>,
    /// Judge it without changing anything.
    #[serde(default)]
    validate_only: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SubmittedBody {
    operation: Reference,
    report: Reference,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReportBody {
    id: Uuid,
    /// `received`, `running`, `succeeded` or `failed`.
    state: String,
    /// Lines by verdict.
    counts: BTreeMap<String, i64>,
    /// Lines in all.
    lines: i64,
    file_name: String,
    /// `csv`, `xlsx`, `x12` or `edifact`.
    format: String,
    validate_only: bool,
    /// The report that it takes back.
    withdraws: Option<Uuid>,
    /// The withdrawal that it undoes.
    undoes: Option<Uuid>,
    reporter: ReporterReference,
    operation: Reference,
    received_at: String,
    finished_at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReporterReference {
    id: Uuid,
    reporter_number: String,
    name: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LineBody {
    /// 1 for the first line.
    line: i64,
    /// The row of the file, or the number of the segment.
    row: i64,
    /// In its normal form, or as received where there is none.
    serial_number: String,
    seller: String,
    /// A stable code.
    verdict: String,
    reasons: Vec<ReasonBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReasonBody {
    /// A stable code.
    code: String,
    /// The field it is about.
    field: Option<String>,
    /// What the cell said.
    received: Option<String>,
    /// What it means, in the caller's language.
    message: String,
    /// What to do, in the caller's language.
    advice: String,
}

impl ReasonBody {
    fn of(reason: Reason, lang: Lang) -> Self {
        Self {
            message: lang.code_text(&reason.code),
            advice: lang.code_advice(&reason.code),
            code: reason.code,
            field: reason.field.map(|field| field.as_str().to_owned()),
            received: reason.received,
        }
    }
}

/// The reasons of a line; a verdict without finer ones is its own reason, unless all is well.
pub(super) fn reasons(line: &Line) -> Result<Vec<Reason>, Problem> {
    let reasons = line.reasons()?;
    let plain = matches!(line.verdict.as_str(), "placed" | "returned");
    Ok(if reasons.is_empty() && !plain { vec![Reason::new(line.verdict.clone())] } else { reasons })
}

/// Hand in a report: the raw file as body. Answers once it is kept; the same bytes again are the same report.
#[utoipa::path(
    post, path = "/sell-through-reports", tag = "sell-through reports", params(SubmitQuery),
    request_body(content((String = "text/csv"), (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), (Vec<u8> = "application/edi-x12"), (Vec<u8> = "application/edifact"))),
    responses(
        (status = 202, body = SubmittedBody), (status = 413, body = ProblemBody), (status = 415, body = ProblemBody),
        (status = 422, body = ProblemBody)
    )
)]
pub(super) async fn submit(
    State(app): State<App>,
    caller: ApiCaller,
    Query(query): Query<SubmitQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::SubmitReport)?;
    let (format, usual) = declared(&headers)
        .ok_or(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type.unsupported"))?;
    let name = headers.get("x-file-name").and_then(|value| value.to_str().ok()).map(percent_decode);
    let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| usual.to_owned());
    hand_in(&app, &scope, Some(format), &name, &query, &headers, body).await
}

/// Hand in a report as `curl -T` does: the raw file as body, under its name. What it is, is seen from its beginning
/// unless its content type says so. Answers as the other way does, and the same bytes again are the same report.
#[utoipa::path(
    put, path = "/sell-through-reports/files/{file_name}", tag = "sell-through reports",
    params(("file_name" = String, Path), SubmitQuery),
    request_body(content((Vec<u8> = "application/octet-stream"))),
    responses(
        (status = 202, body = SubmittedBody), (status = 413, body = ProblemBody), (status = 415, body = ProblemBody),
        (status = 422, body = ProblemBody)
    )
)]
pub(super) async fn put(
    State(app): State<App>,
    caller: ApiCaller,
    Path(file_name): Path<String>,
    Query(query): Query<SubmitQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::SubmitReport)?;
    let format = declared(&headers).map(|(format, _)| format);
    hand_in(&app, &scope, format, &as_name(&file_name), &query, &headers, body).await
}

/// The format that the content type says, and what such a file is called where nobody says it.
fn declared(headers: &HeaderMap) -> Option<(Format, &'static str)> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim();
    // Types are compared in any case (RFC 9110 8.3.1).
    match kind.to_ascii_lowercase().as_str() {
        "text/csv" => Some((Format::Csv, "report.csv")),
        XLSX => Some((Format::Xlsx, "report.xlsx")),
        "application/edi-x12" => Some((Format::X12, "report.x12")),
        "application/edifact" => Some((Format::Edifact, "report.edi")),
        _ => None,
    }
}

async fn hand_in(
    app: &App,
    scope: &Scope,
    format: Option<Format>,
    name: &str,
    query: &SubmitQuery,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let limit = app.config.upload_bytes;
    if length.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > limit) {
        return Err(spool::SpoolError::TooLarge(limit).into());
    }
    let spooled = format!("upload-{}", app.ambient.id::<Uuid>());
    let file = spool::receive(&app.spool, &spooled, body.into_data_stream(), limit).await?;
    let format = match format {
        Some(format) => format,
        None => roadstead_ingest::guess(file.path())?,
    };
    let submission = Submission {
        file,
        name,
        format,
        reporter: query.reporter.as_deref(),
        validate_only: query.validate_only,
        about: About::default(),
    };
    Ok(accepted(submit_report(app, scope, submission).await?))
}

fn accepted(submitted: Submitted) -> Response {
    let body = SubmittedBody {
        operation: Reference { id: submitted.operation.0 },
        report: Reference { id: submitted.report.0 },
    };
    (StatusCode::ACCEPTED, Json(body)).into_response()
}

/// Hand in for good what a preview (`validate_only`) has judged, without sending the file again.
#[utoipa::path(
    post, path = "/sell-through-reports/{id}/submit", tag = "sell-through reports", params(("id" = String, Path)),
    responses((status = 202, body = SubmittedBody), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn submit_for_good(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::SubmitReport)?;
    let id: ReportId = id.parse().map_err(|_| Problem::not_found())?;
    Ok(accepted(submit_preview(&app, &scope, id).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WithdrawQuery {
    /// Judge it without changing anything: the answer's report is the preview.
    #[serde(default)]
    validate_only: bool,
}

/// Take a report back that was handed in by mistake. What it placed leaves the pools, what waits no longer waits, and
/// PCs that are with a customer by now become disputes. The answer's report says so line by line.
#[utoipa::path(
    post, path = "/sell-through-reports/{id}/withdraw", tag = "sell-through reports",
    params(("id" = String, Path), WithdrawQuery),
    responses((status = 202, body = SubmittedBody), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn withdraw(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Query(query): Query<WithdrawQuery>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::SubmitReport)?;
    let id: ReportId = id.parse().map_err(|_| Problem::not_found())?;
    Ok(accepted(withdraw_report::run(&app, &scope, id, Way::Withdraw, query.validate_only).await?))
}

/// Undo a withdrawal: hand in again what it took back. The id is that of the withdrawal's own report.
#[utoipa::path(
    post, path = "/sell-through-reports/{id}/undo", tag = "sell-through reports",
    params(("id" = String, Path), WithdrawQuery),
    responses((status = 202, body = SubmittedBody), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn undo(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Query(query): Query<WithdrawQuery>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::SubmitReport)?;
    let id: ReportId = id.parse().map_err(|_| Problem::not_found())?;
    Ok(accepted(withdraw_report::run(&app, &scope, id, Way::Undo, query.validate_only).await?))
}

/// A file's name in which `%C3%A4` is one letter.
fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = (*first == b'%').then(|| after.get(..2).and_then(|two| hex::decode(two).ok())).flatten();
        match hex {
            Some(byte) => {
                bytes.extend(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    as_name(&String::from_utf8_lossy(&bytes))
}

/// At most 200 characters of a file's name, without any path.
fn as_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or("");
    name.chars().filter(|c| !c.is_control()).take(200).collect()
}

async fn find(app: &App, scope: &Scope, id: &str) -> Result<(Report, BTreeMap<String, i64>), Problem> {
    let id: ReportId = id.parse().map_err(|_| Problem::not_found())?;
    let mut tx = app.store.read(scope).await?;
    let report = reports::get(&mut tx, scope, id).await?.ok_or_else(Problem::not_found)?;
    let counts = reports::counts(&mut tx, scope, id).await?;
    Ok((report, counts))
}

fn body_of(report: Report, counts: BTreeMap<String, i64>) -> ReportBody {
    ReportBody {
        id: report.id,
        state: report.state,
        counts,
        lines: report.lines,
        file_name: report.file_name,
        format: report.format,
        validate_only: report.validate_only,
        withdraws: report.withdraws,
        undoes: report.undoes,
        reporter: ReporterReference {
            id: report.reporter,
            reporter_number: report.reporter_number,
            name: report.reporter_name,
        },
        operation: Reference { id: report.operation },
        received_at: instant(report.received_at),
        finished_at: report.finished_at.map(instant),
    }
}

/// List reports, newest first.
#[utoipa::path(
    get, path = "/sell-through-reports", tag = "sell-through reports", params(PageQuery),
    responses((status = 200, body = ListOf<ReportBody>))
)]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<ReportBody>>, Problem> {
    let scope = caller.may(Action::ReadReports)?;
    let mut tx = app.store.read(&scope).await?;
    let rows = reports::list(&mut tx, &scope, &page.into()).await?.ok_or_else(Problem::cursor)?;
    let mut items = Vec::with_capacity(rows.items.len());
    for report in rows.items {
        let counts = reports::counts(&mut tx, &scope, ReportId(report.id)).await?;
        items.push(body_of(report, counts));
    }
    Ok(Json(ListOf { items, next_cursor: rows.next_cursor }))
}

/// A report with its counts by verdict.
#[utoipa::path(
    get, path = "/sell-through-reports/{id}", tag = "sell-through reports", params(("id" = String, Path)),
    responses((status = 200, body = ReportBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Json<ReportBody>, Problem> {
    let (report, counts) = find(&app, &caller.may(Action::ReadReports)?, &id).await?;
    Ok(Json(body_of(report, counts)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LinesQuery {
    /// A verdict (`rejected.date_invalid`) or a family of them (`rejected`).
    verdict: Option<String>,
}

/// The lines of a report in file order.
#[utoipa::path(
    get, path = "/sell-through-reports/{id}/lines", tag = "sell-through reports",
    params(("id" = String, Path), LinesQuery, PageQuery),
    responses((status = 200, body = ListOf<LineBody>), (status = 404, body = ProblemBody))
)]
pub(super) async fn lines(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Query(query): Query<LinesQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<LineBody>>, Problem> {
    let scope = caller.may(Action::ReadReports)?;
    let (report, _) = find(&app, &scope, &id).await?;
    let mut tx = app.store.read(&scope).await?;
    let verdict = query.verdict.as_deref().filter(|verdict| !verdict.is_empty());
    let rows =
        lines::list(&mut tx, &scope, ReportId(report.id), verdict, lines::Cells::Without, &page.into())
            .await?;
    let rows = rows.ok_or_else(Problem::cursor)?;
    let mut items = Vec::with_capacity(rows.items.len());
    for line in rows.items {
        let reasons = reasons(&line)?.into_iter().map(|reason| ReasonBody::of(reason, caller.lang)).collect();
        items.push(LineBody {
            line: line.line,
            row: line.file_row,
            serial_number: line.serial,
            seller: line.seller,
            verdict: line.verdict,
            reasons,
        });
    }
    Ok(Json(ListOf { items, next_cursor: rows.next_cursor }))
}

/// The rejected lines as a file: what, where, what to do, and the cells as received, to be mended and sent again.
#[utoipa::path(
    get, path = "/sell-through-reports/{id}/errors.csv", tag = "sell-through reports", params(("id" = String, Path)),
    responses((status = 200, content_type = "text/csv"), (status = 404, body = ProblemBody))
)]
pub(super) async fn errors_csv(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::ReadReports)?;
    let lang = caller.lang;
    let (report, _) = find(&app, &scope, &id).await?;
    csv::stream("errors.csv", error_file::head(), error_file::start(), move |page| {
        let app = app.clone();
        async move { error_file::rows(&app, &scope, ReportId(report.id), lang, &page).await }
    })
    .await
}

/// What a report that came as messages was answered: a 997 for X12, a CONTRL for EDIFACT.
#[utoipa::path(
    get, path = "/sell-through-reports/{id}/acknowledgement", tag = "sell-through reports",
    params(("id" = String, Path)),
    responses(
        (status = 200, content((Vec<u8> = "application/edi-x12"), (Vec<u8> = "application/edifact"))),
        (status = 404, body = ProblemBody)
    )
)]
pub(super) async fn acknowledgement(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::ReadReports)?;
    let (report, _) = find(&app, &scope, &id).await?;
    let mut tx = app.store.read(&scope).await?;
    let bytes = reports::acknowledgement(&mut tx, &scope, ReportId(report.id)).await?;
    let bytes = bytes.ok_or(Problem::new(StatusCode::NOT_FOUND, "report.no_acknowledgement"))?;
    let (kind, name) = match report.format.as_str() {
        "x12" => ("application/edi-x12", "997.x12"),
        _ => ("application/edifact", "contrl.edi"),
    };
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, bytes).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_a_name() {
        assert_eq!(percent_decode("M%C3%A4rz.csv"), "März.csv");
        assert_eq!(percent_decode("../../etc/passwd"), "passwd");
        assert_eq!(percent_decode("100%.csv"), "100%.csv");
        assert_eq!(percent_decode("C:\\x\\a.csv"), "a.csv");
        assert_eq!(percent_decode("a%0Ab"), "ab");
    }
}
