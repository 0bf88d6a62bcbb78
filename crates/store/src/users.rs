//! People who sign in.

use roadstead_domain::access::{Denied, Role, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::UserId;
use serde::Deserialize;
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::Result;
use crate::page::{Page, Rows};

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

/// A person as those see them who manage the users of their home.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Listed {
    /// Their id.
    pub id: Uuid,
    /// The address they sign in with.
    pub email: String,
    /// Their name.
    pub name: String,
    /// The code of their role.
    pub role: String,
    /// The tenant or reporter they belong to; `None` is the operator's.
    pub home: Option<Uuid>,
    /// The language they chose.
    pub language: Option<String>,
    /// When they were added, in microseconds.
    pub created_at: i64,
    /// When they signed in last.
    pub signed_in_at: Option<i64>,
    /// Since when they may no longer sign in.
    pub deactivated_at: Option<i64>,
}

/// What a person set for themselves; `None` is what their language does by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, sqlx::FromRow)]
pub struct Profile {
    /// Their name.
    pub name: String,
    /// `en` or `de`.
    pub language: Option<String>,
    /// A name of the time zone database.
    pub time_zone: Option<String>,
    /// The code of a way to write dates.
    pub date_format: Option<String>,
    /// Whether they want mails about support and repair cases.
    pub case_mails: bool,
}

