//! `/api/v1`: one file a resource; the OpenAPI document is made from the handlers.

mod alerts;
mod audit_log;
mod cpins;
mod csv;
mod customers;
mod dead_jobs;
mod devices;
mod disputes;
pub(crate) mod enrolments;
mod entitlements;
pub(crate) mod error_file;
mod events;
pub(crate) mod explanations;
mod invitations;
mod mails;
mod notifications;
mod operations;
mod outside_desks;
mod own_headers;
mod partners;
mod partners_import;
mod profile;
mod recall_lists;
mod repair_cases;
mod repair_desk;
mod reporter_quality;
mod reporters;
mod sell_through_reports;
mod support_bundle;
mod support_cases;
mod tokens;
mod transfers;
mod unassigned_devices;
mod users;
mod xlsx;

use axum::Router;
use axum::response::{IntoResponse, Response};
use roadstead_domain::clock::Micros;
use roadstead_store::page::{Page, Rows};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::app::App;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Roadstead",
        description = "Sell-through reports in, PCs in their partners' holding tenants out. JSON in snake_case, \
                       bearer tokens, RFC 9457 problems, opaque cursors."
    ),
    servers((url = "/api/v1"))
)]
struct Document;

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(partners::create, partners::list))
        .routes(routes!(partners_import::import))
        .routes(routes!(partners::get))
        .routes(routes!(partners::record_qualification))
        .routes(routes!(reporters::create, reporters::list))
        .routes(routes!(sell_through_reports::submit, sell_through_reports::list))
        .routes(routes!(sell_through_reports::put))
        .routes(routes!(sell_through_reports::get))
        .routes(routes!(sell_through_reports::submit_for_good))
        .routes(routes!(sell_through_reports::withdraw))
        .routes(routes!(sell_through_reports::undo))
        .routes(routes!(own_headers::get, own_headers::put))
        .routes(routes!(reporter_quality::get))
        .routes(routes!(sell_through_reports::lines))
        .routes(routes!(sell_through_reports::errors_csv))
        .routes(routes!(sell_through_reports::acknowledgement))
        .routes(routes!(operations::get))
        .routes(routes!(operations::events))
        .routes(routes!(cpins::create, cpins::list))
        .routes(routes!(cpins::revoke))
        .routes(routes!(cpins::send_instructions))
        .routes(routes!(cpins::domains, cpins::set_domains))
        .routes(routes!(cpins::zero_touch, cpins::list_serials))
        .routes(routes!(cpins::unlist_serial))
        .routes(routes!(cpins::privacy, cpins::set_privacy))
        .routes(routes!(enrolments::list))
        .routes(routes!(enrolments::decide))
        .routes(routes!(unassigned_devices::list))
        .routes(routes!(customers::create, customers::list))
        .routes(routes!(customers::get, customers::change))
        .routes(routes!(customers::invite_again))
        .routes(routes!(customers::devices))
        .routes(routes!(customers::assigned_partner, customers::set_access))
        .routes(routes!(customers::step))
        .routes(routes!(customers::notification_settings, customers::set_notification_settings))
        .routes(routes!(notifications::get))
        .routes(routes!(customers::arrivals))
        .routes(routes!(customers::decline_arrivals))
        .routes(routes!(customers::confirm_arrivals))
        .routes(routes!(unassigned_devices::groups))
        .routes(routes!(devices::get))
        .routes(routes!(devices::history))
        .routes(routes!(devices::placement))
        .routes(routes!(alerts::raise, alerts::list))
        .routes(routes!(alerts::groups))
        .routes(routes!(alerts::get))
        .routes(routes!(alerts::close))
        .routes(routes!(recall_lists::list))
        .routes(routes!(recall_lists::import))
        .routes(routes!(recall_lists::ranges))
        .routes(routes!(recall_lists::remove))
        .routes(routes!(repair_cases::open, repair_cases::list))
        .routes(routes!(repair_cases::get))
        .routes(routes!(repair_cases::appoint))
        .routes(routes!(repair_cases::order))
        .routes(routes!(repair_cases::claim))
        .routes(routes!(repair_cases::close))
        .routes(routes!(repair_cases::step))
        .routes(routes!(repair_desk::hours, repair_desk::set_hours))
        .routes(routes!(repair_desk::appointments))
        .routes(routes!(outside_desks::get, outside_desks::connect, outside_desks::disconnect))
        .routes(routes!(outside_desks::renew_secret))
        .routes(routes!(outside_desks::retry))
        .routes(routes!(outside_desks::cases))
        .routes(routes!(outside_desks::status))
        .routes(routes!(explanations::explain))
        .routes(routes!(explanations::verdicts))
        .routes(routes!(support_cases::open, support_cases::list))
        .routes(routes!(support_cases::get))
        .routes(routes!(support_cases::serials))
        .routes(routes!(support_cases::say))
        .routes(routes!(support_cases::attach))
        .routes(routes!(support_cases::attached))
        .routes(routes!(support_bundle::get))
        .routes(routes!(support_bundle::solve))
        .routes(routes!(support_cases::decide))
        .routes(routes!(support_cases::close))
        .routes(routes!(disputes::list))
        .routes(routes!(disputes::get))
        .routes(routes!(disputes::decide))
        .routes(routes!(disputes::undo))
        .routes(routes!(transfers::preview, transfers::list))
        .routes(routes!(transfers::get))
        .routes(routes!(transfers::items))
        .routes(routes!(transfers::commit))
        .routes(routes!(transfers::undo))
        .routes(routes!(entitlements::correct))
        .routes(routes!(entitlements::terms))
        .routes(routes!(entitlements::set_term, entitlements::forget_term))
        .routes(routes!(audit_log::list))
        .routes(routes!(audit_log::proof))
        .routes(routes!(mails::list))
        .routes(routes!(users::list))
        .routes(routes!(users::change))
        .routes(routes!(users::reset_password))
        .routes(routes!(invitations::create, invitations::list))
        .routes(routes!(invitations::create_many))
        .routes(routes!(invitations::withdraw))
        .routes(routes!(profile::get, profile::set))
        .routes(routes!(profile::sessions))
        .routes(routes!(profile::end_session))
        .routes(routes!(tokens::create, tokens::list))
        .routes(routes!(tokens::revoke))
        .routes(routes!(dead_jobs::list))
        .routes(routes!(dead_jobs::retry))
        .routes(routes!(events::follow))
}

