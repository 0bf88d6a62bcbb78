//! Requests of PCs, signed by their keys before the clock runs, as the agent signs them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::ensure;
use ed25519_dalek::SigningKey;
use http_body_util::BodyExt;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, StatusCode, header};
use roadstead_domain::wire::signature::{Headers, Target, sign};
use serde_json::Value;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::http::{AnyBody, Events, dial, full};
use crate::load::{self, Slice};

/// A signed request.
#[derive(Clone, Debug)]
pub struct Signed {
    method: Method,
    path: String,
    host: String,
    body: Bytes,
    headers: Headers,
    /// Whether it is to be refused for what it says.
    pub refused: bool,
}

impl Signed {
    /// Signs a POST of JSON to the platform that PCs know by this address.
    pub fn post(known_as: SocketAddr, path: &str, key: &SigningKey, body: &Value) -> Self {
        Self::of(known_as, Method::POST, path, key, body.to_string().into())
    }

    /// Signs a GET.
    pub fn get(known_as: SocketAddr, path: &str, key: &SigningKey) -> Self {
        Self::of(known_as, Method::GET, path, key, Bytes::new())
    }

    fn of(known_as: SocketAddr, method: Method, path: &str, key: &SigningKey, body: Bytes) -> Self {
        let (host, path) = (known_as.to_string(), format!("/device/v1/{path}"));
        let uri = format!("http://{host}{path}");
        let target = Target { method: method.as_str(), uri: &uri };
        let nonce = uuid::Uuid::now_v7().simple().to_string();
        let headers = sign(key, target, &body, jiff::Timestamp::now().as_second(), &nonce);
        Self { method, path, host, body, headers, refused: false }
    }

    /// The same with another one's signature.
    pub fn forged(&self, other: &Self) -> Self {
        let signature = other.headers.signature.clone();
        Self { headers: Headers { signature, ..self.headers.clone() }, ..self.clone() }
    }

    fn request(&self) -> anyhow::Result<Request<AnyBody>> {
        Ok(Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, "application/json")
            .header("content-digest", &self.headers.content_digest)
            .header("signature-input", &self.headers.signature_input)
            .header("signature", &self.headers.signature)
            .body(full(self.body.clone()))?)
    }
}

/// A kept connection that requests of any PC are sent by.
pub struct Connection(SendRequest<AnyBody>);

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let (sender, connection) = http1::handshake(dial(address).await?).await?;
        // Its end shows at the next request.
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Sends it; what is answered.
    pub async fn send(&mut self, signed: &Signed) -> anyhow::Result<(StatusCode, Bytes)> {
        self.0.ready().await?;
        let response = self.0.send_request(signed.request()?).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }

    /// Sends it; the answer as it has to be.
    pub async fn ask(&mut self, signed: &Signed) -> anyhow::Result<Bytes> {
        let (status, bytes) = self.send(signed).await?;
        let right =
            if signed.refused { status == StatusCode::UNPROCESSABLE_ENTITY } else { status.is_success() };
        ensure!(right, "{} answered {status}: {}", signed.path, String::from_utf8_lossy(&bytes));
        Ok(bytes)
    }

    /// Opens the live channel that this asks for. The connection is the channel's from then on.
    pub async fn follow(mut self, signed: &Signed) -> anyhow::Result<Events> {
        self.0.ready().await?;
        let response = self.0.send_request(signed.request()?).await?;
        let status = response.status();
        if !status.is_success() {
            let text = response.into_body().collect().await?.to_bytes();
            anyhow::bail!("{} answered {status}: {}", signed.path, String::from_utf8_lossy(&text));
        }
        Ok(Events::of(response.into_body(), self.0))
    }
}

/// Sends every request once, from so many connections that stand before the clock runs.
pub async fn send_all(
    address: SocketAddr,
    requests: Arc<Vec<Signed>>,
    connections: usize,
) -> anyhow::Result<Slice> {
    let next = Arc::new(AtomicUsize::new(0));
    let ready = Arc::new(Barrier::new(connections + 1));
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        let (requests, next, ready) = (requests.clone(), next.clone(), ready.clone());
        workers.spawn(async move {
            let mut connection = Connection::open(address).await?;
            ready.wait().await;
            let (mut millis, mut before) = (Vec::new(), Instant::now());
            while let Some(signed) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                connection.ask(signed).await?;
                let now = Instant::now();
                millis.push((now - before).as_secs_f64() * 1000.0);
                before = now;
            }
            anyhow::Ok((before, millis))
        });
    }
    load::gathered(&ready, workers).await
}
