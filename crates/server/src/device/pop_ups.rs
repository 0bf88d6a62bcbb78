//! A PC asks what a pop-up's form shows, and says what its user did.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use roadstead_domain::ids::PopUpId;
use roadstead_domain::wire::pop_up::{Dismissed, PopUp};
use roadstead_store::pop_ups::Mark;

use super::signed::Signed;
use crate::app::App;
use crate::flows::pop_ups;
use crate::http::{Problem, VisitorLang};

fn id_in(text: &str) -> Result<PopUpId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

/// `GET pop-ups/{id}`.
pub(super) async fn show(
    State(app): State<App>,
    VisitorLang(lang): VisitorLang,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<PopUp>, Problem> {
    let signed = Signed::receive(&app, request).await?;
    let (key, once) = signed.verify_caller(&app).await?;
    Ok(Json(pop_ups::show(&app, lang, &key, once, id_in(&id)?).await?))
}

async fn mark(app: &App, id: &str, request: Request, what: Mark) -> Result<StatusCode, Problem> {
    let signed = Signed::receive(app, request).await?;
    let (key, once) = signed.verify_caller(app).await?;
    // Later is the agent's own affair: the pop-up stays as good as it was.
    let later = what == Mark::Dismissed && !signed.body.is_empty() && signed.json::<Dismissed>()?.later;
    let what = if later { Mark::Displayed } else { what };
    pop_ups::mark(app, &key, once, id_in(id)?, what).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST pop-ups/{id}/displayed`.
pub(super) async fn displayed(
    State(app): State<App>,
    Path(id): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    mark(&app, &id, request, Mark::Displayed).await
}

/// `POST pop-ups/{id}/viewed`.
pub(super) async fn viewed(
    State(app): State<App>,
    Path(id): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    mark(&app, &id, request, Mark::Viewed).await
}

/// `POST pop-ups/{id}/dismissed`.
pub(super) async fn dismissed(
    State(app): State<App>,
    Path(id): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    mark(&app, &id, request, Mark::Dismissed).await
}
