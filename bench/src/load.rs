//! Requests as fast as they are answered, from a number of kept connections. Product and web floor get the same.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, header};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::http::dial;

/// What is asked for, and how long the answer is.
#[derive(Clone, Debug)]
pub struct Target {
    /// Of whom.
    pub address: SocketAddr,
    /// Path and query.
    pub path: String,
    /// Bearer token.
    pub token: String,
    /// Bytes of the right answer.
    pub bytes: u64,
}

/// What a slice of time brought.
#[derive(Clone, Debug, Default)]
pub struct Slice {
    /// Answers.
    pub answers: u64,
    /// How long it was.
    pub seconds: f64,
    /// How long each answer took, in milliseconds.
    pub millis: Vec<f64>,
}

impl Slice {
    /// Answers per second.
    pub fn rate(&self) -> f64 {
        self.answers as f64 / self.seconds
    }

    /// From what each worker saw after `start`.
    pub fn gather(start: Instant, parts: impl IntoIterator<Item = (Instant, Vec<f64>)>) -> Self {
        let mut slice = Self::default();
        let mut end = start;
        for (ended, millis) in parts {
            end = end.max(ended);
            slice.millis.extend(millis);
        }
        slice.answers = slice.millis.len() as u64;
        slice.seconds = (end - start).as_secs_f64();
        slice
    }
}

/// Asks for `length`, after every connection stands and has been answered once.
pub async fn ask(target: &Target, connections: usize, length: Duration) -> anyhow::Result<Slice> {
    let target = Arc::new(target.clone());
    let ready = Arc::new(Barrier::new(connections + 1));
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        workers.spawn(worker(target.clone(), ready.clone(), length));
    }
    // A worker that fails before it is ready would leave the others waiting.
    tokio::time::timeout(Duration::from_secs(10), ready.wait())
        .await
        .context("not every connection stands")?;
    let start = Instant::now();
    let mut parts = Vec::with_capacity(connections);
    while let Some(part) = workers.join_next().await {
        parts.push(part??);
    }
    Ok(Slice::gather(start, parts))
}

async fn worker(
    target: Arc<Target>,
    ready: Arc<Barrier>,
    length: Duration,
) -> anyhow::Result<(Instant, Vec<f64>)> {
    let (mut sender, connection) = http1::handshake(dial(target.address).await?).await?;
    let asking = async move {
        once(&target, &mut sender).await?;
        ready.wait().await;
        let mut millis = Vec::new();
        let mut before = Instant::now();
        let until = before + length;
        while before < until {
            once(&target, &mut sender).await?;
            let now = Instant::now();
            millis.push((now - before).as_secs_f64() * 1000.0);
            before = now;
        }
        anyhow::Ok((before, millis))
    };
    // Both in one task: an answer wakes whoever asked without going through another.
    tokio::select! {
        done = asking => done,
        ended = connection => {
            ended?;
            bail!("the server closed a connection")
        }
    }
}

async fn once(target: &Target, sender: &mut SendRequest<Empty<Bytes>>) -> anyhow::Result<()> {
    let request = Request::get(&target.path)
        .header(header::HOST, "bench")
        .header(header::AUTHORIZATION, format!("Bearer {}", target.token))
        .body(Empty::new())?;
    sender.ready().await?;
    let response = sender.send_request(request).await?;
    ensure!(response.status().is_success(), "{} answered {}", target.path, response.status());
    let mut body = response.into_body();
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        bytes += frame?.data_ref().map_or(0, |data| data.len() as u64);
    }
    ensure!(bytes == target.bytes, "{} answered {bytes} bytes instead of {}", target.path, target.bytes);
    Ok(())
}
