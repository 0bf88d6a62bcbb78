//! The switch of each customer tenant over the pop-ups on its PCs.

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::TenantId;
use roadstead_domain::self_service::{Held, Switch};

use crate::args;
use crate::customers::Customer;
use crate::engine::Tx;
use crate::error::{Error, Result};

/// Arms the switch of each of these tenants that is a customer's and holds its first PC, and notes the first PC with
/// Premium or Premium+: where the preset says so, the switch is off from that very moment. Called in the transaction
/// that moved the PCs or gave them their entitlement.
pub async fn arm(tx: &mut Tx, tenants: impl IntoIterator<Item = TenantId>, at: Micros) -> Result<()> {
    let today = at.date().to_string();
    for tenant in tenants {
        tx.execute(
            "INSERT INTO self_service (customer, state, armed_at, changed_at) \
             SELECT c.tenant, 'on', $2, $2 FROM customers c WHERE c.tenant = $1 \
             AND EXISTS (SELECT 1 FROM placements p WHERE p.tenant = $1) ON CONFLICT (customer) DO NOTHING",
            args![tenant, at],
        )
        .await?;
        tx.execute(
            "UPDATE self_service SET first_entitled_at = $2, changed_at = $2, \
             state = CASE WHEN (SELECT c.preset FROM customers c WHERE c.tenant = $1) = 'off_when_allowed' \
             THEN 'off' ELSE state END \
             WHERE customer = $1 AND first_entitled_at IS NULL AND EXISTS (SELECT 1 FROM placements p \
             JOIN entitlements e ON e.device = p.device WHERE p.tenant = $1 AND e.ends_on > $3)",
            args![tenant, at, &today],
        )
        .await?;
    }
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
