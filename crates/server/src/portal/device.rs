//! One PC: what it is, what it is entitled to, where it is and how it came there.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::Action;
use roadstead_domain::clock::Micros;
use roadstead_domain::partner::SupportLevel;
use roadstead_store::devices::{Moved, Right};
use serde::Deserialize;

use super::format::{encoded, instant, link, stored_date};
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use crate::app::App;
use crate::flows::Refused;
use crate::flows::devices::{self, Seen};
use crate::http::{Browser, Problem};
use crate::i18n::Lang;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    q: String,
    manufacturer: String,
    cursor: String,
}

/// A right as the page shows it.
#[derive(Clone, Debug)]
pub(super) struct RightView {
    pub(super) code: String,
    pub(super) level: &'static str,
    pub(super) starts: String,
    /// The last day on which it holds.
    pub(super) ends: String,
    /// `good` while it holds, `waiting` before, `bad` after.
    pub(super) mood: &'static str,
    pub(super) standing: String,
    pub(super) assumed: bool,
    pub(super) source: String,
    /// When the operator corrected the dates; empty if never.
    pub(super) corrected: String,
}

/// A move as the page shows it.
#[derive(Clone, Debug)]
pub(super) struct MoveView {
    pub(super) at: String,
    pub(super) at_machine: String,
    pub(super) text: String,
    pub(super) cause: String,
}

/// The page.
#[derive(Template)]
#[template(path = "device.html")]
pub(super) struct DevicePage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) place: String,
    /// `good` while the PC is with the partner, `plain` after.
    pub(super) mood: &'static str,
    /// Names and values of what it is and of its sale.
    pub(super) facts: Vec<(String, String)>,
    pub(super) rights: Vec<RightView>,
    pub(super) moves: Vec<MoveView>,
    pub(super) pager: Pager,
}

/// What is said when no PC was found, or several.
#[derive(Template)]
#[template(path = "device_find.html")]
pub(super) struct FindPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) q: String,
    /// Where a part of a serial is looked for.
    pub(super) in_list: String,
    /// The manufacturers to choose from, each with its PC's page.
    pub(super) choices: Vec<(String, String)>,
}

/// The address of the page of the PC with this serial.
pub(super) fn path_of(serial: &str) -> String {
    format!("/devices/{}", encoded(serial))
}

/// Finds a PC by its whole serial, from the search box that stands on every page.
pub(super) async fn find(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadDevice)?;
    let asked: Asked = super::query(&uri);
    let choices = match devices::find(&app, &scope, &asked.q, None).await {
        Ok(seen) => return Ok(Redirect::to(&path_of(&seen.serial)).into_response()),
        Err(Refused::Ambiguous { choices, .. }) => choices,
        Err(Refused::Denied(_)) => Vec::new(),
        Err(other) => return Err(other.into()),
    };
    let status = if choices.is_empty() { StatusCode::NOT_FOUND } else { StatusCode::OK };
    let lang = browser.lang;
    let own = || lang.text("device-own-manufacturer");
    let page = super::page(&FindPage {
        frame: Frame::of(&browser, &uri, Entry::Unassigned, lang.text("device-find")),
        lang,
        in_list: link("/unassigned-devices", &[("q", &asked.q)]),
        choices: choices
            .into_iter()
            .map(|name| {
                let page = link(&path_of(&asked.q), &[("manufacturer", &name)]);
                (if name.is_empty() { own() } else { name }, page)
            })
            .collect(),
        q: asked.q,
    })?;
    Ok((status, page).into_response())
}

/// Shows the page.
pub(super) async fn show(
    State(app): State<App>,
    browser: Browser,
    Path(serial): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadDevice)?;
    let asked: Asked = super::query(&uri);
    let manufacturer = Some(asked.manufacturer.as_str()).filter(|name| !name.is_empty());
    let seen = devices::find(&app, &scope, &serial, manufacturer).await?;
    let moves = devices::history(&app, &scope, seen.id, &page_at(&asked.cursor, Some(20))).await?;
    let Some(moves) = moves else { return Ok(Redirect::to(&path_of(&seen.serial)).into_response()) };
    let lang = browser.lang;
    let today = app.ambient.now().date().to_string();
    let path = path_of(&seen.serial);
    let to = |cursor: &str| link(&path, &[("manufacturer", &asked.manufacturer), ("cursor", cursor)]);
    let frame = Frame::of(&browser, &uri, Entry::Unassigned, seen.serial.clone());
    let pager = Pager::new(lang, &asked.cursor, moves.next_cursor, to);
    super::page(&DevicePage::of(frame, &seen, &moves.items, &today, pager))
}

