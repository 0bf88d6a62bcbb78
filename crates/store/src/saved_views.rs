//! Ways to look at the pool that a person keeps.

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::UserId;
use serde::Deserialize;
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::Result;

/// A kept way to look.
#[derive(Clone, Debug, Deserialize, sqlx::FromRow)]
pub struct SavedView {
    /// Its id.
    pub id: Uuid,
    /// What the person calls it.
    pub name: String,
    /// The query of the page's address.
    pub query: String,
}

/// What this person keeps, by name.
pub async fn list(tx: &mut Tx, scope: &Scope, user: UserId) -> Result<Vec<SavedView>> {
    tx.all_quick(
        "SELECT id, name, query FROM saved_views WHERE user_id = $1 AND partner = $2 ORDER BY name LIMIT 100",
        args![user, scope.partner()?],
    )
    .await
}

/// Keeps a way to look; the same name again is changed.
pub async fn save(tx: &mut Tx, scope: &Scope, user: UserId, view: &SavedView, at: Micros) -> Result<()> {
    tx.execute(
        "INSERT INTO saved_views (id, user_id, partner, name, query, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (user_id, name) DO UPDATE SET query = excluded.query",
        args![view.id, user, scope.partner()?, &view.name, &view.query, at],
    )
    .await?;
    Ok(())
}

/// Forgets one; whether it was there.
pub async fn forget(tx: &mut Tx, scope: &Scope, user: UserId, id: Uuid) -> Result<bool> {
    let forgotten = tx
        .execute(
            "DELETE FROM saved_views WHERE id = $1 AND user_id = $2 AND partner = $3",
            args![id, user, scope.partner()?],
        )
        .await?;
    Ok(forgotten > 0)
}
