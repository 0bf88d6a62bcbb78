//! The web floor: the same answers from a server that has them at hand.

use std::path::Path as FilePath;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A PC as the list tells of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Device {
    id: Uuid,
    serial_number: String,
    product_number: String,
    model: String,
    support_level: Option<String>,
    end_customer: String,
    invoice_number: String,
    sold_on: Option<String>,
    reported_by: Option<String>,
    since: String,
}

/// A page of the list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    items: Vec<Device>,
    next_cursor: Option<String>,
}

/// What is served.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Body {
    Html(String),
    Page(Page),
    Device(Device),
    Other(Value),
}

/// Serves answers read from a JSON file (a list of them) as `/0`, `/1`, ..., each made into JSON anew for every
/// request, but for texts, which are pages in HTML. Says where on standard output.
pub async fn serve(bodies: &FilePath) -> anyhow::Result<()> {
    let bodies: Vec<Body> = serde_json::from_slice(&std::fs::read(bodies)?)?;
    let bodies = bodies.into_iter().map(Arc::new).collect::<Vec<_>>();
    let router = Router::new().route("/{at}", get(answer)).with_state(Arc::new(bodies));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("The web floor listens on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}

/// Lets an `Arc` be answered without a copy.
struct Shared(Arc<Body>);

impl Serialize for Shared {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

async fn answer(
    State(bodies): State<Arc<Vec<Arc<Body>>>>,
    Path(at): Path<usize>,
) -> Result<Response, StatusCode> {
    let body = bodies.get(at).ok_or(StatusCode::NOT_FOUND)?;
    Ok(match &**body {
        Body::Html(html) => Html(html.clone()).into_response(),
        _ => Json(Shared(body.clone())).into_response(),
    })
}
