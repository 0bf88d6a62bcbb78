//! Signed-in browsers. The cookie's secret is kept as its hash alone.

use roadstead_domain::clock::Micros;
use roadstead_domain::ids::{SessionId, UserId};
use serde::Deserialize;
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::Result;

/// A session with its user.
#[derive(Clone, Debug, Deserialize, sqlx::FromRow)]
pub struct Session {
    /// Its id.
    pub id: Uuid,
    /// The secret that forms carry.
    pub csrf: String,
    /// When it was last used, in microseconds.
    pub seen_at: i64,
    /// When it ends whatever happens.
    pub expires_at: i64,
    /// Whose it is.
    pub user_id: Uuid,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// The code of their role.
    pub role: String,
    /// Where they belong.
    pub home: Option<Uuid>,
    /// The language they chose.
    pub language: Option<String>,
}

/// Opens a session.
pub async fn create(
    tx: &mut Tx,
    id: SessionId,
    secret_hash: [u8; 32],
    user: UserId,
    csrf: &str,
    at: Micros,
    expires_at: Micros,
) -> Result<()> {
    tx.execute(
        "INSERT INTO sessions (id, secret_hash, user_id, csrf, created_at, seen_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $5, $6)",
        args![id, secret_hash, user, csrf, at, expires_at],
    )
    .await?;
    Ok(())
}

/// The session of this secret, unless it has ended: by its end, by `idle_since`, or with its user.
pub async fn find(
    tx: &mut Tx,
    secret_hash: [u8; 32],
    now: Micros,
    idle_since: Micros,
) -> Result<Option<Session>> {
    tx.optional_quick(
        "SELECT s.id, s.csrf, s.seen_at, s.expires_at, s.user_id, u.name, u.email, u.role, u.home, u.language \
         FROM sessions s JOIN users u ON u.id = s.user_id \
         WHERE s.secret_hash = $1 AND s.expires_at > $2 AND s.seen_at > $3 AND u.deactivated_at IS NULL",
        args![secret_hash, now, idle_since],
    )
    .await
}

/// Notes that it is in use.
pub async fn seen(tx: &mut Tx, id: SessionId, at: Micros) -> Result<()> {
    tx.execute("UPDATE sessions SET seen_at = $2 WHERE id = $1", args![id, at]).await?;
    Ok(())
}

/// Ends it.
pub async fn end(tx: &mut Tx, id: SessionId) -> Result<()> {
    tx.execute("DELETE FROM sessions WHERE id = $1", args![id]).await?;
    Ok(())
}

/// Forgets sessions that ended before now.
pub async fn forget_ended(tx: &mut Tx, now: Micros) -> Result<u64> {
    tx.execute("DELETE FROM sessions WHERE expires_at <= $1", args![now]).await
}
