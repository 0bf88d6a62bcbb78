//! Terms by service SKU, and corrections of entitlements, for the operator.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use jiff::civil::Date;
use roadstead_domain::access::Action;
use roadstead_domain::partner::SupportLevel;
use roadstead_store::entitlements::Term;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::devices::Which;
use super::{ListOf, ProblemBody};
use crate::app::App;
use crate::flows::entitlements::{self, Wanted};
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TermBody {
    /// A service SKU, or a name under which a level is sold.
    name: String,
    /// `premium`, `premium_plus`, or null where no level is sold.
    support_level: Option<String>,
    /// Months from shipping, else from the sale; null for the assumed term of 36.
    months: Option<i64>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewTerm {
    /// `premium`, `premium_plus`, or null where no level is sold.
    support_level: Option<String>,
    /// 1 to 120; null where it is not known.
    months: Option<i64>,
}

/// List what the operator says service SKUs and names stand for.
#[utoipa::path(get, path = "/service-terms", tag = "entitlements", responses((status = 200, body = ListOf<TermBody>)))]
pub(super) async fn terms(
    State(app): State<App>,
    caller: ApiCaller,
) -> Result<Json<ListOf<TermBody>>, Problem> {
    let scope = caller.may(Action::ManageEntitlements)?;
    let terms = entitlements::terms(&app, &scope).await?;
    let items = terms.into_iter().map(|term| TermBody {
        name: term.name,
        support_level: term.support_level.map(|level| level.as_str().to_owned()),
        months: term.months,
    });
    Ok(Json(ListOf { items: items.collect(), next_cursor: None }))
}

/// Say what a service SKU or name stands for. Reports from now on are judged by it.
#[utoipa::path(
    put, path = "/service-terms/{name}", tag = "entitlements", params(("name" = String, Path)), request_body = NewTerm,
    responses((status = 204), (status = 422, body = ProblemBody))
)]
pub(super) async fn set_term(
    State(app): State<App>,
    caller: ApiCaller,
    Path(name): Path<String>,
    Json(new): Json<NewTerm>,
) -> Result<StatusCode, Problem> {
    let scope = caller.may(Action::ManageEntitlements)?;
    let support_level = new.support_level.as_deref().map(level).transpose()?;
    entitlements::set_term(&app, &scope, &Term { name, support_level, months: new.months }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forget what a service SKU or name stands for.
#[utoipa::path(
    delete, path = "/service-terms/{name}", tag = "entitlements", params(("name" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody))
)]
pub(super) async fn forget_term(
    State(app): State<App>,
    caller: ApiCaller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let scope = caller.may(Action::ManageEntitlements)?;
    entitlements::forget_term(&app, &scope, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn level(code: &str) -> Result<SupportLevel, Problem> {
    SupportLevel::from_code(code).ok_or_else(|| Problem::field("field.unknown_value", "support_level"))
}

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct CorrectionBody {
    #[schema(format = Date)]
    starts_on: String,
    /// The first day on which it no longer holds.
    #[schema(format = Date)]
    ends_on: String,
    /// Why; it stands in the logs of the partner and the customer that have the PC.
    reason: String,
}

/// Correct the entitlement of a PC to `premium` or `premium_plus`, with or without a report of it.
/// The partner and the customer that have it find look and correction in their logs.
#[utoipa::path(
    put, path = "/devices/{serial}/entitlements/{support_level}", tag = "entitlements",
    params(("serial" = String, Path), ("support_level" = String, Path), Which), request_body = CorrectionBody,
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn correct(
    State(app): State<App>,
    caller: ApiCaller,
    Path((serial, support_level)): Path<(String, String)>,
    Query(which): Query<Which>,
    Json(body): Json<CorrectionBody>,
) -> Result<StatusCode, Problem> {
    let scope = caller.may(Action::ManageEntitlements)?;
    let day = |text: &str, field| -> Result<Date, Problem> {
        text.parse().map_err(|_| Problem::field("field.not_a_date", field))
    };
    let wanted = Wanted {
        support_level: level(&support_level)?,
        starts_on: day(&body.starts_on, "starts_on")?,
        ends_on: day(&body.ends_on, "ends_on")?,
        reason: &body.reason,
    };
    entitlements::correct(&app, &scope, &serial, which.manufacturer.as_deref(), &wanted).await?;
    Ok(StatusCode::NO_CONTENT)
}
