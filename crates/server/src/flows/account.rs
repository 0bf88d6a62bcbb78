//! One's own account: profile, password, sessions.

use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use roadstead_domain::access::{self, Actor, Denied, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::ids::{SessionId, UserId};
use roadstead_domain::throttle::Counted;
use roadstead_domain::user::check_password;
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::sessions::{self, Listed};
use roadstead_store::users::{self, Profile};

use super::sign_in::IDLE_SECONDS;
use super::throttle::{self, Key};
use super::{Refused, users as people};
use crate::app::App;
use crate::i18n::{DateFormat, Lang, zone_named};

/// The person who acts; a token has no account.
pub fn person(scope: &Scope) -> Result<UserId, Denied> {
    match scope.actor() {
        Actor::User(id) => Ok(id),
        Actor::Token(_) | Actor::Device(_) | Actor::OutsideDesk(_) | Actor::System => Err(Denied::NotFound),
    }
}

/// What the person has set.
pub async fn profile(app: &App, scope: &Scope) -> Result<Profile, Refused> {
    let user = person(scope)?;
    let mut tx = app.store.read(&access::system()).await?;
    Ok(users::profile(&mut tx, user).await?.ok_or(Denied::NotFound)?)
}

/// Sets it anew.
pub async fn set_profile(app: &App, scope: &Scope, profile: &Profile) -> Result<(), Refused> {
    let user = person(scope)?;
    super::filled("name", profile.name.trim())?;
    let unknown = |field| Refused::invalid("field.unknown_value", field);
    if profile.language.as_deref().is_some_and(|code| Lang::from_code(code).is_none()) {
        return Err(unknown("language"));
    }
    if profile.time_zone.as_deref().is_some_and(|name| zone_named(name).is_none()) {
        return Err(unknown("time_zone"));
    }
    if profile.date_format.as_deref().is_some_and(|code| DateFormat::from_code(code).is_none()) {
        return Err(unknown("date_format"));
    }
    let profile = Profile { name: profile.name.trim().to_owned(), ..profile.clone() };
    // By the platform's scope, bound to the person's own id.
    let mut tx = app.store.write(&access::system()).await?;
    users::set_profile(&mut tx, user, &profile).await?;
    record(&mut tx, app, scope, AuditAction::ProfileChanged, serde_json::json!({})).await?;
    tx.commit().await?;
    Ok(())
}

async fn record(
    tx: &mut roadstead_store::Tx,
    app: &App,
    scope: &Scope,
    action: AuditAction,
    detail: serde_json::Value,
) -> Result<(), Refused> {
    let subject = person(scope)?;
    let entry = NewEntry { home: scope.home(), action, subject: Some(subject.0), detail };
    Ok(audit::record(tx, scope.actor(), &[entry], &app.ambient).await?)
}

/// Sets a new password for somebody who knows the present one, and ends every other session.
pub async fn change_password(
    app: &App,
    scope: &Scope,
    email: &str,
    present: &str,
    new: &str,
    session: Option<SessionId>,
) -> Result<(), Refused> {
    let user = person(scope)?;
    check_password(new, email).map_err(|code| Refused::invalid(code, "password"))?;
    let mut tx = app.store.read(&access::system()).await?;
    let hash = users::password_hash(&mut tx, user).await?.ok_or(Denied::NotFound)?;
    drop(tx);
    // Who found an open browser guesses as slowly as anybody.
    let key = Key { counted: Counted::SignInOfAccount, account: Some(email), from: None };
    throttle::count(app, &[key]).await?;
    let (present, known) = (present.to_owned(), hash.clone());
    let fits = people::hashing(app, move || {
        PasswordHash::new(&known)
            .is_ok_and(|hash| Argon2::default().verify_password(present.as_bytes(), &hash).is_ok())
    })
    .await?;
    if !fits {
        return Err(Refused::invalid("password.wrong", "present_password"));
    }
    let password_hash = people::hash_password(app, new).await?;
    let mut tx = app.store.write(&access::system()).await?;
    if !users::still_has(&mut tx, user, &hash).await? {
        // Somebody else was faster, and ended this session by it.
        return Err(Refused::invalid("password.wrong", "present_password"));
    }
    roadstead_store::throttle::clear(&mut tx, key.hash()).await?;
    users::set_password(&mut tx, user, &password_hash).await?;
    sessions::end_all_of_user(&mut tx, user, session).await?;
    record(&mut tx, app, scope, AuditAction::PasswordChanged, serde_json::json!({})).await?;
    tx.commit().await?;
    Ok(())
}

/// The person's sessions that have not ended, newest first.
pub async fn sessions(app: &App, scope: &Scope) -> Result<Vec<Listed>, Refused> {
    let user = person(scope)?;
    let now = app.ambient.now();
    let mut tx = app.store.read(&access::system()).await?;
    Ok(sessions::of_user(&mut tx, user, now, now.plus_seconds(-IDLE_SECONDS)).await?)
}

/// Ends one of the person's sessions.
pub async fn end_session(app: &App, scope: &Scope, id: SessionId) -> Result<(), Refused> {
    let user = person(scope)?;
    let mut tx = app.store.write(&access::system()).await?;
    if !sessions::end_of_user(&mut tx, user, id).await? {
        return Err(Refused::Denied(Denied::NotFound));
    }
    record(&mut tx, app, scope, AuditAction::SignedOut, serde_json::json!({ "session": id })).await?;
    tx.commit().await?;
    Ok(())
}

/// Ends every session of the person but this one.
pub async fn end_other_sessions(app: &App, scope: &Scope, but: Option<SessionId>) -> Result<(), Refused> {
    let user = person(scope)?;
    let mut tx = app.store.write(&access::system()).await?;
    let ended = sessions::end_all_of_user(&mut tx, user, but).await?;
    record(&mut tx, app, scope, AuditAction::SignedOut, serde_json::json!({ "sessions": ended })).await?;
    tx.commit().await?;
    Ok(())
}
