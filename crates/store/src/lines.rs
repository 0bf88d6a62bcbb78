//! Report lines: every line as received, with what it came to.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::civil::Date;
use roadstead_domain::access::Scope;
use roadstead_domain::clock::{Micros, first_id_at};
use roadstead_domain::ids::{ReportId, ReporterId, TenantId};
use roadstead_domain::partner::SupportLevel;
use roadstead_domain::sale::{Field, Parked, Reason, ReceivedLine, SaleLine, Transaction, Verdict};
use serde::Deserialize;
use uuid::Uuid;

use crate::args;
use crate::bulk::Bulk;
use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::page::{Page, Rows};

/// A judged line on its way in.
#[derive(Debug)]
pub struct Judged<'a> {
    /// What the file says.
    pub received: &'a ReceivedLine,
    /// Its normal form, unless it was rejected.
    pub line: Option<&'a SaleLine>,
    /// What it came to.
    pub verdict: Verdict,
    /// Why, in more detail.
    pub reasons: &'a [Reason],
    /// The partner whose pool it changed.
    pub pool: Option<TenantId>,
    /// The number that frees it.
    pub waits_for: Option<&'a str>,
}

/// Inserts the lines of a batch, best in the order of their serials, so that the index over all reports is walked once.
pub async fn insert(
    tx: &mut Tx,
    scope: &Scope,
    report: ReportId,
    lines: impl Iterator<Item = Judged<'_>>,
    at: Micros,
) -> Result<()> {
    scope.platform()?;
    let mut bulk = Bulk::new(
        "INSERT INTO report_lines (report, line, file_row, transaction_kind, sold_on, shipped_on, seller, buyer, \
         buyer_name, country, product_number, model, support_level, manufacturer, serial, invoice, supersedes, \
         received, verdict, reasons, pool, waits_for, judged_at)",
        23,
        "",
    );
    for judged in lines {
        let text = |field| judged.received.get(field).trim();
        let line = judged.line;
        bulk.push(
            tx,
            args![
                report,
                judged.received.line,
                judged.received.row,
                line.map(|l| l.transaction.as_str()),
                line.map(|l| l.date.to_string()),
                line.and_then(|l| l.shipped_on).map(|date| date.to_string()),
                line.map_or_else(|| text(Field::Seller), |l| &l.seller),
                line.map_or_else(|| text(Field::Buyer), |l| &l.buyer),
                text(Field::BuyerName),
                text(Field::Country),
                text(Field::Product),
                text(Field::Model),
                line.and_then(|l| l.level).map(SupportLevel::as_str),
                line.and_then(|l| l.manufacturer.as_deref()).unwrap_or(""),
                line.map_or_else(|| text(Field::Serial), |l| &l.serial),
                text(Field::Invoice),
                text(Field::Supersedes),
                received_text(judged.received, line)?,
                judged.verdict.as_str(),
                reasons_text(judged.reasons)?,
                judged.pool,
                judged.waits_for,
                at
            ],
        )
        .await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}

/// The cells that the columns do not already say: all of a rejected line, else those that were normalised away.
fn received_text(received: &ReceivedLine, line: Option<&SaleLine>) -> Result<Option<String>> {
    let differs = |field: Field| {
        let text = received.get(field);
        let Some(line) = line else { return !text.is_empty() };
        match field {
            Field::Serial => text != line.serial,
            Field::Seller => text != line.seller,
            Field::Buyer => text != line.buyer,
            Field::Level => text != line.level.map_or("", SupportLevel::name),
            Field::Quantity => text.trim() != "1",
            Field::PurchaseOrder => !text.is_empty(),
            _ => false,
        }
    };
    let cells: BTreeMap<&str, &str> = Field::ALL
        .iter()
        .filter(|field| differs(**field))
        .map(|field| (field.as_str(), received.get(*field)))
        .collect();
    if cells.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(&cells).map(Some).map_err(|error| Error::bad("report_lines", error))
}

fn reasons_text(reasons: &[Reason]) -> Result<Option<String>> {
    if reasons.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(reasons).map(Some).map_err(|error| Error::bad("report_lines", error))
}

/// A line as it is shown.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Line {
    /// 1 for the first line.
    pub line: i64,
    /// The row of the file.
    pub file_row: i64,
    /// The normal form, or what the file says where there is none.
    pub serial: String,
    /// The seller's number.
    pub seller: String,
    /// The end customer.
    pub buyer_name: String,
    /// The product number.
    pub product_number: String,
    /// The day of the sale.
    pub sold_on: Option<String>,
    /// The invoice.
    pub invoice: String,
    /// The cells as received, as JSON text, where they differ.
    pub received: Option<String>,
    /// The code.
    pub verdict: String,
    /// The reasons as JSON text.
    pub reasons: Option<String>,
    /// The number that a parked line waits for.
    pub waits_for: Option<String>,
}

