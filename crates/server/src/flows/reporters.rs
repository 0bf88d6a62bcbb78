//! Reporters: who may hand in sell-through reports.

use roadstead_domain::access::Scope;
use roadstead_domain::audit::AuditAction;
use roadstead_domain::ids::ReporterId;
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::partners::number_key;
use roadstead_store::reporters::{self, Reporter};

use super::Refused;
use crate::app::App;

/// Adds a reporter. A reseller is bound to the partner with its own number: it reports for itself alone.
pub async fn create(
    app: &App,
    scope: &Scope,
    number: &str,
    name: &str,
    kind: &str,
) -> Result<ReporterId, Refused> {
    let (number, name) = (number.trim(), name.trim());
    super::filled("reporter_number", number)?;
    super::filled("name", name)?;
    let only_seller = match kind {
        "distributor" => None,
        "reseller" => Some(number_key(number)),
        _ => return Err(Refused::invalid("field.unknown_value", "kind")),
    };
    let id: ReporterId = app.ambient.id();
    let now = app.ambient.now();
    let reporter = Reporter {
        id: id.0,
        number: number.to_owned(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        only_seller,
        created_at: now.0,
    };
    let mut tx = app.store.write(scope).await?;
    reporters::create(&mut tx, scope, &reporter)
        .await
        .map_err(|error| Refused::taken(error, "reporter_number"))?;
    let entry = NewEntry {
        home: None,
        action: AuditAction::ReporterCreated,
        subject: Some(id.0),
        detail: serde_json::json!({ "reporter_number": number, "name": name, "kind": kind }),
    };
    audit::record(&mut tx, scope.actor(), &[entry], &app.ambient).await?;
    tx.commit().await?;
    Ok(id)
}
