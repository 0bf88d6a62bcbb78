//! Why a PC is where it is, or is not there: a search box for one serial with its chain of causes, and a box for a list
//! with a verdict each.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use roadstead_domain::access::{Action, Role};
use roadstead_domain::clock::Micros;
use roadstead_domain::explanation::{Cause, Finding, Next, Reader, Source};
use roadstead_store::explanations::Line;
use serde::Deserialize;

use super::format::{date, instant, number};
use super::layout::{Entry, Frame};
use crate::api::v1::explanations as files;
use crate::app::App;
use crate::flows::Refused;
use crate::flows::explanations::{self, Explained};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    serials: String,
    format: String,
}

/// A link of the chain as the page shows it.
pub(super) struct Step {
    pub(super) mood: &'static str,
    pub(super) text: String,
    pub(super) at: String,
    pub(super) evidence: String,
    pub(super) advice: String,
}

/// One serial explained.
pub(super) struct Chain {
    pub(super) serial: String,
    pub(super) steps: Vec<Step>,
    /// The next step: its address and text.
    pub(super) next: Option<(String, String)>,
}

/// A verdict of a list.
pub(super) struct Row {
    pub(super) serial: String,
    pub(super) mood: &'static str,
    pub(super) text: String,
    pub(super) advice: String,
    pub(super) link: String,
}

/// The page.
#[derive(Template)]
#[template(path = "explanation.html")]
pub(super) struct ExplanationPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    pub(super) q: String,
    pub(super) chain: Option<Chain>,
    pub(super) serials: String,
    pub(super) rows: Vec<Row>,
    /// How many of each finding: text and number.
    pub(super) counts: Vec<(String, String)>,
    pub(super) may_open: bool,
    pub(super) fault: Option<(String, String)>,
}

/// The mood of a finding, for its colour.
pub(super) fn mood(code: &str) -> &'static str {
    match Finding::from_code(code) {
        Some(Finding::There | Finding::Accepted) => "good",
        Some(Finding::Returned | Finding::Left) => "plain",
        Some(Finding::Disputed) => "disputed",
        Some(Finding::Rejected | Finding::NotASerial | Finding::DecidedAgainst) => "bad",
        Some(_) => "waiting",
        None => "plain",
    }
}

fn entry(role: Role) -> Entry {
    Entry::of(role).first().copied().unwrap_or(Entry::Account)
}

fn place(lang: Lang, kind: Option<&str>, name: Option<&str>) -> Option<String> {
    Some(match kind? {
        "holding" => lang.text("nav-unassigned"),
        _ => name.unwrap_or_default().to_owned(),
    })
}

/// The text and advice of a finding. What is said to the one whom it concerns is said of it to others.
pub(crate) fn said(lang: Lang, reader: Reader, code: &str) -> (String, String) {
    use Finding::{NotOwned, NotReported, NotSent, Waits};
    match (reader, Finding::from_code(code)) {
        (Reader::Operator, Some(Waits | NotReported | NotSent | NotOwned))
        | (Reader::Reporter, Some(Waits)) => {
            let code = format!("other.{code}");
            lang.code_said(&code)
        }
        _ => lang.code_said(code),
    }
}

/// What a cause says, with the day that it speaks of, and what to do about it.
pub(crate) fn said_of_cause(lang: Lang, reader: Reader, cause: &Cause) -> (String, String) {
    let (text, advice) = said(lang, reader, cause.code);
    match cause.day {
        None => (text, advice),
        Some(day) => {
            let day = [("day", date(lang, day).into())];
            (lang.text_with(&cause.code.replace(['.', '_'], "-"), &day), advice)
        }
    }
}

/// A line of a report as evidence, in one sentence.
pub(super) fn line_evidence(lang: Lang, line: &Line) -> String {
    let seller = match &line.seller_name {
        Some(name) => format!("{name} ({})", line.seller),
        None => line.seller.clone(),
    };
    let at = [("file", line.file_name.clone().into()), ("line", line.line.to_string().into())];
    let parts = [
        ("explain-reported-by", line.reporter_name.clone()),
        ("explain-received", instant(lang, Micros(line.received_at))),
        ("explain-value", lang.text_with("explain-file", &at)),
        ("explain-seller", seller),
        ("explain-invoice", line.invoice.clone()),
    ];
    let said = parts.into_iter().filter(|(_, value)| !value.is_empty());
    said.map(|(key, value)| lang.text_with(key, &[("value", value.into())])).collect::<Vec<_>>().join(" · ")
}

