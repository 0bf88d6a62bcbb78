//! The user at the PC: what they are told of a case, and what they do about one.

use roadstead_domain::access::{self, Denied};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::{EnrolmentId, RepairCaseId};
use roadstead_domain::repair_case::{Side, State, Step, after};
use roadstead_domain::wire;
use roadstead_domain::wire::repair_case::Appointment;
use roadstead_store::alerts;
use roadstead_store::device_keys::Once;
use roadstead_store::repair_cases::{self, RepairCase};

use super::mails::mail_desk;
use super::{answered, end_repairs, set_state, state_text, tell};
use crate::app::App;
use crate::flows::Refused;
use crate::flows::pop_ups::{recipient, speaking};
use crate::i18n::Lang;

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
        && case.progress().is_ok_and(|now| after(now, Step::Cancel, Side::Opener).is_ok());
    wire::repair_case::RepairCase {
        id: case.id,
        number: case.number.clone(),
        pop_up: case.pop_up,
        state: case.state.clone(),
        state_text: state_text(lang, &case.state),
        recipient: recipient(lang, case.desk(), &case.partner_name),
        appointment,
        part_orders: if tells { case.part_orders } else { 0 },
        question: case.question.clone().filter(|_| tells),
        result: case.result.clone().filter(|_| tells),
        can_cancel,
    }
}

/// The case whose user has the link with this secret.
pub async fn by_link(app: &App, secret: &str) -> Result<Option<RepairCase>, Refused> {
    let system = access::system();
    let mut tx = app.store.read(&system).await?;
    Ok(repair_cases::of_link(&mut tx, &system, secret).await?)
}

/// Turns mails to the user of a case off, for whoever has the link that its mails carry: the case.
pub async fn mute(app: &App, secret: &str) -> Result<RepairCase, Refused> {
    // First without the writer, which is not for whoever calls.
    let found = by_link(app, secret).await?.ok_or(Refused::LinkSpent)?;
    let system = access::system();
    let mut tx = app.store.write(&system).await?;
    let case = repair_cases::lock(&mut tx, &system, found.id).await?.ok_or(Refused::LinkSpent)?;
    if !case.mails_muted {
        repair_cases::mute(&mut tx, &system, case.id).await?;
        let what = (case.desk(), "mails_muted");
        tell(app, &mut tx, &system, AuditAction::RepairCaseChanged, &case, what).await?;
    }
    tx.commit().await?;
    app.wake();
    Ok(case)
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
    let go = |step| after(case.progress()?, step, side).map_err(|no| Refused::Conflict(no.code()));
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
    if !state.is_open() {
        end_repairs(&mut tx, &system, &case).await?;
    }
    repair_cases::update(&mut tx, &system, &case, app.ambient.now()).await?;
    tell(app, &mut tx, &scope, AuditAction::RepairCaseChanged, &case, (case.desk(), what)).await?;
    mail_desk(app, &mut tx, &system, &case).await?;
    tx.commit().await?;
    app.wake();
    Ok(of_pc(lang, &case))
}
