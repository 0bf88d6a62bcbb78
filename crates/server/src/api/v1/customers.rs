//! Customer tenants: for the partner that has them, and for each customer itself.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::arrival::DECLINE_FOR;
use roadstead_domain::customer::{Management, Preset, Step};
use roadstead_domain::partner::SupportLevel;
use roadstead_domain::privacy::Receipt;
use roadstead_domain::self_service::{Refusal, Switch, off_refused};
use roadstead_store::arrivals as arrivals_of;
use roadstead_store::customers::{self as rows, Customer, CustomerDevice};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, Reference, created, instant};
use crate::app::App;
use crate::flows::repair_cases::routing::set_cases_to_support;
use crate::flows::{arrivals as arrivals_flow, customers, self_service};
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct NewCustomer {
    /// The company's name.
    name: String,
    /// Street and house number.
    address: String,
    city: String,
    postal_code: String,
    /// Two capital letters after ISO 3166-1, or empty.
    country: String,
    /// The primary IT admin; may be missing if the partner runs the tenant.
    admin: NewAdmin,
    /// `premium` or `premium_plus`, as far as the partner is certified for it.
    plan: String,
    /// `customer` (default) or `partner`.
    management: String,
    /// The self-service switch's preset: `default` (default, whoever manages the tenant) or `off_when_allowed`.
    self_service: String,
}

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct NewAdmin {
    first_name: String,
    last_name: String,
    email: String,
    phone: String,
    identity_provider: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CustomerBody {
    id: Uuid,
    /// The Customer ID that people read.
    customer_id: String,
    name: String,
    address: String,
    city: String,
    postal_code: String,
    country: String,
    admin: AdminBody,
    plan: String,
    /// `customer` or `partner`.
    management: String,
    /// `default` or `off_when_allowed`.
    self_service: String,
    assigned_partner: AssignedPartnerBody,
    /// Null where the partner may not look into the tenant.
    devices: Option<i64>,
    disabled: bool,
    /// Until when the link works that the IT admin was sent last, also when that is over; null once they have joined or
    /// answered, and where nobody was invited.
    invited_until: Option<String>,
    created_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AdminBody {
    first_name: String,
    last_name: String,
    email: String,
    phone: String,
    /// How they sign in, as the partner named it; empty for a password.
    identity_provider: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AssignedPartnerBody {
    /// Null when no partner is assigned, asks or is asked.
    name: Option<String>,
    /// `invited`, `requested`, `accepted`, `declined` or `ended`.
    state: String,
    /// `open` or `closed`: whether the partner may look into the tenant and move PCs.
    access: &'static str,
}

impl From<Customer> for CustomerBody {
    fn from(customer: Customer) -> Self {
        Self {
            assigned_partner: assigned(&customer),
            id: customer.id,
            customer_id: customer.number,
            name: customer.name,
            address: customer.address,
            city: customer.city,
            postal_code: customer.postal_code,
            country: customer.country,
            admin: AdminBody {
                first_name: customer.admin_first_name,
                last_name: customer.admin_last_name,
                email: customer.admin_email,
                phone: customer.admin_phone,
                identity_provider: customer.identity_provider,
            },
            plan: customer.plan,
            management: customer.management,
            self_service: customer.preset,
            devices: customer.devices,
            disabled: customer.disabled_at.is_some(),
            invited_until: customer.invited_until.map(instant),
            created_at: instant(customer.created_at),
        }
    }
}

fn assigned(customer: &Customer) -> AssignedPartnerBody {
    AssignedPartnerBody {
        name: customer.partner_name.clone(),
        state: customer.assignment.clone(),
        access: if customer.is_open_to_partner() { "open" } else { "closed" },
    }
}

fn choice<T>(
    text: &str,
    usual: &str,
    field: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, Problem> {
    let text = if text.is_empty() { usual } else { text };
    read(text).ok_or_else(|| Problem::field("field.unknown_value", field))
}

/// Create a customer tenant.
#[utoipa::path(
    post, path = "/customers", tag = "customers", request_body = NewCustomer,
    responses((status = 201, body = Reference), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn create(
    State(app): State<App>,
    caller: ApiCaller,
    Json(new): Json<NewCustomer>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::ManageCustomers)?;
    if new.plan.is_empty() {
        return Err(Problem::field("field.missing", "plan"));
    }
    let admin = &new.admin;
    let id = customers::create(
        &app,
        &scope,
        &customers::NewCustomer {
            name: new.name.trim(),
            address: new.address.trim(),
            city: new.city.trim(),
            postal_code: new.postal_code.trim(),
            country: new.country.trim(),
            admin: customers::NewAdmin {
                first_name: admin.first_name.trim(),
                last_name: admin.last_name.trim(),
                email: admin.email.trim(),
                phone: admin.phone.trim(),
                identity_provider: admin.identity_provider.trim(),
            },
            plan: choice(&new.plan, "", "plan", SupportLevel::from_code)?,
            management: choice(&new.management, "customer", "management", Management::from_code)?,
            preset: choice(&new.self_service, "default", "self_service", Preset::from_code)?,
        },
    )
    .await?;
    Ok(created(id.0))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Search {
    /// Part of the name or Customer ID; in a list of PCs part of serial, product or model.
    #[serde(default)]
    q: String,
}

/// List the customers of the partner by name; a customer finds itself.
#[utoipa::path(
    get, path = "/customers", tag = "customers", params(Search, PageQuery),
    responses((status = 200, body = ListOf<CustomerBody>), (status = 404, body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(search): Query<Search>,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<CustomerBody>>, Problem> {
    let scope = caller.may(Action::ReadCustomers)?;
    let mut tx = app.store.read(&scope).await?;
    let found = rows::list(&mut tx, &scope, &search.q, &page.into()).await?.ok_or_else(Problem::cursor)?;
    Ok(Json(ListOf::from_rows(found, CustomerBody::from)))
}

/// A customer by id or Customer ID.
#[utoipa::path(
    get, path = "/customers/{id}", tag = "customers", params(("id" = String, Path)),
    responses((status = 200, body = CustomerBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Json<CustomerBody>, Problem> {
    let scope = caller.may(Action::ReadCustomers)?;
    let mut tx = app.store.read(&scope).await?;
    Ok(Json(customers::found(&mut tx, &scope, &id).await?.into()))
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct CustomerChange {
    /// `true`: the tenant takes no PC in, by transfer, cPIN or list, until it is enabled again; what is there stays.
    disabled: Option<bool>,
}

/// Disable a customer tenant, or enable it again. Only the partner that manages it may.
#[utoipa::path(
    patch, path = "/customers/{id}", tag = "customers", params(("id" = String, Path)), request_body = CustomerChange,
    responses(
        (status = 200, body = CustomerBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)
    )
)]
pub(super) async fn change(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Json(change): Json<CustomerChange>,
) -> Result<Json<CustomerBody>, Problem> {
    let scope = caller.may(Action::ManageCustomers)?;
    let disabled = change.disabled.ok_or_else(|| Problem::field("field.missing", "disabled"))?;
    customers::set_disabled(&app, &scope, &id, disabled).await?;
    let mut tx = app.store.read(&scope).await?;
    Ok(Json(customers::found(&mut tx, &scope, &id).await?.into()))
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct InvitedAgain {
    /// Where the invitation goes from now on; empty: where it went before.
    email: String,
}

/// Invite the customer's IT admin again, who has not joined yet. The link that was sent before no longer works. To take an
/// invitation back is `assigned-partner/end`.
#[utoipa::path(
    post, path = "/customers/{id}/invitation", tag = "customers", params(("id" = String, Path)), request_body = InvitedAgain,
    responses(
        (status = 200, body = CustomerBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)
    )
)]
pub(super) async fn invite_again(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Json(again): Json<InvitedAgain>,
) -> Result<Json<CustomerBody>, Problem> {
    let scope = caller.may(Action::ManageCustomers)?;
    customers::invite_again(&app, &scope, &id, &again.email).await?;
    let mut tx = app.store.read(&scope).await?;
    Ok(Json(customers::found(&mut tx, &scope, &id).await?.into()))
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CustomerDeviceBody {
    id: Uuid,
    serial_number: String,
    product_number: String,
    model: String,
    /// `premium`, `premium_plus` or null.
    support_level: Option<String>,
    /// When it came into the tenant.
    since: String,
    /// When its agent last said how it is; null if it never has.
    last_seen: Option<String>,
    /// By what it is shown to be in the tenant's hands: `cpin`, `key`, `confirmed`; null while everything of persons is
    /// sealed.
    possession: Option<String>,
    /// Who was signed in last, if the customer wants to know.
    last_user: Option<String>,
    /// Where it is, if the customer wants to know.
    location: Option<String>,
}

impl From<CustomerDevice> for CustomerDeviceBody {
    fn from(pc: CustomerDevice) -> Self {
        Self {
            id: pc.id,
            serial_number: pc.serial,
            product_number: pc.product_number,
            model: pc.model,
            support_level: pc.support_level,
            since: instant(pc.since),
            last_seen: pc.seen_at.map(instant),
            possession: pc.proof,
            last_user: pc.last_user,
            location: pc.location,
        }
    }
}

/// List the PCs of a customer tenant by serial.
#[utoipa::path(
    get, path = "/customers/{id}/devices", tag = "customers", params(("id" = String, Path), Search, PageQuery),
    responses((status = 200, body = ListOf<CustomerDeviceBody>), (status = 404, body = ProblemBody))
)]
pub(super) async fn devices(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Query(search): Query<Search>,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<CustomerDeviceBody>>, Problem> {
    let scope = caller.may(Action::ReadCustomers)?;
    let mut tx = app.store.read(&scope).await?;
    let customer = customers::found(&mut tx, &scope, &id).await?;
    if scope.partner().is_ok() && !customer.is_open_to_partner() {
        return Err(Problem::new(StatusCode::FORBIDDEN, "customer.not_open"));
    }
    let today = app.ambient.now().date();
    let found = rows::devices(&mut tx, &scope, &customer, &search.q, &page.into(), today).await?;
    Ok(Json(ListOf::from_rows(found.ok_or_else(Problem::cursor)?, CustomerDeviceBody::from)))
}

/// How the customer stands with its partner.
#[utoipa::path(
    get, path = "/customers/{id}/assigned-partner", tag = "customers", params(("id" = String, Path)),
    responses((status = 200, body = AssignedPartnerBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn assigned_partner(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Json<AssignedPartnerBody>, Problem> {
    let scope = caller.may(Action::ReadCustomers)?;
    let mut tx = app.store.read(&scope).await?;
    Ok(Json(assigned(&customers::found(&mut tx, &scope, &id).await?)))
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct AccessChange {
    /// `open` or `closed`.
    access: String,
}

/// Let the partner look into the tenant, or not. The customer's own decision.
#[utoipa::path(
    patch, path = "/customers/{id}/assigned-partner", tag = "customers", params(("id" = String, Path)),
    request_body = AccessChange,
    responses((status = 200, body = AssignedPartnerBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody))
)]
pub(super) async fn set_access(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Json(change): Json<AccessChange>,
) -> Result<Json<AssignedPartnerBody>, Problem> {
    let scope = caller.may(Action::ManageOwnTenant)?;
    let open = choice(&change.access, "", "access", |text| match text {
        "open" => Some(true),
        "closed" => Some(false),
        _ => None,
    })?;
    customers::set_partner_access(&app, &scope, &id, open).await?;
    let mut tx = app.store.read(&scope).await?;
    Ok(Json(assigned(&customers::found(&mut tx, &scope, &id).await?)))
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct Asked {
    /// The number of the partner that is asked; only for `ask`.
    partner_number: Option<String>,
}

/// Accept, decline, end or ask: the customer answers an invitation, ends its partner or asks another one; a partner
/// answers a customer that asked it, or ends an invitation that is not answered: its link no longer works, and the customer
/// leaves the partner's list.
#[utoipa::path(
    post, path = "/customers/{id}/assigned-partner/{step}", tag = "customers",
    params(("id" = String, Path), ("step" = String, Path, description = "`accept`, `decline`, `end` or `ask`")),
    request_body = Asked,
    responses((status = 200, body = AssignedPartnerBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody))
)]
pub(super) async fn step(
    State(app): State<App>,
    caller: ApiCaller,
    Path((id, step)): Path<(String, String)>,
    body: axum::body::Bytes,
) -> Result<Json<AssignedPartnerBody>, Problem> {
    let scope = customers::may_step(&caller.caller)?;
    let step = match step.as_str() {
        "accept" => Step::Accept,
        "decline" => Step::Decline,
        "end" => Step::End,
        "ask" => Step::Ask,
        _ => return Err(Problem::not_found()),
    };
    let asked: Asked = if body.is_empty() {
        Asked::default()
    } else {
        serde_json::from_slice(&body).map_err(Problem::unreadable)?
    };
    let state = customers::step(&app, &scope, &id, step, asked.partner_number.as_deref()).await?;
    // Who declined or ended it no longer finds the customer.
    let mut tx = app.store.read(&scope).await?;
    Ok(Json(match rows::find(&mut tx, &scope, &id).await? {
        Some(customer) => assigned(&customer),
        None => AssignedPartnerBody { name: None, state: state.as_str().to_owned(), access: "closed" },
    }))
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ArrivalBody {
    serial_number: String,
    model: String,
    /// When it came.
    arrived_at: String,
    /// Until when it may be declined.
    decline_until: String,
    /// By what it is shown to be in the customer's hands: `cpin`, `key`, `confirmed`; null while everything of persons is
    /// sealed.
    possession: Option<String>,
}

/// List the PCs that the partner moved to the customer and that may still be declined, newest first.
#[utoipa::path(
    get, path = "/customers/{id}/arrivals", tag = "customers", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = ListOf<ArrivalBody>), (status = 404, body = ProblemBody))
)]
pub(super) async fn arrivals(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<ArrivalBody>>, Problem> {
    let scope = caller.may(Action::ReadCustomers)?;
    let mut tx = app.store.read(&scope).await?;
    customers::found(&mut tx, &scope, &id).await?;
    let found = arrivals_of::list(&mut tx, &scope, app.ambient.now(), &page.into()).await?;
    Ok(Json(ListOf::from_rows(found.ok_or_else(Problem::cursor)?, |arrival| ArrivalBody {
        serial_number: arrival.serial,
        model: arrival.model,
        arrived_at: instant(arrival.at),
        decline_until: instant(arrival.at + DECLINE_FOR),
        possession: arrival.proof,
    })))
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct Declined {
    /// At most 1,000.
    serials: Vec<String>,
    /// What the partner reads in its log.
    reason: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeclinedBody {
    declined: u64,
    /// By class (`readings`, `last_user`, `location`, `free_text`) how many PCs' data were kept, wiped, sealed.
    #[schema(value_type = Object)]
    privacy: Receipt,
}

/// Send PCs back to where they came from, all or none.
#[utoipa::path(
    post, path = "/customers/{id}/arrivals/decline", tag = "customers", params(("id" = String, Path)),
    request_body = Declined,
    responses((status = 200, body = DeclinedBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody))
)]
pub(super) async fn decline_arrivals(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Json(asked): Json<Declined>,
) -> Result<Json<DeclinedBody>, Problem> {
    let scope = caller.may(Action::ManageOwnTenant)?;
    let mut tx = app.store.read(&scope).await?;
    customers::found(&mut tx, &scope, &id).await?;
    drop(tx);
    let (declined, privacy) = arrivals_flow::decline(&app, &scope, &asked.serials, &asked.reason).await?;
    Ok(Json(DeclinedBody { declined, privacy }))
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct Confirmed {
    /// At most 1,000.
    serials: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConfirmedBody {
    /// PCs whose data are open from now on; those that were before do not count.
    confirmed: u64,
}

/// Say that PCs are in the customer's hands, all or none: what their agents tell of persons since they came is open from
/// then on.
#[utoipa::path(
    post, path = "/customers/{id}/arrivals/confirm", tag = "customers", params(("id" = String, Path)),
    request_body = Confirmed,
    responses((status = 200, body = ConfirmedBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody))
)]
pub(super) async fn confirm_arrivals(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Json(asked): Json<Confirmed>,
) -> Result<Json<ConfirmedBody>, Problem> {
    let scope = caller.may(Action::ManageOwnTenant)?;
    let mut tx = app.store.read(&scope).await?;
    customers::found(&mut tx, &scope, &id).await?;
    drop(tx);
    let confirmed = arrivals_flow::confirm(&app, &scope, &asked.serials).await?;
    Ok(Json(ConfirmedBody { confirmed }))
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NotificationSettingsBody {
    /// `unset` before the first PC, `on` or `off`.
    self_service: &'static str,
    /// Whether it may be off now.
    off_allowed: bool,
    /// Why not: `self_service.no_device_yet`, `self_service.no_entitled_device_yet` or null.
    reason: Option<&'static str>,
    /// Where repair cases go: `by_qualification` of the partner, or always to `customer_support`.
    repair_cases: &'static str,
}

async fn settings_body(app: &App, scope: &Scope, id: &str) -> Result<NotificationSettingsBody, Problem> {
    let mut tx = app.store.read(scope).await?;
    let (customer, switch, held) = self_service::read(&mut tx, scope, id).await?;
    let to_support = roadstead_store::repair_cases::cases_to_support(&mut tx, customer.id).await?;
    let refused = off_refused(held);
    Ok(NotificationSettingsBody {
        self_service: switch.as_str(),
        off_allowed: refused.is_none(),
        reason: refused.map(Refusal::code),
        repair_cases: if to_support { "customer_support" } else { "by_qualification" },
    })
}

/// How the self-service switch of the customer tenant stands.
#[utoipa::path(
    get, path = "/customers/{id}/notification-settings", tag = "customers", params(("id" = String, Path)),
    responses((status = 200, body = NotificationSettingsBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn notification_settings(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Json<NotificationSettingsBody>, Problem> {
    let scope = caller.may(Action::ReadCustomers)?;
    Ok(Json(settings_body(&app, &scope, &id).await?))
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct SwitchChange {
    /// `on` or `off`; empty leaves it.
    self_service: String,
    /// `by_qualification` or `customer_support`; empty leaves it.
    repair_cases: String,
}

/// Turn the self-service switch of the customer tenant, or say where its repair cases go.
#[utoipa::path(
    patch, path = "/customers/{id}/notification-settings", tag = "customers", params(("id" = String, Path)),
    request_body = SwitchChange,
    responses((status = 200, body = NotificationSettingsBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody))
)]
pub(super) async fn set_notification_settings(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Json(change): Json<SwitchChange>,
) -> Result<Json<NotificationSettingsBody>, Problem> {
    let scope = caller.may(Action::TurnSelfService)?;
    let to_support = match change.repair_cases.as_str() {
        "" => None,
        "by_qualification" => Some(false),
        "customer_support" => Some(true),
        _ => return Err(Problem::field("field.unknown_value", "repair_cases")),
    };
    if to_support.is_none() || !change.self_service.is_empty() {
        let wanted = choice(&change.self_service, "", "self_service", |text| {
            Switch::from_code(text).filter(|switch| *switch != Switch::Unset)
        })?;
        self_service::turn(&app, &scope, &id, wanted).await?;
    }
    if let Some(to_support) = to_support {
        set_cases_to_support(&app, &scope, &id, to_support).await?;
    }
    Ok(Json(settings_body(&app, &scope, &id).await?))
}
