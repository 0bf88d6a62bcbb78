//! People who sign in: added on the command line (by invitation later).

use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use roadstead_domain::access::{Role, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::ids::UserId;
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::users::{self, User};

use super::Refused;
use crate::app::App;

/// The fewest characters of a password, after NIST SP 800-63B.
pub const SHORTEST_PASSWORD: usize = 12;

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
    if !new.email.contains('@') {
        return Err(Refused::invalid("field.not_an_address", "email"));
    }
    if new.password.chars().count() < SHORTEST_PASSWORD {
        return Err(Refused::invalid("password.too_short", "password"));
    }
    let password_hash = hash_password(app, new.password).await?;
    let mut tx = app.store.write(scope).await?;
    let home = super::tokens::find_home(&mut tx, scope, new.role, new.whose).await?;
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

/// Argon2id with the library's defaults, in PHC form.
async fn hash_password(app: &App, password: &str) -> Result<String, Refused> {
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
