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
    /// The time zone they chose.
    pub time_zone: Option<String>,
    /// How they want dates written.
    pub date_format: Option<String>,
}

/// A session on its way in.
#[derive(Clone, Debug)]
pub struct New<'a> {
    /// Its id.
    pub id: SessionId,
    /// The hash of the cookie's secret.
    pub secret_hash: [u8; 32],
    /// Whose it is.
    pub user: UserId,
    /// The secret that forms carry.
    pub csrf: &'a str,
    /// Now.
    pub at: Micros,
    /// When it ends whatever happens.
    pub expires_at: Micros,
    /// The network address that it was opened from.
    pub address: Option<String>,
    /// What the browser says it is.
    pub user_agent: Option<&'a str>,
}

/// Opens a session.
pub async fn create(tx: &mut Tx, new: New<'_>) -> Result<()> {
    tx.execute(
        "INSERT INTO sessions \
         (id, secret_hash, user_id, csrf, created_at, seen_at, expires_at, address, user_agent) \
         VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8)",
        args![
            new.id,
            new.secret_hash,
            new.user,
            new.csrf,
            new.at,
            new.expires_at,
            new.address,
            new.user_agent
        ],
    )
    .await?;
    Ok(())
}

/// A session as its owner sees it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Listed {
    /// Its id.
    pub id: Uuid,
    /// When it was opened, in microseconds.
    pub created_at: i64,
    /// When it was last used, to the minute.
    pub seen_at: i64,
    /// When it ends whatever happens.
    pub expires_at: i64,
    /// The network address that it was opened from.
    pub address: Option<String>,
    /// What the browser said it was.
    pub user_agent: Option<String>,
}

/// A person's own sessions that have not ended, newest first.
pub async fn of_user(tx: &mut Tx, user: UserId, now: Micros, idle_since: Micros) -> Result<Vec<Listed>> {
    tx.all(
        "SELECT id, created_at, seen_at, expires_at, address, user_agent FROM sessions \
         WHERE user_id = $1 AND expires_at > $2 AND seen_at > $3 ORDER BY created_at DESC LIMIT 200",
        args![user, now, idle_since],
    )
    .await
}

/// Ends one of a person's own sessions; whether there was one.
pub async fn end_of_user(tx: &mut Tx, user: UserId, id: SessionId) -> Result<bool> {
    Ok(tx.execute("DELETE FROM sessions WHERE id = $1 AND user_id = $2", args![id, user]).await? > 0)
}

/// Ends every session of a person but one.
pub async fn end_all_of_user(tx: &mut Tx, user: UserId, but: Option<SessionId>) -> Result<u64> {
    let but = but.map_or(Uuid::nil(), |id| id.0);
    tx.execute("DELETE FROM sessions WHERE user_id = $1 AND id <> $2", args![user, but]).await
}

/// The session of this secret, unless it has ended: by its end, by `idle_since`, or with its user.
pub async fn find(
    tx: &mut Tx,
    secret_hash: [u8; 32],
    now: Micros,
    idle_since: Micros,
) -> Result<Option<Session>> {
    tx.optional_quick(
        "SELECT s.id, s.csrf, s.seen_at, s.expires_at, s.user_id, u.name, u.email, u.role, u.home, u.language, \
         u.time_zone, u.date_format \
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
