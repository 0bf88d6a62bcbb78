//! The switch of each customer tenant over the pop-ups on its PCs.

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::TenantId;
use roadstead_domain::self_service::{Held, Switch};

use crate::args;
use crate::bulk::Bulk;
use crate::customers::Customer;
use crate::engine::Tx;
use crate::error::{Error, Result};

/// Arms the switch of each of these tenants that is a customer's and holds its first PC, and notes the first PC with
/// Premium or Premium+: where the preset says so, the switch is off from that very moment. Called in the transaction
/// that moved the PCs or gave them their entitlement.
pub async fn arm(tx: &mut Tx, tenants: impl IntoIterator<Item = TenantId>, at: Micros) -> Result<()> {
    // Subqueries instead of EXISTS and a join, for which PostgreSQL fetches all PCs of each tenant.
    let mut holding = Bulk::new(
        "INSERT INTO self_service (customer, state, armed_at, changed_at) \
         SELECT c.tenant, 'on', v.column2, v.column2 FROM (",
        2,
        ") AS v CROSS JOIN customers c WHERE c.tenant = v.column1 \
         AND (SELECT 1 FROM placements p WHERE p.tenant = c.tenant LIMIT 1) = 1 ON CONFLICT (customer) DO NOTHING",
    );
    let mut entitled = Bulk::new(
        "UPDATE self_service SET first_entitled_at = v.column2, changed_at = v.column2, \
         state = CASE WHEN (SELECT c.preset FROM customers c WHERE c.tenant = v.column1) = 'off_when_allowed' \
         THEN 'off' ELSE state END FROM (",
        3,
        ") AS v WHERE self_service.customer = v.column1 AND self_service.first_entitled_at IS NULL \
         AND (SELECT 1 FROM placements p WHERE p.tenant = v.column1 \
         AND (SELECT MAX(e.ends_on) FROM entitlements e WHERE e.device = p.device) > v.column3 LIMIT 1) = 1",
    );
    let today = at.date().to_string();
    for tenant in tenants {
        holding.push(tx, args![tenant, at]).await?;
        entitled.push(tx, args![tenant, at, &today]).await?;
    }
    holding.finish(tx).await?;
    entitled.finish(tx).await?;
    Ok(())
}

/// How the switch of a customer that [`crate::customers::find`] gave stands, and what the tenant has held.
pub async fn get(tx: &mut Tx, scope: &Scope, customer: &Customer) -> Result<(Switch, Held)> {
    let row: Option<(String, Option<i64>)> = tx
        .optional(
            "SELECT state, first_entitled_at FROM self_service WHERE customer = $1 \
             AND ($2 IS NULL OR customer = $2)",
            args![customer.id, scope.customer().ok()],
        )
        .await?;
    let Some((state, entitled)) = row else { return Ok((Switch::Unset, Held::default())) };
    let switch = Switch::from_code(&state).ok_or_else(|| Error::bad("self_service", &state))?;
    Ok((switch, Held { device: true, entitled: entitled.is_some() }))
}

/// Turns the switch.
pub async fn turn(tx: &mut Tx, scope: &Scope, customer: TenantId, to: Switch, at: Micros) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "UPDATE self_service SET state = $2, changed_at = $3 WHERE customer = $1",
        args![customer, to.as_str(), at],
    )
    .await?;
    Ok(())
}
