//! What a reporter calls its columns.

use roadstead_domain::access::Scope;
use roadstead_domain::ids::ReporterId;

use crate::args;
use crate::bulk::Bulk;
use crate::engine::Tx;
use crate::error::{Error, Result};

/// A column that a reporter has named.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OwnHeader {
    /// The header in one spelling.
    pub header: String,
    /// The header as it was seen.
    pub shown: String,
    /// The field's stable name; `None` for a column that is not read.
    pub field: Option<String>,
}

fn reaches(scope: &Scope, reporter: ReporterId) -> Result<()> {
    match scope.reports_of()? {
        Some(own) if own != reporter => Err(Error::Denied(roadstead_domain::access::Denied::NotFound)),
        _ => Ok(()),
    }
}

/// The columns that a reporter has named.
pub async fn list(tx: &mut Tx, scope: &Scope, reporter: ReporterId) -> Result<Vec<OwnHeader>> {
    reaches(scope, reporter)?;
    tx.all(
        "SELECT header, shown, field FROM own_headers WHERE reporter = $1 ORDER BY header",
        args![reporter],
    )
    .await
}

/// Names the columns of a reporter anew.
pub async fn replace(tx: &mut Tx, scope: &Scope, reporter: ReporterId, headers: &[OwnHeader]) -> Result<()> {
    reaches(scope, reporter)?;
    tx.execute("DELETE FROM own_headers WHERE reporter = $1", args![reporter]).await?;
    let mut bulk = Bulk::new("INSERT INTO own_headers (reporter, header, shown, field)", 4, "");
    for own in headers {
        bulk.push(tx, args![reporter, &own.header, &own.shown, own.field.as_deref()]).await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}
