//! Why a PC is where it is, or is not there: one serial with its chain of causes, or a list with a verdict each.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use roadstead_domain::access::Action;
use roadstead_domain::explanation::{Cause, Finding, Next, Reader, Source};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ProblemBody, csv, instant, xlsx};
use crate::app::App;
use crate::flows::explanations::{self, Explained};
use crate::http::{ApiCaller, Problem};
use crate::i18n::Lang;
use crate::portal::{said, said_of_cause};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExplanationBody {
    serial_number: String,
    /// What it comes to: a stable code.
    verdict: &'static str,
    /// From the first report to now; the last one is the verdict.
    causes: Vec<CauseBody>,
    next_step: Option<NextBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CauseBody {
    /// A stable code: the verdict of a line, `moved.` and what moved it, or the verdict of the whole.
    code: &'static str,
    /// Null for the state of now.
    at: Option<String>,
    /// The day that it speaks of: until when something waited, from or until when a partner is certified, since when lines
    /// are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<String>,
    text: String,
    /// What to do about it; empty where nothing needs doing.
    advice: String,
    evidence: Option<EvidenceBody>,
}

/// What this reader may see of where a cause comes from.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct EvidenceBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    reported_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<i64>,
    /// The row or segment of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice_number: Option<String>,
    /// For the operator and the reporter.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Uuid>,
    /// The operation that moved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<Uuid>,
    /// `unassigned` or the customer's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// The last characters of the cPIN by which it enrolled.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpin: Option<String>,
    /// The partner that has it, for the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    partner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NextBody {
    /// `next.transfer`, `next.open_device`, `next.open_report`, `next.open_dispute`, `next.open_partners` or
    /// `next.open_case`.
    code: &'static str,
    text: String,
    /// Where in the portal it is done.
    path: String,
}

fn name(kind: Option<&String>, name: Option<&String>) -> Option<String> {
    match kind.map(String::as_str)? {
        "holding" => Some("unassigned".to_owned()),
        _ => name.cloned(),
    }
}

/// What tells one cPIN from another without giving it away.
pub(crate) fn ending(cpin: &str) -> String {
    let skip = cpin.chars().count().saturating_sub(4);
    format!("…{}", cpin.chars().skip(skip).collect::<String>())
}

/// The evidence of a cause, as the reader may see it.
fn evidence(explained: &Explained, cause: &Cause) -> Option<EvidenceBody> {
    let reader = explained.reader;
    match cause.source {
        Source::Line(index) => {
            let line = explained.lines.get(index)?;
            let sees_report = reader != Reader::Partner;
            Some(EvidenceBody {
                reported_by: Some(line.reporter_name.clone()),
                received_at: Some(instant(line.received_at)),
                file: Some(line.file_name.clone()),
                line: Some(line.line),
                row: Some(line.file_row),
                transaction: line.transaction_kind.clone(),
                seller: Some(line.seller.clone()).filter(|seller| !seller.is_empty()),
                invoice_number: Some(line.invoice.clone()).filter(|invoice| !invoice.is_empty()),
                report: Some(line.report).filter(|_| sees_report),
                ..EvidenceBody::default()
            })
        }
        Source::Move(index) => {
            let moved = explained.moves.get(index)?;
            Some(EvidenceBody {
                operation: moved.cause_id.filter(|_| reader != Reader::Customer),
                from: name(moved.from_kind.as_ref(), moved.from_name.as_ref()),
                to: name(moved.to_kind.as_ref(), moved.to_name.as_ref()),
                cpin: moved.cpin.as_deref().map(ending),
                ..EvidenceBody::default()
            })
        }
        Source::Now => {
            let place = explained.place.as_ref().filter(|_| cause.code == Finding::There.code())?;
            Some(EvidenceBody {
                to: name(Some(&place.tenant_kind), Some(&place.tenant_name)),
                partner: place.partner_name.clone().filter(|_| reader == Reader::Operator),
                since: Some(instant(place.since)),
                ..EvidenceBody::default()
            })
        }
    }
}