impl DevicePage {
    /// The page of a PC with some of its moves, on this day.
    pub(super) fn of(frame: Frame, seen: &Seen, moves: &[Moved], today: &str, pager: Pager) -> Self {
        let lang = frame.lang;
        let now_at = seen.device.as_ref().map(|pc| (pc.tenant_kind.as_str(), pc.tenant_name.as_str()));
        Self {
            frame,
            lang,
            place: place(lang, now_at),
            mood: if seen.device.is_some() { "good" } else { "plain" },
            facts: facts(lang, seen),
            rights: seen.rights.iter().map(|right| right_view(lang, right, today)).collect(),
            moves: moves.iter().map(|moved| move_view(lang, moved)).collect(),
            pager,
        }
    }
}

fn place(lang: Lang, place: Option<(&str, &str)>) -> String {
    match place {
        Some(("holding", _)) => lang.text("nav-unassigned"),
        Some((_, name)) => lang.text_with("device-with-customer", &[("customer", name.into())]),
        None => lang.text("device-gone"),
    }
}

fn facts(lang: Lang, seen: &Seen) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut fact = |key: &str, value: String| {
        if !value.is_empty() {
            facts.push((lang.text(key), value));
        }
    };
    fact("device-manufacturer", seen.manufacturer.clone());
    if let Some(device) = &seen.device {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let day =
            |day: &Option<String>| day.as_deref().map_or_else(String::new, |day| stored_date(lang, day));
        fact("unassigned-model", device.model.clone());
        fact("device-product", device.product_number.clone());
        fact("device-since", instant(lang, Micros(device.since)));
        let seen = device.seen_at.map(|at| instant(lang, Micros(at)));
        fact("last-seen", seen.unwrap_or_else(|| lang.text("never-seen")));
        fact("unassigned-end-customer", text(&device.buyer_name));
        fact("device-buyer", text(&device.buyer));
        fact("unassigned-invoice", text(&device.invoice));
        fact("unassigned-order", device.order());
        fact("unassigned-sold-on", day(&device.sold_on));
        fact("device-shipped-on", day(&device.shipped_on));
        fact("unassigned-reported-by", text(&device.reporter_name));
        fact(
            "device-reported-at",
            device.reported_at.map_or_else(String::new, |at| instant(lang, Micros(at))),
        );
    }
    facts
}

/// The last day before this one, as it is shown.
fn day_before(lang: Lang, day: &str) -> String {
    let before = day.parse::<jiff::civil::Date>().ok().and_then(|day| day.yesterday().ok());
    before.map_or_else(|| day.to_owned(), |day| super::format::date(lang, day))
}

/// A right on this day.
pub(super) fn right_view(lang: Lang, right: &Right, today: &str) -> RightView {
    let (mood, key) = if right.ends_on.as_str() <= today {
        ("bad", "entitlement-ended")
    } else if right.starts_on.as_str() > today {
        ("waiting", "entitlement-to-come")
    } else {
        ("good", "entitlement-valid")
    };
    RightView {
        level: SupportLevel::from_code(&right.support_level).map_or("", SupportLevel::name),
        code: right.support_level.clone(),
        starts: stored_date(lang, &right.starts_on),
        ends: day_before(lang, &right.ends_on),
        mood,
        standing: lang.text(key),
        assumed: right.assumed,
        corrected: right.corrected_at.map_or_else(String::new, |at| {
            let at = instant(lang, Micros(at));
            lang.text_with("entitlement-corrected", &[("at", at.into())])
        }),
        source: right.reporter_name.as_ref().map_or_else(String::new, |name| {
            lang.text_with("entitlement-source", &[("reporter", name.as_str().into())])
        }),
    }
}

fn move_view(lang: Lang, moved: &Moved) -> MoveView {
    let side = |kind: &Option<String>, name: &Option<String>| {
        kind.as_deref().map(|kind| place(lang, Some((kind, name.as_deref().unwrap_or("")))))
    };
    let (from, to) = (side(&moved.from_kind, &moved.from_name), side(&moved.to_kind, &moved.to_name));
    let text = match (from, to) {
        (None, Some(to)) => lang.text_with("move-arrived", &[("to", to.into())]),
        (Some(from), Some(to)) => lang.text_with("move-moved", &[("from", from.into()), ("to", to.into())]),
        (Some(from), None) => lang.text_with("move-left", &[("from", from.into())]),
        (None, None) => String::new(),
    };
    let cause = match (&moved.transaction_kind, &moved.reporter_name) {
        _ if moved.cause.is_some() => lang.text(&format!("cause-{}", moved.cause.as_deref().unwrap_or(""))),
        (Some(kind), Some(reporter)) => lang.text_with(
            "move-cause",
            &[
                ("kind", lang.text(&format!("transaction-{kind}")).into()),
                ("reporter", reporter.as_str().into()),
            ],
        ),
        (None, Some(reporter)) => {
            lang.text_with("entitlement-source", &[("reporter", reporter.as_str().into())])
        }
        _ => String::new(),
    };
    MoveView { at: instant(lang, Micros(moved.at)), at_machine: Micros(moved.at).rfc3339(), text, cause }
}
