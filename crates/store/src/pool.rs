//! The pool of a partner: what the page Unassigned Devices lists.

use jiff::civil::Date;
use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::partner::SupportLevel;
use serde::Deserialize;
use uuid::Uuid;

use crate::args;
use crate::engine::{Arg, Tx};
use crate::error::Result;
use crate::page::{Page, Rows};

/// A PC in the pool.
#[derive(Clone, Debug, Deserialize, sqlx::FromRow)]
pub struct Unassigned {
    /// The PC's id.
    pub id: Uuid,
    /// Its serial.
    pub serial: String,
    /// The product number.
    pub product_number: String,
    /// The model.
    pub model: String,
    /// The highest support level that it is entitled to today.
    pub support_level: Option<String>,
    /// When it came into the pool, in microseconds.
    pub since: i64,
    /// The end customer, as the sale names it.
    pub buyer_name: Option<String>,
    /// The invoice.
    pub invoice: Option<String>,
    /// The day of the sale.
    pub sold_on: Option<String>,
    /// Who reported it.
    pub reporter_name: Option<String>,
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// By serial, rising.
    #[default]
    Serial,
    /// What came last first.
    Newest,
}

/// Which PCs of the pool.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Part of the serial, product, model, end customer or invoice, in any case.
    pub q: Option<String>,
    /// This model.
    pub model: Option<String>,
    /// Entitled to this level.
    pub support_level: Option<SupportLevel>,
    /// In the pool since this instant or later.
    pub reported_after: Option<Micros>,
}

impl Filter {
    /// Whether every PC of the pool passes.
    pub fn is_empty(&self) -> bool {
        self.q.is_none()
            && self.model.is_none()
            && self.support_level.is_none()
            && self.reported_after.is_none()
    }
}

/// What the list searches in, for the writer of placements.
pub fn search_text(parts: &[&str]) -> String {
    parts.join("\n").to_lowercase()
}

/// `%needle%` with the needle's own wildcards made harmless.
pub(crate) fn like(needle: &str) -> String {
    let needle: String = needle.trim().to_lowercase().chars().take(200).collect();
    format!("%{}%", needle.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

/// A page of the pool. `None` for a cursor that is none. Empty while the partner has no pool.
pub async fn list(
    tx: &mut Tx,
    scope: &Scope,
    filter: &Filter,
    sort: Sort,
    page: &Page,
    today: Date,
) -> Result<Option<Rows<Unassigned>>> {
    let rows = page.rows();
    // The pattern is written as an expression: SQLite plans a statement anew whenever a bare `LIKE $6` is bound.
    macro_rules! pool_sql {
        ($after:literal, $order:literal) => {
            concat!(
                "SELECT d.id, p.serial, d.product_number, d.model, (SELECT MAX(e.support_level) FROM entitlements e ",
                "WHERE e.device = p.device AND e.ends_on > $2) AS support_level, p.since, l.buyer_name, l.invoice, ",
                "l.sold_on, n.name AS reporter_name FROM placements p JOIN devices d ON d.id = p.device ",
                "LEFT JOIN report_lines l ON l.report = p.report AND l.line = p.line ",
                "LEFT JOIN reports r ON r.id = p.report LEFT JOIN reporters n ON n.id = r.reporter ",
                "WHERE p.tenant = (SELECT id FROM tenants WHERE parent = $1 AND kind = 'holding') AND ",
                $after,
                " AND ($6 IS NULL OR p.search LIKE ('' || $6) ESCAPE '\\') AND ($7 IS NULL OR d.model = $7) ",
                "AND ($8 IS NULL OR EXISTS (SELECT 1 FROM entitlements f WHERE f.device = p.device ",
                "AND f.support_level = $8 AND f.ends_on > $2)) AND ($9 IS NULL OR p.since >= $9) ORDER BY ",
                $order,
                " LIMIT $3"
            )
        };
    }
    let partner = scope.partner()?;
    let bind = |key: Arg, id: Uuid| {
        let mut args = args![partner, today.to_string(), rows + 1];
        args.push(key);
        args.extend(args![
            id,
            filter.q.as_deref().map(like),
            filter.model.as_deref(),
            filter.support_level.map(SupportLevel::as_str),
            filter.reported_after.map(|at| at.0)
        ]);
        args
    };
    Ok(Some(match sort {
        Sort::Serial => {
            let Ok(after) = page.after::<(String, Uuid)>() else { return Ok(None) };
            let (serial, id) = after.unwrap_or_default();
            let sql = pool_sql!("(p.serial, p.device) > ($4, $5)", "p.serial, p.device");
            let items = fetch(tx, filter, sql, bind(serial.into(), id)).await?;
            Rows::cut(items, rows, |item| (item.serial.clone(), item.id))
        }
        Sort::Newest => {
            let Ok(after) = page.after::<(i64, Uuid)>() else { return Ok(None) };
            let (since, id) = after.unwrap_or((i64::MAX, Uuid::max()));
            let sql = pool_sql!("(p.since, p.device) < ($4, $5)", "p.since DESC, p.device DESC");
            let items = fetch(tx, filter, sql, bind(since.into(), id)).await?;
            Rows::cut(items, rows, |item| (item.since, item.id))
        }
    }))
}

/// With a filter it may have to search through the whole pool, without one never.
async fn fetch(tx: &mut Tx, filter: &Filter, sql: &'static str, args: Vec<Arg>) -> Result<Vec<Unassigned>> {
    if filter.is_empty() { tx.all_quick(sql, args).await } else { tx.all(sql, args).await }
}

/// How many PCs are in the pool, from the counter.
pub async fn count(tx: &mut Tx, scope: &Scope) -> Result<i64> {
    tx.number(
        "SELECT c.devices FROM tenants t JOIN tenant_counts c ON c.tenant = t.id \
         WHERE t.parent = $1 AND t.kind = 'holding'",
        args![scope.partner()?],
    )
    .await
}
