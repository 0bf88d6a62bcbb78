//! Sell-through reports as handed in, their files and their counts.

use std::collections::BTreeMap;

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::{OperationId, ReportId, ReporterId, TenantId};
use roadstead_domain::sale::Verdict;
use uuid::Uuid;

use crate::args;
use crate::bulk::Bulk;
use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::page::{Page, Rows};

/// A report.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Report {
    /// Its id.
    pub id: Uuid,
    /// Who sent it.
    pub reporter: Uuid,
    /// The reporter's name.
    pub reporter_name: String,
    /// The reporter's number.
    pub reporter_number: String,
    /// The only seller that the reporter may report for.
    pub only_seller: Option<String>,
    /// The operation that judges it.
    pub operation: Uuid,
    /// The name of the file.
    pub file_name: String,
    /// `csv`, `xlsx`, `x12` or `edifact`.
    pub format: String,
    /// Its size.
    pub bytes: i64,
    /// How many lines it has.
    pub lines: i64,
    /// Whether it is judged without changing anything.
    pub validate_only: bool,
    /// The report that it takes back.
    pub withdraws: Option<Uuid>,
    /// The withdrawal that it undoes.
    pub undoes: Option<Uuid>,
    /// `received`, `running`, `succeeded` or `failed`.
    pub state: String,
    /// When it came, in microseconds.
    pub received_at: i64,
    /// When it was done.
    pub finished_at: Option<i64>,
    /// How many of its lines are judged.
    pub done: i64,
}

/// A report on its way in.
#[derive(Clone, Debug)]
pub struct NewReport<'a> {
    /// Its id.
    pub id: ReportId,
    /// Who sent it.
    pub reporter: ReporterId,
    /// The operation that will judge it.
    pub operation: OperationId,
    /// The name of the file.
    pub file_name: &'a str,
    /// `csv`, `xlsx`, `x12` or `edifact`.
    pub format: &'a str,
    /// The digest of the file.
    pub sha256: [u8; 32],
    /// Its size.
    pub bytes: u64,
    /// How many lines it has.
    pub lines: u64,
    /// Whether it is judged without changing anything.
    pub validate_only: bool,
    /// The report that it takes back.
    pub withdraws: Option<ReportId>,
    /// The withdrawal that it undoes.
    pub undoes: Option<ReportId>,
}

/// Adds a report. The same bytes again from the same reporter are [`Error::Conflict`].
pub async fn create(tx: &mut Tx, scope: &Scope, report: &NewReport<'_>, at: Micros) -> Result<()> {
    if scope.reports_of()?.is_some_and(|own| own != report.reporter) {
        return Err(Error::Denied(roadstead_domain::access::Denied::NotFound));
    }
    tx.execute(
        "INSERT INTO reports (id, reporter, operation, file_name, format, sha256, bytes, lines, validate_only, \
         withdraws, undoes, state, received_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'received', $12)",
        args![
            report.id,
            report.reporter,
            report.operation,
            report.file_name,
            report.format,
            report.sha256,
            report.bytes,
            report.lines,
            report.validate_only,
            report.withdraws.map(|id| id.0),
            report.undoes.map(|id| id.0),
            at
        ],
    )
    .await?;
    Ok(())
}

/// Every column of [`Report`], in one place.
macro_rules! report_sql {
    ($where:literal) => {
        concat!(
            "SELECT r.id, r.reporter, p.name AS reporter_name, p.number AS reporter_number, p.only_seller, ",
            "r.operation, r.file_name, r.format, r.bytes, r.lines, r.validate_only, r.withdraws, r.undoes, r.state, ",
            "r.received_at, ",
            "r.finished_at, o.done FROM reports r JOIN reporters p ON p.id = r.reporter ",
            "JOIN operations o ON o.id = r.operation WHERE ",
            $where
        )
    };
}

/// The report, if the scope reaches it.
pub async fn get(tx: &mut Tx, scope: &Scope, id: ReportId) -> Result<Option<Report>> {
    let own = scope.reports_of()?;
    tx.optional(report_sql!("r.id = $1 AND ($2 OR r.reporter = $3)"), args![id, own.is_none(), own]).await
}

/// The report that this reporter handed in with these very bytes.
pub async fn same_bytes(
    tx: &mut Tx,
    scope: &Scope,
    reporter: ReporterId,
    sha256: [u8; 32],
) -> Result<Option<Report>> {
    let own = scope.reports_of()?;
    tx.optional(
        report_sql!("r.reporter = $1 AND r.sha256 = $2 AND NOT r.validate_only AND ($3 OR r.reporter = $4)"),
        args![reporter, sha256, own.is_none(), own],
    )
    .await
}

