//! A PC asks to join.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use roadstead_domain::wire::{Enrol, Enrolled, EnrolmentState, key_text, read_key};

use super::signed::{Signed, paced};
use crate::app::App;
use crate::flows::enrol;
use crate::http::{ClientAddress, Problem, VisitorLang};

/// A PC that waits asks again after this many seconds.
const RETRY_SECONDS: u32 = 900;

/// `POST enrolments`, signed by the key that it presents. 201 when the PC is enrolled or waits for somebody; asking
/// again answers 200 with how it stands by then.
pub(super) async fn enrol(
    State(app): State<App>,
    VisitorLang(lang): VisitorLang,
    from: ClientAddress,
    request: Request,
) -> Result<Response, Problem> {
    let signed = Signed::receive(&app, request).await?;
    let ask: Enrol = signed.json()?;
    let key = read_key(&ask.public_key).ok_or_else(|| Problem::field("key.invalid", "public_key"))?;
    // A `keyid` that is a key must be this one; any other name for it is the agent's own affair.
    if read_key(&signed.claim.key_id).is_some_and(|named| named != key) {
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "signature.wrong"));
    }
    let once = signed.verify(&key)?;
    paced(&app, &app.calls, &key_text(&key))?;
    let outcome = enrol::enrol(&app, &ask, &key, once, from.network()).await?;
    let row = outcome.enrolment;
    let state = match row.state.as_str() {
        "enrolled" => EnrolmentState::Enrolled,
        "refused" => EnrolmentState::Refused,
        _ => EnrolmentState::Waiting,
    };
    let answer = Enrolled {
        id: row.id,
        state,
        message: row.reason.as_deref().map(|code| lang.code_text(code)),
        reason: row.reason,
        retry_after_seconds: (state == EnrolmentState::Waiting).then_some(RETRY_SECONDS),
    };
    let status = if outcome.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(answer)).into_response())
}
