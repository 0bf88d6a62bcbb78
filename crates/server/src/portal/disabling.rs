//! A customer tenant is disabled by its partner, or enabled again: what follows is shown first.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::Action;

use super::customer_settings::Turned;
use super::customers::inside;
use super::format::link;
use super::layout::Frame;
use crate::app::App;
use crate::flows::{Refused, cpins, customers};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

/// Asks whether a customer tenant is to be disabled, or enabled again, and says what follows.
#[derive(Template)]
#[template(path = "customer_disabled.html")]
pub(super) struct DisabledPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    pub(super) id: String,
    /// What was refused a moment ago: its text and advice.
    pub(super) refused: Option<(String, String)>,
    pub(super) is_disabled: bool,
    /// What follows.
    pub(super) means: Vec<String>,
}

/// Shows what follows when a customer tenant is disabled, or enabled again, and asks.
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
    let scope = browser.may(Action::ManageCustomers)?;
    let lang = browser.lang;
    let mut tx = app.store.read(&scope).await?;
    let customer = cpins::manageable(&mut tx, &scope, id).await?;
    let is_disabled = customer.disabled_at.is_some();
    let (title, means): (_, &[&str]) = if is_disabled {
        ("customer-enable-title", &["moves", "cpins"])
    } else {
        ("customer-disable-title", &["moves", "cpins", "stays", "people", "until"])
    };
    let key = if is_disabled { "customer-enable" } else { "customer-disable" };
    let title = lang.text_with(title, &[("name", customer.name.as_str().into())]);
    let page = super::page(&DisabledPage {
        frame: inside(browser, uri, &scope, &customer, title),
        lang,
        csrf: browser.session.csrf.clone(),
        id: customer.id.to_string(),
        refused: refused.map(|code| lang.code_said(code)),
        is_disabled,
        means: means.iter().map(|part| lang.text(&format!("{key}-{part}"))).collect(),
    })?;
    let status = if refused.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    Ok((status, page).into_response())
}

/// Disables a customer tenant, or enables it again.
pub(super) async fn set(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
    Form(turned): Form<Turned>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageCustomers)?;
    let disabled = match turned.to.as_str() {
        "disabled" => true,
        "enabled" => false,
        _ => return Err(Problem::field("field.unknown_value", "to")),
    };
    match customers::set_disabled(&app, &scope, &id, disabled).await {
        Ok(()) => {
            let path = link(&format!("/customers/{id}"), &[("done", &turned.to)]);
            Ok(Redirect::to(&path).into_response())
        }
        Err(Refused::Conflict(code)) => render(&app, &browser, &id, &uri, Some(code)).await,
        Err(refused) => Err(refused.into()),
    }
}
