//! Invitations into one's own home; for the operator with `for` into any partner's or reporter's.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use roadstead_domain::access::Action;
use roadstead_domain::ids::InvitationId;
use roadstead_store::invitations;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::users::Whose;
use super::{ListOf, PageQuery, ProblemBody, Reference, created, instant};
use crate::app::App;
use crate::flows::invite::{self, Person};
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InvitationBody {
    id: Uuid,
    email: String,
    name: String,
    role: String,
    /// `en` or `de`.
    language: String,
    created_at: String,
    /// From then on its link opens nothing.
    ends_at: String,
}

/// List open invitations, newest first.
#[utoipa::path(get, path = "/invitations", tag = "users", params(Whose, PageQuery), responses((status = 200, body = ListOf<InvitationBody>)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(Whose { r#for: whose }): Query<Whose>,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<InvitationBody>>, Problem> {
    let scope = caller.may(Action::ManageUsers)?;
    let mut tx = app.store.read(&scope).await?;
    let home = invite::organisation(&mut tx, &scope, whose.as_deref(), None).await?.home.id();
    let rows = invitations::list(&mut tx, &scope, home, &page.into()).await?.ok_or_else(Problem::cursor)?;
    Ok(Json(ListOf::from_rows(rows, |invitation| InvitationBody {
        id: invitation.id,
        email: invitation.email,
        name: invitation.name,
        role: invitation.role,
        language: invitation.language,
        created_at: instant(invitation.created_at),
        ends_at: instant(invitation.ends_at),
    })))
}

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewInvitation {
    email: String,
    name: String,
    /// May be left out where the home has only one.
    #[serde(default)]
    role: String,
    /// `en` (default) or `de`: the language of the mail.
    #[serde(default)]
    language: String,
    /// For operators: the id or number of the partner or reporter.
    r#for: Option<String>,
}

/// Invite somebody by mail. An open invitation of the same address is replaced: its link no longer works.
#[utoipa::path(
    post, path = "/invitations", tag = "users", request_body = NewInvitation,
    responses((status = 201, body = Reference), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn create(
    State(app): State<App>,
    caller: ApiCaller,
    Json(new): Json<NewInvitation>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::ManageUsers)?;
    let person = Person { email: &new.email, name: &new.name, role: &new.role, language: &new.language };
    let id = invite::invite(&app, &scope, new.r#for.as_deref(), person).await?;
    Ok(created(id.0))
}

/// Take an invitation back: its link no longer works.
#[utoipa::path(
    delete, path = "/invitations/{id}", tag = "users", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 404, body = ProblemBody))
)]
pub(super) async fn withdraw(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<InvitationId>,
) -> Result<StatusCode, Problem> {
    let scope = caller.may(Action::ManageUsers)?;
    invite::withdraw(&app, &scope, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// For operators: the id or number of the partner or reporter.
    r#for: Option<String>,
    /// Say what each line would come to, and invite nobody.
    #[serde(default)]
    validate_only: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InvitedList {
    /// People invited, or who would be.
    invited: usize,
    refused: usize,
    lines: Vec<InvitedLine>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InvitedLine {
    /// The file's row, 1 for the header.
    row: u64,
    email: String,
    name: String,
    role: String,
    /// `invited`, `invited_again`, or a stable code of what is wrong.
    verdict: String,
    /// The column that is wrong.
    field: Option<String>,
}

/// Invite everybody on a list: CSV with the columns e-mail, name, role and language (German headers too), at most 500
/// lines. A bad line never stops the others.
#[utoipa::path(
    post, path = "/invitations/list", tag = "users", params(ListQuery),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = InvitedList), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn create_many(
    State(app): State<App>,
    caller: ApiCaller,
    Query(query): Query<ListQuery>,
    list: Bytes,
) -> Result<Json<InvitedList>, Problem> {
    let scope = caller.may(Action::ManageUsers)?;
    let lines = invite::invite_many(&app, &scope, query.r#for.as_deref(), &list, query.validate_only).await?;
    let invited = lines.iter().filter(|line| line.is_good()).count();
    let lines: Vec<InvitedLine> = lines
        .into_iter()
        .map(|line| InvitedLine {
            row: line.row,
            email: line.email,
            name: line.name,
            role: line.role,
            verdict: line.verdict.to_owned(),
            field: line.field.map(str::to_owned),
        })
        .collect();
    Ok(Json(InvitedList { invited, refused: lines.len() - invited, lines }))
}
