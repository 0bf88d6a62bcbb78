//! Transfers: PCs of a partner to its customers or back to Unassigned Devices, as one operation with preview, commit
//! and undo.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::ids::TransferId;
use roadstead_domain::privacy::Receipt;
use roadstead_domain::transfer::{Asked, Row, Verdict};
use roadstead_store::Tx;
use roadstead_store::page::{MOST, Page};
use roadstead_store::transfers::{self as rows, Item, Transfer};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, Reference, csv, instant};
use crate::app::App;
use crate::flows::transfers::{self, Done, How, MOST_BYTES};
use crate::http::{ApiCaller, Problem};
use crate::i18n::Lang;

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewTransfer {
    items: Vec<NewItem>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewItem {
    #[serde(default)]
    serial: String,
    /// A customer's id or Customer ID, or `unassigned`.
    #[serde(default)]
    to: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TransferBody {
    id: Uuid,
    /// What the commit must bring back, in hexadecimal.
    digest: String,
    /// `previewed`, `committing`, `committed`, `undoing`, `undone` or `failed`.
    state: String,
    rows: i64,
    ready: i64,
    blocked: i64,
    warned: i64,
    moved: i64,
    /// The operation that works on it in the background.
    operation: Option<Reference>,
    created_at: String,
    committed_at: Option<String>,
    undone_at: Option<String>,
    /// What became of the PCs' data; null before the commit.
    privacy: Option<PrivacyBody>,
    /// The first 1,000 rows; the others under `transfers/{id}/items`. A preview answers with all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<ItemBody>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PrivacyBody {
    /// At the commit: by class (`readings`, `last_user`, `location`, `free_text`) how many PCs' data were kept, wiped, sealed.
    #[schema(value_type = Object)]
    commit: Receipt,
    /// At the undo; what was kept there is open to its former tenant again.
    #[schema(value_type = Option<Object>)]
    undo: Option<Receipt>,
    /// When what was sealed was deleted: 30 days after the last of both.
    wiped_at: Option<String>,
}

fn privacy(transfer: &Transfer) -> Option<PrivacyBody> {
    let (commit, undo) = transfer.receipts();
    Some(PrivacyBody { commit: commit?, undo, wiped_at: transfer.wiped_at.map(instant) })
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ItemBody {
    /// 1 for the first row.
    line: i64,
    serial: String,
    /// As it was asked for.
    to: String,
    /// `ready` or `blocked`.
    verdict: String,
    reasons: Vec<ReasonBody>,
    /// `moved`, `left_out`, `undone` or null before the commit.
    result: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReasonBody {
    code: String,
}

impl From<Item> for ItemBody {
    fn from(item: Item) -> Self {
        let reasons = item.codes().map(|code| ReasonBody { code: code.to_owned() }).collect();
        Self {
            line: item.line,
            serial: item.serial,
            to: item.target,
            verdict: item.verdict,
            reasons,
            result: item.result,
        }
    }
}

/// A row of a preview that was just made.
fn judged_item(line: i64, asked: Asked, row: Row) -> ItemBody {
    ItemBody {
        line,
        verdict: row.verdict().as_str().to_owned(),
        reasons: row.reasons.iter().map(|reason| ReasonBody { code: reason.code().to_owned() }).collect(),
        serial: row.serial,
        to: asked.to,
        result: None,
    }
}

fn body(transfer: Transfer, items: Option<Vec<ItemBody>>) -> TransferBody {
    TransferBody {
        privacy: privacy(&transfer),
        id: transfer.id,
        digest: hex::encode(&transfer.digest),
        state: transfer.state,
        rows: transfer.items,
        ready: transfer.ready,
        blocked: transfer.blocked,
        warned: transfer.warned,
        moved: transfer.moved,
        operation: transfer.operation.map(|id| Reference { id }),
        created_at: instant(transfer.created_at),
        committed_at: transfer.committed_at.map(instant),
        undone_at: transfer.undone_at.map(instant),
        items,
    }
}

/// Preview a transfer: every row is judged, nothing moves.
#[utoipa::path(
    post, path = "/transfers", tag = "transfers",
    request_body(content((NewTransfer = "application/json"), (String = "text/csv"))),
    responses((status = 201, body = TransferBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn preview(
    State(app): State<App>,
    caller: ApiCaller,
    headers: HeaderMap,
    request: Body,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::Transfer)?;
    let bytes = to_bytes(request, MOST_BYTES).await.map_err(|_| Problem {
        found: Some(format!("the limit is {MOST_BYTES} bytes")),
        ..Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "upload.too_large")
    })?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let asked = if kind.to_ascii_lowercase().starts_with("text/csv") {
        transfers::lists::read_csv(&bytes)?
    } else {
        let new: NewTransfer = serde_json::from_slice(&bytes).map_err(Problem::unreadable)?;
        new.items.into_iter().map(|item| Asked { serial: item.serial, to: item.to }).collect()
    };
    let (id, judged) = transfers::preview(&app, &scope, &asked).await?;
    let items = (1..).zip(asked).zip(judged).map(|((line, asked), row)| judged_item(line, asked, row));
    let items = items.collect();
    let mut tx = app.store.read(&scope).await?;
    let transfer = transfers::found(&mut tx, &scope, &id.to_string()).await?;
    Ok((StatusCode::CREATED, Json(body(transfer, Some(items)))).into_response())
}

/// List transfers, newest first.
#[utoipa::path(
    get, path = "/transfers", tag = "transfers", params(PageQuery),
    responses((status = 200, body = ListOf<TransferBody>), (status = 404, body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<TransferBody>>, Problem> {
    let scope = caller.may(Action::ReadTransfers)?;
    let mut tx = app.store.read(&scope).await?;
    let found = rows::list(&mut tx, &scope, &page.into()).await?.ok_or_else(Problem::cursor)?;
    Ok(Json(ListOf::from_rows(found, |transfer| body(transfer, None))))
}

/// A transfer with its first rows.
#[utoipa::path(
    get, path = "/transfers/{id}", tag = "transfers", params(("id" = String, Path)),
    responses((status = 200, body = TransferBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Json<TransferBody>, Problem> {
    let scope = caller.may(Action::ReadTransfers)?;
    let mut tx = app.store.read(&scope).await?;
    Ok(Json(with_items(&mut tx, &scope, &id).await?))
}

async fn with_items(tx: &mut Tx, scope: &Scope, id: &str) -> Result<TransferBody, Problem> {
    let transfer = transfers::found(tx, scope, id).await?;
    let first = Page { limit: Some(MOST), cursor: None };
    let items = rows::items(tx, scope, TransferId(transfer.id), None, &first).await?;
    let items = items.map_or_else(Vec::new, |rows| rows.items.into_iter().map(ItemBody::from).collect());
    Ok(body(transfer, Some(items)))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Only {
    /// `ready` or `blocked`.
    verdict: Option<String>,
    /// `json`, or `csv` for all rows as a file that can be mended and sent again.
    format: Option<String>,
}

/// The rows of a transfer, in the order in which they were asked for.
#[utoipa::path(
    get, path = "/transfers/{id}/items", tag = "transfers", params(("id" = String, Path), Only, PageQuery),
    responses(
        (status = 200, content((ListOf<ItemBody> = "application/json"), (String = "text/csv"))),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)
    )
)]
pub(super) async fn items(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Query(only): Query<Only>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::ReadTransfers)?;
    let verdict = match only.verdict.as_deref() {
        None | Some("") => None,
        Some("ready") => Some(Verdict::Ready),
        Some("blocked") => Some(Verdict::Blocked),
        Some(_) => return Err(Problem::field("field.unknown_value", "verdict")),
    };
    let mut tx = app.store.read(&scope).await?;
    let transfer = TransferId(transfers::found(&mut tx, &scope, &id).await?.id);
    match only.format.as_deref() {
        None | Some("" | "json") => {
            let found = rows::items(&mut tx, &scope, transfer, verdict, &page.into()).await?;
            let found = found.ok_or_else(Problem::cursor)?;
            Ok(Json(ListOf::from_rows(found, ItemBody::from)).into_response())
        }
        Some("csv") => {
            drop(tx);
            export(app, scope, transfer, verdict, caller.lang).await
        }
        Some(_) => Err(Problem::field("field.unknown_value", "format")),
    }
}

/// The rows as a file with the columns of an upload, and what came of each.
async fn export(
    app: App,
    scope: Scope,
    transfer: TransferId,
    verdict: Option<Verdict>,
    lang: Lang,
) -> Result<Response, Problem> {
    let head = csv::row(["Row", "Serial", "To", "Verdict", "Result", "Reasons", "What", "What to do"]);
    let start = Page { limit: Some(MOST), cursor: None };
    csv::stream("transfer.csv", head, start, move |page| {
        let app = app.clone();
        async move {
            let mut tx = app.store.read(&scope).await?;
            let found = rows::items(&mut tx, &scope, transfer, verdict, &page).await?;
            let found = found.ok_or_else(Problem::cursor)?;
            let mut text = Vec::new();
            for item in &found.items {
                let said =
                    |say: &dyn Fn(&str) -> String| item.codes().map(say).collect::<Vec<_>>().join(" / ");
                let (what, todo) = (said(&|code| lang.code_text(code)), said(&|code| lang.code_advice(code)));
                let result = item.result.as_deref().unwrap_or("");
                let line = item.line.to_string();
                text.extend(csv::row([
                    &line[..],
                    &item.serial,
                    &item.target,
                    &item.verdict,
                    result,
                    &item.reasons,
                    &what,
                    &todo,
                ]));
            }
            let next = found.next_cursor.map(|cursor| Page { limit: Some(MOST), cursor: Some(cursor) });
            Ok((text, next))
        }
    })
    .await
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct Commit {
    /// The digest of the preview.
    digest: String,
    /// Leave blocked rows out instead of moving nothing.
    good_rows_only: bool,
}

fn how(headers: &HeaderMap, good_rows_only: bool) -> How {
    let prefer = headers.get("prefer").and_then(|value| value.to_str().ok()).unwrap_or("");
    let in_background = prefer.split(',').any(|wish| wish.trim().eq_ignore_ascii_case("respond-async"));
    How { good_rows_only, in_background }
}

/// Carry out a preview. All rows or none, unless good rows only are asked for.
#[utoipa::path(
    post, path = "/transfers/{id}/commit", tag = "transfers", params(("id" = String, Path)), request_body = Commit,
    responses(
        (status = 200, body = TransferBody), (status = 202, body = TransferBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    )
)]
pub(super) async fn commit(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(asked): Json<Commit>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::Transfer)?;
    let done =
        transfers::commit(&app, &scope, &id, &asked.digest, how(&headers, asked.good_rows_only)).await?;
    answer(&app, &scope, &id, done).await
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct Undo {
    /// Take back what can be taken back, and leave the rest.
    good_rows_only: bool,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ValidateOnly {
    /// Only say what the undo would do.
    #[serde(default)]
    validate_only: bool,
}

/// Take a transfer back, for 30 days: every PC to where it came from.
#[utoipa::path(
    post, path = "/transfers/{id}/undo", tag = "transfers", params(("id" = String, Path), ValidateOnly),
    request_body = Undo,
    responses(
        (status = 200, body = TransferBody), (status = 202, body = TransferBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    )
)]
pub(super) async fn undo(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Query(only): Query<ValidateOnly>,
    headers: HeaderMap,
    request: axum::body::Bytes,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::Transfer)?;
    let asked: Undo = if request.is_empty() {
        Undo::default()
    } else {
        serde_json::from_slice(&request).map_err(Problem::unreadable)?
    };
    if only.validate_only {
        return preview_undo(&app, &scope, &id).await;
    }
    let done = transfers::undo(&app, &scope, &id, how(&headers, asked.good_rows_only)).await?;
    answer(&app, &scope, &id, done).await
}

async fn preview_undo(app: &App, scope: &Scope, id: &str) -> Result<Response, Problem> {
    let mut tx = app.store.read(scope).await?;
    let transfer = transfers::found(&mut tx, scope, id).await?;
    let judged = transfers::preview_undo(app, &mut tx, scope, &transfer).await?;
    let items = judged
        .into_iter()
        .map(|(line, row)| ItemBody {
            line,
            verdict: row.verdict().as_str().to_owned(),
            reasons: row.reasons.iter().map(|r| ReasonBody { code: r.code().to_owned() }).collect(),
            serial: row.serial,
            to: row.to.map_or_else(String::new, |to| to.to_string()),
            result: None,
        })
        .collect();
    Ok(Json(body(transfer, Some(items))).into_response())
}

async fn answer(app: &App, scope: &Scope, id: &str, done: Done) -> Result<Response, Problem> {
    let mut tx = app.store.read(scope).await?;
    let body = with_items(&mut tx, scope, id).await?;
    Ok(match done {
        Done::Now => Json(body).into_response(),
        Done::Later(operation) => {
            let body = TransferBody { operation: Some(Reference { id: operation.0 }), items: None, ..body };
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
    })
}
