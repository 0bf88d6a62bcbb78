//! Bearer tokens: made and revoked on the command line, checked on each call.

use roadstead_domain::access::{self, Actor, Caller, Home, Role, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::ids::{ReporterId, TenantId, TokenId};
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::tokens::{self, Token};
use roadstead_store::{customers, partners, reporters};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Refused;
use crate::app::App;

/// What a token begins with, so that leak scanners know one.
const PREFIX: &str = "rst_";

/// A secret's hash, as the database keeps it.
pub fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Where a credential of this role and home belongs; `None` if the two do not fit.
pub fn home_of(role: Role, home: Option<Uuid>) -> Option<Home> {
    match (role, home) {
        (Role::Operator | Role::CustomerSupport, None) => Some(Home::Operator),
        (Role::Distributor, Some(id)) => Some(Home::Reporter(ReporterId(id))),
        (Role::PartnerAdmin | Role::PartnerReadOnly, Some(id)) => Some(Home::Partner(TenantId(id))),
        (Role::ItAdmin | Role::ReportAdmin, Some(id)) => Some(Home::Customer(TenantId(id))),
        _ => None,
    }
}

/// Makes a token and returns its secret, which is kept nowhere. `whose` is the partner's or reporter's id or number.
pub async fn create(
    app: &App,
    scope: &Scope,
    role: Role,
    whose: Option<&str>,
    name: &str,
) -> Result<String, Refused> {
    Ok(make(app, scope, role, whose, name).await?.1)
}

/// Like [`create`], with the token's id.
pub async fn make(
    app: &App,
    scope: &Scope,
    role: Role,
    whose: Option<&str>,
    name: &str,
) -> Result<(TokenId, String), Refused> {
    super::filled("name", name)?;
    let mut tx = app.store.write(scope).await?;
    let home = find_home(&mut tx, scope, role, whose).await?;
    let secret = format!("{PREFIX}{}", hex::encode(app.ambient.secret()));
    let id: TokenId = app.ambient.id();
    let token = Token {
        id: id.0,
        name: name.to_owned(),
        role: role.as_str().to_owned(),
        home,
        created_at: app.ambient.now().0,
        used_at: None,
        revoked_at: None,
    };
    tokens::create(&mut tx, scope, &token, hash(&secret)).await?;
    let entry = NewEntry {
        home,
        action: AuditAction::TokenCreated,
        subject: Some(id.0),
        detail: serde_json::json!({ "name": name, "role": role.as_str() }),
    };
    audit::record(&mut tx, scope.actor(), &[entry], &app.ambient).await?;
    tx.commit().await?;
    Ok((id, secret))
}

/// The tenant or reporter that a user or token of this role is for.
pub(super) async fn find_home(
    tx: &mut roadstead_store::Tx,
    scope: &Scope,
    role: Role,
    whose: Option<&str>,
) -> Result<Option<Uuid>, Refused> {
    match (role, whose) {
        (Role::Operator | Role::CustomerSupport, None) => Ok(None),
        (Role::Operator | Role::CustomerSupport, Some(_)) => {
            Err(Refused::invalid("field.not_allowed", "for"))
        }
        (_, None) => Err(Refused::invalid("field.missing", "for")),
        (Role::Distributor, Some(whose)) => {
            let reporter = reporters::find(tx, scope, whose).await?;
            Ok(Some(reporter.ok_or(Refused::invalid("reporter.unknown", "for"))?.id))
        }
        (Role::PartnerAdmin | Role::PartnerReadOnly, Some(whose)) => {
            let partner = partners::find(tx, scope, whose).await?;
            Ok(Some(partner.ok_or(Refused::invalid("partner.unknown", "for"))?.id))
        }
        (Role::ItAdmin | Role::ReportAdmin, Some(whose)) => {
            let customer = customers::find(tx, scope, whose).await?;
            Ok(Some(customer.ok_or(Refused::invalid("customer.unknown", "for"))?.id))
        }
    }
}

/// Takes a token's power away.
pub async fn revoke(app: &App, scope: &Scope, id: TokenId) -> Result<bool, Refused> {
    let mut tx = app.store.write(scope).await?;
    if !tokens::revoke(&mut tx, scope, id, app.ambient.now()).await? {
        return Ok(false);
    }
    let entry = NewEntry {
        home: None,
        action: AuditAction::TokenRevoked,
        subject: Some(id.0),
        detail: serde_json::json!({}),
    };
    audit::record(&mut tx, scope.actor(), &[entry], &app.ambient).await?;
    tx.commit().await?;
    Ok(true)
}

/// Whose token this is; `None` for one that opens nothing.
pub async fn authenticate(app: &App, secret: &str) -> roadstead_store::Result<Option<Caller>> {
    let hash = hash(secret);
    let find = async || {
        let mut tx = app.store.read(&access::system()).await?;
        tokens::find(&mut tx, hash).await
    };
    let Some(token) = app.tokens.ask(&hash, find).await? else { return Ok(None) };
    if app.is_to_be_noted(token.id) {
        note_use(app.clone(), TokenId(token.id));
    }
    let Some(role) = Role::from_code(&token.role) else { return Ok(None) };
    let actor = Actor::Token(TokenId(token.id));
    Ok(home_of(role, token.home).map(|home| access::Caller { actor, role, home }))
}

/// Beside the request: who only reads is not to wait for the writer.
fn note_use(app: App, id: TokenId) {
    tokio::spawn(async move {
        let noted = async {
            let mut tx = app.store.write(&access::system()).await?;
            tokens::used(&mut tx, id, app.ambient.now()).await?;
            tx.commit().await
        };
        if let Err(error) = noted.await {
            tracing::warn!(%error, "a token's use could not be noted");
        }
    });
}
