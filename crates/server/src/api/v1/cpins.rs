//! How a customer's PCs come in: cPINs, domains, the zero-touch list. For its IT admin, and for the partner that the
//! customer has let in.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use roadstead_domain::access::Action;
use roadstead_domain::clock::Micros;
use roadstead_domain::cpin::Closed;
use roadstead_domain::ids::{CpinId, TenantId};
use roadstead_store::check_ins;
use roadstead_store::cpins::{self as rows, Cpin};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, instant};
use crate::app::App;
use crate::flows::cpins;
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct NewCpin {
    /// Its last day; a year from now if missing.
    #[schema(value_type = Option<String>, format = Date)]
    expires_on: Option<jiff::civil::Date>,
    /// How many PCs it may enrol; a million if missing.
    most_uses: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CpinBody {
    id: Uuid,
    /// As people type it: `7K3M-9QXP-2TRW`.
    cpin: String,
    /// `valid`, `expired`, `used_up` or `revoked`.
    state: &'static str,
    created_at: String,
    /// Whose admin made it: `partner` or `customer`.
    created_by: String,
    expires_at: String,
    most_uses: i64,
    uses: i64,
    last_used_at: Option<String>,
    /// The serial number of the PC that used it last.
    last_device: Option<String>,
}

fn body(cpin: Cpin, now: Micros) -> CpinBody {
    let state = match cpin.bounds().check(now) {
        Ok(()) => "valid",
        Err(Closed::Expired) => "expired",
        Err(Closed::UsedUp) => "used_up",
        Err(Closed::Revoked) => "revoked",
    };
    let shown = cpin.code.parse::<roadstead_domain::cpin::Cpin>().map_or(cpin.code, |cpin| cpin.to_string());
    CpinBody {
        id: cpin.id,
        cpin: shown,
        state,
        created_at: instant(cpin.created_at),
        created_by: cpin.made_by,
        expires_at: instant(cpin.expires_at),
        most_uses: cpin.most_uses,
        uses: cpin.uses,
        last_used_at: cpin.used_at.map(instant),
        last_device: cpin.used_by,
    }
}

/// Make a cPIN. The former one goes on for 14 days, older ones end.
#[utoipa::path(
    post, path = "/customers/{id}/cpins", tag = "enrolment", params(("id" = String, Path)), request_body = NewCpin,
    responses((status = 201, body = CpinBody), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn create(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    bytes: axum::body::Bytes,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::ManageEnrolment)?;
    let new: NewCpin = read_or_default(&bytes)?;
    let made = cpins::create(&app, &scope, &id, new.expires_on, new.most_uses).await?;
    Ok((StatusCode::CREATED, Json(body(made, app.ambient.now()))).into_response())
}

fn read_or_default<T: Default + serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(bytes).map_err(Problem::unreadable)
}

