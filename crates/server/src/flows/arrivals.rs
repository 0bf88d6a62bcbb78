//! A customer sends back what its partner moved to it.

use std::collections::{BTreeMap, HashMap};

use roadstead_domain::access::Scope;
use roadstead_domain::arrival::may_decline;
use roadstead_domain::audit::AuditAction;
use roadstead_domain::clock::Micros;
use roadstead_domain::event::Event;
use roadstead_domain::ids::{DeviceId, TenantId};
use roadstead_domain::placement::{Move, Place};
use roadstead_domain::privacy::{Possession, Receipt};
use roadstead_domain::serial;
use roadstead_store::arrivals::{self, Arrival};
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::placements::{self, Cause, Why};
use roadstead_store::{Tx, customers, outbox, privacy};
use uuid::Uuid;

use super::Refused;
use crate::app::App;

/// The most serials of one answer.
pub const MOST: usize = 1_000;

/// Sends PCs back to where they came from, all or none, with the reason that the partner reads in its log: how many, and
/// what became of their data.
pub async fn decline(
    app: &App,
    scope: &Scope,
    serials: &[String],
    reason: &str,
) -> Result<(u64, Receipt), Refused> {
    let own = scope.customer()?;
    super::filled("reason", reason.trim())?;
    if serials.is_empty() {
        return Err(Refused::invalid("field.missing", "serials"));
    }
    if serials.len() > MOST {
        return Err(Refused::invalid("arrival.too_many", "serials"));
    }
    let platform = scope.carried_out();
    let (now, id): (_, Uuid) = (app.ambient.now(), app.ambient.id());
    let mut tx = app.store.write(scope).await?;
    tx.lock_placements().await?;
    let customer = super::customers::found(&mut tx, scope, &own.to_string()).await?;
    let management = customer.management()?;
    let (mut goes, mut stays) = (Vec::new(), Vec::new());
    let mut code = "transfer.device_not_found";
    let found = arrived(&mut tx, scope, serials).await?;
    for ((number, text), found) in (1..).zip(serials).zip(found) {
        let judged = found
            .as_ref()
            .map(|arrival| may_decline(management, arrival.cause.as_deref(), Micros(arrival.at), now));
        let (Some(arrival), Some(Ok(()))) = (found, judged) else {
            if let Some(Err(no)) = judged {
                code = no.code();
            }
            stays.push((number, text.clone()));
            continue;
        };
        goes.push(arrival);
    }
    if !stays.is_empty() {
        return Err(Refused::Rows { code, rows: stays });
    }
    // Judged under the customer's own scope, moved by the platform: the PCs come from another home's reach.
    tx.act_for(&platform).await?;
    let mut moves: BTreeMap<DeviceId, Cause> = BTreeMap::new();
    // Many PCs come from few places.
    let mut ways: HashMap<(Option<Uuid>, Uuid), Option<TenantId>> = HashMap::new();
    for arrival in goes {
        let partner = TenantId(arrival.partner);
        let came = (arrival.from_tenant, arrival.partner);
        let back = match ways.get(&came) {
            Some(back) => *back,
            None => {
                let back = arrivals::way_back(&mut tx, &platform, arrival.from_tenant, partner).await?;
                ways.insert(came, back);
                back
            }
        };
        let moved = Move {
            device: DeviceId(arrival.device),
            serial: arrival.serial,
            generation: arrival.generation,
            from: Some(Place { tenant: own, partner: customer_chain(&customer) }),
            to: back.map(|tenant| Place { tenant, partner }),
        };
        moves.insert(moved.device, Cause { moved, why: Why::Operation { cause: "decline", id } });
    }
    let moves: Vec<Cause> = moves.into_values().collect();
    let leaving: Vec<&str> = moves.iter().map(|cause| cause.moved.serial.as_str()).collect();
    let left = privacy::leaving(&mut tx, &platform, &leaving).await?;
    let receipt = moves
        .iter()
        .filter_map(|cause| left.get(&cause.moved.device))
        .fold(Receipt::default(), |all, own| all + *own);
    placements::apply(&mut tx, &platform, &moves, now).await?;
    tell(app, &mut tx, scope, own, &moves, (reason.trim(), receipt), id).await?;
    tx.commit().await?;
    app.wake();
    Ok((moves.len() as u64, receipt))
}

