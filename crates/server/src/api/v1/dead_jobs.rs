//! Background work that was given up, for the operator.

use axum::Json;
use axum::extract::{Path, Query, State};
use roadstead_domain::access::Action;
use roadstead_domain::ids::JobId;
use roadstead_store::dead_jobs;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, Reference, instant};
use crate::app::App;
use crate::flows::retry_job;
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeadJobBody {
    id: Uuid,
    /// What was to be done; a stable code.
    kind: String,
    /// To what.
    subject: Uuid,
    /// The name of the report's file or of the partner, where the subject is one.
    subject_name: Option<String>,
    /// How often it failed in a row.
    attempts: i64,
    /// What was said the last time, in English.
    last_error: Option<String>,
    /// Since when it is given up.
    since: String,
    created_at: String,
}

/// List the jobs that were given up, newest first.
#[utoipa::path(get, path = "/dead-jobs", tag = "jobs", params(PageQuery), responses((status = 200, body = ListOf<DeadJobBody>)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<DeadJobBody>>, Problem> {
    let scope = caller.may(Action::ManageJobs)?;
    let mut tx = app.store.read(&scope).await?;
    let rows = dead_jobs::list(&mut tx, &scope, &page.into()).await?.ok_or_else(Problem::cursor)?;
    Ok(Json(ListOf::from_rows(rows, |job| DeadJobBody {
        id: job.id,
        kind: job.kind,
        subject: job.subject,
        subject_name: job.subject_name,
        attempts: job.attempts,
        last_error: job.last_error,
        since: instant(job.since),
        created_at: instant(job.created_at),
    })))
}

/// Try a job again that was given up.
#[utoipa::path(
    post, path = "/dead-jobs/{id}/retry", tag = "jobs", params(("id" = Uuid, Path)),
    responses((status = 200, body = Reference), (status = 404, body = ProblemBody))
)]
pub(super) async fn retry(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Json<Reference>, Problem> {
    let scope = caller.may(Action::ManageJobs)?;
    let id: JobId = id.parse().map_err(|_| Problem::not_found())?;
    retry_job::retry(&app, &scope, id).await?;
    Ok(Json(Reference { id: id.0 }))
}
