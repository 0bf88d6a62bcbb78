//! Support cases: the partner's own, and the operator's Support desk.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Multipart, Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::attachment;
use roadstead_domain::clock::Micros;
use roadstead_domain::explanation::Finding;
use roadstead_domain::support_case::Rule;
use roadstead_store::explanations::Line;
use roadstead_store::{attachments as stored, support_cases as rows};
use serde::Deserialize;

use super::format::{bytes, instant, link, number};
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use crate::app::App;
use crate::flows::attachments::{self, Received};
use crate::flows::support_bundle::{self, Bundle, Listed};
use crate::flows::{Refused, support_cases};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

const PATH: &str = "/support-cases";
/// Serials of a page.
const SERIALS: i64 = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cursor: String,
    kind: String,
    serials: String,
    /// The page on which the question came up.
    about: String,
    /// Only the serials of a case that come to this.
    verdict: String,
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
    pub(super) files: Vec<FileView>,
}

/// A file that came with a message.
pub(super) struct FileView {
    pub(super) name: String,
    pub(super) size: String,
    /// Where its bytes are, while they are kept.
    pub(super) link: Option<String>,
}

/// A serial as the page shows it.
pub(super) struct SerialView {
    pub(super) serial: String,
    /// The PC's page where it has one, else its explanation.
    pub(super) link: String,
    /// Where it is, if the reader may know.
    pub(super) place: String,
    pub(super) lines: Vec<LineView>,
    /// By what it was solved.
    pub(super) solved: Option<String>,
    /// The decision's mood and text.
    pub(super) decision: Option<(&'static str, String)>,
    pub(super) reason: String,
}

/// A line of a report as evidence.
pub(super) struct LineView {
    /// What it came to.
    pub(super) verdict: String,
    pub(super) text: String,
    /// Its report, for the operator.
    pub(super) link: Option<String>,
    /// Whether only the operator sees it.
    pub(super) hidden: bool,
}

/// Serials that come to the same.
pub(super) struct GroupView {
    pub(super) code: &'static str,
    pub(super) mood: &'static str,
    pub(super) text: String,
    pub(super) advice: String,
    pub(super) count: String,
    pub(super) rows: Vec<SerialView>,
}

/// How many of the listed serials come to the same, as a link to them.
pub(super) struct CountView {
    pub(super) text: String,
    pub(super) count: String,
    pub(super) link: String,
    pub(super) current: bool,
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
    /// What all of the listed serials come to.
    pub(super) counts: Vec<CountView>,
    /// Those of this page.
    pub(super) groups: Vec<GroupView>,
    pub(super) pager: Pager,
    /// How many of the listed serials are solved, of how many: in words.
    pub(super) solved: Option<String>,
    /// Whether a waiting line may be tried again.
    pub(super) waits: bool,
    pub(super) closed: bool,
    pub(super) may_write: bool,
    pub(super) decides: bool,
    /// A text that was not taken, to be mended.
    pub(super) unsent: String,
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
    let page = NewPage {
        frame: Frame::of(browser, uri, Entry::SupportCases, lang.text("support-new")),
        lang,
        csrf: browser.session.csrf.clone(),
        kinds: support_cases::KINDS.iter().map(|kind| (*kind, kind_text(lang, kind), chosen(kind))).collect(),
        text: written.text,
        serials: written.serials,
        fault: fault.map(|code| lang.code_said(code)),
    };
    super::form(&page, fault.is_some())
}

/// The most bytes of a form with files: as many files as a message takes, and the fields.
pub(super) const MOST_SENT: usize =
    attachment::MOST_BYTES as usize * attachment::MOST_OF_MESSAGE + 2 * MOST_TEXT;
/// The most bytes of its fields.
const MOST_TEXT: usize = 2 << 20;

/// A form with files: its fields, and the files or why one of them is not taken. The field `csrf` comes first.
struct Sent {
    written: Written,
    files: Result<Vec<Received>, Refused>,
}

impl Sent {
    async fn read(app: &App, browser: &Browser, mut parts: Multipart) -> Result<Self, Problem> {
        let mut fields: BTreeMap<String, String> = BTreeMap::new();
        let mut files = Ok(Vec::new());
        let mut left = MOST_TEXT;
        while let Some(mut part) = parts.next_field().await.map_err(Problem::unreadable)? {
            let name = part.name().unwrap_or_default().to_owned();
            if name != "csrf" && fields.get("csrf") != Some(&browser.session.csrf) {
                return Err(Problem::new(StatusCode::FORBIDDEN, "csrf"));
            }
            let Some(file) = part.file_name().map(str::to_owned) else {
                let mut value = Vec::new();
                while let Some(piece) = part.chunk().await.map_err(Problem::unreadable)? {
                    left = left.checked_sub(piece.len()).ok_or_else(|| Problem::unreadable("too long"))?;
                    value.extend_from_slice(&piece);
                }
                fields.insert(name, String::from_utf8_lossy(&value).into_owned());
                continue;
            };
            // A chooser in which nothing was chosen sends a file without a name. After a refusal the rest is read past,
            // so that the browser gets to read the answer.
            if let (false, Ok(taken)) = (file.is_empty(), &mut files) {
                let received = if taken.len() < attachment::MOST_OF_MESSAGE {
                    attachments::receive(app, &file, None, part).await
                } else {
                    Err(Refused::Conflict("attachment.too_many"))
                };
                match received {
                    Ok(received) => taken.push(received),
                    Err(refused) => files = Err(refused),
                }
            }
        }
        let written = serde_json::to_value(fields).and_then(serde_json::from_value);
        Ok(Self { written: written.map_err(Problem::unreadable)?, files })
    }
}

/// Opens a case.
pub(super) async fn open(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    parts: Multipart,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::OpenSupportCases)?;
    let Sent { written, files } = Sent::read(&app, &browser, parts).await?;
    let done = async {
        let serials = lines(&written.serials);
        support_cases::open(&app, &scope, &written.kind, &written.text, &serials, &files?).await
    };
    match done.await {
        Ok(id) => Ok(Redirect::to(&format!("{PATH}/{id}")).into_response()),
        Err(Refused::Invalid { code, .. } | Refused::Conflict(code)) => {
            form(&browser, &uri, written, Some(code))
        }
        Err(refused) => Err(refused.into()),
    }
}

