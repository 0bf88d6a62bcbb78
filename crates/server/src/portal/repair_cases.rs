//! Repair cases: one's own, and the desk's queue with all that the desk does about a case.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::civil::DateTime;
use roadstead_domain::access::{Action, Reach, Role, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::partner::SupportLevel;
use roadstead_domain::repair_case::{Side, State as Stands, Step, after};
use roadstead_domain::wire::repair_case::Contact;
use roadstead_store::repair_cases as rows;
use roadstead_store::{Tx, desk_hours};
use serde::Deserialize;

use super::format::{instant, link};
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use super::repair_desk;
use crate::app::App;
use crate::flows::repair_cases::opening::{ByHand, asks_caller, open_by_hand};
use crate::flows::repair_cases::steps::{self, Act};
use crate::flows::repair_cases::{self, state_text};
use crate::flows::{Refused, pop_ups};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

const PATH: &str = "/repair-cases";
const DESK: &str = "/repair-desk";
/// What the list's address says after a case was opened that its reader does not see.
const OPENED_ELSEWHERE: &str = "elsewhere";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cursor: String,
    which: String,
    alert: String,
    done: String,
}

/// A case as the list shows it.
pub(super) struct Row {
    pub(super) link: String,
    pub(super) number: String,
    pub(super) serial: String,
    pub(super) model: String,
    pub(super) what: String,
    pub(super) desk: String,
    /// Whether it is for the reader to work on.
    pub(super) own: bool,
    /// The state's mood and text.
    pub(super) state: (&'static str, String),
    pub(super) assignee: String,
    pub(super) opened: String,
}

/// The list, also alone as the live fragment.
#[derive(Template)]
#[template(path = "repair_list.html")]
pub(super) struct List {
    pub(super) lang: Lang,
    pub(super) rows: Vec<Row>,
    pub(super) pager: Pager,
    /// What an empty list says.
    pub(super) empty: String,
}

/// The page.
#[derive(Template)]
#[template(path = "repair_cases.html")]
pub(super) struct CasesPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) list: List,
    pub(super) lead: String,
    /// Name, link and whether it is chosen, of each choice of cases.
    pub(super) choices: Vec<(String, String, bool)>,
    pub(super) may_open: bool,
    /// Whether these are the cases of a desk, which has a calendar.
    pub(super) has_calendar: bool,
    /// Whether a case was opened just now that another desk has.
    pub(super) opened_elsewhere: bool,
}

/// Something written in a case.
pub(super) struct NoteView {
    pub(super) kind: String,
    pub(super) is_ours: bool,
    pub(super) author: String,
    pub(super) at: String,
    pub(super) text: String,
}

/// What the desk may do.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct May {
    pub(super) claim: bool,
    pub(super) work: bool,
    pub(super) reimburse: bool,
    pub(super) answer: bool,
    pub(super) cancel: bool,
}

/// One case.
#[derive(Template)]
#[template(path = "repair_case.html")]
pub(super) struct CasePage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    pub(super) path: String,
    pub(super) state: (&'static str, String),
    pub(super) title: String,
    pub(super) facts: Vec<(String, String)>,
    /// Whom to turn to and what they wrote; empty for an onlooker.
    pub(super) person: Vec<(String, String)>,
    pub(super) notes: Vec<NoteView>,
    /// Reference, part, quantity and time of each order.
    pub(super) parts: Vec<(String, String, i64, String)>,
    pub(super) is_desk: bool,
    pub(super) may: May,
    /// Id, name and address of those who may be given the case, and whether they have it.
    pub(super) colleagues: Vec<(String, String, bool)>,
    pub(super) appointment: Appointing,
    /// The list that the case belongs to.
    pub(super) back: (&'static str, String),
    pub(super) fault: Option<(String, String)>,
}

/// The form that sets the appointment, with what was typed in.
#[derive(Clone, Debug, Default)]
pub(super) struct Appointing {
    pub(super) from: String,
    pub(super) until: String,
    pub(super) note: String,
    /// Whether it lies outside of the working hours and is to be confirmed.
    pub(super) asks: bool,
    /// The place whose clock counts.
    pub(super) zone: String,
}

/// The form that opens a case in the user's place.
#[derive(Template)]
#[template(path = "repair_new.html")]
pub(super) struct NewPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    pub(super) written: Written,
    /// The alert's title and PC, where it is about one.
    pub(super) about: Option<(String, String)>,
    pub(super) asks_caller: bool,
    pub(super) fault: Option<(String, String)>,
}

