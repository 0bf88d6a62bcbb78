//! Jobs that were given up, for the operator to look at and to try again.

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::JobId;
use uuid::Uuid;

use crate::args;
use crate::engine::{News, Tx};
use crate::error::Result;
use crate::jobs::Kind;
use crate::page::{Page, Rows};

/// A job that was given up.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct DeadJob {
    /// Its id.
    pub id: Uuid,
    /// What it was to do; a stable code.
    pub kind: String,
    /// To what.
    pub subject: Uuid,
    /// The name of the report's file or of the partner, where the subject is one.
    pub subject_name: Option<String>,
    /// How often it failed in a row.
    pub attempts: i64,
    /// What was said the last time.
    pub last_error: Option<String>,
    /// Since when it is given up, in microseconds.
    pub since: i64,
    /// When it was made.
    pub created_at: i64,
}

/// Every column of [`DeadJob`], in one place.
macro_rules! dead_sql {
    ($where:literal) => {
        concat!(
            "SELECT j.id, j.kind, j.subject, COALESCE(r.file_name, p.name) AS subject_name, j.attempts, j.last_error, ",
            "j.run_at AS since, j.created_at FROM jobs j LEFT JOIN reports r ON r.id = j.subject ",
            "LEFT JOIN partners p ON p.tenant = j.subject WHERE j.dead AND ",
            $where
        )
    };
}

/// What was given up, newest first. `None` for a cursor that is none.
pub async fn list(tx: &mut Tx, scope: &Scope, page: &Page) -> Result<Option<Rows<DeadJob>>> {
    scope.platform()?;
    let Ok(after) = page.after::<Uuid>() else { return Ok(None) };
    let rows = page.rows();
    let items: Vec<DeadJob> = tx
        .all(
            dead_sql!("j.id < $1 ORDER BY j.id DESC LIMIT $2"),
            args![after.unwrap_or(Uuid::max()), rows + 1],
        )
        .await?;
    Ok(Some(Rows::cut(items, rows, |job| job.id)))
}

/// The job, if it is given up.
pub async fn get(tx: &mut Tx, scope: &Scope, id: JobId) -> Result<Option<DeadJob>> {
    scope.platform()?;
    tx.optional(dead_sql!("j.id = $1"), args![id]).await
}

/// Forgets the dead jobs of this kind and subject, since somebody else has done it.
pub async fn forget(tx: &mut Tx, scope: &Scope, kind: Kind, subject: Uuid) -> Result<()> {
    scope.platform()?;
    let kind = kind.as_str();
    tx.execute("DELETE FROM jobs WHERE dead AND subject = $1 AND kind = $2", args![subject, kind]).await?;
    Ok(())
}

/// Lets a job run again as if it had never failed; whether it was dead.
pub async fn revive(tx: &mut Tx, scope: &Scope, id: JobId, now: Micros) -> Result<bool> {
    scope.platform()?;
    let revived = tx
        .execute(
            "UPDATE jobs SET dead = $2, attempts = 0, leased_until = NULL, run_at = $3 WHERE id = $1 AND dead",
            args![id, false, now],
        )
        .await?;
    tx.notify(News::Work).await?;
    Ok(revived > 0)
}
