//! The link to the platform: requests signed by the PC's key. A clock that is off is set right by the server's time, for
//! signatures alone, and the request is sent once more.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::Context;
use ed25519_dalek::SigningKey;
use roadstead_domain::clock::Ambient;
use roadstead_domain::wire::signature::{Target, sign};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The link.
pub struct Link {
    http: reqwest::Client,
    server: String,
    key: SigningKey,
    ambient: Ambient,
    /// The server's clock minus ours, in seconds.
    offset: AtomicI64,
}

/// Why there is no answer that helps.
#[derive(Debug)]
pub enum LinkError {
    /// Nobody answered, or the server cannot at the moment: it is worth trying again.
    Later(String),
    /// The platform said no: its stable code and its words.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The stable code.
        code: String,
        /// What is wrong, and what to do.
        message: String,
    },
}

impl Link {
    /// A link to this server by this key.
    pub fn new(server: &str, key: SigningKey, ambient: Ambient) -> anyhow::Result<Self> {
        // A provider that is set already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("roadstead-agent/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("no HTTP client")?;
        Ok(Self { http, server: server.to_owned(), key, ambient, offset: AtomicI64::new(0) })
    }

    /// Sends a signed POST.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, LinkError> {
        let body = serde_json::to_string(body).map_err(|error| LinkError::Later(error.to_string()))?;
        self.post_text(path, &body).await
    }

    /// Sends a signed POST of JSON text.
    pub async fn post_text<T: DeserializeOwned>(&self, path: &str, body: &str) -> Result<T, LinkError> {
        match self.send(path, body).await {
            Err(Failure::Skewed(offset)) => {
                self.offset.store(offset, Ordering::Relaxed);
                tracing::warn!(offset, "this PC's clock is off by so many seconds");
                self.send(path, body).await.map_err(Failure::end)
            }
            other => other.map_err(Failure::end),
        }
    }

    async fn send<T: DeserializeOwned>(&self, path: &str, body: &str) -> Result<T, Failure> {
        let later = |error: reqwest::Error| Failure::Error(LinkError::Later(format!("{error:#}")));
        let uri = format!("{}/device/v1/{path}", self.server);
        let now = self.ambient.now().0.div_euclid(1_000_000);
        let mut nonce = [0_u8; 16];
        self.ambient.entropy.fill(&mut nonce);
        let created = now + self.offset.load(Ordering::Relaxed);
        let target = Target { method: "POST", uri: &uri };
        let signed = sign(&self.key, target, body.as_bytes(), created, &hex::encode(nonce));
        let response = self
            .http
            .post(&uri)
            .header("content-type", "application/json")
            .header("content-digest", signed.content_digest)
            .header("signature-input", signed.signature_input)
            .header("signature", signed.signature)
            .body(body.to_owned())
            .send()
            .await
            .map_err(later)?;
        let status = response.status();
        let text = response.text().await.map_err(later)?;
        if status.is_success() {
            let unreadable = |error: serde_json::Error| {
                Failure::Error(LinkError::Later(format!("the answer cannot be read: {error}")))
            };
            return serde_json::from_str(&text).map_err(unreadable);
        }
        let problem: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let part = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        let code = part("code");
        if code == "signature.clock_skewed"
            && let Ok(server) = part("server_time").parse::<jiff::Timestamp>()
        {
            return Err(Failure::Skewed(server.as_second() - now));
        }
        let message = format!("{}. {}", part("title"), part("detail"));
        Err(Failure::Error(if status.is_server_error() || status.as_u16() == 429 || code.is_empty() {
            LinkError::Later(format!("{status} {code}"))
        } else {
            LinkError::Refused { status: status.as_u16(), code, message }
        }))
    }
}

enum Failure {
    /// The clock is off: the server's minus ours.
    Skewed(i64),
    Error(LinkError),
}

impl Failure {
    fn end(self) -> LinkError {
        match self {
            Failure::Skewed(_) => LinkError::Later("the clock is off, again".to_owned()),
            Failure::Error(error) => error,
        }
    }
}
