//! People who sign in.

use roadstead_domain::access::Scope;
use roadstead_domain::ids::UserId;
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::Result;

/// A person who signs in.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct User {
    /// Their id.
    pub id: Uuid,
    /// The address they sign in with.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// The code of their role.
    pub role: String,
    /// The tenant or reporter they belong to; `None` is the operator's.
    pub home: Option<Uuid>,
    /// The language they chose, `en` or `de`.
    pub language: Option<String>,
    /// When they were added, in microseconds.
    pub created_at: i64,
    /// Since when they may no longer sign in.
    pub deactivated_at: Option<i64>,
}

/// How addresses are compared: trimmed, lower case.
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Adds a user. An address that is taken is [`crate::Error::Conflict`].
pub async fn create(tx: &mut Tx, scope: &Scope, user: &User) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "INSERT INTO users (id, email, email_key, name, password_hash, role, home, language, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        args![
            user.id,
            user.email.trim(),
            email_key(&user.email),
            &user.name,
            &user.password_hash,
            &user.role,
            user.home,
            user.language.as_deref(),
            user.created_at
        ],
    )
    .await?;
    Ok(())
}

/// The user with this address, before anybody is signed in: only the sign-in may ask.
pub async fn for_sign_in(tx: &mut Tx, email: &str) -> Result<Option<User>> {
    tx.optional(
        "SELECT id, email, name, password_hash, role, home, language, created_at, deactivated_at \
         FROM users WHERE email_key = $1 AND deactivated_at IS NULL",
        args![email_key(email)],
    )
    .await
}

/// Remembers the language that a user chose for themselves.
pub async fn set_language(tx: &mut Tx, user: UserId, language: &str) -> Result<()> {
    tx.execute("UPDATE users SET language = $2 WHERE id = $1", args![user, language]).await?;
    Ok(())
}

/// How many users there are, to tell an empty platform.
pub async fn count(tx: &mut Tx, scope: &Scope) -> Result<i64> {
    scope.platform()?;
    tx.number("SELECT COUNT(*) FROM users", args![]).await
}
