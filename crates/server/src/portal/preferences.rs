//! Settings, Preferences of a customer tenant: how its PCs come in. cPINs, the silent install, domains, the zero-touch
//! list, and what agents may tell of persons.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::cpin::{Closed, Cpin};
use roadstead_domain::customer::Management;
use roadstead_domain::ids::{CpinId, TenantId};
use roadstead_store::{check_ins, cpins as rows};
use serde::Deserialize;

use super::format::{instant, link, number};
use super::layout::Frame;
use super::pager::{Pager, page_at};
use crate::app::App;
use crate::flows::{Refused, cpins};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

/// Serials of the zero-touch list that the page shows at a time.
const SHOWN: i64 = 100;

type Sent = HashMap<String, String>;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cursor: String,
    done: String,
    refused: String,
}

/// A cPIN as the page shows it.
struct CpinView {
    id: String,
    /// By which side, and when.
    made: String,
    code: String,
    state: &'static str,
    state_text: String,
    is_valid: bool,
    expires: String,
    uses: String,
    last: String,
}

/// The page.
#[derive(Template)]
#[template(path = "preferences.html")]
struct PreferencesPage {
    frame: Frame,
    lang: Lang,
    csrf: String,
    id: String,
    tab: &'static str,
    name: String,
    is_disabled: bool,
    done: Option<String>,
    refused: Option<(String, String)>,
    cpins: Vec<CpinView>,
    /// Where the instructions go if nobody says.
    admin_email: String,
    /// The command of a silent install with the newest valid cPIN.
    install: Option<String>,
    domains: String,
    serials: Vec<(String, String)>,
    pager: Pager,
    collect_user: bool,
    collect_location: bool,
    decides_privacy: bool,
}

fn path(customer: &str) -> String {
    format!("/customers/{customer}/settings/preferences")
}

/// Shows the page.
pub(super) async fn show(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageEnrolment)?;
    let lang = browser.lang;
    let asked: Asked = super::query(&uri);
    let mut tx = app.store.read(&scope).await?;
    let customer = cpins::manageable(&mut tx, &scope, &id).await?;
    let tenant = TenantId(customer.id);
    let now = app.ambient.now();
    let made = rows::list(&mut tx, &scope, tenant).await?;
    let views: Vec<CpinView> = made.into_iter().take(20).map(|cpin| view(lang, cpin, now)).collect();
    let page = page_at(&asked.cursor, Some(SHOWN));
    let Some(listed) = rows::zero_touch(&mut tx, &scope, tenant, &page).await? else {
        return Ok(Redirect::to(&path(&id)).into_response());
    };
    let (collect_user, collect_location) = check_ins::privacy(&mut tx, tenant).await?;
    let domains = rows::domains(&mut tx, &scope, tenant).await?.join(", ");
    let install = views.iter().find(|view| view.is_valid).map(|view| {
        format!("roadstead-agent --config /etc/roadstead-agent.toml enrol --yes --cpin {}", view.code)
    });
    let done = ["cpin", "revoked", "sent", "domains", "listed", "unlisted", "privacy"]
        .contains(&asked.done.as_str());
    let refused = !asked.refused.is_empty() && KNOWN.contains(&asked.refused.as_str());
    let title = lang.text("preferences-title");
    let mut frame = super::customers::inside(&browser, &uri, &scope, &customer, title);
    frame.here = path(&id);
    super::page(&PreferencesPage {
        frame,
        lang,
        csrf: browser.session.csrf.clone(),
        id: customer.id.to_string(),
        tab: "preferences",
        decides_privacy: may_decide_privacy(&scope, customer.management()? == Management::Customer),
        is_disabled: customer.disabled_at.is_some(),
        name: customer.name,
        admin_email: customer.admin_email,
        done: done.then(|| lang.text(&format!("preferences-done-{}", asked.done))),
        refused: refused.then(|| lang.code_said(&asked.refused)),
        cpins: views,
        install,
        domains,
        pager: Pager::new(lang, &asked.cursor, listed.next_cursor, |cursor| {
            link(&path(&id), &[("cursor", cursor)])
        }),
        serials: listed
            .items
            .into_iter()
            .map(|listed| {
                let joined = listed.joined_at.map(|at| instant(lang, Micros(at)));
                (listed.serial, joined.unwrap_or_else(|| lang.text("preferences-not-joined")))
            })
            .collect(),
        collect_user,
        collect_location,
    })
}

fn may_decide_privacy(scope: &Scope, customer_run: bool) -> bool {
    scope.customer().is_ok() || !customer_run
}

