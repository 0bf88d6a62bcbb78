//! What service SKUs and names stand for, and corrections of a PC's entitlement by the operator (decision 17).

use jiff::civil::Date;
use roadstead_domain::access::{self, Denied, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::ids::{DeviceId, TenantId};
use roadstead_domain::partner::SupportLevel;
use roadstead_domain::sale::LevelNames;
use roadstead_domain::serial;
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::devices::{self, Device, Right};
use roadstead_store::entitlements::{self, Correction, Term};
use roadstead_store::{Tx, pool, self_service};
use uuid::Uuid;

use super::Refused;
use crate::app::App;

/// The longest term, in months.
const LONGEST: i64 = 120;

/// Says what a service SKU or name stands for from now on; what was judged before stays.
pub async fn set_term(app: &App, scope: &Scope, term: &Term) -> Result<(), Refused> {
    super::filled("name", term.name.trim())?;
    if LevelNames::key(&term.name).is_empty() {
        return Err(Refused::invalid("field.missing", "name"));
    }
    if term.months.is_some_and(|months| !(1..=LONGEST).contains(&months)) {
        return Err(Refused::invalid("term.out_of_range", "months"));
    }
    if term.months.is_some() && term.support_level.is_none() {
        return Err(Refused::invalid("field.missing", "support_level"));
    }
    let mut tx = app.store.write(scope).await?;
    // `U8PL1E` and `u8pl1e` are one.
    for old in entitlements::terms(&mut tx, scope).await? {
        if LevelNames::key(&old.name) == LevelNames::key(&term.name) {
            entitlements::forget_term(&mut tx, scope, &old.name).await?;
        }
    }
    let term = Term { name: term.name.trim().to_owned(), ..term.clone() };
    entitlements::set_term(&mut tx, scope, &term).await?;
    let entry = NewEntry {
        home: None,
        action: AuditAction::ServiceTermChanged,
        subject: None,
        detail: serde_json::json!({
            "name": term.name, "support_level": term.support_level, "months": term.months,
        }),
    };
    audit::record(&mut tx, scope.actor(), &[entry], &app.ambient).await?;
    tx.commit().await?;
    Ok(())
}

/// Forgets what a service SKU or name stands for.
pub async fn forget_term(app: &App, scope: &Scope, name: &str) -> Result<(), Refused> {
    let mut tx = app.store.write(scope).await?;
    if !entitlements::forget_term(&mut tx, scope, name).await? {
        return Err(Denied::NotFound.into());
    }
    let entry = NewEntry {
        home: None,
        action: AuditAction::ServiceTermChanged,
        subject: None,
        detail: serde_json::json!({ "name": name, "forgotten": true }),
    };
    audit::record(&mut tx, scope.actor(), &[entry], &app.ambient).await?;
    tx.commit().await?;
    Ok(())
}

/// A PC as the operator sees it who corrects its entitlement.
#[derive(Debug)]
pub struct Looked {
    /// The PC.
    pub device: Device,
    /// Whose logs tell of the look: its customer's, if it is with one, and those of the partner that has it, if any does.
    pub homes: Vec<Uuid>,
    /// Its rights.
    pub rights: Vec<Right>,
}

/// The operator looks at one PC by its serial. Whoever has it finds the look in its log (decision 15).
pub async fn look(
    app: &App,
    scope: &Scope,
    asked: &str,
    manufacturer: Option<&str>,
) -> Result<Looked, Refused> {
    scope.platform()?;
    let mut tx = app.store.write(scope).await?;
    let looked = find(&mut tx, scope, asked, manufacturer).await?;
    audit::record(&mut tx, scope.actor(), &look_entries(&looked), &app.ambient).await?;
    tx.commit().await?;
    Ok(looked)
}

fn look_entries(looked: &Looked) -> Vec<NewEntry> {
    let entry = |home: &Uuid| NewEntry {
        home: Some(*home),
        action: AuditAction::DeviceLookedAt,
        subject: Some(looked.device.id),
        detail: serde_json::json!({ "serial_number": looked.device.serial }),
    };
    looked.homes.iter().map(entry).collect()
}

async fn find(
    tx: &mut Tx,
    scope: &Scope,
    asked: &str,
    manufacturer: Option<&str>,
) -> Result<Looked, Refused> {
    let not_found = || Refused::Denied(Denied::NotFound);
    let serial = serial::normalize(asked).map_err(|_| not_found())?;
    let mut found = devices::candidates(tx, scope, &serial).await?;
    found.retain(|one| {
        one.tenant.is_some()
            && manufacturer.is_none_or(|name| name.trim().eq_ignore_ascii_case(&one.manufacturer))
    });
    if found.len() > 1 {
        let choices = found.into_iter().map(|one| one.manufacturer).collect();
        return Err(Refused::Ambiguous { field: "manufacturer", choices });
    }
    let one = found.pop().ok_or_else(not_found)?;
    let device = devices::get(tx, scope, DeviceId(one.id)).await?.ok_or_else(not_found)?;
    let customer = (device.tenant_kind == "customer").then_some(device.tenant);
    let homes = [customer, one.partner].into_iter().flatten().collect();
    let rights = devices::rights(tx, scope, &device).await?;
    Ok(Looked { device, homes, rights })
}

/// What an entitlement is to be.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Which level.
    pub support_level: SupportLevel,
    /// The first day.
    pub starts_on: Date,
    /// The first day on which it no longer holds.
    pub ends_on: Date,
    /// Why, for the logs of whoever has the PC.
    pub reason: &'a str,
}

