//! Whose a case is, once it was routed: the desk that may have it instead, and what a customer wants for its cases.

use roadstead_domain::access::Scope;
use roadstead_domain::audit::AuditAction;
use roadstead_domain::clock::Micros;
use roadstead_domain::customer::Management;
use roadstead_domain::ids::{DeviceId, TenantId};
use roadstead_domain::repair_case::Desk;
use roadstead_store::Tx;
use roadstead_store::alerts::{self, Pc};
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::repair_cases::{self, RepairCase};
use uuid::Uuid;

use crate::app::App;
use crate::flows::Refused;
use crate::flows::pop_ups::route_of;

/// The desk that may have a case instead: customer support for a partner's, the partner's for customer support's if it
/// delivers service for this PC by now.
pub(super) async fn other_desk(
    tx: &mut Tx,
    platform: &Scope,
    case: &RepairCase,
    now: Micros,
) -> Result<Desk, Refused> {
    if case.desk() != Desk::CustomerSupport {
        return Ok(Desk::CustomerSupport);
    }
    let pc = alerts::pc(tx, platform, DeviceId(case.device), now).await?;
    let partner = case.partner.map(TenantId);
    let pc = pc.map(|pc| Pc { partner: case.partner, cases_to_support: None, ..pc });
    match pc {
        Some(pc) => {
            let (desk, _) = route_of(tx, platform, &pc, now).await?;
            if desk.partner().is_some() && desk.partner() == partner {
                return Ok(desk);
            }
            Err(Refused::Conflict("repair_case.no_other_desk"))
        }
        None => Err(Refused::Conflict("repair_case.no_other_desk")),
    }
}

/// Says whether a customer's cases go to customer support, whatever its partner is.
pub async fn set_cases_to_support(
    app: &App,
    scope: &Scope,
    id: &str,
    to_support: bool,
) -> Result<(), Refused> {
    let mut own = app.store.read(scope).await?;
    let customer = crate::flows::customers::found(&mut own, scope, id).await?;
    drop(own);
    if scope.partner().is_ok() && !customer.is_open_to_partner() {
        return Err(Refused::Conflict("customer.not_open"));
    }
    if scope.customer().is_ok() && customer.management()? == Management::Partner {
        return Err(Refused::Conflict("customer.partner_managed"));
    }
    let platform = scope.carried_out();
    let mut tx = app.store.write(&platform).await?;
    repair_cases::set_cases_to_support(&mut tx, &platform, TenantId(customer.id), to_support).await?;
    let entry = |home: &Uuid| NewEntry {
        home: Some(*home),
        action: AuditAction::RepairRouteSet,
        subject: Some(customer.id),
        detail: serde_json::json!({ "customer": customer.name, "cases_to_support": to_support }),
    };
    let homes: Vec<Uuid> = [Some(customer.id), customer.partner].into_iter().flatten().collect();
    let entries: Vec<NewEntry> = homes.iter().map(entry).collect();
    audit::record(&mut tx, scope.actor(), &entries, &app.ambient).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}
