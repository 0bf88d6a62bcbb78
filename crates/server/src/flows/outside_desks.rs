//! Outside desks: a desk's cases are forwarded there by signed messages, and what it says back is done as the desk's own
//! steps. A message says how the case stands when it is sent; so a late one is never old, and only the newest has to arrive.

use roadstead_domain::access::{self, Actor, Denied, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::{JobId, OutsideDeskId, RepairCaseId};
use roadstead_domain::repair_case::{Desk, State};
use roadstead_domain::webhook::{self, Headers, OLD_SECRET_SECONDS, Untrue, wait_after};
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::outside_desks::{self, Due, Failure, OutsideDesk};
use roadstead_store::repair_cases::{self, Part, RepairCase};
use roadstead_store::{Error, Tx, jobs};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Refused;
use super::repair_cases::steps::{Act, take};
use crate::app::App;
use crate::jobs::{LEASE_SECONDS, Stopping};
use crate::webhooks::{Outcome, Sender, check_url};

/// Connects an outside desk to one's own desk: its id, and its secret, which is shown this once. All open cases of the desk
/// are forwarded.
pub async fn connect(app: &App, scope: &Scope, url: &str) -> Result<(OutsideDeskId, String), Refused> {
    let url = check_url(app, url.trim()).map_err(|code| Refused::invalid(code, "url"))?;
    let desk = outside_desks::own_desk(scope)?;
    let (id, secret): (OutsideDeskId, _) = (app.ambient.id(), app.ambient.secret());
    let (platform, now) = (scope.carried_out(), app.ambient.now());
    let mut tx = app.store.write(&platform).await?;
    match outside_desks::connect(&mut tx, &platform, id, desk, url.as_str(), secret, now).await {
        Err(Error::Conflict(_)) => return Err(Refused::Conflict("outside_desk.exists")),
        done => done?,
    }
    outside_desks::note_open(&mut tx, &platform, id, desk, now).await?;
    wake(app, &mut tx, id, now).await?;
    log(app, &mut tx, scope, id, json!({ "step": "connected", "url": url.as_str() })).await?;
    tx.commit().await?;
    app.wake();
    Ok((id, webhook::show_secret(&secret)))
}

/// The outside desk of one's own desk, or *not found*.
pub async fn own(tx: &mut Tx, scope: &Scope) -> Result<OutsideDesk, Refused> {
    Ok(outside_desks::own(tx, scope).await?.ok_or(Denied::NotFound)?)
}

async fn own_id(app: &App, scope: &Scope) -> Result<OutsideDeskId, Refused> {
    let mut tx = app.store.read(scope).await?;
    Ok(OutsideDeskId(own(&mut tx, scope).await?.id))
}

/// Makes a new secret, which is shown this once; the one before holds for a day.
pub async fn renew_secret(app: &App, scope: &Scope) -> Result<String, Refused> {
    let id = own_id(app, scope).await?;
    let (platform, secret) = (scope.carried_out(), app.ambient.secret());
    let old_until = app.ambient.now().plus_seconds(OLD_SECRET_SECONDS);
    let mut tx = app.store.write(&platform).await?;
    outside_desks::renew_secret(&mut tx, &platform, id, secret, old_until).await?;
    log(app, &mut tx, scope, id, json!({ "step": "secret_renewed" })).await?;
    tx.commit().await?;
    Ok(webhook::show_secret(&secret))
}

/// Disconnects it: nothing is sent any more, and nothing taken from it.
pub async fn disconnect(app: &App, scope: &Scope) -> Result<(), Refused> {
    let id = own_id(app, scope).await?;
    let platform = scope.carried_out();
    let mut tx = app.store.write(&platform).await?;
    outside_desks::disconnect(&mut tx, &platform, id).await?;
    log(app, &mut tx, scope, id, json!({ "step": "disconnected" })).await?;
    tx.commit().await?;
    Ok(())
}

/// Sends again at once what was not taken.
pub async fn resume(app: &App, scope: &Scope) -> Result<(), Refused> {
    let id = own_id(app, scope).await?;
    let (platform, now) = (scope.carried_out(), app.ambient.now());
    let mut tx = app.store.write(&platform).await?;
    outside_desks::resume(&mut tx, &platform, id, now).await?;
    wake(app, &mut tx, id, now).await?;
    log(app, &mut tx, scope, id, json!({ "step": "resumed" })).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

async fn log(app: &App, tx: &mut Tx, scope: &Scope, id: OutsideDeskId, detail: Value) -> Result<(), Refused> {
    let entry =
        NewEntry { home: scope.home(), action: AuditAction::OutsideDeskSet, subject: Some(id.0), detail };
    Ok(audit::record(tx, scope.actor(), &[entry], &app.ambient).await?)
}

async fn wake(app: &App, tx: &mut Tx, id: OutsideDeskId, at: Micros) -> roadstead_store::Result<()> {
    jobs::enqueue(tx, jobs::Kind::ForwardCases, id.0, id.0, at, &app.ambient).await
}

/// A case changed, in the caller's transaction: whoever outside of the platform has it, or had it `before`, is to be told.
pub(super) async fn note(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    case: &RepairCase,
    before: Desk,
) -> Result<(), Refused> {
    let (platform, now) = (scope.carried_out(), app.ambient.now());
    let except = match scope.actor() {
        Actor::OutsideDesk(id) => Some(id.0),
        _ => None,
    };
    let desks = (before, case.desk());
    for id in outside_desks::note(tx, &platform, case.id, desks, except, now).await? {
        wake(app, tx, id, now).await?;
    }
    Ok(())
}

/// For how long one job tells an outside desk, in seconds; the rest is for another, behind what waits by then.
const TURN: i64 = 60;

/// The job: tells an outside desk what is due. What it does not take is tried again later by a job of its own.
pub async fn forward(app: &App, id: OutsideDeskId, job: JobId) -> anyhow::Result<()> {
    let scope = access::system();
    let sender = Sender::new(app)?;
    let ends = app.ambient.now().plus_seconds(TURN);
    loop {
        if app.closing.is_cancelled() {
            return Err(Stopping.into());
        }
        let now = app.ambient.now();
        let mut tx = app.store.write(&scope).await?;
        if now > ends {
            wake(app, &mut tx, id, now).await?;
            tx.commit().await?;
            return Ok(());
        }
        let Some(outside) = outside_desks::get(&mut tx, &scope, id).await? else { return Ok(()) };
        if outside.stopped.is_some() {
            return Ok(());
        }
        let Some(due) = outside_desks::due(&mut tx, &scope, id, now).await? else { return Ok(()) };
        let case = repair_cases::find(&mut tx, &scope, &due.repair_case.to_string()).await?;
        let Some(case) = case else { return Ok(()) };
        // One message may take a quarter of the lease.
        jobs::renew(&mut tx, job, now.plus_seconds(LEASE_SECONDS)).await?;
        tx.commit().await?;
        let outcome = match check_url(app, &outside.url) {
            Ok(url) => {
                let message = format!("{}.{}", case.id, due.version);
                let body = message_body(app, &outside, &case, &due, now).to_string();
                let seconds = now.0.div_euclid(1_000_000);
                sender.send(url, &outside.secrets(now), &message, seconds, body).await
            }
            Err(code) => Outcome::NotTaken(Failure { code, status: None }),
        };
        let now = app.ambient.now();
        let mut tx = app.store.write(&scope).await?;
        let goes_on = match outcome {
            Outcome::Taken => {
                outside_desks::delivered(&mut tx, &scope, id, &due, now).await?;
                true
            }
            Outcome::Unwanted => {
                outside_desks::stop(&mut tx, &scope, id, "outside_desk.unwanted").await?;
                false
            }
            Outcome::NotTaken(failure) => {
                let next =
                    wait_after(due.attempts + 1).map(|wait| now.plus_seconds(wait + jitter(app, wait)));
                outside_desks::failed(&mut tx, &scope, id, &due, failure, next).await?;
                if let Some(next) = next {
                    wake(app, &mut tx, id, next).await?;
                    if failure.status.is_none() {
                        outside_desks::put_off(&mut tx, &scope, id, now, next).await?;
                    }
                }
                true
            }
        };
        tx.commit().await?;
        if !goes_on {
            return Ok(());
        }
    }
}

/// Up to a tenth more, in seconds, so that those who failed together do not come again together.
fn jitter(app: &App, wait: i64) -> i64 {
    let [byte, ..] = app.ambient.secret();
    wait * i64::from(byte) / 2560
}

/// What a message says: the case as it stands; that it left, to whoever had it.
fn message_body(app: &App, outside: &OutsideDesk, case: &RepairCase, due: &Due, now: Micros) -> Value {
    if case.desk() != outside.desk() {
        return json!({
            "type": "repair_case.left",
            "timestamp": now.rfc3339(),
            "data": { "id": case.id, "number": case.number, "version": due.version, "reference": due.reference },
        });
    }
    let appointment = case.appointment_from.zip(case.appointment_until).map(|(from, until)| {
        json!({
            "from": Micros(from).rfc3339(), "until": Micros(until).rfc3339(),
            "time_zone": case.appointment_zone, "note": case.appointment_note,
        })
    });
    let base = app.config.public_url.trim_end_matches('/');
    json!({
        "type": "repair_case.changed",
        "timestamp": now.rfc3339(),
        "data": {
            "id": case.id, "number": case.number, "version": due.version, "reference": due.reference,
            "state": case.state, "serial_number": case.serial, "model": case.model,
            "product_number": case.product_number, "support_level": case.support_level,
            "alert_kind": case.kind, "found": case.found, "opened_by": case.opener,
            "contact": { "name": case.contact_name, "email": case.contact_email, "phone": case.contact_phone },
            "text": case.message, "preferred_times": case.preferred_times, "question": case.question,
            "appointment": appointment, "result": case.result, "failure_code": case.failure_code,
            "created_at": Micros(case.created_at).rfc3339(), "updated_at": Micros(case.updated_at).rfc3339(),
            "status_url": format!("{base}/api/v1/outside-desks/{}/cases/{}/status", outside.id, case.id),
        },
    })
}

/// What an outside desk says of a case.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Status {
    /// `claimed`, `waiting_for_user`, `scheduled`, `in_repair` or `closed`.
    pub state: String,
    /// What the outside desk calls the case.
    pub reference: String,
    /// What it asks the user, for `waiting_for_user`.
    pub question: String,
    /// When somebody comes, for `scheduled`.
    pub appointment: Option<StatusAppointment>,
    /// What was ordered, for `in_repair`.
    pub order: Option<StatusOrder>,
    /// What came of it, for `closed`, in words that the user reads.
    pub result: String,
    /// The failure's code, for `closed`.
    pub failure_code: String,
}

/// When somebody comes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct StatusAppointment {
    /// RFC 3339.
    pub from: String,
    /// RFC 3339.
    pub until: String,
    /// An IANA name.
    pub time_zone: String,
    /// What the user should know.
    pub note: String,
}

