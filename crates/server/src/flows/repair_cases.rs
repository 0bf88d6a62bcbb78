//! Repair cases: sent from a PC or opened in its user's place, routed once, worked on by one desk. Which step is whose is
//! for `domain::repair_case` to say.

use jiff::Timestamp;
use roadstead_domain::access::{self, Actor, Denied, Reach, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::clock::Micros;
use roadstead_domain::customer::{Management, public_id};
use roadstead_domain::event::Event;
use roadstead_domain::ids::{DeviceId, EnrolmentId, RepairCaseId, TenantId};
use roadstead_domain::mail::MailKind;
use roadstead_domain::repair_case::{Desk, Reason, Side, State, Step, after};
use roadstead_domain::wire;
use roadstead_domain::wire::repair_case::{Appointment, Contact, Submit};
use roadstead_store::alerts::{self, Pc, kind_of};
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::device_keys::Once;
use roadstead_store::mails::{self, NewMail};
use roadstead_store::repair_cases::{self, NewCase, RepairCase};
use roadstead_store::{Error, Tx, check_ins, customers, desk_hours, outbox, pop_ups};
use uuid::Uuid;

use super::Refused;
use super::alerts::{Changed, pc_with_serial, still_reached};
use super::pop_ups::{recipient, route_of, speaking};
use crate::app::App;
use crate::i18n::Lang;

/// The longest text that somebody writes in a case.
const LONGEST: usize = 4000;

/// A case as its PC is told of it. Of one that is over, whoever has the PC after a move learns nothing that was said.
pub fn of_pc(lang: Lang, case: &RepairCase) -> wire::repair_case::RepairCase {
    let tells = case.is_present || case.state().is_ok_and(State::is_open);
    let appointment = match (case.appointment_from, case.appointment_until) {
        (Some(from), Some(until)) if tells => Some(Appointment {
            from: Micros(from).rfc3339(),
            until: Micros(until).rfc3339(),
            time_zone: case.appointment_zone.clone().unwrap_or_default(),
            note: case.appointment_note.clone().unwrap_or_default(),
        }),
        _ => None,
    };
    let can_cancel = case.opener == "user"
        && case.state().is_ok_and(|state| after(state, Step::Cancel, Side::Opener).is_ok());
    wire::repair_case::RepairCase {
        id: case.id,
        number: case.number.clone(),
        pop_up: case.pop_up,
        state: case.state.clone(),
        state_text: state_text(lang, &case.state),
        recipient: recipient(lang, case.desk(), &case.partner_name),
        appointment,
        question: case.question.clone().filter(|_| tells),
        result: case.result.clone().filter(|_| tells),
        can_cancel,
    }
}

/// A state in words.
pub fn state_text(lang: Lang, state: &str) -> String {
    lang.text(&format!("repair-state-{}", state.replace('_', "-")))
}

fn check_contact(contact: &Contact) -> Result<(), Refused> {
    super::filled("contact.name", contact.name.trim())?;
    for (field, text) in [("contact.email", &contact.email), ("contact.phone", &contact.phone)] {
        if text.chars().count() > 200 {
            return Err(Refused::invalid("field.too_long", field));
        }
    }
    let email = contact.email.trim();
    if email.is_empty() && contact.phone.trim().is_empty() {
        return Err(Refused::invalid("field.missing", "contact.email"));
    }
    if !email.is_empty() && !crate::mail::is_address(email) {
        return Err(Refused::invalid("field.not_an_address", "contact.email"));
    }
    Ok(())
}

fn check_text(field: &'static str, text: &str) -> Result<(), Refused> {
    if text.chars().count() > LONGEST { Err(Refused::invalid("field.too_long", field)) } else { Ok(()) }
}

/// The user pressed Submit: the case, and whether it was made now. However often it is sent, it is one.
pub async fn submit(
    app: &App,
    lang: Lang,
    key: &str,
    once: Once,
    sent: &Submit,
) -> Result<(wire::repair_case::RepairCase, bool), Refused> {
    match try_submit(app, lang, key, once, sent).await {
        // Somebody was a moment earlier: theirs is the case.
        Err(Refused::Store(Error::Conflict(_))) => try_submit(app, lang, key, once, sent).await,
        outcome => outcome,
    }
}

async fn try_submit(
    app: &App,
    lang: Lang,
    key: &str,
    once: Once,
    sent: &Submit,
) -> Result<(wire::repair_case::RepairCase, bool), Refused> {
    let (system, now) = (access::system(), app.ambient.now());
    let mut tx = app.store.write(&system).await?;
    let device = speaking(&mut tx, key, once).await?;
    let scope = match repair_cases::enrolment_of(&mut tx, &system, key).await? {
        Some(id) => access::of_device(EnrolmentId(id)),
        None => system,
    };
    let seen = pop_ups::find(&mut tx, &scope, device, sent.pop_up.into()).await?.ok_or(Denied::NotFound)?;
    // Whoever opens a case of the alert at this moment is through before it is looked for; so is whoever ends the pop-up.
    alerts::lock(&mut tx, &scope, seen.alert).await?;
    let pop_up = pop_ups::find(&mut tx, &scope, device, sent.pop_up.into()).await?.ok_or(Denied::NotFound)?;
    let there = match repair_cases::of_submit(&mut tx, &scope, device, pop_up.id, Some(sent.id)).await? {
        Some(case) => Some(case),
        None => repair_cases::open_of_alert(&mut tx, &scope, pop_up.alert, device).await?,
    };
    if let Some(case) = there {
        tx.commit().await?;
        return Ok((of_pc(lang, &case), false));
    }
    let pc = alerts::pc(&mut tx, &scope, device, now).await?.ok_or(Denied::NotFound)?;
    match pop_up.state.as_str() {
        "open" if pop_up.expires_at <= now.0 => return Err(Refused::Gone("pop_up.expired")),
        "expired" => return Err(Refused::Gone("pop_up.expired")),
        // The switch, the place and the entitlement of this very moment.
        "open" if pc.pops_up(kind_of(&pop_up.kind)?) => {}
        _ => return Err(Refused::Gone("pop_up.withdrawn")),
    }
    check_contact(&sent.contact)?;
    check_text("text", &sent.text)?;
    check_text("preferred_times", &sent.preferred_times)?;
    let (desk, reason) = route_of(&mut tx, &scope, &pc, now).await?;
    let partner = pc.partner_name.clone().unwrap_or_default();
    if desk.code() != sent.recipient {
        return Err(Refused::RecipientChanged(Box::new(recipient(lang, desk, &partner))));
    }
    let Contact { name, email, phone } = &sent.contact;
    let id: RepairCaseId = app.ambient.id();
    let new = NewCase {
        id,
        number: &public_id('R', &app.ambient.secret()),
        pc: &pc,
        alert: Some(pop_up.alert),
        kind: &pop_up.kind,
        found: &pop_up.detail,
        pop_up: Some((pop_up.id, sent.id)),
        opener: ("user", None),
        opener_note: "",
        desk,
        desk_reason: reason.code(),
        contact: [name.trim(), email.trim(), phone.trim()],
        message: sent.text.trim(),
        preferred_times: sent.preferred_times.trim(),
        language: lang.code(),
    };
    repair_cases::create(&mut tx, &scope, &new, now).await?;
    alerts::set_repair(&mut tx, &scope, pop_up.alert, Some("open")).await?;
    pop_ups::end(&mut tx, &[(pop_up.id, device.0)], "submitted", "pop_up.submitted").await?;
    let case = opened(app, &mut tx, &scope, id, &pc).await?;
    tx.commit().await?;
    app.wake();
    Ok((of_pc(lang, &case), true))
}

/// What follows when a case was written: logs, open pages, mails to its desk.
async fn opened(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    id: RepairCaseId,
    pc: &Pc,
) -> Result<RepairCase, Refused> {
    let platform = scope.carried_out();
    let case = repair_cases::lock(tx, &platform, id.0).await?.ok_or(Denied::NotFound)?;
    let mut changed = Changed::default();
    changed.alerts_of(pc);
    changed.device(pc.id);
    changed.publish(tx, app.ambient.now()).await?;
    tell(app, tx, scope, AuditAction::RepairCaseOpened, &case, (case.desk(), "opened")).await?;
    mail_desk(app, tx, &platform, &case).await?;
    Ok(case)
}

/// What somebody writes who opens a case in the user's place.
#[derive(Clone, Debug, Default)]
pub struct ByHand {
    /// The alert, where there is one.
    pub alert: Option<String>,
    /// The PC, where there is none.
    pub serial: String,
    /// Whom to turn to.
    pub contact: Contact,
    /// What is wrong.
    pub text: String,
    /// When a visit would suit.
    pub preferred_times: String,
    /// Who called.
    pub caller: String,
}

/// Opens a case in the user's place: by the partner or the IT admin where pop-ups are off or the PC has no agent, by
/// customer support whenever somebody calls.
pub async fn open_by_hand(
    app: &App,
    scope: &Scope,
    lang: Lang,
    asked: &ByHand,
) -> Result<RepairCaseId, Refused> {
    let is_desk = scope.reach() == Reach::Desk;
    check_contact(&asked.contact)?;
    check_text("text", &asked.text)?;
    check_text("preferred_times", &asked.preferred_times)?;
    let platform = scope.carried_out();
    let (serial, alert) = match asked.alert.as_deref().filter(|id| !id.is_empty()) {
        Some(id) => {
            let mut own = app.store.read(scope).await?;
            let alert = super::alerts::found(&mut own, scope, id).await?;
            (alert.serial.clone(), Some(alert))
        }
        None => (asked.serial.clone(), None),
    };
    // The desk reaches every PC by its serial alone.
    let looking = if is_desk { platform } else { *scope };
    let pc = pc_with_serial(app, &looking, &serial).await?;
    let mut tx = app.store.write(&platform).await?;
    // Whoever opens a case of the alert at this moment is through before it is looked for.
    if let Some(alert) = &alert
        && !alerts::lock(&mut tx, &platform, alert.id).await?
    {
        return Err(Denied::NotFound.into());
    }
    let (device, now) = (DeviceId(pc.id), app.ambient.now());
    let pc = still_reached(&mut tx, &looking, device, now).await?;
    if pc.level.is_none() {
        return Err(Refused::Conflict("repair_case.no_entitlement"));
    }
    let opener = if is_desk {
        super::filled("caller", asked.caller.trim())?;
        "desk"
    } else {
        may_open_by_hand(&mut tx, scope, &platform, &pc).await?;
        if scope.customer().is_ok() { "customer" } else { "partner" }
    };
    if let Some(alert) = &alert {
        let there = repair_cases::open_of_alert(&mut tx, &platform, alert.id, device).await?;
        if there.is_some() {
            return Err(Refused::Conflict("repair_case.exists"));
        }
    } else if asked.text.trim().is_empty() {
        return Err(Refused::invalid("field.missing", "text"));
    }
    let (desk, reason) = route_of(&mut tx, &platform, &pc, now).await?;
    let Contact { name, email, phone } = &asked.contact;
    let id: RepairCaseId = app.ambient.id();
    let new = NewCase {
        id,
        number: &public_id('R', &app.ambient.secret()),
        pc: &pc,
        alert: alert.as_ref().map(|alert| alert.id),
        kind: alert.as_ref().map_or("", |alert| &alert.kind),
        found: alert.as_ref().map_or("", |alert| &alert.detail),
        pop_up: None,
        opener: (opener, scope.home()),
        opener_note: asked.caller.trim(),
        desk,
        desk_reason: reason.code(),
        contact: [name.trim(), email.trim(), phone.trim()],
        message: asked.text.trim(),
        preferred_times: asked.preferred_times.trim(),
        language: lang.code(),
    };
    repair_cases::create(&mut tx, &platform, &new, now).await?;
    if let Some(alert) = &alert {
        alerts::set_repair(&mut tx, &platform, alert.id, Some("open")).await?;
    }
    opened(app, &mut tx, scope, id, &pc).await?;
    tx.commit().await?;
    app.wake();
    Ok(id)
}

/// Behaviours 27 and 47: in a pool the user alone submits, in a customer tenant somebody else once pop-ups are off.
async fn may_open_by_hand(tx: &mut Tx, scope: &Scope, platform: &Scope, pc: &Pc) -> Result<(), Refused> {
    let (Some(tenant), Some("customer")) = (pc.tenant, pc.kind.as_deref()) else {
        return Err(Refused::Conflict("repair_case.pool"));
    };
    let customer = customers::find(tx, platform, &tenant.to_string()).await?.ok_or(Denied::NotFound)?;
    if scope.customer().is_ok() && customer.management()? == Management::Partner {
        return Err(Refused::Conflict("customer.partner_managed"));
    }
    let has_agent = check_ins::last(tx, DeviceId(pc.id)).await?.is_some();
    if has_agent && pc.switch.as_deref() != Some("off") {
        return Err(Refused::Conflict("repair_case.pop_ups_on"));
    }
    Ok(())
}

/// The case, or *not found*.
pub async fn found(tx: &mut Tx, scope: &Scope, id: &str) -> Result<RepairCase, Refused> {
    Ok(repair_cases::find(tx, scope, id).await?.ok_or(Denied::NotFound)?)
}

/// What is done about a case from a page or the API.
#[derive(Clone, Debug)]
pub enum Act {
    /// Takes it on.
    Claim,
    /// Asks the user.
    Ask(String),
    /// Answers in the user's place.
    Answer(String),
    /// Writes for the desk alone.
    Note(String),
    /// Says when somebody comes.
    Appoint {
        /// From when, RFC 3339.
        from: String,
        /// Until when.
        until: String,
        /// The time zone's name.
        time_zone: String,
        /// What there is to say about it.
        note: String,
        /// Whether it may lie outside of the desk's working hours.
        outside_hours: bool,
    },
    /// Orders parts.
    Order {
        /// The order's reference.
        reference: String,
        /// What.
        part: String,
        /// How many.
        quantity: i64,
    },
    /// Gives it to the other desk, with a reason.
    HandOver(String),
    /// Takes it back.
    Cancel,
    /// Ends it.
    Close {
        /// What came of it.
        result: String,
        /// The failure's code.
        failure_code: String,
    },
    /// Ends it as part of another case of the same desk and PC.
    Merge(String),
    /// Claims the cost of a case that is closed.
    Reimburse(String),
}

/// Does something about a case, if it is the caller's to do.
pub async fn act(app: &App, scope: &Scope, id: &str, act: Act) -> Result<(), Refused> {
    let mut own = app.store.read(scope).await?;
    let seen = found(&mut own, scope, id).await?;
    drop(own);
    let platform = scope.carried_out();
    let mut tx = app.store.write(&platform).await?;
    // Two cases of a PC are held in the order of their ids: whoever merges them the other way round waits.
    if let Act::Merge(into) = &act
        && let Some(other) = repair_cases::find(&mut tx, &platform, into).await?
        && other.device == seen.device
        && other.id < seen.id
    {
        repair_cases::lock(&mut tx, &platform, other.id).await?;
    }
    let mut case = repair_cases::lock(&mut tx, &platform, seen.id).await?.ok_or(Denied::NotFound)?;
    take(app, &mut tx, scope, &mut case, act).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

fn person(scope: &Scope) -> Option<Uuid> {
    match scope.actor() {
        Actor::User(id) => Some(id.0),
        _ => None,
    }
}

fn instant(field: &'static str, text: &str) -> Result<i64, Refused> {
    let at: Timestamp = text.trim().parse().map_err(|_| Refused::invalid("field.unknown_value", field))?;
    Ok(at.as_microsecond())
}

/// Takes a step, in the caller's transaction of the platform, and tells everybody.
pub(super) async fn take(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    case: &mut RepairCase,
    act: Act,
) -> Result<(), Refused> {
    let (platform, now) = (scope.carried_out(), app.ambient.now());
    let before = case.state()?;
    let desk_before = case.desk();
    let (side, is_opener) = (case.side(scope), case.is_opener(scope));
    let step = |step: Step| {
        // Whoever opened a case for its own desk has both sides.
        let side = match (step, is_opener) {
            (Step::Cancel | Step::Answer, true) => Side::Opener,
            _ => side,
        };
        after(before, step, side).map_err(|no| Refused::Conflict(no.code()))
    };
    let is_desk = side == Side::Desk;
    let what;
    let state = match act {
        Act::Claim => {
            let state = step(Step::Claim)?;
            case.assignee = person(scope);
            what = "claimed";
            state
        }
        Act::Ask(text) => {
            let state = step(Step::Ask)?;
            super::filled("text", text.trim())?;
            written(app, tx, scope, case, "question", &text).await?;
            case.question = Some(text.trim().to_owned());
            what = "asked";
            state
        }
        Act::Answer(text) => {
            let state = step(Step::Answer)?;
            answered(app, tx, scope, case, &text).await?;
            what = "answered";
            state
        }
        Act::Note(text) => {
            if !is_desk {
                return Err(Refused::Conflict("repair_case.not_yours"));
            }
            if text.trim().is_empty() {
                return Err(Refused::invalid("field.missing", "text"));
            }
            written(app, tx, scope, case, "note", &text).await?;
            return Ok(publish(tx, case, now).await?);
        }
        Act::Appoint { from, until, time_zone, note, outside_hours } => {
            let state = step(Step::Appoint)?;
            let (from, until) = (instant("from", &from)?, instant("until", &until)?);
            if until <= from {
                return Err(Refused::invalid("appointment.ends_before_it_begins", "until"));
            }
            if from <= now.0 {
                return Err(Refused::invalid("appointment.past", "from"));
            }
            if jiff::tz::TimeZone::get(&time_zone).is_err() {
                return Err(Refused::invalid("field.unknown_value", "time_zone"));
            }
            check_text("note", &note)?;
            let hours = desk_hours::get(tx, &platform, case.desk()).await?;
            let is_covered = hours.is_none_or(|hours| hours.covers(Micros(from), Micros(until)));
            if !is_covered && !outside_hours {
                return Err(Refused::Conflict("appointment.outside_hours"));
            }
            (case.appointment_from, case.appointment_until) = (Some(from), Some(until));
            (case.appointment_zone, case.appointment_note) = (Some(time_zone), Some(note.trim().to_owned()));
            what = "scheduled";
            state
        }
        Act::Order { reference, part, quantity } => {
            let state = step(Step::OrderParts)?;
            super::filled("order_reference", reference.trim())?;
            super::filled("part", part.trim())?;
            if !(1..=1000).contains(&quantity) {
                return Err(Refused::invalid("field.unknown_value", "quantity"));
            }
            let order = (reference.trim(), part.trim(), quantity);
            if !repair_cases::order(tx, &platform, app.ambient.id(), case, order, now).await? {
                return Err(Refused::Conflict("repair_case.reference_used"));
            }
            what = "parts_ordered";
            state
        }
        Act::HandOver(reason) => {
            let state = step(Step::HandOver)?;
            super::filled("reason", reason.trim())?;
            let to = other_desk(tx, &platform, case, now).await?;
            written(app, tx, scope, case, "handed_over", &reason).await?;
            case.desk = if to == Desk::CustomerSupport { "customer_support" } else { "csdp" }.to_owned();
            case.desk_partner = to.partner().map(|partner| partner.0);
            case.desk_reason = Reason::HandedOver.code().to_owned();
            case.handed_over = reason.trim().to_owned();
            case.assignee = None;
            (case.appointment_from, case.appointment_until) = (None, None);
            what = "handed_over";
            state
        }
        Act::Cancel => {
            what = "cancelled";
            step(Step::Cancel)?
        }
        Act::Close { result, failure_code } => {
            let state = step(Step::Close)?;
            super::filled("result", result.trim())?;
            super::filled("failure_code", failure_code.trim())?;
            case.result = Some(result.trim().to_owned());
            case.failure_code = Some(failure_code.trim().to_owned());
            what = "closed";
            state
        }
        Act::Merge(into) => {
            let state = step(Step::Close)?;
            let other = repair_cases::find(tx, &platform, &into).await?;
            let other = match other.filter(|other| other.device == case.device && other.id != case.id) {
                // As it stands once nobody else changes it; `act` sees to the order in which the two are held.
                Some(other) => repair_cases::lock(tx, &platform, other.id).await?,
                None => None,
            };
            let other = other.filter(|other| other.desk() == case.desk());
            let other = other.ok_or(Refused::invalid("repair_case.cannot_merge", "into"))?;
            if !other.state()?.is_open() {
                return Err(Refused::invalid("repair_case.cannot_merge", "into"));
            }
            case.merged_into = Some(other.id);
            case.result = Some(other.number);
            what = "merged";
            state
        }
        Act::Reimburse(reference) => {
            if !is_desk {
                return Err(Refused::Conflict("repair_case.not_yours"));
            }
            if before != State::Closed || case.merged_into.is_some() {
                return Err(Refused::Conflict("repair_case.not_closed"));
            }
            if case.claim_reference.is_some() {
                return Err(Refused::Conflict("repair_case.claimed"));
            }
            super::filled("reference", reference.trim())?;
            case.claim_reference = Some(reference.trim().to_owned());
            case.claimed_at = Some(now.0);
            what = "reimbursement_claimed";
            before
        }
    };
    set_state(case, state);
    // The alert before the PC's number, which `update` takes: so do check-ins.
    if before.is_open()
        && !state.is_open()
        && let Some(alert) = case.alert
    {
        alerts::set_repair(tx, &platform, alert, Some("done")).await?;
    }
    repair_cases::update(tx, &platform, case, now).await?;
    tell(app, tx, scope, AuditAction::RepairCaseChanged, case, (desk_before, what)).await?;
    if desk_before != case.desk() {
        mail_desk(app, tx, &platform, case).await?;
    }
    // Another question or another appointment is news, though the state is the same.
    if state != before || matches!(what, "asked" | "scheduled") {
        mail_user(app, tx, &platform, case).await?;
    }
    Ok(())
}

/// Where a case stands from now on. A question is over once the case no longer waits for its answer: it was answered, or
/// somebody phoned.
fn set_state(case: &mut RepairCase, state: State) {
    case.state = state.as_str().to_owned();
    if state != State::WaitingForUser {
        case.question = None;
    }
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

/// The desk that may have a case instead: customer support for a partner's, the partner's for customer support's if it
/// delivers service for this PC by now.
async fn other_desk(tx: &mut Tx, platform: &Scope, case: &RepairCase, now: Micros) -> Result<Desk, Refused> {
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

/// What the user at the PC does about a case.
#[derive(Clone, Debug)]
pub enum UserAct {
    /// Looks.
    Look,
    /// Takes it back.
    Cancel,
    /// Answers the desk's question.
    Answer(String),
}

/// Lets the user at the PC look at a case that was sent from it, or do something about it.
pub async fn by_user(
    app: &App,
    lang: Lang,
    key: &str,
    once: Once,
    id: RepairCaseId,
    act: UserAct,
) -> Result<wire::repair_case::RepairCase, Refused> {
    let system = access::system();
    let mut tx = app.store.write(&system).await?;
    let device = speaking(&mut tx, key, once).await?;
    let case = repair_cases::of_device(&mut tx, &system, device, id).await?.ok_or(Denied::NotFound)?;
    // Whoever has the PC next is told nothing of what was asked and answered before.
    let pc = alerts::pc(&mut tx, &system, device, app.ambient.now()).await?.ok_or(Denied::NotFound)?;
    if pc.tenant != Some(case.tenant) && case.opener != "user" {
        return Err(Denied::NotFound.into());
    }
    let mut case = repair_cases::lock(&mut tx, &system, case.id).await?.ok_or(Denied::NotFound)?;
    let scope = match repair_cases::enrolment_of(&mut tx, &system, key).await? {
        Some(id) => access::of_device(EnrolmentId(id)),
        None => system,
    };
    let side = if case.opener == "user" { Side::Opener } else { Side::Onlooker };
    let go = |step| after(case.state()?, step, side).map_err(|no| Refused::Conflict(no.code()));
    let (state, what) = match act {
        UserAct::Look => {
            tx.commit().await?;
            return Ok(of_pc(lang, &case));
        }
        UserAct::Cancel => (go(Step::Cancel)?, "cancelled"),
        UserAct::Answer(text) => {
            let state = go(Step::Answer)?;
            answered(app, &mut tx, &scope, &case, &text).await?;
            (state, "answered")
        }
    };
    set_state(&mut case, state);
    // In the order of `take`.
    if let (false, Some(alert)) = (state.is_open(), case.alert) {
        alerts::set_repair(&mut tx, &system, alert, Some("done")).await?;
    }
    repair_cases::update(&mut tx, &system, &case, app.ambient.now()).await?;
    tell(app, &mut tx, &scope, AuditAction::RepairCaseChanged, &case, (case.desk(), what)).await?;
    mail_desk(app, &mut tx, &system, &case).await?;
    tx.commit().await?;
    app.wake();
    Ok(of_pc(lang, &case))
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

/// The people of the desk are told that there is something for them.
async fn mail_desk(app: &App, tx: &mut Tx, platform: &Scope, case: &RepairCase) -> Result<(), Refused> {
    let people = repair_cases::people_of(tx, platform, case.desk()).await?;
    let mails: Vec<NewMail> = people
        .into_iter()
        .map(|(name, recipient, language)| {
            let lang = language.as_deref().and_then(Lang::from_code).unwrap_or_default();
            NewMail {
                recipient,
                language: lang.code().to_owned(),
                kind: MailKind::RepairCaseDesk,
                data: serde_json::json!({
                    "name": name, "number": case.number, "serial": case.serial,
                    "state": state_text(lang, &case.state),
                }),
                link: Some(format!("/repair-cases/{}", case.id)),
                ends_at: None,
            }
        })
        .collect();
    Ok(mails::queue(tx, platform, &mails, &app.ambient).await?)
}

/// The user is told of the step, where they left an address.
async fn mail_user(app: &App, tx: &mut Tx, platform: &Scope, case: &RepairCase) -> Result<(), Refused> {
    if case.contact_email.is_empty() {
        return Ok(());
    }
    let lang = Lang::from_code(&case.language).unwrap_or_default();
    let lang = lang.with(case.appointment_zone.as_deref(), None);
    let when = case.appointment_from.map_or_else(String::new, |from| {
        let at = crate::portal::instant(lang, Micros(from));
        format!("{at} ({})", lang.zone_name())
    });
    let said = match (&case.question, when.is_empty()) {
        (Some(question), _) => question.clone(),
        (None, false) if case.state == "scheduled" => when,
        _ => case.result.clone().unwrap_or_default(),
    };
    let mail = NewMail {
        recipient: case.contact_email.clone(),
        language: lang.code().to_owned(),
        kind: MailKind::RepairCaseUser,
        data: serde_json::json!({
            "name": case.contact_name, "number": case.number, "serial": case.serial,
            "state": state_text(lang, &case.state), "said": said,
        }),
        link: None,
        ends_at: None,
    };
    Ok(mails::queue(tx, platform, &[mail], &app.ambient).await?)
}

/// Says whether a customer's cases go to customer support, whatever its partner is.
pub async fn set_cases_to_support(
    app: &App,
    scope: &Scope,
    id: &str,
    to_support: bool,
) -> Result<(), Refused> {
    let mut own = app.store.read(scope).await?;
    let customer = super::customers::found(&mut own, scope, id).await?;
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
