//! Partners and certifications in bulk, for the operator: a table, its preview, and then its writing.

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::Action;
use serde::Deserialize;

use super::format::{link, number};
use super::layout::{Entry, Frame};
use super::sent_table::{self, Sent, SentTable};
use crate::app::App;
use crate::flows::Refused;
use crate::flows::import_partners::{self, COLUMNS, Outcome};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

const PATH: &str = "/partners/import";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    done: String,
}

/// The page.
#[derive(Template)]
#[template(path = "import.html")]
pub(super) struct ImportPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    /// How many rows were written a moment ago.
    pub(super) done: Option<String>,
    pub(super) sent: SentTable,
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
    let outcome = import_partners::import(&app, &scope, &sent.table, sent.is_preview()).await;
    page.sent.table = sent.table;
    match outcome {
        Ok(imported) if imported.applied => {
            let rows = imported.rows.len().to_string();
            return Ok(Redirect::to(&link(PATH, &[("done", &rows)])).into_response());
        }
        Ok(imported) => page.preview(&imported.rows),
        Err(Refused::Invalid { code, field }) => page.sent.refuse(lang, code, field),
        Err(other) => return Err(other.into()),
    }
    Ok((page.sent.status(), super::page(&page)?).into_response())
}

impl ImportPage {
    /// An empty page.
    pub(super) fn new(frame: Frame, csrf: &str) -> Self {
        let lang = frame.lang;
        let sent = SentTable::new(
            PATH,
            lang.text_with(
                "import-columns",
                &[("columns", COLUMNS.map(|column| column.name).join(",").into())],
            ),
            ["form-partner-number", "form-name"].map(|key| lang.text(key)),
        );
        Self { frame, lang, csrf: csrf.to_owned(), done: None, sent }
    }

    /// With what the rows come to.
    pub(super) fn preview(&mut self, rows: &[import_partners::Row]) {
        let lang = self.lang;
        let told = |outcome: Outcome| (mood(outcome), lang.text(&format!("import-{}", outcome.as_str())));
        let row = |row: &import_partners::Row| {
            let named = (row.partner_number.as_str(), row.name.clone());
            sent_table::Row::new(lang, Some(row.row), named, told(row.outcome), row.fault)
        };
        self.sent.preview(lang, &Outcome::ALL.map(told), rows.iter().map(row).collect());
    }
}

fn mood(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created | Outcome::Updated => "good",
        Outcome::Unchanged => "plain",
        Outcome::Rejected => "bad",
    }
}
