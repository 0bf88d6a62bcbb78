//! The settings of a customer tenant: overview, notifications, repair cases and its partner.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::Action;
use roadstead_domain::customer::{Assignment, Management, Step};
use roadstead_domain::self_service::{Switch, off_refused};
use roadstead_store::repair_cases::cases_to_support;
use roadstead_store::self_service as stored_switch;
use serde::Deserialize;

use super::customers::{Asked, PATH, done, found, inside, plan, state};
use super::format::link;
use super::layout::Frame;
use crate::app::App;
use crate::flows::repair_cases::routing::set_cases_to_support;
use crate::flows::{Refused, customers, self_service};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

/// A customer tenant's settings.
#[derive(Template)]
#[template(path = "customer_settings.html")]
pub(super) struct SettingsPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    pub(super) id: String,
    pub(super) tab: &'static str,
    pub(super) done: Option<String>,
    /// What was refused a moment ago: its text and advice.
    pub(super) refused: Option<(String, String)>,
    pub(super) number: String,
    /// Names and values.
    pub(super) facts: Vec<(String, String)>,
    pub(super) partner: Option<String>,
    pub(super) state: (&'static str, String),
    /// What the state means for the reader.
    pub(super) meaning: String,
    /// Whether the reader decides here, as the customer's IT admin.
    pub(super) decides: bool,
    pub(super) invited: bool,
    pub(super) accepted: bool,
    pub(super) requested: bool,
    pub(super) open: bool,
    /// How the self-service switch stands: its code and text; `None` where the reader may not look.
    pub(super) switch: Option<(&'static str, String)>,
    /// Whether its repair cases go to customer support whatever its partner is; `None` for who may not look.
    pub(super) to_support: Option<bool>,
    /// Why it may not be off: text and advice.
    pub(super) off_refused: Option<(String, String)>,
    pub(super) may_turn: bool,
}

/// Shows the settings of a customer tenant.
pub(super) async fn overview(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    settings(&app, &browser, &id, &uri, "overview", None).await
}

/// Shows Settings > Notifications.
pub(super) async fn notifications(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    settings(&app, &browser, &id, &uri, "notifications", None).await
}

/// Where the switch is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Turned {
    pub(super) to: String,
}

/// Turns the self-service switch.
pub(super) async fn turn(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
    Form(turned): Form<Turned>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::TurnSelfService)?;
    let to = match turned.to.as_str() {
        "on" => Switch::On,
        "off" => Switch::Off,
        _ => return Err(Problem::field("field.unknown_value", "to")),
    };
    let result = self_service::turn(&app, &scope, &id, to).await;
    turned_to(&app, &browser, &id, &uri, "notifications", (result, &turned.to)).await
}

/// Shows Settings > Repair cases.
pub(super) async fn repair_route(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    settings(&app, &browser, &id, &uri, "repair-cases", None).await
}

/// Says where the customer's repair cases go.
pub(super) async fn set_repair_route(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
    Form(turned): Form<Turned>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::TurnSelfService)?;
    let to_support = match turned.to.as_str() {
        "customer_support" => true,
        "by_qualification" => false,
        _ => return Err(Problem::field("field.unknown_value", "to")),
    };
    let result = set_cases_to_support(&app, &scope, &id, to_support).await;
    turned_to(&app, &browser, &id, &uri, "repair-cases", (result, "route")).await
}

/// The tab again: with what was done, or why it may not be.
async fn turned_to(
    app: &App,
    browser: &Browser,
    id: &str,
    uri: &Uri,
    tab: &'static str,
    (result, done): (Result<(), Refused>, &str),
) -> Result<Response, Problem> {
    match result {
        Ok(()) => {
            Ok(Redirect::to(&link(&format!("{PATH}/{id}/settings/{tab}"), &[("done", done)])).into_response())
        }
        Err(Refused::Conflict(code)) => settings(app, browser, id, uri, tab, Some(code)).await,
        Err(refused) => Err(refused.into()),
    }
}

/// Shows Settings > Assigned Partner.
pub(super) async fn assigned_partner(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    settings(&app, &browser, &id, &uri, "assigned-partner", None).await
}

