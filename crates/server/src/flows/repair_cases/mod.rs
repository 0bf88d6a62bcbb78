//! Repair cases: sent from a PC or opened in its user's place, routed once, worked on by one desk. Which step is whose is
//! for `domain::repair_case` to say.

mod mails;
pub mod opening;
pub mod routing;
pub mod steps;
pub mod user;

use roadstead_domain::access::{Actor, Denied, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::clock::Micros;
use roadstead_domain::event::Event;
use roadstead_domain::ids::{DeviceId, RepairCaseId};
use roadstead_domain::repair_case::{Desk, State};
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::repair_cases::{self, RepairCase};
use roadstead_store::{Tx, alerts, outbox};
use uuid::Uuid;

use super::Refused;
use crate::app::App;
use crate::i18n::Lang;

/// The longest text that somebody writes in a case.
const LONGEST: usize = 4000;

/// A state in words.
pub fn state_text(lang: Lang, state: &str) -> String {
    lang.text(&format!("repair-state-{}", state.replace('_', "-")))
}

fn check_text(field: &'static str, text: &str) -> Result<(), Refused> {
    if text.chars().count() > LONGEST { Err(Refused::invalid("field.too_long", field)) } else { Ok(()) }
}

/// The case, or *not found*.
pub async fn found(tx: &mut Tx, scope: &Scope, id: &str) -> Result<RepairCase, Refused> {
    Ok(repair_cases::find(tx, scope, id).await?.ok_or(Denied::NotFound)?)
}

fn person(scope: &Scope) -> Option<Uuid> {
    match scope.actor() {
        Actor::User(id) => Some(id.0),
        _ => None,
    }
}

/// Where a case stands from now on. A question is over once the case no longer waits for its answer: it was answered, or
/// somebody phoned.
fn set_state(case: &mut RepairCase, state: State) {
    case.state = state.as_str().to_owned();
    if state != State::WaitingForUser {
        case.question = None;
    }
}

/// Notes at the alerts of a case that it is over. One that became part of another goes on in that one. The case itself is
/// written afterwards: alerts come before the PC's number, which `update` takes, as in check-ins.
async fn end_repairs(tx: &mut Tx, platform: &Scope, case: &RepairCase) -> roadstead_store::Result<()> {
    if case.merged_into.is_some() {
        return Ok(());
    }
    for alert in repair_cases::alerts_ended_by(tx, platform, case).await? {
        alerts::set_repair(tx, platform, alert, Some("done")).await?;
    }
    Ok(())
}

async fn written(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    case: &RepairCase,
    kind: &'static str,
    text: &str,
) -> Result<(), Refused> {
    check_text("text", text)?;
    let note = (kind, text.trim());
    let (id, now) = (app.ambient.id(), app.ambient.now());
    Ok(repair_cases::write(tx, &scope.carried_out(), id, case.id, note, person(scope), now).await?)
}

async fn answered(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    case: &RepairCase,
    text: &str,
) -> Result<(), Refused> {
    if text.trim().is_empty() {
        return Err(Refused::invalid("field.missing", "text"));
    }
    written(app, tx, scope, case, "answer", text).await
}

/// The homes that see a case: its partner, its desk, the customer. The operator's events are the desk's as well.
fn homes(case: &RepairCase) -> Vec<Option<Uuid>> {
    let mut homes = vec![None, Some(case.tenant), case.partner, case.desk_partner];
    homes.sort_unstable();
    homes.dedup();
    homes
}

async fn publish(tx: &mut Tx, case: &RepairCase, now: Micros) -> roadstead_store::Result<()> {
    let id = RepairCaseId(case.id);
    let mut events: Vec<_> =
        homes(case).into_iter().map(|home| (home, Event::RepairCaseChanged { case: id })).collect();
    events.push((None, Event::DeviceChanged { device: DeviceId(case.device) }));
    outbox::publish(tx, &events, now).await
}

/// A line in each log concerned, without a word of the user's, events for open pages and the PC, and a message to the
/// outside desk.
async fn tell(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    action: AuditAction,
    case: &RepairCase,
    (desk_before, what): (Desk, &str),
) -> Result<(), Refused> {
    let detail = serde_json::json!({
        "number": case.number, "serial_number": case.serial, "state": case.state, "step": what,
        "desk": case.desk, "reason": case.desk_reason,
    });
    let entry = |home| NewEntry { home, action, subject: Some(case.id), detail: detail.clone() };
    let entries: Vec<NewEntry> = homes(case).into_iter().map(entry).collect();
    audit::record(tx, scope.actor(), &entries, &app.ambient).await?;
    super::outside_desks::note(app, tx, scope, case, desk_before).await?;
    Ok(publish(tx, case, app.ambient.now()).await?)
}
