//! Disputed report lines: the line itself, and by what the PC is where it is.

use roadstead_domain::access::{Actor, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::dispute::Outcome;
use roadstead_domain::ids::ReportId;
use uuid::Uuid;

use crate::args;
use crate::bulk::Bulk;
use crate::engine::Tx;
use crate::error::Result;
use crate::page::{Page, Rows};

/// A sale or return as it was reported: one side of a dispute.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Evidence {
    /// The report.
    pub report: Uuid,
    /// The line.
    pub line: i64,
    /// The report's file.
    pub file_name: String,
    /// Who reported.
    pub reporter_name: String,
    /// When, in microseconds.
    pub received_at: i64,
    /// `sale`, `return`, `correction` or `void`.
    pub transaction_kind: Option<String>,
    /// The day of the transaction.
    pub sold_on: Option<String>,
    /// The seller's number.
    pub seller: String,
    /// The seller's name, if it is a known partner.
    pub seller_name: Option<String>,
    /// The end customer's number.
    pub buyer: String,
    /// The end customer's name.
    pub buyer_name: String,
    /// The invoice.
    pub invoice: String,
    /// The product number.
    pub product_number: String,
    /// The manufacturer; empty for the platform's own.
    pub manufacturer: String,
    /// The serial.
    pub serial: String,
    /// The verdict's code.
    pub verdict: String,
    /// The outcome of the decision over it that holds.
    pub outcome: Option<String>,
}

/// Which disputes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// Those over which nothing is decided.
    #[default]
    Open,
    /// Those over which a decision holds.
    Decided,
    /// Both.
    All,
}

impl Which {
    /// Every choice.
    pub const ALL: [Which; 3] = [Which::Open, Which::Decided, Which::All];

    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Which::Open => "open",
            Which::Decided => "decided",
            Which::All => "all",
        }
    }

    /// The one with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|which| which.as_str() == code)
    }
}

/// The columns of [`Evidence`] from `report_lines l`.
macro_rules! evidence_sql {
    ($rest:literal) => {
        concat!(
            "SELECT l.report, l.line, r.file_name, n.name AS reporter_name, r.received_at, l.transaction_kind, ",
            "l.sold_on, l.seller, s.name AS seller_name, l.buyer, l.buyer_name, l.invoice, l.product_number, ",
            "l.manufacturer, l.serial, l.verdict, d.outcome FROM report_lines l JOIN reports r ON r.id = l.report ",
            "JOIN reporters n ON n.id = r.reporter LEFT JOIN partners s ON s.number_key = l.seller ",
            "LEFT JOIN dispute_decisions d ON d.report = l.report AND d.line = l.line AND d.undone_at IS NULL WHERE ",
            $rest
        )
    };
}

/// Disputed lines, newest report first. `None` for a cursor that is none.
pub async fn list(tx: &mut Tx, scope: &Scope, which: Which, page: &Page) -> Result<Option<Rows<Evidence>>> {
    scope.platform()?;
    let Ok(after) = page.after::<(Uuid, i64)>() else { return Ok(None) };
    let (report, line) = after.unwrap_or((Uuid::max(), i64::MAX));
    let rows = page.rows();
    let sql = evidence_sql!(
        "l.verdict >= 'disputed.' AND l.verdict < 'disputed/' AND (l.report, l.line) < ($1, $2) \
         AND NOT r.validate_only AND ($4 OR d.id IS NULL) AND ($5 OR d.id IS NOT NULL) \
         ORDER BY l.report DESC, l.line DESC LIMIT $3"
    );
    let (decided, open) = (which != Which::Open, which != Which::Decided);
    let items: Vec<Evidence> = tx.all(sql, args![report, line, rows + 1, decided, open]).await?;
    Ok(Some(Rows::cut(items, rows, |item| (item.report, item.line))))
}

/// A disputed line.
pub async fn get(tx: &mut Tx, scope: &Scope, report: ReportId, line: i64) -> Result<Option<Evidence>> {
    scope.platform()?;
    let sql = evidence_sql!(
        "l.report = $1 AND l.line = $2 AND l.verdict >= 'disputed.' AND l.verdict < 'disputed/' \
         AND NOT r.validate_only"
    );
    tx.optional(sql, args![report, line]).await
}

