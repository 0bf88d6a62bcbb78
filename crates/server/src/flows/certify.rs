//! Partners and their qualifications. A valid qualification opens the holding tenant in the same transaction, and
//! lets what waited for the partner be judged again.

use jiff::civil::Date;
use roadstead_domain::access::Scope;
use roadstead_domain::audit::AuditAction;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::{QualificationId, TenantId};
use roadstead_domain::partner::{Qualification, Standing};
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::{Tx, jobs, partners};

use super::Refused;
use crate::app::App;

/// Adds a partner with its tenant, and lets lines that named an unknown seller be judged again.
pub async fn create_partner(app: &App, scope: &Scope, number: &str, name: &str) -> Result<TenantId, Refused> {
    let mut tx = app.store.write(scope).await?;
    let id = add_partner(app, &mut tx, scope, number, name).await?;
    tx.commit().await?;
    app.wake();
    Ok(id)
}

/// The same within a transaction of the caller's.
pub(super) async fn add_partner(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    number: &str,
    name: &str,
) -> Result<TenantId, Refused> {
    let (number, name) = (number.trim(), name.trim());
    super::filled("partner_number", number)?;
    super::filled("name", name)?;
    let (id, now): (TenantId, Micros) = (app.ambient.id(), app.ambient.now());
    partners::create(tx, scope, id, number, name, now)
        .await
        .map_err(|error| Refused::taken(error, "partner_number"))?;
    let entry = NewEntry {
        home: None,
        action: AuditAction::PartnerCreated,
        subject: Some(id.0),
        detail: serde_json::json!({ "partner_number": number, "name": name }),
    };
    audit::record(tx, scope.actor(), &[entry], &app.ambient).await?;
    jobs::enqueue(tx, jobs::Kind::ReplayPartner, id.0, id.0, now, &app.ambient).await?;
    Ok(id)
}

/// Records a qualification, or renews the one of the same level and role.
pub async fn record_qualification(
    app: &App,
    scope: &Scope,
    partner: TenantId,
    qualification: &Qualification,
) -> Result<QualificationId, Refused> {
    let mut tx = app.store.write(scope).await?;
    let id = add_qualification(app, &mut tx, scope, partner, qualification).await?;
    tx.commit().await?;
    app.wake();
    Ok(id)
}

/// The same within a transaction of the caller's.
pub(super) async fn add_qualification(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    partner: TenantId,
    qualification: &Qualification,
) -> Result<QualificationId, Refused> {
    if let Err(error) = qualification.check() {
        return Err(Refused::invalid(error.code(), "expires_on"));
    }
    let now = app.ambient.now();
    let id = app.ambient.id();
    let id = partners::record_qualification(tx, scope, id, partner, qualification, now).await?;
    let entry = NewEntry {
        home: Some(partner.0),
        action: AuditAction::QualificationRecorded,
        subject: Some(id.0),
        detail: serde_json::json!({
            "support_level": qualification.support_level,
            "role": qualification.role,
            "standing": qualification.standing(now.date()),
        }),
    };
    audit::record(tx, scope.actor(), &[entry], &app.ambient).await?;
    if qualification.standing(now.date()) == Standing::Valid {
        open_pool(app, tx, scope, partner).await?;
    }
    if let Some(due) = replay_due(qualification, now) {
        jobs::enqueue(tx, jobs::Kind::ReplayPartner, partner.0, partner.0, due, &app.ambient).await?;
    }
    Ok(id)
}

/// When what waits for the partner is to be judged again: now, or at the start of the day on which it is certified.
fn replay_due(qualification: &Qualification, now: Micros) -> Option<Micros> {
    let starts = qualification.certified_on?.max(qualification.course_completed_on?);
    Some(now.max(midnight(starts)))
}

fn midnight(day: Date) -> Micros {
    let instant = day.to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp().as_microsecond());
    Micros(instant.unwrap_or(0))
}

/// The partner's holding tenant, made if it has none.
pub(super) async fn open_pool(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    partner: TenantId,
) -> roadstead_store::Result<TenantId> {
    let holding = partners::ensure_holding(tx, scope, partner, app.ambient.id(), app.ambient.now())
        .await?
        .ok_or_else(|| roadstead_store::Error::bad("partners", format!("no partner {partner}")))?;
    if holding.is_new {
        let entry = NewEntry {
            home: Some(partner.0),
            action: AuditAction::HoldingTenantCreated,
            subject: Some(holding.tenant.0),
            detail: serde_json::json!({}),
        };
        audit::record(tx, scope.actor(), &[entry], &app.ambient).await?;
    }
    Ok(holding.tenant)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use roadstead_domain::partner::{PartnerRole, SupportLevel};

    use super::*;

    #[test]
    fn a_certificate_of_next_week_is_looked_at_next_week() {
        let now = Micros(1_795_348_800_000_000);
        let of = |certified_on| Qualification {
            support_level: SupportLevel::Premium,
            role: PartnerRole::ServiceDelivery,
            course_completed_on: Some(date(2026, 1, 1)),
            certified_on,
            expires_on: None,
        };
        assert_eq!(replay_due(&of(Some(date(2026, 11, 1))), now), Some(now));
        let due = replay_due(&of(Some(date(2026, 11, 29))), now).unwrap();
        assert_eq!(due.rfc3339(), "2026-11-29T00:00:00Z");
        assert_eq!(replay_due(&of(None), now), None);
    }
}
