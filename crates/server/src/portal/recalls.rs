//! Recall lists, for the operator: which there are, and a table with its preview, and then its writing.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::recall::Range;
use roadstead_store::recalls as rows;
use serde::Deserialize;

use super::format::{instant, link, number};
use super::layout::{Entry, Frame};
use crate::app::App;
use crate::flows::Refused;
use crate::flows::recalls::{self, COLUMNS, Outcome};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

const PATH: &str = "/recalls";
/// Rows of a preview that are shown besides the wrong ones.
const SHOWN: usize = 200;

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

/// A row of the preview.
pub(super) struct Row {
    pub(super) row: String,
    pub(super) list: String,
    pub(super) range: String,
    pub(super) mood: &'static str,
    pub(super) outcome: String,
    pub(super) fault: String,
}

/// The page.
#[derive(Template)]
#[template(path = "recalls.html")]
pub(super) struct RecallsPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    /// Where the table is sent to.
    pub(super) path: &'static str,
    pub(super) done: Option<String>,
    pub(super) lists: Vec<ListView>,
    pub(super) columns: String,
    pub(super) table: String,
    /// What is wrong with the table as a whole.
    pub(super) fault: Option<String>,
    /// What the rows come to, in words with counts.
    pub(super) counts: Vec<(&'static str, String)>,
    pub(super) rows: Vec<Row>,
    /// Whether it can be written now.
    pub(super) ready: bool,
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
        path: PATH,
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
        columns: COLUMNS.map(|column| column.name).join(","),
        table: String::new(),
        fault: None,
        counts: Vec::new(),
        rows: Vec::new(),
        ready: false,
    })
}

/// The table, and whether it is to be written.
#[derive(Debug, Deserialize)]
pub(super) struct Sent {
    table: String,
    #[serde(default)]
    apply: String,
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
    let outcome = recalls::import(&app, &scope, &sent.table, sent.apply.is_empty()).await;
    let mut page = page(&app, &browser, &scope, &uri).await?;
    page.table = sent.table;
    match outcome {
        Ok(imported) if imported.applied => {
            return Ok(Redirect::to(&link(PATH, &[("done", "written")])).into_response());
        }
        Ok(imported) => page.preview(&imported.rows),
        Err(Refused::Invalid { code, field }) => {
            page.fault = Some(format!("{} ({field}). {}", lang.code_text(code), lang.code_advice(code)));
        }
        Err(other) => return Err(other.into()),
    }
    let status = if page.ready { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, super::page(&page)?).into_response())
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

impl RecallsPage {
    /// With what the rows come to: the wrong ones first.
    fn preview(&mut self, rows: &[recalls::Row]) {
        let lang = self.lang;
        let count = |outcome| rows.iter().filter(|row| row.outcome == outcome).count();
        for outcome in Outcome::ALL.into_iter().filter(|outcome| count(*outcome) > 0) {
            let lines = number(lang, i64::try_from(count(outcome)).unwrap_or(i64::MAX));
            self.counts.push((mood(outcome), format!("{}: {lines}", outcome_text(lang, outcome))));
        }
        self.ready = count(Outcome::Rejected) == 0;
        let (wrong, right): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.outcome == Outcome::Rejected);
        self.rows = wrong.into_iter().chain(right).take(SHOWN).map(|row| row_view(lang, row)).collect();
    }
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

fn row_view(lang: Lang, row: &recalls::Row) -> Row {
    let fault = row.fault.map_or_else(String::new, |(code, column)| {
        format!("{column}: {}. {}", lang.code_text(code), lang.code_advice(code))
    });
    Row {
        row: row.row.map_or_else(String::new, |row| row.to_string()),
        list: row.list.clone(),
        range: range_text(&row.range),
        mood: mood(row.outcome),
        outcome: outcome_text(lang, row.outcome),
        fault,
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
