//! Repair cases: read by those whom they concern, worked on by their desk.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::repair_case::Side;
use roadstead_domain::wire::repair_case::{Appointment, Contact};
use roadstead_store::repair_cases::{self as rows, RepairCase};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, Reference, created, instant};
use crate::app::App;
use crate::flows::repair_cases;
use crate::flows::repair_cases::opening::{ByHand, open_by_hand};
use crate::flows::repair_cases::steps::{self, Act};
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CaseBody {
    id: Uuid,
    number: String,
    serial_number: String,
    model: String,
    support_level: Option<String>,
    /// `new`, `claimed`, `waiting_for_user`, `scheduled`, `in_repair`, `closed` or `cancelled`.
    state: String,
    /// The kind of the alert; empty if there was none.
    alert_kind: String,
    found: String,
    /// `user`, `partner`, `customer` or `desk`.
    opened_by: String,
    /// Who repairs.
    desk: DeskBody,
    /// Who of the desk has it; for the desk.
    assignee: Option<AssigneeBody>,
    partner: String,
    /// The placement's generation when it was opened.
    generation: i64,
    #[schema(value_type = Option<Object>)]
    appointment: Option<Appointment>,
    result: Option<String>,
    failure_code: Option<String>,
    claim_reference: Option<String>,
    /// Whom to turn to and what they wrote; for the desk, for whoever opened it, and for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<PersonBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<Vec<NoteBody>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Vec<PartBody>>,
    created_at: String,
    updated_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeskBody {
    /// `customer_support` or `csdp:` and the partner's id.
    code: String,
    /// Why it went there: a stable code.
    reason: String,
    /// Whether it is the caller's to work on.
    own: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AssigneeBody {
    id: Uuid,
    name: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PersonBody {
    name: String,
    email: String,
    phone: String,
    text: String,
    preferred_times: String,
    question: Option<String>,
    /// Whether they turned mails about the case off.
    mails_muted: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NoteBody {
    /// `note`, `question`, `answer` or `handed_over`.
    kind: String,
    text: String,
    at: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PartBody {
    order_reference: String,
    part: String,
    quantity: i64,
    at: String,
}

fn body(scope: &Scope, case: RepairCase) -> CaseBody {
    let desk = DeskBody {
        code: case.desk().code(),
        reason: case.desk_reason.clone(),
        own: case.side(scope) == Side::Desk,
    };
    let assignee = case
        .assignee
        .filter(|_| desk.own)
        .map(|id| AssigneeBody { id, name: case.assignee_name.clone().unwrap_or_default() });
    let appointment = match (case.appointment_from, case.appointment_until) {
        (Some(from), Some(until)) => Some(Appointment {
            from: instant(from),
            until: instant(until),
            time_zone: case.appointment_zone.clone().unwrap_or_default(),
            note: case.appointment_note.clone().unwrap_or_default(),
        }),
        _ => None,
    };
    let person = case.shows_person(scope).then(|| PersonBody {
        name: case.contact_name.clone(),
        email: case.contact_email.clone(),
        phone: case.contact_phone.clone(),
        text: case.message.clone(),
        preferred_times: case.preferred_times.clone(),
        question: case.question.clone(),
        mails_muted: case.mails_muted,
    });
    CaseBody {
        id: case.id,
        number: case.number,
        serial_number: case.serial,
        model: case.model,
        support_level: case.support_level,
        state: case.state,
        alert_kind: case.kind,
        found: case.found,
        opened_by: case.opener,
        desk,
        assignee,
        partner: case.partner_name,
        generation: case.generation,
        appointment,
        result: case.result,
        failure_code: case.failure_code,
        claim_reference: case.claim_reference,
        person,
        notes: None,
        parts: None,
        created_at: instant(case.created_at),
        updated_at: instant(case.updated_at),
    }
}

async fn whole(app: &App, scope: &Scope, id: &str) -> Result<CaseBody, Problem> {
    let mut tx = app.store.read(scope).await?;
    let case = repair_cases::found(&mut tx, scope, id).await?;
    let is_desk = case.side(scope) == Side::Desk;
    let mut notes = None;
    if case.shows_person(scope) {
        let found = rows::notes(&mut tx, &case, is_desk).await?;
        let note = |note: rows::Note| NoteBody { kind: note.kind, text: note.body, at: instant(note.at) };
        notes = Some(found.into_iter().map(note).collect());
    }
    let mut parts = None;
    if is_desk {
        let part = |part: rows::Part| PartBody {
            order_reference: part.order_reference,
            part: part.part,
            quantity: part.quantity,
            at: instant(part.at),
        };
        parts = Some(rows::parts(&mut tx, &case).await?.into_iter().map(part).collect());
    }
    Ok(CaseBody { notes, parts, ..body(scope, case) })
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Leave out what is over.
    #[serde(default)]
    open: bool,
    /// Only those of one's own desk.
    #[serde(default)]
    own_desk: bool,
}

/// List repair cases, newest first.
#[utoipa::path(
    get, path = "/repair-cases", tag = "repair cases", params(Which, PageQuery),
    responses((status = 200, body = ListOf<CaseBody>), (status = 404, body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(which): Query<Which>,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<CaseBody>>, Problem> {
    let scope = caller.may(Action::ReadRepairCases)?;
    let filter = rows::Filter { open: which.open, own_desk: which.own_desk };
    let mut tx = app.store.read(&scope).await?;
    let found = rows::list(&mut tx, &scope, filter, &page.into()).await?.ok_or_else(Problem::cursor)?;
    Ok(Json(ListOf::from_rows(found, |case| body(&scope, case))))
}

/// A repair case.
#[utoipa::path(
    get, path = "/repair-cases/{id}", tag = "repair cases", params(("id" = String, Path)),
    responses((status = 200, body = CaseBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Json<CaseBody>, Problem> {
    let scope = caller.may(Action::ReadRepairCases)?;
    Ok(Json(whole(&app, &scope, &id).await?))
}

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct NewCase {
    /// The alert, or else the serial.
    alert: Option<String>,
    serial: String,
    #[schema(value_type = Object)]
    contact: Contact,
    text: String,
    preferred_times: String,
    /// Who called; customer support has to say, and a partner that opens it without an alert.
    caller: String,
}

/// Open a repair case in the user's place: where pop-ups are off, where the PC has no agent or has not been heard of for
/// an hour, or for somebody who calls customer support.
#[utoipa::path(
    post, path = "/repair-cases", tag = "repair cases", request_body = NewCase,
    responses((status = 201, body = Reference), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody))
)]
pub(super) async fn open(
    State(app): State<App>,
    caller: ApiCaller,
    Json(new): Json<NewCase>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::OpenRepairCases)?;
    let asked = ByHand {
        alert: new.alert,
        serial: new.serial,
        contact: new.contact,
        text: new.text,
        preferred_times: new.preferred_times,
        caller: new.caller,
    };
    let id = open_by_hand(&app, &scope, caller.lang, &asked).await?;
    Ok(created(id.0))
}

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct NewAppointment {
    /// RFC 3339.
    from: String,
    /// RFC 3339.
    until: String,
    /// An IANA name.
    time_zone: String,
    note: String,
    /// That it may lie outside of the desk's working hours; else it is refused there.
    outside_hours: bool,
}

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct NewOrder {
    /// One that the desk used before is refused.
    order_reference: String,
    part: String,
    quantity: i64,
}

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct NewClaim {
    /// The reference of the reimbursement claim.
    reference: String,
}

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct Outcome {
    /// What came of it, in words that the user reads.
    result: String,
    failure_code: String,
}

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct Said {
    /// A question, an answer, a note, or the reason of a hand-over.
    text: String,
    /// The case that this one becomes part of.
    into: String,
    /// Whom of one's own desk a case is assigned to, by id or address; oneself without it.
    user: String,
}

async fn act(
    app: &App,
    caller: &ApiCaller,
    action: Action,
    id: &str,
    act: Act,
) -> Result<(StatusCode, Json<CaseBody>), Problem> {
    let scope = caller.may(action)?;
    steps::act(app, &scope, id, act).await?;
    Ok((StatusCode::OK, Json(whole(app, &scope, id).await?)))
}

/// Say when somebody comes; only the desk that has the case may.
#[utoipa::path(
    post, path = "/repair-cases/{id}/appointment", tag = "repair cases", params(("id" = String, Path)),
    request_body = NewAppointment,
    responses((status = 200, body = CaseBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody))
)]
pub(super) async fn appoint(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Json(new): Json<NewAppointment>,
) -> Result<(StatusCode, Json<CaseBody>), Problem> {
    let NewAppointment { from, until, time_zone, note, outside_hours } = new;
    let appointment = Act::Appoint { from, until, time_zone, note, outside_hours };
    act(&app, &caller, Action::WorkRepairCases, &id, appointment).await
}

/// Order parts for a case.
#[utoipa::path(
    post, path = "/repair-cases/{id}/parts", tag = "repair cases", params(("id" = String, Path)),
    request_body = NewOrder,
    responses((status = 200, body = CaseBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody))
)]
pub(super) async fn order(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Json(new): Json<NewOrder>,
) -> Result<(StatusCode, Json<CaseBody>), Problem> {
    let NewOrder { order_reference: reference, part, quantity } = new;
    act(&app, &caller, Action::WorkRepairCases, &id, Act::Order { reference, part, quantity }).await
}

/// Claim the cost of a case that is closed.
#[utoipa::path(
    post, path = "/repair-cases/{id}/claim", tag = "repair cases", params(("id" = String, Path)),
    request_body = NewClaim,
    responses((status = 200, body = CaseBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody))
)]
pub(super) async fn claim(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Json(new): Json<NewClaim>,
) -> Result<(StatusCode, Json<CaseBody>), Problem> {
    act(&app, &caller, Action::WorkRepairCases, &id, Act::Reimburse(new.reference)).await
}

