//! Ways to look at a list that a person keeps under a name.

use roadstead_domain::access::{Actor, Scope};
use roadstead_store::saved_views::{self, SavedView};
use uuid::Uuid;

use super::Refused;
use crate::app::App;

/// The most that a person keeps.
const MOST: usize = 50;

/// Keeps the query of an address; a name that is there gets the new query.
pub async fn save(app: &App, scope: &Scope, name: &str, query: &str) -> Result<(), Refused> {
    let Actor::User(user) = scope.actor() else { return Err(Refused::invalid("field.not_allowed", "name")) };
    let name = name.trim();
    super::filled("name", name)?;
    if query.len() > 2000 {
        return Err(Refused::invalid("field.too_long", "query"));
    }
    let mut tx = app.store.write(scope).await?;
    let there = saved_views::list(&mut tx, scope, user).await?;
    if there.len() >= MOST && there.iter().all(|view| view.name != name) {
        return Err(Refused::invalid("saved_view.too_many", "name"));
    }
    let view = SavedView { id: app.ambient.id(), name: name.to_owned(), query: query.to_owned() };
    saved_views::save(&mut tx, scope, user, &view, app.ambient.now()).await?;
    tx.commit().await?;
    Ok(())
}

/// Forgets one; one that is not the person's own is not there.
pub async fn forget(app: &App, scope: &Scope, id: Uuid) -> Result<(), Refused> {
    let not_found = roadstead_domain::access::Denied::NotFound;
    let Actor::User(user) = scope.actor() else { return Err(not_found.into()) };
    let mut tx = app.store.write(scope).await?;
    if !saved_views::forget(&mut tx, scope, user, id).await? {
        return Err(not_found.into());
    }
    tx.commit().await?;
    Ok(())
}