impl Line {
    /// The reasons; a verdict without finer ones is its own.
    pub fn reasons(&self) -> Result<Vec<Reason>> {
        let Some(text) = &self.reasons else { return Ok(Vec::new()) };
        serde_json::from_str(text).map_err(|error| Error::bad("report_lines", error))
    }

    /// The cells as received, by the field's stable name.
    pub fn cells(&self) -> Result<BTreeMap<String, String>> {
        cells_of(self.received.as_deref())
    }
}

fn cells_of(received: Option<&str>) -> Result<BTreeMap<String, String>> {
    let Some(text) = received else { return Ok(BTreeMap::new()) };
    serde_json::from_str(text).map_err(|error| Error::bad("report_lines", error))
}

/// The order that a line's cells as received name; empty if none.
pub(crate) fn order_in(received: Option<&str>) -> String {
    // The one cell of them that lists show: the others are skipped and not kept.
    #[derive(Deserialize)]
    struct Ordered<'a> {
        #[serde(borrow, default)]
        purchase_order: Cow<'a, str>,
    }
    let ordered = received.and_then(|text| serde_json::from_str::<Ordered<'_>>(text).ok());
    ordered.map_or_else(String::new, |ordered| ordered.purchase_order.trim().to_owned())
}

/// Whether lines come with their cells as received, which may be long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cells {
    /// For the error file.
    With,
    /// For lists.
    Without,
}

/// The lines of a report in file order: all, of one verdict (`rejected.date_invalid`), or of one family
/// (`rejected`). `None` for a cursor that is none. The report must have been read under the same scope.
pub async fn list(
    tx: &mut Tx,
    scope: &Scope,
    report: ReportId,
    verdict: Option<&str>,
    cells: Cells,
    page: &Page,
) -> Result<Option<Rows<Line>>> {
    let own = scope.reports_of()?;
    let Ok(after) = page.after::<i64>() else { return Ok(None) };
    let rows = page.rows();
    let head = args![report, own.is_none(), own, after.unwrap_or(0), rows + 1, cells == Cells::With];
    macro_rules! lines_sql {
        ($and:literal) => {
            concat!(
                "SELECT l.line, l.file_row, l.serial, l.seller, l.buyer_name, l.product_number, l.sold_on, ",
                "l.invoice, CASE WHEN $6 THEN l.received END AS received, l.verdict, l.reasons, l.waits_for FROM report_lines l ",
                "JOIN reports r ON r.id = l.report WHERE l.report = $1 AND ($2 OR r.reporter = $3) AND l.line > $4 ",
                $and,
                " ORDER BY l.line LIMIT $5"
            )
        };
    }
    let items: Vec<Line> = match verdict {
        None => tx.all(lines_sql!(""), head).await?,
        Some("placed") => tx.all(lines_sql!("AND l.verdict = 'placed'"), head).await?,
        Some(verdict) => {
            // `rejected` also stands for everything from `rejected.` up to what would follow it: `/` is after `.`.
            let mut args = head;
            args.extend(args![verdict, format!("{verdict}."), format!("{verdict}/")]);
            tx.all(
                lines_sql!(
                    "AND l.verdict <> 'placed' AND (l.verdict = $7 OR (l.verdict >= $8 AND l.verdict < $9))"
                ),
                args,
            )
            .await?
        }
    };
    Ok(Some(Rows::cut(items, rows, |line| line.line)))
}

