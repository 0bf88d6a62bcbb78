//! Recall lists, for the operator: which there are, and a table with its preview, and then its writing.

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::recall::Range;
use roadstead_store::recalls as rows;
use serde::Deserialize;

use super::format::{instant, link, number};
use super::layout::{Entry, Frame};
use super::sent_table::{self, Sent, SentTable};
use crate::app::App;
use crate::flows::Refused;
use crate::flows::recalls::{self, COLUMNS, Outcome};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

const PATH: &str = "/recalls";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    done: String,
}

/// A list as the page shows it.
pub(super) struct ListView {
    pub(super) number: String,
    pub(super) part: String,
    pub(super) source: String,
    pub(super) ranges: String,
    pub(super) alerts: String,
    pub(super) changed: String,
}

/// The page.
#[derive(Template)]
#[template(path = "recalls.html")]
pub(super) struct RecallsPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    pub(super) done: Option<String>,
    pub(super) lists: Vec<ListView>,
    pub(super) sent: SentTable,
}

/// Shows the page.
pub(super) async fn show(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageRecalls)?;
    let asked: Asked = super::query(&uri);
    let done = ["written", "removed"].into_iter().find(|done| *done == asked.done);
    let mut page = page(&app, &browser, &scope, &uri).await?;
    page.done = done.map(|done| browser.lang.text(&format!("recalls-done-{done}")));
    super::page(&page)
}

async fn page(app: &App, browser: &Browser, scope: &Scope, uri: &Uri) -> Result<RecallsPage, Problem> {
    let lang = browser.lang;
    let mut tx = app.store.read(scope).await?;
    let lists = rows::lists(&mut tx, scope).await?;
    let mut frame = Frame::at(browser, uri, Entry::Recalls);
    frame.here = PATH.to_owned();
    Ok(RecallsPage {
        frame,
        lang,
        csrf: browser.session.csrf.clone(),
        done: None,
        lists: lists
            .into_iter()
            .map(|list| ListView {
                part: lang.text(&format!("recall-part-{}", list.part)),
                number: list.number,
                source: list.source,
                ranges: number(lang, list.ranges),
                alerts: number(lang, list.alerts),
                changed: instant(lang, Micros(list.changed_at)),
            })
            .collect(),
        sent: SentTable::new(
            PATH,
            lang.text_with(
                "recalls-columns",
                &[("columns", COLUMNS.map(|column| column.name).join(",").into())],
            ),
            ["recalls-list", "recalls-pcs"].map(|key| lang.text(key)),
        ),
    })
}

/// Shows what the table comes to, or writes it.
pub(super) async fn submit(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageRecalls)?;
    let lang = browser.lang;
    let outcome = recalls::import(&app, &scope, &sent.table, sent.is_preview()).await;
    let mut page = page(&app, &browser, &scope, &uri).await?;
    page.sent.table = sent.table;
    match outcome {
        Ok(imported) if imported.applied => {
            return Ok(Redirect::to(&link(PATH, &[("done", "written")])).into_response());
        }
        Ok(imported) => preview(lang, &mut page.sent, &imported.rows),
        Err(Refused::Invalid { code, field }) => page.sent.refuse(lang, code, field),
        Err(other) => return Err(other.into()),
    }
    Ok((page.sent.status(), super::page(&page)?).into_response())
}

/// Which list.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    number: String,
}

/// Forgets a list.
pub(super) async fn remove(
    State(app): State<App>,
    browser: Browser,
    Form(named): Form<Named>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageRecalls)?;
    recalls::remove(&app, &scope, &named.number).await?;
    Ok(Redirect::to(&link(PATH, &[("done", "removed")])).into_response())
}

fn preview(lang: Lang, sent: &mut SentTable, rows: &[recalls::Row]) {
    let told = |outcome| (mood(outcome), outcome_text(lang, outcome));
    let row = |row: &recalls::Row| {
        let named = (row.list.as_str(), range_text(&row.range));
        sent_table::Row::new(lang, row.row, named, told(row.outcome), row.fault)
    };
    sent.preview(lang, &Outcome::ALL.map(told), rows.iter().map(row).collect());
}

fn outcome_text(lang: Lang, outcome: Outcome) -> String {
    lang.text(&format!("recalls-{}", outcome.as_str()))
}

fn mood(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Added => "good",
        Outcome::Unchanged => "plain",
        Outcome::Removed => "waiting",
        Outcome::Rejected => "bad",
    }
}

/// A range in one line: `6T1A2EA, 5CG0000001–5CG0000009`.
fn range_text(range: &Range) -> String {
    let serials = match (range.serial_from.as_str(), range.serial_to.as_str()) {
        (from, "") => from.to_owned(),
        (from, to) => format!("{from}–{to}"),
    };
    let parts = [range.product_number.clone(), range.model.clone(), serials];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}
