//! Who failed how often, for every node alike. A key is a hash: no list of addresses is kept.

use roadstead_domain::clock::Micros;
use roadstead_domain::throttle::{Counted, FORGOTTEN_AFTER};

use crate::args;
use crate::engine::Tx;
use crate::error::Result;

/// Counts a try as failed before it is made, so that many at once are as slow as one after the other. Until when to wait,
/// if it may not be made; the transaction is then to be dropped.
pub async fn count(tx: &mut Tx, counted: Counted, key: [u8; 32], now: Micros) -> Result<Option<Micros>> {
    let begin_anew = now.plus_seconds(-FORGOTTEN_AFTER);
    let row: Option<(i64,)> = tx
        .optional(
            "INSERT INTO throttles (hashed, failures, paused_until, tried_at) VALUES ($1, 1, 0, $2) \
             ON CONFLICT (hashed) DO UPDATE SET tried_at = excluded.tried_at, \
             failures = CASE WHEN throttles.tried_at < $3 THEN 1 ELSE throttles.failures + 1 END \
             WHERE throttles.paused_until <= $2 RETURNING failures",
            args![key, now, begin_anew],
        )
        .await?;
    let Some((failures,)) = row else {
        let until = tx.number("SELECT paused_until FROM throttles WHERE hashed = $1", args![key]).await?;
        return Ok(Some(Micros(until)));
    };
    let pause = counted.pause(failures);
    if pause > 0 {
        tx.execute(
            "UPDATE throttles SET paused_until = $2 WHERE hashed = $1",
            args![key, now.plus_seconds(pause)],
        )
        .await?;
    }
    Ok(None)
}

/// The try succeeded after all: what was counted for this key is forgotten.
pub async fn clear(tx: &mut Tx, key: [u8; 32]) -> Result<()> {
    tx.execute("DELETE FROM throttles WHERE hashed = $1", args![key]).await?;
    Ok(())
}

/// The try succeeded after all: it alone is taken back, since others' failures are counted under the same key.
pub async fn take_back(tx: &mut Tx, key: [u8; 32]) -> Result<()> {
    tx.execute(
        "UPDATE throttles SET failures = failures - 1, paused_until = 0 WHERE hashed = $1 AND failures > 0",
        args![key],
    )
    .await?;
    Ok(())
}

/// Forgets who has done nothing since this instant.
pub async fn forget(tx: &mut Tx, before: Micros) -> Result<u64> {
    tx.execute("DELETE FROM throttles WHERE tried_at <= $1", args![before]).await
}