/// A parked line that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Where it stands.
    pub at: Parked,
    /// Who sent it.
    pub reporter: ReporterId,
    /// What it came to before.
    pub verdict: Verdict,
    /// Its normal form.
    pub line: SaleLine,
    /// What its level's cell said, where that is not the level's name.
    pub level_text: Option<String>,
    /// The product number.
    pub product_number: String,
    /// The model.
    pub model: String,
    /// The end customer.
    pub buyer_name: String,
    /// The order; empty if not told.
    pub order: String,
}

#[derive(sqlx::FromRow)]
struct WaitingRow {
    report: Uuid,
    line: i64,
    reporter: Uuid,
    transaction_kind: Option<String>,
    sold_on: Option<String>,
    shipped_on: Option<String>,
    seller: String,
    buyer: String,
    buyer_name: String,
    product_number: String,
    model: String,
    support_level: Option<String>,
    manufacturer: String,
    serial: String,
    invoice: String,
    supersedes: String,
    received: Option<String>,
    verdict: String,
}

impl WaitingRow {
    fn read(self) -> Option<Waiting> {
        let line = u64::try_from(self.line).ok()?;
        let level = match self.support_level {
            Some(code) => Some(SupportLevel::from_code(&code)?),
            None => None,
        };
        let shipped_on = match self.shipped_on {
            Some(day) => Some(day.parse::<Date>().ok()?),
            None => None,
        };
        let cells = cells_of(self.received.as_deref()).ok()?;
        Some(Waiting {
            level_text: cells.get(Field::Level.as_str()).cloned(),
            at: Parked { report: ReportId(self.report), line },
            reporter: ReporterId(self.reporter),
            verdict: Verdict::from_code(&self.verdict)?,
            line: SaleLine {
                line,
                transaction: Transaction::from_code(&self.transaction_kind?)?,
                date: self.sold_on?.parse().ok()?,
                shipped_on,
                seller: self.seller,
                buyer: self.buyer,
                serial: self.serial,
                manufacturer: Some(self.manufacturer).filter(|m| !m.is_empty()),
                level,
                months: None,
                invoice: self.invoice,
                supersedes: self.supersedes,
            },
            product_number: self.product_number,
            model: self.model,
            buyer_name: self.buyer_name,
            order: order_in(self.received.as_deref()),
        })
    }
}

/// Makes room for the lines of this year and the next, where that has to be done ahead.
pub async fn make_room(tx: &mut Tx, scope: &Scope, now: Micros) -> Result<u64> {
    scope.platform()?;
    tx.make_partitions(now).await
}

/// Forgets lines of reports that came before this instant: on PostgreSQL whole years of them, on SQLite up to 20,000 at a
/// time, oldest first. How many years or lines.
pub async fn forget(tx: &mut Tx, scope: &Scope, before: Micros) -> Result<u64> {
    scope.platform()?;
    if let Some(years) = tx.drop_partitions(before).await? {
        return Ok(years);
    }
    let first: ReportId = first_id_at(before);
    tx.execute(
        "DELETE FROM report_lines WHERE rowid IN \
         (SELECT rowid FROM report_lines WHERE report < $1 ORDER BY report, line LIMIT 20000)",
        args![first],
    )
    .await
}

/// Up to `limit` lines that wait for this number, in the order in which they came, after the given place.
pub async fn waiting_for(
    tx: &mut Tx,
    scope: &Scope,
    number: &str,
    after: Option<Parked>,
    limit: i64,
) -> Result<Vec<Waiting>> {
    scope.platform()?;
    let (report, line) = after.map_or((Uuid::nil(), 0), |at| (at.report.0, at.line));
    let rows: Vec<WaitingRow> = tx
        .all(
            "SELECT l.report, l.line, r.reporter, l.transaction_kind, l.sold_on, l.shipped_on, l.seller, l.buyer, \
             l.buyer_name, l.product_number, l.model, l.support_level, l.manufacturer, l.serial, l.invoice, \
             l.supersedes, l.received, l.verdict FROM report_lines l JOIN reports r ON r.id = l.report \
             WHERE l.waits_for = $1 AND (l.report, l.line) > ($2, $3) AND NOT r.validate_only \
             ORDER BY l.report, l.line LIMIT $4",
            args![number, report, line, limit],
        )
        .await?;
    rows.into_iter()
        .map(|row| {
            let place = format!("line {} of {}", row.line, row.report);
            row.read().ok_or_else(|| Error::bad("report_lines", place))
        })
        .collect()
}