/// Writes in a case.
pub(super) async fn say(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
    parts: Multipart,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::OpenSupportCases)?;
    support_cases::writable(&app, &scope, &id).await?;
    let Sent { written, files } = Sent::read(&app, &browser, parts).await?;
    let done = async {
        let serials = lines(&written.serials);
        support_cases::say(&app, &scope, &id, &written.text, &serials, &files?).await
    };
    answer(&app, &browser, (&id, &uri), &written.text, done.await).await
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
    fault: Option<(&'static str, &str)>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadSupportCases)?;
    let lang = browser.lang;
    let mut tx = app.store.read(&scope).await?;
    let case = support_cases::found(&mut tx, &scope, id).await?;
    let messages = rows::messages(&mut tx, &scope, &case).await?;
    let mut files = stored::list(&mut tx, &scope, &case).await?;
    drop(tx);
    let file = |file: stored::Attachment| FileView {
        size: bytes(lang, file.bytes),
        link: file.forgotten_at.is_none().then(|| {
            let id = file.id;
            format!("/api/v1/support-cases/{}/attachments/{id}", case.id)
        }),
        name: file.name,
    };
    let message = |message: rows::Message| MessageView {
        files: files.extract_if(.., |file| file.message == message.id).map(file).collect(),
        by_operator: message.side == "operator",
        from: lang.text(&format!("support-from-{}", message.side)),
        at: instant(lang, Micros(message.at)),
        text: message.body,
    };
    let asked: Asked = super::query(uri);
    let path = format!("{PATH}/{}", case.id);
    let verdict = Some(asked.verdict.as_str()).filter(|code| !code.is_empty());
    let page = page_at(&asked.cursor, Some(SERIALS));
    let Some(bundle) = support_bundle::bundle(app, &scope, id, verdict, Some(&page)).await? else {
        return Ok(Redirect::to(&path).into_response());
    };
    let to = |verdict: &str, cursor: &str| link(&path, &[("verdict", verdict), ("cursor", cursor)]);
    let key = format!("support-means-{}", case.state.replace('_', "-"));
    let page = CasePage {
        frame: Frame::of(browser, uri, entry(&scope), case.number.clone()),
        lang,
        csrf: browser.session.csrf.clone(),
        counts: counts(lang, &bundle, &asked.verdict, |verdict| to(verdict, "")),
        pager: Pager::new(lang, &asked.cursor, bundle.next_cursor.clone(), |cursor| {
            to(&asked.verdict, cursor)
        }),
        state: state(lang, &case.state),
        meaning: lang.text(&key),
        partner: opener(&case),
        messages: messages.into_iter().map(message).collect(),
        solved: progress(lang, &bundle),
        waits: bundle.counts.iter().any(|(code, _)| {
            matches!(Finding::from_code(code), Some(Finding::Waits | Finding::SellerUnknown))
        }),
        groups: groups(lang, &scope, bundle),
        closed: case.state == "closed",
        may_write: browser.may(Action::OpenSupportCases).is_ok(),
        decides: browser.may(Action::DecideSupportCases).is_ok(),
        unsent: fault.map_or_else(String::new, |(_, unsent)| unsent.to_owned()),
        fault: fault.map(|(code, _)| lang.code_said(code)),
        path,
    };
    super::form(&page, fault.is_some())
}

