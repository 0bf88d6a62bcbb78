//! Settings > Tokens: the operator makes and revokes tokens of the API, and sees when each was used last.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Role, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::TokenId;
use roadstead_store::tokens;
use serde::Deserialize;

use super::field::Field;
use super::format::{instant, link};
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use super::settings::{Tab, Tabs};
use crate::app::App;
use crate::flows::invite::role_name;
use crate::flows::{Refused, tokens as flow};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

const PATH: &str = "/settings/tokens";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cursor: String,
    done: String,
}

/// A token as the page shows it.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) role: String,
    pub(super) made: String,
    pub(super) used: String,
    pub(super) revoked: Option<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "tokens.html")]
pub(super) struct TokensPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) tabs: Tabs,
    pub(super) csrf: String,
    pub(super) done: Option<String>,
    /// A new token, shown this once.
    pub(super) made: Option<String>,
    pub(super) open: bool,
    pub(super) fields: Vec<Field>,
    pub(super) rows: Vec<Row>,
    pub(super) pager: Pager,
}

/// What was sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    name: String,
    role: String,
    r#for: String,
}

fn fields(lang: Lang, sent: &Sent, fault: Option<(&'static str, &'static str)>) -> Vec<Field> {
    let field = |name: &'static str, value: &str| Field {
        id: format!("token-{name}"),
        name,
        label: lang.text(&format!("tokens-{name}")),
        kind: "text",
        value: value.to_owned(),
        required: name != "for",
        fault: fault
            .filter(|(field, _)| *field == name)
            .map(|(_, code)| format!("{}. {}", lang.code_text(code), lang.code_advice(code))),
        ..Field::default()
    };
    let roles = Role::ALL.map(|role| (role.as_str().to_owned(), role_name(lang, role)));
    vec![
        field("name", &sent.name),
        Field { choices: roles.into(), ..field("role", &sent.role) },
        Field { hint: Some(lang.text("tokens-for-hint")), ..field("for", &sent.r#for) },
    ]
}

/// Shows the page.
pub(super) async fn show(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageTokens)?;
    let form = fields(browser.lang, &Sent::default(), None);
    render(&app, &browser, &scope, &uri, form, None).await
}

async fn render(
    app: &App,
    browser: &Browser,
    scope: &Scope,
    uri: &Uri,
    fields: Vec<Field>,
    made: Option<String>,
) -> Result<Response, Problem> {
    let lang = browser.lang;
    let asked: Asked = super::query(uri);
    let mut tx = app.store.read(scope).await?;
    let Some(found) = tokens::page(&mut tx, scope, &page_at(&asked.cursor, Some(100))).await? else {
        return Ok(Redirect::to(PATH).into_response());
    };
    tx.commit().await?;
    let rows = found.items.into_iter().map(|token| Row {
        id: token.id.to_string(),
        role: Role::from_code(&token.role).map_or(token.role, |role| role_name(lang, role)),
        name: token.name,
        made: instant(lang, Micros(token.created_at)),
        used: token.used_at.map_or_else(|| lang.text("users-never"), |at| instant(lang, Micros(at))),
        revoked: token.revoked_at.map(|at| instant(lang, Micros(at))),
    });
    let mut frame = Frame::of(browser, uri, Entry::Settings, lang.text(Tab::Tokens.key()));
    frame.here = PATH.to_owned();
    super::page(&TokensPage {
        frame,
        lang,
        tabs: Tabs::new(lang, &browser.caller, Tab::Tokens),
        csrf: browser.session.csrf.clone(),
        done: (asked.done == "revoked").then(|| lang.text("tokens-done-revoked")),
        made,
        open: fields.iter().any(|field| field.fault.is_some()),
        fields,
        rows: rows.collect(),
        pager: Pager::new(lang, &asked.cursor, found.next_cursor, |cursor| link(PATH, &[("cursor", cursor)])),
    })
}

/// Makes a token and shows it, this once.
pub(super) async fn create(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageTokens)?;
    let whose = Some(sent.r#for.trim()).filter(|whose| !whose.is_empty());
    let outcome = match Role::from_code(&sent.role) {
        Some(role) => flow::create(&app, &scope, role, whose, sent.name.trim()).await,
        None => Err(Refused::invalid("field.unknown_value", "role")),
    };
    match outcome {
        Ok(token) => {
            let form = fields(browser.lang, &Sent::default(), None);
            render(&app, &browser, &scope, &uri, form, Some(token)).await
        }
        Err(Refused::Invalid { code, field }) => {
            let form = fields(browser.lang, &sent, Some((field, code)));
            let page = render(&app, &browser, &scope, &uri, form, None).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(other) => Err(other.into()),
    }
}

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

/// Takes a token's power away.
pub(super) async fn revoke(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<TokenId>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageTokens)?;
    if !flow::revoke(&app, &scope, id).await? {
        return Err(Problem::not_found());
    }
    Ok(Redirect::to(&link(PATH, &[("done", "revoked")])).into_response())
}
