//! W3a: the page of 50 as JSON in a tenant of 1,000,000 PCs, at the first, the middle and the last page.

use std::fs::File;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::Options;
use crate::generator::{self, Sellers};
use crate::http::{Pieces, text_at};
use crate::load::{self, Slice, Target};
use crate::machine::{Spread, idle_share, percentile, settle};
use crate::object;
use crate::page_floor::{self, After, Page, Question};
use crate::report::{Bound, Outcome, Table, Workload, figure};
use crate::server::{Platform, Process};

/// The size that the bounds are about.
const FULL: u64 = 1_000_000;
/// What the product must reach of the smaller floor.
const OF_SMALLER_FLOOR: f64 = 0.5;
const LIMIT: i64 = 50;
const CONNECTIONS: [usize; 3] = [1, 16, 64];
/// At one connection, neither generator nor server is busy all the time: shown, not judged.
const JUDGED: [usize; 2] = [16, 64];
/// Threads of the database floor: as many as the machine of the bounds has processors.
const READERS: usize = 2;
/// The partner that has everything.
const PARTNER: usize = 0;

/// A place in the list with its page.
struct Position {
    name: &'static str,
    product: Target,
    web: Target,
    question: Question,
}

/// Slices of one kind at one place.
#[derive(Default)]
struct Slices {
    slices: Vec<Slice>,
    cpu_ms: f64,
}

impl Slices {
    fn rates(&self) -> Spread {
        Spread::of(&self.slices.iter().map(Slice::rate).collect::<Vec<_>>())
    }

    fn row(&self, who: &str, place: &Map<String, Value>, bytes: Option<u64>) -> Map<String, Value> {
        let mut millis: Vec<f64> =
            self.slices.iter().flat_map(|slice| slice.millis.iter().copied()).collect();
        millis.sort_unstable_by(f64::total_cmp);
        let answers = millis.len().max(1) as f64;
        let rates = self.rates();
        let mut row = place.clone();
        row.extend(object! {
            "who" => who, "per_second" => figure(rates.median), "min" => figure(rates.min),
            "max" => figure(rates.max), "p50_ms" => figure(percentile(&millis, 0.5)),
            "p99_ms" => figure(percentile(&millis, 0.99)),
            "cpu_us_each" => if self.cpu_ms > 0.0 { figure(self.cpu_ms * 1000.0 / answers).into() } else { Value::from("-") },
            "bytes" => bytes.map_or(Value::from("-"), Value::from),
        });
        row
    }
}

/// Loads the tenant, then asks the product and both floors in turn.
pub async fn run(options: &Options) -> anyhow::Result<Workload> {
    ensure!(
        options.lines > 2 * LIMIT as u64,
        "a list with a first, a middle and a last page needs more lines"
    );
    settle().await?;
    let mut platform = Platform::start(&options.server, &options.dir).await?;
    fill(&mut platform, options).await?;
    let directory = tempfile::Builder::new().prefix("roadstead-w3a-").tempdir_in(&options.dir)?;
    let file = directory.path().join("pages.json");
    let (positions, web_floor) = prepare(&platform, options.lines, &file).await?;
    settle().await?;

    let (mut rows, mut bounds) = (Vec::new(), Vec::new());
    let length = Duration::from_secs_f64(options.seconds);
    for position in &positions {
        for connections in CONNECTIONS {
            let idle = idle_share().await?;
            let threads = connections.min(READERS);
            let (mut product, mut web, mut alone) = (Slices::default(), Slices::default(), Slices::default());
            for _ in 0..options.rounds {
                let cpu = platform.process.cpu_ms()?;
                product.slices.push(load::ask(&position.product, connections, length).await?);
                product.cpu_ms += platform.process.cpu_ms()? - cpu;
                let cpu = web_floor.cpu_ms()?;
                web.slices.push(load::ask(&position.web, connections, length).await?);
                web.cpu_ms += web_floor.cpu_ms()? - cpu;
                let (database, question) = (platform.database(), position.question.clone());
                let asked = move || page_floor::ask(&database, &question, threads, length);
                alone.slices.push(tokio::task::spawn_blocking(asked).await??);
            }
            let place = object! {
                "page" => position.name, "connections" => connections, "idle_before" => figure(idle),
            };
            rows.push(product.row("product", &place, Some(position.product.bytes)));
            rows.push(web.row("floor, web", &place, Some(position.web.bytes)));
            rows.push(alone.row(&format!("floor, database, {threads} threads"), &place, None));
            let ratio = product.rates().median / web.rates().median.min(alone.rates().median);
            eprintln!(
                "W3a {} page, {connections} connections: {ratio:.2} of the smaller floor",
                position.name
            );
            if JUDGED.contains(&connections) {
                let demand = format!(
                    "of the smaller floor, {} page, {connections} connections, at least {OF_SMALLER_FLOOR}",
                    position.name
                );
                let outcome = Outcome::of(ratio >= OF_SMALLER_FLOOR, options.lines >= FULL);
                bounds.push(Bound { demand, measured: ratio, outcome });
            }
        }
    }
    Ok(Workload {
        id: "W3a",
        facts: object! {
            "pcs_in_the_tenant" => options.lines, "rows_of_a_page" => LIMIT,
            "slices" => format!("{} of {} s each, product and floors in turn", options.rounds, options.seconds),
            "peak_mb_of_the_server" => figure(platform.process.peak_mb()?),
            "checked" => "the web floor's bytes and the database floor's rows are those of the product's page; \
                          every answer's status and length",
        },
        tables: vec![Table { title: "pages per second", rows }],
        bounds,
    })
}