/// Writes what a parked line came to when it was judged again.
pub async fn rejudge(
    tx: &mut Tx,
    scope: &Scope,
    at: Parked,
    verdict: Verdict,
    reasons: &[Reason],
    pool: Option<TenantId>,
    waits_for: Option<&str>,
    now: Micros,
) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "UPDATE report_lines SET verdict = $3, reasons = $4, pool = $5, waits_for = $6, judged_at = $7 \
         WHERE report = $1 AND line = $2",
        args![at.report, at.line, verdict.as_str(), reasons_text(reasons)?, pool, waits_for, now],
    )
    .await?;
    Ok(())
}

/// Takes a parked line out of the wait: it was withdrawn by a return or a correction, which it then names.
pub async fn withdraw(tx: &mut Tx, scope: &Scope, parked: Parked) -> Result<()> {
    scope.platform()?;
    // It no longer waits on the partner's page either.
    tx.execute(
        "UPDATE partner_report_counts SET lines = lines - 1 WHERE report = $1 \
         AND verdict = (SELECT verdict FROM report_lines WHERE report = $1 AND line = $2) \
         AND partner = (SELECT p.tenant FROM partners p JOIN report_lines l ON p.number_key = l.waits_for \
         WHERE l.report = $1 AND l.line = $2 AND l.verdict <> 'parked.unknown_seller')",
        args![parked.report, parked.line],
    )
    .await?;
    let reasons = reasons_text(&[Reason::new("withdrawn")])?;
    tx.execute(
        "UPDATE report_lines SET waits_for = NULL, reasons = $3 WHERE report = $1 AND line = $2",
        args![parked.report, parked.line, reasons],
    )
    .await?;
    Ok(())
}

/// A sale as it was told, to be taken back or told again.
#[derive(Clone, Debug)]
pub struct Withdrawable {
    /// Where the next question goes on.
    pub line: i64,
    /// The day of the sale.
    pub sold_on: String,
    /// The day of shipping.
    pub shipped_on: Option<String>,
    /// The seller's number.
    pub seller: String,
    /// The buyer's number.
    pub buyer: String,
    /// The end customer.
    pub buyer_name: String,
    /// Its country.
    pub country: String,
    /// The product number.
    pub product_number: String,
    /// The model.
    pub model: String,
    /// What the level's cell said.
    pub level: String,
    /// The serial.
    pub serial: String,
    /// The manufacturer.
    pub manufacturer: String,
    /// The invoice.
    pub invoice: String,
}

#[derive(sqlx::FromRow)]
struct WithdrawableRow {
    line: i64,
    sold_on: Option<String>,
    shipped_on: Option<String>,
    seller: String,
    buyer: String,
    buyer_name: String,
    country: String,
    product_number: String,
    model: String,
    support_level: Option<String>,
    received: Option<String>,
    serial: String,
    manufacturer: String,
    invoice: String,
}

impl WithdrawableRow {
    fn read(self) -> Result<Withdrawable> {
        let level = match cells_of(self.received.as_deref())?.remove(Field::Level.as_str()) {
            Some(text) => text,
            None => {
                let level = self.support_level.as_deref().and_then(SupportLevel::from_code);
                level.map_or("", SupportLevel::name).to_owned()
            }
        };
        Ok(Withdrawable {
            level,
            line: self.line,
            sold_on: self.sold_on.unwrap_or_default(),
            shipped_on: self.shipped_on,
            seller: self.seller,
            buyer: self.buyer,
            buyer_name: self.buyer_name,
            country: self.country,
            product_number: self.product_number,
            model: self.model,
            serial: self.serial,
            manufacturer: self.manufacturer,
            invoice: self.invoice,
        })
    }
}

