//! The people of one's own home; for the operator with `for` those of any partner or reporter.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use roadstead_domain::access::Action;
use roadstead_domain::ids::UserId;
use roadstead_store::users;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, instant};
use crate::app::App;
use crate::flows::{invite, reset_password, users as flow};
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// For operators: the id or number of the partner or reporter; without it the operator's own home.
    pub(super) r#for: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UserBody {
    id: Uuid,
    email: String,
    name: String,
    /// `operator`, `distributor`, `partner_admin`, `partner_read_only`, ...
    role: String,
    /// Whether this person can sign in.
    active: bool,
    created_at: String,
    signed_in_at: Option<String>,
    deactivated_at: Option<String>,
}

fn body(user: users::Listed) -> UserBody {
    UserBody {
        id: user.id,
        email: user.email,
        name: user.name,
        role: user.role,
        active: user.deactivated_at.is_none(),
        created_at: instant(user.created_at),
        signed_in_at: user.signed_in_at.map(instant),
        deactivated_at: user.deactivated_at.map(instant),
    }
}

/// List users, in the order in which they came.
#[utoipa::path(get, path = "/users", tag = "users", params(Whose, PageQuery), responses((status = 200, body = ListOf<UserBody>)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(Whose { r#for: whose }): Query<Whose>,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<UserBody>>, Problem> {
    let scope = caller.may(Action::ManageUsers)?;
    let mut tx = app.store.read(&scope).await?;
    let home = invite::organisation(&mut tx, &scope, whose.as_deref(), None).await?.home.id();
    let rows = users::list(&mut tx, &scope, home, &page.into()).await?.ok_or_else(Problem::cursor)?;
    Ok(Json(ListOf::from_rows(rows, body)))
}

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct UserChange {
    role: Option<String>,
    /// False takes away that this person can sign in and ends their sessions.
    active: Option<bool>,
}

/// Change a user's role, deactivate or reactivate them. The last one who manages the users of a home stays.
#[utoipa::path(
    patch, path = "/users/{id}", tag = "users", request_body = UserChange, params(("id" = Uuid, Path)),
    responses((status = 200, body = UserBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn change(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<UserId>,
    Json(change): Json<UserChange>,
) -> Result<Json<UserBody>, Problem> {
    let scope = caller.may(Action::ManageUsers)?;
    flow::change(&app, &scope, id, change.role.as_deref(), change.active).await?;
    let mut tx = app.store.read(&scope).await?;
    let user = users::get(&mut tx, &scope, id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(body(user)))
}

/// Send a user a link by mail to choose a new password.
#[utoipa::path(
    post, path = "/users/{id}/password-reset", tag = "users", params(("id" = Uuid, Path)),
    responses((status = 202), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody))
)]
pub(super) async fn reset_password(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<UserId>,
) -> Result<StatusCode, Problem> {
    let scope = caller.may(Action::ManageUsers)?;
    reset_password::send_by_admin(&app, &scope, id).await?;
    Ok(StatusCode::ACCEPTED)
}