/// What a form says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Written {
    pub(super) alert: String,
    pub(super) serial: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) phone: String,
    pub(super) text: String,
    pub(super) preferred_times: String,
    pub(super) caller: String,
    from: String,
    until: String,
    note: String,
    outside_hours: String,
    reference: String,
    part: String,
    quantity: String,
    result: String,
    failure_code: String,
    into: String,
    user: String,
}

pub(super) fn badge(lang: Lang, code: &str) -> (&'static str, String) {
    let mood = match code {
        "new" | "waiting_for_user" => "waiting",
        "scheduled" | "in_repair" => "good",
        _ => "plain",
    };
    (mood, state_text(lang, code))
}

fn entry(browser: &Browser) -> Entry {
    if browser.caller.role == Role::CustomerSupport { Entry::SupportQueue } else { Entry::RepairCases }
}

fn desk_name(lang: Lang, case: &rows::RepairCase) -> String {
    match case.desk().partner() {
        None => lang.text("desk-customer-support"),
        Some(_) => lang.text_with("desk-csdp", &[("partner", case.partner_name.as_str().into())]),
    }
}

/// What a case is about, in a few words.
fn about(lang: Lang, case: &rows::RepairCase) -> String {
    if case.kind.is_empty() { lang.text("repair-by-hand") } else { pop_ups::title(lang, &case.kind) }
}

/// Shows the list.
pub(super) async fn show(
    State(app): State<App>,
    browser: Browser,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    list(&app, &browser, &headers, &uri, false).await
}

/// Shows the cases of one's own desk.
pub(super) async fn desk(
    State(app): State<App>,
    browser: Browser,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    list(&app, &browser, &headers, &uri, true).await
}

async fn list(
    app: &App,
    browser: &Browser,
    headers: &HeaderMap,
    uri: &Uri,
    own_desk: bool,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadRepairCases)?;
    let is_queue = scope.reach() == Reach::Desk;
    if own_desk && !is_queue && scope.partner().is_err() {
        return Err(Problem::not_found());
    }
    let path = if own_desk { DESK } else { PATH };
    let asked: Asked = super::query(uri);
    let lang = browser.lang;
    let filter = rows::Filter { open: asked.which != "all", own_desk };
    let mut tx = app.store.read(&scope).await?;
    let Some(found) = rows::list(&mut tx, &scope, filter, &page_at(&asked.cursor, None)).await? else {
        return Ok(Redirect::to(path).into_response());
    };
    let row = |case: rows::RepairCase| Row {
        link: format!("{PATH}/{}", case.id),
        what: about(lang, &case),
        desk: desk_name(lang, &case),
        own: case.side(&scope) == Side::Desk,
        state: badge(lang, &case.state),
        assignee: case.assignee_name.clone().unwrap_or_default(),
        opened: instant(lang, Micros(case.created_at)),
        number: case.number,
        serial: case.serial,
        model: case.model,
    };
    let list = List {
        lang,
        rows: found.items.into_iter().map(row).collect(),
        pager: Pager::new(lang, &asked.cursor, found.next_cursor, |cursor| {
            link(path, &[("which", &asked.which), ("cursor", cursor)])
        }),
        empty: lang.text(match (is_queue, own_desk) {
            (true, _) => "repair-empty-queue",
            (false, true) => "repair-empty-desk",
            (false, false) => "repair-empty-text",
        }),
    };
    if super::wants_list(headers) {
        return super::page(&list);
    }
    let choice = |which: &'static str| {
        let chosen = asked.which == which || (which == "open" && asked.which.is_empty());
        (lang.text(&format!("repair-which-{which}")), link(path, &[("which", which)]), chosen)
    };
    super::page(&CasesPage {
        frame: Frame::at(browser, uri, if own_desk { repair_desk::entry(browser) } else { entry(browser) }),
        lang,
        list,
        lead: lang.text(match (is_queue, own_desk) {
            (true, _) => "repair-queue-lead",
            (false, true) => "repair-desk-lead",
            (false, false) => "repair-lead",
        }),
        choices: ["open", "all"].map(choice).into(),
        has_calendar: is_queue || own_desk,
        may_open: browser.may(Action::OpenRepairCases).is_ok(),
        opened_elsewhere: asked.done == OPENED_ELSEWHERE,
    })
}

