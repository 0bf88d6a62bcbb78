//! Reporters, for the operator.

use axum::Json;
use axum::extract::{Query, State};
use axum::response::Response;
use roadstead_domain::access::Action;
use roadstead_store::reporters;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, Reference, created, instant};
use crate::app::App;
use crate::flows;
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewReporter {
    name: String,
    /// A reseller's is its partner number: it reports for itself alone.
    reporter_number: String,
    /// `distributor` or `reseller`.
    kind: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReporterBody {
    id: Uuid,
    name: String,
    reporter_number: String,
    /// `distributor` or `reseller`.
    kind: String,
    created_at: String,
}

/// Add a reporter.
#[utoipa::path(
    post, path = "/reporters", tag = "reporters", request_body = NewReporter,
    responses((status = 201, body = Reference), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn create(
    State(app): State<App>,
    caller: ApiCaller,
    Json(new): Json<NewReporter>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::ManageReporters)?;
    let id = flows::reporters::create(&app, &scope, &new.reporter_number, &new.name, &new.kind).await?;
    Ok(created(id.0))
}

/// List reporters.
#[utoipa::path(get, path = "/reporters", tag = "reporters", params(PageQuery), responses((status = 200, body = ListOf<ReporterBody>)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<ReporterBody>>, Problem> {
    let scope = caller.may(Action::ReadReporters)?;
    let mut tx = app.store.read(&scope).await?;
    let rows = reporters::list(&mut tx, &scope, &page.into()).await?.ok_or_else(Problem::cursor)?;
    Ok(Json(ListOf::from_rows(rows, |reporter| ReporterBody {
        id: reporter.id,
        name: reporter.name,
        reporter_number: reporter.number,
        kind: reporter.kind,
        created_at: instant(reporter.created_at),
    })))
}
