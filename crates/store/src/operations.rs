//! Operations: long work as its caller sees it.

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::OperationId;
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::Result;

/// Long work with progress and a result.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Operation {
    /// Its id.
    pub id: Uuid,
    /// What kind of work, as `ingest_report`.
    pub kind: String,
    /// `running`, `succeeded` or `failed`.
    pub state: String,
    /// Items done.
    pub done: i64,
    /// Items in all.
    pub total: i64,
    /// What came of it, as JSON text.
    pub result: Option<String>,
    /// When it began, in microseconds.
    pub created_at: i64,
    /// When it last got on.
    pub updated_at: i64,
}

/// Adds a running operation that belongs to `home`.
pub async fn create(
    tx: &mut Tx,
    id: OperationId,
    kind: &str,
    home: Option<Uuid>,
    total: u64,
    at: Micros,
) -> Result<()> {
    tx.execute(
        "INSERT INTO operations (id, kind, home, state, done, total, created_at, updated_at) \
         VALUES ($1, $2, $3, 'running', 0, $4, $5, $5)",
        args![id, kind, home, total, at],
    )
    .await?;
    Ok(())
}

/// Notes how far it is.
pub async fn progress(tx: &mut Tx, id: OperationId, done: u64, at: Micros) -> Result<()> {
    tx.execute("UPDATE operations SET done = $2, updated_at = $3 WHERE id = $1", args![id, done, at]).await?;
    Ok(())
}

/// Ends it, well or badly, with a result as JSON text. One that has ended stays as it is.
pub async fn end(tx: &mut Tx, id: OperationId, succeeded: bool, result: &str, at: Micros) -> Result<()> {
    let state = if succeeded { "succeeded" } else { "failed" };
    tx.execute(
        "UPDATE operations SET state = $2, result = $3, updated_at = $4 WHERE id = $1 AND state = 'running'",
        args![id, state, result, at],
    )
    .await?;
    Ok(())
}

/// The operation, if this scope reaches it.
pub async fn get(tx: &mut Tx, scope: &Scope, id: OperationId) -> Result<Option<Operation>> {
    tx.optional(
        "SELECT id, kind, state, done, total, result, created_at, updated_at FROM operations \
         WHERE id = $1 AND ($2 OR home = $3)",
        args![id, scope.platform().is_ok(), scope.home()],
    )
    .await
}

/// Puts a failed operation back to running.
pub async fn retry(tx: &mut Tx, id: OperationId, at: Micros) -> Result<()> {
    tx.execute(
        "UPDATE operations SET state = 'running', result = NULL, updated_at = $2 WHERE id = $1 AND state = 'failed'",
        args![id, at],
    )
    .await?;
    Ok(())
}
