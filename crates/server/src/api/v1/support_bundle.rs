//! What a support case is about, in one bundle, also as one file; and the rules' second try.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use roadstead_domain::access::Action;
use roadstead_domain::explanation::Finding;
use roadstead_domain::support_case::Rule;
use roadstead_store::explanations::{Line, Place};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{PageQuery, ProblemBody, csv, instant, xlsx};
use crate::app::App;
use crate::flows::support_bundle::{self, Bundle, Listed};
use crate::http::{ApiCaller, Problem};
use crate::i18n::Lang;
use crate::portal::said;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BundleBody {
    /// The case's number.
    number: String,
    /// How many of all its serials come to what now, by `verdict`; `support.solved` for those that are solved.
    counts: BTreeMap<&'static str, usize>,
    /// What no rule has solved, by what it comes to now for whoever opened the case; of this page.
    left: Vec<GroupBody>,
    /// What was solved; of this page.
    solved: Vec<SolvedBody>,
    /// Null at the end.
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GroupBody {
    /// A stable code.
    verdict: &'static str,
    text: String,
    advice: String,
    serials: Vec<ListedBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SolvedBody {
    /// `solved.was_there`, `solved.late_report`, `solved.replay`, `solved.approval` or `solved.move`.
    by: &'static str,
    text: String,
    #[serde(flatten)]
    listed: ListedBody,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ListedBody {
    serial_number: String,
    /// `approved`, `refused` or null.
    decision: Option<String>,
    reason: Option<String>,
    /// Oldest judgement first.
    evidence: Vec<LineBody>,
    /// Where the PC is, if the caller may know.
    place: Option<PlaceBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LineBody {
    reported_by: String,
    received_at: String,
    report: Uuid,
    file: String,
    line: i64,
    /// The row or segment of the file.
    row: i64,
    transaction: Option<String>,
    sold_on: Option<String>,
    seller: String,
    seller_name: Option<String>,
    invoice_number: String,
    /// A stable code.
    verdict: String,
    /// Whether it is shown to whoever opened the case.
    shown: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlaceBody {
    /// The partner in whose reach it is.
    partner: Option<String>,
    with_customer: bool,
    since: String,
}

fn line((line, shown): (Line, bool)) -> LineBody {
    LineBody {
        reported_by: line.reporter_name,
        received_at: instant(line.received_at),
        report: line.report,
        file: line.file_name,
        line: line.line,
        row: line.file_row,
        transaction: line.transaction_kind,
        sold_on: line.sold_on,
        seller: line.seller,
        seller_name: line.seller_name,
        invoice_number: line.invoice,
        verdict: line.verdict,
        shown,
    }
}

fn place(place: Place) -> PlaceBody {
    PlaceBody {
        partner: place.partner_name,
        with_customer: place.tenant_kind == "customer",
        since: instant(place.since),
    }
}

fn listed(listed: Listed) -> ListedBody {
    ListedBody {
        serial_number: listed.missed.serial,
        decision: listed.missed.decision,
        reason: listed.missed.reason,
        evidence: listed.lines.into_iter().map(line).collect(),
        place: listed.place.map(place),
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct As {
    /// `csv` or `xlsx` for a file, which has all of it.
    format: Option<String>,
    /// Only what comes to this code of `counts`.
    verdict: Option<String>,
}

/// The serials of a support case with their evidence, a page at a time: what no rule has solved, in groups, and what was solved by what.
/// The operator sees all evidence, and finds said of each line whether the other side sees it; whose PC is looked at,
/// finds that in its log. Whoever opened the case sees its own evidence.
#[utoipa::path(
    get, path = "/support-cases/{id}/bundle", tag = "support cases", params(("id" = String, Path), As, PageQuery),
    responses((status = 200, body = BundleBody), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Query(asked): Query<As>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let (scope, lang) = (caller.may(Action::ReadSupportCases)?, caller.lang);
    let format = asked.format.as_deref().filter(|format| !matches!(*format, "" | "json"));
    let page = format.is_none().then(|| page.into());
    let verdict = asked.verdict.as_deref().filter(|code| !code.is_empty());
    let bundle = support_bundle::bundle(&app, &scope, &id, verdict, page.as_ref()).await?;
    let bundle = bundle.ok_or_else(Problem::cursor)?;
    let Some(format) = format else { return Ok(Json(body(lang, bundle)).into_response()) };
    let name = format!("support-case-{}.{format}", bundle.case.number);
    let rows = rows(lang, bundle);
    match format {
        "csv" => {
            csv::stream(&name, csv::row(HEAD), rows, |rows| async move {
                let rows = rows.iter().map(|cells| csv::row(cells.iter().map(String::as_str)));
                Ok((rows.collect::<Vec<_>>().concat(), None))
            })
            .await
        }
        "xlsx" => xlsx::stream(&app, &name, &HEAD, rows, |rows| async move { Ok((rows, None)) }).await,
        _ => Err(Problem::field("field.unknown_value", "format")),
    }
}

fn body(lang: Lang, bundle: Bundle) -> BundleBody {
    let group = |(finding, serials): (Finding, Vec<Listed>)| {
        let (text, advice) = said(lang, bundle.reader, finding.code());
        let serials = serials.into_iter().map(listed).collect();
        GroupBody { verdict: finding.code(), text, advice, serials }
    };
    let solved = |(rule, serial): (Rule, Listed)| SolvedBody {
        by: rule.code(),
        text: lang.code_text(rule.code()),
        listed: listed(serial),
    };
    BundleBody {
        number: bundle.case.number,
        counts: bundle.counts.into_iter().collect(),
        next_cursor: bundle.next_cursor,
        left: bundle.left.into_iter().map(group).collect(),
        solved: bundle.solved.into_iter().map(solved).collect(),
    }
}

const HEAD: [&str; 20] = [
    "Serial Number",
    "Code",
    "Result",
    "Decision",
    "Reason",
    "Held By",
    "With Customer",
    "Since",
    "Reported By",
    "Received",
    "File",
    "Line",
    "Row",
    "Transaction",
    "Transaction Date",
    "Reseller ID",
    "Reseller",
    "Invoice Number",
    "Verdict",
    "Shown To Opener",
];

/// A row for each line of evidence, and one for a serial without any.
fn rows(lang: Lang, bundle: Bundle) -> Vec<Vec<String>> {
    let reader = bundle.reader;
    let left = bundle.left.into_iter().flat_map(|(finding, serials)| {
        serials.into_iter().map(move |serial| (finding.code(), serial)).collect::<Vec<_>>()
    });
    let solved = bundle.solved.into_iter().map(|(rule, serial)| (rule.code(), serial));
    let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let mut rows = Vec::new();
    for (code, serial) in left.chain(solved) {
        let listed = listed(serial);
        let place = listed.place;
        let head = [
            listed.serial_number,
            code.to_owned(),
            said(lang, reader, code).0,
            listed.decision.unwrap_or_default(),
            listed.reason.unwrap_or_default(),
            place.as_ref().and_then(|place| place.partner.clone()).unwrap_or_default(),
            place.as_ref().map_or_else(String::new, |place| yes(place.with_customer)),
            place.map_or_else(String::new, |place| place.since),
        ];
        if listed.evidence.is_empty() {
            let empty = std::iter::repeat_with(String::new).take(HEAD.len() - head.len());
            rows.push(head.into_iter().chain(empty).collect());
            continue;
        }
        for line in listed.evidence {
            let cells = [
                line.reported_by,
                line.received_at,
                line.file,
                line.line.to_string(),
                line.row.to_string(),
                line.transaction.unwrap_or_default(),
                line.sold_on.unwrap_or_default(),
                line.seller,
                line.seller_name.unwrap_or_default(),
                line.invoice_number,
                line.verdict,
                yes(line.shown),
            ];
            rows.push(head.iter().cloned().chain(cells).collect());
        }
    }
    rows
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StartedBody {
    /// For how many partners waiting lines are judged again.
    partners: usize,
}

/// Judge again what waits with the serials of a support case although nothing is in its way any more. When a case is
/// opened, and when serials are added, that is done without being asked for.
#[utoipa::path(
    post, path = "/support-cases/{id}/solve", tag = "support cases", params(("id" = String, Path)),
    responses((status = 202, body = StartedBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody))
)]
pub(super) async fn solve(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<StartedBody>), Problem> {
    let scope = caller.may(Action::DecideSupportCases)?;
    let partners = support_bundle::solve(&app, &scope, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(StartedBody { partners })))
}
