//! W4: 10,000 PCs of one partner moved to 100 customer tenants as one transfer, and the transfer undone; beside it the
//! same rows moved by one bare UPDATE with the same rows of the log. Then 100,000 rows, for the server's memory.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use futures_util::SinkExt;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Options;
use crate::asked::{self, PARTNER};
use crate::engine::{Cell, Database, Engine, Inside};
use crate::floor;
use crate::generator;
use crate::http::{Client, text_at};
use crate::machine::{Spread, idle_share, settle};
use crate::object;
use crate::report::{Bound, Outcome, Table, Workload, figure};
use crate::server::{Platform, make_token, serve};

/// Tenants that the PCs go to.
const TARGETS: usize = 100;
/// The sizes that the bounds are about.
const FULL_PCS: u64 = 1_000_000;
const FULL_MOVED: u64 = 10_000;
/// What product reaches of the bare UPDATE at least.
const LEAST: f64 = 0.5;
/// Rows of the large transfer, and the most memory of the server meanwhile.
const LARGE: u64 = 100_000;
const PEAK_MB: f64 = 300.0;

/// Seconds and milliseconds of processor.
#[derive(Clone, Copy)]
struct Taken {
    seconds: f64,
    cpu_ms: f64,
}

#[derive(Default)]
struct Times {
    there: Vec<Taken>,
    back: Vec<Taken>,
}

/// What moves where.
struct Plan {
    serials: Vec<String>,
    targets: Vec<Uuid>,
    pool: Uuid,
}

impl Plan {
    fn target(&self, at: usize) -> Uuid {
        self.targets[at % self.targets.len()]
    }
}

/// Product and floor in turn, `options.runs` times.
pub async fn run(options: &Options, engine: &Engine) -> anyhow::Result<Workload> {
    let mut platform = Platform::start(&options.server, Database::fresh(engine, &options.dir).await?).await?;
    asked::fill(&mut platform, options).await?;
    platform.database.settle().await?;
    let mut client = platform.partner(PARTNER).await?;
    let plan = plan(options, &platform, &mut client).await?;
    let inside = platform.look_inside().await?;
    let (mut product, mut alone) = (Times::default(), Times::default());
    let mut idle = Vec::new();
    for run in 0..options.runs.max(1) {
        settle().await?;
        idle.push(idle_share().await?);
        let (there, transfer) =
            commit(&platform, &mut client, &plan.serials, |at| plan.target(at).to_string()).await?;
        check(&inside, &plan, true).await?;
        let back = undo(&platform, &mut client, &transfer).await?;
        check(&inside, &plan, false).await?;
        product.there.push(there);
        product.back.push(back);
        settle().await?;
        alone.there.push(bare(&platform, &inside, &plan, true, run).await?);
        check(&inside, &plan, true).await?;
        alone.back.push(bare(&platform, &inside, &plan, false, run).await?);
        check(&inside, &plan, false).await?;
        eprintln!(
            "W4 run {}: product {:.2} s, bare {:.2} s",
            run + 1,
            there.seconds,
            alone.there[run].seconds
        );
    }
    let moved = plan.serials.len() as u64;
    let mut rows = Vec::new();
    let mut bounds = Vec::new();
    for (what, product, alone) in
        [("preview and commit", &product.there, &alone.there), ("undo", &product.back, &alone.back)]
    {
        let rate = |taken: &[Taken]| {
            Spread::of(&taken.iter().map(|taken| moved as f64 / taken.seconds).collect::<Vec<_>>())
        };
        for (who, taken) in [("product", product), ("bare UPDATE and log", alone)] {
            let rate = rate(taken);
            let cpu: Vec<f64> = taken.iter().map(|taken| taken.cpu_ms * 1000.0 / moved as f64).collect();
            rows.push(object! {
                "what" => what, "who" => who, "pcs_per_second" => figure(rate.median), "min" => figure(rate.min),
                "max" => figure(rate.max), "cpu_us_a_pc" => figure(Spread::of(&cpu).median),
            });
        }
        let share = rate(product).median / rate(alone).median;
        bounds.push(Bound {
            demand: format!("{what}, PCs per second of the bare UPDATE's, at least {LEAST}"),
            measured: share,
            outcome: Outcome::of(share >= LEAST, options.lines >= FULL_PCS && moved >= FULL_MOVED),
        });
    }
    drop(inside);
    let (large, peak) = large(options, platform, &plan).await?;
    rows.push(object! {
        "what" => "preview, commit and undo of the large transfer", "who" => "product",
        "pcs_per_second" => figure(large as f64 / peak.1), "min" => 0, "max" => 0, "cpu_us_a_pc" => 0,
    });
    bounds.push(Bound {
        demand: format!(
            "MB resident at most while {LARGE} rows are previewed, committed and undone, under {PEAK_MB}"
        ),
        measured: peak.0,
        outcome: Outcome::of(peak.0 < PEAK_MB, large >= LARGE),
    });
    let facts = object! {
        "engine" => engine.settings(), "pcs_in_the_tenant" => options.lines, "pcs_moved" => moved,
        "target_tenants" => TARGETS, "runs" => options.runs, "idle_before" => figure(Spread::of(&idle).median),
        "rows_of_the_large_transfer" => large,
        "how" => "POST transfers and its commit until it is durable; undo; each as one operation",
        "floor" => "one transaction: the serials, UPDATE of the placements, a row of the log each",
        "checked" => "after each move, the number of PCs in the pool and in each of the tenants",
    };
    Ok(Workload { id: "W4", facts, tables: vec![Table { title: "moves", rows }], bounds })
}

