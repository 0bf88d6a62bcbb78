//! A PC says how it is.

use axum::Json;
use axum::extract::{Request, State};
use roadstead_domain::wire::{CheckIn, CheckedIn, key_text};

use super::signed::Signed;
use crate::app::App;
use crate::flows::check_in;
use crate::flows::pop_ups::CHECK_IN_SECONDS;
use crate::http::Problem;

/// `POST check-ins`, signed by an enrolled PC's key: durable before the answer. The signature is checked with those of
/// others that come at the same time.
pub(super) async fn check_in(State(app): State<App>, request: Request) -> Result<Json<CheckedIn>, Problem> {
    let signed = Signed::receive(&app, request).await?;
    let key = signed.named_key(&app).await?;
    let (signatures, once) = (signed.unchecked(&key)?, signed.once(&key));
    let said = signed.json::<CheckIn>()?;
    let check_in::Told { speaking: told, challenge } =
        check_in::check_in(&app, key_text(&key), signatures, once, said).await?;
    Ok(Json(CheckedIn {
        next_seconds: CHECK_IN_SECONDS,
        collect_user: told.collect_user,
        collect_location: told.collect_location,
        challenge,
    }))
}
