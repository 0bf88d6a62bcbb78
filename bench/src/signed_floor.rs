//! The web floor of check-ins: the same requests, whose signatures are checked as the product checks them, and nothing
//! behind it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::{get, post};
use axum::{Json, Router};
use roadstead_domain::wire::signature::{Claim, Target, check_digest};
use roadstead_domain::wire::{CheckIn, CheckedIn, read_key};

/// Serves `POST /device/v1/check-ins` for PCs that know the platform by this origin, and `GET /ping`. Says where on
/// standard output.
pub async fn serve(origin: String) -> anyhow::Result<()> {
    let router = Router::new()
        .route("/ping", get(async || "pong"))
        .route("/device/v1/check-ins", post(check_in))
        .with_state(Arc::<str>::from(origin));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("The floor of signed requests listens on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}

async fn check_in(
    State(origin): State<Arc<str>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<CheckedIn>, StatusCode> {
    signed(&origin, &uri, &headers, &body).ok_or(StatusCode::UNAUTHORIZED)?;
    let read: CheckIn = serde_json::from_slice(&body).map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)?;
    Ok(Json(CheckedIn {
        next_seconds: 300,
        collect_user: read.user.is_some(),
        collect_location: read.location.is_some(),
        challenge: None,
    }))
}

fn signed(origin: &str, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Option<()> {
    let text = |name| headers.get(name)?.to_str().ok();
    let claim = Claim::read(text("signature-input")?, text("signature")?).ok()?;
    let digest = text("content-digest")?;
    check_digest(digest, body).ok()?;
    let uri = format!("{origin}{}", uri.path());
    claim.verify(&read_key(&claim.key_id)?, Target { method: "POST", uri: &uri }, digest, |_| None).ok()
}
