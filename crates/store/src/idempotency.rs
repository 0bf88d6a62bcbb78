//! Answers to POSTs with an `Idempotency-Key`, so that a retry gets the first answer.

use roadstead_domain::clock::Micros;
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::Result;

/// A kept answer.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Kept {
    /// The hash of the request that it answers.
    pub request_hash: Vec<u8>,
    /// The HTTP status.
    pub status: i64,
    /// The body.
    pub body: String,
}

/// The answer that this caller got for this key, if it is not older than `since`.
pub async fn find(tx: &mut Tx, caller: Uuid, key: &str, since: Micros) -> Result<Option<Kept>> {
    tx.optional(
        "SELECT request_hash, status, body FROM idempotency_keys \
         WHERE caller = $1 AND idempotency_key = $2 AND created_at > $3",
        args![caller, key, since],
    )
    .await
}

/// Keeps an answer in the place of an older one.
pub async fn keep(
    tx: &mut Tx,
    caller: Uuid,
    key: &str,
    request_hash: [u8; 32],
    status: u16,
    body: &str,
    at: Micros,
) -> Result<()> {
    tx.execute(
        "INSERT INTO idempotency_keys (caller, idempotency_key, request_hash, status, body, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (caller, idempotency_key) DO UPDATE SET \
         request_hash = excluded.request_hash, status = excluded.status, body = excluded.body, \
         created_at = excluded.created_at",
        args![caller, key, request_hash, i64::from(status), body, at],
    )
    .await?;
    Ok(())
}

/// Forgets answers from before this instant.
pub async fn forget(tx: &mut Tx, before: Micros) -> Result<u64> {
    tx.execute("DELETE FROM idempotency_keys WHERE created_at <= $1", args![before]).await
}
