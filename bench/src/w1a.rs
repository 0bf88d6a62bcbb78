//! W1a: a sell-through file whose PCs are all new, from the start of its upload until every line is judged.

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use anyhow::ensure;
use serde_json::Value;

use crate::Options;
use crate::floor::{self, Floor};
use crate::generator::{self, PARTNERS, Sale, Sellers, Written};
use crate::http::{Pieces, text_at};
use crate::machine::{Spread, idle_share, settle};
use crate::object;
use crate::report::{Bound, Outcome, Table, Workload, figure};
use crate::server::Platform;

/// The size that the bounds are about.
const FULL: u64 = 1_000_000;
/// What the product must reach of the floor of the same tables, or else of the floor of one table.
const OF_SAME_TABLES: f64 = 0.5;
const OF_ONE_TABLE: f64 = 0.15;
/// The most memory.
const PEAK_MB: f64 = 300.0;
/// How many serials are looked up afterwards.
const SAMPLE: u64 = 1000;

/// Who ran.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Product,
    Floor(Floor),
}

impl Who {
    fn name(self) -> &'static str {
        match self {
            Who::Product => "product",
            Who::Floor(Floor::SameTables) => "floor, same tables",
            Who::Floor(Floor::OneTable) => "floor, one table",
        }
    }
}

struct Run {
    who: Who,
    idle: f64,
    upload_seconds: Option<f64>,
    seconds: f64,
    cpu_ms: f64,
    peak_mb: Option<f64>,
}

/// Runs product and floors alternately.
pub async fn run(options: &Options) -> anyhow::Result<Workload> {
    let sellers = Sellers::skewed();
    let directory = tempfile::Builder::new().prefix("roadstead-w1a-").tempdir_in(&options.dir)?;
    let csv = directory.path().join("sales.csv");
    let written = generator::write_csv(&csv, 0..options.lines, &sellers)?;
    let mut runs = Vec::new();
    for _ in 0..options.runs {
        for who in [Who::Product, Who::Floor(Floor::SameTables), Who::Floor(Floor::OneTable)] {
            settle().await?;
            let run = match who {
                Who::Product => product(options, &csv, &written, &sellers).await?,
                Who::Floor(floor) => {
                    let idle = idle_share().await?;
                    let (program, directory) = (options.server.clone(), options.dir.clone());
                    let lines = options.lines;
                    let taken =
                        tokio::task::spawn_blocking(move || floor::run(floor, &program, &directory, lines)).await??;
                    let (seconds, cpu_ms) = (taken.seconds, taken.cpu_ms);
                    Run { who, idle, upload_seconds: None, seconds, cpu_ms, peak_mb: None }
                }
            };
            eprintln!("W1a {}: {:.2} s, idle before {:.2}", who.name(), run.seconds, run.idle);
            runs.push(run);
        }
    }
    Ok(workload(options.lines, &written, &runs))
}

async fn product(options: &Options, csv: &Path, written: &Written, sellers: &Sellers) -> anyhow::Result<Run> {
    let mut platform = Platform::start(&options.server, &options.dir).await?;
    let idle = idle_share().await?;
    let cpu = platform.process.cpu_ms()?;
    let start = Instant::now();
    let pieces = Pieces::new(File::open(csv)?, written.bytes);
    let submitted = platform.distributor.post_csv("/api/v1/sell-through-reports", pieces).await?;
    let upload_seconds = Some(start.elapsed().as_secs_f64());
    let result = platform.until_done(text_at(&submitted, "/operation/id")?).await?;
    let seconds = start.elapsed().as_secs_f64();
    let cpu_ms = platform.process.cpu_ms()? - cpu;
    let peak_mb = Some(platform.process.peak_mb()?);
    Platform::all_placed(&result, options.lines)?;
    check(&platform, options.lines, written, sellers).await?;
    Ok(Run { who: Who::Product, idle, upload_seconds, seconds, cpu_ms, peak_mb })
}

