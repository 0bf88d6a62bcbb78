//! The operator's page of background work that was given up.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::Action;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::JobId;
use roadstead_store::dead_jobs::{self, DeadJob};
use serde::Deserialize;

use super::format::{instant, link, number};
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use super::session::Nothing;
use crate::app::App;
use crate::flows::retry_job;
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

const PATH: &str = "/jobs";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cursor: String,
    done: String,
}

/// A job as the page shows it.
pub(super) struct JobView {
    pub(super) id: String,
    /// What it was to do, in words.
    pub(super) kind: String,
    /// To what: a name, else an id.
    pub(super) subject: String,
    /// Where more about the subject stands.
    pub(super) link: Option<String>,
    pub(super) attempts: String,
    pub(super) last_error: String,
    pub(super) since: String,
    pub(super) since_machine: String,
}

/// The page.
#[derive(Template)]
#[template(path = "jobs.html")]
pub(super) struct JobsPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    /// Whether a job is tried again since a moment ago.
    pub(super) retried: bool,
    pub(super) jobs: Vec<JobView>,
    pub(super) pager: Pager,
}

/// Shows the page.
pub(super) async fn show(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageJobs)?;
    let asked: Asked = super::query(&uri);
    let lang = browser.lang;
    let mut tx = app.store.read(&scope).await?;
    let Some(found) = dead_jobs::list(&mut tx, &scope, &page_at(&asked.cursor, None)).await? else {
        return Ok(Redirect::to(PATH).into_response());
    };
    tx.commit().await?;
    super::page(&JobsPage {
        frame: Frame::of(&browser, &uri, Entry::Jobs, lang.text(Entry::Jobs.key())),
        lang,
        csrf: browser.session.csrf.clone(),
        retried: asked.done == "retried",
        jobs: found.items.into_iter().map(|job| view(lang, job)).collect(),
        pager: Pager::new(lang, &asked.cursor, found.next_cursor, |cursor| link(PATH, &[("cursor", cursor)])),
    })
}

fn view(lang: Lang, job: DeadJob) -> JobView {
    let is_report = job.kind == "ingest_report";
    JobView {
        id: job.id.to_string(),
        kind: lang.code_text(&format!("job.{}", job.kind)),
        link: is_report.then(|| format!("/reports/{}", job.subject)),
        subject: job.subject_name.unwrap_or_else(|| job.subject.to_string()),
        attempts: number(lang, job.attempts),
        last_error: job.last_error.unwrap_or_default(),
        since: instant(lang, Micros(job.since)),
        since_machine: Micros(job.since).rfc3339(),
    }
}

/// Tries a job again.
pub(super) async fn retry(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageJobs)?;
    let id: JobId = id.parse().map_err(|_| Problem::not_found())?;
    retry_job::retry(&app, &scope, id).await?;
    Ok(Redirect::to(&link(PATH, &[("done", "retried")])).into_response())
}
