//! People who sign in: added on the command line or by invitation, changed by those who manage their home.

use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use roadstead_domain::access::{Denied, Role, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::ids::UserId;
use roadstead_domain::user::{check_password, keeps_an_admin};
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::users::{self, User};
use roadstead_store::{customers, password_resets, sessions};

use super::{Refused, tokens};
use crate::app::App;
use crate::mail::is_address;

/// A user on their way in.
#[derive(Clone, Copy, Debug)]
pub struct NewUser<'a> {
    /// The address they sign in with.
    pub email: &'a str,
    /// Their name.
    pub name: &'a str,
    /// Their password.
    pub password: &'a str,
    /// Their role.
    pub role: Role,
    /// The partner's or reporter's id or number.
    pub whose: Option<&'a str>,
    /// `en` or `de`.
    pub language: Option<&'a str>,
}

/// Adds a user.
pub async fn create(app: &App, scope: &Scope, new: NewUser<'_>) -> Result<UserId, Refused> {
    super::filled("name", new.name)?;
    if !is_address(new.email.trim()) {
        return Err(Refused::invalid("field.not_an_address", "email"));
    }
    check_password(new.password, new.email).map_err(|code| Refused::invalid(code, "password"))?;
    let password_hash = hash_password(app, new.password).await?;
    let mut tx = app.store.write(scope).await?;
    let home = tokens::find_home(&mut tx, scope, new.role, new.whose).await?;
    let id: UserId = app.ambient.id();
    let user = User {
        id: id.0,
        email: new.email.to_owned(),
        name: new.name.to_owned(),
        password_hash,
        role: new.role.as_str().to_owned(),
        home,
        language: new.language.map(str::to_owned),
        created_at: app.ambient.now().0,
        deactivated_at: None,
    };
    users::create(&mut tx, scope, &user).await.map_err(|error| Refused::taken(error, "email"))?;
    if let Some(home) = home
        && new.role == Role::ItAdmin
    {
        customers::admin_joined(&mut tx, scope, home).await?;
    }
    let entry = NewEntry {
        home,
        action: AuditAction::UserCreated,
        subject: Some(id.0),
        detail: serde_json::json!({ "email": new.email, "role": new.role.as_str() }),
    };
    audit::record(&mut tx, scope.actor(), &[entry], &app.ambient).await?;
    tx.commit().await?;
    Ok(id)
}

/// Gives a person another role, or takes away or gives back that they may sign in. Who may no longer is signed out
/// everywhere. A home keeps somebody who manages it.
pub async fn change(
    app: &App,
    scope: &Scope,
    id: UserId,
    role: Option<&str>,
    active: Option<bool>,
) -> Result<(), Refused> {
    let unknown = || Refused::Denied(Denied::NotFound);
    let mut tx = app.store.write(scope).await?;
    let home = users::get(&mut tx, scope, id).await?.ok_or_else(unknown)?.home;
    let locked = users::lock_active(&mut tx, scope, home).await?;
    // Anew, now that nobody else changes it.
    let user = users::get(&mut tx, scope, id).await?.ok_or_else(unknown)?;
    let was = Role::from_code(&user.role);
    let becomes = match role {
        None => was.ok_or_else(unknown)?,
        Some(code) => Role::from_code(code)
            .filter(|role| tokens::home_of(*role, home).is_some())
            .ok_or(Refused::invalid("field.unknown_value", "role"))?,
    };
    let was_active = user.deactivated_at.is_none();
    let active = active.unwrap_or(was_active);
    if (Some(becomes), active) == (was, was_active) {
        return Ok(());
    }
    let others: Vec<Role> =
        locked.iter().filter(|(other, _)| *other != user.id).filter_map(|(_, role)| *role).collect();
    if !keeps_an_admin(&others, was.filter(|_| was_active), active.then_some(becomes)) {
        return Err(Refused::Conflict("user.last_admin"));
    }
    let deactivated_at = if active { None } else { user.deactivated_at.or(Some(app.ambient.now().0)) };
    users::change(&mut tx, scope, &user, becomes, deactivated_at).await?;
    if !active {
        sessions::end_all_of_user(&mut tx, id, None).await?;
        password_resets::forget_of(&mut tx, id).await?;
    }
    let entry = NewEntry {
        home,
        action: AuditAction::UserChanged,
        subject: Some(user.id),
        detail: serde_json::json!({
            "email": user.email, "role": becomes.as_str(), "role_before": user.role, "active": active,
        }),
    };
    audit::record(&mut tx, scope.actor(), &[entry], &app.ambient).await?;
    tx.commit().await?;
    Ok(())
}

/// Argon2id with the library's defaults, in PHC form.
pub(super) async fn hash_password(app: &App, password: &str) -> Result<String, Refused> {
    let mut salt = [0_u8; 16];
    app.ambient.entropy.fill(&mut salt);
    let password = password.to_owned();
    hashing(app, move || {
        Argon2::default().hash_password_with_salt(password.as_bytes(), &salt).map(|hash| hash.to_string())
    })
    .await?
    .map_err(|error| Refused::Internal(anyhow::anyhow!("password hash: {error}")))
}

/// Hashing takes a while and much memory by design: not on an async thread, few at a time, and who would have to wait
/// for long is sent away.
pub(super) async fn hashing<T: Send + 'static>(
    app: &App,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refused> {
    let permit = tokio::time::timeout(PATIENCE, app.hashing.acquire()).await;
    let Ok(Ok(_permit)) = permit else { return Err(Refused::Busy) };
    tokio::task::spawn_blocking(work).await.map_err(|error| Refused::Internal(error.into()))
}

/// How long a sign-in waits for its turn.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
