//! `Idempotency-Key`: a POST that is sent again gets the first answer, for 24 hours. A key belongs to a caller and to one
//! request; with another request it is refused. It is claimed before the work begins: of several at once one works, the
//! others are told to come again.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, TryStreamExt, stream};
use roadstead_domain::access::{self, Actor};
use roadstead_domain::clock::Micros;
use roadstead_store::idempotency::{self, Kept};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{ApiCaller, Problem};
use crate::app::App;

/// How long an answer is kept, in seconds.
const KEPT_SECONDS: i64 = 24 * 3600;
/// How long a request may be worked on before its key is free again, in seconds: its node may have died.
const CLAIM_SECONDS: i64 = 600;
/// So much of a body is compared; what is longer also counts by its length.
const COMPARED: usize = 2 << 20;
/// The longest answer.
const LONGEST_ANSWER: usize = 64 << 20;
/// The longest key.
const LONGEST_KEY: usize = 255;

/// An answer that holds a secret: it is never kept.
#[derive(Clone, Copy, Debug)]
pub struct HoldsSecret;

/// The layer.
pub(super) async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(key) = request.headers().get("idempotency-key").filter(|_| request.method() == Method::POST)
    else {
        return next.run(request).await;
    };
    let key = key.to_str().ok().filter(|key| (1..=LONGEST_KEY).contains(&key.len())).map(str::to_owned);
    match key {
        Some(key) => once(&app, key, request, next).await.unwrap_or_else(IntoResponse::into_response),
        None => Problem::new(StatusCode::BAD_REQUEST, "idempotency_key.invalid").into_response(),
    }
}

/// A claimed key. Dropped before it is settled, as when the connection breaks in the middle of an upload, it is given back.
struct Claim {
    app: App,
    caller: Uuid,
    key: String,
    at: Micros,
    settled: bool,
}

impl Claim {
    async fn keep(mut self, status: StatusCode, body: &str) -> roadstead_store::Result<()> {
        self.settled = true;
        let mut tx = self.app.store.write(&access::system()).await?;
        idempotency::keep(&mut tx, self.caller, &self.key, self.at, status.as_u16(), body).await?;
        tx.commit().await
    }

    /// Gives the key back before the answer goes out, so that it can be asked again at once.
    async fn give_back(mut self) {
        self.settled = true;
        release(&self.app, self.caller, &self.key, self.at).await;
    }
}

async fn release(app: &App, caller: Uuid, key: &str, at: Micros) {
    let released = async {
        let mut tx = app.store.write(&access::system()).await?;
        idempotency::release(&mut tx, caller, key, at).await?;
        tx.commit().await
    };
    if let Err(error) = released.await {
        tracing::warn!(%error, "a key could not be given back; it is free again in some minutes");
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let (app, caller, key, at) = (self.app.clone(), self.caller, self.key.clone(), self.at);
        tokio::spawn(async move { release(&app, caller, &key, at).await });
    }
}

/// What tells one request from another.
fn hash_of(uri: &Uri, headers: &HeaderMap, begin: &[u8]) -> [u8; 32] {
    let mut sha = Sha256::new();
    sha.update(uri.to_string());
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        sha.update([0]);
        sha.update(headers.get(name).map_or(&b""[..], HeaderValue::as_bytes));
    }
    sha.update([0]);
    sha.update(begin);
    sha.finalize().into()
}

async fn once(app: &App, key: String, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let caller = ApiCaller::check(app, &parts.method, &parts.headers).await?;
    let whose = match caller.caller.actor {
        Actor::User(id) => id.0,
        Actor::Token(id) => id.0,
        Actor::Device(_) | Actor::OutsideDesk(_) | Actor::System => return Err(Problem::not_found()),
    };
    let mut rest = body.into_data_stream();
    let mut begin: Vec<Bytes> = Vec::new();
    let mut size = 0;
    let mut whole = true;
    while let Some(piece) = rest.try_next().await.map_err(Problem::unreadable)? {
        size += piece.len();
        begin.push(piece);
        if size > COMPARED {
            whole = false;
            break;
        }
    }
    let compared = begin.concat();
    let request_hash = hash_of(&parts.uri, &parts.headers, &compared[..size.min(COMPARED)]);
    drop(compared);

    let now = app.ambient.now();
    let (since, until) = (now.plus_seconds(-KEPT_SECONDS), now.plus_seconds(CLAIM_SECONDS));
    let mut tx = app.store.write(&access::system()).await?;
    if let Some(known) = idempotency::claim(&mut tx, whose, &key, request_hash, now, since, until).await? {
        return repeat(&known, request_hash);
    }
    tx.commit().await?;
    let claim = Claim { app: app.clone(), caller: whose, key, at: now, settled: false };

    parts.extensions.insert(caller);
    let pieces = stream::iter(begin.into_iter().map(Ok)).chain(rest);
    let request = Request::from_parts(parts, Body::from_stream(pieces));
    if whole {
        // To its end, also when nobody waits for the answer any more: else a retry would not get it.
        let worked = tokio::spawn(async move { settle(claim, next.run(request).await).await });
        match worked.await {
            Ok(response) => response,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal")),
        }
    } else {
        settle(claim, next.run(request).await).await
    }
}

/// Keeps a good answer. Any other gives the key back: the request may be mended and sent again under it. So does a file,
/// which answers a question that changes nothing.
async fn settle(claim: Claim, response: Response) -> Result<Response, Problem> {
    let refused = response.extensions().get::<Problem>().is_some() || !response.status().is_success();
    let is_file = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| !kind.as_bytes().starts_with(b"application/json"));
    if refused || response.extensions().get::<HoldsSecret>().is_some() {
        return Ok(response);
    }
    if is_file {
        claim.give_back().await;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, LONGEST_ANSWER).await.map_err(Problem::unreadable)?;
    claim.keep(parts.status, &String::from_utf8_lossy(&body)).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn repeat(known: &Kept, request_hash: [u8; 32]) -> Result<Response, Problem> {
    if known.request_hash != request_hash {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key.reused"));
    }
    if known.status == 0 {
        let problem = Problem::new(StatusCode::CONFLICT, "idempotency_key.in_progress");
        return Err(Problem { retry_after: std::num::NonZeroI64::new(1), ..problem });
    }
    let status = u16::try_from(known.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let mut response = (status.unwrap_or(StatusCode::OK), known.body.clone()).into_response();
    if known.body.is_empty() {
        response.headers_mut().remove(header::CONTENT_TYPE);
    } else {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    Ok(response)
}
