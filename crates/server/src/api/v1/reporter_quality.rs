//! How well a reporter reports.

use axum::Json;
use axum::extract::{Query, State};
use roadstead_domain::access::Action;
use roadstead_domain::reporter_quality::Tally;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ProblemBody;
use super::own_headers::Whose;
use crate::app::App;
use crate::flows::reporter_quality;
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QualityBody {
    reporter: Uuid,
    reporter_number: String,
    /// The last 26 weeks, oldest first.
    weeks: Vec<WeekBody>,
    /// Null until there were reports on five days.
    rhythm: Option<RhythmBody>,
    /// Whether the next report is late by its own rhythm.
    silent: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct WeekBody {
    /// Its Monday.
    from: String,
    reports: i64,
    #[serde(flatten)]
    lines: TallyBody,
}

/// Lines by what they came to by now.
#[derive(Debug, Serialize, ToSchema)]
struct TallyBody {
    /// Placed, recorded, returned, or there already.
    matched: i64,
    parked: i64,
    disputed: i64,
    rejected: i64,
}

impl From<Tally> for TallyBody {
    fn from(tally: Tally) -> Self {
        let Tally { matched, parked, disputed, rejected } = tally;
        Self { matched, parked, disputed, rejected }
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct RhythmBody {
    /// Days from one report to the next, as most are.
    usual_days: i32,
    last_report_on: String,
    /// The last day on which the next report is not late.
    expected_by: String,
}

/// What a reporter's lines came to week by week, and its rhythm.
#[utoipa::path(
    get, path = "/reporter-quality", tag = "sell-through reports", params(Whose),
    responses((status = 200, body = QualityBody), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    caller: ApiCaller,
    Query(whose): Query<Whose>,
) -> Result<Json<QualityBody>, Problem> {
    let scope = caller.may(Action::ReadReports)?;
    let quality = reporter_quality::look(&app, &scope, whose.reporter.as_deref()).await?;
    Ok(Json(QualityBody {
        reporter: quality.reporter.id,
        reporter_number: quality.reporter.number,
        weeks: quality
            .weeks
            .into_iter()
            .map(|week| WeekBody {
                from: week.from.to_string(),
                reports: week.reports,
                lines: week.tally.into(),
            })
            .collect(),
        rhythm: quality.rhythm.map(|rhythm| RhythmBody {
            usual_days: rhythm.usual_days,
            last_report_on: rhythm.last.to_string(),
            expected_by: rhythm.expected_by.to_string(),
        }),
        silent: quality.silent,
    }))
}
