//! Check-ins: many at once in few statements. Nothing here can move a PC, and what is known of persons is bound to the
//! generation of its placement (R1).

use std::collections::HashMap;

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::{DeviceId, TenantId};
use uuid::Uuid;

use crate::args;
use crate::bulk::Bulk;
use crate::device_keys::Once;
use crate::engine::Tx;
use crate::error::Result;

/// A PC that speaks by its key, as the books have it at this moment.
#[derive(Clone, Debug)]
pub struct Speaking {
    /// Which PC.
    pub device: DeviceId,
    /// The tenant that it is in, if in any.
    pub tenant: Option<TenantId>,
    /// Whether that is a customer tenant.
    pub with_customer: bool,
    /// The generation of its placement; 0 if it was never placed.
    pub generation: i64,
    /// Whether the tenant wants to know who is signed in. Never in a pool.
    pub collect_user: bool,
    /// Whether the tenant wants to know where the PC is. Never in a pool.
    pub collect_location: bool,
    /// Whether it is shown to be in the tenant's hands.
    pub is_proved: bool,
    /// Whether the tenant names domains, so that the PC can show from inside where it is.
    pub has_domains: bool,
}

#[derive(sqlx::FromRow)]
struct SpeakingRow {
    public_key: String,
    device: Uuid,
    tenant: Option<Uuid>,
    kind: Option<String>,
    generation: Option<i64>,
    collect_user: Option<bool>,
    collect_location: Option<bool>,
    is_proved: bool,
    has_domains: bool,
}

/// The PCs of these keys, by key.
pub async fn speaking(tx: &mut Tx, scope: &Scope, keys: &[&str]) -> Result<HashMap<String, Speaking>> {
    scope.platform()?;
    let rows: Vec<SpeakingRow> = tx
        .all_of_set(
            "SELECT k.public_key, k.device, p.tenant, t.kind, p.generation, c.collect_user, c.collect_location, \
             o.device IS NOT NULL AS is_proved, \
             EXISTS (SELECT 1 FROM customer_domains m WHERE m.customer = p.tenant) AS has_domains FROM <set> s CROSS JOIN device_keys k LEFT JOIN placements p ON p.device = k.device \
             LEFT JOIN tenants t ON t.id = p.tenant LEFT JOIN customer_privacy c ON c.customer = p.tenant \
             LEFT JOIN possessions o ON o.device = p.device AND o.generation = p.generation \
             WHERE k.public_key = s.value AND k.replaced_at IS NULL",
            args![],
            keys,
        )
        .await?;
    let speaking = |row: SpeakingRow| {
        let with_customer = row.kind.as_deref() == Some("customer");
        let speaking = Speaking {
            device: DeviceId(row.device),
            tenant: row.tenant.map(TenantId),
            with_customer,
            generation: row.generation.unwrap_or(0),
            collect_user: with_customer && row.collect_user == Some(true),
            collect_location: with_customer && row.collect_location == Some(true),
            is_proved: row.is_proved,
            has_domains: row.has_domains,
        };
        (row.public_key, speaking)
    };
    Ok(rows.into_iter().map(speaking).collect())
}

/// Notes requests as seen; how many were new.
pub async fn see_all(tx: &mut Tx, requests: &[Once]) -> Result<u64> {
    let mut bulk = Bulk::new("INSERT INTO device_nonces (slot, nonce)", 2, "ON CONFLICT DO NOTHING");
    for once in requests {
        let (slot, nonce) = once.parts();
        bulk.push(tx, args![slot, nonce]).await?;
    }
    bulk.finish(tx).await
}

/// What a PC said of itself.
#[derive(Clone, Debug)]
pub struct CheckIn<'a> {
    /// The PC.
    pub speaking: &'a Speaking,
    /// The agent's version.
    pub agent: &'a str,
    /// The readings, JSON.
    pub readings: &'a str,
    /// Who is signed in.
    pub user: Option<&'a str>,
    /// Where it is.
    pub location: Option<&'a str>,
}

