//! W5: PCs enrol by a cPIN, every tenth with a slip in it, and check in, each request signed by the PC's own key before the
//! clock runs. Beside both, durable commits of one row: one a request, and grouped as many as there are connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use ed25519_dalek::SigningKey;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use roadstead_domain::wire::key_text;
use roadstead_domain::wire::signature::{Target, sign};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use crate::Options;
use crate::engine::{Database, Engine, Inside};
use crate::http::{dial, text_at};
use crate::load::Slice;
use crate::machine::{idle_share, percentile, settle};
use crate::object;
use crate::report::{Table, Workload, figure};
use crate::server::Platform;
use crate::transfer;

/// Connections at a time.
const CONNECTIONS: [usize; 2] = [16, 64];
/// Every so many-th cPIN has a slip.
const SLIP: usize = 10;

/// A signed request, and whether it is to be refused.
struct Signed {
    body: Bytes,
    digest: String,
    input: String,
    signature: String,
    refused: bool,
}

/// The key of a PC.
fn key(number: u64) -> SigningKey {
    let mut seed = [0x3c; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    SigningKey::from_bytes(&seed)
}

fn signed(path: &str, key: &SigningKey, body: &Value, nonce: &str, refused: bool) -> Signed {
    let body = body.to_string();
    let uri = format!("http://bench/device/v1/{path}");
    let now = jiff::Timestamp::now().as_second();
    let headers = sign(key, Target { method: "POST", uri: &uri }, body.as_bytes(), now, nonce);
    Signed {
        body: body.into(),
        digest: headers.content_digest,
        input: headers.signature_input,
        signature: headers.signature,
        refused,
    }
}

/// Sends every request once, from so many connections.
async fn send_all(
    address: SocketAddr,
    path: &'static str,
    requests: Vec<Signed>,
    connections: usize,
) -> anyhow::Result<Slice> {
    let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
    let mut workers = JoinSet::new();
    let start = Instant::now();
    for _ in 0..connections {
        let (requests, next) = (requests.clone(), next.clone());
        workers.spawn(async move {
            let (mut sender, connection) = http1::handshake(dial(address).await?).await?;
            tokio::spawn(connection);
            let mut millis = Vec::new();
            while let Some(signed) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                let before = Instant::now();
                let request = Request::post(format!("/device/v1/{path}"))
                    .header(header::HOST, "bench")
                    .header(header::CONTENT_TYPE, "application/json")
                    .header("content-digest", &signed.digest)
                    .header("signature-input", &signed.input)
                    .header("signature", &signed.signature)
                    .body(Full::new(signed.body.clone()))?;
                sender.ready().await?;
                let response = sender.send_request(request).await?;
                let status = response.status();
                let text = response.into_body().collect().await?.to_bytes();
                let right = if signed.refused {
                    status == StatusCode::UNPROCESSABLE_ENTITY
                } else {
                    status.is_success()
                };
                ensure!(right, "{path} answered {status}: {}", String::from_utf8_lossy(&text));
                millis.push(before.elapsed().as_secs_f64() * 1000.0);
            }
            anyhow::Ok((Instant::now(), millis))
        });
    }
    let mut parts = Vec::new();
    while let Some(part) = workers.join_next().await {
        parts.push(part??);
    }
    Ok(Slice::gather(start, parts))
}

fn row(what: &str, connections: usize, who: &str, slice: &Slice, cpu_us: Option<f64>) -> Map<String, Value> {
    let mut millis = slice.millis.clone();
    millis.sort_unstable_by(f64::total_cmp);
    object! {
        "what" => what, "connections" => connections, "who" => who, "per_second" => figure(slice.rate()),
        "p50_ms" => figure(percentile(&millis, 0.5)), "p99_ms" => figure(percentile(&millis, 0.99)),
        "cpu_us_each" => cpu_us.map_or(Value::from("-"), |us| figure(us).into()),
    }
}