async fn plan(options: &Options, platform: &Platform, client: &mut Client) -> anyhow::Result<Plan> {
    let step = (options.lines / options.moved).max(1);
    let serials: Vec<String> = (0..options.lines)
        .step_by(usize::try_from(step)?)
        .take(usize::try_from(options.moved)?)
        .map(generator::serial)
        .collect();
    let mut targets = Vec::with_capacity(TARGETS);
    for at in 0..TARGETS {
        let new = json!({
            "name": format!("Bench Customer {at:03}"), "address": "1 Quay", "city": "Port", "postal_code": "1000",
            "country": "GB", "plan": "premium_plus", "management": "partner",
        });
        targets.push(text_at(&client.post("/api/v1/customers", &new).await?, "/id")?.parse()?);
    }
    let partner = Cell::Id(platform.partners[PARTNER].id.parse()?);
    let sql = "SELECT id FROM tenants WHERE parent = $1 AND kind = 'holding'";
    let pool = platform.look_inside().await?.row(sql, &[partner]).await?[0].id()?;
    Ok(Plan { serials, targets, pool })
}

/// Waits until a transfer is what it is to become.
async fn until(client: &mut Client, answer: Value, state: &str) -> anyhow::Result<()> {
    let Some(operation) = answer.pointer("/operation/id").and_then(Value::as_str) else {
        ensure!(answer["state"] == state, "the transfer came to {answer}");
        return Ok(());
    };
    if answer["state"] == state {
        return Ok(());
    }
    loop {
        let told = client.get(&format!("/api/v1/operations/{operation}")).await?;
        match text_at(&told, "/state")? {
            "running" => tokio::time::sleep(Duration::from_millis(5)).await,
            "succeeded" => return Ok(()),
            _ => bail!("the operation failed: {told}"),
        }
    }
}

async fn commit(
    platform: &Platform,
    client: &mut Client,
    serials: &[String],
    to: impl Fn(usize) -> String,
) -> anyhow::Result<(Taken, String)> {
    let items: Vec<Value> =
        serials.iter().enumerate().map(|(at, serial)| json!({ "serial": serial, "to": to(at) })).collect();
    let asked = json!({ "items": items });
    drop(items);
    let (start, cpu) = (Instant::now(), platform.cpu_ms()?);
    let preview = client.post("/api/v1/transfers", &asked).await?;
    let (id, digest) = (text_at(&preview, "/id")?.to_owned(), text_at(&preview, "/digest")?);
    ensure!(preview["ready"] == serials.len(), "not all rows are ready: {}", preview["blocked"]);
    let path = format!("/api/v1/transfers/{id}/commit");
    let answer = client.post(&path, &json!({ "digest": digest })).await?;
    until(client, answer, "committed").await?;
    let taken = Taken { seconds: start.elapsed().as_secs_f64(), cpu_ms: platform.cpu_ms()? - cpu };
    Ok((taken, id))
}

async fn undo(platform: &Platform, client: &mut Client, transfer: &str) -> anyhow::Result<Taken> {
    let (start, cpu) = (Instant::now(), platform.cpu_ms()?);
    let answer = client.post(&format!("/api/v1/transfers/{transfer}/undo"), &json!({})).await?;
    until(client, answer, "undone").await?;
    Ok(Taken { seconds: start.elapsed().as_secs_f64(), cpu_ms: platform.cpu_ms()? - cpu })
}

/// Each tenant has its share, or none of them has any.
async fn check(inside: &Inside, plan: &Plan, there: bool) -> anyhow::Result<()> {
    for (at, target) in plan.targets.iter().enumerate() {
        let sql = "SELECT COUNT(*) FROM placements WHERE tenant = $1";
        let count = inside.number(sql, &[Cell::Id(*target)]).await?;
        let share = (at..plan.serials.len()).step_by(plan.targets.len()).len();
        let expected = if there { i64::try_from(share)? } else { 0 };
        ensure!(count == expected, "tenant {at} has {count} PCs instead of {expected}");
    }
    Ok(())
}