/// Every row is where it belongs: counted in the database, and seen as the partner sees it.
async fn check(platform: &Platform, lines: u64, written: &Written, sellers: &Sellers) -> anyhow::Result<()> {
    let database = platform.look_inside()?;
    let count = |sql: &str| -> anyhow::Result<u64> {
        Ok(u64::try_from(database.query_row(sql, [], |row| row.get::<_, i64>(0))?)?)
    };
    for table in ["devices", "placements", "placement_log", "report_lines"] {
        let rows = count(&format!("SELECT COUNT(*) FROM {table}"))?;
        ensure!(rows == lines, "{rows} rows in {table} instead of {lines}");
    }
    let entitled = count("SELECT COUNT(*) FROM entitlements")?;
    ensure!(entitled == written.with_level, "{entitled} entitlements instead of {}", written.with_level);
    ensure!(count("SELECT COUNT(*) FROM report_pieces")? == 0, "pieces of the file are left");

    let mut counted = database.prepare(
        "SELECT (SELECT COUNT(*) FROM placements p WHERE p.tenant = t.id), \
         COALESCE((SELECT devices FROM tenant_counts c WHERE c.tenant = t.id), 0) \
         FROM partners n JOIN tenants t ON t.parent = n.tenant WHERE n.number = ? AND t.kind = 'holding'",
    )?;
    for (partner, expected) in platform.partners.iter().zip(&written.per_partner) {
        let (rows, counter): (i64, i64) =
            counted.query_row([&partner.number], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let expected = i64::try_from(*expected)?;
        ensure!(
            rows == expected && counter == expected,
            "partner {}: {rows} PCs and a counter of {counter} instead of {expected}",
            partner.number
        );
    }
    let mut found = database.prepare(
        "SELECT n.number FROM devices d JOIN placements p ON p.device = d.id JOIN tenants t ON t.id = p.tenant \
         JOIN partners n ON n.tenant = t.parent WHERE d.serial = ?",
    )?;
    for sample in 0..SAMPLE.min(lines) {
        let sale = Sale::of(sample * (lines / SAMPLE.min(lines)), sellers);
        let number: String = found.query_row([&sale.serial], |row| row.get(0))?;
        ensure!(number == sale.seller_number, "{} is with {number}", sale.serial);
    }
    drop(found);
    drop(counted);
    drop(database);
    as_the_partner_sees_it(platform, written).await
}

/// Walks the whole list of one of the smaller partners by its own token.
async fn as_the_partner_sees_it(platform: &Platform, written: &Written) -> anyhow::Result<()> {
    let partner = PARTNERS - 1;
    let mut client = platform.partner(partner).await?;
    let (mut seen, mut cursor) = (0_u64, String::new());
    loop {
        let page = client.get(&format!("/api/v1/unassigned-devices?limit=1000{cursor}")).await?;
        seen += page["items"].as_array().map_or(0, Vec::len) as u64;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected = written.per_partner[partner];
    ensure!(
        seen == expected,
        "{} is shown {seen} PCs instead of {expected}",
        platform.partners[partner].number
    );
    Ok(())
}

fn workload(lines: u64, written: &Written, runs: &[Run]) -> Workload {
    let rate = |run: &Run| lines as f64 / run.seconds;
    let rows = runs
        .iter()
        .map(|run| {
            object! {
                "run" => run.who.name(), "idle_before" => figure(run.idle), "seconds" => figure(run.seconds),
                "of_which_upload" => run.upload_seconds.map_or(Value::from("-"), |s| figure(s).into()),
                "rows_per_second" => figure(rate(run)),
                "cpu_ms_per_1000_rows" => figure(run.cpu_ms * 1000.0 / lines as f64),
                "peak_mb" => run.peak_mb.map_or(Value::from("-"), |mb| figure(mb).into()),
            }
        })
        .collect();
    let all = [Who::Product, Who::Floor(Floor::SameTables), Who::Floor(Floor::OneTable)];
    let spreads = all.map(|who| {
        let of = |f: &dyn Fn(&Run) -> f64| {
            Spread::of(&runs.iter().filter(|run| run.who == who).map(f).collect::<Vec<_>>())
        };
        (of(&rate), of(&|run| run.cpu_ms * 1000.0 / lines as f64))
    });
    let summary = all
        .iter()
        .zip(&spreads)
        .map(|(who, (rates, cpu))| {
            object! {
                "rows_per_second" => who.name(), "min" => figure(rates.min), "median" => figure(rates.median),
                "max" => figure(rates.max), "cpu_ms_per_1000_rows" => figure(cpu.median),
            }
        })
        .collect();
    let [(product, _), (same, _), (one, _)] = spreads;
    let (of_same, of_one) = (product.median / same.median, product.median / one.median);
    let peak = runs.iter().filter_map(|run| run.peak_mb).fold(0.0, f64::max);
    let full = lines >= FULL;
    let fast = of_same >= OF_SAME_TABLES || of_one >= OF_ONE_TABLE;
    Workload {
        id: "W1a",
        facts: object! {
            "lines" => lines, "bytes" => written.bytes, "partners" => PARTNERS,
            "lines_with_a_support_level" => written.with_level, "synchronous" => "FULL",
            "clock" => "from the first byte of the POST until the operation says succeeded",
            "checked" => "all lines placed; rows of five tables; pool and counter of each partner; the partner \
                          of 1,000 serials; one partner's list to its end",
        },
        tables: vec![
            Table { title: "runs, in their order", rows },
            Table { title: "rows per second", rows: summary },
        ],
        bounds: vec![
            Bound {
                demand: format!(
                    "of the same rows into the same tables, at least {OF_SAME_TABLES} here or {OF_ONE_TABLE} below"
                ),
                measured: of_same,
                outcome: Outcome::of(fast, full),
            },
            Bound {
                demand: format!(
                    "of the rows of one table, at least {OF_ONE_TABLE} here or {OF_SAME_TABLES} above"
                ),
                measured: of_one,
                outcome: Outcome::of(fast, full),
            },
            Bound {
                demand: format!("resident MB at most, under {PEAK_MB}"),
                measured: peak,
                outcome: Outcome::of(peak > 0.0 && peak < PEAK_MB, full),
            },
        ],
    }
}
