//! PCs that wait in quarantine, for each of the sides that they concern.

use axum::Json;
use axum::extract::{Path, Query, State};
use roadstead_domain::access::Action;
use roadstead_domain::enrolment::{Decider, Reason};
use roadstead_domain::ids::EnrolmentId;
use roadstead_store::enrolments::{self, Pending};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, instant};
use crate::app::App;
use crate::flows::enrol::{Say, say};
use crate::http::{ApiCaller, Problem};
use crate::i18n::Lang;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PendingBody {
    id: Uuid,
    serial_number: String,
    product_number: String,
    /// The domain that the PC says it belongs to.
    domain: String,
    /// The first 16 digits of the SHA-256 of its key, to tell devices with one serial apart.
    key_fingerprint: String,
    /// `waiting` or `refused`.
    state: String,
    reason: PendingReason,
    /// Whether the PC is in one of your tenants, and in which.
    held_by: Option<String>,
    /// The customer of yours by whose word it comes.
    comes_by: Option<String>,
    /// Whether your side can release it.
    can_release: bool,
    tries: i64,
    first_at: String,
    last_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PendingReason {
    /// Stable.
    code: String,
    text: String,
    /// What to do.
    advice: String,
}

fn body(pending: Pending, lang: Lang) -> PendingBody {
    let code = pending.reason.clone().unwrap_or_else(|| "enrolment.not_placed".to_owned());
    PendingBody {
        can_release: can_release(&pending),
        id: pending.id,
        key_fingerprint: fingerprint(&pending.public_key),
        serial_number: pending.serial,
        product_number: pending.product_number,
        domain: pending.domain,
        state: pending.state,
        reason: PendingReason { text: lang.code_text(&code), advice: lang.code_advice(&code), code },
        held_by: pending.holder_name,
        comes_by: pending.customer_name,
        tries: pending.tries,
        first_at: instant(pending.first_at),
        last_at: instant(pending.last_at),
    }
}

/// Tells devices with one serial apart.
pub(crate) fn fingerprint(public_key: &str) -> String {
    hex::encode(&Sha256::digest(public_key)[..8])
}

/// Whether the reader's side has a say. Who refused may change its mind.
pub(crate) fn can_release(pending: &Pending) -> bool {
    if pending.state == "refused" {
        return pending.is_holder || pending.is_customer;
    }
    match pending.reason.as_deref().and_then(Reason::from_code).map(Reason::decider) {
        Some(Decider::Holder) => pending.is_holder,
        Some(Decider::Customer) => pending.is_customer,
        Some(Decider::Nobody) | None => false,
    }
}

/// List PCs that ask to join and wait, newest first, each with its reason. Of the other side nothing is named; the
/// operator sees both.
#[utoipa::path(
    get, path = "/enrolments", tag = "enrolment", params(PageQuery),
    responses((status = 200, body = ListOf<PendingBody>), (status = 404, body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<PendingBody>>, Problem> {
    let scope = caller.may(Action::ReadEnrolments)?;
    let mut tx = app.store.read(&scope).await?;
    let found = enrolments::pending(&mut tx, &scope, &page.into()).await?.ok_or_else(Problem::cursor)?;
    Ok(Json(ListOf::from_rows(found, |pending| body(pending, caller.lang))))
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Said {
    id: Uuid,
    /// `enrolled`, `waiting` or `refused`.
    state: String,
    /// Why it still waits.
    reason: Option<String>,
}

/// Release or refuse a PC that waits. Those who have it let it go or believe its new key; those who get it let it in.
#[utoipa::path(
    post, path = "/enrolments/{id}/{say}", tag = "enrolment",
    params(("id" = Uuid, Path), ("say" = String, Path, description = "`release` or `refuse`")),
    responses((status = 200, body = Said), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody))
)]
pub(super) async fn decide(
    State(app): State<App>,
    caller: ApiCaller,
    Path((id, word)): Path<(String, String)>,
) -> Result<Json<Said>, Problem> {
    let scope = caller.may(Action::ManageEnrolment)?;
    let id: EnrolmentId = id.parse().map_err(|_| Problem::not_found())?;
    let word = match word.as_str() {
        "release" => Say::Release,
        "refuse" => Say::Refuse,
        _ => return Err(Problem::not_found()),
    };
    let row = say(&app, &scope, id, word).await?;
    Ok(Json(Said { id: row.id, state: row.state, reason: row.reason }))
}