/// Notes the customer's word that PCs are in its hands; how many were not known to be. All or none.
pub async fn confirm(app: &App, scope: &Scope, serials: &[String]) -> Result<u64, Refused> {
    let own = scope.customer()?;
    if serials.is_empty() {
        return Err(Refused::invalid("field.missing", "serials"));
    }
    if serials.len() > MOST {
        return Err(Refused::invalid("arrival.too_many", "serials"));
    }
    let (platform, now) = (scope.carried_out(), app.ambient.now());
    let mut tx = app.store.write(scope).await?;
    // Nothing moves between the look and the note.
    tx.lock_placements().await?;
    let (mut there, mut unknown) = (Vec::new(), Vec::new());
    let found = arrived(&mut tx, scope, serials).await?;
    for ((number, text), found) in (1..).zip(serials).zip(found) {
        match found {
            Some(arrival) => there.push((DeviceId(arrival.device), arrival.generation)),
            None => unknown.push((number, text.clone())),
        }
    }
    if !unknown.is_empty() {
        return Err(Refused::Rows { code: "transfer.device_not_found", rows: unknown });
    }
    tx.act_for(&platform).await?;
    let by = Possession::Confirmed;
    let confirmed = privacy::prove_all(&mut tx, &platform, &there, by, now).await?;
    let entry = NewEntry {
        home: Some(own.0),
        action: AuditAction::ArrivalConfirmed,
        subject: Some(own.0),
        detail: serde_json::json!({ "serials": serials }),
    };
    audit::record(&mut tx, scope.actor(), &[entry], &app.ambient).await?;
    tx.commit().await?;
    app.wake();
    Ok(confirmed)
}

/// How the PC of each of these texts came to the customer, in their order; `None` for what is not there.
async fn arrived(tx: &mut Tx, scope: &Scope, texts: &[String]) -> Result<Vec<Option<Arrival>>, Refused> {
    let serials: Vec<Option<String>> = texts.iter().map(|text| serial::normalize(text).ok()).collect();
    let known: Vec<&str> = serials.iter().flatten().map(String::as_str).collect();
    let found = arrivals::of_serials(tx, scope, &known).await?;
    Ok(serials.iter().map(|serial| found.get(serial.as_ref()?).cloned()).collect())
}

/// The tenant under which the chain of the customer's PCs goes on now.
fn customer_chain(customer: &customers::Customer) -> TenantId {
    let accepted = customer.assignment == roadstead_domain::customer::Assignment::Accepted.as_str();
    TenantId(customer.partner.filter(|_| accepted).unwrap_or(customer.id))
}

async fn tell(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    own: TenantId,
    moves: &[Cause],
    (reason, receipt): (&str, Receipt),
    id: Uuid,
) -> Result<(), Refused> {
    let serials: Vec<&str> = moves.iter().map(|cause| cause.moved.serial.as_str()).collect();
    let detail = serde_json::json!({ "serials": serials, "reason": reason, "privacy": receipt });
    let mut homes: BTreeMap<TenantId, u64> = BTreeMap::new();
    for place in moves.iter().filter_map(|cause| cause.moved.to) {
        *homes.entry(place.partner).or_default() += 1;
    }
    let entry = |home: TenantId| NewEntry {
        home: Some(home.0),
        action: AuditAction::ArrivalDeclined,
        subject: Some(id),
        detail: detail.clone(),
    };
    let entries: Vec<NewEntry> = homes.keys().copied().chain([own]).map(entry).collect();
    audit::record(tx, scope.actor(), &entries, &app.ambient).await?;
    let left = moves.len() as u64;
    let gone = Event::CustomerDevicesChanged { customer: own, arrived: 0, left };
    let mut events = vec![(Some(own.0), gone.clone())];
    for (partner, arrived) in homes {
        events.push((Some(partner.0), gone.clone()));
        let back = Event::UnassignedDevicesChanged { arrived, left: 0, report: None };
        events.push((Some(partner.0), back));
    }
    outbox::publish(tx, &events, app.ambient.now()).await?;
    Ok(())
}
