//! What a reader may know of serials: report lines, moves and where the PC is, each by index. The transaction is the
//! platform's, since a waiting line is in nobody's reach; what is read is bound from the reader's scope, in the statement,
//! so that a serial of somebody else and one that nobody knows come out alike.

use roadstead_domain::access::{Reach, Scope};
use roadstead_domain::ids::{ReporterId, TenantId};
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::Result;

/// A line of a report.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Line {
    /// The serial.
    pub serial: String,
    /// Its report.
    pub report: Uuid,
    /// Its number there.
    pub line: i64,
    /// Its row or segment of the file.
    pub file_row: i64,
    /// The report's file.
    pub file_name: String,
    /// Who sent it.
    pub reporter_name: String,
    /// The sender's number.
    pub reporter_number: String,
    /// When it came in, in microseconds.
    pub received_at: i64,
    /// When it was judged last.
    pub judged_at: i64,
    /// When its report had ended; a line that was judged later was judged again.
    pub finished_at: Option<i64>,
    /// The number that it waits for.
    pub waits_for: Option<String>,
    /// The verdict's code.
    pub verdict: String,
    /// `sale`, `return`, `correction` or `void`; none of a rejected line.
    pub transaction_kind: Option<String>,
    /// The day of the transaction.
    pub sold_on: Option<String>,
    /// The seller's number.
    pub seller: String,
    /// The seller's name, if it is a partner.
    pub seller_name: Option<String>,
    /// The invoice.
    pub invoice: String,
    /// Whether a dispute over it was decided against it.
    pub dismissed: bool,
}

/// Where a PC is.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Place {
    /// The serial.
    pub serial: String,
    /// The PC.
    pub device: Uuid,
    /// `holding` or `customer`.
    pub tenant_kind: String,
    /// The tenant's name.
    pub tenant_name: String,
    /// The partner in whose reach it is, if in one's.
    pub partner: Option<Uuid>,
    /// The partner's name.
    pub partner_name: Option<String>,
    /// Since when, in microseconds.
    pub since: i64,
}

/// A move.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Move {
    /// When, in microseconds.
    pub at: i64,
    /// What moved it; none where it was a line.
    pub cause: Option<String>,
    /// The operation.
    pub cause_id: Option<Uuid>,
    /// Where it came from, within the reader's reach: `holding` or `customer`, and the name.
    pub from_kind: Option<String>,
    /// See `from_kind`.
    pub from_name: Option<String>,
    /// The same of where it went.
    pub to_kind: Option<String>,
    /// See `to_kind`.
    pub to_name: Option<String>,
    /// The cPIN by which it enrolled, where the reader's side has it.
    pub cpin: Option<String>,
    /// Whether the line that moved it, if one did, is still kept.
    pub kept: bool,
}

/// Whose rows: everybody's, or of those that are named.
struct Whose {
    all: bool,
    partner: Option<TenantId>,
    reporter: Option<ReporterId>,
    customer: Option<TenantId>,
}

impl Whose {
    fn of(reader: &Scope) -> Self {
        let nobody = Self { all: false, partner: None, reporter: None, customer: None };
        match reader.reach() {
            Reach::Platform => Self { all: true, ..nobody },
            Reach::Partner(partner) => Self { partner: Some(partner), ..nobody },
            Reach::Reporter(reporter) => Self { reporter: Some(reporter), ..nobody },
            Reach::Customer(customer) => Self { customer: Some(customer), ..nobody },
            Reach::Desk => nobody,
        }
    }
}

macro_rules! lines_sql {
    ($those:literal) => {
        concat!(
            "SELECT l.serial, l.report, l.line, l.file_row, r.file_name, n.name AS reporter_name, ",
            "n.number AS reporter_number, r.received_at, l.judged_at, r.finished_at, l.waits_for, l.verdict, ",
            "l.transaction_kind, l.sold_on, l.seller, p.name AS seller_name, l.invoice, ",
            "d.id IS NOT NULL AS dismissed ",
            "FROM <set> s CROSS JOIN report_lines l CROSS JOIN reports r ",
            "JOIN reporters n ON n.id = r.reporter LEFT JOIN partners p ON p.number_key = l.seller ",
            "LEFT JOIN dispute_decisions d ON d.report = l.report AND d.line = l.line AND d.undone_at IS NULL ",
            "AND d.outcome = 'dismissed' ",
            "WHERE l.serial = s.value AND r.id = l.report AND ",
            $those,
            " AND NOT r.validate_only ",
            "AND ($1 OR UPPER(l.seller) = $2 OR l.pool = $3 OR r.reporter = $4)"
        )
    };
}

const KNOWN_LINES: &str =
    lines_sql!("l.transaction_kind IS NOT NULL AND (l.verdict <> 'duplicate' OR l.reasons IS NOT NULL)");