/// How addresses are compared: trimmed, lower case.
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// That a scope reaches the people of a home: the platform everybody's, else one's own.
pub(crate) fn reaches(scope: &Scope, home: Option<Uuid>) -> std::result::Result<(), Denied> {
    if scope.platform().is_ok() || (home.is_some() && scope.home() == home) {
        Ok(())
    } else {
        Err(Denied::NotFound)
    }
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

/// The user with this address, before anybody is signed in: only the sign-in and a forgotten password may ask.
pub async fn for_sign_in(tx: &mut Tx, email: &str) -> Result<Option<User>> {
    tx.optional(
        "SELECT id, email, name, password_hash, role, home, language, created_at, deactivated_at \
         FROM users WHERE email_key = $1 AND deactivated_at IS NULL",
        args![email_key(email)],
    )
    .await
}

/// Whether the person may still sign in with what has this hash. Until the end of the transaction nobody changes that.
pub async fn still_has(tx: &mut Tx, user: UserId, password_hash: &str) -> Result<bool> {
    let has: Option<(Uuid,)> = tx
        .hold(
            "SELECT id FROM users WHERE id = $1 AND password_hash = $2 AND deactivated_at IS NULL",
            args![user, password_hash],
        )
        .await?;
    Ok(has.is_some())
}

/// Whether an address has an account anywhere: only whoever reads that mailbox may be told.
pub async fn exists(tx: &mut Tx, scope: &Scope, email: &str) -> Result<bool> {
    scope.platform()?;
    Ok(tx.number("SELECT COUNT(*) FROM users WHERE email_key = $1", args![email_key(email)]).await? > 0)
}

/// The people of a home, in the order in which they came.
pub async fn list(
    tx: &mut Tx,
    scope: &Scope,
    home: Option<Uuid>,
    page: &Page,
) -> Result<Option<Rows<Listed>>> {
    reaches(scope, home)?;
    let Ok(after) = page.after::<Uuid>() else { return Ok(None) };
    let (rows, after) = (page.rows(), after.unwrap_or(Uuid::nil()));
    let items: Vec<Listed> = match home {
        Some(home) => {
            tx.all(
                "SELECT id, email, name, role, home, language, created_at, signed_in_at, deactivated_at FROM users \
                 WHERE home = $1 AND id > $2 ORDER BY id LIMIT $3",
                args![home, after, rows + 1],
            )
            .await?
        }
        None => {
            tx.all(
                "SELECT id, email, name, role, home, language, created_at, signed_in_at, deactivated_at FROM users \
                 WHERE home IS NULL AND id > $1 ORDER BY id LIMIT $2",
                args![after, rows + 1],
            )
            .await?
        }
    };
    Ok(Some(Rows::cut(items, rows, |user| user.id)))
}

/// A person in the scope's reach.
pub async fn get(tx: &mut Tx, scope: &Scope, id: UserId) -> Result<Option<Listed>> {
    let found: Option<Listed> = tx
        .optional(
            "SELECT id, email, name, role, home, language, created_at, signed_in_at, deactivated_at FROM users \
             WHERE id = $1",
            args![id],
        )
        .await?;
    Ok(found.filter(|user| reaches(scope, user.home).is_ok()))
}

/// The keys of the addresses of a home's people, among these.
pub async fn known(tx: &mut Tx, scope: &Scope, home: Option<Uuid>, keys: &[&str]) -> Result<Vec<String>> {
    reaches(scope, home)?;
    let rows: Vec<(String,)> = match home {
        Some(home) => {
            tx.all_of_set(
                "SELECT u.email_key FROM <set> s CROSS JOIN users u WHERE u.email_key = s.value AND u.home = $1",
                args![home],
                keys,
            )
            .await?
        }
        None => {
            tx.all_of_set(
                "SELECT u.email_key FROM <set> s CROSS JOIN users u WHERE u.email_key = s.value AND u.home IS NULL",
                args![],
                keys,
            )
            .await?
        }
    };
    Ok(rows.into_iter().map(|(key,)| key).collect())
}

/// The people of a home who can still sign in, with their roles. Until this transaction ends nobody else can change them,
/// so that two admins who remove each other at the same time do not both succeed.
pub async fn lock_active(
    tx: &mut Tx,
    scope: &Scope,
    home: Option<Uuid>,
) -> Result<Vec<(Uuid, Option<Role>)>> {
    reaches(scope, home)?;
    let ending = tx.for_update();
    let rows: Vec<(Uuid, String)> = match home {
        Some(home) => {
            tx.all_ending(
                "SELECT id, role FROM users WHERE home = $1 AND deactivated_at IS NULL ORDER BY id",
                ending,
                args![home],
            )
            .await?
        }
        None => {
            tx.all_ending(
                "SELECT id, role FROM users WHERE home IS NULL AND deactivated_at IS NULL ORDER BY id",
                ending,
                args![],
            )
            .await?
        }
    };
    Ok(rows.into_iter().map(|(id, role)| (id, Role::from_code(&role))).collect())
}

/// Gives a person another role, or takes away or gives back that they may sign in. The caller has found them in the
/// scope's reach.
pub async fn change(
    tx: &mut Tx,
    scope: &Scope,
    user: &Listed,
    role: Role,
    deactivated_at: Option<i64>,
) -> Result<()> {
    reaches(scope, user.home)?;
    tx.execute(
        "UPDATE users SET role = $2, deactivated_at = $3 WHERE id = $1",
        args![user.id, role.as_str(), deactivated_at],
    )
    .await?;
    Ok(())
}

/// Sets a new password.
pub async fn set_password(tx: &mut Tx, user: UserId, password_hash: &str) -> Result<()> {
    tx.execute("UPDATE users SET password_hash = $2 WHERE id = $1", args![user, password_hash]).await?;
    Ok(())
}

/// The hash of a person's own password.
pub async fn password_hash(tx: &mut Tx, user: UserId) -> Result<Option<String>> {
    let row: Option<(String,)> =
        tx.optional("SELECT password_hash FROM users WHERE id = $1", args![user]).await?;
    Ok(row.map(|(hash,)| hash))
}

/// Notes a sign-in.
pub async fn signed_in(tx: &mut Tx, user: UserId, at: Micros) -> Result<()> {
    tx.execute("UPDATE users SET signed_in_at = $2 WHERE id = $1", args![user, at]).await?;
    Ok(())
}

/// Remembers the language that a user chose for themselves.
pub async fn set_language(tx: &mut Tx, user: UserId, language: &str) -> Result<()> {
    tx.execute("UPDATE users SET language = $2 WHERE id = $1", args![user, language]).await?;
    Ok(())
}

/// What a person set for themselves.
pub async fn profile(tx: &mut Tx, user: UserId) -> Result<Option<Profile>> {
    tx.optional(
        "SELECT name, language, time_zone, date_format, case_mails FROM users WHERE id = $1",
        args![user],
    )
    .await
}

/// Remembers what a person sets for themselves.
pub async fn set_profile(tx: &mut Tx, user: UserId, profile: &Profile) -> Result<()> {
    tx.execute(
        "UPDATE users SET name = $2, language = $3, time_zone = $4, date_format = $5, case_mails = $6 \
         WHERE id = $1",
        args![
            user,
            &profile.name,
            profile.language.as_deref(),
            profile.time_zone.as_deref(),
            profile.date_format.as_deref(),
            profile.case_mails
        ],
    )
    .await?;
    Ok(())
}

/// How many users there are, to tell an empty platform.
pub async fn count(tx: &mut Tx, scope: &Scope) -> Result<i64> {
    scope.platform()?;
    tx.number("SELECT COUNT(*) FROM users", args![]).await
}