/// What a form of this page can be refused for.
const KNOWN: [&str; 10] = [
    "cpin.customer_disabled",
    "cpin.none_valid",
    "field.missing",
    "field.not_an_address",
    "date.past",
    "field.not_a_date",
    "field.unknown_value",
    "field.too_many",
    "domain.invalid",
    "serial.invalid",
];

fn view(lang: Lang, cpin: rows::Cpin, now: Micros) -> CpinView {
    let state = match cpin.bounds().check(now) {
        Ok(()) => "valid",
        Err(Closed::Expired) => "expired",
        Err(Closed::UsedUp) => "used-up",
        Err(Closed::Revoked) => "revoked",
    };
    let last = cpin.used_at.map(|at| instant(lang, Micros(at)));
    CpinView {
        id: cpin.id.to_string(),
        made: lang.text_with(
            if cpin.made_by == "partner" { "cpin-made-partner" } else { "cpin-made-customer" },
            &[("at", instant(lang, Micros(cpin.created_at)).into())],
        ),
        code: cpin.code.parse::<Cpin>().map_or(cpin.code, |cpin| cpin.to_string()),
        state,
        state_text: lang.text(&format!("cpin-state-{state}")),
        is_valid: state == "valid",
        expires: instant(lang, Micros(cpin.expires_at)),
        uses: lang.text_with(
            "cpin-uses",
            &[("uses", number(lang, cpin.uses).into()), ("most", number(lang, cpin.most_uses).into())],
        ),
        last: match (last, cpin.used_by) {
            (Some(at), Some(serial)) => format!("{at}, {serial}"),
            _ => lang.text("cpin-never-used"),
        },
    }
}

/// Back to the page: what was done, or why it was not.
fn back<T>(id: &str, done: &str, outcome: Result<T, Refused>) -> Result<Response, Problem> {
    let to = match outcome {
        Ok(_) => link(&path(id), &[("done", done)]),
        Err(refused) => {
            let problem = Problem::from(refused);
            if !KNOWN.contains(&problem.code) {
                return Err(problem);
            }
            link(&path(id), &[("refused", problem.code)])
        }
    };
    Ok(Redirect::to(&to).into_response())
}

fn text<'a>(sent: &'a Sent, name: &str) -> &'a str {
    sent.get(name).map_or("", |value| value.trim())
}

/// Makes a cPIN.
pub(super) async fn make_cpin(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageEnrolment)?;
    let made = async {
        let last_day = match text(&sent, "expires_on") {
            "" => None,
            day => Some(day.parse().map_err(|_| Refused::invalid("field.not_a_date", "expires_on"))?),
        };
        let most_uses = match text(&sent, "most_uses") {
            "" => None,
            uses => Some(uses.parse().map_err(|_| Refused::invalid("field.unknown_value", "most_uses"))?),
        };
        cpins::create(&app, &scope, &id, last_day, most_uses).await
    };
    back(&id, "cpin", made.await)
}

/// Takes a cPIN back.
pub(super) async fn revoke_cpin(
    State(app): State<App>,
    browser: Browser,
    Path((id, cpin)): Path<(String, String)>,
    Form(_): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageEnrolment)?;
    let cpin: CpinId = cpin.parse().map_err(|_| Problem::not_found())?;
    back(&id, "revoked", cpins::revoke(&app, &scope, &id, cpin).await)
}

/// Mails the customer how to enrol PCs.
pub(super) async fn send_instructions(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageEnrolment)?;
    let email = Some(text(&sent, "email"));
    back(&id, "sent", cpins::send_instructions(&app, &scope, &id, email, browser.lang.code()).await)
}

/// Replaces the domains.
pub(super) async fn set_domains(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageEnrolment)?;
    back(&id, "domains", cpins::set_domains(&app, &scope, &id, &words(text(&sent, "domains"))).await)
}

/// Puts serials on the zero-touch list.
pub(super) async fn list_serials(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageEnrolment)?;
    back(&id, "listed", cpins::list_serials(&app, &scope, &id, &words(text(&sent, "serials"))).await)
}

/// Takes a serial off the zero-touch list.
pub(super) async fn unlist_serial(
    State(app): State<App>,
    browser: Browser,
    Path((id, serial)): Path<(String, String)>,
    Form(_): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageEnrolment)?;
    back(&id, "unlisted", cpins::unlist_serial(&app, &scope, &id, &serial).await)
}

fn words(text: &str) -> Vec<String> {
    let split = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
    text.split(split).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Switches what agents may tell of persons.
pub(super) async fn set_privacy(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageEnrolment)?;
    let on = |name| !text(&sent, name).is_empty();
    let set = cpins::set_privacy(&app, &scope, &id, on("collect_user"), on("collect_location"));
    back(&id, "privacy", set.await)
}
