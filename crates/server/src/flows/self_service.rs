//! The self-service switch of a customer tenant: read and turned.

use roadstead_domain::access::Scope;
use roadstead_domain::audit::AuditAction;
use roadstead_domain::customer::Management;
use roadstead_domain::event::Event;
use roadstead_domain::ids::TenantId;
use roadstead_domain::self_service::{Held, Switch, may_turn};
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::customers::Customer;
use roadstead_store::{Tx, outbox, self_service};
use uuid::Uuid;

use super::Refused;
use crate::app::App;

/// How the switch stands, for a customer whose tenant the caller may look into.
pub async fn read(tx: &mut Tx, scope: &Scope, id: &str) -> Result<(Customer, Switch, Held), Refused> {
    let customer = super::customers::found(tx, scope, id).await?;
    if scope.partner().is_ok() && !customer.is_open_to_partner() {
        return Err(Refused::Conflict("customer.not_open"));
    }
    let (switch, held) = self_service::get(tx, scope, &customer).await?;
    Ok((customer, switch, held))
}

/// Turns the switch. A tenant that the partner runs is the partner's alone to turn.
pub async fn turn(app: &App, scope: &Scope, id: &str, to: Switch) -> Result<(), Refused> {
    let platform = scope.carried_out();
    let mut tx = app.store.write(scope).await?;
    let customer = super::customers::found(&mut tx, scope, id).await?;
    if scope.partner().is_ok() && !customer.is_open_to_partner() {
        return Err(Refused::Conflict("customer.not_open"));
    }
    if scope.customer().is_ok() && customer.management()? == Management::Partner {
        return Err(Refused::Conflict("customer.partner_managed"));
    }
    tx.act_for(&platform).await?;
    let (switch, held) = self_service::get(&mut tx, &platform, &customer).await?;
    may_turn(to, held).map_err(|refusal| Refused::Conflict(refusal.code()))?;
    if switch != to {
        let (tenant, now) = (TenantId(customer.id), app.ambient.now());
        self_service::turn(&mut tx, &platform, tenant, to, now).await?;
        super::pop_ups::switched(app, &mut tx, &platform, tenant, to == Switch::On).await?;
        let homes: Vec<Uuid> = [Some(customer.id), customer.partner].into_iter().flatten().collect();
        let entry = |home: &Uuid| NewEntry {
            home: Some(*home),
            action: AuditAction::SelfServiceTurned,
            subject: Some(customer.id),
            detail: serde_json::json!({ "from": switch, "to": to, "customer": customer.name }),
        };
        let entries: Vec<NewEntry> = homes.iter().map(entry).collect();
        audit::record(&mut tx, scope.actor(), &entries, &app.ambient).await?;
        let events: Vec<_> =
            homes.iter().map(|home| (Some(*home), Event::CustomerChanged { customer: tenant })).collect();
        outbox::publish(&mut tx, &events, now).await?;
    }
    tx.commit().await?;
    app.wake();
    Ok(())
}