/// Where the disputed PC is, and by which line.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The PC's id.
    pub device: Uuid,
    /// The partner that has it.
    pub partner: Uuid,
    /// The partner's name.
    pub partner_name: String,
    /// The partner's number.
    pub partner_number: String,
    /// Whether it is with a customer of the partner's.
    pub with_customer: bool,
    /// Since when, in microseconds.
    pub since: i64,
    /// The line that brought it.
    pub evidence: Option<Evidence>,
}

#[derive(sqlx::FromRow)]
struct HolderRow {
    device: Uuid,
    partner: Uuid,
    partner_name: String,
    partner_number: String,
    tenant_kind: String,
    since: i64,
    report: Option<Uuid>,
    line: Option<i64>,
}

/// Who has the PC of a disputed line; `None` if nobody has.
pub async fn holder(tx: &mut Tx, scope: &Scope, disputed: &Evidence) -> Result<Option<Holder>> {
    scope.platform()?;
    let row: Option<HolderRow> = tx
        .optional(
            "SELECT p.device, a.tenant AS partner, a.name AS partner_name, a.number AS partner_number, t.kind AS tenant_kind, p.since, p.report, \
             p.line FROM devices d JOIN placements p ON p.device = d.id JOIN tenants t ON t.id = p.tenant \
             JOIN partners a ON a.tenant = t.parent WHERE d.serial = $1 AND d.manufacturer = $2",
            args![&disputed.serial, &disputed.manufacturer],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let evidence = match (row.report, row.line) {
        (Some(report), Some(line)) => {
            tx.optional(evidence_sql!("l.report = $1 AND l.line = $2"), args![report, line]).await?
        }
        _ => None,
    };
    Ok(Some(Holder {
        device: row.device,
        partner: row.partner,
        partner_name: row.partner_name,
        partner_number: row.partner_number,
        with_customer: row.tenant_kind == "customer",
        since: row.since,
        evidence,
    }))
}

/// Disputes that are counted.
pub const COUNTED: i64 = 20_000;

/// How many lines of reports came to something that asks for attention, by verdict: parked ones, and of the first
/// [`COUNTED`] disputed ones over which nothing is decided.
pub async fn open_counts(tx: &mut Tx, scope: &Scope) -> Result<Vec<(String, i64)>> {
    scope.platform()?;
    let mut counts: Vec<(String, i64)> = tx
        .all(
            "SELECT o.verdict, COUNT(*) FROM (SELECT l.verdict FROM report_lines l JOIN reports r ON r.id = l.report \
             LEFT JOIN dispute_decisions d ON d.report = l.report AND d.line = l.line AND d.undone_at IS NULL \
             WHERE l.verdict >= 'disputed.' AND l.verdict < 'disputed/' AND NOT r.validate_only AND d.id IS NULL \
             LIMIT $1) o GROUP BY o.verdict ORDER BY o.verdict",
            args![COUNTED],
        )
        .await?;
    let mut parked = tx
        .all(
            "SELECT c.verdict, CAST(SUM(c.lines) AS BIGINT) FROM report_counts c JOIN reports r ON r.id = c.report \
             WHERE NOT r.validate_only AND c.verdict LIKE 'parked.%' \
             GROUP BY c.verdict HAVING SUM(c.lines) > 0 ORDER BY c.verdict",
            args![],
        )
        .await?;
    counts.append(&mut parked);
    Ok(counts)
}

/// The numbers that parked lines wait for, with how many of the first 20,000 such lines, most first.
pub async fn waited_for(tx: &mut Tx, scope: &Scope, limit: i64) -> Result<Vec<(String, i64)>> {
    scope.platform()?;
    tx.all(
        "SELECT w.waits_for, COUNT(*) FROM (SELECT l.waits_for FROM report_lines l JOIN reports r ON r.id = l.report \
         WHERE l.waits_for IS NOT NULL AND NOT r.validate_only LIMIT 20000) w \
         GROUP BY w.waits_for ORDER BY COUNT(*) DESC, w.waits_for LIMIT $1",
        args![limit],
    )
    .await
}

/// A decision that holds.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Decision {
    /// Its id.
    pub id: Uuid,
    /// The code of its [`Outcome`].
    pub outcome: String,
    /// Why.
    pub reason: String,
    /// The partner that had the PC.
    pub holder: Option<Uuid>,
    /// The operator's report that moved the PC.
    pub moved_by: Option<Uuid>,
    /// When, in microseconds.
    pub decided_at: i64,
}

