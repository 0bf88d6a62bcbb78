//! Alerts of one's own PCs, and the call by which monitors raise and close them.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use roadstead_domain::access::Action;
use roadstead_store::alerts::{self as rows, Alert, Group};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, Reference, instant};
use crate::app::App;
use crate::flows::alerts;
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlertBody {
    id: Uuid,
    serial_number: String,
    model: String,
    /// The tenant that has the PC.
    tenant: TenantBody,
    /// A stable code.
    kind: String,
    /// Which part.
    cause: String,
    /// `info`, `warning` or `critical`.
    severity: String,
    /// What was read.
    detail: String,
    /// `open` or `closed`.
    state: String,
    /// Whether a repair case was made of it: `open`, `done` or null. Whose, and what it says, is not told here.
    repair: Option<String>,
    opened_at: String,
    closed_at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TenantBody {
    id: Uuid,
    /// `holding` or `customer`.
    kind: String,
    name: String,
}

fn body(alert: Alert) -> AlertBody {
    AlertBody {
        id: alert.id,
        serial_number: alert.serial,
        model: alert.model,
        tenant: TenantBody { id: alert.tenant, kind: alert.tenant_kind, name: alert.tenant_name },
        kind: alert.kind,
        cause: alert.cause,
        severity: alert.severity,
        detail: alert.detail,
        state: alert.state,
        repair: alert.repair,
        opened_at: instant(alert.opened_at),
        closed_at: alert.closed_at.map(instant),
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only this kind.
    #[serde(default)]
    kind: String,
    /// Only this cause.
    cause: Option<String>,
    /// Those that are over instead.
    #[serde(default)]
    closed: bool,
}

/// List open alerts of one's own PCs, newest first, or those that closed while the PCs were one's own.
#[utoipa::path(
    get, path = "/alerts", tag = "alerts", params(Which, PageQuery),
    responses((status = 200, body = ListOf<AlertBody>), (status = 404, body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(which): Query<Which>,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<AlertBody>>, Problem> {
    let scope = caller.may(Action::ReadAlerts)?;
    let mut tx = app.store.read(&scope).await?;
    let of = (which.kind.as_str(), which.cause.as_deref());
    let found = rows::list(&mut tx, &scope, which.closed, of, &page.into()).await?;
    let found = found.ok_or_else(Problem::cursor)?;
    Ok(Json(ListOf::from_rows(found, body)))
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlertGroupBody {
    /// A stable code.
    kind: String,
    /// The cause, where many PCs share one, as a recall list or what a monitor names; else null, and the group has all alerts
    /// of the kind.
    cause: Option<String>,
    /// How many open alerts it has.
    alerts: i64,
}

impl From<Group> for AlertGroupBody {
    fn from(group: Group) -> Self {
        Self { kind: group.kind, cause: group.cause, alerts: group.alerts }
    }
}

/// Group the open alerts of one's own PCs by kind and shared cause, the largest group first. `kind` and `cause` list a
/// group's alerts.
#[utoipa::path(
    get, path = "/alerts/groups", tag = "alerts", params(PageQuery),
    responses((status = 200, body = ListOf<AlertGroupBody>), (status = 404, body = ProblemBody))
)]
pub(super) async fn groups(
    State(app): State<App>,
    caller: ApiCaller,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<AlertGroupBody>>, Problem> {
    let scope = caller.may(Action::ReadAlerts)?;
    let mut tx = app.store.read(&scope).await?;
    let found = rows::groups(&mut tx, &scope, true, &page.into()).await?.ok_or_else(Problem::cursor)?;
    Ok(Json(ListOf::from_rows(found, AlertGroupBody::from)))
}

/// An alert.
#[utoipa::path(
    get, path = "/alerts/{id}", tag = "alerts", params(("id" = String, Path)),
    responses((status = 200, body = AlertBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Json<AlertBody>, Problem> {
    let scope = caller.may(Action::ReadAlerts)?;
    let mut tx = app.store.read(&scope).await?;
    Ok(Json(body(alerts::found(&mut tx, &scope, &id).await?)))
}

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct NewAlert {
    serial: String,
    /// A stable code, as `disk.failing`, `battery.recall` or `hardware.fault`.
    kind: String,
    /// Which part: the same kind and cause of one PC are one alert.
    cause: String,
    /// What was found, for the repairer.
    detail: String,
}

/// Raise an alert, as a monitor does. The same again answers 200 with the one that is there. While the PC is being moved the
/// answer is 409 `alert.pc_is_moving` with `Retry-After`.
#[utoipa::path(
    post, path = "/alerts", tag = "alerts", request_body = NewAlert,
    responses((status = 201, body = Reference), (status = 200, body = Reference), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn raise(
    State(app): State<App>,
    caller: ApiCaller,
    Json(new): Json<NewAlert>,
) -> Result<(StatusCode, Json<Reference>), Problem> {
    let scope = caller.may(Action::RaiseAlerts)?;
    let NewAlert { serial, kind, cause, detail } = &new;
    let (id, is_new) = alerts::raise(&app, &scope, serial, kind, cause, detail).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(Reference { id: id.0 })))
}

/// Close an alert that a monitor raised: the condition is gone.
#[utoipa::path(
    post, path = "/alerts/{id}/close", tag = "alerts", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody))
)]
pub(super) async fn close(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let scope = caller.may(Action::RaiseAlerts)?;
    alerts::close(&app, &scope, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