/// Shows the form that opens a case in the user's place.
pub(super) async fn new(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let asked: Asked = super::query(&uri);
    form(&app, &browser, &uri, Written { alert: asked.alert, ..Written::default() }, None).await
}

async fn form(
    app: &App,
    browser: &Browser,
    uri: &Uri,
    written: Written,
    fault: Option<&'static str>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::OpenRepairCases)?;
    let lang = browser.lang;
    let mut about = None;
    if !written.alert.is_empty() {
        let mut tx = app.store.read(&scope).await?;
        let alert = crate::flows::alerts::found(&mut tx, &scope, &written.alert).await?;
        about = Some((pop_ups::title(lang, &alert.kind), alert.serial));
    }
    let asks_caller = asks_caller(&scope, about.is_some());
    let page = NewPage {
        frame: Frame::of(browser, uri, entry(browser), lang.text("repair-new")),
        lang,
        csrf: browser.session.csrf.clone(),
        written,
        about,
        asks_caller,
        fault: fault.map(|code| lang.code_said(code)),
    };
    super::form(&page, fault.is_some())
}

/// Opens a case in the user's place.
pub(super) async fn open(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    Form(written): Form<Written>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::OpenRepairCases)?;
    let asked = ByHand {
        alert: Some(written.alert.clone()),
        serial: written.serial.clone(),
        contact: Contact {
            name: written.name.clone(),
            email: written.email.clone(),
            phone: written.phone.clone(),
        },
        text: written.text.clone(),
        preferred_times: written.preferred_times.clone(),
        caller: written.caller.clone(),
    };
    match open_by_hand(&app, &scope, browser.lang, &asked).await {
        Ok(id) => {
            let mut tx = app.store.read(&scope).await?;
            let to = match rows::find(&mut tx, &scope, &id.to_string()).await? {
                Some(_) => format!("{PATH}/{id}"),
                // Customer support opens cases that go to a partner's desk, which alone sees them then.
                None => link(PATH, &[("done", OPENED_ELSEWHERE)]),
            };
            Ok(Redirect::to(&to).into_response())
        }
        Err(Refused::Invalid { code, .. } | Refused::Conflict(code)) => {
            form(&app, &browser, &uri, written, Some(code)).await
        }
        Err(Refused::Denied(_)) if written.alert.is_empty() => {
            form(&app, &browser, &uri, written, Some("not_found")).await
        }
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
    render(&app, &browser, &id, &uri, (None, Appointing::default())).await
}

