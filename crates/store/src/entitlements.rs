//! Entitlements that sales bring, and the names under which support levels are sold.

use roadstead_domain::access::Scope;
use roadstead_domain::entitlement::Entitlement;
use roadstead_domain::ids::{DeviceId, ReportId};
use roadstead_domain::partner::SupportLevel;
use roadstead_domain::sale::LevelNames;

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
         ends_on = excluded.ends_on, assumed = excluded.assumed, report = excluded.report, line = excluded.line",
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

/// The names of the support levels: those that every platform starts with, and the operator's own.
pub async fn level_names(tx: &mut Tx, scope: &Scope) -> Result<LevelNames> {
    scope.platform()?;
    let own: Vec<(String, Option<String>)> =
        tx.all("SELECT name, support_level FROM support_level_names", args![]).await?;
    let mut names = LevelNames::DEFAULT.to_vec();
    for (name, level) in &own {
        let level = match level.as_deref() {
            None => None,
            Some(code) => {
                Some(SupportLevel::from_code(code).ok_or_else(|| Error::bad("support_level_names", name))?)
            }
        };
        names.push((name, level));
    }
    Ok(LevelNames::new(names))
}

/// Adds or changes a name of the operator's own; `None` says that no level was sold.
pub async fn name_level(tx: &mut Tx, scope: &Scope, name: &str, level: Option<SupportLevel>) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "INSERT INTO support_level_names (name, support_level) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET support_level = excluded.support_level",
        args![name, level.map(SupportLevel::as_str)],
    )
    .await?;
    Ok(())
}
