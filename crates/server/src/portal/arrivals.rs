//! Arrivals: what the partner moved to a customer, for its IT admin to send back.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::Action;
use roadstead_domain::arrival::DECLINE_FOR;
use roadstead_domain::clock::Micros;
use roadstead_store::arrivals::{self, Arrival};
use serde::Deserialize;

use super::customers::inside;
use super::format::instant;
use super::layout::Frame;
use super::pager::{Pager, page_at};
use crate::app::App;
use crate::flows::{Refused, arrivals as flow, customers};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cursor: String,
    done: String,
}

/// A PC that came.
pub(super) struct Row {
    pub(super) serial: String,
    pub(super) model: String,
    pub(super) came: String,
    pub(super) until: String,
    pub(super) possession: String,
}

/// The page.
#[derive(Template)]
#[template(path = "arrivals.html")]
pub(super) struct ArrivalsPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    pub(super) path: String,
    pub(super) rows: Vec<Row>,
    pub(super) pager: Pager,
    pub(super) may_decline: bool,
    pub(super) done: Option<String>,
    /// What was refused a moment ago: its text and advice.
    pub(super) refused: Option<(String, String)>,
}

/// Shows the page.
pub(super) async fn show(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    render(&app, &browser, &id, &uri, None).await
}

async fn render(
    app: &App,
    browser: &Browser,
    id: &str,
    uri: &Uri,
    refused: Option<&'static str>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadCustomers)?;
    scope.customer()?;
    let asked: Asked = super::query(uri);
    let lang = browser.lang;
    let mut tx = app.store.read(&scope).await?;
    let customer = customers::found(&mut tx, &scope, id).await?;
    let path = format!("/customers/{}/arrivals", customer.id);
    let page = page_at(&asked.cursor, None);
    let Some(found) = arrivals::list(&mut tx, &scope, app.ambient.now(), &page).await? else {
        return Ok(Redirect::to(&path).into_response());
    };
    let row = |arrival: Arrival| Row {
        serial: arrival.serial,
        model: arrival.model,
        came: instant(lang, Micros(arrival.at)),
        until: instant(lang, Micros(arrival.at + DECLINE_FOR)),
        possession: possession(lang, arrival.proof.as_deref()),
    };
    let page = super::page(&ArrivalsPage {
        frame: inside(browser, uri, &scope, &customer, lang.text("arrivals")),
        lang,
        csrf: browser.session.csrf.clone(),
        rows: found.items.into_iter().map(row).collect(),
        pager: Pager::new(lang, &asked.cursor, found.next_cursor, |cursor| {
            super::format::link(&path, &[("cursor", cursor)])
        }),
        may_decline: browser.may(Action::ManageOwnTenant).is_ok(),
        done: ["declined", "confirmed"]
            .contains(&asked.done.as_str())
            .then(|| lang.text(&format!("arrivals-{}", asked.done))),
        refused: refused.map(|code| lang.code_said(code)),
        path,
    })?;
    let status = if refused.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    Ok((status, page).into_response())
}

/// By what a PC is shown to be in the tenant's hands, in words.
pub(super) fn possession(lang: Lang, proof: Option<&str>) -> String {
    lang.text(&format!("possession-{}", proof.unwrap_or("none")))
}

/// What goes back, and why.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Declined {
    serials: String,
    reason: String,
}

impl Declined {
    fn serials(&self) -> Vec<String> {
        self.serials.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }
}

/// Sends PCs back.
pub(super) async fn decline(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
    Form(declined): Form<Declined>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageOwnTenant)?;
    let mut tx = app.store.read(&scope).await?;
    let customer = customers::found(&mut tx, &scope, &id).await?;
    drop(tx);
    let serials = declined.serials();
    match flow::decline(&app, &scope, &serials, &declined.reason).await {
        Ok(_) => {
            let path = format!("/customers/{}/arrivals?done=declined", customer.id);
            Ok(Redirect::to(&path).into_response())
        }
        Err(Refused::Invalid { code, .. } | Refused::Rows { code, .. } | Refused::Conflict(code)) => {
            render(&app, &browser, &id, &uri, Some(code)).await
        }
        Err(refused) => Err(refused.into()),
    }
}

/// Notes that PCs are in the customer's hands.
pub(super) async fn confirm(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
    Form(confirmed): Form<Declined>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageOwnTenant)?;
    let mut tx = app.store.read(&scope).await?;
    let customer = customers::found(&mut tx, &scope, &id).await?;
    drop(tx);
    let serials = confirmed.serials();
    match flow::confirm(&app, &scope, &serials).await {
        Ok(_) => {
            let path = format!("/customers/{}/arrivals?done=confirmed", customer.id);
            Ok(Redirect::to(&path).into_response())
        }
        Err(Refused::Invalid { code, .. } | Refused::Rows { code, .. }) => {
            render(&app, &browser, &id, &uri, Some(code)).await
        }
        Err(refused) => Err(refused.into()),
    }
}
