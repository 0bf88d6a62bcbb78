//! The portal: pages rendered on the server. A handler asks whether it may, reads or calls a flow, fills a view and
//! renders it; each file holds one page.

mod account;
mod alerts;
mod arrivals;
mod assets;
mod columns;
mod customer_settings;
mod customers;
mod device;
mod disabling;
mod disputes;
mod door;
mod download;
mod entitlements;
mod explanation;
mod field;
mod format;
mod guides;
mod home;
mod import;
mod jobs;
mod layout;
mod logs;
mod mails;
mod new_customer;
mod notices;
mod outside_desk;
mod pager;
mod partners;
mod pending;
mod preferences;
mod qualifications;
mod quality;
mod recalls;
mod receipt;
mod repair_cases;
mod repair_desk;
mod report;
mod reporters;
mod reports;
mod sent_table;
mod session;
mod settings;
mod sign_in;
mod standing;
mod support_cases;
#[cfg(test)]
mod tests;
mod tokens;
mod transfers;
mod unassigned;
mod users;
mod verdicts;

use askama::Template;
use axum::extract::{DefaultBodyLimit, Query};
use axum::handler::Handler;
use axum::http::header::VARY;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use serde::de::DeserializeOwned;

use crate::flows::transfers::MOST_BYTES;
use crate::http::{Problem, Routes};
use crate::i18n::Lang;
pub(crate) use explanation::{said, said_of_cause};
pub(crate) use format::{encoded, instant};
use layout::Frame;

/// Every page and form of the portal.
pub fn routes() -> Routes {
    Routes::new()
        .get("/", session::start)
        .get("/sign-in", sign_in::show)
        .post("/sign-in", sign_in::submit)
        .post("/sign-out", session::sign_out)
        .get("/invitation", door::show_invitation)
        .post("/invitation", door::accept_invitation)
        .get("/password-reset", door::show_forgotten)
        .post("/password-reset", door::forgotten)
        .get("/password-reset/new", door::show_new_password)
        .post("/password-reset/new", door::choose_password)
        .get("/repair-mails", door::show_repair_mails)
        .post("/repair-mails", door::end_repair_mails)
        .post("/language", session::set_language)
        .get("/unassigned-devices", unassigned::show)
        .post("/unassigned-devices/views", unassigned::save_view)
        .post("/unassigned-devices/views/{id}/forget", unassigned::forget_view)
        .get("/devices", device::find)
        .get("/devices/{serial}", device::show)
        .get("/explain", explanation::show)
        .post("/explain", explanation::list)
        .get("/customers", customers::show)
        .get("/customers/new", new_customer::new)
        .post("/customers/new", new_customer::create)
        .get("/customers/{id}", customers::one)
        .post("/customers/{id}/invitation", customers::invite_again)
        .get("/customers/{id}/disabled", disabling::show)
        .post("/customers/{id}/disabled", disabling::set)
        .get("/customers/{id}/arrivals", arrivals::show)
        .post("/customers/{id}/arrivals", arrivals::decline)
        .post("/customers/{id}/arrivals/confirm", arrivals::confirm)
        .get("/customers/{id}/settings", customer_settings::overview)
        .get("/customers/{id}/settings/notifications", customer_settings::notifications)
        .post("/customers/{id}/settings/notifications", customer_settings::turn)
        .get("/customers/{id}/settings/repair-cases", customer_settings::repair_route)
        .post("/customers/{id}/settings/repair-cases", customer_settings::set_repair_route)
        .get("/customers/{id}/settings/assigned-partner", customer_settings::assigned_partner)
        .post("/customers/{id}/settings/assigned-partner/{step}", customer_settings::take_step)
        .get("/help", guides::first)
        .get("/help/{name}", guides::show)
        .get("/alerts", alerts::show)
        .get("/repair-desk", repair_cases::desk)
        .get("/repair-desk/calendar", repair_desk::calendar)
        .get("/repair-desk/hours", repair_desk::hours)
        .post("/repair-desk/hours", repair_desk::set_hours)
        .get("/repair-cases", repair_cases::show)
        .post("/repair-cases", repair_cases::open)
        .get("/repair-cases/new", repair_cases::new)
        .get("/repair-cases/{id}", repair_cases::one)
        .post("/repair-cases/{id}/{what}", repair_cases::act)
        .get("/support-cases", support_cases::show)
        .post("/support-cases", support_cases::open.layer(DefaultBodyLimit::max(support_cases::MOST_SENT)))
        .get("/support-cases/new", support_cases::new)
        .post("/support-cases/new", support_cases::new_with)
        .get("/support-cases/{id}", support_cases::one)
        .post(
            "/support-cases/{id}/messages",
            support_cases::say.layer(DefaultBodyLimit::max(support_cases::MOST_SENT)),
        )
        .post("/support-cases/{id}/{what}", support_cases::act)
        .get("/transfers", transfers::show)
        .post("/transfers", transfers::preview.layer(DefaultBodyLimit::max(MOST_BYTES)))
        .get("/transfers/new", transfers::new)
        .get("/transfers/{id}", transfers::one)
        .post("/transfers/{id}/commit", transfers::commit)
        .post("/transfers/{id}/undo", transfers::undo)
        .get("/notifications", notices::show)
        .get("/pending-enrolment", pending::show)
        .post("/pending-enrolment/{id}/{say}", pending::decide)
        .get("/customers/{id}/settings/agent", download::show)
        .get("/downloads/roadstead-agent", download::hand_out)
        .get("/customers/{id}/settings/preferences", preferences::show)
        .post("/customers/{id}/settings/preferences/cpins", preferences::make_cpin)
        .post("/customers/{id}/settings/preferences/cpins/{cpin}/revoke", preferences::revoke_cpin)
        .post("/customers/{id}/settings/preferences/instructions", preferences::send_instructions)
        .post("/customers/{id}/settings/preferences/domains", preferences::set_domains)
        .post("/customers/{id}/settings/preferences/zero-touch", preferences::list_serials)
        .post("/customers/{id}/settings/preferences/zero-touch/{serial}/remove", preferences::unlist_serial)
        .post("/customers/{id}/settings/preferences/privacy", preferences::set_privacy)
        .get("/reports", reports::show)
        .get("/reports/columns", columns::show)
        .post("/reports/columns", columns::save)
        .get("/reports/quality", quality::show)
        .get("/reports/template.csv", columns::template)
        .get("/reports/{id}", report::show)
        .post("/reports/{id}/submit", report::submit)
        .post("/reports/{id}/withdraw", report::withdraw)
        .post("/reports/{id}/undo", report::undo)
        .get("/partners", partners::show)
        .post("/partners", partners::add_partner)
        .post("/partners/{id}/qualifications", partners::record_qualification)
        .get("/account", account::show)
        .post("/account/profile", account::set_profile)
        .post("/account/password", account::change_password)
        .post("/account/sessions/end-others", account::end_others)
        .post("/account/sessions/{id}/end", account::end_session)
        .get("/settings", session::settings)
        .get("/settings/users", users::show)
        .post("/settings/users", users::invite)
        .post("/settings/users/list", users::invite_many)
        .post("/settings/users/{id}", users::change)
        .post("/settings/users/{id}/password-reset", users::reset)
        .post("/settings/invitations/{id}/withdraw", users::withdraw)
        .get("/settings/logs", logs::show)
        .get("/settings/tokens", tokens::show)
        .post("/settings/tokens", tokens::create)
        .post("/settings/tokens/{id}/revoke", tokens::revoke)
        .get("/settings/mails", mails::show)
        .get("/settings/outside-desk", outside_desk::show)
        .post("/settings/outside-desk", outside_desk::connect)
        .post("/settings/outside-desk/secret", outside_desk::renew_secret)
        .post("/settings/outside-desk/retry", outside_desk::retry)
        .post("/settings/outside-desk/disconnect", outside_desk::disconnect)
        .get("/partners/import", import::show)
        .post("/partners/import", import::submit)
        .get("/home", home::show)
        .get("/qualifications", qualifications::show)
        .get("/reporters", reporters::show)
        .post("/reporters", reporters::add)
        .get("/disputes", disputes::list)
        .get("/disputes/{report}/{line}", disputes::show)
        .post("/disputes/{report}/{line}/{what}", disputes::act)
        .get("/entitlements", entitlements::show)
        .post("/entitlements/terms", entitlements::set_term)
        .post("/entitlements/terms/forget", entitlements::forget_term)
        .post("/entitlements/correct", entitlements::correct)
        .get("/recalls", recalls::show)
        .post("/recalls", recalls::submit)
        .post("/recalls/remove", recalls::remove)
        .get("/jobs", jobs::show)
        .post("/jobs/{id}/retry", jobs::retry)
        .get("/assets/{digest}/{name}", assets::serve)
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    frame: Frame,
    lang: Lang,
    advice: String,
    request_id: &'a str,
    signed_out: bool,
}

