//! What a reporter calls its columns.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use roadstead_domain::access::Action;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ProblemBody;
use crate::app::App;
use crate::flows::own_headers;
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// The reporter's id or number; a distributor's own by default, needed by operators.
    pub(super) reporter: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct HeadersBody {
    /// The header of each column and the field that it means (`serial`, `seller`, `transaction_date`, ...); null for a
    /// column that is not read. What is not named here is known by its usual names.
    headers: BTreeMap<String, Option<String>>,
}

/// What the reporter calls its columns.
#[utoipa::path(
    get, path = "/own-headers", tag = "sell-through reports", params(Whose),
    responses((status = 200, body = HeadersBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    caller: ApiCaller,
    Query(whose): Query<Whose>,
) -> Result<Json<HeadersBody>, Problem> {
    let scope = caller.may(Action::SubmitReport)?;
    let (_, headers) = own_headers::list(&app, &scope, whose.reporter.as_deref()).await?;
    Ok(Json(HeadersBody { headers: headers.into_iter().map(|own| (own.shown, own.field)).collect() }))
}

/// Name the columns of a reporter's files anew, once for all its files. Two headers of one field are refused.
#[utoipa::path(
    put, path = "/own-headers", tag = "sell-through reports", params(Whose), request_body = HeadersBody,
    responses((status = 204), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn put(
    State(app): State<App>,
    caller: ApiCaller,
    Query(whose): Query<Whose>,
    Json(body): Json<HeadersBody>,
) -> Result<StatusCode, Problem> {
    let scope = caller.may(Action::SubmitReport)?;
    let headers: Vec<(String, Option<String>)> = body.headers.into_iter().collect();
    own_headers::name(&app, &scope, whose.reporter.as_deref(), &headers).await?;
    Ok(StatusCode::NO_CONTENT)
}
