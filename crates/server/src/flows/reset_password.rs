//! A forgotten password: a link by mail, and a new one through it. Nobody learns here whether an address has an account.

use roadstead_domain::access::{self, Actor, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::ids::UserId;
use roadstead_domain::mail::MailKind;
use roadstead_domain::throttle::Counted;
use roadstead_domain::user::{RESET_SECONDS, check_password};
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::mails::{self, NewMail};
use roadstead_store::users::{self, Listed};
use roadstead_store::{Tx, password_resets, sessions};

use super::sign_in::{self, Visit};
use super::throttle::{self, Key};
use super::{Refused, tokens};
use crate::app::App;
use crate::http::ClientAddress;

/// Sends a link to this address if it has an account. The answer comes before anybody looks, so that it takes the same time
/// either way.
pub async fn request(app: &App, email: &str, from: ClientAddress) -> Result<(), Refused> {
    let keys = [
        Key { counted: Counted::ResetOfAccount, account: Some(email), from: None },
        Key { counted: Counted::ResetFrom, account: None, from: Some(from) },
    ];
    throttle::count(app, &keys).await?;
    let (app, email) = (app.clone(), email.to_owned());
    tokio::spawn(async move {
        if let Err(error) = send_to(&app, &email).await {
            tracing::warn!(%error, "a link for a new password could not be made");
        }
    });
    Ok(())
}

async fn send_to(app: &App, email: &str) -> Result<(), Refused> {
    let scope = access::system();
    let mut tx = app.store.write(&scope).await?;
    let Some(user) = users::for_sign_in(&mut tx, email).await? else { return Ok(()) };
    let Some(user) = users::get(&mut tx, &scope, UserId(user.id)).await? else { return Ok(()) };
    send(&mut tx, app, &scope, &user).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// Sends a link to a person of one's own home, or as the operator to anybody.
pub async fn send_by_admin(app: &App, scope: &Scope, id: UserId) -> Result<(), Refused> {
    let mut tx = app.store.write(scope).await?;
    let user = users::get(&mut tx, scope, id).await?.ok_or(Refused::Denied(access::Denied::NotFound))?;
    if user.deactivated_at.is_some() {
        return Err(Refused::Conflict("user.deactivated"));
    }
    send(&mut tx, app, scope, &user).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

async fn send(tx: &mut Tx, app: &App, scope: &Scope, user: &Listed) -> Result<(), Refused> {
    let secret = hex::encode(app.ambient.secret());
    let ends_at = app.ambient.now().plus_seconds(RESET_SECONDS);
    password_resets::create(tx, tokens::hash(&secret), UserId(user.id), ends_at).await?;
    let language = user.language.clone().unwrap_or_else(|| "en".to_owned());
    let mail = NewMail {
        recipient: user.email.clone(),
        kind: MailKind::PasswordReset,
        data: serde_json::json!({ "name": user.name, "until": ends_at.0 }),
        link: Some(format!("/password-reset/new?token={secret}&lang={language}")),
        language,
        ends_at: Some(ends_at),
    };
    mails::queue(tx, scope, &[mail], &app.ambient).await?;
    let entry = NewEntry {
        home: user.home,
        action: AuditAction::PasswordResetRequested,
        subject: Some(user.id),
        detail: serde_json::json!({}),
    };
    audit::record(tx, scope.actor(), &[entry], &app.ambient).await?;
    Ok(())
}

/// Whose link this is, for whoever holds it.
pub async fn find(app: &App, secret: &str) -> Result<Option<Listed>, Refused> {
    let scope = access::system();
    let mut tx = app.store.read(&scope).await?;
    let user = password_resets::find(&mut tx, tokens::hash(secret), app.ambient.now()).await?;
    match user {
        Some(user) => Ok(users::get(&mut tx, &scope, user).await?),
        None => Ok(None),
    }
}

/// Sets the new password, ends every session, and signs in: the new session's secret.
pub async fn choose(app: &App, secret: &str, password: &str, visit: &Visit) -> Result<String, Refused> {
    let known = find(app, secret).await?.ok_or(Refused::LinkSpent)?;
    check_password(password, &known.email).map_err(|code| Refused::invalid(code, "password"))?;
    let password_hash = super::users::hash_password(app, password).await?;
    let scope = access::system();
    let mut tx = app.store.write(&scope).await?;
    // Whoever comes second, on whatever node, finds it gone.
    let taken = password_resets::take(&mut tx, tokens::hash(secret), app.ambient.now()).await?;
    let id = taken.ok_or(Refused::LinkSpent)?;
    let user = users::get(&mut tx, &scope, id).await?.filter(|user| user.deactivated_at.is_none());
    let user = user.ok_or(Refused::LinkSpent)?;
    users::set_password(&mut tx, id, &password_hash).await?;
    password_resets::forget_of(&mut tx, id).await?;
    sessions::end_all_of_user(&mut tx, id, None).await?;
    let entry = NewEntry {
        home: user.home,
        action: AuditAction::PasswordChanged,
        subject: Some(user.id),
        detail: serde_json::json!({ "by_link": true }),
    };
    audit::record(&mut tx, Actor::User(id), &[entry], &app.ambient).await?;
    let session = sign_in::open(&mut tx, app, id, visit).await?;
    tx.commit().await?;
    Ok(session)
}