const LINES_ASIDE: &str =
    lines_sql!("(l.transaction_kind IS NULL OR (l.verdict = 'duplicate' AND l.reasons IS NULL))");

const PLACES: &str = "SELECT d.serial, d.id AS device, t.kind AS tenant_kind, t.name AS tenant_name, t.parent AS partner, \
         a.name AS partner_name, p.since FROM <set> s CROSS JOIN devices d JOIN placements p ON p.device = d.id \
         JOIN tenants t ON t.id = p.tenant LEFT JOIN partners a ON a.tenant = t.parent \
         WHERE d.serial = s.value AND ($1 OR t.id = $2 OR (t.parent = $3 AND (t.kind <> 'customer' \
         OR EXISTS (SELECT 1 FROM customers c WHERE c.tenant = t.id AND c.partner_access))))";
const MOVES: &str = "SELECT m.at, m.cause, m.cause_id, f.kind AS from_kind, f.name AS from_name, t.kind AS to_kind, \
         t.name AS to_name, k.code AS cpin, (m.report IS NULL OR l.report IS NOT NULL) AS kept FROM devices d JOIN placement_log m ON m.device = d.id \
         LEFT JOIN tenants f ON f.id = m.from_tenant AND ($4 IS NULL OR f.id = $4) \
         LEFT JOIN tenants t ON t.id = m.to_tenant AND ($4 IS NULL OR t.id = $4) \
     LEFT JOIN enrolments e ON e.id = m.cause_id AND ($2 OR e.customer = $4 OR e.customer_partner = $3) \
     LEFT JOIN cpins k ON k.id = e.cpin \
     LEFT JOIN report_lines l ON l.report = m.report AND l.line = m.line \
         WHERE d.serial = $1 AND ($2 OR m.partner = $3 OR m.from_tenant = $4 OR m.to_tenant = $4) \
         ORDER BY m.generation LIMIT 1000";
const CONTESTED: &str = "SELECT COUNT(*) FROM report_lines l JOIN reports r ON r.id = l.report WHERE l.serial = $1 \
             AND l.transaction_kind IS NOT NULL AND (l.verdict <> 'duplicate' OR l.reasons IS NOT NULL) \
             AND l.verdict >= 'disputed.' AND l.verdict < 'disputed/' AND l.seller <> $2 AND NOT r.validate_only \
     AND NOT EXISTS (SELECT 1 FROM dispute_decisions d WHERE d.report = l.report AND d.line = l.line \
     AND d.undone_at IS NULL)";

/// What is asked by serial, for the test that no plan walks a table.
pub const STATEMENTS: [&str; 5] = [KNOWN_LINES, LINES_ASIDE, PLACES, MOVES, CONTESTED];

/// The lines with these serials that the reader may know of, oldest judgement first. `seller` is the reseller number of
/// a reader that is a partner.
pub async fn lines(tx: &mut Tx, reader: &Scope, seller: Option<&str>, serials: &[&str]) -> Result<Vec<Line>> {
    let whose = Whose::of(reader);
    if whose.customer.is_some() {
        return Ok(Vec::new());
    }
    let seller = whose.partner.and(seller).map(|number| number.trim().to_uppercase());
    let args = || args![whose.all, seller.clone(), whose.partner, whose.reporter];
    let mut lines: Vec<Line> = tx.all_of_set(KNOWN_LINES, args(), serials).await?;
    lines.append(&mut tx.all_of_set(LINES_ASIDE, args(), serials).await?);
    lines.sort_unstable_by_key(|line| (line.judged_at, line.report, line.line));
    Ok(lines)
}

/// Where the PCs with these serials are, as far as it is within the reader's reach.
pub async fn places(tx: &mut Tx, reader: &Scope, serials: &[&str]) -> Result<Vec<Place>> {
    let whose = Whose::of(reader);
    if whose.reporter.is_some() {
        return Ok(Vec::new());
    }
    tx.all_of_set(PLACES, args![whose.all, whose.customer, whose.partner], serials).await
}

/// The moves of the PCs with this serial that the reader may know of, oldest first. A customer is not told where a PC
/// came from or went to.
pub async fn moves(tx: &mut Tx, reader: &Scope, serial: &str) -> Result<Vec<Move>> {
    let whose = Whose::of(reader);
    if whose.reporter.is_some() {
        return Ok(Vec::new());
    }
    tx.all(MOVES, args![serial, whose.all, whose.partner, whose.customer]).await
}

/// Whether a line of another seller is in dispute over a PC with this serial.
pub async fn contested(tx: &mut Tx, reader: &Scope, seller: &str, serial: &str) -> Result<bool> {
    reader.partner()?;
    let count = tx.number(CONTESTED, args![serial, seller.trim().to_uppercase()]).await?;
    Ok(count > 0)
}
