//! Invitations: who may become a user of a home. A link works once, since taking an invitation deletes it.

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::InvitationId;
use uuid::Uuid;

use crate::args;
use crate::bulk::Bulk;
use crate::engine::Tx;
use crate::error::Result;
use crate::page::{Page, Rows};
use crate::users::{email_key, reaches};

/// An invitation, without its secret.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Invitation {
    /// Its id.
    pub id: Uuid,
    /// The tenant or reporter; `None` is the operator's.
    pub home: Option<Uuid>,
    /// The address.
    pub email: String,
    /// The name that whoever invites gave.
    pub name: String,
    /// The code of the role.
    pub role: String,
    /// The language of the mail.
    pub language: String,
    /// When, in microseconds.
    pub created_at: i64,
    /// From when on it opens nothing.
    pub ends_at: i64,
}

/// An invitation on its way in, with its secret's hash.
pub type New = (Invitation, [u8; 32]);

/// Adds invitations into one home, in the place of those that it has for the same addresses.
pub async fn put(tx: &mut Tx, scope: &Scope, home: Option<Uuid>, new: &[New]) -> Result<()> {
    reaches(scope, home)?;
    let mut bulk = Bulk::new(
        "INSERT INTO invitations (id, home, email, email_key, name, role, language, secret_hash, created_at, ends_at)",
        10,
        "",
    );
    for (invitation, _) in new {
        withdraw_address(tx, scope, home, &invitation.email).await?;
    }
    for (invitation, secret_hash) in new {
        let email = invitation.email.trim();
        bulk.push(
            tx,
            args![
                invitation.id,
                home,
                email,
                email_key(email),
                &invitation.name,
                &invitation.role,
                &invitation.language,
                *secret_hash,
                invitation.created_at,
                invitation.ends_at
            ],
        )
        .await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}

/// Takes back what a home has open for an address.
pub async fn withdraw_address(tx: &mut Tx, scope: &Scope, home: Option<Uuid>, email: &str) -> Result<()> {
    reaches(scope, home)?;
    match home {
        Some(home) => {
            tx.execute(
                "DELETE FROM invitations WHERE home = $1 AND email_key = $2",
                args![home, email_key(email)],
            )
            .await?
        }
        None => {
            tx.execute(
                "DELETE FROM invitations WHERE home IS NULL AND email_key = $1",
                args![email_key(email)],
            )
            .await?
        }
    };
    Ok(())
}

/// The invitations of a home, newest first.
pub async fn list(
    tx: &mut Tx,
    scope: &Scope,
    home: Option<Uuid>,
    page: &Page,
) -> Result<Option<Rows<Invitation>>> {
    reaches(scope, home)?;
    let Ok(after) = page.after::<Uuid>() else { return Ok(None) };
    let (rows, after) = (page.rows(), after.unwrap_or(Uuid::max()));
    let items: Vec<Invitation> = match home {
        Some(home) => {
            tx.all(
                "SELECT id, home, email, name, role, language, created_at, ends_at FROM invitations \
                 WHERE home = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
                args![home, after, rows + 1],
            )
            .await?
        }
        None => {
            tx.all(
                "SELECT id, home, email, name, role, language, created_at, ends_at FROM invitations \
                 WHERE home IS NULL AND id < $1 ORDER BY id DESC LIMIT $2",
                args![after, rows + 1],
            )
            .await?
        }
    };
    Ok(Some(Rows::cut(items, rows, |invitation| invitation.id)))
}

/// The keys of the addresses that a home has invited, among these.
pub async fn known(tx: &mut Tx, scope: &Scope, home: Option<Uuid>, keys: &[&str]) -> Result<Vec<String>> {
    reaches(scope, home)?;
    let rows: Vec<(String,)> = match home {
        Some(home) => {
            tx.all_of_set(
                "SELECT i.email_key FROM <set> s CROSS JOIN invitations i \
                 WHERE i.home = $1 AND i.email_key = s.value",
                args![home],
                keys,
            )
            .await?
        }
        None => {
            tx.all_of_set(
                "SELECT i.email_key FROM <set> s CROSS JOIN invitations i \
                 WHERE i.home IS NULL AND i.email_key = s.value",
                args![],
                keys,
            )
            .await?
        }
    };
    Ok(rows.into_iter().map(|(key,)| key).collect())
}

/// How many invitations a home has open.
pub async fn count(tx: &mut Tx, scope: &Scope, home: Option<Uuid>) -> Result<i64> {
    reaches(scope, home)?;
    match home {
        Some(home) => tx.number("SELECT COUNT(*) FROM invitations WHERE home = $1", args![home]).await,
        None => tx.number("SELECT COUNT(*) FROM invitations WHERE home IS NULL", args![]).await,
    }
}

/// Takes an invitation back; it, if there was one in the scope's reach.
pub async fn withdraw(tx: &mut Tx, scope: &Scope, id: InvitationId) -> Result<Option<Invitation>> {
    let found: Option<Invitation> = tx
        .optional(
            "SELECT id, home, email, name, role, language, created_at, ends_at FROM invitations WHERE id = $1",
            args![id],
        )
        .await?;
    let Some(found) = found else { return Ok(None) };
    if reaches(scope, found.home).is_err() {
        return Ok(None);
    }
    let gone = tx.execute("DELETE FROM invitations WHERE id = $1", args![id]).await?;
    Ok((gone > 0).then_some(found))
}

/// The invitation of this secret, before anybody is signed in: only the page of the link may ask.
pub async fn find(tx: &mut Tx, secret_hash: [u8; 32], now: Micros) -> Result<Option<Invitation>> {
    tx.optional(
        "SELECT id, home, email, name, role, language, created_at, ends_at FROM invitations \
         WHERE secret_hash = $1 AND ends_at > $2",
        args![secret_hash, now],
    )
    .await
}

/// Uses the invitation of this secret up. Of several that try, on whatever node, one gets it.
pub async fn take(tx: &mut Tx, secret_hash: [u8; 32], now: Micros) -> Result<Option<Invitation>> {
    tx.optional(
        "DELETE FROM invitations WHERE secret_hash = $1 AND ends_at > $2 \
         RETURNING id, home, email, name, role, language, created_at, ends_at",
        args![secret_hash, now],
    )
    .await
}

/// Forgets invitations that ended before this instant.
pub async fn forget(tx: &mut Tx, before: Micros) -> Result<u64> {
    tx.execute("DELETE FROM invitations WHERE ends_at <= $1", args![before]).await
}
