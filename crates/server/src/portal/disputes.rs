//! Disputes for the operator: a list, and one with both evidences.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::dispute::{Outcome, WITHDRAWAL_UNDONE};
use roadstead_domain::ids::ReportId;
use roadstead_store::disputes::{self, Evidence, Which};
use serde::Deserialize;

use super::format::{instant, link, stored_date};
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use super::qualifications::Tab;
use crate::app::App;
use crate::flows::{self, Refused};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

const PATH: &str = "/disputes";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cursor: String,
    state: String,
}

/// A dispute as the list shows it.
pub(super) struct Row {
    pub(super) link: String,
    pub(super) serial: String,
    pub(super) verdict: String,
    pub(super) seller: String,
    pub(super) reporter: String,
    pub(super) received: String,
    /// How it was decided, if it was.
    pub(super) decided: Option<String>,
}

/// The list.
#[derive(Template)]
#[template(path = "disputes.html")]
pub(super) struct DisputesPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) choices: Vec<Tab>,
    /// Whether the list is of open ones alone.
    pub(super) open: bool,
    pub(super) rows: Vec<Row>,
    pub(super) pager: Pager,
}

/// One side of a dispute.
pub(super) struct Side {
    pub(super) title: String,
    pub(super) facts: Vec<(String, String)>,
    /// Its report.
    pub(super) report: Option<String>,
}

/// One dispute.
#[derive(Template)]
#[template(path = "dispute.html")]
pub(super) struct DisputePage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) verdict: String,
    pub(super) advice: String,
    pub(super) sides: Vec<Side>,
    pub(super) csrf: String,
    pub(super) path: String,
    /// What was decided, when, and why.
    pub(super) decided: Option<(String, String)>,
    pub(super) fault: Option<(String, String)>,
}

/// Shows the list.
pub(super) async fn list(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadDisputes)?;
    let asked: Asked = super::query(&uri);
    let lang = browser.lang;
    let which = Which::from_code(&asked.state).unwrap_or_default();
    let state = if which == Which::default() { "" } else { which.as_str() };
    let mut tx = app.store.read(&scope).await?;
    let Some(found) = disputes::list(&mut tx, &scope, which, &page_at(&asked.cursor, None)).await? else {
        return Ok(Redirect::to(PATH).into_response());
    };
    tx.commit().await?;
    super::page(&DisputesPage {
        frame: Frame::at(&browser, &uri, Entry::Disputes),
        lang,
        choices: choices(lang, which),
        open: which == Which::Open,
        rows: found.items.into_iter().map(|line| row(lang, line)).collect(),
        pager: Pager::new(lang, &asked.cursor, found.next_cursor, |cursor| {
            link(PATH, &[("state", state), ("cursor", cursor)])
        }),
    })
}

/// The choices above the list.
pub(super) fn choices(lang: Lang, current: Which) -> Vec<Tab> {
    let choice = |which: Which| Tab {
        text: lang.text(&format!("disputes-{}", which.as_str())),
        link: link(PATH, &[("state", if which == Which::default() { "" } else { which.as_str() })]),
        current: which == current,
    };
    Which::ALL.into_iter().map(choice).collect()
}

fn row(lang: Lang, line: Evidence) -> Row {
    Row {
        link: format!("{PATH}/{}/{}", line.report, line.line),
        verdict: lang.code_text(&line.verdict),
        seller: seller(&line),
        received: instant(lang, Micros(line.received_at)),
        decided: line.outcome.map(|outcome| lang.text(&format!("dispute-outcome-{outcome}"))),
        serial: line.serial,
        reporter: line.reporter_name,
    }
}

fn seller(line: &Evidence) -> String {
    match &line.seller_name {
        Some(name) => format!("{name} ({})", line.seller),
        None => line.seller.clone(),
    }
}

/// Shows one.
pub(super) async fn show(
    State(app): State<App>,
    browser: Browser,
    Path((report, line)): Path<(String, String)>,
    uri: Uri,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadDisputes)?;
    let report: ReportId = report.parse().map_err(|_| Problem::not_found())?;
    let line = line.parse().map_err(|_| Problem::not_found())?;
    render(&app, &browser, &uri, &scope, (report, line), None).await
}

async fn render(
    app: &App,
    browser: &Browser,
    uri: &Uri,
    scope: &Scope,
    (report, line): (ReportId, i64),
    fault: Option<&'static str>,
) -> Result<Response, Problem> {
    let dispute = flows::disputes::look(app, scope, report, line).await?;
    let lang = browser.lang;
    let frame = Frame::of(browser, uri, Entry::Disputes, dispute.line.serial.clone());
    let fault = fault.map(|code| lang.code_said(code));
    let page = super::page(&DisputePage { fault, ..DisputePage::of(frame, &dispute) })?;
    Ok(page)
}

