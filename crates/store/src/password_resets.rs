//! Links that let a person choose a new password. A link works once, since taking it deletes it.

use roadstead_domain::clock::Micros;
use roadstead_domain::ids::UserId;
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::Result;

/// Adds a link.
pub async fn create(tx: &mut Tx, secret_hash: [u8; 32], user: UserId, ends_at: Micros) -> Result<()> {
    tx.execute(
        "INSERT INTO password_resets (secret_hash, user_id, ends_at) VALUES ($1, $2, $3)",
        args![secret_hash, user, ends_at],
    )
    .await?;
    Ok(())
}

/// Whom the link of this secret is for, if they may sign in.
pub async fn find(tx: &mut Tx, secret_hash: [u8; 32], now: Micros) -> Result<Option<UserId>> {
    let row: Option<(Uuid,)> = tx
        .optional(
            "SELECT u.id FROM password_resets r JOIN users u ON u.id = r.user_id \
             WHERE r.secret_hash = $1 AND r.ends_at > $2 AND u.deactivated_at IS NULL",
            args![secret_hash, now],
        )
        .await?;
    Ok(row.map(|(id,)| UserId(id)))
}

/// Uses the link of this secret up. Of several that try, on whatever node, one gets it.
pub async fn take(tx: &mut Tx, secret_hash: [u8; 32], now: Micros) -> Result<Option<UserId>> {
    let row: Option<(Uuid,)> = tx
        .optional(
            "DELETE FROM password_resets WHERE secret_hash = $1 AND ends_at > $2 RETURNING user_id",
            args![secret_hash, now],
        )
        .await?;
    Ok(row.map(|(id,)| UserId(id)))
}

/// Takes every link of a person away.
pub async fn forget_of(tx: &mut Tx, user: UserId) -> Result<u64> {
    tx.execute("DELETE FROM password_resets WHERE user_id = $1", args![user]).await
}

/// Forgets links that ended before this instant.
pub async fn forget(tx: &mut Tx, before: Micros) -> Result<u64> {
    tx.execute("DELETE FROM password_resets WHERE ends_at <= $1", args![before]).await
}
