//! The operator looks at a dispute: both evidences. Whoever has the PC finds the look in its log (decision 15).

use roadstead_domain::access::{Denied, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::ids::ReportId;
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::disputes::{self, Evidence, Holder};

use super::Refused;
use crate::app::App;

/// A dispute with both sides.
#[derive(Debug)]
pub struct Dispute {
    /// The line that is disputed.
    pub line: Evidence,
    /// Who has the PC, and by what.
    pub holder: Option<Holder>,
}

/// Looks at one.
pub async fn look(app: &App, scope: &Scope, report: ReportId, line: i64) -> Result<Dispute, Refused> {
    let mut tx = app.store.write(scope).await?;
    let line = disputes::get(&mut tx, scope, report, line).await?.ok_or(Denied::NotFound)?;
    let holder = disputes::holder(&mut tx, scope, &line).await?;
    if let Some(holder) = &holder {
        let entry = NewEntry {
            home: Some(holder.partner),
            action: AuditAction::DeviceLookedAt,
            subject: Some(holder.device),
            detail: serde_json::json!({ "serial_number": line.serial, "dispute": line.verdict }),
        };
        audit::record(&mut tx, scope.actor(), &[entry], &app.ambient).await?;
    }
    tx.commit().await?;
    Ok(Dispute { line, holder })
}
