//! The pages' contents.

use askama::Template;
use roadstead_domain::wire::repair_case::RepairCase;
use sha2::{Digest, Sha256};

use crate::keeper::Keeper;
use crate::record::{Draft, Ended, Record, Ticket};
use crate::texts::Lang;
use crate::words;

/// The form, and what comes after it.
#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    lang: Lang,
    title: String,
    version: String,
    secret: &'a str,
    record: &'a Record,
    draft: &'a Draft,
    wrong: Option<String>,
    over: Option<String>,
    case: Option<&'a RepairCase>,
    more_parts: Option<String>,
    when: Option<String>,
    note: String,
    is_sending: bool,
    is_cancelling: bool,
    is_answering: bool,
}

/// A page that only says something.
#[derive(Template)]
#[template(path = "said.html")]
struct Said {
    lang: Lang,
    title: String,
    text: String,
}

pub(super) fn page(
    keeper: &Keeper,
    record: &Record,
    ticket: &Ticket,
    secret: &str,
    is_incomplete: bool,
) -> Result<String, askama::Error> {
    let lang = ticket.lang;
    let over = match &record.ended {
        Some(Ended::Withdrawn(reason)) => {
            let why = lang.known(&format!("withdrawn-{}", reason.replace(['.', '_'], "-")));
            Some([why, Some(lang.text("nothing-sent"))].into_iter().flatten().collect::<Vec<_>>().join(" "))
        }
        Some(Ended::Refused(why)) => Some(format!("{why} {}", lang.text("nothing-sent"))),
        Some(Ended::Expired) => Some(lang.text("expired")),
        None if record.submission.is_none() && !record.is_open(keeper.now()) => Some(lang.text("expired")),
        None => None,
    };
    let (sent, case) = (record.submission.as_ref(), record.case());
    let title = match case {
        Some(case) => lang.with("case-title", &[("number", &case.number)]),
        None => record.pop_up.title.clone(),
    };
    let appointment = case.and_then(|case| case.appointment.as_ref());
    let page = Page {
        lang,
        title,
        version: version(record),
        secret,
        record,
        draft: &record.draft,
        wrong: if is_incomplete { Some(lang.text("incomplete")) } else { record.returned.clone() },
        over,
        case,
        more_parts: case.and_then(|case| words::more_parts(case, lang)),
        when: case.and_then(|case| words::when(case, &jiff::tz::TimeZone::system(), lang)),
        note: appointment.map(|appointment| appointment.note.clone()).unwrap_or_default(),
        is_sending: sent.is_some_and(|sent| sent.case.is_none()),
        is_cancelling: sent.is_some_and(|sent| sent.cancelling),
        is_answering: sent.is_some_and(|sent| sent.answering.is_some()),
    };
    page.render()
}

/// Changes when the page would.
pub(super) fn version(record: &Record) -> String {
    let seen = serde_json::json!([record.pop_up, record.ended, record.submission, record.recipient_changed]);
    hex::encode(&Sha256::digest(seen.to_string())[..8])
}

pub(super) fn put_off(record: &Record, lang: Lang) -> Result<String, askama::Error> {
    Said { lang, title: record.pop_up.title.clone(), text: lang.text("put-off") }.render()
}

/// For an address that opens nothing.
pub(super) fn gone(lang: Lang) -> Result<String, askama::Error> {
    Said { lang, title: lang.text("gone-title"), text: lang.text("gone") }.render()
}
