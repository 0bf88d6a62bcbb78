//! Answers to POSTs with an `Idempotency-Key`, so that a retry gets the first answer. A key is claimed before the work
//! begins, so that of several at once, on whatever node, one works.

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
    /// The HTTP status; 0 while the request is worked on.
    pub status: i64,
    /// The body.
    pub body: String,
}

/// Claims a key at `now` until `until`. `None` if it is ours now: it was free, its answer is not younger than `since`, or
/// whoever claimed it did not finish in time. Else what is known of it.
pub async fn claim(
    tx: &mut Tx,
    caller: Uuid,
    key: &str,
    request_hash: [u8; 32],
    now: Micros,
    since: Micros,
    until: Micros,
) -> Result<Option<Kept>> {
    let ours: Option<(i64,)> = tx
        .optional(
            "INSERT INTO idempotency_keys \
             (caller, idempotency_key, request_hash, status, body, created_at, claimed_until) \
             VALUES ($1, $2, $3, 0, '', $4, $6) ON CONFLICT (caller, idempotency_key) DO UPDATE SET \
             request_hash = excluded.request_hash, status = 0, body = '', created_at = excluded.created_at, \
             claimed_until = excluded.claimed_until \
             WHERE idempotency_keys.created_at <= $5 \
             OR (idempotency_keys.status = 0 AND idempotency_keys.claimed_until <= $4) RETURNING status",
            args![caller, key, request_hash, now, since, until],
        )
        .await?;
    if ours.is_some() {
        return Ok(None);
    }
    tx.optional(
        "SELECT request_hash, status, body FROM idempotency_keys WHERE caller = $1 AND idempotency_key = $2",
        args![caller, key],
    )
    .await
}

/// Keeps the answer of the claim made at `claimed_at`, if it is still ours.
pub async fn keep(
    tx: &mut Tx,
    caller: Uuid,
    key: &str,
    claimed_at: Micros,
    status: u16,
    body: &str,
) -> Result<()> {
    tx.execute(
        "UPDATE idempotency_keys SET status = $4, body = $5, claimed_until = NULL \
         WHERE caller = $1 AND idempotency_key = $2 AND status = 0 AND created_at = $3",
        args![caller, key, claimed_at, i64::from(status), body],
    )
    .await?;
    Ok(())
}

/// Gives the claim made at `claimed_at` back: nothing was done.
pub async fn release(tx: &mut Tx, caller: Uuid, key: &str, claimed_at: Micros) -> Result<()> {
    tx.execute(
        "DELETE FROM idempotency_keys \
         WHERE caller = $1 AND idempotency_key = $2 AND status = 0 AND created_at = $3",
        args![caller, key, claimed_at],
    )
    .await?;
    Ok(())
}

/// Forgets answers from before this instant.
pub async fn forget(tx: &mut Tx, before: Micros) -> Result<u64> {
    tx.execute("DELETE FROM idempotency_keys WHERE created_at <= $1", args![before]).await
}
