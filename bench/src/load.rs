//! Requests as fast as they are answered, from a number of kept connections. Product and web floor get the same.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, header};
use serde_json::{Map, Value};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::http::{Credential, dial};
use crate::machine::{Spread, percentile};
use crate::object;
use crate::report::figure;

/// What is asked for, and how long the answer is.
#[derive(Clone, Debug)]
pub struct Target {
    /// Of whom.
    pub address: SocketAddr,
    /// What is asked for, in no order: path and query, and the bytes of the right answer.
    pub paths: Vec<(String, u64)>,
    /// What is shown.
    pub credential: Credential,
}

impl Target {
    /// The bytes of an answer, on average.
    pub fn bytes(&self) -> u64 {
        self.paths.iter().map(|(_, bytes)| bytes).sum::<u64>() / self.paths.len().max(1) as u64
    }
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

/// Slices of one kind at one place.
#[derive(Debug, Default)]
pub struct Slices {
    /// One after the other.
    pub slices: Vec<Slice>,
    /// What all of them used of the processor.
    pub cpu_ms: f64,
}

impl Slices {
    /// The rates of all.
    pub fn rates(&self) -> Spread {
        Spread::of(&self.slices.iter().map(Slice::rate).collect::<Vec<_>>())
    }

    /// Microseconds of processor an answer.
    pub fn cpu_us(&self) -> f64 {
        self.cpu_ms * 1000.0 / self.slices.iter().map(|slice| slice.answers).sum::<u64>().max(1) as f64
    }

    /// A row for the table.
    pub fn row(&self, who: &str, place: &Map<String, Value>, bytes: Option<u64>) -> Map<String, Value> {
        let mut millis: Vec<f64> =
            self.slices.iter().flat_map(|slice| slice.millis.iter().copied()).collect();
        millis.sort_unstable_by(f64::total_cmp);
        let known = |value: f64| if value > 0.0 { figure(value).into() } else { Value::from("-") };
        let rates = self.rates();
        let mut row = place.clone();
        row.extend(object! {
            "who" => who, "per_second" => figure(rates.median), "min" => figure(rates.min),
            "max" => figure(rates.max), "p50_ms" => known(percentile(&millis, 0.5)),
            "p99_ms" => known(percentile(&millis, 0.99)), "cpu_us_each" => known(self.cpu_us()),
            "bytes" => bytes.map_or(Value::from("-"), Value::from),
        });
        row
    }
}

/// Asks for `length`, after every connection stands and has been answered once.
pub async fn ask(target: &Target, connections: usize, length: Duration) -> anyhow::Result<Slice> {
    let target = Arc::new(target.clone());
    let ready = Arc::new(Barrier::new(connections + 1));
    let mut workers = JoinSet::new();
    for number in 0..connections {
        workers.spawn(worker(target.clone(), number, ready.clone(), length));
    }
    gathered(&ready, workers).await
}

/// What the workers bring, each an instant and milliseconds, from when all of them stand.
pub async fn gathered(
    ready: &Barrier,
    mut workers: JoinSet<anyhow::Result<(Instant, Vec<f64>)>>,
) -> anyhow::Result<Slice> {
    // A worker that fails before it is ready would leave the others waiting.
    tokio::time::timeout(Duration::from_secs(10), ready.wait())
        .await
        .context("not every connection stands")?;
    let start = Instant::now();
    let mut parts = Vec::with_capacity(workers.len());
    while let Some(part) = workers.join_next().await {
        parts.push(part??);
    }
    Ok(Slice::gather(start, parts))
}

async fn worker(
    target: Arc<Target>,
    number: usize,
    ready: Arc<Barrier>,
    length: Duration,
) -> anyhow::Result<(Instant, Vec<f64>)> {
    let (mut sender, connection) = http1::handshake(dial(target.address).await?).await?;
    let asking = async move {
        // Numbers of a generator of Lehmer's; each connection begins elsewhere.
        let mut dice = number as u64 * 7919 + 1;
        let mut any = || {
            dice = dice * 48_271 % 2_147_483_647;
            &target.paths[dice as usize % target.paths.len()]
        };
        once(&target, any(), &mut sender).await?;
        ready.wait().await;
        let mut millis = Vec::new();
        let mut before = Instant::now();
        let until = before + length;
        while before < until {
            once(&target, any(), &mut sender).await?;
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

async fn once(
    target: &Target,
    (path, expected): &(String, u64),
    sender: &mut SendRequest<Empty<Bytes>>,
) -> anyhow::Result<()> {
    let request = Request::get(path)
        .header(header::HOST, "bench")
        .header(&target.credential.name, &target.credential.value)
        .body(Empty::new())?;
    sender.ready().await?;
    let response = sender.send_request(request).await?;
    ensure!(response.status().is_success(), "{} answered {}", path, response.status());
    let mut body = response.into_body();
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        bytes += frame?.data_ref().map_or(0, |data| data.len() as u64);
    }
    ensure!(bytes == *expected, "{} answered {bytes} bytes instead of {}", path, expected);
    Ok(())
}
