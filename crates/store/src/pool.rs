//! The pool of a partner: what the page Unassigned Devices lists.

use jiff::civil::Date;
use roadstead_domain::access::Scope;
use roadstead_domain::ids::TenantId;
use serde::Deserialize;
use uuid::Uuid;

use crate::args;
use crate::engine::{Kind, Tx};
use crate::error::Result;
use crate::lines::order_in;
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
    /// The report that says so.
    pub report: Option<Uuid>,
    /// Who reported it; `None` where only the report was asked for ([`Reporters::ByReport`]).
    pub reporter_name: Option<String>,
    /// The cells of the sale that no column says, as JSON text.
    pub received: Option<String>,
}

impl Unassigned {
    /// The order, as the sale names it; empty if it names none.
    pub fn order(&self) -> String {
        order_in(self.received.as_deref())
    }
}

/// How a page says who reported its PCs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reporters {
    /// By name.
    ByName,
    /// By the report alone, for whoever knows the names by report: two look-ups less a PC.
    ByReport,
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

/// What a PC of the pool is found by, or (without `search`) that it left.
#[derive(Clone, Debug, Deserialize, sqlx::FromRow)]
pub struct Entry {
    /// The PC's id.
    pub id: Uuid,
    /// Its serial.
    pub serial: String,
    /// The lines of [`search_text`].
    pub search: Option<String>,
    /// When it came into the pool, in microseconds.
    pub since: Option<i64>,
    /// Who reported it.
    pub reporter: Option<Uuid>,
    /// The first day on which it is no longer entitled to Premium.
    pub premium_until: Option<String>,
    /// The first day on which it is no longer entitled to Premium+.
    pub premium_plus_until: Option<String>,
}

