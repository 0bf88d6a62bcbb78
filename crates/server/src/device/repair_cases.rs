//! A PC sends a case, and follows it.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use roadstead_domain::wire::repair_case::{Answer, RepairCase, Submit};

use super::signed::Signed;
use crate::app::App;
use crate::flows::repair_cases::opening;
use crate::flows::repair_cases::user::{UserAct, by_user};
use crate::http::{Problem, VisitorLang};
use crate::i18n::Lang;

/// `POST repair-cases`: 201 when a case was made, 200 with the one that is there.
pub(super) async fn submit(
    State(app): State<App>,
    VisitorLang(lang): VisitorLang,
    request: Request,
) -> Result<(StatusCode, Json<RepairCase>), Problem> {
    let signed = Signed::receive(&app, request).await?;
    let (key, once) = signed.verify_caller(&app).await?;
    let sent: Submit = signed.json()?;
    let (case, is_new) = opening::submit(&app, lang, &key, once, &sent).await?;
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, Json(case)))
}

async fn act(
    app: &App,
    lang: Lang,
    id: &str,
    request: Request,
    act: impl FnOnce(&Signed) -> Result<UserAct, Problem>,
) -> Result<Json<RepairCase>, Problem> {
    let signed = Signed::receive(app, request).await?;
    let (key, once) = signed.verify_caller(app).await?;
    let id = id.parse().map_err(|_| Problem::not_found())?;
    Ok(Json(by_user(app, lang, &key, once, id, act(&signed)?).await?))
}

/// `GET repair-cases/{id}`.
pub(super) async fn show(
    State(app): State<App>,
    VisitorLang(lang): VisitorLang,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<RepairCase>, Problem> {
    act(&app, lang, &id, request, |_| Ok(UserAct::Look)).await
}

/// `POST repair-cases/{id}/cancel`.
pub(super) async fn cancel(
    State(app): State<App>,
    VisitorLang(lang): VisitorLang,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<RepairCase>, Problem> {
    act(&app, lang, &id, request, |_| Ok(UserAct::Cancel)).await
}

/// `POST repair-cases/{id}/answer`.
pub(super) async fn answer(
    State(app): State<App>,
    VisitorLang(lang): VisitorLang,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<RepairCase>, Problem> {
    act(&app, lang, &id, request, |signed| Ok(UserAct::Answer(signed.json::<Answer>()?.text))).await
}