/// The evidence of a cause in one sentence.
fn evidence(lang: Lang, explained: &Explained, cause: &Cause) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut say = |key: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            parts.push(lang.text_with(key, &[("value", value.into())]));
        }
    };
    match cause.source {
        Source::Line(index) => {
            return explained.lines.get(index).map_or_else(String::new, |line| line_evidence(lang, line));
        }
        Source::Move(index) => {
            let Some(moved) = explained.moves.get(index) else { return String::new() };
            say("explain-from", place(lang, moved.from_kind.as_deref(), moved.from_name.as_deref()));
            say("explain-to", place(lang, moved.to_kind.as_deref(), moved.to_name.as_deref()));
            say("explain-cpin", moved.cpin.as_deref().map(files::ending));
        }
        Source::Now => {
            let Some(here) = explained.place.as_ref().filter(|_| cause.code == Finding::There.code()) else {
                return String::new();
            };
            if explained.reader == Reader::Operator {
                say("explain-value", here.partner_name.clone());
            }
            say("explain-value", place(lang, Some(&here.tenant_kind), Some(&here.tenant_name)));
            say("explain-since", Some(instant(lang, Micros(here.since))));
        }
    }
    parts.join(" · ")
}

fn chain(lang: Lang, explained: &Explained, may: impl Fn(Next) -> bool) -> Chain {
    let step = |cause: &Cause| {
        let (text, advice) = said_of_cause(lang, explained.reader, cause);
        Step {
            mood: mood(cause.code),
            text,
            at: cause.at.map_or_else(|| lang.text("explain-now"), |at| instant(lang, at)),
            evidence: evidence(lang, explained, cause),
            // What was, asks for nothing.
            advice: if cause.at.is_none() { advice } else { String::new() },
        }
    };
    let next = explained.explanation.next.filter(|next| may(*next));
    Chain {
        steps: explained.explanation.causes.iter().map(step).collect(),
        next: next.map(|next| (files::path(explained, next), lang.code_text(next.code()))),
        serial: explained.serial.clone(),
    }
}

fn page(browser: &Browser, uri: &Uri, asked: Asked) -> ExplanationPage {
    let lang = browser.lang;
    ExplanationPage {
        frame: Frame::of(browser, uri, entry(browser.caller.role), lang.text("explain-title")),
        lang,
        csrf: browser.session.csrf.clone(),
        q: asked.q,
        chain: None,
        serials: asked.serials,
        rows: Vec::new(),
        counts: Vec::new(),
        may_open: browser.may(Action::OpenSupportCases).is_ok() && browser.caller.role != Role::Operator,
        fault: None,
    }
}

/// Shows the page; with `q` it explains that serial.
pub(super) async fn show(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::Explain)?;
    let asked: Asked = super::query(&uri);
    let mut page = page(&browser, &uri, asked);
    if !page.q.trim().is_empty() {
        let explained = explanations::explain(&app, &scope, &page.q).await?;
        let may = |next| match next {
            Next::Transfer => browser.may(Action::Transfer).is_ok(),
            Next::OpenCase => page.may_open,
            _ => true,
        };
        page.chain = Some(chain(browser.lang, &explained, may));
    }
    super::page(&page)
}

/// Answers a list, as a page or as a file.
pub(super) async fn list(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    Form(asked): Form<Asked>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::Explain)?;
    let lang = browser.lang;
    let found = match explanations::findings(&app, &scope, &super::support_cases::lines(&asked.serials)).await
    {
        Ok(found) => found,
        Err(Refused::Invalid { code, .. }) => {
            let fault = Some(lang.code_said(code));
            let page = super::page(&ExplanationPage { fault, ..page(&browser, &uri, asked) })?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
        Err(refused) => return Err(refused.into()),
    };
    if !asked.format.is_empty() {
        return files::file(&app, lang, explanations::reader(&scope), found, &asked.format).await;
    }
    let mut counts: BTreeMap<&'static str, i64> = BTreeMap::new();
    for (_, finding) in &found {
        *counts.entry(finding.code()).or_default() += 1;
    }
    let reader = explanations::reader(&scope);
    let row = |(serial, finding): (String, Finding)| {
        let (text, advice) = said(lang, reader, finding.code());
        let link = super::format::link("/explain", &[("q", &serial)]);
        Row { mood: mood(finding.code()), text, advice, link, serial }
    };
    let page = ExplanationPage {
        rows: found.into_iter().map(row).collect(),
        counts: counts.into_iter().map(|(code, n)| (said(lang, reader, code).0, number(lang, n))).collect(),
        ..page(&browser, &uri, asked)
    };
    super::page(&page)
}
