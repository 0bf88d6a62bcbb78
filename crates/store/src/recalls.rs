//! Recall lists, and the PCs that they may be about.

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Ambient;
use roadstead_domain::recall::{Part, Range};
use uuid::Uuid;

use crate::args;
use crate::bulk::Bulk;
use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::page::{Page, Rows};

/// A list.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct List {
    /// Its number, as the maker or the operator calls it.
    pub number: String,
    /// The code of its [`Part`].
    pub part: String,
    /// Where it is written that these PCs are called back.
    pub source: String,
    /// How many ranges it has.
    pub ranges: i64,
    /// How many alerts of it are open.
    pub alerts: i64,
    /// When it was last changed, in microseconds.
    pub changed_at: i64,
}

/// Every list, by number.
pub async fn lists(tx: &mut Tx, scope: &Scope) -> Result<Vec<List>> {
    scope.platform()?;
    tx.all(
        "SELECT l.number, l.part, l.source, (SELECT COUNT(*) FROM recall_ranges g WHERE g.list = l.number) AS ranges, \
         (SELECT COUNT(*) FROM alerts a WHERE a.cause = l.number AND a.state <> 'closed' AND a.source = 'platform' \
         AND a.kind IN ('battery.recall', 'hardware.recall')) AS alerts, l.changed_at FROM recall_lists l \
         ORDER BY l.number",
        args![],
    )
    .await
}

#[derive(sqlx::FromRow)]
struct RangeRow {
    id: Uuid,
    list: String,
    product_number: String,
    model: String,
    serial_from: String,
    serial_to: String,
}

impl RangeRow {
    fn range(self) -> Range {
        let Self { product_number, model, serial_from, serial_to, .. } = self;
        Range { product_number, model, serial_from, serial_to }
    }
}

/// Every range, with the number of its list.
pub async fn ranges(tx: &mut Tx, scope: &Scope) -> Result<Vec<(String, Range)>> {
    scope.platform()?;
    let rows: Vec<RangeRow> = tx
        .all(
            "SELECT id, list, product_number, model, serial_from, serial_to FROM recall_ranges ORDER BY list, id",
            args![],
        )
        .await?;
    Ok(rows.into_iter().map(|row| (row.list.clone(), row.range())).collect())
}

/// The ranges of a list, in the order of its table.
pub async fn ranges_of(tx: &mut Tx, scope: &Scope, list: &str, page: &Page) -> Result<Option<Rows<Range>>> {
    scope.platform()?;
    let Ok(after) = page.after::<Uuid>() else { return Ok(None) };
    let rows = page.rows();
    let items: Vec<RangeRow> = tx
        .all(
            "SELECT id, list, product_number, model, serial_from, serial_to FROM recall_ranges \
             WHERE list = $1 AND id > $2 ORDER BY id LIMIT $3",
            args![list, after.unwrap_or(Uuid::nil()), rows + 1],
        )
        .await?;
    Ok(Some(Rows::cut(items, rows, |row| row.id).map(RangeRow::range)))
}

/// A list's part, if there is the list.
pub async fn part_of(tx: &mut Tx, scope: &Scope, list: &str) -> Result<Option<Part>> {
    scope.platform()?;
    let row: Option<(String,)> =
        tx.optional("SELECT part FROM recall_lists WHERE number = $1", args![list]).await?;
    row.map(|(code,)| Part::read(&code).ok_or_else(|| Error::bad("recall_lists", &code))).transpose()
}

/// Writes a list anew: from now on these are its ranges.
pub async fn replace(
    tx: &mut Tx,
    scope: &Scope,
    number: &str,
    (part, source): (Part, &str),
    ranges: &[&Range],
    ambient: &Ambient,
) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "INSERT INTO recall_lists (number, part, source, changed_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (number) DO UPDATE SET part = excluded.part, source = excluded.source, \
         changed_at = excluded.changed_at",
        args![number, part.as_str(), source, ambient.now()],
    )
    .await?;
    tx.execute("DELETE FROM recall_ranges WHERE list = $1", args![number]).await?;
    let mut bulk = Bulk::new(
        "INSERT INTO recall_ranges (id, list, product_number, model, serial_from, serial_to)",
        6,
        "",
    );
    for (range, id) in ranges.iter().zip(ambient.ids::<Uuid>(ranges.len())) {
        let Range { product_number, model, serial_from, serial_to } = range;
        bulk.push(tx, args![id, number, product_number, model, serial_from, serial_to]).await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}

/// Forgets a list; whether there was one.
pub async fn remove(tx: &mut Tx, scope: &Scope, number: &str) -> Result<bool> {
    scope.platform()?;
    tx.execute("DELETE FROM recall_ranges WHERE list = $1", args![number]).await?;
    Ok(tx.execute("DELETE FROM recall_lists WHERE number = $1", args![number]).await? > 0)
}

/// Whether there is any list, or an alert of one that is gone.
pub async fn any(tx: &mut Tx, scope: &Scope) -> Result<bool> {
    scope.platform()?;
    let lists = tx.number("SELECT COUNT(*) FROM recall_lists", args![]).await?;
    if lists > 0 {
        return Ok(true);
    }
    let alert: Option<(Uuid,)> = tx
        .optional(
            "SELECT a.device FROM alerts a WHERE a.state <> 'closed' AND a.source = 'platform' \
             AND a.kind IN ('battery.recall', 'hardware.recall') LIMIT 1",
            args![],
        )
        .await?;
    Ok(alert.is_some())
}

/// A PC that a list may be about.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Candidate {
    /// Its id.
    pub id: Uuid,
    /// Its serial.
    pub serial: String,
    /// The product number.
    pub product_number: String,
    /// The model.
    pub model: String,
}

/// PCs in tenants after this one, by id.
pub async fn candidates(tx: &mut Tx, scope: &Scope, after: Uuid, most: i64) -> Result<Vec<Candidate>> {
    scope.platform()?;
    tx.all(
        "SELECT d.id, d.serial, d.product_number, d.model FROM devices d JOIN placements p ON p.device = d.id \
         WHERE d.id > $1 AND p.tenant IS NOT NULL ORDER BY d.id LIMIT $2",
        args![after, most],
    )
    .await
}
