//! Pending enrolment: PCs that ask to join and wait, each with its reason, for each of the sides that they concern.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::Action;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::EnrolmentId;
use roadstead_store::enrolments::{self, Pending};
use serde::Deserialize;

use super::format::{instant, link};
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use crate::api::v1::enrolments::{can_release, fingerprint};
use crate::app::App;
use crate::flows::enrol::{self, Say};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

const PATH: &str = "/pending-enrolment";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cursor: String,
    done: String,
    refused: String,
}

/// A PC that waits, as the page shows it.
pub(super) struct Row {
    id: String,
    serial: String,
    product_number: String,
    fingerprint: String,
    reason: String,
    advice: String,
    /// Where it is and to whom it is to come, as far as the reader's side goes.
    sides: Vec<String>,
    asked: String,
    is_refused: bool,
    can_release: bool,
    can_refuse: bool,
}

/// The list alone, as live pages ask for it.
#[derive(Template)]
#[template(path = "pending_list.html")]
pub(super) struct List {
    lang: Lang,
    csrf: String,
    rows: Vec<Row>,
    pager: Pager,
}

/// The page.
#[derive(Template)]
#[template(path = "pending.html")]
pub(super) struct PendingPage {
    frame: Frame,
    lang: Lang,
    done: Option<String>,
    refused: Option<(String, String)>,
    list: List,
}

/// Shows the page.
pub(super) async fn show(
    State(app): State<App>,
    browser: Browser,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadEnrolments)?;
    let decides = browser.may(Action::ManageEnrolment).is_ok();
    let lang = browser.lang;
    let asked: Asked = super::query(&uri);
    let mut tx = app.store.read(&scope).await?;
    let Some(found) = enrolments::pending(&mut tx, &scope, &page_at(&asked.cursor, None)).await? else {
        return Ok(Redirect::to(PATH).into_response());
    };
    let list = List {
        lang,
        csrf: browser.session.csrf.clone(),
        rows: found.items.iter().map(|pending| row(lang, pending, decides)).collect(),
        pager: Pager::new(lang, &asked.cursor, found.next_cursor, |cursor| link(PATH, &[("cursor", cursor)])),
    };
    if super::wants_list(&headers) {
        return super::page(&list);
    }
    let done = ["enrolled", "waiting", "refused"].contains(&asked.done.as_str());
    let refused = enrol::REFUSALS.contains(&asked.refused.as_str());
    let mut frame = Frame::at(&browser, &uri, Entry::Pending);
    frame.here = link(PATH, &[("cursor", &asked.cursor)]);
    super::page(&PendingPage {
        frame,
        lang,
        done: done.then(|| lang.text(&format!("pending-done-{}", asked.done))),
        refused: refused.then(|| lang.code_said(&asked.refused)),
        list,
    })
}

fn row(lang: Lang, pending: &Pending, decides: bool) -> Row {
    let code = pending.reason.as_deref().unwrap_or("enrolment.not_placed");
    let side = |key: &str, name: &Option<String>| {
        name.as_ref().map(|name| lang.text_with(key, &[("name", name.as_str().into())]))
    };
    let sides =
        [side("pending-held-by", &pending.holder_name), side("pending-comes-by", &pending.customer_name)];
    let last = instant(lang, Micros(pending.last_at));
    Row {
        id: pending.id.to_string(),
        serial: pending.serial.clone(),
        product_number: pending.product_number.clone(),
        fingerprint: fingerprint(&pending.public_key),
        reason: lang.code_text(code),
        advice: lang.code_advice(code),
        sides: sides.into_iter().flatten().collect(),
        asked: lang.text_with("pending-asked", &[("at", last.into()), ("n", pending.tries.into())]),
        is_refused: pending.state == "refused",
        can_release: decides && can_release(pending),
        can_refuse: decides && pending.state == "waiting" && (pending.is_holder || pending.is_customer),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

/// Lets a PC in, or says no.
pub(super) async fn decide(
    State(app): State<App>,
    browser: Browser,
    Path((id, word)): Path<(String, String)>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageEnrolment)?;
    let id: EnrolmentId = id.parse().map_err(|_| Problem::not_found())?;
    let say = match word.as_str() {
        "release" => Say::Release,
        "refuse" => Say::Refuse,
        _ => return Err(Problem::not_found()),
    };
    let to = match enrol::say(&app, &scope, id, say).await {
        Ok(row) => link(PATH, &[("done", &row.state)]),
        Err(refused) => {
            let problem = Problem::from(refused);
            if problem.status != StatusCode::CONFLICT {
                return Err(problem);
            }
            link(PATH, &[("refused", problem.code)])
        }
    };
    Ok(Redirect::to(&to).into_response())
}