/// The scope's reports, newest first. `None` for a cursor that is none.
pub async fn list(tx: &mut Tx, scope: &Scope, page: &Page) -> Result<Option<Rows<Report>>> {
    let Ok(after) = page.after::<Uuid>() else { return Ok(None) };
    let after = after.unwrap_or(Uuid::max());
    let rows = page.rows();
    let items: Vec<Report> = match scope.reports_of()? {
        None => tx.all(report_sql!("r.id < $1 ORDER BY r.id DESC LIMIT $2"), args![after, rows + 1]).await?,
        Some(own) => {
            tx.all(
                report_sql!("r.reporter = $3 AND r.id < $1 ORDER BY r.id DESC LIMIT $2"),
                args![after, rows + 1, own],
            )
            .await?
        }
    };
    Ok(Some(Rows::cut(items, rows, |report| report.id)))
}

/// Keeps a piece of the file.
pub async fn keep_piece(
    tx: &mut Tx,
    scope: &Scope,
    report: ReportId,
    piece: i64,
    bytes: Vec<u8>,
) -> Result<()> {
    scope.reports_of()?;
    tx.execute(
        "INSERT INTO report_pieces (report, piece, bytes) VALUES ($1, $2, $3)",
        args![report, piece, bytes],
    )
    .await?;
    Ok(())
}

/// A piece of the file, if there is one of this number.
pub async fn piece(tx: &mut Tx, scope: &Scope, report: ReportId, piece: i64) -> Result<Option<Vec<u8>>> {
    scope.platform()?;
    let row: Option<(Vec<u8>,)> = tx
        .optional("SELECT bytes FROM report_pieces WHERE report = $1 AND piece = $2", args![report, piece])
        .await?;
    Ok(row.map(|(bytes,)| bytes))
}

/// Forgets the file, once every line is kept.
pub async fn forget_pieces(tx: &mut Tx, scope: &Scope, report: ReportId) -> Result<()> {
    scope.platform()?;
    tx.execute("DELETE FROM report_pieces WHERE report = $1", args![report]).await?;
    Ok(())
}

/// Keeps what was answered to the sender of a report.
pub async fn keep_acknowledgement(
    tx: &mut Tx,
    scope: &Scope,
    report: ReportId,
    bytes: Vec<u8>,
) -> Result<()> {
    scope.reports_of()?;
    tx.execute("INSERT INTO report_acknowledgements (report, bytes) VALUES ($1, $2)", args![report, bytes])
        .await?;
    Ok(())
}

/// What was answered to a preview is the answer to the report that is made of it.
pub async fn copy_acknowledgement(tx: &mut Tx, scope: &Scope, from: ReportId, to: ReportId) -> Result<()> {
    scope.platform()?;
    let sql = "INSERT INTO report_acknowledgements (report, bytes) \
               SELECT $2, bytes FROM report_acknowledgements WHERE report = $1";
    tx.execute(sql, args![from, to]).await?;
    Ok(())
}

/// What was answered to the sender of a report, if it came as messages and the scope reaches it.
pub async fn acknowledgement(tx: &mut Tx, scope: &Scope, report: ReportId) -> Result<Option<Vec<u8>>> {
    let own = scope.reports_of()?;
    let row: Option<(Vec<u8>,)> = tx
        .optional(
            "SELECT a.bytes FROM report_acknowledgements a JOIN reports r ON r.id = a.report \
             WHERE a.report = $1 AND ($2 OR r.reporter = $3)",
            args![report, own.is_none(), own],
        )
        .await?;
    Ok(row.map(|(bytes,)| bytes))
}

/// Notes where the report stands.
pub async fn set_state(
    tx: &mut Tx,
    scope: &Scope,
    report: ReportId,
    state: &str,
    finished_at: Option<Micros>,
) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "UPDATE reports SET state = $2, finished_at = $3 WHERE id = $1",
        args![report, state, finished_at.map(|at| at.0)],
    )
    .await?;
    Ok(())
}

/// Changes of counts: by report and verdict, and by partner for its page.
#[derive(Debug, Default)]
pub struct Counts {
    by_report: BTreeMap<(Uuid, Verdict), i64>,
    by_partner: BTreeMap<(Uuid, Uuid, Verdict), i64>,
}

impl Counts {
    /// Counts one line up (or down, when it gets another verdict), for its partner too if it has a known one.
    pub fn add(&mut self, report: ReportId, partner: Option<TenantId>, verdict: Verdict, by: i64) {
        *self.by_report.entry((report.0, verdict)).or_default() += by;
        if let Some(partner) = partner {
            *self.by_partner.entry((partner.0, report.0, verdict)).or_default() += by;
        }
    }