/// How far a case with serials is.
fn progress(lang: Lang, bundle: &Bundle) -> Option<String> {
    let all = bundle.counts.iter().map(|(_, count)| count).sum();
    let values = [
        ("solved", counted(lang, count_of(bundle, support_bundle::SOLVED)).into()),
        ("all", counted(lang, all).into()),
    ];
    (all > 0).then(|| lang.text_with("support-solved-of", &values))
}

fn counted(lang: Lang, count: usize) -> String {
    number(lang, i64::try_from(count).unwrap_or(i64::MAX))
}

fn count_of(bundle: &Bundle, code: &str) -> usize {
    bundle.counts.iter().find(|(of, _)| *of == code).map_or(0, |(_, count)| *count)
}

/// What all serials come to, each a link to those that do; where they all come to the same there is nothing to choose.
fn counts(lang: Lang, bundle: &Bundle, asked: &str, to: impl Fn(&str) -> String) -> Vec<CountView> {
    if bundle.counts.len() < 2 && asked.is_empty() {
        return Vec::new();
    }
    let view = |code: &str, text, count| CountView {
        text,
        count: counted(lang, count),
        link: to(code),
        current: code == asked,
    };
    let all = view("", lang.text("support-all"), bundle.counts.iter().map(|(_, count)| count).sum());
    let each = bundle.counts.iter().map(|(code, count)| {
        let (text, _) = super::explanation::said(lang, bundle.reader, code);
        view(code, text, *count)
    });
    std::iter::once(all).chain(each).collect()
}

