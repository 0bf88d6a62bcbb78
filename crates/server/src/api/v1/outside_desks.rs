//! The outside desk of one's own desk, and what it says back of a case.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use roadstead_domain::access::Action;
use roadstead_domain::ids::{OutsideDeskId, RepairCaseId};
use roadstead_domain::webhook::Headers;
use roadstead_store::outside_desks as rows;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, instant};
use crate::app::App;
use crate::flows::outside_desks as flow;
use crate::http::{ApiCaller, HoldsSecret, Problem};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OutsideDeskBody {
    id: Uuid,
    url: String,
    /// Why nothing is sent any more: a stable code; null while messages are sent.
    stopped: Option<String>,
    created_at: String,
}

/// The outside desk that the cases of one's own desk are forwarded to.
#[utoipa::path(
    get, path = "/outside-desk", tag = "outside desks",
    responses((status = 200, body = OutsideDeskBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn get(State(app): State<App>, caller: ApiCaller) -> Result<Json<OutsideDeskBody>, Problem> {
    let scope = caller.may(Action::ManageOutsideDesk)?;
    let mut tx = app.store.read(&scope).await?;
    let found = flow::own(&mut tx, &scope).await?;
    Ok(Json(OutsideDeskBody {
        id: found.id,
        url: found.url,
        stopped: found.stopped,
        created_at: instant(found.created_at),
    }))
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct NewOutsideDesk {
    /// Where messages go; https, and no private address.
    url: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectedBody {
    id: Uuid,
    /// Shown this once: it signs what goes out and what comes back.
    secret: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SecretBody {
    /// Shown this once; the one before holds for a day.
    secret: String,
}

/// Forward the cases of one's own desk to an outside desk: a partner's CSDP account, or customer support for the operator.
/// Messages are signed after Standard Webhooks.
#[utoipa::path(
    post, path = "/outside-desk", tag = "outside desks", request_body = NewOutsideDesk,
    responses((status = 201, body = ConnectedBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn connect(
    State(app): State<App>,
    caller: ApiCaller,
    Json(new): Json<NewOutsideDesk>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::ManageOutsideDesk)?;
    let (id, secret) = flow::connect(&app, &scope, &new.url).await?;
    let body = Json(ConnectedBody { id: id.0, secret });
    Ok((StatusCode::CREATED, Extension(HoldsSecret), body).into_response())
}

/// Forward no case any more.
#[utoipa::path(
    delete, path = "/outside-desk", tag = "outside desks",
    responses((status = 204), (status = 404, body = ProblemBody))
)]
pub(super) async fn disconnect(State(app): State<App>, caller: ApiCaller) -> Result<StatusCode, Problem> {
    let scope = caller.may(Action::ManageOutsideDesk)?;
    flow::disconnect(&app, &scope).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a new secret.
#[utoipa::path(
    post, path = "/outside-desk/secret", tag = "outside desks",
    responses((status = 201, body = SecretBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn renew_secret(State(app): State<App>, caller: ApiCaller) -> Result<Response, Problem> {
    let scope = caller.may(Action::ManageOutsideDesk)?;
    let secret = flow::renew_secret(&app, &scope).await?;
    Ok((StatusCode::CREATED, Extension(HoldsSecret), Json(SecretBody { secret })).into_response())
}

/// Send again at once what was not taken.
#[utoipa::path(
    post, path = "/outside-desk/retry", tag = "outside desks",
    responses((status = 204), (status = 404, body = ProblemBody))
)]
pub(super) async fn retry(State(app): State<App>, caller: ApiCaller) -> Result<StatusCode, Problem> {
    let scope = caller.may(Action::ManageOutsideDesk)?;
    flow::resume(&app, &scope).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ForwardedBody {
    repair_case: Uuid,
    number: String,
    /// `waiting`, `delivered` or `failed`.
    state: String,
    /// How often the last change was sent in vain.
    attempts: i64,
    /// When it is sent next; null if it does not wait.
    next_at: Option<String>,
    /// Why it was not taken: a stable code.
    last_error: Option<String>,
    /// The status of the answer, if there was one.
    last_status: Option<i64>,
    delivered_at: Option<String>,
    /// What the outside desk calls the case.
    reference: String,
}

/// What the outside desk was told, case by case, newest first.
#[utoipa::path(
    get, path = "/outside-desk/cases", tag = "outside desks", params(PageQuery),
    responses((status = 200, body = ListOf<ForwardedBody>), (status = 404, body = ProblemBody))
)]
pub(super) async fn cases(
    State(app): State<App>,
    caller: ApiCaller,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<ForwardedBody>>, Problem> {
    let scope = caller.may(Action::ManageOutsideDesk)?;
    let mut tx = app.store.read(&scope).await?;
    let found = rows::list(&mut tx, &scope, &page.into()).await?.ok_or_else(Problem::cursor)?;
    Ok(Json(ListOf::from_rows(found, |row| ForwardedBody {
        repair_case: row.repair_case,
        number: row.number,
        next_at: (row.state == "waiting").then(|| instant(row.next_at)),
        state: row.state,
        attempts: row.attempts,
        last_error: row.last_error,
        last_status: row.last_status,
        delivered_at: row.delivered_at.map(instant),
        reference: row.reference,
    })))
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StandingBody {
    id: Uuid,
    number: String,
    state: String,
}

/// Say, as an outside desk, how a case stands. The call is signed after Standard Webhooks with the secret that its messages
/// are signed with (`webhook-id`, `webhook-timestamp`, `webhook-signature`); it needs no token. The same id again does
/// nothing. A case that the outside desk does not have is not found.
#[utoipa::path(
    post, path = "/outside-desks/{id}/cases/{case}/status", tag = "outside desks",
    params(("id" = Uuid, Path), ("case" = Uuid, Path)), request_body = flow::Status,
    responses((status = 200, body = StandingBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn status(
    State(app): State<App>,
    Path((id, case)): Path<(OutsideDeskId, RepairCaseId)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<StandingBody>, Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let signed = Headers {
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp"),
        signature: text("webhook-signature"),
    };
    let case = flow::take_status(&app, id, case, signed, &body).await?;
    Ok(Json(StandingBody { id: case.id, number: case.number, state: case.state }))
}