/// Ordered parts.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct StatusOrder {
    /// The order's reference.
    pub order_reference: String,
    /// What.
    pub part: String,
    /// How many.
    pub quantity: i64,
}

/// Takes what an outside desk says of a case: the case as it stands then. The same call again does nothing, nor does one
/// that says what is so already.
pub async fn take_status(
    app: &App,
    id: OutsideDeskId,
    case: RepairCaseId,
    headers: Headers<'_>,
    body: &[u8],
) -> Result<RepairCase, Refused> {
    let (system, now) = (access::system(), app.ambient.now());
    // First without the writer, which is not for whoever calls.
    let mut tx = app.store.read(&system).await?;
    verified(&mut tx, &system, id, headers, body, now).await?;
    drop(tx);
    let mut tx = app.store.write(&system).await?;
    let outside = verified(&mut tx, &system, id, headers, body, now).await?;
    let scope = access::of_outside_desk(id, outside.desk());
    let mut found = repair_cases::lock(&mut tx, &system, case.0)
        .await?
        .filter(|case| case.desk() == outside.desk())
        .ok_or(Denied::NotFound)?;
    if !outside_desks::take_call(&mut tx, &system, id, headers.id, now).await? {
        return Ok(found);
    }
    let status: Status =
        serde_json::from_slice(body).map_err(|_| Refused::invalid("request.invalid", "body"))?;
    if !status.reference.is_empty() {
        super::filled("reference", status.reference.trim())?;
        if outside_desks::knows(&mut tx, &system, id, found.id).await? {
            let reference = status.reference.trim();
            outside_desks::set_reference(&mut tx, &system, id, found.id, reference).await?;
        }
    }
    let ordered = repair_cases::parts(&mut tx, &found).await?;
    if let Some(act) = step_of(&found, &ordered, &status)? {
        take(app, &mut tx, &scope, &mut found, act).await?;
    }
    tx.commit().await?;
    app.wake();
    Ok(found)
}