/// What is left, group by group, and what was solved: of this page, with the counts of all.
fn groups(lang: Lang, scope: &Scope, bundle: Bundle) -> Vec<GroupView> {
    let reader = bundle.reader;
    let solved_in_all = count_of(&bundle, support_bundle::SOLVED);
    let group = |code, mood, all: usize, serials: Vec<(Option<Rule>, Listed)>| {
        let (text, advice) = super::explanation::said(lang, reader, code);
        let rows = serials.into_iter().map(|(rule, listed)| serial_view(lang, scope, rule, listed));
        GroupView { code, mood, text, advice, count: counted(lang, all), rows: rows.collect() }
    };
    let in_all: Vec<usize> =
        bundle.left.iter().map(|(finding, _)| count_of(&bundle, finding.code())).collect();
    let mut groups: Vec<GroupView> = bundle
        .left
        .into_iter()
        .zip(in_all)
        .map(|((finding, serials), all)| {
            let serials = serials.into_iter().map(|listed| (None, listed)).collect();
            group(finding.code(), super::explanation::mood(finding.code()), all, serials)
        })
        .collect();
    if !bundle.solved.is_empty() {
        let serials = bundle.solved.into_iter().map(|(rule, listed)| (Some(rule), listed)).collect();
        groups.push(group(support_bundle::SOLVED, "good", solved_in_all, serials));
    }
    groups
}

fn serial_view(lang: Lang, scope: &Scope, rule: Option<Rule>, listed: Listed) -> SerialView {
    let operator = scope.platform().is_ok();
    let Listed { missed, lines, place } = listed;
    let line = |(line, shown): (Line, bool)| LineView {
        verdict: lang.code_text(&line.verdict),
        text: super::explanation::line_evidence(lang, &line),
        link: operator.then(|| {
            let (report, number) = (line.report, line.line);
            if line.verdict.starts_with("disputed.") {
                format!("/disputes/{report}/{number}")
            } else {
                format!("/reports/{report}")
            }
        }),
        hidden: operator && !shown,
    };
    let has_page = place.is_some() && scope.partner().is_ok();
    SerialView {
        link: if has_page {
            super::device::path_of(&missed.serial)
        } else {
            link("/explain", &[("q", &missed.serial)])
        },
        place: place.map_or_else(String::new, |place| {
            let since = instant(lang, Micros(place.since));
            let there = match place.tenant_kind.as_str() {
                "holding" => lang.text("nav-unassigned"),
                _ => place.tenant_name,
            };
            let whose = place.partner_name.filter(|_| operator).map(|name| format!("{name}: "));
            let since = lang.text_with("explain-since", &[("value", since.into())]);
            format!("{}{there} · {since}", whose.unwrap_or_default())
        }),
        lines: lines.into_iter().map(line).collect(),
        solved: rule.map(|rule| lang.code_text(rule.code())),
        decision: missed.decision.as_deref().map(|decision| {
            let mood = if decision == "approved" { "good" } else { "bad" };
            (mood, lang.text(&format!("support-{decision}")))
        }),
        reason: missed.reason.unwrap_or_default(),
        serial: missed.serial,
    }
}

/// Decides about the serials of a case, lets the rules try again, or closes it.
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
        "decision" => {
            let scope = browser.may(Action::DecideSupportCases)?;
            let approve = written.decision == "approve";
            support_cases::decide(&app, &scope, &id, &serials, approve, &written.reason).await.map(|_| ())
        }
        "solve" => {
            let scope = browser.may(Action::DecideSupportCases)?;
            support_bundle::solve(&app, &scope, &id).await.map(|_| ())
        }
        "close" => support_cases::close(&app, &scope, &id).await,
        _ => return Err(Problem::not_found()),
    };
    answer(&app, &browser, (&id, &uri), "", done).await
}

/// The case again, or what was wrong with what was sent, with the text that was not taken.
async fn answer(
    app: &App,
    browser: &Browser,
    (id, uri): (&str, &Uri),
    unsent: &str,
    done: Result<(), Refused>,
) -> Result<Response, Problem> {
    match done {
        Ok(()) => Ok(Redirect::to(&format!("{PATH}/{id}")).into_response()),
        Err(Refused::Invalid { code, .. } | Refused::Conflict(code) | Refused::Rows { code, .. }) => {
            render(app, browser, id, uri, Some((code, unsent))).await
        }
        Err(refused) => Err(refused.into()),
    }
}
