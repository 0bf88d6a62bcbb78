//! Arrivals: PCs that a partner moved to a customer, as the customer sees them.

use std::collections::HashMap;

use roadstead_domain::access::Scope;
use roadstead_domain::arrival::DECLINE_FOR;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::TenantId;
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::Result;
use crate::page::{Page, Rows};

/// A PC in the customer's tenant, with the move that brought it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Arrival {
    /// The PC's id.
    pub device: Uuid,
    /// Its serial.
    pub serial: String,
    /// Its model.
    pub model: String,
    /// Its generation now.
    pub generation: i64,
    /// When it came, in microseconds.
    pub at: i64,
    /// `transfer`, `undo`, `enrolment` or, by a report line, `None`.
    pub cause: Option<String>,
    /// Where it came from, as far as its partner's chain tells.
    pub from_tenant: Option<Uuid>,
    /// The partner in whose chain the move stands.
    pub partner: Uuid,
    /// By what it is shown to be in the customer's hands.
    pub proof: Option<String>,
}

macro_rules! arrival_sql {
    ($from:literal, $rest:literal) => {
        concat!(
            "SELECT p.device, p.serial, d.model, p.generation, l.at, l.cause, l.from_tenant, l.partner, ",
            "(SELECT o.proof FROM possessions o WHERE o.device = p.device AND o.generation = p.generation) AS proof ",
            "FROM ",
            $from,
            " JOIN placement_log l ON l.device = p.device AND l.generation = p.generation ",
            "AND l.to_tenant = p.tenant JOIN devices d ON d.id = p.device WHERE p.tenant = $1 AND ",
            $rest
        )
    };
}

/// What the partner moved to the scope's customer within the time in which it may be declined, newest first.
pub async fn list(tx: &mut Tx, scope: &Scope, now: Micros, page: &Page) -> Result<Option<Rows<Arrival>>> {
    let Ok(after) = page.after::<(i64, Uuid)>() else { return Ok(None) };
    let (at, id) = after.unwrap_or((i64::MAX, Uuid::max()));
    let rows = page.rows();
    let items: Vec<Arrival> = tx
        .all(
            arrival_sql!(
                "placements p",
                "p.since > $2 AND l.cause IN ('transfer', 'undo') AND (p.since, p.device) < ($3, $4) \
                 ORDER BY p.since DESC, p.device DESC LIMIT $5"
            ),
            args![scope.customer()?, now.0 - DECLINE_FOR, at, id, rows + 1],
        )
        .await?;
    Ok(Some(Rows::cut(items, rows, |arrival| (arrival.at, arrival.device))))
}

/// How the PCs with these serials came to the scope's customer, by serial; those that are not there are left out.
pub async fn of_serials(tx: &mut Tx, scope: &Scope, serials: &[&str]) -> Result<HashMap<String, Arrival>> {
    let rows: Vec<Arrival> = tx
        .all_of_set(
            arrival_sql!("<set> s CROSS JOIN placements p", "p.serial = s.value ORDER BY p.device"),
            args![scope.customer()?],
            serials,
        )
        .await?;
    let mut found: HashMap<String, Arrival> = HashMap::with_capacity(rows.len());
    for row in rows {
        // Two manufacturers may use one serial: the first PC counts.
        found.entry(row.serial.clone()).or_insert(row);
    }
    Ok(found)
}

/// Where a PC goes back to: the tenant that it came from if that is still the partner's and not disabled, else the
/// partner's pool.
pub async fn way_back(
    tx: &mut Tx,
    scope: &Scope,
    from: Option<Uuid>,
    partner: TenantId,
) -> Result<Option<TenantId>> {
    scope.platform()?;
    let row: Option<(Uuid,)> = tx
        .optional(
            "SELECT id FROM tenants WHERE parent = $1 AND (kind = 'holding' OR (id = $2 AND NOT EXISTS (SELECT 1 \
             FROM customers c WHERE c.tenant = tenants.id AND c.disabled_at IS NOT NULL))) \
             ORDER BY CASE WHEN id = $2 THEN 0 ELSE 1 END LIMIT 1",
            args![partner, from],
        )
        .await?;
    Ok(row.map(|(id,)| TenantId(id)))
}
