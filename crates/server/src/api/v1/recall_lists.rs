//! Recall lists, for the operator.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use roadstead_domain::access::{Action, Denied};
use roadstead_domain::recall::Range;
use roadstead_store::recalls as rows;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ListOf, PageQuery, ProblemBody, csv, instant};
use crate::app::App;
use crate::flows::recalls;
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecallListBody {
    number: String,
    /// `battery` or `other`.
    part: String,
    source: String,
    ranges: i64,
    /// How many of its alerts are open.
    open_alerts: i64,
    changed_at: String,
}

/// List the recall lists.
#[utoipa::path(get, path = "/recall-lists", tag = "alerts", responses((status = 200, body = ListOf<RecallListBody>)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
) -> Result<Json<ListOf<RecallListBody>>, Problem> {
    let scope = caller.may(Action::ManageRecalls)?;
    let mut tx = app.store.read(&scope).await?;
    let items = rows::lists(&mut tx, &scope).await?.into_iter().map(|list| RecallListBody {
        number: list.number,
        part: list.part,
        source: list.source,
        ranges: list.ranges,
        open_alerts: list.alerts,
        changed_at: instant(list.changed_at),
    });
    Ok(Json(ListOf { items: items.collect(), next_cursor: None }))
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RangeBody {
    product_number: String,
    model: String,
    serial_from: String,
    serial_to: String,
}

impl From<Range> for RangeBody {
    fn from(range: Range) -> Self {
        let Range { product_number, model, serial_from, serial_to } = range;
        Self { product_number, model, serial_from, serial_to }
    }
}

/// Which PCs a list calls back, in the order of its table.
#[utoipa::path(
    get, path = "/recall-lists/{number}/ranges", tag = "alerts", params(("number" = String, Path), PageQuery),
    responses((status = 200, body = ListOf<RangeBody>), (status = 404, body = ProblemBody))
)]
pub(super) async fn ranges(
    State(app): State<App>,
    caller: ApiCaller,
    Path(number): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<RangeBody>>, Problem> {
    let scope = caller.may(Action::ManageRecalls)?;
    let mut tx = app.store.read(&scope).await?;
    rows::part_of(&mut tx, &scope, &number).await?.ok_or(Denied::NotFound)?;
    let found = rows::ranges_of(&mut tx, &scope, &number, &page.into()).await?.ok_or_else(Problem::cursor)?;
    Ok(Json(ListOf::from_rows(found, RangeBody::from)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ImportQuery {
    /// Say what each row would come to, and write nothing.
    #[serde(default)]
    validate_only: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecallImportBody {
    /// Whether it was written: not in a preview, and not while a row is wrong.
    applied: bool,
    rows: Vec<RecallRowBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecallRowBody {
    /// 2 for the first below the header; null for what the table no longer has.
    row: Option<u64>,
    list: String,
    range: RangeBody,
    /// `added`, `unchanged`, `removed` or `rejected`.
    outcome: &'static str,
    /// A stable code, where the row is rejected.
    code: Option<&'static str>,
    column: Option<&'static str>,
    /// What is wrong and what to do, in the caller's language.
    message: Option<String>,
}

/// Make recall lists what a table in CSV says: `list`, `part` (battery or other), `product_number`, `model`, `serial_from`,
/// `serial_to`, `source`. Each list that the table names is replaced; others stay. Nothing is written (`applied` is false)
/// while a row is wrong. PCs on a list get an alert, those that are taken off it lose it.
#[utoipa::path(
    post, path = "/recall-lists/import", tag = "alerts", params(ImportQuery),
    request_body(content((String = "text/csv"))),
    responses((status = 200, body = RecallImportBody), (status = 415, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn import(
    State(app): State<App>,
    caller: ApiCaller,
    Query(query): Query<ImportQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<RecallImportBody>, Problem> {
    let scope = caller.may(Action::ManageRecalls)?;
    let text = csv::table(&headers, &body)?;
    let imported = recalls::import(&app, &scope, text, query.validate_only).await?;
    let rows = imported.rows.into_iter().map(|row| RecallRowBody {
        row: row.row,
        list: row.list,
        range: row.range.into(),
        outcome: row.outcome.as_str(),
        code: row.fault.map(|(code, _)| code),
        column: row.fault.map(|(_, column)| column),
        message: row
            .fault
            .map(|(code, _)| format!("{}. {}", caller.lang.code_text(code), caller.lang.code_advice(code))),
    });
    Ok(Json(RecallImportBody { applied: imported.applied, rows: rows.collect() }))
}

/// Forget a list; its alerts close.
#[utoipa::path(
    delete, path = "/recall-lists/{number}", tag = "alerts", params(("number" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody))
)]
pub(super) async fn remove(
    State(app): State<App>,
    caller: ApiCaller,
    Path(number): Path<String>,
) -> Result<StatusCode, Problem> {
    let scope = caller.may(Action::ManageRecalls)?;
    recalls::remove(&app, &scope, &number).await?;
    Ok(StatusCode::NO_CONTENT)
}