/// Corrects a PC's entitlement, or gives it one that no report told of.
pub async fn correct(
    app: &App,
    scope: &Scope,
    serial: &str,
    manufacturer: Option<&str>,
    wanted: &Wanted<'_>,
) -> Result<(), Refused> {
    let reason = wanted.reason.trim();
    super::filled("reason", reason)?;
    if wanted.ends_on <= wanted.starts_on {
        return Err(Refused::invalid("entitlement.ends_before_it_starts", "ends_on"));
    }
    scope.platform()?;
    let mut tx = app.store.write(scope).await?;
    // It must not move before the switch of where it is has been armed.
    tx.lock_placements().await?;
    let looked = find(&mut tx, scope, serial, manufacturer).await?;
    let Looked { device, homes, rights } = &looked;
    let before = rights.iter().find(|right| right.support_level == wanted.support_level.as_str());
    let detail = serde_json::json!({
        "serial_number": device.serial,
        "support_level": wanted.support_level,
        "before": before.map(|right| (&right.starts_on, &right.ends_on)),
        "after": (wanted.starts_on, wanted.ends_on),
        "reason": reason,
    });
    let now = app.ambient.now();
    let correction = Correction {
        device: DeviceId(device.id),
        support_level: wanted.support_level,
        starts_on: wanted.starts_on,
        ends_on: wanted.ends_on,
    };
    if !entitlements::correct(&mut tx, scope, &correction, now).await? {
        return Err(Denied::NotFound.into());
    }
    pool::revise(&mut tx, scope, TenantId(device.tenant)).await?;
    // It may be its customer's first PC with Premium or Premium+.
    self_service::arm(&mut tx, [TenantId(device.tenant)], now).await?;
    let mut entries = look_entries(&looked);
    let logs = std::iter::once(None).chain(homes.iter().copied().map(Some));
    entries.extend(logs.map(|home| NewEntry {
        home,
        action: AuditAction::EntitlementCorrected,
        subject: Some(device.id),
        detail: detail.clone(),
    }));
    audit::record(&mut tx, scope.actor(), &entries, &app.ambient).await?;
    tx.commit().await?;
    Ok(())
}

/// Every name and SKU of the operator's own.
pub async fn terms(app: &App, scope: &Scope) -> Result<Vec<Term>, Refused> {
    scope.platform()?;
    let mut tx = app.store.read(&access::system()).await?;
    Ok(entitlements::terms(&mut tx, scope).await?)
}
