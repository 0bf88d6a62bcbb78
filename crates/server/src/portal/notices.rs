//! The notification area: what waits for an answer in the reader's home, with the way to each.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use roadstead_domain::access::Action;
use roadstead_store::notices::{self, Notices};

use super::format::number;
use super::layout::Frame;
use crate::app::App;
use crate::http::{Browser, Problem};
use crate::i18n::Lang;

/// One thing that waits.
pub(super) struct Row {
    text: String,
    path: String,
    action: String,
}

/// The page.
#[derive(Template)]
#[template(path = "notices.html")]
pub(super) struct NoticesPage {
    frame: Frame,
    lang: Lang,
    csrf: String,
    rows: Vec<Row>,
    /// The customer that may accept its partner here and now.
    accepts: Option<String>,
}

/// Shows the page; to a script that asks for the list the number alone.
pub(super) async fn show(
    State(app): State<App>,
    browser: Browser,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadEnrolments)?;
    let mut tx = app.store.read(&scope).await?;
    let found = notices::of_home(&mut tx, &scope, app.ambient.now()).await?;
    drop(tx);
    if super::wants_list(&headers) {
        return Ok(found.count().to_string().into_response());
    }
    let lang = browser.lang;
    let own = scope.customer().ok().map(|own| own.to_string());
    let may_accept = found.invited_by.is_some() && browser.may(Action::ManageOwnTenant).is_ok();
    super::page(&NoticesPage {
        frame: Frame::help(&browser, &uri, lang.text("notices")),
        lang,
        csrf: browser.session.csrf.clone(),
        rows: rows(lang, found, own.as_deref().unwrap_or("")),
        accepts: own.filter(|_| may_accept),
    })
}

fn rows(lang: Lang, found: Notices, own: &str) -> Vec<Row> {
    let row = |text: String, path: String, action: &str| Row { text, path, action: lang.text(action) };
    let counted = |key: &str, count: i64| {
        lang.text_with(key, &[("count", number(lang, count).into()), ("n", count.into())])
    };
    let named = |key: &str, name: &str| lang.text_with(key, &[("name", name.into())]);
    let mut rows = Vec::new();
    if let Some(partner) = &found.invited_by {
        let path = format!("/customers/{own}/settings/assigned-partner");
        rows.push(row(named("notices-invited", partner), path, "notices-answer"));
    }
    for (id, name) in &found.asked_by {
        let path = format!("/customers/{id}/settings/assigned-partner");
        rows.push(row(named("notices-asked", name), path, "notices-answer"));
    }
    if found.arrivals > 0 {
        let path = format!("/customers/{own}/arrivals");
        rows.push(row(counted("notices-arrivals", found.arrivals), path, "notices-look"));
    }
    if found.enrolments > 0 {
        let path = "/pending-enrolment".to_owned();
        rows.push(row(counted("notices-enrolments", found.enrolments), path, "notices-look"));
    }
    if found.unanswered > 0 {
        rows.push(row(
            counted("notices-unanswered", found.unanswered),
            "/customers".to_owned(),
            "notices-look",
        ));
    }
    rows
}
