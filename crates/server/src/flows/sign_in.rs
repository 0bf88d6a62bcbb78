//! Signing in and out, and who a session is.

use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use roadstead_domain::access::{self, Actor, Caller, Role};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::ids::{SessionId, UserId};
use roadstead_domain::throttle::Counted;
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::sessions::{self, New, Session};
use roadstead_store::{Tx, throttle, users};

use super::throttle::Key;
use super::{Refused, tokens};
use crate::app::App;
use crate::http::ClientAddress;

/// A session ends this long after it was opened, in seconds.
pub const LONGEST_SECONDS: i64 = 12 * 3600;
/// A session ends when it was not used for this long, in seconds.
pub const IDLE_SECONDS: i64 = 3600;

/// What nobody's password hashes to: an unknown address costs as much time as a wrong password.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$cm9hZHN0ZWFkLW5vYm9keQ$\
                      hZ0pdB9oC6Z9w7XzS1qz1yOW3m3e8JmRk2yW1m7nXGk";

/// Where a session is opened from, and with what.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The network address.
    pub from: ClientAddress,
    /// What the browser says it is.
    pub user_agent: Option<String>,
}

/// Opens a session inside a transaction and returns the cookie's secret.
pub(super) async fn open(tx: &mut Tx, app: &App, user: UserId, visit: &Visit) -> Result<String, Refused> {
    let secret = hex::encode(app.ambient.secret());
    let csrf = hex::encode(&app.ambient.secret()[..16]);
    let now = app.ambient.now();
    let new = New {
        id: app.ambient.id(),
        secret_hash: tokens::hash(&secret),
        user,
        csrf: &csrf,
        at: now,
        expires_at: now.plus_seconds(LONGEST_SECONDS),
        address: Some(visit.from.0.to_string()),
        user_agent: visit.user_agent.as_deref(),
    };
    sessions::create(tx, new).await?;
    users::signed_in(tx, user, now).await?;
    Ok(secret)
}

/// Opens a session and returns the cookie's secret; `None` for an address and password that do not fit. Who fails often
/// waits longer and longer, whether there is such an account or not.
pub async fn sign_in(
    app: &App,
    email: &str,
    password: &str,
    visit: &Visit,
) -> Result<Option<String>, Refused> {
    let pair = Key { counted: Counted::SignInOfAccount, account: Some(email), from: Some(visit.from) };
    let from = Key { counted: Counted::SignInFrom, account: None, from: Some(visit.from) };
    super::throttle::count(app, &[pair, from]).await?;
    let mut tx = app.store.read(&access::system()).await?;
    let user = users::for_sign_in(&mut tx, email).await?;
    drop(tx);
    let hash = user.as_ref().map_or_else(|| NOBODY.to_owned(), |user| user.password_hash.clone());
    let password = password.to_owned();
    let fits = super::users::hashing(app, move || {
        PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    })
    .await;
    let fits = match fits {
        Ok(fits) => fits,
        Err(refused) => {
            // Nothing was tried.
            let mut tx = app.store.write(&access::system()).await?;
            for key in [pair, from] {
                throttle::take_back(&mut tx, key.hash()).await?;
            }
            tx.commit().await?;
            return Err(refused);
        }
    };
    let mut tx = app.store.write(&access::system()).await?;
    // Checking took its time: a password that was changed meanwhile, and all sessions with it, opens nothing any more.
    let fits = fits
        && match &user {
            Some(user) => users::still_has(&mut tx, UserId(user.id), &user.password_hash).await?,
            None => false,
        };
    let action = if fits { AuditAction::SignedIn } else { AuditAction::SignInFailed };
    // A failure is written for an unknown address too: both take the same time.
    let (home, subject) = user.as_ref().map_or((None, None), |user| (user.home, Some(user.id)));
    let by = subject.filter(|_| fits).map_or(Actor::System, |id| Actor::User(UserId(id)));
    let entry = NewEntry { home, action, subject, detail: serde_json::json!({}) };
    audit::record(&mut tx, by, &[entry], &app.ambient).await?;
    let mut opened = None;
    if let (true, Some(user)) = (fits, &user) {
        throttle::clear(&mut tx, pair.hash()).await?;
        throttle::take_back(&mut tx, from.hash()).await?;
        opened = Some(open(&mut tx, app, UserId(user.id), visit).await?);
    }
    tx.commit().await?;
    Ok(opened)
}

/// The session of this cookie, and whom it speaks for; `None` once it has ended. Notes that it is in use.
pub async fn authenticate(app: &App, secret: &str) -> roadstead_store::Result<Option<(Session, Caller)>> {
    let found = look_up(app, secret).await?;
    if let Some((session, _)) = &found
        && app.is_to_be_noted(session.id)
    {
        note_use(app.clone(), SessionId(session.id));
    }
    Ok(found)
}

/// Like [`authenticate`], for what a page does by itself: an open tab is not a person at work.
pub async fn look_up(app: &App, secret: &str) -> roadstead_store::Result<Option<(Session, Caller)>> {
    let hash = tokens::hash(secret);
    let find = async || {
        let now = app.ambient.now();
        let mut tx = app.store.read(&access::system()).await?;
        sessions::find(&mut tx, hash, now, now.plus_seconds(-IDLE_SECONDS)).await
    };
    let Some(session) = app.sessions.ask(&hash, find).await? else { return Ok(None) };
    let Some(role) = Role::from_code(&session.role) else { return Ok(None) };
    let actor = Actor::User(UserId(session.user_id));
    let home = tokens::home_of(role, session.home);
    Ok(home.map(|home| (session, Caller { actor, role, home })))
}

/// Beside the request: who only reads is not to wait for the writer.
fn note_use(app: App, id: SessionId) {
    tokio::spawn(async move {
        let noted = async {
            let mut tx = app.store.write(&access::system()).await?;
            sessions::seen(&mut tx, id, app.ambient.now()).await?;
            tx.commit().await
        };
        if let Err(error) = noted.await {
            tracing::warn!(%error, "a session's use could not be noted");
        }
    });
}

/// Ends a session.
pub async fn sign_out(app: &App, session: &Session) -> Result<(), Refused> {
    let mut tx = app.store.write(&access::system()).await?;
    sessions::end(&mut tx, SessionId(session.id)).await?;
    let entry = NewEntry {
        home: session.home,
        action: AuditAction::SignedOut,
        subject: Some(session.user_id),
        detail: serde_json::json!({}),
    };
    audit::record(&mut tx, Actor::User(UserId(session.user_id)), &[entry], &app.ambient).await?;
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_hash_is_one_that_takes_its_time() {
        let hash = PasswordHash::new(NOBODY).unwrap();
        let refused = Argon2::default().verify_password(b"secret", &hash);
        // Not "malformed", which would answer at once.
        assert!(matches!(refused, Err(argon2::password_hash::Error::PasswordInvalid)), "{refused:?}");
    }
}
