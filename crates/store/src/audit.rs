//! The audit log: who did what to what, in the transaction that did it.

use roadstead_domain::access::{Actor, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::clock::Ambient;
use roadstead_domain::ids::AuditId;
use serde::Serialize;
use uuid::Uuid;

use crate::args;
use crate::bulk::Bulk;
use crate::engine::Tx;
use crate::error::Result;
use crate::page::{Page, Rows};

/// A line of the log.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct Entry {
    /// Its id.
    pub id: Uuid,
    /// `user`, `token`, `device` or `system`.
    pub actor_kind: String,
    /// The user's, token's or enrolment's id.
    pub actor: Option<Uuid>,
    /// The stable code.
    pub action: String,
    /// What it was done to.
    pub subject: Option<Uuid>,
    /// More, as JSON text.
    pub detail: String,
    /// When.
    pub at: i64,
}

pub(crate) fn actor(actor: Actor) -> (&'static str, Option<Uuid>) {
    match actor {
        Actor::User(id) => ("user", Some(id.0)),
        Actor::Token(id) => ("token", Some(id.0)),
        Actor::Device(id) => ("device", Some(id.0)),
        Actor::System => ("system", None),
    }
}

/// A line on its way into the log.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// Whose log: a tenant or reporter; `None` is the operator's.
    pub home: Option<Uuid>,
    /// What was done.
    pub action: AuditAction,
    /// To what.
    pub subject: Option<Uuid>,
    /// More.
    pub detail: serde_json::Value,
}

/// Writes lines into the logs of their homes.
pub async fn record(tx: &mut Tx, by: Actor, entries: &[NewEntry], ambient: &Ambient) -> Result<()> {
    let (kind, id) = actor(by);
    let now = ambient.now();
    let mut bulk =
        Bulk::new("INSERT INTO audit_log (id, home, actor_kind, actor, action, subject, detail, at)", 8, "");
    for (entry, entry_id) in entries.iter().zip(ambient.ids::<AuditId>(entries.len())) {
        let detail = entry.detail.to_string();
        bulk.push(
            tx,
            args![entry_id, entry.home, kind, id, entry.action.as_str(), entry.subject, detail, now],
        )
        .await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}

/// The log of the scope's own home, newest first.
pub async fn list(tx: &mut Tx, scope: &Scope, page: &Page) -> Result<Option<Rows<Entry>>> {
    let Ok(after) = page.after::<Uuid>() else { return Ok(None) };
    let rows = page.rows();
    let items: Vec<Entry> = tx
        .all(
            "SELECT id, actor_kind, actor, action, subject, detail, at FROM audit_log \
             WHERE home IS NOT DISTINCT FROM $1 AND id < $2 ORDER BY id DESC LIMIT $3",
            args![scope.home(), after.unwrap_or(Uuid::max()), rows + 1],
        )
        .await?;
    Ok(Some(Rows::cut(items, rows, |entry| entry.id)))
}