/// Where in the portal a step is done.
pub(crate) fn path(explained: &Explained, next: Next) -> String {
    let serial = crate::portal::encoded(&explained.serial);
    let last = || explained.lines.last();
    let report = || last().map_or_else(|| "/reports".to_owned(), |line| format!("/reports/{}", line.report));
    match next {
        Next::Transfer => format!("/transfers/new?serials={serial}"),
        Next::OpenDevice => format!("/devices/{serial}"),
        Next::OpenReport => report(),
        Next::OpenDispute => {
            let disputed = explained.lines.iter().rev().find(|line| line.verdict.starts_with("disputed."));
            disputed.map_or_else(report, |line| format!("/disputes/{}/{}", line.report, line.line))
        }
        Next::OpenPartners => "/partners".to_owned(),
        Next::OpenCase => format!("/support-cases/new?kind=missing_devices&serials={serial}"),
    }
}

/// Why the PC with this serial is where it is, or is not there. A serial of somebody else and one that nobody knows are
/// explained alike.
#[utoipa::path(
    get, path = "/serials/{serial}/explanation", tag = "devices", params(("serial" = String, Path)),
    responses((status = 200, body = ExplanationBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn explain(
    State(app): State<App>,
    caller: ApiCaller,
    Path(serial): Path<String>,
) -> Result<Json<ExplanationBody>, Problem> {
    let (scope, lang) = (caller.may(Action::Explain)?, caller.lang);
    let explained = explanations::explain(&app, &scope, &serial).await?;
    let cause = |cause: &Cause| {
        let (text, advice) = said_of_cause(lang, explained.reader, cause);
        CauseBody {
            code: cause.code,
            at: cause.at.map(|at| instant(at.0)),
            day: cause.day.map(|day| day.to_string()),
            text,
            advice,
            evidence: evidence(&explained, cause),
        }
    };
    let step = |next: Next| NextBody {
        code: Next::code(next),
        text: lang.code_text(next.code()),
        path: path(&explained, next),
    };
    Ok(Json(ExplanationBody {
        verdict: explained.explanation.finding.code(),
        causes: explained.explanation.causes.iter().map(cause).collect(),
        next_step: explained.explanation.next.map(step),
        serial_number: explained.serial.clone(),
    }))
}

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct Asked {
    /// At most 10,000.
    serials: Vec<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct As {
    /// `csv` or `xlsx` for a file.
    format: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VerdictsBody {
    /// In the order of the list, each serial once.
    items: Vec<VerdictBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VerdictBody {
    serial_number: String,
    /// A stable code.
    verdict: &'static str,
    text: String,
    advice: String,
}

/// What each serial of a list comes to.
#[utoipa::path(
    post, path = "/serials/verdicts", tag = "devices", params(As), request_body = Asked,
    responses((status = 200, body = VerdictsBody), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn verdicts(
    State(app): State<App>,
    caller: ApiCaller,
    Query(asked): Query<As>,
    Json(list): Json<Asked>,
) -> Result<Response, Problem> {
    let (scope, lang) = (caller.may(Action::Explain)?, caller.lang);
    let found = explanations::findings(&app, &scope, &list.serials).await?;
    let reader = explanations::reader(&scope);
    match asked.format.as_deref() {
        None | Some("" | "json") => {
            let item = |(serial_number, finding): (String, Finding)| {
                let (text, advice) = said(lang, reader, finding.code());
                VerdictBody { serial_number, verdict: finding.code(), text, advice }
            };
            Ok(Json(VerdictsBody { items: found.into_iter().map(item).collect() }).into_response())
        }
        Some(format) => file(&app, lang, reader, found, format).await,
    }
}

const HEAD: [&str; 4] = ["Serial Number", "Code", "Result", "Next"];

/// The verdicts as a file.
pub(crate) async fn file(
    app: &App,
    lang: Lang,
    reader: Reader,
    found: Vec<(String, Finding)>,
    format: &str,
) -> Result<Response, Problem> {
    let row = move |(serial, finding): (String, Finding)| {
        let (text, advice) = said(lang, reader, finding.code());
        vec![serial, finding.code().to_owned(), text, advice]
    };
    let rows: Vec<Vec<String>> = found.into_iter().map(row).collect();
    match format {
        "csv" => {
            csv::stream("verdicts.csv", csv::row(HEAD), rows, |rows| async move {
                let rows = rows.iter().map(|cells| csv::row(cells.iter().map(String::as_str)));
                Ok((rows.collect::<Vec<_>>().concat(), None))
            })
            .await
        }
        "xlsx" => {
            xlsx::stream(app, "verdicts.xlsx", &HEAD, rows, |rows| async move { Ok((rows, None)) }).await
        }
        _ => Err(Problem::field("field.unknown_value", "format")),
    }
}
