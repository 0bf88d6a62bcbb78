//! Bearer tokens of the API, kept as hashes; each has a role, a home and an end by revocation.

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::TokenId;
use serde::Deserialize;
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::Result;
use crate::page::{Page, Rows};

/// A token, without its secret.
#[derive(Clone, Debug, Deserialize, sqlx::FromRow)]
pub struct Token {
    /// Its id.
    pub id: Uuid,
    /// What its maker calls it.
    pub name: String,
    /// The code of its role.
    pub role: String,
    /// The tenant or reporter it is for; `None` is the operator's.
    pub home: Option<Uuid>,
    /// When it was made, in microseconds.
    pub created_at: i64,
    /// When it was last used.
    pub used_at: Option<i64>,
    /// Since when it no longer opens anything.
    pub revoked_at: Option<i64>,
}

/// Adds a token.
pub async fn create(tx: &mut Tx, scope: &Scope, token: &Token, secret_hash: [u8; 32]) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "INSERT INTO tokens (id, secret_hash, name, role, home, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        args![token.id, secret_hash, &token.name, &token.role, token.home, token.created_at],
    )
    .await?;
    Ok(())
}

/// The token of this secret, unless it was revoked.
pub async fn find(tx: &mut Tx, secret_hash: [u8; 32]) -> Result<Option<Token>> {
    tx.optional_quick(
        "SELECT id, name, role, home, created_at, used_at, revoked_at FROM tokens \
         WHERE secret_hash = $1 AND revoked_at IS NULL",
        args![secret_hash],
    )
    .await
}

/// Notes that it was used.
pub async fn used(tx: &mut Tx, id: TokenId, at: Micros) -> Result<()> {
    tx.execute("UPDATE tokens SET used_at = $2 WHERE id = $1", args![id, at]).await?;
    Ok(())
}

/// Every token, newest first.
pub async fn list(tx: &mut Tx, scope: &Scope) -> Result<Vec<Token>> {
    scope.platform()?;
    tx.all(
        "SELECT id, name, role, home, created_at, used_at, revoked_at FROM tokens ORDER BY id DESC",
        args![],
    )
    .await
}

/// Tokens page by page, newest first.
pub async fn page(tx: &mut Tx, scope: &Scope, page: &Page) -> Result<Option<Rows<Token>>> {
    scope.platform()?;
    let Ok(after) = page.after::<Uuid>() else { return Ok(None) };
    let rows = page.rows();
    let items: Vec<Token> = tx
        .all(
            "SELECT id, name, role, home, created_at, used_at, revoked_at FROM tokens \
             WHERE id < $1 ORDER BY id DESC LIMIT $2",
            args![after.unwrap_or(Uuid::max()), rows + 1],
        )
        .await?;
    Ok(Some(Rows::cut(items, rows, |token| token.id)))
}

/// Takes a token's power away; whether there was one that had any.
pub async fn revoke(tx: &mut Tx, scope: &Scope, id: TokenId, at: Micros) -> Result<bool> {
    scope.platform()?;
    let revoked = tx
        .execute("UPDATE tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", args![id, at])
        .await?;
    Ok(revoked > 0)
}