/// What lists search in, for the writer of placements: serial, product, model, end customer, invoice and order, a line
/// each.
pub fn search_text(parts: &[&str]) -> String {
    let line = |part: &&str| part.replace(['\n', '\r'], " ").to_lowercase();
    parts.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The end customer in such a text, in lower case; `None` for a PC that was never sold.
pub(crate) fn searched_end_customer(search: &str) -> Option<&str> {
    search.split('\n').nth(3).filter(|name| !name.is_empty())
}

/// `%needle%` with the needle's own wildcards made harmless.
pub(crate) fn like(needle: &str) -> String {
    let needle: String = needle.trim().to_lowercase().chars().take(200).collect();
    format!("%{}%", needle.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

/// The columns and joins of [`Unassigned`]; the caller names the placements `p` first. A page takes its rows of
/// `placements` before it joins, so that however little is known of the tables, no more than those are joined.
macro_rules! unassigned_sql {
    ($from:literal, $order:literal) => {
        concat!(
            "SELECT d.id, p.serial, d.product_number, d.model, (SELECT MAX(e.support_level) FROM entitlements e ",
            "WHERE e.device = p.device AND e.ends_on > $2) AS support_level, p.since, l.buyer_name, l.invoice, ",
            "l.sold_on, l.report, n.name AS reporter_name, l.received FROM ",
            $from,
            " JOIN devices d ON d.id = p.device ",
            "LEFT JOIN report_lines l ON l.report = p.report AND l.line = p.line ",
            "LEFT JOIN reports r ON r.id = p.report LEFT JOIN reporters n ON n.id = r.reporter",
            $order
        )
    };
}

/// A page of the whole pool, by the view with one wall (docs/decisions/0037, 0050): for SQLite and for PostgreSQL, of each with
/// the reporters' names and without. SQLite takes the highest level from the index, with one look-up a PC.
macro_rules! page_sql {
    ($level:literal, $reporter:literal, $rest:literal) => {
        concat!(
            "SELECT o.id, o.serial, o.product_number, o.model, ",
            $level,
            " AS support_level, o.since, o.buyer_name, o.invoice, o.sold_on, o.report, ",
            $reporter,
            " AS reporter_name, o.received FROM own_pool o ",
            "WHERE o.tenant = (SELECT id FROM own_tenants WHERE parent = $1 AND kind = 'holding') AND ",
            $rest
        )
    };
    ($level:literal, $rest:literal) => {
        [page_sql!($level, "o.reporter_name", $rest), page_sql!($level, "CAST(NULL AS TEXT)", $rest)]
    };
    ($rest:literal) => {
        [
            page_sql!(
                "(SELECT e.support_level FROM entitlements e WHERE e.device = o.id AND e.ends_on > $2 \
                 ORDER BY e.support_level DESC LIMIT 1)",
                $rest
            ),
            page_sql!(
                "CASE WHEN o.premium_plus_until > $2 THEN 'premium_plus' WHEN o.premium_until > $2 THEN 'premium' END",
                $rest
            ),
        ]
    };
}

/// A page of the whole pool. `None` for a cursor that is none. Empty while the partner has no pool.
pub async fn list(
    tx: &mut Tx,
    scope: &Scope,
    sort: Sort,
    page: &Page,
    today: Date,
    reporters: Reporters,
) -> Result<Option<Rows<Unassigned>>> {
    let rows = page.rows();
    let kind = tx.kind();
    let of = |[sqlite, postgres]: [[&'static str; 2]; 2]| {
        let [by_name, by_report] = if kind == Kind::Sqlite { sqlite } else { postgres };
        match reporters {
            Reporters::ByName => by_name,
            Reporters::ByReport => by_report,
        }
    };
    let mut bind = args![scope.partner()?, today.to_string(), rows + 1];
    Ok(Some(match sort {
        Sort::Serial => {
            let Ok(after) = page.after::<(String, Uuid)>() else { return Ok(None) };
            let (serial, id) = after.unwrap_or_default();
            bind.extend(args![serial, id]);
            let sql = of(page_sql!("(o.serial, o.id) > ($4, $5) ORDER BY o.serial, o.id LIMIT $3"));
            Rows::cut(tx.all_quick(sql, bind).await?, rows, |item: &Unassigned| {
                (item.serial.clone(), item.id)
            })
        }
        Sort::Newest => {
            let Ok(after) = page.after::<(i64, Uuid)>() else { return Ok(None) };
            let (since, id) = after.unwrap_or((i64::MAX, Uuid::max()));
            bind.extend(args![since, id]);
            let sql = of(page_sql!("(o.since, o.id) < ($4, $5) ORDER BY o.since DESC, o.id DESC LIMIT $3"));
            Rows::cut(tx.all_quick(sql, bind).await?, rows, |item: &Unassigned| (item.since, item.id))
        }
    }))
}

/// The PCs of the pool with these serials, in no order; two of different manufacturers may share one.
pub async fn with_serials(
    tx: &mut Tx,
    scope: &Scope,
    serials: &[&str],
    today: Date,
) -> Result<Vec<Unassigned>> {
    let sql = unassigned_sql!(
        "<set> s CROSS JOIN placements p",
        " WHERE p.serial = s.value AND p.tenant = (SELECT id FROM tenants WHERE parent = $1 AND kind = 'holding')"
    );
    tx.all_of_set(sql, args![scope.partner()?, today.to_string()], serials).await
}

/// What tells one state of a pool from another: the number of the partner's last move, and how often something else
/// of its PCs was changed.
pub async fn state(tx: &mut Tx, scope: &Scope) -> Result<(i64, i64)> {
    let partner = scope.partner()?;
    let last: Option<(i64,)> = tx
        .optional_quick(
            "SELECT seq FROM placement_log WHERE partner = $1 ORDER BY seq DESC LIMIT 1",
            args![partner],
        )
        .await?;
    let revision: Option<(i64,)> = tx
        .optional_quick(
            "SELECT c.revision FROM tenants t JOIN tenant_counts c ON c.tenant = t.id \
             WHERE t.parent = $1 AND t.kind = 'holding'",
            args![partner],
        )
        .await?;
    Ok((last.map_or(0, |(seq,)| seq), revision.map_or(0, |(revision,)| revision)))
}

/// Notes that something of a tenant's PCs changed that is no move.
pub async fn revise(tx: &mut Tx, scope: &Scope, tenant: TenantId) -> Result<()> {
    scope.platform()?;
    tx.execute("UPDATE tenant_counts SET revision = revision + 1 WHERE tenant = $1", args![tenant]).await?;
    Ok(())
}

/// The columns of [`Entry`].
macro_rules! entry_sql {
    ($id:literal, $from:literal, $and:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $id,
            " p.search, p.since, r.reporter, e.ends_on AS premium_until, ",
            "f.ends_on AS premium_plus_until FROM ",
            $from,
            " p ",
            $and,
            "LEFT JOIN reports r ON r.id = p.report ",
            "LEFT JOIN entitlements e ON e.device = p.device AND e.support_level = 'premium' ",
            "LEFT JOIN entitlements f ON f.device = p.device AND f.support_level = 'premium_plus' ",
            $rest
        )
    };
}

/// Up to `limit` PCs of the pool after this serial and id, in that order.
pub async fn entries(tx: &mut Tx, scope: &Scope, after: (&str, Uuid), limit: i64) -> Result<Vec<Entry>> {
    tx.all_quick(
        entry_sql!(
            "p.device AS id, p.serial,",
            "placements",
            "",
            "WHERE p.tenant = (SELECT id FROM tenants WHERE parent = $1 AND kind = 'holding') \
             AND (p.serial, p.device) > ($2, $3) ORDER BY p.serial, p.device LIMIT $4"
        ),
        args![scope.partner()?, after.0, after.1, limit],
    )
    .await
}

/// What became of the PCs of the partner's moves after `from` up to `to`.
pub async fn moved(tx: &mut Tx, scope: &Scope, from: i64, to: i64) -> Result<Vec<Entry>> {
    tx.all(
        entry_sql!(
            "m.device AS id, m.serial,",
            "(SELECT device, MAX(serial) AS serial FROM placement_log \
             WHERE partner = $1 AND seq > $2 AND seq <= $3 GROUP BY device) m LEFT JOIN placements",
            "ON p.device = m.device AND p.tenant = (SELECT id FROM tenants WHERE parent = $1 AND kind = 'holding') ",
            ""
        ),
        args![scope.partner()?, from, to],
    )
    .await
}
