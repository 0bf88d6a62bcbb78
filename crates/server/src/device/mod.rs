//! `/device/v1`: what agents on PCs call, each request signed by the PC's own key. One file a resource.

mod check_ins;
mod enrolments;
mod signed;

use axum::Router;
use axum::http::Method;
use axum::routing::post;

use crate::app::App;

/// Every route, for the test that calls each one as somebody else.
pub const ROUTES: &[(Method, &str)] = &[(Method::POST, "/enrolments"), (Method::POST, "/check-ins")];

/// The routes.
pub fn router() -> Router<App> {
    Router::new().route("/enrolments", post(enrolments::enrol)).route("/check-ins", post(check_ins::check_in))
}
