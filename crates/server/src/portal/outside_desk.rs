//! Settings > Outside desk: where the cases of one's own desk are forwarded to, and what was told.

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::clock::Micros;
use roadstead_store::outside_desks as rows;
use serde::Deserialize;

use super::format::{instant, link, number};
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use super::session::Nothing;
use super::settings::{Tab, Tabs};
use crate::app::App;
use crate::flows::{Refused, outside_desks as flow};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

const PATH: &str = "/settings/outside-desk";
const DONE: [&str; 2] = ["retried", "disconnected"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cursor: String,
    done: String,
}

/// What was told of a case.
pub(super) struct Row {
    pub(super) link: String,
    pub(super) number: String,
    pub(super) reference: String,
    /// The state's mood and text.
    pub(super) state: (&'static str, String),
    /// Why it was not taken, and when it is sent again.
    pub(super) fault: String,
    pub(super) delivered: String,
}

/// The connection as it is.
pub(super) struct Connected {
    pub(super) url: String,
    pub(super) since: String,
    /// Why nothing is sent: the text and what to do.
    pub(super) stopped: Option<(String, String)>,
    pub(super) rows: Vec<Row>,
    pub(super) pager: Pager,
}

/// The page.
#[derive(Template)]
#[template(path = "outside_desk.html")]
pub(super) struct OutsideDeskPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) tabs: Tabs,
    pub(super) csrf: String,
    pub(super) lead: String,
    pub(super) done: Option<String>,
    /// A secret, shown this once.
    pub(super) secret: Option<String>,
    pub(super) connected: Option<Connected>,
    /// What was typed in, and what is wrong with it.
    pub(super) url: String,
    pub(super) fault: Option<(String, String)>,
    /// Whether the cases can be opened from here.
    pub(super) reads_cases: bool,
}

/// Shows the page.
pub(super) async fn show(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageOutsideDesk)?;
    render(&app, &browser, &scope, &uri, None, ("", None)).await
}

async fn render(
    app: &App,
    browser: &Browser,
    scope: &Scope,
    uri: &Uri,
    secret: Option<String>,
    (url, fault): (&str, Option<&'static str>),
) -> Result<Response, Problem> {
    let lang = browser.lang;
    let asked: Asked = super::query(uri);
    let mut tx = app.store.read(scope).await?;
    let connected = match rows::own(&mut tx, scope).await? {
        None => None,
        Some(outside) => {
            let Some(found) = rows::list(&mut tx, scope, &page_at(&asked.cursor, None)).await? else {
                return Ok(Redirect::to(PATH).into_response());
            };
            Some(Connected {
                url: outside.url,
                since: instant(lang, Micros(outside.created_at)),
                stopped: outside.stopped.map(|code| lang.code_said(&code)),
                rows: found.items.into_iter().map(|row| view(lang, row)).collect(),
                pager: Pager::new(lang, &asked.cursor, found.next_cursor, |cursor| {
                    link(PATH, &[("cursor", cursor)])
                }),
            })
        }
    };
    let mut frame = Frame::of(browser, uri, Entry::Settings, lang.text(Tab::OutsideDesk.key()));
    frame.here = PATH.to_owned();
    let done = DONE.into_iter().find(|done| *done == asked.done);
    let page = OutsideDeskPage {
        frame,
        lang,
        tabs: Tabs::new(lang, &browser.caller, Tab::OutsideDesk),
        csrf: browser.session.csrf.clone(),
        lead: lang.text(if scope.partner().is_ok() { "outside-lead" } else { "outside-lead-operator" }),
        done: done.map(|done| lang.text(&format!("outside-done-{done}"))),
        secret,
        connected,
        url: url.to_owned(),
        fault: fault.map(|code| lang.code_said(code)),
        reads_cases: browser.may(Action::ReadRepairCases).is_ok(),
    };
    super::form(&page, fault.is_some())
}

fn view(lang: Lang, row: rows::Forwarded) -> Row {
    let mood = match row.state.as_str() {
        "delivered" => "good",
        "failed" => "bad",
        _ => "waiting",
    };
    let status = row.last_status.map_or_else(String::new, |status| format!(" ({status})"));
    let fault = row.last_error.as_deref().map(|code| {
        let tries = lang.text_with(
            "outside-tries",
            &[("n", row.attempts.into()), ("count", number(lang, row.attempts).into())],
        );
        let next = (row.state == "waiting").then(|| {
            let at = instant(lang, Micros(row.next_at));
            lang.text_with("outside-next", &[("at", at.into())])
        });
        format!("{}{status}. {tries} {}", lang.code_text(code), next.unwrap_or_default())
    });
    Row {
        link: format!("/repair-cases/{}", row.repair_case),
        number: row.number,
        reference: row.reference,
        state: (mood, lang.text(&format!("outside-state-{}", row.state))),
        fault: fault.unwrap_or_default().trim_end().to_owned(),
        delivered: row.delivered_at.map_or_else(String::new, |at| instant(lang, Micros(at))),
    }
}

/// The form that connects.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    url: String,
}

/// Connects an outside desk and shows its secret, this once.
pub(super) async fn connect(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageOutsideDesk)?;
    match flow::connect(&app, &scope, &sent.url).await {
        Ok((_, secret)) => render(&app, &browser, &scope, &uri, Some(secret), ("", None)).await,
        Err(Refused::Invalid { code, .. } | Refused::Conflict(code)) => {
            render(&app, &browser, &scope, &uri, None, (&sent.url, Some(code))).await
        }
        Err(refused) => Err(refused.into()),
    }
}

/// Makes a new secret and shows it, this once.
pub(super) async fn renew_secret(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageOutsideDesk)?;
    let secret = flow::renew_secret(&app, &scope).await?;
    render(&app, &browser, &scope, &uri, Some(secret), ("", None)).await
}

/// Sends again what was not taken.
pub(super) async fn retry(
    State(app): State<App>,
    browser: Browser,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageOutsideDesk)?;
    flow::resume(&app, &scope).await?;
    Ok(Redirect::to(&link(PATH, &[("done", "retried")])).into_response())
}

/// Disconnects it.
pub(super) async fn disconnect(
    State(app): State<App>,
    browser: Browser,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageOutsideDesk)?;
    flow::disconnect(&app, &scope).await?;
    Ok(Redirect::to(&link(PATH, &[("done", "disconnected")])).into_response())
}
