//! Disputes, for the operator: both evidences, a decision with its reason, and its undoing.

use axum::Json;
use axum::extract::{Path, Query, State};
use roadstead_domain::access::Action;
use roadstead_domain::dispute::Outcome;
use roadstead_domain::ids::ReportId;
use roadstead_store::disputes::{self as rows, Decision, Evidence, Which};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, Reference, instant};
use crate::app::App;
use crate::flows::disputes;
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SideBody {
    report: Uuid,
    line: i64,
    file: String,
    reported_by: String,
    received_at: String,
    transaction: Option<String>,
    sold_on: Option<String>,
    seller: String,
    seller_name: Option<String>,
    buyer: String,
    buyer_name: String,
    invoice_number: String,
    product_number: String,
    serial_number: String,
    verdict: String,
    /// `dismissed` or `upheld` where a decision over it holds.
    outcome: Option<String>,
}

impl From<Evidence> for SideBody {
    fn from(line: Evidence) -> Self {
        Self {
            report: line.report,
            line: line.line,
            file: line.file_name,
            reported_by: line.reporter_name,
            received_at: instant(line.received_at),
            transaction: line.transaction_kind,
            sold_on: line.sold_on,
            seller: line.seller,
            seller_name: line.seller_name,
            buyer: line.buyer,
            buyer_name: line.buyer_name,
            invoice_number: line.invoice,
            product_number: line.product_number,
            serial_number: line.serial,
            verdict: line.verdict,
            outcome: line.outcome,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DisputeBody {
    disputed: SideBody,
    /// Who has the PC, and by which line; null if nobody has.
    held: Option<HeldBody>,
    /// Null while nothing is decided.
    decision: Option<DecisionBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HeldBody {
    partner: String,
    partner_number: String,
    with_customer: bool,
    since: String,
    evidence: Option<SideBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DecisionBody {
    /// `dismissed` or `upheld`.
    outcome: String,
    /// As the operator wrote it; `report.withdrawal_undone` where the withdrawal that made the dispute was undone.
    reason: String,
    decided_at: String,
    /// The report that moved the PC.
    report: Option<Uuid>,
}

impl From<Decision> for DecisionBody {
    fn from(decision: Decision) -> Self {
        Self {
            outcome: decision.outcome,
            reason: decision.reason,
            decided_at: instant(decision.decided_at),
            report: decision.moved_by,
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StateQuery {
    /// `open` (the default), `decided` or `all`.
    state: Option<String>,
}

/// List disputed lines, newest report first: those over which nothing is decided, unless asked otherwise.
#[utoipa::path(
    get, path = "/disputes", tag = "disputes", params(StateQuery, PageQuery),
    responses((status = 200, body = ListOf<SideBody>), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(asked): Query<StateQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<SideBody>>, Problem> {
    let scope = caller.may(Action::ReadDisputes)?;
    let which = match asked.state.as_deref() {
        None | Some("") => Which::default(),
        Some(code) => Which::from_code(code).ok_or_else(|| Problem::field("field.unknown_value", "state"))?,
    };
    let mut tx = app.store.read(&scope).await?;
    let found = rows::list(&mut tx, &scope, which, &page.into()).await?.ok_or_else(Problem::cursor)?;
    Ok(Json(ListOf::from_rows(found, SideBody::from)))
}

fn id(report: &str) -> Result<ReportId, Problem> {
    report.parse().map_err(|_| Problem::not_found())
}

/// A dispute with both evidences. Whoever has the PC finds the look in its log.
#[utoipa::path(
    get, path = "/disputes/{report}/{line}", tag = "disputes",
    params(("report" = String, Path), ("line" = i64, Path)),
    responses((status = 200, body = DisputeBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    caller: ApiCaller,
    Path((report, line)): Path<(String, i64)>,
) -> Result<Json<DisputeBody>, Problem> {
    let scope = caller.may(Action::ReadDisputes)?;
    let found = disputes::look(&app, &scope, id(&report)?, line).await?;
    Ok(Json(DisputeBody {
        disputed: found.line.into(),
        held: found.holder.map(|holder| HeldBody {
            partner: holder.partner_name,
            partner_number: holder.partner_number,
            with_customer: holder.with_customer,
            since: instant(holder.since),
            evidence: holder.evidence.map(SideBody::from),
        }),
        decision: found.decision.map(DecisionBody::from),
    }))
}

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct DecideBody {
    /// `dismissed`: the PC stays where it is; `upheld`: it goes to the line's seller.
    outcome: String,
    reason: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ByBody {
    /// The report that moves the PC, where one does.
    report: Option<Reference>,
}

/// Decide a dispute.
#[utoipa::path(
    post, path = "/disputes/{report}/{line}/decision", tag = "disputes", request_body = DecideBody,
    params(("report" = String, Path), ("line" = i64, Path)),
    responses((status = 200, body = ByBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody))
)]
pub(super) async fn decide(
    State(app): State<App>,
    caller: ApiCaller,
    Path((report, line)): Path<(String, i64)>,
    Json(asked): Json<DecideBody>,
) -> Result<Json<ByBody>, Problem> {
    let scope = caller.may(Action::DecideDisputes)?;
    let outcome =
        Outcome::from_code(&asked.outcome).ok_or_else(|| Problem::field("field.unknown_value", "outcome"))?;
    let by = disputes::decide(&app, &scope, id(&report)?, line, outcome, &asked.reason).await?;
    Ok(Json(ByBody { report: by.map(|report| Reference { id: report.0 }) }))
}

/// Undo the decision over a dispute.
#[utoipa::path(
    post, path = "/disputes/{report}/{line}/undo", tag = "disputes",
    params(("report" = String, Path), ("line" = i64, Path)),
    responses((status = 200, body = ByBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody))
)]
pub(super) async fn undo(
    State(app): State<App>,
    caller: ApiCaller,
    Path((report, line)): Path<(String, i64)>,
) -> Result<Json<ByBody>, Problem> {
    let scope = caller.may(Action::DecideDisputes)?;
    let by = disputes::undo(&app, &scope, id(&report)?, line).await?;
    Ok(Json(ByBody { report: by.map(|report| Reference { id: report.0 }) }))
}
