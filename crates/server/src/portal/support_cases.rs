//! Support cases: the partner's own, and the operator's Support desk.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::clock::Micros;
use roadstead_store::support_cases as rows;
use serde::Deserialize;

use super::format::{instant, link};
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use crate::app::App;
use crate::flows::{Refused, support_cases};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

const PATH: &str = "/support-cases";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cursor: String,
    kind: String,
    serials: String,
    /// The page on which the question came up.
    about: String,
}

/// A case as the list shows it.
pub(super) struct Row {
    pub(super) link: String,
    pub(super) number: String,
    pub(super) kind: String,
    pub(super) partner: String,
    /// The state's mood and text.
    pub(super) state: (&'static str, String),
    pub(super) opened: String,
    pub(super) changed: String,
    /// Until when the operator wants to have answered: mood and text.
    pub(super) due: Option<(&'static str, String)>,
    /// How long ago it was opened.
    pub(super) age: String,
}

/// The list, also alone as the live fragment.
#[derive(Template)]
#[template(path = "support_list.html")]
pub(super) struct List {
    pub(super) lang: Lang,
    pub(super) of_all: bool,
    pub(super) rows: Vec<Row>,
    pub(super) pager: Pager,
    pub(super) may_open: bool,
}

/// The page.
#[derive(Template)]
#[template(path = "support.html")]
pub(super) struct SupportPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) list: List,
}

/// The form that opens a case.
#[derive(Template)]
#[template(path = "support_new.html")]
pub(super) struct NewPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    pub(super) kinds: Vec<(&'static str, String, bool)>,
    pub(super) text: String,
    pub(super) serials: String,
    /// What is wrong: text and advice.
    pub(super) fault: Option<(String, String)>,
}

/// A message as the page shows it.
pub(super) struct MessageView {
    pub(super) from: String,
    pub(super) by_operator: bool,
    pub(super) at: String,
    pub(super) text: String,
}

/// A serial as the page shows it.
pub(super) struct SerialView {
    pub(super) serial: String,
    pub(super) mood: &'static str,
    pub(super) text: String,
    pub(super) advice: String,
    /// The PC's page where it has one, else its explanation.
    pub(super) link: String,
    /// The decision's mood and text.
    pub(super) decision: Option<(&'static str, String)>,
    pub(super) reason: String,
}

/// One case.
#[derive(Template)]
#[template(path = "support_case.html")]
pub(super) struct CasePage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    pub(super) path: String,
    pub(super) state: (&'static str, String),
    pub(super) meaning: String,
    pub(super) partner: String,
    pub(super) messages: Vec<MessageView>,
    pub(super) serials: Vec<SerialView>,
    pub(super) closed: bool,
    pub(super) may_write: bool,
    pub(super) decides: bool,
    pub(super) fault: Option<(String, String)>,
}

fn state(lang: Lang, code: &str) -> (&'static str, String) {
    let mood = match code {
        "new" | "waiting_for_partner" => "waiting",
        "solved" => "good",
        _ => "plain",
    };
    (mood, lang.text(&format!("support-state-{}", code.replace('_', "-"))))
}

fn kind_text(lang: Lang, kind: &str) -> String {
    lang.text(&format!("support-kind-{}", kind.replace('_', "-")))
}

/// Who opened it.
fn opener(case: &rows::SupportCase) -> String {
    match case.home_number.as_str() {
        "" => case.home_name.clone(),
        number => format!("{} ({number})", case.home_name),
    }
}

/// The operator's clock: `bad` once it is late.
fn due(lang: Lang, case: &rows::SupportCase, now: Micros) -> Option<(&'static str, String)> {
    let by = case.answer_by()?;
    let (mood, key) = if by < now.0 { ("bad", "support-overdue") } else { ("waiting", "support-answer-by") };
    Some((mood, lang.text_with(key, &[("at", instant(lang, Micros(by)).into())])))
}

/// Days, or hours on the first one.
fn age(lang: Lang, micros: i64) -> String {
    let hours = micros.max(0) / 3_600_000_000;
    let (key, count) = if hours < 24 { ("support-hours", hours) } else { ("support-days", hours / 24) };
    lang.text_with(key, &[("count", count.to_string().into())])
}

fn entry(scope: &Scope) -> Entry {
    if scope.platform().is_ok() { Entry::SupportDesk } else { Entry::SupportCases }
}

/// Shows the list.
pub(super) async fn show(
    State(app): State<App>,
    browser: Browser,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadSupportCases)?;
    let asked: Asked = super::query(&uri);
    let lang = browser.lang;
    let mut tx = app.store.read(&scope).await?;
    let page = page_at(&asked.cursor, None);
    let Some(found) = rows::list(&mut tx, &scope, false, &page).await? else {
        return Ok(Redirect::to(PATH).into_response());
    };
    let now = app.ambient.now();
    let row = |case: rows::SupportCase| Row {
        link: format!("{PATH}/{}", case.id),
        kind: kind_text(lang, &case.kind),
        partner: opener(&case),
        state: state(lang, &case.state),
        opened: instant(lang, Micros(case.created_at)),
        changed: instant(lang, Micros(case.updated_at)),
        due: due(lang, &case, now),
        age: age(lang, now.0 - case.created_at),
        number: case.number,
    };
    let list = List {
        lang,
        of_all: scope.platform().is_ok(),
        rows: found.items.into_iter().map(row).collect(),
        pager: Pager::new(lang, &asked.cursor, found.next_cursor, |cursor| link(PATH, &[("cursor", cursor)])),
        may_open: scope.home().is_some() && browser.may(Action::OpenSupportCases).is_ok(),
    };
    if super::wants_list(&headers) {
        return super::page(&list);
    }
    super::page(&SupportPage { frame: Frame::at(&browser, &uri, entry(&scope)), lang, list })
}