/// List the customer's cPINs, newest first: at most two are valid.
#[utoipa::path(
    get, path = "/customers/{id}/cpins", tag = "enrolment", params(("id" = String, Path)),
    responses((status = 200, body = ListOf<CpinBody>), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Json<ListOf<CpinBody>>, Problem> {
    let scope = caller.may(Action::ManageEnrolment)?;
    let mut tx = app.store.read(&scope).await?;
    let customer = cpins::manageable(&mut tx, &scope, &id).await?;
    let now = app.ambient.now();
    let made = rows::list(&mut tx, &scope, TenantId(customer.id)).await?;
    let items = made.into_iter().map(|cpin| body(cpin, now)).collect();
    Ok(Json(ListOf { items, next_cursor: None }))
}

/// Take a cPIN back. PCs that it enrolled stay.
#[utoipa::path(
    delete, path = "/customers/{id}/cpins/{cpin}", tag = "enrolment",
    params(("id" = String, Path), ("cpin" = Uuid, Path)),
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn revoke(
    State(app): State<App>,
    caller: ApiCaller,
    Path((id, cpin)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let scope = caller.may(Action::ManageEnrolment)?;
    let cpin: CpinId = cpin.parse().map_err(|_| Problem::not_found())?;
    cpins::revoke(&app, &scope, &id, cpin).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct Instructions {
    /// Whom to send them to; the customer's primary IT admin if missing.
    email: Option<String>,
    /// `en` or `de`.
    language: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Sent {
    sent_to: String,
}

/// Mail the customer the newest valid cPIN and how to enrol PCs with it.
#[utoipa::path(
    post, path = "/customers/{id}/cpins/instructions", tag = "enrolment", params(("id" = String, Path)),
    request_body = Instructions,
    responses((status = 202, body = Sent), (status = 403, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn send_instructions(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    bytes: axum::body::Bytes,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::ManageEnrolment)?;
    let new: Instructions = read_or_default(&bytes)?;
    let language = new.language.as_deref().unwrap_or(caller.lang.code());
    if crate::i18n::Lang::from_code(language).is_none() {
        return Err(Problem::field("field.unknown_value", "language"));
    }
    let sent_to = cpins::send_instructions(&app, &scope, &id, new.email.as_deref(), language).await?;
    Ok((StatusCode::ACCEPTED, Json(Sent { sent_to })).into_response())
}

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct Domains {
    /// The company's domains. Where there are any, a PC of another one is asked to confirm.
    domains: Vec<String>,
}

/// The customer's domains.
#[utoipa::path(
    get, path = "/customers/{id}/enrolment-domains", tag = "enrolment", params(("id" = String, Path)),
    responses((status = 200, body = Domains), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn domains(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Json<Domains>, Problem> {
    let scope = caller.may(Action::ManageEnrolment)?;
    let mut tx = app.store.read(&scope).await?;
    let customer = cpins::manageable(&mut tx, &scope, &id).await?;
    Ok(Json(Domains { domains: rows::domains(&mut tx, &scope, TenantId(customer.id)).await? }))
}

/// Replace the customer's domains.
#[utoipa::path(
    put, path = "/customers/{id}/enrolment-domains", tag = "enrolment", params(("id" = String, Path)),
    request_body = Domains,
    responses((status = 200, body = Domains), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn set_domains(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Json(new): Json<Domains>,
) -> Result<Json<Domains>, Problem> {
    let scope = caller.may(Action::ManageEnrolment)?;
    Ok(Json(Domains { domains: cpins::set_domains(&app, &scope, &id, &new.domains).await? }))
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ListedBody {
    serial_number: String,
    added_at: String,
    /// When the PC joined; null while it has not.
    joined_at: Option<String>,
}

/// The customer's zero-touch list by serial.
#[utoipa::path(
    get, path = "/customers/{id}/zero-touch-serials", tag = "enrolment", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = ListOf<ListedBody>), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn zero_touch(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<ListedBody>>, Problem> {
    let scope = caller.may(Action::ManageEnrolment)?;
    let mut tx = app.store.read(&scope).await?;
    let customer = cpins::manageable(&mut tx, &scope, &id).await?;
    let found = rows::zero_touch(&mut tx, &scope, TenantId(customer.id), &page.into()).await?;
    Ok(Json(ListOf::from_rows(found.ok_or_else(Problem::cursor)?, |listed| ListedBody {
        serial_number: listed.serial,
        added_at: instant(listed.added_at),
        joined_at: listed.joined_at.map(instant),
    })))
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct NewListed {
    serials: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Added {
    /// Serials that were not on the list before.
    added: u64,
}

/// Put serials on the zero-touch list, all or none: their PCs enrol by themselves, without a cPIN.
#[utoipa::path(
    post, path = "/customers/{id}/zero-touch-serials", tag = "enrolment", params(("id" = String, Path)),
    request_body = NewListed,
    responses((status = 200, body = Added), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn list_serials(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Json(new): Json<NewListed>,
) -> Result<Json<Added>, Problem> {
    let scope = caller.may(Action::ManageEnrolment)?;
    Ok(Json(Added { added: cpins::list_serials(&app, &scope, &id, &new.serials).await? }))
}

/// Take a serial off the zero-touch list. A PC that has joined stays.
#[utoipa::path(
    delete, path = "/customers/{id}/zero-touch-serials/{serial}", tag = "enrolment",
    params(("id" = String, Path), ("serial" = String, Path)),
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn unlist_serial(
    State(app): State<App>,
    caller: ApiCaller,
    Path((id, serial)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let scope = caller.may(Action::ManageEnrolment)?;
    cpins::unlist_serial(&app, &scope, &id, &serial).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Privacy {
    /// Whether agents tell who is signed in.
    collect_user: bool,
    /// Whether agents tell where a PC is.
    collect_location: bool,
}

/// What agents may tell of persons. In a pool it is never anything.
#[utoipa::path(
    get, path = "/customers/{id}/privacy", tag = "enrolment", params(("id" = String, Path)),
    responses((status = 200, body = Privacy), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn privacy(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Json<Privacy>, Problem> {
    let scope = caller.may(Action::ManageEnrolment)?;
    let mut tx = app.store.read(&scope).await?;
    let customer = cpins::manageable(&mut tx, &scope, &id).await?;
    let (collect_user, collect_location) = check_ins::privacy(&mut tx, TenantId(customer.id)).await?;
    Ok(Json(Privacy { collect_user, collect_location }))
}

/// Switch what agents may tell of persons; what is switched off is deleted. In a customer-run tenant it is for the IT
/// admin alone.
#[utoipa::path(
    put, path = "/customers/{id}/privacy", tag = "enrolment", params(("id" = String, Path)), request_body = Privacy,
    responses((status = 200, body = Privacy), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn set_privacy(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Json(new): Json<Privacy>,
) -> Result<Json<Privacy>, Problem> {
    let scope = caller.may(Action::ManageEnrolment)?;
    cpins::set_privacy(&app, &scope, &id, new.collect_user, new.collect_location).await?;
    Ok(Json(new))
}