/// The floor: the same rows by one statement, and a row of the log for each.
async fn bare(
    platform: &Platform,
    inside: &Inside,
    plan: &Plan,
    there: bool,
    run: usize,
) -> anyhow::Result<Taken> {
    // Nobody has this log; the product's own stay whole.
    let log = floor::id(10 + run as u64 * 2 + u64::from(there), u64::from(std::process::id()));
    let to = |at: usize| if there { plan.target(at) } else { plan.pool };
    let (start, cpu);
    match inside {
        Inside::Sqlite(connection) => {
            // The settings of the product's writer (`Store::open_sqlite`).
            connection.execute_batch(
                "PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4000; \
                 PRAGMA foreign_keys = ON",
            )?;
            (start, cpu) = (Instant::now(), own_cpu_ms()?);
            connection.execute_batch("BEGIN IMMEDIATE")?;
            let mut moved = connection.prepare_cached(
                "UPDATE placements SET tenant = ?2, generation = generation + 1, since = 1795000000000001 \
                 WHERE device = (SELECT id FROM devices WHERE serial = ?1) RETURNING device, generation",
            )?;
            let mut logged = connection.prepare_cached(
                "INSERT INTO placement_log (partner, seq, device, serial, from_tenant, to_tenant, generation, cause, \
                 cause_id, at, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'transfer', ?1, 1795000000000001, randomblob(32))",
            )?;
            let (log, pool) = (&log.as_bytes()[..], &plan.pool.as_bytes()[..]);
            for (at, serial) in plan.serials.iter().enumerate() {
                let target = to(at);
                let target = &target.as_bytes()[..];
                let (device, generation): ([u8; 16], i64) =
                    moved.query_row((serial, target), |row| Ok((row.get(0)?, row.get(1)?)))?;
                let seq = i64::try_from(at)? + 1;
                logged.execute((log, seq, &device[..], serial, pool, target, generation))?;
            }
            drop((moved, logged));
            connection.execute_batch("COMMIT")?;
            Ok(Taken { seconds: start.elapsed().as_secs_f64(), cpu_ms: own_cpu_ms()? - cpu })
        }
        Inside::Postgres(client) => {
            let mut text = String::new();
            for (at, serial) in plan.serials.iter().enumerate() {
                text += &format!("{serial}\t{}\n", to(at));
            }
            client.batch_execute("SET enable_seqscan = off; SET jit = off").await?;
            (start, cpu) = (Instant::now(), platform.cpu_ms()?);
            client
                .batch_execute("BEGIN; CREATE TEMP TABLE moved (serial text, target uuid) ON COMMIT DROP")
                .await?;
            let sink = client.copy_in("COPY moved FROM STDIN").await?;
            let mut sink = std::pin::pin!(sink);
            sink.as_mut().send(Bytes::from(text)).await?;
            sink.finish().await?;
            let sql = format!(
                "WITH now AS (UPDATE placements p SET tenant = m.target, generation = p.generation + 1, \
                 since = 1795000000000001 FROM moved m JOIN devices d ON d.serial = m.serial WHERE p.device = d.id \
                 RETURNING p.device, p.serial, p.tenant, p.generation) \
                 INSERT INTO placement_log (partner, seq, device, serial, from_tenant, to_tenant, generation, cause, \
                 cause_id, at, hash) SELECT '{log}', row_number() OVER (), device, serial, '{}', tenant, generation, \
                 'transfer', '{log}', 1795000000000001, decode(md5(serial) || md5(serial), 'hex') FROM now",
                plan.pool
            );
            let moved = client.execute(&sql, &[]).await.context("the floor's moves")?;
            ensure!(moved == plan.serials.len() as u64, "the floor moved {moved} PCs");
            client.batch_execute("COMMIT").await?;
            Ok(Taken { seconds: start.elapsed().as_secs_f64(), cpu_ms: platform.cpu_ms()? - cpu })
        }
    }
}

fn own_cpu_ms() -> anyhow::Result<f64> {
    crate::machine::cpu_ms(std::process::id())
}

/// A transfer of 100,000 rows and its undo by a server that has done nothing before: rows, and its most memory with the
/// seconds that it took.
async fn large(options: &Options, platform: Platform, plan: &Plan) -> anyhow::Result<(u64, (f64, f64))> {
    let rows = LARGE.min(options.lines);
    let serials: Vec<String> = (0..rows).map(generator::serial).collect();
    let number = platform.partners[PARTNER].number.clone();
    let Platform { process, database, .. } = platform;
    drop(process);
    let process = serve(&options.server, &database)?;
    let token = make_token(&options.server, &database, "partner", Some(&number))?;
    let mut client = Client::connect(process.address, &token).await?;
    let items: Vec<Value> = serials
        .iter()
        .enumerate()
        .map(|(at, serial)| json!({ "serial": serial, "to": plan.target(at) }))
        .collect();
    let asked = json!({ "items": items });
    drop(items);
    let start = Instant::now();
    let preview = client.post("/api/v1/transfers", &asked).await?;
    ensure!(preview["ready"] == rows, "not all rows of the large transfer are ready");
    let (id, digest) = (text_at(&preview, "/id")?.to_owned(), text_at(&preview, "/digest")?);
    let path = format!("/api/v1/transfers/{id}/commit");
    let answer = client.post(&path, &json!({ "digest": digest })).await?;
    until(&mut client, answer, "committed").await?;
    let answer = client.post(&format!("/api/v1/transfers/{id}/undo"), &json!({})).await?;
    until(&mut client, answer, "undone").await?;
    let seconds = start.elapsed().as_secs_f64();
    let peak = process.peak_mb()?;
    drop(process);
    database.remove().await?;
    Ok((rows, (peak, seconds)))
}
