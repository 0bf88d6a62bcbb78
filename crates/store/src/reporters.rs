//! Reporters: distributors, and resellers that report themselves.

use roadstead_domain::access::{Reach, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::ReporterId;
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::Result;
use crate::page::{Page, Rows};
use crate::partners::number_key;

/// Who sends sell-through reports.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Reporter {
    /// Its id.
    pub id: Uuid,
    /// Its number.
    pub number: String,
    /// Its name.
    pub name: String,
    /// `distributor` or `reseller`.
    pub kind: String,
    /// The only seller that it may report for, upper case; a distributor reports for every one.
    pub only_seller: Option<String>,
    /// When it was added, in microseconds.
    pub created_at: i64,
}

/// Adds a reporter. A number that is taken is [`crate::Error::Conflict`].
pub async fn create(tx: &mut Tx, scope: &Scope, reporter: &Reporter) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "INSERT INTO reporters (id, number, number_key, name, kind, only_seller, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        args![
            reporter.id,
            reporter.number.trim(),
            number_key(&reporter.number),
            &reporter.name,
            &reporter.kind,
            reporter.only_seller.as_deref(),
            Micros(reporter.created_at)
        ],
    )
    .await?;
    Ok(())
}

/// The reporter with this id or number, if the scope reaches it.
pub async fn find(tx: &mut Tx, scope: &Scope, id_or_number: &str) -> Result<Option<Reporter>> {
    let own = scope.reports_of()?;
    tx.optional(
        "SELECT id, number, name, kind, only_seller, created_at FROM reporters \
         WHERE (id = $1 OR number_key = $2) AND ($3 OR id = $4)",
        args![
            id_or_number.parse::<Uuid>().ok(),
            number_key(id_or_number),
            matches!(scope.reach(), Reach::Platform),
            own
        ],
    )
    .await
}

/// The reporter with this id, if the scope reaches it.
pub async fn get(tx: &mut Tx, scope: &Scope, id: ReporterId) -> Result<Option<Reporter>> {
    find(tx, scope, &id.to_string()).await
}

/// Every reporter, in the order in which they were added. `None` for a cursor that is none.
pub async fn list(tx: &mut Tx, scope: &Scope, page: &Page) -> Result<Option<Rows<Reporter>>> {
    scope.platform()?;
    let Ok(after) = page.after::<Uuid>() else { return Ok(None) };
    let rows = page.rows();
    let items: Vec<Reporter> = tx
        .all(
            "SELECT id, number, name, kind, only_seller, created_at FROM reporters \
             WHERE id > $1 ORDER BY id LIMIT $2",
            args![after.unwrap_or_default(), rows + 1],
        )
        .await?;
    Ok(Some(Rows::cut(items, rows, |reporter| reporter.id)))
}

/// When its last report came, in microseconds.
pub async fn last_report(tx: &mut Tx, scope: &Scope, id: ReporterId) -> Result<Option<i64>> {
    scope.platform()?;
    let last: Option<(i64,)> = tx
        .optional("SELECT received_at FROM reports WHERE reporter = $1 ORDER BY id DESC LIMIT 1", args![id])
        .await?;
    Ok(last.map(|(at,)| at))
}