/// End a case with what came of it.
#[utoipa::path(
    post, path = "/repair-cases/{id}/close", tag = "repair cases", params(("id" = String, Path)),
    request_body = Outcome,
    responses((status = 200, body = CaseBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody))
)]
pub(super) async fn close(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Json(outcome): Json<Outcome>,
) -> Result<(StatusCode, Json<CaseBody>), Problem> {
    let Outcome { result, failure_code } = outcome;
    act(&app, &caller, Action::WorkRepairCases, &id, Act::Close { result, failure_code }).await
}

/// Take another step: `assign` (to a `user` of the desk, or take it on), `ask`, `answer`, `note`, `hand-over`, `merge` or
/// `cancel`. A case that was handed over is out of sight: 204.
#[utoipa::path(
    post, path = "/repair-cases/{id}/steps/{step}", tag = "repair cases",
    params(("id" = String, Path), ("step" = String, Path)), request_body = Said,
    responses((status = 200, body = CaseBody), (status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody))
)]
pub(super) async fn step(
    State(app): State<App>,
    caller: ApiCaller,
    Path((id, step)): Path<(String, String)>,
    Json(said): Json<Said>,
) -> Result<Response, Problem> {
    let (action, what) = match step.as_str() {
        "assign" if said.user.trim().is_empty() => (Action::WorkRepairCases, Act::Claim),
        "assign" => (Action::WorkRepairCases, Act::Assign(said.user)),
        "ask" => (Action::WorkRepairCases, Act::Ask(said.text)),
        "note" => (Action::WorkRepairCases, Act::Note(said.text)),
        "hand-over" => (Action::WorkRepairCases, Act::HandOver(said.text)),
        "merge" => (Action::WorkRepairCases, Act::Merge(said.into)),
        "answer" => (Action::OpenRepairCases, Act::Answer(said.text)),
        "cancel" => (Action::OpenRepairCases, Act::Cancel),
        _ => return Err(Problem::not_found()),
    };
    if step == "hand-over" {
        let scope = caller.may(action)?;
        steps::act(&app, &scope, &id, what).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(act(&app, &caller, action, &id, what).await?.into_response())
}