async fn settings(
    app: &App,
    browser: &Browser,
    id: &str,
    uri: &Uri,
    tab: &'static str,
    refused: Option<&'static str>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadCustomers)?;
    let asked: Asked = super::query(uri);
    let lang = browser.lang;
    let mut tx = app.store.read(&scope).await?;
    let customer = found(&mut tx, &scope, id).await?;
    let is_customer = scope.customer().is_ok();
    let partner_run = customer.management()? == Management::Partner;
    let side = if is_customer { "customer" } else { "partner" };
    let meaning = if partner_run {
        lang.text(&format!("assigned-partner-run-{side}"))
    } else {
        let state = match customer.assignment.as_str() {
            "accepted" if !customer.partner_access => "closed",
            state => state,
        };
        lang.text(&format!("assigned-{state}-{side}"))
    };
    let admin = format!("{} {}", customer.admin_first_name, customer.admin_last_name);
    let facts = [
        ("customer-address", customer.address.clone()),
        ("customer-city", format!("{} {}", customer.postal_code, customer.city).trim().to_owned()),
        ("customer-country", customer.country.clone()),
        ("customer-admin", admin.trim().to_owned()),
        ("customer-admin-email", customer.admin_email.clone()),
        ("customer-identity-provider", customer.identity_provider.clone()),
        ("customer-plan", plan(&customer.plan).to_owned()),
        ("customer-management", lang.text(&format!("management-{}", customer.management))),
        ("customer-preset", lang.text(&format!("self-service-preset-{}", customer.preset.replace('_', "-")))),
    ]
    .map(|(key, value)| (lang.text(key), value))
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .collect();
    let is = |assignment: Assignment| customer.assignment == assignment.as_str();
    let open = is_customer || customer.is_open_to_partner();
    let (switch, held) = stored_switch::get(&mut tx, &scope, &customer).await?;
    let to_support = cases_to_support(&mut tx, customer.id).await?;
    let title = lang.text_with("customer-settings", &[("name", customer.name.as_str().into())]);
    let page = super::page(&SettingsPage {
        frame: inside(browser, uri, &scope, &customer, title),
        lang,
        csrf: browser.session.csrf.clone(),
        id: customer.id.to_string(),
        tab,
        done: done(lang, &asked.done),
        refused: refused.map(|code| lang.code_said(code)),
        number: customer.number.clone(),
        facts,
        partner: customer.partner_name.clone(),
        state: state(lang, &customer, app.ambient.now()),
        meaning,
        decides: is_customer && !partner_run && browser.may(Action::ManageOwnTenant).is_ok(),
        invited: is(Assignment::Invited),
        accepted: is(Assignment::Accepted),
        requested: is(Assignment::Requested),
        open: customer.partner_access,
        switch: open.then(|| (switch.as_str(), lang.text(&format!("self-service-{}", switch.as_str())))),
        to_support: open.then_some(to_support),
        off_refused: off_refused(held).map(|no| lang.code_said(no.code())),
        may_turn: browser.may(Action::TurnSelfService).is_ok() && !(is_customer && partner_run),
    })?;
    let status = if refused.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    Ok((status, page).into_response())
}

/// The step that a form takes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Taken {
    partner_number: String,
    access: String,
    /// `cards` if the form stands on the partner's cards.
    from: String,
}

/// Takes a step between customer and partner.
pub(super) async fn take_step(
    State(app): State<App>,
    browser: Browser,
    Path((id, step)): Path<(String, String)>,
    uri: Uri,
    Form(taken): Form<Taken>,
) -> Result<Response, Problem> {
    // Whom the tenant is open to is the customer's word alone.
    let scope = match step.as_str() {
        "access" => browser.may(Action::ManageOwnTenant)?,
        _ => customers::may_step(&browser.caller)?,
    };
    let asked = Some(taken.partner_number.trim()).filter(|number| !number.is_empty());
    let outcome = match step.as_str() {
        "accept" => customers::step(&app, &scope, &id, Step::Accept, None).await.map(|_| "assigned"),
        "decline" => customers::step(&app, &scope, &id, Step::Decline, None).await.map(|_| "assigned"),
        "end" => {
            let done = if scope.partner().is_ok() { "withdrawn" } else { "assigned" };
            customers::step(&app, &scope, &id, Step::End, None).await.map(|_| done)
        }
        "ask" => customers::step(&app, &scope, &id, Step::Ask, asked).await.map(|_| "assigned"),
        "access" => {
            let open = taken.access == "open";
            customers::set_partner_access(&app, &scope, &id, open).await.map(|()| "access")
        }
        _ => return Err(Problem::not_found()),
    };
    match outcome {
        Ok(done) => {
            let back = if taken.from == "cards" {
                link(PATH, &[("done", done)])
            } else {
                link(&format!("{PATH}/{id}/settings/assigned-partner"), &[("done", done)])
            };
            Ok(Redirect::to(&back).into_response())
        }
        Err(Refused::Conflict(code) | Refused::Invalid { code, .. }) => {
            settings(&app, &browser, &id, &uri, "assigned-partner", Some(code)).await
        }
        Err(refused) => Err(refused.into()),
    }
}
