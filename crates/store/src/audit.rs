//! The audit log: who did what to what, in the transaction that did it.

use roadstead_domain::access::{Actor, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::clock::{Ambient, Micros, first_id_at};
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
    /// `user`, `token`, `device`, `outside_desk` or `system`.
    pub actor_kind: String,
    /// The user's, token's, enrolment's or outside desk's id.
    pub actor: Option<Uuid>,
    /// Its name, if it is of this home.
    pub actor_name: Option<String>,
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
        Actor::OutsideDesk(id) => ("outside_desk", Some(id.0)),
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

/// Which lines of a log.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// With this code.
    pub action: Option<String>,
    /// By this user or token.
    pub actor: Option<Uuid>,
    /// From this instant on.
    pub from: Option<Micros>,
    /// Before this instant.
    pub until: Option<Micros>,
}

/// One statement for each index: by home alone, by action, by actor.
macro_rules! of_log {
    ($home:literal, $by:literal) => {
        concat!(
            "SELECT l.id, l.actor_kind, l.actor, COALESCE(u.name, t.name) AS actor_name, l.action, l.subject, l.detail, \
             l.at FROM audit_log l \
             LEFT JOIN users u ON u.id = l.actor AND u.home IS NOT DISTINCT FROM l.home \
             LEFT JOIN tokens t ON t.id = l.actor AND t.home IS NOT DISTINCT FROM l.home WHERE ",
            $home,
            " AND l.id < $2 AND l.id >= $3 ",
            $by,
            " ORDER BY l.id DESC LIMIT $4"
        )
    };
}

/// The log of the scope's own home, newest first. Who acted from another home has no name here.
pub async fn list(tx: &mut Tx, scope: &Scope, filter: &Filter, page: &Page) -> Result<Option<Rows<Entry>>> {
    let Ok(after) = page.after::<Uuid>() else { return Ok(None) };
    let rows = page.rows();
    let first: Uuid = filter.from.map_or(Uuid::nil(), first_id_at);
    let end: Uuid = filter.until.map_or(Uuid::max(), first_id_at);
    let before = after.map_or(end, |after| after.min(end));
    let home = scope.home();
    let mut args = args![home, before, first, rows + 1];
    let sql = match (home, &filter.action, filter.actor) {
        (Some(_), Some(action), actor) => {
            args.extend(args![action, actor]);
            of_log!("l.home = $1", "AND l.action = $5 AND ($6 IS NULL OR l.actor = $6)")
        }
        (Some(_), None, Some(actor)) => {
            args.extend(args![actor]);
            of_log!("l.home = $1", "AND l.actor = $5")
        }
        (Some(_), None, None) => of_log!("l.home = $1", ""),
        // $1 is null, and named so that it stays the first.
        (None, Some(action), actor) => {
            args.extend(args![action, actor]);
            of_log!("$1 IS NULL AND l.home IS NULL", "AND l.action = $5 AND ($6 IS NULL OR l.actor = $6)")
        }
        (None, None, Some(actor)) => {
            args.extend(args![actor]);
            of_log!("$1 IS NULL AND l.home IS NULL", "AND l.actor = $5")
        }
        (None, None, None) => of_log!("$1 IS NULL AND l.home IS NULL", ""),
    };
    let items: Vec<Entry> = tx.all(sql, args).await?;
    Ok(Some(Rows::cut(items, rows, |entry| entry.id)))
}
