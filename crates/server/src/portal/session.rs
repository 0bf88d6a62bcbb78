//! What a signed-in person does about their session: start, change the language, sign out.

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::ids::UserId;
use roadstead_store::users;
use serde::Deserialize;

use super::layout::Entry;
use super::settings::Tab;
use super::sign_in::local_path;
use crate::app::App;
use crate::flows::sign_in;
use crate::http::{Browser, Form, Problem, cookies};
use crate::i18n::Lang;

/// Leads to the start page of the role.
pub(super) async fn start(browser: Browser) -> Redirect {
    let first = Entry::of(browser.caller.role).first();
    Redirect::to(first.map_or("/sign-in", |entry| entry.path()))
}

/// Leads to the first page under Settings that the person may open.
pub(super) async fn settings(browser: Browser) -> Result<Redirect, Problem> {
    let first = Tab::of(&browser.caller).into_iter().next().ok_or_else(Problem::not_found)?;
    Ok(Redirect::to(first.path()))
}

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

/// Ends the session.
pub(super) async fn sign_out(
    State(app): State<App>,
    browser: Browser,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response, Problem> {
    sign_in::sign_out(&app, &browser.session).await?;
    Ok(([(SET_COOKIE, cookies::end_session(&app))], Redirect::to("/sign-in")).into_response())
}

/// A language, and the page to come back to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    lang: String,
    next: String,
}

/// Remembers the person's language, with their profile and on this browser.
pub(super) async fn set_language(
    State(app): State<App>,
    browser: Browser,
    Form(choice): Form<Choice>,
) -> Result<Response, Problem> {
    let lang = Lang::from_code(&choice.lang).ok_or_else(|| Problem::field("field.unknown_value", "lang"))?;
    let mut tx = app.store.write(&roadstead_domain::access::system()).await?;
    users::set_language(&mut tx, UserId(browser.session.user_id), lang.code()).await?;
    tx.commit().await?;
    let back = Redirect::to(local_path(&choice.next));
    Ok(([(SET_COOKIE, cookies::language(&app, lang))], back).into_response())
}
