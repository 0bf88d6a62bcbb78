//! `Idempotency-Key`: a JSON POST that is sent again gets the first answer, for 24 hours. A key belongs to a caller
//! and to one request; with another request it is refused.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use roadstead_domain::access::{self, Actor};
use roadstead_store::idempotency::{self, Kept};
use sha2::{Digest, Sha256};

use super::{ApiCaller, Problem};
use crate::app::App;

/// How long an answer is kept, in seconds.
const KEPT_SECONDS: i64 = 24 * 3600;
/// The largest body that is looked at; uploads of files are the same report by their own bytes.
const LARGEST: usize = 2 << 20;

/// The layer.
pub(super) async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let key =
        request.headers().get("idempotency-key").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/json"));
    match key {
        Some(key) if json && request.method() == Method::POST => {
            once(&app, key, request, next).await.unwrap_or_else(IntoResponse::into_response)
        }
        _ => next.run(request).await,
    }
}

async fn once(app: &App, key: String, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let caller = ApiCaller::check(app, &parts.method, &parts.headers).await?;
    let whose = match caller.caller.actor {
        Actor::User(id) => id.0,
        Actor::Token(id) => id.0,
        Actor::Device(_) | Actor::System => return Err(Problem::not_found()),
    };
    let body = to_bytes(body, LARGEST).await.map_err(Problem::unreadable)?;
    let mut sha = Sha256::new();
    sha.update(parts.uri.to_string());
    sha.update([0]);
    sha.update(&body);
    let request_hash: [u8; 32] = sha.finalize().into();

    let now = app.ambient.now();
    let mut tx = app.store.read(&access::system()).await?;
    if let Some(kept) = idempotency::find(&mut tx, whose, &key, now.plus_seconds(-KEPT_SECONDS)).await? {
        return repeat(&kept, request_hash);
    }
    tx.commit().await?;

    parts.extensions.insert(caller);
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    if response.extensions().get::<Problem>().is_some() || !response.status().is_success() {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, LARGEST).await.map_err(Problem::unreadable)?;
    let mut tx = app.store.write(&access::system()).await?;
    let text = String::from_utf8_lossy(&body);
    idempotency::keep(&mut tx, whose, &key, request_hash, parts.status.as_u16(), &text, now).await?;
    tx.commit().await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn repeat(kept: &Kept, request_hash: [u8; 32]) -> Result<Response, Problem> {
    if kept.request_hash != request_hash {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key.reused"));
    }
    let status = u16::try_from(kept.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let mut response = (status.unwrap_or(StatusCode::OK), kept.body.clone()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    Ok(response)
}
