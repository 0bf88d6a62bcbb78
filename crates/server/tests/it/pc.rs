//! A PC as the platform sees it: a key, and requests signed with it. The agent itself has its own tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ed25519_dalek::SigningKey;
use roadstead_domain::clock::Clock;
use roadstead_domain::wire::key_text;
use roadstead_domain::wire::signature::{Headers, Target, sign};
use roadstead_store::testing::SteppedClock;
use serde_json::{Value, json};

use crate::world::{Answer, World};

#[derive(Clone)]
pub(crate) struct Pc {
    pub(crate) key: SigningKey,
    pub(crate) serial: String,
    http: reqwest::Client,
    url: String,
    clock: Arc<SteppedClock>,
}

static NONCES: AtomicU64 = AtomicU64::new(0);

pub(crate) fn nonce() -> String {
    format!("nonce-{}", NONCES.fetch_add(1, Ordering::Relaxed))
}

impl Pc {
    /// A PC with a key of its own, made of this number.
    pub(crate) fn new(world: &World, serial: &str, key: u8) -> Self {
        Self {
            key: SigningKey::from_bytes(&[key; 32]),
            serial: serial.to_owned(),
            http: reqwest::Client::new(),
            url: world.url.clone(),
            clock: world.clock.clone(),
        }
    }

    /// Another PC on the same connections, with a key that is made of this number.
    pub(crate) fn beside(&self, serial: &str, number: u32) -> Self {
        let mut seed = [0x5a; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        Self { key: SigningKey::from_bytes(&seed), serial: serial.to_owned(), ..self.clone() }
    }

    /// The same PC at another node.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// Seconds since 1970 by the world's clock.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().0 / 1_000_000
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        format!("{}/device/v1/{path}", self.url)
    }

    pub(crate) fn sign(&self, path: &str, body: &Value) -> Headers {
        let uri = self.uri(path);
        sign(
            &self.key,
            Target { method: "POST", uri: &uri },
            body.to_string().as_bytes(),
            self.now(),
            &nonce(),
        )
    }

    fn request(&self, path: &str, body: &Value, headers: &Headers) -> reqwest::RequestBuilder {
        self.http
            .post(self.uri(path))
            .header("content-type", "application/json")
            .header("content-digest", &headers.content_digest)
            .header("signature-input", &headers.signature_input)
            .header("signature", &headers.signature)
            .body(body.to_string())
    }

    pub(crate) async fn send(&self, path: &str, body: &Value, headers: &Headers) -> Answer {
        let response = self.request(path, body, headers).send().await.unwrap();
        Answer { status: response.status(), text: response.text().await.unwrap() }
    }

    /// The status of a refusal, and how many seconds it says to wait.
    pub(crate) async fn refused_until(&self, path: &str, body: &Value, headers: &Headers) -> (u16, i64) {
        let answer = self.request(path, body, headers).send().await.unwrap();
        let wait = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        (answer.status().as_u16(), wait)
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        let headers = self.sign(path, &body);
        self.send(path, &body, &headers).await
    }

    /// A signed GET, not yet read.
    pub(crate) async fn open(&self, path: &str, headers: &[(&str, &str)]) -> reqwest::Response {
        let uri = self.uri(path);
        let target = Target { method: "GET", uri: &uri };
        let signed = sign(&self.key, target, b"", self.now(), &nonce());
        let mut request = self
            .http
            .get(&uri)
            .header("content-digest", &signed.content_digest)
            .header("signature-input", &signed.signature_input)
            .header("signature", &signed.signature);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let response = self.open(path, &[]).await;
        Answer { status: response.status(), text: response.text().await.unwrap() }
    }

    pub(crate) fn wish(&self) -> Value {
        json!({
            "serial": self.serial, "product_number": "6T1A2EA",
            "public_key": key_text(&self.key.verifying_key()),
        })
    }

    /// Asks to join by its serial alone.
    pub(crate) async fn enrol(&self) -> Answer {
        self.post("enrolments", self.wish()).await
    }
}
