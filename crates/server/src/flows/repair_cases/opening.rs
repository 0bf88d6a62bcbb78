//! How a case begins: sent from the PC by its user, or opened by hand in the user's place.

use roadstead_domain::access::{self, Denied, Reach, Scope};
use roadstead_domain::alert::can_show;
use roadstead_domain::audit::AuditAction;
use roadstead_domain::clock::Micros;
use roadstead_domain::customer::{Management, public_id};
use roadstead_domain::ids::{DeviceId, EnrolmentId, RepairCaseId};
use roadstead_domain::wire;
use roadstead_domain::wire::repair_case::{Contact, Submit};
use roadstead_store::alerts::{self, Pc, kind_of};
use roadstead_store::device_keys::Once;
use roadstead_store::repair_cases::{self, NewCase, RepairCase};
use roadstead_store::{Error, Tx, check_ins, customers, pop_ups};

use super::mails::{mail_desk, mail_received};
use super::user::of_pc;
use super::{check_text, tell};
use crate::app::App;
use crate::flows::alerts::{Changed, pc_with_serial, still_reached};
use crate::flows::pop_ups::{recipient, route_of, speaking};
use crate::flows::{Refused, filled};
use crate::i18n::Lang;

fn check_contact(contact: &Contact) -> Result<(), Refused> {
    filled("contact.name", contact.name.trim())?;
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

/// What follows when a case was written: logs, open pages, mails to its desk and its user.
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
    mail_received(app, tx, &platform, &case).await?;
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
    /// Who called: to be said by a desk that opens it for somebody else, but for a partner's where an alert says what is wrong.
    pub caller: String,
}

/// Opens a case in the user's place: by the partner or the IT admin where pop-ups are off or the PC can show none, by
/// customer support whenever somebody calls, for a PC in a pool as well.
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
    // The desk reaches every PC by its serial alone.
    let looking = if is_desk { platform } else { *scope };
    let (device, alert) = match asked.alert.as_deref().filter(|id| !id.is_empty()) {
        // An alert names its PC; the serial may be another manufacturer's, too.
        Some(id) => {
            let mut own = app.store.read(scope).await?;
            let alert = crate::flows::alerts::found(&mut own, scope, id).await?;
            (DeviceId(alert.device), Some(alert))
        }
        None => (DeviceId(pc_with_serial(app, &looking, &asked.serial).await?.id), None),
    };
    let mut tx = app.store.write(&platform).await?;
    // Whoever opens a case of the alert at this moment is through before it is looked for.
    if let Some(alert) = &alert
        && !alerts::lock(&mut tx, &platform, alert.id).await?
    {
        return Err(Denied::NotFound.into());
    }
    let now = app.ambient.now();
    let pc = still_reached(&mut tx, &looking, device, now).await?;
    if pc.level.is_none() {
        return Err(Refused::Conflict("repair_case.no_entitlement"));
    }
    let opener = match (is_desk, scope.customer().is_ok()) {
        (true, _) => "desk",
        (false, true) => "customer",
        (false, false) => "partner",
    };
    if !is_desk {
        may_open_by_hand(&mut tx, scope, &platform, &pc, now).await?;
    }
    if asks_caller(scope, alert.is_some()) {
        filled("caller", asked.caller.trim())?;
    }
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

/// Whether whoever opens a case in the user's place has to say who called: customer support always, a partner unless the case
/// is made of an alert, which nobody told it.
pub fn asks_caller(scope: &Scope, has_alert: bool) -> bool {
    match scope.reach() {
        Reach::Desk => true,
        Reach::Partner(_) => !has_alert,
        _ => false,
    }
}

/// Behaviours 27 and 47: in a pool the user alone submits, in a customer tenant somebody else once pop-ups are off or the PC
/// can show none. Whoever sits at a PC in a pool that can show none calls customer support.
async fn may_open_by_hand(
    tx: &mut Tx,
    scope: &Scope,
    platform: &Scope,
    pc: &Pc,
    now: Micros,
) -> Result<(), Refused> {
    let (Some(tenant), Some("customer")) = (pc.tenant, pc.kind.as_deref()) else {
        return Err(Refused::Conflict("repair_case.pool"));
    };
    let customer = customers::find(tx, platform, &tenant.to_string()).await?.ok_or(Denied::NotFound)?;
    if scope.customer().is_ok() && customer.management()? == Management::Partner {
        return Err(Refused::Conflict("customer.partner_managed"));
    }
    let last_seen = check_ins::last(tx, DeviceId(pc.id)).await?.map(|seen| Micros(seen.seen_at));
    if can_show(last_seen, now) && pc.switch.as_deref() != Some("off") {
        return Err(Refused::Conflict("repair_case.pop_ups_on"));
    }
    Ok(())
}