async fn render(
    app: &App,
    browser: &Browser,
    id: &str,
    uri: &Uri,
    (fault, appointment): (Option<&'static str>, Appointing),
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadRepairCases)?;
    let lang = browser.lang;
    let mut tx = app.store.read(&scope).await?;
    let case = repair_cases::found(&mut tx, &scope, id).await?;
    let shows_person = case.shows_person(&scope);
    let is_desk = case.side(&scope) == Side::Desk && browser.may(Action::WorkRepairCases).is_ok();
    let notes = if shows_person { rows::notes(&mut tx, &case, is_desk).await? } else { Vec::new() };
    let parts = if is_desk { rows::parts(&mut tx, &case).await? } else { Vec::new() };
    let may = may(browser, &scope, &case);
    let colleagues = if may.work { rows::colleagues(&mut tx, &case).await? } else { Vec::new() };
    let zone = if is_desk { desk_lang(&mut tx, &scope, lang).await?.zone_name() } else { "" };
    drop(tx);
    let home = if case.side(&scope) == Side::Desk { repair_desk::entry(browser) } else { entry(browser) };
    let note = |note: rows::Note| NoteView {
        kind: lang.text(&format!("repair-note-{}", note.kind.replace('_', "-"))),
        is_ours: note.kind != "answer",
        author: note.author.unwrap_or_default(),
        at: instant(lang, Micros(note.at)),
        text: note.body,
    };
    let part =
        |part: rows::Part| (part.order_reference, part.part, part.quantity, instant(lang, Micros(part.at)));
    let colleague = |person: rows::Colleague| {
        let has_it = case.assignee == Some(person.id);
        (person.id.to_string(), format!("{} ({})", person.name, person.email), has_it)
    };
    let page = CasePage {
        frame: Frame::of(browser, uri, home, case.number.clone()),
        lang,
        csrf: browser.session.csrf.clone(),
        path: format!("{PATH}/{}", case.id),
        state: badge(lang, &case.state),
        title: about(lang, &case),
        facts: facts(lang, &case),
        person: if shows_person { person(lang, &case) } else { Vec::new() },
        notes: notes.into_iter().map(note).collect(),
        parts: parts.into_iter().map(part).collect(),
        is_desk,
        may,
        colleagues: colleagues.into_iter().map(colleague).collect(),
        appointment: Appointing { zone: zone.replace('_', " "), ..appointment },
        back: (home.path(), lang.text(home.key())),
        fault: fault.map(|code| lang.code_said(code)),
    };
    super::form(&page, fault.is_some())
}

fn may(browser: &Browser, scope: &Scope, case: &rows::RepairCase) -> May {
    let Ok(progress) = case.progress() else { return May::default() };
    let now = progress.state;
    let is_desk = case.side(scope) == Side::Desk && browser.may(Action::WorkRepairCases).is_ok();
    let is_opener = case.is_opener(scope) && browser.may(Action::OpenRepairCases).is_ok();
    let opener = |step| is_opener && after(progress, step, Side::Opener).is_ok();
    May {
        claim: is_desk && now == Stands::New,
        work: is_desk && now.is_open(),
        reimburse: is_desk
            && now == Stands::Closed
            && case.claim_reference.is_none()
            && case.merged_into.is_none(),
        answer: opener(Step::Answer),
        cancel: opener(Step::Cancel),
    }
}

/// Names and values of what there is; what is empty is left out.
fn named<const N: usize>(lang: Lang, facts: [(&str, String); N]) -> Vec<(String, String)> {
    facts
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (lang.text(key), value))
        .collect()
}

