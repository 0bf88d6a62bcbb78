//! The steps of a case: what its desk does about it, and what whoever opened it by hand may do.

use jiff::Timestamp;
use roadstead_domain::access::{Denied, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::clock::Micros;
use roadstead_domain::repair_case::{Desk, Reason, Side, State, Step, after};
use roadstead_store::repair_cases::{self, RepairCase};
use roadstead_store::{Tx, desk_hours};

use super::mails::{mail_assigned, mail_desk, mail_received, mail_user};
use super::routing::other_desk;
use super::{answered, check_text, end_repairs, found, person, publish, set_state, tell, written};
use crate::app::App;
use crate::flows::{Refused, filled};

/// What is done about a case from a page or the API.
#[derive(Clone, Debug)]
pub enum Act {
    /// Takes it on.
    Claim,
    /// Gives it to somebody of the desk, by id or address.
    Assign(String),
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

fn instant(field: &'static str, text: &str) -> Result<i64, Refused> {
    let at: Timestamp = text.trim().parse().map_err(|_| Refused::invalid("field.unknown_value", field))?;
    Ok(at.as_microsecond())
}

/// Takes a step, in the caller's transaction of the platform, and tells everybody.
pub(in crate::flows) async fn take(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    case: &mut RepairCase,
    act: Act,
) -> Result<(), Refused> {
    let (platform, now) = (scope.carried_out(), app.ambient.now());
    let progress = case.progress()?;
    let before = progress.state;
    let desk_before = case.desk();
    let (side, is_opener) = (case.side(scope), case.is_opener(scope));
    let step = |step: Step| {
        // Whoever opened a case for its own desk has both sides.
        let side = match (step, is_opener) {
            (Step::Cancel | Step::Answer, true) => Side::Opener,
            _ => side,
        };
        after(progress, step, side).map_err(|no| Refused::Conflict(no.code()))
    };
    let is_desk = side == Side::Desk;
    let what;
    let mut assigned = None;
    let state = match act {
        Act::Claim => {
            let state = step(Step::Claim)?;
            // A token is nobody: who has the case keeps it.
            case.assignee = person(scope).or(case.assignee);
            what = "claimed";
            state
        }
        Act::Assign(user) => {
            let state = step(Step::Claim)?;
            let user = user.trim();
            let colleagues = repair_cases::colleagues(tx, case).await?;
            let named = colleagues
                .into_iter()
                .find(|person| person.id.to_string() == user || person.email.eq_ignore_ascii_case(user));
            let named = named.ok_or(Refused::invalid("field.unknown_value", "user"))?;
            let is_told = person(scope) == Some(named.id) || case.assignee == Some(named.id);
            case.assignee = Some(named.id);
            assigned = (!is_told).then_some(named);
            what = "assigned";
            state
        }
        Act::Ask(text) => {
            let state = step(Step::Ask)?;
            filled("text", text.trim())?;
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
            filled("order_reference", reference.trim())?;
            filled("part", part.trim())?;
            if !(1..=1000).contains(&quantity) {
                return Err(Refused::invalid("field.unknown_value", "quantity"));
            }
            let order = (reference.trim(), part.trim(), quantity);
            if !repair_cases::order(tx, &platform, app.ambient.id(), case, order, now).await? {
                return Err(Refused::Conflict("repair_case.reference_used"));
            }
            case.part_orders += 1;
            what = "parts_ordered";
            state
        }
        Act::HandOver(reason) => {
            let state = step(Step::HandOver)?;
            filled("reason", reason.trim())?;
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
            filled("result", result.trim())?;
            filled("failure_code", failure_code.trim())?;
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
            filled("reference", reference.trim())?;
            case.claim_reference = Some(reference.trim().to_owned());
            case.claimed_at = Some(now.0);
            what = "reimbursement_claimed";
            before
        }
    };
    set_state(case, state);
    if before.is_open() && !state.is_open() {
        end_repairs(tx, &platform, case).await?;
    }
    repair_cases::update(tx, &platform, case, now).await?;
    tell(app, tx, scope, AuditAction::RepairCaseChanged, case, (desk_before, what)).await?;
    // Another question, appointment or order is news, though the state is the same.
    let is_news = state != before || matches!(what, "asked" | "scheduled" | "parts_ordered");
    if desk_before != case.desk() {
        mail_desk(app, tx, &platform, case).await?;
        mail_received(app, tx, &platform, case).await?;
    } else if is_news {
        mail_user(app, tx, &platform, case, what).await?;
    }
    if let Some(colleague) = &assigned {
        mail_assigned(app, tx, &platform, case, colleague).await?;
    }
    Ok(())
}
