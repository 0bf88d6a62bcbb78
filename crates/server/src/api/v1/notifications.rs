//! What waits for an answer in the caller's home.

use axum::Json;
use axum::extract::State;
use roadstead_domain::access::Action;
use roadstead_store::notices;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ProblemBody;
use crate::app::App;
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NotificationsBody {
    /// How many things wait; PCs of one kind are one.
    count: usize,
    /// The partner that has invited the customer, to be answered under `customers/{id}/assigned-partner`.
    invited_by: Option<String>,
    /// Customers that ask the partner to look after them.
    asked_by: Vec<AskedBody>,
    /// Customers that have not answered the partner yet.
    unanswered: i64,
    /// PCs that came, may still be declined and were not confirmed.
    arrivals: i64,
    /// PCs that wait to join.
    enrolments: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AskedBody {
    id: Uuid,
    name: String,
}

/// What waits for an answer in one's own home.
#[utoipa::path(
    get, path = "/notifications", tag = "customers",
    responses((status = 200, body = NotificationsBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    caller: ApiCaller,
) -> Result<Json<NotificationsBody>, Problem> {
    let scope = caller.may(Action::ReadEnrolments)?;
    let mut tx = app.store.read(&scope).await?;
    let found = notices::of_home(&mut tx, &scope, app.ambient.now()).await?;
    Ok(Json(NotificationsBody {
        count: found.count(),
        invited_by: found.invited_by,
        asked_by: found.asked_by.into_iter().map(|(id, name)| AskedBody { id, name }).collect(),
        unanswered: found.unanswered,
        arrivals: found.arrivals,
        enrolments: found.enrolments,
    }))
}