/// What a form says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Written {
    kind: String,
    text: String,
    serials: String,
    decision: String,
    reason: String,
}

/// The serials of a list as people paste it.
pub(super) fn lines(text: &str) -> Vec<String> {
    text.split(['\n', ',', ';', '\t'])
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether the reader is one who opens cases.
fn opens(browser: &Browser) -> Result<(), Problem> {
    let scope = browser.may(Action::OpenSupportCases)?;
    scope.home().map(|_| ()).ok_or_else(Problem::not_found)
}

/// Shows the form that opens a case.
pub(super) async fn new(browser: Browser, uri: Uri) -> Result<Response, Problem> {
    opens(&browser)?;
    let asked: Asked = super::query(&uri);
    let text = match asked.about.as_str() {
        "" => String::new(),
        page => browser.lang.text_with("support-about", &[("page", page.into())]) + "\n\n",
    };
    let written = Written { kind: asked.kind, serials: asked.serials, text, ..Written::default() };
    form(&browser, &uri, written, None)
}

/// The same form, filled with a list too long for an address.
pub(super) async fn new_with(
    browser: Browser,
    uri: Uri,
    Form(written): Form<Written>,
) -> Result<Response, Problem> {
    opens(&browser)?;
    form(&browser, &uri, written, None)
}

fn form(
    browser: &Browser,
    uri: &Uri,
    written: Written,
    fault: Option<&'static str>,
) -> Result<Response, Problem> {
    let lang = browser.lang;
    let chosen =
        |kind: &&str| **kind == written.kind || (written.kind.is_empty() && *kind == support_cases::KINDS[0]);
    let page = super::page(&NewPage {
        frame: Frame::of(browser, uri, Entry::SupportCases, lang.text("support-new")),
        lang,
        csrf: browser.session.csrf.clone(),
        kinds: support_cases::KINDS.iter().map(|kind| (*kind, kind_text(lang, kind), chosen(kind))).collect(),
        text: written.text,
        serials: written.serials,
        fault: fault.map(|code| (lang.code_text(code), lang.code_advice(code))),
    })?;
    let status = if fault.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, page).into_response())
}

