//! Bearer tokens of the API, for the operator.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use roadstead_domain::access::{Action, Role};
use roadstead_domain::ids::TokenId;
use roadstead_store::tokens;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, instant};
use crate::app::App;
use crate::flows::tokens as flow;
use crate::http::{ApiCaller, HoldsSecret, Problem};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenBody {
    id: Uuid,
    name: String,
    role: String,
    /// The partner or reporter that it is for; null for the operator's.
    r#for: Option<Uuid>,
    created_at: String,
    /// To the minute; null if never.
    used_at: Option<String>,
    revoked_at: Option<String>,
}

/// List tokens, newest first.
#[utoipa::path(get, path = "/tokens", tag = "tokens", params(PageQuery), responses((status = 200, body = ListOf<TokenBody>)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<TokenBody>>, Problem> {
    let scope = caller.may(Action::ManageTokens)?;
    let mut tx = app.store.read(&scope).await?;
    let rows = tokens::page(&mut tx, &scope, &page.into()).await?.ok_or_else(Problem::cursor)?;
    Ok(Json(ListOf::from_rows(rows, |token| TokenBody {
        id: token.id,
        name: token.name,
        role: token.role,
        r#for: token.home,
        created_at: instant(token.created_at),
        used_at: token.used_at.map(instant),
        revoked_at: token.revoked_at.map(instant),
    })))
}

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewToken {
    name: String,
    /// `operator`, `distributor`, `partner_admin`, `partner_read_only`, ...
    role: String,
    /// The id or number of the partner or reporter; none for an operator's.
    r#for: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MadeToken {
    id: Uuid,
    /// Shown this once.
    token: String,
}

/// Make a token. Its secret is in this answer and nowhere else: the answer is not kept under an `Idempotency-Key` either.
#[utoipa::path(
    post, path = "/tokens", tag = "tokens", request_body = NewToken,
    responses((status = 201, body = MadeToken), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn create(
    State(app): State<App>,
    caller: ApiCaller,
    Json(new): Json<NewToken>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::ManageTokens)?;
    let role = Role::from_code(&new.role).ok_or_else(|| Problem::field("field.unknown_value", "role"))?;
    let (id, token) = flow::make(&app, &scope, role, new.r#for.as_deref(), &new.name).await?;
    let made = Json(MadeToken { id: id.0, token });
    Ok((StatusCode::CREATED, Extension(HoldsSecret), made).into_response())
}

/// Revoke a token.
#[utoipa::path(
    delete, path = "/tokens/{id}", tag = "tokens", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 404, body = ProblemBody))
)]
pub(super) async fn revoke(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, Problem> {
    let scope = caller.may(Action::ManageTokens)?;
    if flow::revoke(&app, &scope, id).await? { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found()) }
}
