//! Accepting an invitation: the link becomes an account and a session.

use roadstead_domain::access::{self, Actor, Role};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::ids::UserId;
use roadstead_domain::user::check_password;
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::customers;
use roadstead_store::invitations::{self, Invitation};
use roadstead_store::users::{self, User};

use super::invite::Organisation;
use super::sign_in::{self, Visit};
use super::{Refused, invite, tokens};
use crate::app::App;

/// What a link stands for, for whoever holds it.
pub async fn find(app: &App, secret: &str) -> Result<Option<(Invitation, Organisation)>, Refused> {
    let scope = access::system();
    let mut tx = app.store.read(&scope).await?;
    let Some(found) = invitations::find(&mut tx, tokens::hash(secret), app.ambient.now()).await? else {
        return Ok(None);
    };
    let whose = found.home.map(|home| home.to_string());
    let organisation = invite::organisation(&mut tx, &scope, whose.as_deref(), Some(&found.role)).await?;
    Ok(Some((found, organisation)))
}

/// Makes the account and signs in: the new session's secret.
pub async fn accept(
    app: &App,
    secret: &str,
    name: &str,
    password: &str,
    visit: &Visit,
) -> Result<String, Refused> {
    let scope = access::system();
    let mut tx = app.store.read(&scope).await?;
    let known = invitations::find(&mut tx, tokens::hash(secret), app.ambient.now()).await?;
    drop(tx);
    let known = known.ok_or(Refused::LinkSpent)?;
    super::filled("name", name.trim())?;
    check_password(password, &known.email).map_err(|code| Refused::invalid(code, "password"))?;
    let password_hash = super::users::hash_password(app, password).await?;

    let mut tx = app.store.write(&scope).await?;
    // Whoever comes second, on whatever node, finds it gone.
    let taken = invitations::take(&mut tx, tokens::hash(secret), app.ambient.now()).await?;
    let taken = taken.ok_or(Refused::LinkSpent)?;
    // An address signs in to one account; the mailbox's owner may know that there is one.
    let has_account = Refused::Conflict("invitation.address_has_account");
    if users::exists(&mut tx, &scope, &taken.email).await? {
        return Err(has_account);
    }
    if Role::from_code(&taken.role).is_none() {
        return Err(Refused::LinkSpent);
    }
    let id: UserId = app.ambient.id();
    let user = User {
        id: id.0,
        email: taken.email.clone(),
        name: name.trim().to_owned(),
        password_hash,
        role: taken.role.clone(),
        home: taken.home,
        language: Some(taken.language.clone()),
        created_at: app.ambient.now().0,
        deactivated_at: None,
    };
    users::create(&mut tx, &scope, &user).await.map_err(|error| match Refused::taken(error, "email") {
        Refused::Taken { .. } => has_account,
        other => other,
    })?;
    if let Some(home) = taken.home
        && taken.role == Role::ItAdmin.as_str()
    {
        customers::admin_joined(&mut tx, &scope, home).await?;
    }
    let entry = NewEntry {
        home: taken.home,
        action: AuditAction::UserCreated,
        subject: Some(id.0),
        detail: serde_json::json!({ "email": taken.email, "role": taken.role, "invitation": taken.id }),
    };
    audit::record(&mut tx, Actor::User(id), &[entry], &app.ambient).await?;
    let session = sign_in::open(&mut tx, app, id, visit).await?;
    tx.commit().await?;
    app.wake();
    Ok(session)
}