/// The outside desk that signed this. Who does not know its secret learns nothing, not even whether there is one.
async fn verified(
    tx: &mut Tx,
    system: &Scope,
    id: OutsideDeskId,
    headers: Headers<'_>,
    body: &[u8],
    now: Micros,
) -> Result<OutsideDesk, Refused> {
    let outside = outside_desks::get(tx, system, id).await?;
    let secrets = outside.as_ref().map(|outside| outside.secrets(now)).unwrap_or_default();
    webhook::verify(&secrets, headers, body, now.0.div_euclid(1_000_000)).map_err(Refused::Untrue)?;
    outside.ok_or(Refused::Untrue(Untrue::Forged))
}

/// The step that makes the case what the outside desk says; none where it is so already, or where the case is further.
fn step_of(case: &RepairCase, ordered: &[Part], status: &Status) -> Result<Option<Act>, Refused> {
    let now = case.state()?;
    let micros = |text: &str| text.trim().parse::<jiff::Timestamp>().ok().map(|at| at.as_microsecond());
    let step = match State::from_code(&status.state) {
        Some(State::Claimed) => (now == State::New).then_some(Act::Claim),
        Some(State::WaitingForUser) => {
            let is_asked =
                now == State::WaitingForUser && case.question.as_deref() == Some(status.question.trim());
            (!is_asked).then(|| Act::Ask(status.question.clone()))
        }
        Some(State::Scheduled) => {
            let at = status.appointment.clone().ok_or(Refused::invalid("field.missing", "appointment"))?;
            let is_set = now == State::Scheduled
                && case.appointment_from == micros(&at.from)
                && case.appointment_until == micros(&at.until);
            let StatusAppointment { from, until, time_zone, note } = at;
            // An outside desk has a calendar of its own.
            let outside_hours = true;
            (!is_set).then_some(Act::Appoint { from, until, time_zone, note, outside_hours })
        }
        Some(State::InRepair) => {
            let order = status.order.clone().ok_or(Refused::invalid("field.missing", "order"))?;
            let StatusOrder { order_reference: reference, part, quantity } = order;
            let is_ordered = ordered.iter().any(|part| part.order_reference == reference.trim());
            (!is_ordered).then_some(Act::Order { reference, part, quantity })
        }
        Some(State::Closed) => (now != State::Closed)
            .then(|| Act::Close { result: status.result.clone(), failure_code: status.failure_code.clone() }),
        _ => return Err(Refused::invalid("field.unknown_value", "state")),
    };
    Ok(step)
}