/// The routes.
pub fn router() -> Router<App> {
    let (router, document) = routes().split_for_parts();
    let text = document.to_json().unwrap_or_default();
    router.route(
        "/openapi.json",
        axum::routing::get(async move || ([("content-type", "application/json")], text).into_response()),
    )
}

/// The OpenAPI document.
pub fn document() -> utoipa::openapi::OpenApi {
    routes().split_for_parts().1
}

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PageQuery {
    /// Rows of a page, 1 to 1000.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl From<PageQuery> for Page {
    fn from(query: PageQuery) -> Self {
        Page { limit: query.limit, cursor: query.cursor.filter(|cursor| !cursor.is_empty()) }
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
struct ListOf<T: ToSchema> {
    items: Vec<T>,
    /// Null at the end.
    next_cursor: Option<String>,
}

impl<T: ToSchema> ListOf<T> {
    fn from_rows<U>(rows: Rows<U>, f: impl FnMut(U) -> T) -> Self {
        let Rows { items, next_cursor } = rows.map(f);
        Self { items, next_cursor }
    }
}

/// What was made, or what works on it.
#[derive(Debug, Serialize, ToSchema)]
struct Reference {
    id: Uuid,
}

/// An RFC 9457 problem.
#[derive(Debug, Serialize, ToSchema)]
struct ProblemBody {
    r#type: String,
    title: String,
    status: u16,
    /// Stable.
    code: String,
    /// Where it is and what to do.
    detail: String,
    request_id: String,
    /// What was found, in English.
    found: Option<String>,
    errors: Option<Vec<ProblemPlace>>,
    /// The headers of a file whose columns are not known.
    headers: Option<Vec<String>>,
}

/// Where the fault is.
#[derive(Debug, Serialize, ToSchema)]
struct ProblemPlace {
    row: Option<u64>,
    column: Option<String>,
    field: Option<String>,
    serial: Option<String>,
}

fn instant(micros: i64) -> String {
    Micros(micros).rfc3339()
}

fn created(id: Uuid) -> Response {
    (axum::http::StatusCode::CREATED, axum::Json(Reference { id })).into_response()
}