/// The decision over a disputed line that holds, if there is one.
pub async fn decision(tx: &mut Tx, scope: &Scope, report: ReportId, line: i64) -> Result<Option<Decision>> {
    scope.platform()?;
    tx.optional(
        "SELECT id, outcome, reason, holder, moved_by, decided_at FROM dispute_decisions \
         WHERE report = $1 AND line = $2 AND undone_at IS NULL",
        args![report, line],
    )
    .await
}

/// A decision on its way in.
#[derive(Clone, Copy, Debug)]
pub struct NewDecision<'a> {
    /// Its id.
    pub id: Uuid,
    /// The disputed line's report.
    pub report: ReportId,
    /// The disputed line.
    pub line: i64,
    /// How it ends.
    pub outcome: Outcome,
    /// Why.
    pub reason: &'a str,
    /// The partner that has the PC.
    pub holder: Option<Uuid>,
    /// The operator's report that moves it.
    pub moved_by: Option<ReportId>,
}

/// Writes a decision; a second one beside it is a conflict.
pub async fn decide(tx: &mut Tx, scope: &Scope, new: NewDecision<'_>, at: Micros) -> Result<()> {
    scope.platform()?;
    let (kind, actor) = match scope.actor() {
        Actor::User(id) => ("user", Some(id.0)),
        Actor::Token(id) => ("token", Some(id.0)),
        Actor::Device(id) => ("device", Some(id.0)),
        Actor::OutsideDesk(id) => ("outside_desk", Some(id.0)),
        Actor::System => ("system", None),
    };
    let moved_by = new.moved_by.map(|report| report.0);
    tx.execute(
        "INSERT INTO dispute_decisions (id, report, line, outcome, reason, holder, moved_by, actor_kind, actor, \
         decided_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        args![
            new.id, new.report, new.line, new.outcome.as_str(), new.reason, new.holder, moved_by, kind, actor, at
        ],
    )
    .await?;
    Ok(())
}

/// A dispute over which nothing is decided.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Open {
    /// The line.
    pub line: i64,
    /// The serial.
    pub serial: String,
    /// The line's seller, if it is a known partner.
    pub seller: Option<Uuid>,
}

/// Up to `limit` disputes of a report over which nothing is decided, in file order.
pub async fn open_of(tx: &mut Tx, scope: &Scope, report: ReportId, limit: i64) -> Result<Vec<Open>> {
    scope.platform()?;
    tx.all(
        "SELECT l.line, l.serial, s.tenant AS seller FROM report_lines l \
         LEFT JOIN partners s ON s.number_key = l.seller \
         LEFT JOIN dispute_decisions d ON d.report = l.report AND d.line = l.line AND d.undone_at IS NULL \
         WHERE l.report = $1 AND l.verdict >= 'disputed.' AND l.verdict < 'disputed/' AND d.id IS NULL \
         ORDER BY l.line LIMIT $2",
        args![report, limit],
    )
    .await
}

/// Dismisses disputes over lines of a report, each with the id of its decision, for a reason that is nobody's decision.
pub async fn dismiss(
    tx: &mut Tx,
    scope: &Scope,
    report: ReportId,
    lines: &[(Uuid, i64)],
    reason: &str,
    at: Micros,
) -> Result<()> {
    scope.platform()?;
    let mut bulk = Bulk::new(
        "INSERT INTO dispute_decisions (id, report, line, outcome, reason, actor_kind, decided_at)",
        7,
        "",
    );
    for (id, line) in lines {
        let outcome = Outcome::Dismissed.as_str();
        bulk.push(tx, args![*id, report, *line, outcome, reason, "system", at]).await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}

/// Takes a decision back; whether it still held.
pub async fn undo(
    tx: &mut Tx,
    scope: &Scope,
    decision: Uuid,
    undone_by: Option<ReportId>,
    at: Micros,
) -> Result<bool> {
    scope.platform()?;
    let undone = tx
        .execute(
            "UPDATE dispute_decisions SET undone_at = $2, undone_by = $3 WHERE id = $1 AND undone_at IS NULL",
            args![decision, at, undone_by.map(|report| report.0)],
        )
        .await?;
    Ok(undone > 0)
}

/// Name, address and language of the admins of a partner.
pub async fn admins(
    tx: &mut Tx,
    scope: &Scope,
    partner: Uuid,
) -> Result<Vec<(String, String, Option<String>)>> {
    scope.platform()?;
    tx.all(
        "SELECT name, email, language FROM users WHERE home = $1 AND role = 'partner_admin' \
         AND deactivated_at IS NULL LIMIT 100",
        args![partner],
    )
    .await
}