/// One report with every PC, all of one partner.
async fn fill(platform: &mut Platform, options: &Options) -> anyhow::Result<()> {
    let directory = tempfile::Builder::new().prefix("roadstead-w3a-").tempdir_in(&options.dir)?;
    let csv = directory.path().join("sales.csv");
    let written = generator::write_csv(&csv, 0..options.lines, &Sellers::One(PARTNER))?;
    let pieces = Pieces::new(File::open(&csv)?, written.bytes);
    let submitted = platform.distributor.post_csv("/api/v1/sell-through-reports", pieces).await?;
    let result = platform.until_done(text_at(&submitted, "/operation/id")?).await?;
    Platform::all_placed(&result, options.lines)
}

/// Finds the three pages, starts the web floor with them, and makes sure that all three say the same.
async fn prepare(
    platform: &Platform,
    lines: u64,
    file: &std::path::Path,
) -> anyhow::Result<(Vec<Position>, Process)> {
    let token = platform.partner_token(PARTNER)?;
    let mut client = platform.partner(PARTNER).await?;
    let partner: Uuid = platform.partners[PARTNER].id.parse()?;
    let inside = platform.look_inside()?;
    let tenant: [u8; 16] = inside.query_row(
        "SELECT id FROM tenants WHERE parent = ? AND kind = 'holding'",
        [partner.as_bytes()],
        |row| row.get(0),
    )?;
    let after = |rows: u64| -> anyhow::Result<After> {
        let Some(offset) = rows.checked_sub(1) else { return Ok(After::default()) };
        let sql =
            "SELECT serial, device FROM placements WHERE tenant = ? ORDER BY serial, device LIMIT 1 OFFSET ?";
        Ok(inside.query_row(sql, rusqlite::params![tenant, i64::try_from(offset)?], |row| {
            Ok(After { serial: row.get(0)?, device: Uuid::from_bytes(row.get(1)?) })
        })?)
    };
    let mut found = Vec::new();
    for (name, skipped) in [("first", 0), ("middle", lines / 2), ("last", lines - LIMIT as u64)] {
        let after = after(skipped)?;
        let cursor = match skipped {
            0 => String::new(),
            // What the product writes: the last row's key as JSON, in hex.
            _ => format!("&cursor={}", hex::encode(serde_json::to_vec(&(&after.serial, after.device))?)),
        };
        let path = format!("/api/v1/unassigned-devices?limit={LIMIT}{cursor}");
        let bytes = client.get_bytes(&path).await?;
        let page: Page = serde_json::from_slice(&bytes)?;
        let question = Question {
            tenant: Uuid::from_bytes(tenant),
            today: jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string(),
            limit: LIMIT,
            after,
        };
        page_floor::same_answer(&platform.database(), &question, &page)
            .with_context(|| format!("the {name} page"))?;
        let product = Target {
            address: platform.process.address,
            path,
            token: token.clone(),
            bytes: bytes.len() as u64,
        };
        found.push((name, product, question, bytes, page));
    }
    let pages: Vec<&Page> = found.iter().map(|(.., page)| page).collect();
    std::fs::write(file, serde_json::to_vec(&pages)?)?;
    let web = Process::start(Command::new(std::env::current_exe()?).arg("web-floor").arg(file))?;
    let mut client = crate::http::Client::connect(web.address, &token).await?;
    let mut positions = Vec::new();
    for (at, (name, product, question, bytes, _)) in found.into_iter().enumerate() {
        let path = format!("/page/{at}");
        ensure!(client.get_bytes(&path).await? == bytes, "the web floor's {name} page has other bytes");
        let web = Target { address: web.address, path, ..product.clone() };
        positions.push(Position { name, product, web, question });
    }
    Ok((positions, web))
}
