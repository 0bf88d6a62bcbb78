//! Settings > Logs: who did what in one's own home, with filters and an export.

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::civil::Date;
use roadstead_domain::access::Action;
use roadstead_domain::audit::AuditAction;
use roadstead_domain::clock::Micros;
use roadstead_domain::privacy::Receipt;
use roadstead_store::audit::{self, Entry as Line, Filter};
use roadstead_store::users;
use serde::Deserialize;

use super::format::{instant, link};
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use super::settings::{Tab, Tabs};
use crate::app::App;
use crate::http::{Browser, Problem};
use crate::i18n::Lang;

const PATH: &str = "/settings/logs";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    action: String,
    actor: String,
    from: String,
    until: String,
    cursor: String,
}

/// A line of the log as the page shows it.
pub(super) struct Row {
    pub(super) at: String,
    pub(super) at_machine: String,
    pub(super) who: String,
    pub(super) what: String,
    pub(super) code: String,
    /// Names and values of what else is known.
    pub(super) detail: Vec<(String, String)>,
}

/// The page.
#[derive(Template)]
#[template(path = "logs.html")]
pub(super) struct LogsPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) tabs: Tabs,
    /// Code, name and whether it is asked for, of each action.
    pub(super) actions: Vec<(&'static str, String, bool)>,
    /// Id, name and whether they are asked for, of each person.
    pub(super) people: Vec<(String, String, bool)>,
    pub(super) from: String,
    pub(super) until: String,
    pub(super) filtered: bool,
    pub(super) export: String,
    pub(super) rows: Vec<Row>,
    pub(super) pager: Pager,
}

/// The name of an action; its code where nobody has named it.
pub(super) fn action_name(lang: Lang, code: &str) -> String {
    let key = format!("log-{}", code.replace(['.', '_'], "-"));
    let name = lang.text(&key);
    if name == key { code.to_owned() } else { name }
}

/// The name of something that is told beside an action; as it is stored where nobody has named it.
fn detail_name(lang: Lang, name: &str) -> String {
    let key = format!("log-detail-{}", name.replace('_', "-"));
    let text = lang.text(&key);
    if text == key { name.replace('_', " ") } else { text }
}

/// What is told, a stable code in words.
fn detail_value(lang: Lang, value: &serde_json::Value) -> String {
    match value {
        // What people typed may read like the name of a text; a code has a dot.
        serde_json::Value::String(text) if text.contains('.') => {
            let said = lang.code_text(text);
            if said == text.replace(['.', '_'], "-") { text.clone() } else { said }
        }
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Bool(yes) => lang.text(if *yes { "log-yes" } else { "log-no" }),
        serde_json::Value::Array(values) => {
            values.iter().map(|value| detail_value(lang, value)).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// A line as the page shows it.
pub(super) fn row(lang: Lang, line: Line) -> Row {
    let who = line.actor_name.unwrap_or_else(|| {
        lang.text(match line.actor_kind.as_str() {
            "system" => "log-by-system",
            "outside_desk" => "log-by-outside-desk",
            _ => "log-by-others",
        })
    });
    let detail: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&line.detail).unwrap_or_default();
    let detail = detail.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| {
        if name == "privacy"
            && let Ok(receipt) = serde_json::from_value::<Receipt>(value.clone())
        {
            return (lang.text("receipt"), super::receipt::line(lang, &receipt));
        }
        (detail_name(lang, &name), detail_value(lang, &value))
    });
    Row {
        at: instant(lang, Micros(line.at)),
        at_machine: Micros(line.at).rfc3339(),
        who,
        what: action_name(lang, &line.action),
        code: line.action,
        detail: detail.collect(),
    }
}

/// The beginning of a day where the reader lives.
fn begin(lang: Lang, day: Date) -> Option<Micros> {
    day.to_zoned(lang.zone()).ok().map(|at| Micros(at.timestamp().as_microsecond()))
}

/// Shows the page.
pub(super) async fn show(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadAudit)?;
    let lang = browser.lang;
    let asked: Asked = super::query(&uri);
    let filter = Filter {
        action: Some(asked.action.clone()).filter(|action| !action.is_empty()),
        actor: asked.actor.parse().ok(),
        from: asked.from.parse().ok().and_then(|day| begin(lang, day)),
        until: asked.until.parse::<Date>().ok().and_then(|day| begin(lang, day.tomorrow().ok()?)),
    };
    let mut tx = app.store.read(&scope).await?;
    let Some(found) = audit::list(&mut tx, &scope, &filter, &page_at(&asked.cursor, Some(100))).await? else {
        return Ok(Redirect::to(PATH).into_response());
    };
    let known = users::list(&mut tx, &scope, scope.home(), &page_at("", Some(1000))).await?;
    tx.commit().await?;
    let people = known.map_or_else(Vec::new, |rows| rows.items).into_iter().map(|user| {
        let id = user.id.to_string();
        let is_asked = id == asked.actor;
        (id, user.name, is_asked)
    });
    let mut actions: Vec<(&'static str, String, bool)> = AuditAction::ALL
        .iter()
        .map(|action| (action.as_str(), action_name(lang, action.as_str()), action.as_str() == asked.action))
        .collect();
    actions.sort_by_key(|(_, name, _)| name.to_lowercase());
    let machine = |at: Option<Micros>| at.map_or(String::new(), Micros::rfc3339);
    let (from, until) = (machine(filter.from), machine(filter.until));
    let export: [(&str, &str); 5] = [
        ("format", "csv"),
        ("action", &asked.action),
        ("actor", &asked.actor),
        ("from", &from),
        ("until", &until),
    ];
    let to = |cursor: &str| {
        link(
            PATH,
            &[
                ("action", &asked.action),
                ("actor", &asked.actor),
                ("from", &asked.from),
                ("until", &asked.until),
                ("cursor", cursor),
            ],
        )
    };
    let filtered =
        filter.action.is_some() || filter.actor.is_some() || filter.from.or(filter.until).is_some();
    super::page(&LogsPage {
        frame: Frame::of(&browser, &uri, Entry::Settings, lang.text(Tab::Logs.key())),
        lang,
        tabs: Tabs::new(lang, &browser.caller, Tab::Logs),
        actions,
        people: people.collect(),
        export: link("/api/v1/audit-log", &export),
        filtered,
        rows: found.items.into_iter().map(|line| row(lang, line)).collect(),
        pager: Pager::new(lang, &asked.cursor, found.next_cursor, to),
        from: asked.from.clone(),
        until: asked.until.clone(),
    })
}
