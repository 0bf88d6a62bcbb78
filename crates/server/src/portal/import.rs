//! Partners and certifications in bulk, for the operator: a table, its preview, and then its writing.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::Action;
use serde::Deserialize;

use super::format::{link, number};
use super::layout::{Entry, Frame};
use crate::app::App;
use crate::flows::Refused;
use crate::flows::import_partners::{self, COLUMNS, Outcome};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

const PATH: &str = "/partners/import";
/// Rows of a preview that are shown besides the wrong ones.
const SHOWN: usize = 200;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    done: String,
}

/// A row of the preview.
pub(super) struct Row {
    pub(super) row: String,
    pub(super) number: String,
    pub(super) name: String,
    pub(super) mood: &'static str,
    pub(super) outcome: String,
    pub(super) fault: String,
}

/// The page.
#[derive(Template)]
#[template(path = "import.html")]
pub(super) struct ImportPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    /// Where the table is sent to.
    pub(super) path: &'static str,
    /// How many rows were written a moment ago.
    pub(super) done: Option<String>,
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
pub(super) async fn show(browser: Browser, uri: Uri) -> Result<Response, Problem> {
    browser.may(Action::ManagePartners)?;
    let asked: Asked = super::query(&uri);
    let rows = asked.done.parse::<i64>().ok();
    let mut page = ImportPage::new(
        Frame::of(&browser, &uri, Entry::Partners, title(browser.lang)),
        &browser.session.csrf,
    );
    page.done = rows.map(|rows| {
        browser
            .lang
            .text_with("import-done", &[("n", rows.into()), ("count", number(browser.lang, rows).into())])
    });
    super::page(&page)
}

fn title(lang: Lang) -> String {
    lang.text("import-title")
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
    let scope = browser.may(Action::ManagePartners)?;
    let lang = browser.lang;
    let mut frame = Frame::of(&browser, &uri, Entry::Partners, title(lang));
    frame.here = PATH.to_owned();
    let mut page = ImportPage::new(frame, &browser.session.csrf);
    page.table = sent.table;
    match import_partners::import(&app, &scope, &page.table, sent.apply.is_empty()).await {
        Ok(imported) if imported.applied => {
            let rows = imported.rows.len().to_string();
            return Ok(Redirect::to(&link(PATH, &[("done", &rows)])).into_response());
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

impl ImportPage {
    /// An empty page.
    pub(super) fn new(frame: Frame, csrf: &str) -> Self {
        Self {
            lang: frame.lang,
            frame,
            csrf: csrf.to_owned(),
            path: PATH,
            done: None,
            columns: COLUMNS.map(|column| column.name).join(","),
            table: String::new(),
            fault: None,
            counts: Vec::new(),
            rows: Vec::new(),
            ready: false,
        }
    }

    /// With what the rows come to: the wrong ones first.
    pub(super) fn preview(&mut self, rows: &[import_partners::Row]) {
        let lang = self.lang;
        let count = |outcome| rows.iter().filter(|row| row.outcome == outcome).count();
        for outcome in Outcome::ALL.into_iter().filter(|outcome| count(*outcome) > 0) {
            let lines = number(lang, i64::try_from(count(outcome)).unwrap_or(i64::MAX));
            let text = lang.text(&format!("import-{}", outcome.as_str()));
            self.counts.push((mood(outcome), format!("{text}: {lines}")));
        }
        self.ready = count(Outcome::Rejected) == 0;
        let (wrong, right): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.outcome == Outcome::Rejected);
        self.rows = wrong.into_iter().chain(right).take(SHOWN).map(|row| row_view(lang, row)).collect();
    }
}

fn mood(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created | Outcome::Updated => "good",
        Outcome::Unchanged => "plain",
        Outcome::Rejected => "bad",
    }
}

fn row_view(lang: Lang, row: &import_partners::Row) -> Row {
    let fault = row.fault.map_or_else(String::new, |(code, column)| {
        format!("{column}: {}. {}", lang.code_text(code), lang.code_advice(code))
    });
    Row {
        row: row.row.to_string(),
        number: row.partner_number.clone(),
        name: row.name.clone(),
        mood: mood(row.outcome),
        outcome: lang.text(&format!("import-{}", row.outcome.as_str())),
        fault,
    }
}