/// Opens a case.
pub(super) async fn open(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    Form(written): Form<Written>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::OpenSupportCases)?;
    match support_cases::open(&app, &scope, &written.kind, &written.text, &lines(&written.serials)).await {
        Ok(id) => Ok(Redirect::to(&format!("{PATH}/{id}")).into_response()),
        Err(Refused::Invalid { code, .. }) => form(&browser, &uri, written, Some(code)),
        Err(refused) => Err(refused.into()),
    }
}

/// Shows a case.
pub(super) async fn one(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    render(&app, &browser, &id, &uri, None).await
}

async fn render(
    app: &App,
    browser: &Browser,
    id: &str,
    uri: &Uri,
    fault: Option<&'static str>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadSupportCases)?;
    let lang = browser.lang;
    let mut tx = app.store.read(&scope).await?;
    let case = support_cases::found(&mut tx, &scope, id).await?;
    let messages = rows::messages(&mut tx, &scope, &case).await?;
    let serials = rows::serials(&mut tx, &scope, &case).await?;
    drop(tx);
    let message = |message: rows::Message| MessageView {
        by_operator: message.side == "operator",
        from: lang.text(&format!("support-from-{}", message.side)),
        at: instant(lang, Micros(message.at)),
        text: message.body,
    };
    let serial = |missed: rows::Missed| SerialView {
        mood: if missed.finding == "support.there" { "good" } else { "waiting" },
        text: lang.code_text(&missed.finding),
        advice: lang.code_advice(&missed.finding),
        link: if missed.finding == "support.there" && scope.partner().is_ok() {
            super::device::path_of(&missed.serial)
        } else {
            link("/explain", &[("q", &missed.serial)])
        },
        decision: missed.decision.as_deref().map(|decision| {
            let mood = if decision == "approved" { "good" } else { "bad" };
            (mood, lang.text(&format!("support-{decision}")))
        }),
        reason: missed.reason.unwrap_or_default(),
        serial: missed.serial,
    };
    let key = format!("support-means-{}", case.state.replace('_', "-"));
    let page = super::page(&CasePage {
        frame: Frame::of(browser, uri, entry(&scope), case.number.clone()),
        lang,
        csrf: browser.session.csrf.clone(),
        path: format!("{PATH}/{}", case.id),
        state: state(lang, &case.state),
        meaning: lang.text(&key),
        partner: opener(&case),
        messages: messages.into_iter().map(message).collect(),
        serials: serials.into_iter().map(serial).collect(),
        closed: case.state == "closed",
        may_write: browser.may(Action::OpenSupportCases).is_ok(),
        decides: browser.may(Action::DecideSupportCases).is_ok(),
        fault: fault.map(|code| (lang.code_text(code), lang.code_advice(code))),
    })?;
    let status = if fault.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, page).into_response())
}

/// Writes in a case, decides about its serials, or closes it.
pub(super) async fn act(
    State(app): State<App>,
    browser: Browser,
    Path((id, what)): Path<(String, String)>,
    uri: Uri,
    Form(written): Form<Written>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::OpenSupportCases)?;
    let serials = lines(&written.serials);
    let done = match what.as_str() {
        "messages" => support_cases::say(&app, &scope, &id, &written.text, &serials).await,
        "decision" => {
            let scope = browser.may(Action::DecideSupportCases)?;
            let approve = written.decision == "approve";
            support_cases::decide(&app, &scope, &id, &serials, approve, &written.reason).await.map(|_| ())
        }
        "close" => support_cases::close(&app, &scope, &id).await,
        _ => return Err(Problem::not_found()),
    };
    match done {
        Ok(()) => Ok(Redirect::to(&format!("{PATH}/{id}")).into_response()),
        Err(Refused::Invalid { code, .. } | Refused::Conflict(code) | Refused::Rows { code, .. }) => {
            render(&app, &browser, &id, &uri, Some(code)).await
        }
        Err(refused) => Err(refused.into()),
    }
}
