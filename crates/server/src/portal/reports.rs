//! The list of sell-through reports, and the place to hand one in.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Role, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::ReportId;
use roadstead_store::page::MOST;
use roadstead_store::reports::{self, Report};
use roadstead_store::{Tx, reporters};
use serde::Deserialize;

use super::format::{bytes, instant, link, number};
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use super::verdicts::{self, Share};
use crate::app::App;
use crate::http::{Browser, Problem};
use crate::i18n::Lang;

const PATH: &str = "/reports";
/// Reports on a page; each row asks for its counts.
const ROWS: i64 = 20;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cursor: String,
}

/// How far a report is.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    /// `received`, `running`, `succeeded` or `failed`.
    pub(super) state: String,
    /// The state in words.
    pub(super) text: String,
    /// Lines judged.
    pub(super) done: i64,
    /// Lines in all.
    pub(super) total: i64,
    /// "3,000 of 10,000 lines".
    pub(super) lines: String,
}

impl Progress {
    /// How far this report is.
    pub(super) fn of(lang: Lang, report: &Report) -> Self {
        let (done, total) = (report.done, report.lines);
        Self {
            text: lang.text(&format!("report-state-{}", report.state)),
            state: report.state.clone(),
            done,
            total,
            lines: lines_of(lang, &number(lang, done), &number(lang, total)),
        }
    }

    /// Whether it goes on.
    pub(super) fn runs(&self) -> bool {
        matches!(self.state.as_str(), "received" | "running")
    }
}

fn lines_of(lang: Lang, done: &str, total: &str) -> String {
    lang.text_with("report-lines-of", &[("done", done.into()), ("total", total.into())])
}

/// A report as the list shows it.
pub(super) struct Row {
    pub(super) link: String,
    pub(super) file_name: String,
    pub(super) reporter: String,
    pub(super) received: String,
    pub(super) received_machine: String,
    pub(super) lines: String,
    pub(super) size: String,
    pub(super) validate_only: bool,
    pub(super) progress: Progress,
    pub(super) shares: Vec<Share>,
}

/// The list, also alone as the live fragment.
#[derive(Template)]
#[template(path = "reports_list.html")]
pub(super) struct List {
    pub(super) lang: Lang,
    /// Operators see whose each report is.
    pub(super) of_all: bool,
    pub(super) rows: Vec<Row>,
    pub(super) pager: Pager,
}

/// Texts that the script fills in while a file is handed in.
pub(super) struct UploadTexts {
    pub(super) sending: String,
    pub(super) judging: String,
    /// So much a second, and how long it will still take.
    pub(super) rate: String,
}

/// The page.
#[derive(Template)]
#[template(path = "reports.html")]
pub(super) struct ReportsPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    /// Id and name of each reporter that an operator may report for.
    pub(super) reporters: Vec<(String, String)>,
    pub(super) texts: UploadTexts,
    pub(super) list: List,
}

impl UploadTexts {
    /// With places for the numbers that only the script knows.
    pub(super) fn of(lang: Lang) -> Self {
        Self {
            sending: lang.text_with("upload-sending", &[("percent", "{percent}".into())]),
            judging: lines_of(lang, "{done}", "{total}"),
            rate: lang.text_with("upload-rate", &[("rate", "{rate}".into()), ("time", "{time}".into())]),
        }
    }
}

/// Shows the page, or its list alone.
pub(super) async fn show(
    State(app): State<App>,
    browser: Browser,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadReports)?;
    let asked: Asked = super::query(&uri);
    let lang = browser.lang;
    let mut tx = app.store.read(&scope).await?;
    let Some(found) = reports::list(&mut tx, &scope, &page_at(&asked.cursor, Some(ROWS))).await? else {
        return Ok(Redirect::to(PATH).into_response());
    };
    let mut rows = Vec::with_capacity(found.items.len());
    for report in found.items {
        rows.push(row(&mut tx, &scope, lang, report).await?);
    }
    let of_all = browser.caller.role == Role::Operator;
    let list = List {
        lang,
        of_all,
        rows,
        pager: Pager::new(lang, &asked.cursor, found.next_cursor, |cursor| link(PATH, &[("cursor", cursor)])),
    };
    if super::wants_list(&headers) {
        return super::page(&list);
    }
    let mut choices = Vec::new();
    if of_all {
        let all = page_at("", Some(MOST));
        let known = reporters::list(&mut tx, &scope, &all).await?.map_or_else(Vec::new, |rows| rows.items);
        choices =
            known.into_iter().map(|r| (r.id.to_string(), format!("{} ({})", r.name, r.number))).collect();
    }
    super::page(&ReportsPage {
        frame: Frame::at(&browser, &uri, Entry::Reports),
        lang,
        reporters: choices,
        texts: UploadTexts::of(lang),
        list,
    })
}

async fn row(tx: &mut Tx, scope: &Scope, lang: Lang, report: Report) -> Result<Row, Problem> {
    let counts = reports::counts(tx, scope, ReportId(report.id)).await?;
    Ok(Row {
        link: format!("{PATH}/{}", report.id),
        progress: Progress::of(lang, &report),
        shares: verdicts::shares(lang, &counts, report.lines),
        received: instant(lang, Micros(report.received_at)),
        received_machine: Micros(report.received_at).rfc3339(),
        lines: number(lang, report.lines),
        size: bytes(lang, report.bytes),
        validate_only: report.validate_only,
        file_name: report.file_name,
        reporter: report.reporter_name,
    })
}
