//! What the reports of a reporter came to over time, the days on which they came, and silences that were noticed.

use jiff::civil::Date;
use roadstead_domain::access::Scope;
use roadstead_domain::clock::{self, Micros};
use roadstead_domain::ids::{ReportId, ReporterId};
use roadstead_domain::reporter_quality::Tally;
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::Result;

const DAY: i64 = 86_400_000_000;

/// A week with reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Week {
    /// Its Monday.
    pub from: Date,
    /// Reports that came in it.
    pub reports: i64,
    /// What their lines came to by now.
    pub tally: Tally,
}

/// A silence that was noticed and lasts.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Silence {
    /// Who is silent.
    pub reporter: Uuid,
    /// When its last report came, in microseconds.
    pub last_report_at: i64,
    /// When the silence was noticed.
    pub noticed_at: i64,
}

/// Previews say nothing of how somebody reports, and a withdrawal is made by the platform.
macro_rules! own_reports {
    () => {
        "r.reporter = $1 AND r.id >= $2 AND ($3 OR r.reporter = $4) AND NOT r.validate_only \
         AND r.withdraws IS NULL AND r.undoes IS NULL"
    };
}

/// The reporter's weeks with reports since this instant, oldest first.
pub async fn weeks(tx: &mut Tx, scope: &Scope, reporter: ReporterId, since: Micros) -> Result<Vec<Week>> {
    let own = scope.reports_of()?;
    let since: ReportId = clock::first_id_at(since);
    // The first day of the epoch was a Thursday.
    let rows: Vec<(i64, i64)> = tx
        .all(
            concat!(
                "SELECT (r.received_at / 86400000000 + 3) / 7 AS week, COUNT(*) FROM reports r WHERE ",
                own_reports!(),
                " GROUP BY (r.received_at / 86400000000 + 3) / 7 ORDER BY 1"
            ),
            args![reporter, since, own.is_none(), own],
        )
        .await?;
    let mut weeks: Vec<(i64, Week)> = rows
        .into_iter()
        .map(|(week, reports)| {
            let from = Micros((week * 7 - 3) * DAY).date();
            (week, Week { from, reports, tally: Tally::default() })
        })
        .collect();
    let counts: Vec<(i64, String, i64)> = tx
        .all(
            concat!(
                "SELECT (r.received_at / 86400000000 + 3) / 7 AS week, c.verdict, CAST(SUM(c.lines) AS BIGINT) \
                 FROM reports r JOIN report_counts c ON c.report = r.id WHERE ",
                own_reports!(),
                " AND c.lines > 0 GROUP BY (r.received_at / 86400000000 + 3) / 7, c.verdict"
            ),
            args![reporter, since, own.is_none(), own],
        )
        .await?;
    for (of, verdict, lines) in counts {
        if let Some((_, week)) = weeks.iter_mut().find(|(week, _)| *week == of) {
            week.tally.add(&verdict, lines);
        }
    }
    Ok(weeks.into_iter().map(|(_, week)| week).collect())
}

/// The last days on which the reporter reported, since this instant, newest first, at most `most`.
pub async fn days(
    tx: &mut Tx,
    scope: &Scope,
    reporter: ReporterId,
    since: Micros,
    most: i64,
) -> Result<Vec<Date>> {
    let own = scope.reports_of()?;
    let since: ReportId = clock::first_id_at(since);
    let rows: Vec<(i64,)> = tx
        .all(
            concat!(
                "SELECT DISTINCT r.received_at / 86400000000 AS day FROM reports r WHERE ",
                own_reports!(),
                " ORDER BY day DESC LIMIT $5"
            ),
            args![reporter, since, own.is_none(), own, most],
        )
        .await?;
    Ok(rows.into_iter().map(|(day,)| Micros(day * DAY).date()).collect())
}

/// When the reporter last reported, since this instant.
pub async fn last(tx: &mut Tx, scope: &Scope, reporter: ReporterId, since: Micros) -> Result<Option<Micros>> {
    let own = scope.reports_of()?;
    let since: ReportId = clock::first_id_at(since);
    let last: Option<(i64,)> = tx
        .optional(
            concat!(
                "SELECT r.received_at FROM reports r WHERE ",
                own_reports!(),
                " ORDER BY r.id DESC LIMIT 1"
            ),
            args![reporter, since, own.is_none(), own],
        )
        .await?;
    Ok(last.map(|(at,)| Micros(at)))
}

/// Notes that a reporter is silent since its last report; whether nobody had before.
pub async fn notice(
    tx: &mut Tx,
    scope: &Scope,
    reporter: ReporterId,
    last: Micros,
    now: Micros,
) -> Result<bool> {
    scope.platform()?;
    let added = tx
        .execute(
            "INSERT INTO reporter_silences (reporter, last_report_at, noticed_at) VALUES ($1, $2, $3) \
             ON CONFLICT (reporter, last_report_at) DO NOTHING",
            args![reporter, last, now],
        )
        .await?;
    Ok(added > 0)
}

/// A report came: the silence is over. Whether there was one.
pub async fn end(tx: &mut Tx, scope: &Scope, reporter: ReporterId, now: Micros) -> Result<bool> {
    scope.platform()?;
    let ended = tx
        .execute(
            "UPDATE reporter_silences SET ended_at = $2 WHERE reporter = $1 AND ended_at IS NULL",
            args![reporter, now],
        )
        .await?;
    Ok(ended > 0)
}

/// The silences that last, as far as the scope reaches.
pub async fn lasting(tx: &mut Tx, scope: &Scope) -> Result<Vec<Silence>> {
    let own = scope.reports_of()?;
    tx.all(
        "SELECT reporter, last_report_at, noticed_at FROM reporter_silences \
         WHERE ended_at IS NULL AND ($1 OR reporter = $2) ORDER BY last_report_at",
        args![own.is_none(), own],
    )
    .await
}

/// Who is to hear of a reporter's silence: the operator's team and the reporter's own people. Home, name, address and
/// language of each.
pub async fn readers(
    tx: &mut Tx,
    scope: &Scope,
    reporter: ReporterId,
) -> Result<Vec<(Option<Uuid>, String, String, Option<String>)>> {
    scope.platform()?;
    tx.all(
        "SELECT home, name, email, language FROM users \
         WHERE (home IS NULL OR home = $1) AND deactivated_at IS NULL ORDER BY id LIMIT 200",
        args![reporter],
    )
    .await
}
