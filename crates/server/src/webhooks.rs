//! Sends signed messages to outside systems. What is behind walls is not called unless the operator says so.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, StatusCode, Url, redirect};
use roadstead_domain::webhook::{is_public, sign};
use roadstead_store::outside_desks::Failure;

use crate::app::App;

/// How long a receiver may take to answer; Standard Webhooks recommends 15 to 30 seconds.
const PATIENCE: Duration = Duration::from_secs(15);
/// The longest address.
const LONGEST_URL: usize = 2000;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Taken,
    /// It was not.
    NotTaken(Failure),
    /// The receiver wants no message any more (410).
    Unwanted,
}

impl Outcome {
    fn failed(code: &'static str, status: Option<u16>) -> Self {
        Self::NotTaken(Failure { code, status })
    }
}

/// The address, if messages may go there: https, and no address behind walls, unless the operator allows both.
pub fn check_url(app: &App, text: &str) -> Result<Url, &'static str> {
    if text.len() > LONGEST_URL {
        return Err("field.too_long");
    }
    let url: Url = text.parse().map_err(|_| "outside_desk.no_address")?;
    let allows_private = app.config.private_outside_desks;
    let is_web = url.scheme() == "https" || (allows_private && url.scheme() == "http");
    if !is_web || url.host_str().is_none() || !url.username().is_empty() || url.password().is_some() {
        return Err("outside_desk.no_address");
    }
    match literal(&url) {
        Some(address) if !allows_private && !is_public(address) => Err("outside_desk.private_address"),
        _ => Ok(url),
    }
}

/// The address's host, where it is a number: such a one is never looked up.
fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}

/// Looks names up and keeps the public addresses: at the moment of the call, so that a name that leads elsewhere by then
/// helps nobody.
struct PublicOnly;

/// A name that leads behind walls.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to no public address")]
struct BehindWalls;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(BehindWalls.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// What sends.
pub struct Sender {
    client: Client,
}

impl Sender {
    /// Ready to send.
    pub fn new(app: &App) -> anyhow::Result<Self> {
        // A proxy would look names up by itself, behind our back.
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(PATIENCE)
            .user_agent("Roadstead")
            .no_proxy();
        let client = if app.config.private_outside_desks { client } else { client.dns_resolver(PublicOnly) };
        Ok(Self { client: client.build()? })
    }

    /// Sends a message, signed with these secrets, at this second since 1970.
    pub async fn send(&self, url: Url, secrets: &[&[u8]], id: &str, seconds: i64, body: String) -> Outcome {
        let request = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", sign(secrets, id, seconds, body.as_bytes()))
            .body(body);
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Outcome::Taken,
            Ok(answer) if answer.status() == StatusCode::GONE => Outcome::Unwanted,
            Ok(answer) => Outcome::failed("outside_desk.refused", Some(answer.status().as_u16())),
            Err(error) if is_behind_walls(&error) => Outcome::failed("outside_desk.private_address", None),
            Err(error) => {
                tracing::warn!("an outside desk cannot be reached: {:#}", anyhow::Error::from(error));
                Outcome::failed("outside_desk.unreachable", None)
            }
        }
    }
}

fn is_behind_walls(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<BehindWalls>() {
            return true;
        }
        cause = error.source();
    }
    false
}