fn facts(lang: Lang, case: &rows::RepairCase) -> Vec<(String, String)> {
    let level = case.support_level.as_deref().and_then(SupportLevel::from_code);
    let zoned = lang.with(case.appointment_zone.as_deref(), None);
    let appointment = match (case.appointment_from, case.appointment_until) {
        (Some(from), Some(until)) => format!(
            "{} – {} ({}) {}",
            instant(zoned, Micros(from)),
            instant(zoned, Micros(until)),
            zoned.zone_name(),
            case.appointment_note.as_deref().unwrap_or("")
        ),
        _ => String::new(),
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    named(
        lang,
        [
            ("unassigned-serial", case.serial.clone()),
            ("unassigned-model", case.model.clone()),
            ("repair-level", level.map_or_else(String::new, |level| level.name().to_owned())),
            ("repair-found", case.found.clone()),
            ("repair-desk", desk_name(lang, case)),
            ("repair-why", lang.code_text(&case.desk_reason)),
            ("repair-partner", case.partner_name.clone()),
            ("repair-opened-by", lang.text(&format!("repair-opener-{}", case.opener))),
            ("support-opened", instant(lang, Micros(case.created_at))),
            ("repair-assignee", text(&case.assignee_name)),
            ("repair-appointment", appointment.trim().to_owned()),
            ("repair-result", text(&case.result)),
            ("repair-failure-code", text(&case.failure_code)),
            ("repair-claim-reference", text(&case.claim_reference)),
        ],
    )
}

fn person(lang: Lang, case: &rows::RepairCase) -> Vec<(String, String)> {
    named(
        lang,
        [
            ("repair-contact-name", case.contact_name.clone()),
            ("repair-contact-email", case.contact_email.clone()),
            ("repair-contact-phone", case.contact_phone.clone()),
            ("repair-text", case.message.clone()),
            ("repair-preferred-times", case.preferred_times.clone()),
            ("repair-caller", case.opener_note.clone()),
            ("repair-mails", if case.mails_muted { lang.text("repair-mails-off") } else { String::new() }),
            ("repair-question", case.question.clone().unwrap_or_default()),
        ],
    )
}

/// How the reader reads, by the clock of the desk's place if the desk has said where it is.
async fn desk_lang(tx: &mut Tx, scope: &Scope, lang: Lang) -> Result<Lang, Problem> {
    let hours = desk_hours::own(tx, scope).await?;
    Ok(lang.with(hours.as_ref().and_then(|hours| hours.zone.iana_name()), None))
}

/// A time as the field of a form gives it, by the clock of this reader.
fn instant_in(lang: Lang, text: &str) -> String {
    let at = text.parse::<DateTime>().ok().and_then(|at| at.to_zoned(lang.zone()).ok());
    at.map_or_else(|| text.to_owned(), |at| at.timestamp().to_string())
}

/// Does something about a case.
pub(super) async fn act(
    State(app): State<App>,
    browser: Browser,
    Path((id, what)): Path<(String, String)>,
    uri: Uri,
    Form(written): Form<Written>,
) -> Result<Response, Problem> {
    let typed = Appointing {
        from: written.from.clone(),
        until: written.until.clone(),
        note: written.note.clone(),
        ..Appointing::default()
    };
    let (action, act) = match what.as_str() {
        "answer" => (Action::OpenRepairCases, Act::Answer(written.text)),
        "cancel" => (Action::OpenRepairCases, Act::Cancel),
        "assign" if written.user.is_empty() => (Action::WorkRepairCases, Act::Claim),
        "assign" => (Action::WorkRepairCases, Act::Assign(written.user)),
        "ask" => (Action::WorkRepairCases, Act::Ask(written.text)),
        "note" => (Action::WorkRepairCases, Act::Note(written.text)),
        "hand-over" => (Action::WorkRepairCases, Act::HandOver(written.text)),
        "merge" => (Action::WorkRepairCases, Act::Merge(written.into)),
        "claim" => (Action::WorkRepairCases, Act::Reimburse(written.reference)),
        "appointment" => {
            let scope = browser.may(Action::WorkRepairCases)?;
            let mut tx = app.store.read(&scope).await?;
            let there = desk_lang(&mut tx, &scope, browser.lang).await?;
            let (from, until) = (instant_in(there, &written.from), instant_in(there, &written.until));
            let (time_zone, note) = (there.zone_name().to_owned(), written.note);
            let outside_hours = !written.outside_hours.is_empty();
            (Action::WorkRepairCases, Act::Appoint { from, until, time_zone, note, outside_hours })
        }
        "parts" => {
            let quantity = written.quantity.trim().parse().unwrap_or(0);
            (
                Action::WorkRepairCases,
                Act::Order { reference: written.reference, part: written.part, quantity },
            )
        }
        "close" => {
            let (result, failure_code) = (written.result, written.failure_code);
            (Action::WorkRepairCases, Act::Close { result, failure_code })
        }
        _ => return Err(Problem::not_found()),
    };
    let scope = browser.may(action)?;
    match steps::act(&app, &scope, &id, act).await {
        // A case that was handed over is out of sight.
        Ok(()) if what == "hand-over" => Ok(Redirect::to(PATH).into_response()),
        Ok(()) => Ok(Redirect::to(&format!("{PATH}/{id}")).into_response()),
        Err(Refused::Invalid { code, .. } | Refused::Conflict(code)) => {
            let asks = code == "appointment.outside_hours";
            render(&app, &browser, &id, &uri, (Some(code), Appointing { asks, ..typed })).await
        }
        Err(refused) => Err(refused.into()),
    }
}