    /// Writes the changes.
    pub async fn write(self, tx: &mut Tx, scope: &Scope, for_partners: bool) -> Result<()> {
        scope.platform()?;
        let mut bulk = Bulk::new(
            "INSERT INTO report_counts (report, verdict, lines)",
            3,
            "ON CONFLICT (report, verdict) DO UPDATE SET lines = report_counts.lines + excluded.lines",
        );
        for ((report, verdict), lines) in self.by_report {
            bulk.push(tx, args![report, verdict.as_str(), lines]).await?;
        }
        bulk.finish(tx).await?;
        if !for_partners {
            return Ok(());
        }
        let mut bulk = Bulk::new(
            "INSERT INTO partner_report_counts (partner, report, verdict, lines)",
            4,
            "ON CONFLICT (partner, report, verdict) DO UPDATE SET \
             lines = partner_report_counts.lines + excluded.lines",
        );
        for ((partner, report, verdict), lines) in self.by_partner {
            bulk.push(tx, args![partner, report, verdict.as_str(), lines]).await?;
        }
        bulk.finish(tx).await?;
        Ok(())
    }
}

/// How many lines of a report came to what.
pub async fn counts(tx: &mut Tx, scope: &Scope, report: ReportId) -> Result<BTreeMap<String, i64>> {
    let own = scope.reports_of()?;
    let rows: Vec<(String, i64)> = tx
        .all(
            "SELECT c.verdict, c.lines FROM report_counts c JOIN reports r ON r.id = c.report \
             WHERE c.report = $1 AND c.lines > 0 AND ($2 OR r.reporter = $3)",
            args![report, own.is_none(), own],
        )
        .await?;
    Ok(rows.into_iter().collect())
}

/// Forgets previews that were done before this instant, with their lines.
pub async fn forget_previews(tx: &mut Tx, scope: &Scope, before: Micros) -> Result<u64> {
    scope.platform()?;
    for sql in [
        "DELETE FROM report_pieces WHERE report IN \
         (SELECT id FROM reports WHERE validate_only AND finished_at < $1)",
        "DELETE FROM report_lines WHERE report IN \
         (SELECT id FROM reports WHERE validate_only AND finished_at < $1)",
        "DELETE FROM report_counts WHERE report IN \
         (SELECT id FROM reports WHERE validate_only AND finished_at < $1)",
        "DELETE FROM report_acknowledgements WHERE report IN \
         (SELECT id FROM reports WHERE validate_only AND finished_at < $1)",
    ] {
        tx.execute(sql, args![before]).await?;
    }
    tx.execute("DELETE FROM reports WHERE validate_only AND finished_at < $1", args![before]).await
}

/// Forgets pieces whose report never came to be, since the upload was cut off between the two: those with an id
/// (UUIDv7, so made) before this one.
pub async fn forget_orphans(tx: &mut Tx, scope: &Scope, before: ReportId) -> Result<u64> {
    scope.platform()?;
    tx.execute(
        "DELETE FROM report_pieces WHERE report < $1 AND NOT EXISTS \
         (SELECT 1 FROM reports WHERE reports.id = report_pieces.report)",
        args![before],
    )
    .await
}

/// Puts a report that was given up back at the start of what is left of it.
pub async fn retry(tx: &mut Tx, scope: &Scope, report: ReportId) -> Result<()> {
    scope.reports_of()?;
    tx.execute(
        "UPDATE reports SET state = 'received', finished_at = NULL WHERE id = $1 AND state = 'failed'",
        args![report],
    )
    .await?;
    Ok(())
}

/// How many reports were given up.
pub async fn failed(tx: &mut Tx, scope: &Scope) -> Result<i64> {
    scope.platform()?;
    tx.number("SELECT COUNT(*) FROM reports WHERE state = 'failed'", args![]).await
}

/// The last report that takes this one back (or, of a withdrawal, that undoes it), previews aside.
pub async fn follower(tx: &mut Tx, scope: &Scope, report: &Report) -> Result<Option<Report>> {
    let own = scope.reports_of()?;
    tx.optional(
        report_sql!(
            "(r.withdraws = $1 OR r.undoes = $1) AND NOT r.validate_only AND ($2 OR r.reporter = $3) \
             ORDER BY r.id DESC LIMIT 1"
        ),
        args![report.id, own.is_none(), own],
    )
    .await
}

/// Copies the file of a preview to the report that is made of it; how many pieces.
pub async fn copy_pieces(tx: &mut Tx, scope: &Scope, from: ReportId, to: ReportId) -> Result<u64> {
    scope.platform()?;
    tx.execute(
        "INSERT INTO report_pieces (report, piece, bytes) SELECT $2, piece, bytes FROM report_pieces WHERE report = $1",
        args![from, to],
    )
    .await
}

/// The digest of a report's file.
pub async fn digest(tx: &mut Tx, scope: &Scope, report: ReportId) -> Result<Option<[u8; 32]>> {
    scope.platform()?;
    let row: Option<(Vec<u8>,)> =
        tx.optional("SELECT sha256 FROM reports WHERE id = $1", args![report]).await?;
    row.map(|(bytes,)| bytes.try_into().map_err(|_| Error::bad("reports", report))).transpose()
}