/// A page that says what went wrong and what to do, in words of the stable code.
pub fn error_page(lang: Lang, status: StatusCode, code: &str, request_id: &str) -> Response {
    let signed_out = code == "unauthenticated";
    // What the API advises here is about tokens.
    let advice = if signed_out { String::new() } else { lang.code_advice(code) };
    let frame = Frame::visitor(lang, lang.code_text(code));
    match (ErrorPage { frame, lang, advice, request_id, signed_out }).render() {
        Ok(page) => (status, Html(page)).into_response(),
        Err(_) => (status, lang.code_text(code)).into_response(),
    }
}

/// What most pages fit into, in bytes: one that grows is copied each time that it outgrows its room.
const ROOM: usize = 64 << 10;

/// Renders a page.
fn page(template: &impl Template) -> Result<Response, Problem> {
    let mut html = String::with_capacity(ROOM);
    template.render_into(&mut html).map_err(|error| {
        tracing::error!(%error, "a page could not be rendered");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal")
    })?;
    // A live page asks for its list alone under the same address; no cache may mix the two up.
    Ok(([(VARY, "X-Fragment")], Html(html)).into_response())
}

/// Renders a page with a form. Where what was sent was wrong, its status says so, too.
fn form(template: &impl Template, is_wrong: bool) -> Result<Response, Problem> {
    let status = if is_wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, page(template)?).into_response())
}

/// Whether a live page asks for its list alone.
fn wants_list(headers: &HeaderMap) -> bool {
    headers.get("x-fragment").is_some_and(|value| value == "list")
}

/// The query of an address; one that cannot be read is none.
fn query<T: DeserializeOwned + Default>(uri: &Uri) -> T {
    Query::try_from_uri(uri).map(|Query(query)| query).unwrap_or_default()
}
