//! The log of one's own home.

use axum::Json;
use axum::extract::{Query, State};
use roadstead_domain::access::Action;
use roadstead_store::audit;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ListOf, PageQuery, instant};
use crate::app::App;
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EntryBody {
    id: Uuid,
    /// `user`, `token` or `system`.
    actor_kind: String,
    actor: Option<Uuid>,
    /// A stable code.
    action: String,
    subject: Option<Uuid>,
    detail: serde_json::Value,
    created_at: String,
}

/// List the log, newest first.
#[utoipa::path(get, path = "/audit-log", tag = "audit log", params(PageQuery), responses((status = 200, body = ListOf<EntryBody>)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<EntryBody>>, Problem> {
    let scope = caller.may(Action::ReadAudit)?;
    let mut tx = app.store.read(&scope).await?;
    let rows = audit::list(&mut tx, &scope, &page.into()).await?.ok_or_else(Problem::cursor)?;
    Ok(Json(ListOf::from_rows(rows, |entry| EntryBody {
        id: entry.id,
        actor_kind: entry.actor_kind,
        actor: entry.actor,
        action: entry.action,
        subject: entry.subject,
        detail: serde_json::from_str(&entry.detail).unwrap_or_default(),
        created_at: instant(entry.at),
    })))
}