/// What the form says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Decided {
    outcome: String,
    reason: String,
}

/// Decides a dispute, or undoes that.
pub(super) async fn act(
    State(app): State<App>,
    browser: Browser,
    Path((report, line, what)): Path<(String, String, String)>,
    uri: Uri,
    Form(asked): Form<Decided>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::DecideDisputes)?;
    let report: ReportId = report.parse().map_err(|_| Problem::not_found())?;
    let line = line.parse().map_err(|_| Problem::not_found())?;
    let done = match (what.as_str(), Outcome::from_code(&asked.outcome)) {
        ("decision", Some(outcome)) => {
            flows::disputes::decide(&app, &scope, report, line, outcome, &asked.reason).await
        }
        ("undo", _) => flows::disputes::undo(&app, &scope, report, line).await,
        _ => return Err(Problem::not_found()),
    };
    match done {
        Ok(_) => Ok(Redirect::to(&format!("{PATH}/{report}/{line}")).into_response()),
        Err(Refused::Conflict(code) | Refused::Invalid { code, .. }) => {
            render(&app, &browser, &uri, &scope, (report, line), Some(code)).await
        }
        Err(refused) => Err(refused.into()),
    }
}

impl DisputePage {
    /// The page of a dispute.
    pub(super) fn of(frame: Frame, dispute: &flows::disputes::Dispute) -> Self {
        let lang = frame.lang;
        let disputed = Side {
            title: lang.text("dispute-line"),
            facts: facts(lang, &dispute.line),
            report: Some(format!("/reports/{}", dispute.line.report)),
        };
        let held = match &dispute.holder {
            None => Side { title: lang.text("dispute-nobody"), facts: Vec::new(), report: None },
            Some(holder) => {
                let key =
                    if holder.with_customer { "dispute-holder-customer" } else { "dispute-holder-pool" };
                let mut facts = vec![
                    (lang.text("dispute-holder"), holder.partner_name.clone()),
                    (lang.text("dispute-place"), lang.text(key)),
                    (lang.text("device-since"), instant(lang, Micros(holder.since))),
                ];
                facts.extend(holder.evidence.iter().flat_map(|evidence| self::facts(lang, evidence)));
                let report = holder.evidence.as_ref().map(|evidence| format!("/reports/{}", evidence.report));
                Side { title: lang.text("dispute-held"), facts, report }
            }
        };
        Self {
            lang,
            verdict: lang.code_text(&dispute.line.verdict),
            advice: lang.code_advice(&dispute.line.verdict),
            sides: vec![disputed, held],
            csrf: frame.person.as_ref().map_or_else(String::new, |person| person.csrf.clone()),
            path: format!("{PATH}/{}/{}", dispute.line.report, dispute.line.line),
            decided: dispute.decision.as_ref().map(|decision| {
                let at = instant(lang, Micros(decision.decided_at));
                let outcome = lang.text(&format!("dispute-{}", decision.outcome));
                let args = [("at", at.into()), ("outcome", outcome.into())];
                let reason = match decision.reason.as_str() {
                    WITHDRAWAL_UNDONE => lang.code_text(WITHDRAWAL_UNDONE),
                    told => told.to_owned(),
                };
                (lang.text_with("dispute-decided-on", &args), reason)
            }),
            fault: None,
            frame,
        }
    }
}

fn facts(lang: Lang, line: &Evidence) -> Vec<(String, String)> {
    let kind = line
        .transaction_kind
        .as_ref()
        .map_or_else(String::new, |kind| lang.text(&format!("transaction-{kind}")));
    let day = line.sold_on.as_deref().map_or_else(String::new, |day| stored_date(lang, day));
    let mut facts = Vec::new();
    let mut fact = |key: &str, value: String| {
        if !value.is_empty() {
            facts.push((lang.text(key), value));
        }
    };
    fact("dispute-transaction", kind);
    fact("dispute-day", day);
    fact("report-reseller", seller(line));
    fact("unassigned-end-customer", line.buyer_name.clone());
    fact("device-buyer", line.buyer.clone());
    fact("unassigned-invoice", line.invoice.clone());
    fact("device-product", line.product_number.clone());
    fact("device-manufacturer", line.manufacturer.clone());
    fact("unassigned-reported-by", line.reporter_name.clone());
    fact("device-reported-at", instant(lang, Micros(line.received_at)));
    fact("report-file", format!("{}, {} {}", line.file_name, lang.text("dispute-line-number"), line.line));
    facts
}
