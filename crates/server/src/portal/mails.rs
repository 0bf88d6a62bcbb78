//! Settings > Mails: whether mails go out, for the operator. Never what they say.

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::Action;
use roadstead_domain::clock::Micros;
use roadstead_store::mails;
use serde::Deserialize;

use super::format::{instant, link, number};
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use super::settings::{Tab, Tabs};
use crate::app::App;
use crate::http::{Browser, Problem};
use crate::i18n::Lang;

const PATH: &str = "/settings/mails";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cursor: String,
}

/// A mail as the page shows it.
pub(super) struct Row {
    pub(super) recipient: String,
    pub(super) kind: String,
    pub(super) state: String,
    pub(super) state_name: String,
    pub(super) attempts: String,
    pub(super) error: String,
    pub(super) written: String,
}

/// The page.
#[derive(Template)]
#[template(path = "mails.html")]
pub(super) struct MailsPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) tabs: Tabs,
    pub(super) mail_waits: bool,
    /// How many mails wait, in words.
    pub(super) queued: String,
    pub(super) rows: Vec<Row>,
    pub(super) pager: Pager,
}

/// Shows the page.
pub(super) async fn show(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadMails)?;
    let lang = browser.lang;
    let asked: Asked = super::query(&uri);
    let mut tx = app.store.read(&scope).await?;
    let queued = mails::queued(&mut tx, &scope).await?;
    let Some(found) = mails::list(&mut tx, &scope, &page_at(&asked.cursor, Some(100))).await? else {
        return Ok(Redirect::to(PATH).into_response());
    };
    tx.commit().await?;
    let rows = found.items.into_iter().map(|mail| Row {
        kind: lang.text(&format!("mail-kind-{}", mail.kind.replace('_', "-"))),
        state_name: lang.text(&format!("mails-{}", mail.state)),
        state: mail.state,
        attempts: number(lang, mail.attempts),
        error: mail.last_error.unwrap_or_default(),
        written: instant(lang, Micros(mail.created_at)),
        recipient: mail.recipient,
    });
    super::page(&MailsPage {
        frame: Frame::of(&browser, &uri, Entry::Settings, lang.text(Tab::Mails.key())),
        lang,
        tabs: Tabs::new(lang, &browser.caller, Tab::Mails),
        mail_waits: app.config.mail.is_none(),
        queued: lang
            .text_with("mails-count", &[("n", queued.into()), ("count", number(lang, queued).into())]),
        rows: rows.collect(),
        pager: Pager::new(lang, &asked.cursor, found.next_cursor, |cursor| link(PATH, &[("cursor", cursor)])),
    })
}
