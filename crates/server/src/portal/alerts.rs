//! Alerts: what is wrong with one's own PCs, by kind and shared cause.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::clock::Micros;
use roadstead_store::page::Page;
use roadstead_store::{Tx, alerts as rows};
use serde::Deserialize;

use super::format::{instant, link, number};
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use crate::app::App;
use crate::flows::pop_ups;
use crate::http::{Browser, Problem};
use crate::i18n::Lang;

const PATH: &str = "/alerts";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    kind: String,
    /// Empty for any.
    cause: String,
    /// Not empty for those that are over.
    closed: String,
    cursor: String,
}

/// An alert as the list shows it.
pub(super) struct Row {
    pub(super) key: String,
    pub(super) serial: String,
    pub(super) model: String,
    /// Whether the PC has a page for this reader.
    pub(super) has_page: bool,
    pub(super) place: String,
    pub(super) title: String,
    pub(super) detail: String,
    /// The severity's mood and text.
    pub(super) severity: (&'static str, String),
    pub(super) since: String,
    /// When it was over; empty for an open one.
    pub(super) until: String,
    /// Says that a case was made of it.
    pub(super) repair: Option<String>,
    /// Where the reader opens a case in the user's place.
    pub(super) open: Option<String>,
}

/// The list, also alone as the live fragment.
#[derive(Template)]
#[template(path = "alert_list.html")]
pub(super) struct List {
    pub(super) lang: Lang,
    /// Whether it shows those that are over.
    pub(super) closed: bool,
    /// Name, link, how many, and whether it is chosen, of each group.
    pub(super) groups: Vec<(String, String, String, bool)>,
    pub(super) rows: Vec<Row>,
    pub(super) pager: Pager,
}

/// The page.
#[derive(Template)]
#[template(path = "alerts.html")]
pub(super) struct AlertsPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) list: List,
}

/// How bad it is, as a badge.
pub(super) fn severity(lang: Lang, code: &str) -> (&'static str, String) {
    let mood = match code {
        "critical" => "bad",
        "warning" => "waiting",
        _ => "plain",
    };
    (mood, lang.text(&format!("severity-{code}")))
}

/// The groups of open alerts; with more causes than a page has room for, by kind alone, so that none is left out.
async fn groups(tx: &mut Tx, scope: &Scope) -> Result<Vec<rows::Group>, Problem> {
    let first = Page::default();
    let found = rows::groups(tx, scope, true, &first).await?.ok_or_else(Problem::cursor)?;
    if found.next_cursor.is_none() {
        return Ok(found.items);
    }
    Ok(rows::groups(tx, scope, false, &first).await?.ok_or_else(Problem::cursor)?.items)
}

/// Shows the page.
pub(super) async fn show(
    State(app): State<App>,
    browser: Browser,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadAlerts)?;
    let asked: Asked = super::query(&uri);
    let lang = browser.lang;
    let mut tx = app.store.read(&scope).await?;
    let page = page_at(&asked.cursor, None);
    let closed = !asked.closed.is_empty();
    let of = (asked.kind.as_str(), Some(asked.cause.as_str()).filter(|cause| !cause.is_empty()));
    let Some(found) = rows::list(&mut tx, &scope, closed, of, &page).await? else {
        return Ok(Redirect::to(PATH).into_response());
    };
    let groups = if closed { Vec::new() } else { groups(&mut tx, &scope).await? };
    let may_open = browser.may(Action::OpenRepairCases).is_ok();
    let has_page = browser.may(Action::ReadDevice).is_ok();
    let row = |alert: rows::Alert| {
        let in_pool = alert.tenant_kind == "holding";
        let opens = may_open && !closed && !in_pool && alert.repair.as_deref() != Some("open");
        Row {
            key: alert.id.to_string(),
            title: pop_ups::title(lang, &alert.kind),
            place: if in_pool { lang.text("nav-unassigned") } else { alert.tenant_name },
            detail: if alert.cause.is_empty() {
                alert.detail
            } else {
                format!("{}: {}", alert.cause, alert.detail)
            },
            severity: severity(lang, &alert.severity),
            since: instant(lang, Micros(alert.opened_at)),
            until: alert.closed_at.map_or_else(String::new, |at| instant(lang, Micros(at))),
            repair: alert.repair.map(|repair| lang.text(&format!("alert-repair-{repair}"))),
            open: opens.then(|| link("/repair-cases/new", &[("alert", &alert.id.to_string())])),
            serial: alert.serial,
            model: alert.model,
            has_page,
        }
    };
    let group = |rows::Group { kind, cause, alerts }: rows::Group| {
        let (mut name, cause) = (pop_ups::title(lang, &kind), cause.unwrap_or_default());
        if !cause.is_empty() {
            name = format!("{name} ({cause})");
        }
        let is_chosen = kind == asked.kind && cause == asked.cause;
        let of = if is_chosen { ["", ""] } else { [kind.as_str(), cause.as_str()] };
        (name, link(PATH, &[("kind", of[0]), ("cause", of[1])]), number(lang, alerts), is_chosen)
    };
    let list = List {
        lang,
        closed,
        groups: groups.into_iter().map(group).collect(),
        rows: found.items.into_iter().map(row).collect(),
        pager: Pager::new(lang, &asked.cursor, found.next_cursor, |cursor| {
            let (kind, cause, closed) = (&asked.kind, &asked.cause, &asked.closed);
            link(PATH, &[("kind", kind), ("cause", cause), ("closed", closed), ("cursor", cursor)])
        }),
    };
    if super::wants_list(&headers) {
        return super::page(&list);
    }
    super::page(&AlertsPage { frame: Frame::at(&browser, &uri, Entry::Alerts), lang, list })
}
