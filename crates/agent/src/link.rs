//! The link to the platform: requests signed by the PC's key. A clock that is off is set right by the server's time, for
//! signatures and for what has its time, and the request is sent once more.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use ed25519_dalek::SigningKey;
use reqwest::{Method, RequestBuilder, Response};
use roadstead_domain::clock::{Ambient, Micros};
use roadstead_domain::wire::signature::{Target, sign};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::texts::Lang;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the event channel may be silent.
const SILENCE: Duration = Duration::from_secs(90);

/// The link.
pub struct Link {
    http: reqwest::Client,
    server: String,
    key: SigningKey,
    ambient: Ambient,
    /// The server's clock minus ours, in seconds.
    offset: AtomicI64,
    /// When the last request was signed, by the server's clock, in seconds: check-ins are taken in the order in which they are
    /// signed, whatever becomes of our clock.
    signed: AtomicI64,
    /// In which language its texts shall be.
    lang: Mutex<Lang>,
    /// Where the offset is remembered: a restart without a connection knows the time as well.
    offset_file: PathBuf,
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
        /// All that it said.
        problem: serde_json::Value,
    },
}

impl Link {
    /// A link to this server by this key; what it has to remember it keeps in this directory.
    pub fn new(server: &str, key: SigningKey, state: &Path, ambient: Ambient) -> anyhow::Result<Self> {
        // A provider that is set already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .read_timeout(SILENCE)
            .connect_timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("roadstead-agent/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("no HTTP client")?;
        let offset_file = state.join("clock-offset");
        let offset = std::fs::read_to_string(&offset_file).ok().and_then(|text| text.trim().parse().ok());
        let offset = AtomicI64::new(offset.unwrap_or(0));
        Ok(Self {
            http,
            server: server.to_owned(),
            key,
            ambient,
            offset,
            signed: AtomicI64::default(),
            lang: Mutex::default(),
            offset_file,
        })
    }

    /// The present instant by the server's clock, as far as it is known.
    pub fn now(&self) -> Micros {
        self.ambient.now().plus_seconds(self.offset.load(Ordering::Relaxed))
    }

    /// Asks for texts in this language from now on.
    pub fn speak(&self, lang: Lang) {
        *self.lang.lock().unwrap_or_else(PoisonError::into_inner) = lang;
    }

    /// Sends a signed POST.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, LinkError> {
        let body = serde_json::to_string(body).map_err(|error| LinkError::Later(error.to_string()))?;
        self.post_text(path, &body).await
    }

    /// Sends a signed POST of JSON text.
    pub async fn post_text<T: DeserializeOwned>(&self, path: &str, body: &str) -> Result<T, LinkError> {
        let build = |request: RequestBuilder| {
            request.timeout(PATIENCE).header("content-type", "application/json").body(body.to_owned())
        };
        let response = self.send(Method::POST, path, body, build).await?;
        let text = response.text().await.map_err(|error| LinkError::Later(format!("{error:#}")))?;
        // An answer without content says no more than that.
        let text = if text.is_empty() { "null" } else { &text };
        serde_json::from_str(text)
            .map_err(|error| LinkError::Later(format!("the answer cannot be read: {error}")))
    }

    /// Opens a signed stream of events, going on after the event with this id.
    pub async fn follow(&self, path: &str, after: Option<&str>) -> Result<Response, LinkError> {
        let build = |request: RequestBuilder| {
            let request = request.header("accept", "text/event-stream");
            match after {
                Some(id) => request.header("last-event-id", id),
                None => request,
            }
        };
        self.send(Method::GET, path, "", build).await
    }

    /// Sends a request; where the clock is off, once more.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: &str,
        build: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, LinkError> {
        match self.send_once(method.clone(), path, body, &build).await {
            Err(Failure::Skewed(offset)) => {
                tracing::warn!(offset, "this PC's clock is off by so many seconds");
                self.offset.store(offset, Ordering::Relaxed);
                self.signed.store(0, Ordering::Relaxed);
                if let Err(error) = std::fs::write(&self.offset_file, offset.to_string()) {
                    tracing::warn!("{} cannot be written: {error}", self.offset_file.display());
                }
                self.send_once(method, path, body, &build).await.map_err(Failure::end)
            }
            other => other.map_err(Failure::end),
        }
    }

    async fn send_once(
        &self,
        method: Method,
        path: &str,
        body: &str,
        build: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Failure> {
        let later = |error: reqwest::Error| Failure::Error(LinkError::Later(format!("{error:#}")));
        let uri = format!("{}/device/v1/{path}", self.server);
        let now = self.ambient.now().0.div_euclid(1_000_000);
        let mut nonce = [0_u8; 16];
        self.ambient.entropy.fill(&mut nonce);
        let created = now + self.offset.load(Ordering::Relaxed);
        let created = self.signed.fetch_max(created, Ordering::Relaxed).max(created);
        let target = Target { method: method.as_str(), uri: &uri };
        let signed = sign(&self.key, target, body.as_bytes(), created, &hex::encode(nonce));
        let lang = *self.lang.lock().unwrap_or_else(PoisonError::into_inner);
        let request = self
            .http
            .request(method, &uri)
            .header("accept-language", lang.code())
            .header("content-digest", signed.content_digest)
            .header("signature-input", signed.signature_input)
            .header("signature", signed.signature);
        let response = build(request).send().await.map_err(later)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.map_err(later)?;
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
            LinkError::Refused { status: status.as_u16(), code, message, problem }
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
