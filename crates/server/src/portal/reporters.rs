//! Who hands in reports, for the operator.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::clock::Micros;
use roadstead_store::{reporter_quality, reporters};
use serde::Deserialize;

use super::field::{Attempt, FormView, Forms, Sent, text};
use super::format::{instant, link};
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use crate::app::App;
use crate::flows::reporters as flow;
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

const PATH: &str = "/reporters";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cursor: String,
    done: String,
}

/// A reporter as the page shows it.
pub(super) struct Row {
    pub(super) number: String,
    pub(super) name: String,
    pub(super) kind: String,
    /// When its last report came; empty if none did.
    pub(super) last: String,
    /// Whether the next one is late.
    pub(super) silent: bool,
    pub(super) columns: String,
    pub(super) quality: String,
}

/// The page.
#[derive(Template)]
#[template(path = "reporters.html")]
pub(super) struct ReportersPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) done: bool,
    pub(super) add: FormView,
    pub(super) rows: Vec<Row>,
    pub(super) pager: Pager,
}

fn kind_text(lang: Lang, kind: &str) -> String {
    lang.text(&format!("reporter-kind-{kind}"))
}

/// The form that adds a reporter.
pub(super) fn add_form(forms: &Forms<'_>) -> FormView {
    let kinds = ["distributor", "reseller"].map(|kind| (kind.to_owned(), kind_text(forms.lang, kind)));
    let fields = vec![
        forms.field(PATH, "reporter_number", "text"),
        forms.field(PATH, "name", "text"),
        forms.choice(PATH, "kind", kinds.into()),
    ];
    forms.form(PATH, "reporters-add", fields)
}

/// Shows the page.
pub(super) async fn show(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadReporters)?;
    render(&app, &browser, &scope, &uri, &super::query(&uri), &Attempt::default()).await
}

async fn render(
    app: &App,
    browser: &Browser,
    scope: &Scope,
    uri: &Uri,
    asked: &Asked,
    attempt: &Attempt,
) -> Result<Response, Problem> {
    let lang = browser.lang;
    let mut tx = app.store.read(scope).await?;
    let Some(found) = reporters::list(&mut tx, scope, &page_at(&asked.cursor, None)).await? else {
        return Ok(Redirect::to(PATH).into_response());
    };
    let silent = reporter_quality::lasting(&mut tx, scope).await?;
    let mut rows = Vec::with_capacity(found.items.len());
    for reporter in found.items {
        let last = reporters::last_report(&mut tx, scope, reporter.id.into()).await?;
        rows.push(Row {
            kind: kind_text(lang, &reporter.kind),
            last: last.map_or_else(String::new, |at| instant(lang, Micros(at))),
            silent: silent.iter().any(|silence| silence.reporter == reporter.id),
            quality: link("/reports/quality", &[("reporter", &reporter.number)]),
            columns: link("/reports/columns", &[("reporter", &reporter.number)]),
            number: reporter.number,
            name: reporter.name,
        });
    }
    tx.commit().await?;
    let forms = Forms { lang, csrf: &browser.session.csrf, cursor: &asked.cursor, attempt };
    let mut frame = Frame::at(browser, uri, Entry::Reporters);
    frame.here = PATH.to_owned();
    super::page(&ReportersPage {
        frame,
        lang,
        done: asked.done == "reporter",
        add: add_form(&forms),
        rows,
        pager: Pager::new(lang, &asked.cursor, found.next_cursor, |cursor| link(PATH, &[("cursor", cursor)])),
    })
}

/// Adds a reporter.
pub(super) async fn add(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageReporters)?;
    let (number, name, kind) = (text(&sent, "reporter_number"), text(&sent, "name"), text(&sent, "kind"));
    match flow::create(&app, &scope, number, name, kind).await {
        Ok(_) => Ok(Redirect::to(&link(PATH, &[("done", "reporter")])).into_response()),
        Err(refused) => {
            let attempt = Attempt::of(uri.path(), sent, refused)?;
            let page = render(&app, &browser, &scope, &uri, &Asked::default(), &attempt).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}
