//! Long work and its progress.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::event::Event as Happened;
use roadstead_domain::ids::OperationId;
use roadstead_store::operations::{self, Operation};
use serde::Serialize;
use tokio::sync::broadcast::Receiver;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ProblemBody, instant};
use crate::app::App;
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OperationBody {
    id: Uuid,
    kind: String,
    /// `running`, `succeeded` or `failed`.
    state: String,
    done: i64,
    total: i64,
    /// What came of it; null while it runs.
    result: Option<serde_json::Value>,
    created_at: String,
    updated_at: String,
}

impl From<Operation> for OperationBody {
    fn from(operation: Operation) -> Self {
        Self {
            id: operation.id,
            kind: operation.kind,
            state: operation.state,
            done: operation.done,
            total: operation.total,
            result: operation.result.and_then(|text| serde_json::from_str(&text).ok()),
            created_at: instant(operation.created_at),
            updated_at: instant(operation.updated_at),
        }
    }
}

async fn find(app: &App, scope: &Scope, id: &str) -> Result<OperationBody, Problem> {
    let id: OperationId = id.parse().map_err(|_| Problem::not_found())?;
    let mut tx = app.store.read(scope).await?;
    let operation = operations::get(&mut tx, scope, id).await?;
    Ok(operation.ok_or_else(Problem::not_found)?.into())
}

/// An operation.
#[utoipa::path(
    get, path = "/operations/{id}", tag = "operations", params(("id" = String, Path)),
    responses((status = 200, body = OperationBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Json<OperationBody>, Problem> {
    Ok(Json(find(&app, &caller.may(Action::FollowEvents)?, &id).await?))
}

/// An operation's progress as server-sent events named `progress`, until it ends.
#[utoipa::path(
    get, path = "/operations/{id}/events", tag = "operations", params(("id" = String, Path)),
    responses((status = 200, content_type = "text/event-stream"), (status = 404, body = ProblemBody))
)]
pub(super) async fn events(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, axum::Error>>>, Problem> {
    let scope = caller.may(Action::FollowEvents)?;
    // Listening begins before the first look, so that nothing falls between the two.
    let heard = app.hub.listen();
    let first = find(&app, &scope, &id).await?;
    let start = Some((app, scope, id, heard, Some(first)));
    let progress = stream::unfold(start, |state| async move {
        let (app, scope, id, mut heard, known) = state?;
        let operation = match known {
            Some(operation) => operation,
            None if app.closing.is_cancelled() => return None,
            None => {
                until_told(&mut heard, &id).await;
                find(&app, &scope, &id).await.ok()?
            }
        };
        let running = operation.state == "running";
        let event = Event::default().event("progress").json_data(&operation);
        Some((event, running.then_some((app, scope, id, heard, None))))
    });
    Ok(Sse::new(progress).keep_alive(KeepAlive::default()))
}

/// Waits for news of this operation, or for a second: the database is the truth, events only save waiting.
async fn until_told(heard: &mut Receiver<roadstead_store::outbox::Stored>, id: &str) {
    let told = async {
        while let Ok(stored) = heard.recv().await {
            if matches!(&stored.event, Happened::ReportProgress { operation, .. } | Happened::TransferProgress { operation, .. } if operation.to_string() == id)
            {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), told).await;
}
