//! Requests signed by a PC's key (RFC 9421): read, checked, and told apart from those that were seen before.

use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use ed25519_dalek::VerifyingKey;
use roadstead_domain::throttle::{CALL_PACE, CALLS_AT_ONCE};
use roadstead_domain::wire::signature::{
    Claim, MOST_SKEW_SECONDS, SignatureError, Target, Unchecked, check_digest,
};
use roadstead_domain::wire::{key_text, read_key};
use roadstead_domain::{access, ids::EnrolmentId};
use roadstead_store::device_keys::Once;
use roadstead_store::enrolments;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::flows::Refused;
use crate::http::Problem;
use crate::paces::Paces;

/// The largest body of a PC's request.
const LARGEST: usize = 1 << 20;

/// A request whose form, digest and time are right; whose key made it is still to be checked.
pub(super) struct Signed {
    /// What the signature says.
    pub(super) claim: Claim,
    /// The body.
    pub(super) body: Bytes,
    method: Method,
    origins: Vec<String>,
    path: String,
    content_digest: String,
    headers: HeaderMap,
}

impl Signed {
    /// Reads a request. A clock that is off is told the server's time, whatever else may be wrong.
    pub(super) async fn receive(app: &App, request: Request) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, LARGEST).await.map_err(Problem::unreadable)?;
        let text = |name: &'static str| all_values(&parts.headers, name).ok_or(SignatureError::Missing(name));
        let claim =
            Claim::read(&text("signature-input").map_err(refused)?, &text("signature").map_err(refused)?)
                .map_err(refused)?;
        let now = app.ambient.now().0.div_euclid(1_000_000);
        if (claim.created - now).abs() > MOST_SKEW_SECONDS {
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "signature.clock_skewed"));
        }
        let content_digest = text("content-digest").map_err(refused)?;
        check_digest(&content_digest, &body).map_err(refused)?;
        Ok(Self {
            claim,
            body,
            method: parts.method,
            origins: origins(app, &parts.headers),
            path: parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            content_digest,
            headers: parts.headers,
        })
    }

    /// Whether this key signed it for this platform; what to use up in the transaction that acts on it.
    pub(super) fn verify(&self, key: &VerifyingKey) -> Result<Once, Problem> {
        let genuine = self.unchecked(key)?.iter().any(|signature| signature.check().is_ok());
        if genuine { Ok(self.once(key)) } else { Err(refused(SignatureError::Wrong)) }
    }

    /// The signature as it would be for each address of this platform, the likeliest first: one of them has to be right.
    pub(super) fn unchecked(&self, key: &VerifyingKey) -> Result<Vec<Unchecked>, Problem> {
        let signature = |origin: &String| {
            let uri = format!("{origin}{}", self.path);
            let target = Target { method: self.method.as_str(), uri: &uri };
            let header = |name: &str| all_values(&self.headers, name);
            self.claim.unchecked(key, target, &self.content_digest, header).map_err(refused)
        };
        self.origins.iter().map(signature).collect()
    }

    /// What to use up in the transaction that acts on it.
    pub(super) fn once(&self, key: &VerifyingKey) -> Once {
        Once::new(key.as_bytes(), self.claim.created, &self.claim.nonce)
    }

    /// The key that an enrolled PC names, if it signed this; whether some PC has it is for the flow to see.
    pub(super) async fn verify_enrolled(&self, app: &App) -> Result<(String, Once), Problem> {
        let key = self.named_key(app).await?;
        let once = self.verify(&key)?;
        Ok((key_text(&key), once))
    }

    /// The key that an enrolled PC names: `keyid` is the key itself, or the id that its enrolment was answered with.
    pub(super) async fn named_key(&self, app: &App) -> Result<VerifyingKey, Problem> {
        let unknown = || Problem::new(StatusCode::UNAUTHORIZED, "device.unknown");
        let named = &self.claim.key_id;
        match (read_key(named), named.parse::<EnrolmentId>()) {
            (Some(key), _) => Ok(key),
            // In a box: few name it so, and every request would be larger for it.
            (None, Ok(id)) => Box::pin(enrolled_key(app, id)).await?.ok_or_else(unknown),
            (None, Err(_)) => Err(unknown()),
        }
    }

    /// [`Signed::verify_enrolled`], for whatever a PC does besides checking in and following its channel.
    pub(super) async fn verify_caller(&self, app: &App) -> Result<(String, Once), Problem> {
        let (key, once) = self.verify_enrolled(app).await?;
        paced(app, &app.calls, &key)?;
        Ok((key, once))
    }

    /// The body, read as JSON.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.body).map_err(Problem::unreadable)
    }
}

async fn enrolled_key(app: &App, id: EnrolmentId) -> Result<Option<VerifyingKey>, Problem> {
    let mut tx = app.store.read(&access::system()).await?;
    let key = enrolments::key_of(&mut tx, &access::system(), id).await?;
    Ok(key.as_deref().and_then(read_key))
}

/// That this key, which has signed, keeps the pace of a PC's calls: a stranger cannot slow a PC.
pub(super) fn paced(app: &App, paces: &Paces, key: &str) -> Result<(), Problem> {
    let kept = paces.take(key, app.ambient.now(), CALL_PACE, CALLS_AT_ONCE);
    kept.map_err(|seconds| Refused::TooOften { code: "device.too_often", seconds }.into())
}

/// All values of a header, as one (RFC 9421 2.1).
fn all_values(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut values = headers.get_all(name).iter().map(|value| value.to_str().ok().map(str::trim));
    let first = values.next()??.to_owned();
    values.try_fold(first, |all, value| Some(all + ", " + value?))
}

/// The addresses under which PCs may know this platform, the likeliest first: each costs the check of a signature.
fn origins(app: &App, headers: &HeaderMap) -> Vec<String> {
    let own = app.config.public_url.trim_end_matches('/').to_owned();
    // Without TLS there is no name to rely on: whatever name it was called by counts as well.
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    match (app.config.https, host.map(|host| format!("http://{host}"))) {
        (false, Some(called)) if called != own => vec![called, own],
        _ => vec![own],
    }
}

fn refused(error: SignatureError) -> Problem {
    let code = match error {
        SignatureError::Missing(_) => "signature.missing",
        SignatureError::Malformed(_) => "signature.malformed",
        SignatureError::Coverage => "signature.coverage",
        SignatureError::Digest => "signature.digest",
        SignatureError::Wrong => "signature.wrong",
    };
    Problem { found: Some(error.to_string()), ..Problem::new(StatusCode::UNAUTHORIZED, code) }
}