/// Runs both at both numbers of connections.
pub async fn run(options: &Options, engine: &Engine) -> anyhow::Result<Workload> {
    let platform = Platform::start(&options.server, Database::fresh(engine, &options.dir).await?).await?;
    let mut client = transfer::partner(&platform).await?;
    let customer = transfer::customer(&mut client).await?;
    let made = client.post(&format!("/api/v1/customers/{customer}/cpins"), &json!({})).await?;
    let cpin = text_at(&made, "/cpin")?.to_owned();
    let slip: String = {
        let mut letters: Vec<char> = cpin.chars().collect();
        let other =
            letters.iter().rposition(|c| *c != letters[0] && *c != '-').context("a cPIN of one letter")?;
        letters.swap(0, other);
        letters.into_iter().collect()
    };
    let inside = platform.look_inside().await?;
    let per = usize::try_from(options.pcs / CONNECTIONS.len() as u64)?;
    let (mut rows, mut idle, mut enrolled) = (Vec::new(), Vec::new(), Vec::new());
    for (at, connections) in CONNECTIONS.into_iter().enumerate() {
        let numbers = at * per..(at + 1) * per;
        let requests: Vec<Signed> = numbers
            .map(|number| {
                let (key, refused) = (key(number as u64), number % SLIP == SLIP - 1);
                if !refused {
                    enrolled.push(number as u64);
                }
                let wish = json!({
                    "serial": format!("5CW{number:07}"), "product_number": "6T1A2EA",
                    "public_key": key_text(&key.verifying_key()), "cpin": if refused { &slip } else { &cpin },
                });
                signed("enrolments", &key, &wish, &format!("e{number}"), refused)
            })
            .collect();
        settle().await?;
        idle.push(idle_share().await?);
        let (count, cpu) = (requests.len() as f64, platform.cpu_ms()?);
        let slice = send_all(platform.process.address, "enrolments", requests, connections).await?;
        let cpu = (platform.cpu_ms()? - cpu) * 1000.0 / count;
        rows.push(row("enrolment by cPIN", connections, "product", &slice, Some(cpu)));
        let there = inside
            .number("SELECT COUNT(*) FROM placements WHERE tenant = $1", &[crate::engine::Cell::Id(customer)])
            .await?;
        ensure!(there == i64::try_from(enrolled.len())?, "{there} PCs are in the tenant");
        for grouped in [1, connections] {
            let slice = commits(&platform.database, &inside, connections, grouped).await?;
            rows.push(row(
                "commits of one row",
                connections,
                &format!("floor, {grouped} a commit"),
                &slice,
                None,
            ));
        }
    }
    for connections in CONNECTIONS {
        let requests: Vec<Signed> = enrolled
            .iter()
            .map(|number| {
                let temperature = if number % 20 == 0 { 98 } else { 41 };
                let body = json!({
                    "readings": { "cpu_celsius": temperature, "uptime_seconds": 86_400 + number }, "agent": "0.1.0",
                });
                signed("check-ins", &key(*number), &body, &format!("c{connections}-{number}"), false)
            })
            .collect();
        settle().await?;
        idle.push(idle_share().await?);
        let (count, cpu) = (requests.len() as f64, platform.cpu_ms()?);
        let slice = send_all(platform.process.address, "check-ins", requests, connections).await?;
        let cpu = (platform.cpu_ms()? - cpu) * 1000.0 / count;
        rows.push(row("check-in", connections, "product", &slice, Some(cpu)));
        let seen = inside.number("SELECT COUNT(*) FROM check_ins", &[]).await?;
        ensure!(seen == i64::try_from(enrolled.len())?, "{seen} PCs were seen");
        for grouped in [1, connections] {
            let slice = commits(&platform.database, &inside, connections, grouped).await?;
            rows.push(row(
                "commits of one row",
                connections,
                &format!("floor, {grouped} a commit"),
                &slice,
                None,
            ));
        }
    }
    let least = idle.iter().copied().fold(1.0, f64::min);
    let facts = object! {
        "engine" => engine.settings(), "pcs" => options.pcs, "least_idle_before" => figure(least),
        "how" => "POST /device/v1/enrolments and /device/v1/check-ins, each signed by the PC's key (RFC 9421)",
        "durability" => "an enrolment is a commit of its own; check-ins that come while one commits are the next commit",
        "wrong_cpins" => "every tenth has a slip and is refused by its check character; guesses are throttled, so that they \
                          are no load",
        "checked" => "every answer's status; the PCs in the tenant; the PCs that were seen",
    };
    drop(inside);
    platform.remove().await?;
    Ok(Workload { id: "W5", facts, tables: vec![Table { title: "per second", rows }], bounds: Vec::new() })
}

/// Durable commits of so many rows each, for two seconds.
async fn commits(
    database: &Database,
    inside: &Inside,
    connections: usize,
    grouped: usize,
) -> anyhow::Result<Slice> {
    const LENGTH: Duration = Duration::from_secs(2);
    let text = "x".repeat(90);
    match inside {
        Inside::Sqlite(connection) => {
            connection.execute_batch(
                "PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS bench_commits (id INTEGER PRIMARY KEY, text TEXT)",
            )?;
            let (start, mut before) = (Instant::now(), Instant::now());
            let mut millis = Vec::new();
            while before < start + LENGTH {
                connection.execute_batch("BEGIN IMMEDIATE")?;
                let mut insert = connection.prepare_cached("INSERT INTO bench_commits (text) VALUES (?1)")?;
                for _ in 0..grouped {
                    insert.execute([&text])?;
                }
                connection.execute_batch("COMMIT")?;
                let now = Instant::now();
                millis.extend(std::iter::repeat_n((now - before).as_secs_f64() * 1000.0, grouped));
                before = now;
            }
            Ok(Slice::gather(start, [(before, millis)]))
        }
        Inside::Postgres(client) => {
            client
                .batch_execute(
                    "CREATE TABLE IF NOT EXISTS bench_commits (id bigserial PRIMARY KEY, text text)",
                )
                .await?;
            // Whoever groups has one connection that commits.
            let writers = if grouped == 1 { connections } else { 1 };
            let mut clients = Vec::with_capacity(writers);
            for _ in 0..writers {
                clients.push(database.client().await?);
            }
            let start = Instant::now();
            let mut workers = JoinSet::new();
            for client in clients {
                let text = text.clone();
                workers.spawn(async move {
                    let sql = "INSERT INTO bench_commits (text) SELECT $1 FROM generate_series(1, $2)";
                    let insert = client.prepare(sql).await?;
                    let rows = i32::try_from(grouped)?;
                    let (mut before, mut millis) = (Instant::now(), Vec::new());
                    while before < start + LENGTH {
                        client.execute(&insert, &[&text, &rows]).await?;
                        let now = Instant::now();
                        millis.extend(std::iter::repeat_n((now - before).as_secs_f64() * 1000.0, grouped));
                        before = now;
                    }
                    anyhow::Ok((before, millis))
                });
            }
            let mut parts = Vec::new();
            while let Some(part) = workers.join_next().await {
                parts.push(part??);
            }
            Ok(Slice::gather(start, parts))
        }
    }
}
