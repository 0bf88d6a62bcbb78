//! Partners and certifications in bulk.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use roadstead_domain::access::Action;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ProblemBody, csv};
use crate::app::App;
use crate::flows::import_partners;
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ImportQuery {
    /// Say what each row would come to, and write nothing.
    #[serde(default)]
    validate_only: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ImportBody {
    /// Whether it was written: not in a preview, and not while a row is wrong.
    applied: bool,
    rows: Vec<ImportRowBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ImportRowBody {
    /// 2 for the first below the header.
    row: u64,
    partner_number: String,
    /// `created`, `updated`, `unchanged` or `rejected`.
    outcome: &'static str,
    /// A stable code, where the row is rejected.
    code: Option<&'static str>,
    column: Option<&'static str>,
    /// What is wrong and what to do, in the caller's language.
    message: Option<String>,
}

/// Add partners and record course completions and certifications from a table in CSV: `partner_number`, `name`,
/// `support_level`, `role`, `course_completed_on`, `certified_on`, `expires_on`. Nothing is written
/// (`applied` is false) while a row is wrong.
#[utoipa::path(
    post, path = "/partners/import", tag = "partners", params(ImportQuery),
    request_body(content((String = "text/csv"))),
    responses((status = 200, body = ImportBody), (status = 415, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn import(
    State(app): State<App>,
    caller: ApiCaller,
    Query(query): Query<ImportQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<ImportBody>, Problem> {
    let scope = caller.may(Action::ManagePartners)?;
    let text = csv::table(&headers, &body)?;
    let imported = import_partners::import(&app, &scope, text, query.validate_only).await?;
    let rows = imported.rows.into_iter().map(|row| ImportRowBody {
        row: row.row,
        partner_number: row.partner_number,
        outcome: row.outcome.as_str(),
        code: row.fault.map(|(code, _)| code),
        column: row.fault.map(|(_, column)| column),
        message: row
            .fault
            .map(|(code, _)| format!("{}. {}", caller.lang.code_text(code), caller.lang.code_advice(code))),
    });
    Ok(Json(ImportBody { applied: imported.applied, rows: rows.collect() }))
}
