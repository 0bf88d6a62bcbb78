//! `/device/v1`: what agents on PCs call, each request signed by the PC's own key. One file a resource.

mod check_ins;
mod enrolments;
mod events;
mod pop_ups;
mod repair_cases;
mod signed;

use axum::Router;
use axum::http::Method;
use axum::routing::{get, post};

use crate::app::App;

/// Every route, for the test that calls each one as somebody else.
pub const ROUTES: &[(Method, &str)] = &[
    (Method::POST, "/enrolments"),
    (Method::POST, "/check-ins"),
    (Method::GET, "/events"),
    (Method::GET, "/pop-ups/{id}"),
    (Method::POST, "/pop-ups/{id}/displayed"),
    (Method::POST, "/pop-ups/{id}/viewed"),
    (Method::POST, "/pop-ups/{id}/dismissed"),
    (Method::POST, "/repair-cases"),
    (Method::GET, "/repair-cases/{id}"),
    (Method::POST, "/repair-cases/{id}/cancel"),
    (Method::POST, "/repair-cases/{id}/answer"),
];

/// The routes.
pub fn router() -> Router<App> {
    Router::new()
        .route("/enrolments", post(enrolments::enrol))
        .route("/check-ins", post(check_ins::check_in))
        .route("/events", get(events::follow))
        .route("/pop-ups/{id}", get(pop_ups::show))
        .route("/pop-ups/{id}/displayed", post(pop_ups::displayed))
        .route("/pop-ups/{id}/viewed", post(pop_ups::viewed))
        .route("/pop-ups/{id}/dismissed", post(pop_ups::dismissed))
        .route("/repair-cases", post(repair_cases::submit))
        .route("/repair-cases/{id}", get(repair_cases::show))
        .route("/repair-cases/{id}/cancel", post(repair_cases::cancel))
        .route("/repair-cases/{id}/answer", post(repair_cases::answer))
}
