//! One's own profile and sessions. A token has neither.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use roadstead_domain::access::Action;
use roadstead_domain::ids::SessionId;
use roadstead_store::users::Profile;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ListOf, ProblemBody, instant};
use crate::app::App;
use crate::flows::account;
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct ProfileBody {
    name: String,
    /// `en` or `de`; null for what the browser asks for.
    language: Option<String>,
    /// A name of the time zone database, as `Europe/Berlin`; null for UTC.
    time_zone: Option<String>,
    /// `day_month_year`, `month_day_year` or `iso`; null for what the language does by itself.
    date_format: Option<String>,
    /// Whether mails about support and repair cases are wanted; they are unless said.
    #[serde(default = "wanted")]
    case_mails: bool,
}

fn wanted() -> bool {
    true
}

impl From<Profile> for ProfileBody {
    fn from(profile: Profile) -> Self {
        let Profile { name, language, time_zone, date_format, case_mails } = profile;
        Self { name, language, time_zone, date_format, case_mails }
    }
}

/// Read one's own profile.
#[utoipa::path(get, path = "/profile", tag = "account", responses((status = 200, body = ProfileBody), (status = 404, body = ProblemBody)))]
pub(super) async fn get(State(app): State<App>, caller: ApiCaller) -> Result<Json<ProfileBody>, Problem> {
    let scope = caller.may(Action::OwnAccount)?;
    Ok(Json(account::profile(&app, &scope).await?.into()))
}

/// Set one's own profile anew.
#[utoipa::path(
    put, path = "/profile", tag = "account", request_body = ProfileBody,
    responses((status = 200, body = ProfileBody), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn set(
    State(app): State<App>,
    caller: ApiCaller,
    Json(new): Json<ProfileBody>,
) -> Result<Json<ProfileBody>, Problem> {
    let scope = caller.may(Action::OwnAccount)?;
    let ProfileBody { name, language, time_zone, date_format, case_mails } = new;
    let profile = Profile { name, language, time_zone, date_format, case_mails };
    account::set_profile(&app, &scope, &profile).await?;
    Ok(Json(account::profile(&app, &scope).await?.into()))
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SessionBody {
    id: Uuid,
    created_at: String,
    /// To the minute.
    seen_at: String,
    ends_at: String,
    /// The network address that it was opened from.
    address: Option<String>,
    user_agent: Option<String>,
}

/// List one's own sessions, newest first.
#[utoipa::path(get, path = "/sessions", tag = "account", responses((status = 200, body = ListOf<SessionBody>), (status = 404, body = ProblemBody)))]
pub(super) async fn sessions(
    State(app): State<App>,
    caller: ApiCaller,
) -> Result<Json<ListOf<SessionBody>>, Problem> {
    let scope = caller.may(Action::OwnAccount)?;
    let items = account::sessions(&app, &scope)
        .await?
        .into_iter()
        .map(|session| SessionBody {
            id: session.id,
            created_at: instant(session.created_at),
            seen_at: instant(session.seen_at),
            ends_at: instant(session.expires_at),
            address: session.address,
            user_agent: session.user_agent,
        })
        .collect();
    Ok(Json(ListOf { items, next_cursor: None }))
}

/// End one of one's own sessions.
#[utoipa::path(
    delete, path = "/sessions/{id}", tag = "account", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 404, body = ProblemBody))
)]
pub(super) async fn end_session(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<SessionId>,
) -> Result<StatusCode, Problem> {
    let scope = caller.may(Action::OwnAccount)?;
    account::end_session(&app, &scope, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