/// The columns of [`Withdrawable`] from `report_lines l`.
macro_rules! withdrawable_sql {
    ($line:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $line,
            " AS line, l.sold_on, l.shipped_on, l.seller, l.buyer, l.buyer_name, l.country, ",
            "l.product_number, l.model, l.support_level, l.received, l.serial, l.manufacturer, l.invoice ",
            $rest
        )
    };
}

/// Sales of a report by which a PC is where it is (in a pool, or with a customer meanwhile), and those that still
/// wait: up to `limit` after a line.
pub async fn held_by(
    tx: &mut Tx,
    scope: &Scope,
    report: ReportId,
    after: i64,
    limit: i64,
) -> Result<Vec<Withdrawable>> {
    scope.platform()?;
    let sql = withdrawable_sql!(
        "l.line",
        "FROM report_lines l LEFT JOIN devices d ON d.serial = l.serial AND d.manufacturer = l.manufacturer \
         LEFT JOIN placements p ON p.device = d.id LEFT JOIN tenants t ON t.id = p.tenant \
         WHERE l.report = $1 AND l.line > $2 AND l.transaction_kind IN ('sale', 'correction') \
         AND (l.waits_for IS NOT NULL OR (l.verdict = 'placed' \
         AND (t.kind = 'customer' OR (t.kind = 'holding' AND p.report = l.report AND p.line = l.line)))) \
         ORDER BY l.line LIMIT $3"
    );
    let rows: Vec<WithdrawableRow> = tx.all(sql, args![report, after, limit]).await?;
    rows.into_iter().map(WithdrawableRow::read).collect()
}

/// Sales that a withdrawal took back, or has put in dispute, as their report told them: up to `limit` after a line of the
/// withdrawal. Of disputes only those that are open, over a PC that the sale told again does not move.
pub async fn taken_back_by(
    tx: &mut Tx,
    scope: &Scope,
    withdrawal: ReportId,
    after: i64,
    limit: i64,
) -> Result<Vec<Withdrawable>> {
    scope.platform()?;
    let sql = withdrawable_sql!(
        "w.line",
        "FROM report_lines w JOIN reports r ON r.id = w.report JOIN report_lines l ON l.serial = w.serial \
         AND l.manufacturer = w.manufacturer AND l.transaction_kind IS NOT NULL \
         AND (l.verdict <> 'duplicate' OR l.reasons IS NOT NULL) AND l.report = r.withdraws \
         WHERE w.report = $1 AND w.line > $2 AND (w.verdict = 'returned' OR (w.verdict >= 'disputed.' \
         AND w.verdict < 'disputed/' AND NOT EXISTS (SELECT 1 FROM dispute_decisions c WHERE c.report = w.report \
         AND c.line = w.line AND c.undone_at IS NULL) AND EXISTS (SELECT 1 FROM devices d \
         JOIN placements p ON p.device = d.id JOIN tenants t ON t.id = p.tenant \
         LEFT JOIN partners s ON s.tenant = t.parent WHERE d.serial = w.serial AND d.manufacturer = w.manufacturer \
         AND (t.kind = 'customer' OR s.number_key = w.seller)))) \
         AND l.transaction_kind IN ('sale', 'correction') AND (l.verdict = 'placed' OR l.verdict LIKE 'parked.%') \
         AND l.seller = w.seller AND l.invoice = w.invoice ORDER BY w.line LIMIT $3"
    );
    let rows: Vec<WithdrawableRow> = tx.all(sql, args![withdrawal, after, limit]).await?;
    rows.into_iter().map(WithdrawableRow::read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_found_among_the_cells_by_its_fields_name() {
        let cells = serde_json::json!({ "x": "1", Field::PurchaseOrder.as_str(): " PO \"7\" ", "y": "ü" })
            .to_string();
        assert_eq!(order_in(Some(&cells)), "PO \"7\"");
        assert_eq!(order_in(Some("{}")), "");
        assert_eq!(order_in(None), "");
    }
}