/// Writes check-ins, at most one a PC; where a later one is there already, it stands. Of persons only what the tenant of
/// this moment has switched on.
pub async fn write(tx: &mut Tx, scope: &Scope, check_ins: &[CheckIn<'_>], at: Micros) -> Result<()> {
    scope.platform()?;
    let mut bulk = Bulk::new(
        "INSERT INTO check_ins (device, seen_at, agent, readings)",
        4,
        "ON CONFLICT (device) DO UPDATE SET seen_at = excluded.seen_at, agent = excluded.agent, \
         readings = excluded.readings WHERE excluded.seen_at >= check_ins.seen_at",
    );
    for check_in in check_ins {
        bulk.push(tx, args![check_in.speaking.device, at, check_in.agent, check_in.readings]).await?;
    }
    bulk.finish(tx).await?;
    let mut personal = Bulk::new(
        "INSERT INTO personal_data (device, generation, last_user, location, at)",
        5,
        "ON CONFLICT (device, generation) DO UPDATE SET \
         last_user = COALESCE(excluded.last_user, personal_data.last_user), \
         location = COALESCE(excluded.location, personal_data.location), at = excluded.at",
    );
    for check_in in check_ins {
        let Speaking { device, generation, collect_user, collect_location, .. } = *check_in.speaking;
        let user = check_in.user.filter(|_| collect_user);
        let location = check_in.location.filter(|_| collect_location);
        if user.is_some() || location.is_some() {
            personal.push(tx, args![device, generation, user, location, at]).await?;
        }
    }
    personal.finish(tx).await?;
    Ok(())
}

/// When a PC was last seen, and what it said, for whoever may see the PC.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Seen {
    /// When, in microseconds.
    pub seen_at: i64,
    /// The agent's version.
    pub agent: String,
    /// The readings, JSON.
    pub readings: String,
}

/// The last check-in of a PC. The caller has found the PC within its scope.
pub async fn last(tx: &mut Tx, device: DeviceId) -> Result<Option<Seen>> {
    tx.optional("SELECT seen_at, agent, readings FROM check_ins WHERE device = $1", args![device]).await
}

/// When each of these PCs was last seen, in microseconds; one that never was is not among them. The caller has found the PCs
/// within its scope.
pub async fn last_of(tx: &mut Tx, devices: &[Uuid]) -> Result<Vec<(Uuid, i64)>> {
    let sql = "SELECT k.device, k.seen_at FROM <set> s CROSS JOIN check_ins k WHERE k.device = s.value";
    tx.all_of_ids(sql, args![], devices).await
}

/// What a customer lets the agent tell of persons: who is signed in, and where the PC is. The caller has found the
/// customer.
pub async fn privacy(tx: &mut Tx, customer: TenantId) -> Result<(bool, bool)> {
    let row: Option<(bool, bool)> = tx
        .optional(
            "SELECT collect_user, collect_location FROM customer_privacy WHERE customer = $1",
            args![customer],
        )
        .await?;
    Ok(row.unwrap_or((false, false)))
}

/// Switches what a customer lets the agent tell of persons; what is switched off is deleted.
pub async fn set_privacy(
    tx: &mut Tx,
    scope: &Scope,
    customer: TenantId,
    user: bool,
    location: bool,
) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "INSERT INTO customer_privacy (customer, collect_user, collect_location) VALUES ($1, $2, $3) \
         ON CONFLICT (customer) DO UPDATE SET collect_user = excluded.collect_user, \
         collect_location = excluded.collect_location",
        args![customer, user, location],
    )
    .await?;
    tx.execute(
        "UPDATE personal_data SET last_user = CASE WHEN $2 THEN last_user END, \
         location = CASE WHEN $3 THEN location END WHERE EXISTS (SELECT 1 FROM placements p \
         WHERE p.device = personal_data.device AND p.generation = personal_data.generation AND p.tenant = $1)",
        args![customer, user, location],
    )
    .await?;
    Ok(())
}
