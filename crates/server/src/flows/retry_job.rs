//! A job that was given up is tried again, because somebody has mended what it failed on.

use roadstead_domain::access::{Denied, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::ids::{JobId, OperationId, ReportId};
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::{dead_jobs, operations, reports};

use super::Refused;
use crate::app::App;

/// Tries a dead job again. A report that was given up goes on with the batch where it stopped.
pub async fn retry(app: &App, scope: &Scope, id: JobId) -> Result<(), Refused> {
    let mut tx = app.store.write(scope).await?;
    let job = dead_jobs::get(&mut tx, scope, id).await?.ok_or(Denied::NotFound)?;
    let now = app.ambient.now();
    if !dead_jobs::revive(&mut tx, scope, id, now).await? {
        return Err(Denied::NotFound.into());
    }
    let report = ReportId(job.subject);
    if let Some(stopped) = reports::get(&mut tx, scope, report).await? {
        reports::retry(&mut tx, scope, report).await?;
        operations::retry(&mut tx, OperationId(stopped.operation), now).await?;
    }
    let entry = NewEntry {
        home: None,
        action: AuditAction::JobRetried,
        subject: Some(id.0),
        detail: serde_json::json!({
            "kind": job.kind, "subject": job.subject, "attempts": job.attempts, "last_error": job.last_error,
        }),
    };
    audit::record(&mut tx, scope.actor(), &[entry], &app.ambient).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}
