//! Entitlements that sales bring, and the names under which support levels are sold.

use jiff::civil::Date;
use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::entitlement::Entitlement;
use roadstead_domain::ids::{DeviceId, ReportId};
use roadstead_domain::partner::SupportLevel;
use roadstead_domain::sale::{LevelNames, Sold};
use uuid::Uuid;

use crate::args;
use crate::bulk::Bulk;
use crate::engine::Tx;
use crate::error::{Error, Result};

/// An entitlement with the line that brought it.
#[derive(Clone, Debug)]
pub struct Attached {
    /// Which PC.
    pub device: DeviceId,
    /// What it is entitled to.
    pub entitlement: Entitlement,
    /// The report.
    pub report: ReportId,
    /// The line.
    pub line: u64,
}

/// Attaches entitlements; a later sale of the same level replaces the dates. One per device and level at a time.
pub async fn attach(tx: &mut Tx, scope: &Scope, attached: &[Attached]) -> Result<()> {
    scope.platform()?;
    let mut bulk = Bulk::new(
        "INSERT INTO entitlements (device, support_level, starts_on, ends_on, assumed, report, line)",
        7,
        "ON CONFLICT (device, support_level) DO UPDATE SET starts_on = excluded.starts_on, \
         ends_on = excluded.ends_on, assumed = excluded.assumed, report = excluded.report, line = excluded.line, \
         corrected_at = NULL",
    );
    for attached in attached {
        let Entitlement { support_level, starts_on, ends_on, assumed } = attached.entitlement;
        bulk.push(
            tx,
            args![
                attached.device,
                support_level.as_str(),
                starts_on.to_string(),
                ends_on.to_string(),
                assumed,
                attached.report,
                attached.line
            ],
        )
        .await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}

/// Takes the entitlements of a returned PC away: what it is sold with next time counts.
pub async fn detach(tx: &mut Tx, scope: &Scope, devices: &[DeviceId]) -> Result<()> {
    scope.platform()?;
    for device in devices {
        tx.execute("DELETE FROM entitlements WHERE device = $1", args![*device]).await?;
    }
    Ok(())
}

/// What a name or service SKU stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The name, as the operator wrote it.
    pub name: String,
    /// The level; `None` says that none is sold.
    pub support_level: Option<SupportLevel>,
    /// The months of its term, where they are known.
    pub months: Option<i64>,
}

/// The names of the support levels: those that every platform starts with, and the operator's own.
pub async fn level_names(tx: &mut Tx, scope: &Scope) -> Result<LevelNames> {
    let mut names = LevelNames::default();
    for term in terms(tx, scope).await? {
        let months = term.months.and_then(|months| i32::try_from(months).ok());
        names.add(&term.name, Sold { level: term.support_level, months });
    }
    Ok(names)
}

/// The operator's own names and SKUs, by name.
pub async fn terms(tx: &mut Tx, scope: &Scope) -> Result<Vec<Term>> {
    scope.platform()?;
    let rows: Vec<(String, Option<String>, Option<i64>)> =
        tx.all("SELECT name, support_level, months FROM support_level_names ORDER BY name", args![]).await?;
    rows.into_iter()
        .map(|(name, level, months)| {
            let support_level = match level.as_deref() {
                None => None,
                Some(code) => Some(
                    SupportLevel::from_code(code).ok_or_else(|| Error::bad("support_level_names", &name))?,
                ),
            };
            Ok(Term { name, support_level, months })
        })
        .collect()
}

/// Adds or changes a name of the operator's own.
pub async fn set_term(tx: &mut Tx, scope: &Scope, term: &Term) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "INSERT INTO support_level_names (name, support_level, months) VALUES ($1, $2, $3) ON CONFLICT (name) \
         DO UPDATE SET support_level = excluded.support_level, months = excluded.months",
        args![&term.name, term.support_level.map(SupportLevel::as_str), term.months],
    )
    .await?;
    Ok(())
}

/// Forgets a name of the operator's own; whether it was there.
pub async fn forget_term(tx: &mut Tx, scope: &Scope, name: &str) -> Result<bool> {
    scope.platform()?;
    Ok(tx.execute("DELETE FROM support_level_names WHERE name = $1", args![name]).await? > 0)
}

/// Dates that the operator sets.
#[derive(Clone, Copy, Debug)]
pub struct Correction {
    /// Which PC.
    pub device: DeviceId,
    /// Which level.
    pub support_level: SupportLevel,
    /// The first day.
    pub starts_on: Date,
    /// The first day on which it no longer holds.
    pub ends_on: Date,
}

/// Sets the dates of an entitlement, or adds it to the line that brought the PC; whether the PC is anywhere. Where no line
/// brought it, as with one that came by cPIN alone, the entitlement stands under the nil report, which nobody handed in.
pub async fn correct(tx: &mut Tx, scope: &Scope, correction: &Correction, at: Micros) -> Result<bool> {
    scope.platform()?;
    let Correction { device, support_level, starts_on, ends_on } = correction;
    let touched = tx
        .execute(
            "INSERT INTO entitlements (device, support_level, starts_on, ends_on, assumed, report, line, corrected_at) \
             SELECT p.device, $2, $3, $4, $5, COALESCE(p.report, $7), COALESCE(p.line, 0), $6 FROM placements p \
             WHERE p.device = $1 AND p.tenant IS NOT NULL \
             ON CONFLICT (device, support_level) DO UPDATE SET starts_on = excluded.starts_on, \
             ends_on = excluded.ends_on, assumed = excluded.assumed, corrected_at = excluded.corrected_at",
            args![
                *device,
                support_level.as_str(),
                starts_on.to_string(),
                ends_on.to_string(),
                false,
                at,
                Uuid::nil()
            ],
        )
        .await?;
    Ok(touched > 0)
}
