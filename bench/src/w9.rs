//! W9: what a line, a look-up, a page and a move cost with 10,000, 1,000,000 and 10,000,000 PCs on the platform, each over what
//! the floor's costs at the same size.

use std::time::Instant;

use anyhow::{Context, ensure};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::Options;
use crate::asked::{self, PAGE_SQL, PARTNER, Plan};
use crate::engine::{Database, Engine, EngineName};
use crate::explanation;
use crate::fill;
use crate::floor::{self, Floor, Maker};
use crate::generator::{self, Sellers, Style};
use crate::http::{Credential, Pieces, text_at};
use crate::machine::{Spread, idle_share, settle};
use crate::object;
use crate::plot;
use crate::question::Question;
use crate::report::{Bound, Outcome, Table, Workload, figure};
use crate::server::Platform;
use crate::transfer;
use crate::w2;

/// The sizes that the bound is about.
pub const SIZES: [u64; 3] = [10_000, 1_000_000, 10_000_000];
/// The most by which cost over the floor's may grow from the smallest to the largest.
const MOST_GROWTH: f64 = 1.3;
/// Lines of the report.
const LINES: u64 = 100_000;
/// Connections of look-ups and pages.
const CONNECTIONS: usize = 16;
/// PCs asked about, and pages begun.
const SAMPLE: usize = 2_000;
const LIMIT: i64 = 50;

/// What one kind of work cost at one size, over what it cost the floor.
struct Point {
    work: &'static str,
    size: u64,
    ratio: f64,
    row: Map<String, Value>,
}

/// The name under which a filled database is kept.
fn name(size: u64) -> String {
    format!("roadstead_filled_{size}")
}

/// Fills what is not there yet, and measures nothing.
pub async fn fill_all(options: &Options, engine: &Engine) -> anyhow::Result<()> {
    ensure!(engine.name() == EngineName::Postgres, "W9 runs on PostgreSQL");
    for size in &options.sizes {
        fill::filled(engine, &options.server, &options.dir, &name(*size), *size).await?;
    }
    Ok(())
}

/// Measures every size.
pub async fn run(options: &Options, engine: &Engine) -> anyhow::Result<Workload> {
    ensure!(engine.name() == EngineName::Postgres, "W9 runs on PostgreSQL");
    let mut points = Vec::new();
    for size in &options.sizes {
        let database = fill::filled(engine, &options.server, &options.dir, &name(*size), *size).await?;
        database.migrate(&options.server)?;
        let kept = ask(options, database, *size, &mut points).await?;
        ingest(options, kept, *size, &mut points).await?;
    }
    let works = ["line", "look-up", "page", "move"];
    let ratio = |work: &str, size: u64| {
        points.iter().find(|point| point.work == work && point.size == size).map_or(0.0, |point| point.ratio)
    };
    let (smallest, largest) = (options.sizes[0], options.sizes[options.sizes.len() - 1]);
    let mut bounds = Vec::new();
    let mut lines = Vec::new();
    for work in works {
        let growth = ratio(work, largest) / ratio(work, smallest);
        let demand = format!(
            "growth of a {work}'s cost over the floor's, {smallest} to {largest} PCs, at most {MOST_GROWTH}"
        );
        let outcome = Outcome::of(growth <= MOST_GROWTH, options.sizes == SIZES);
        bounds.push(Bound { demand, measured: growth, outcome });
        let of_size = options.sizes.iter().map(|size| (*size as f64, ratio(work, *size)));
        lines.push(plot::Line { name: work.to_owned(), points: of_size.collect() });
    }
    let drawing = options.out.with_file_name("w9.svg");
    let title = "Cost of one item over the floor's, by PCs on the platform (PostgreSQL)";
    std::fs::write(&drawing, plot::draw(title, "PCs on the platform", &lines))?;
    eprintln!("drawn: {}", drawing.display());
    let rows = points.into_iter().map(|point| point.row).collect();
    Ok(Workload {
        id: "W9",
        facts: object! {
            "engine" => engine.settings(), "sizes" => options.sizes, "partners" => generator::PARTNERS,
            "filled" => "by COPY through the product's schema, partners by its API, chained; indexes made afterwards, \
                         so denser than grown ones; vacuumed and analysed",
            "line" => format!("reports of {LINES} new PCs; floor: COPY of as many into the same tables of the same \
                               database; at the smallest size each into a fresh copy"),
            "look_up_and_page" => format!("the first partner's, {CONNECTIONS} connections, any of {SAMPLE}; floor: pgbench"),
            "move" => format!("{} PCs of the first partner to a customer and back, preview and commit each; floor: COPY of \
                               the serials, UPDATE and a row of the log each, in one transaction", transfer::PCS),
            "checked" => "filling: rows, pools, counters, every chain by audit verify; answers as in W1, W2 and W3a",
        },
        tables: vec![Table { title: "time of one item over the floor's", rows }],
        bounds,
    })
}

/// A serial explained, on the largest platform.
pub async fn explanation(options: &Options, engine: &Engine) -> anyhow::Result<Workload> {
    let size = options.sizes.iter().copied().max().context("no size")?;
    let database = fill::filled(engine, &options.server, &options.dir, &name(size), size).await?;
    let platform = Platform::again(&options.server, database).await?;
    let serials = fill::serials_of(PARTNER, size, SAMPLE);
    explanation::run(options, engine, &platform, (size, explanation::FULL_POSTGRES), &serials).await
}

/// Look-ups and pages; they change nothing.
async fn ask(
    options: &Options,
    database: Database,
    size: u64,
    points: &mut Vec<Point>,
) -> anyhow::Result<Database> {
    let platform = Platform::again(&options.server, database).await?;
    let directory = tempfile::Builder::new().prefix("roadstead-w9-").tempdir_in(&options.dir)?;
    let serials = fill::serials_of(PARTNER, size, SAMPLE);
    let inside = platform.look_inside().await?;
    let tenant = asked::tenant(&platform, &inside).await?;
    let mut paths = Vec::with_capacity(serials.len());
    let mut keys = Vec::with_capacity(serials.len());
    for serial in &serials {
        paths.push(asked::page_path(LIMIT, Some((serial, Uuid::nil())))?);
        keys.push(asked::page_key(tenant, LIMIT, serial, Uuid::nil()));
    }
    let question = Question { sql: PAGE_SQL, keys };
    let credential = Credential::token(&platform.partner_token(asked::PARTNER)?);
    let pages = Plan { name: "page", paths, question, table: "bench_pages", credential };
    let plans = vec![w2::plan(&platform, serials).await?, pages];
    let (all, web_floor) = asked::prepare(&platform, plans, directory.path()).await?;
    settle().await?;
    for asked in &all {
        let found = asked.ask(&platform, &web_floor, CONNECTIONS, options).await?;
        let ratio = found.rates.1 / found.rates.0;
        let row = object! {
            "item" => asked.name, "pcs" => size, "product_us" => figure(1e6 / found.rates.0),
            "floor_us" => figure(1e6 / found.rates.1), "over_the_floor" => figure(ratio),
            "cpu_us_of_server_and_database" => figure(found.cpu_us.0), "cpu_us_of_the_floor" => figure(found.cpu_us.1),
        };
        points.push(Point { work: asked.name, size, ratio, row });
    }
    drop(web_floor);
    move_some(options, &platform, tenant, size, points).await?;
    let Platform { process, database, .. } = platform;
    drop(process);
    Ok(database)
}

/// Transfers there and back, in turn with the floor.
async fn move_some(
    options: &Options,
    platform: &Platform,
    pool: Uuid,
    size: u64,
    points: &mut Vec<Point>,
) -> anyhow::Result<()> {
    let serials = fill::serials_of(PARTNER, size, transfer::PCS);
    ensure!(serials.len() == transfer::PCS, "the partner has too few PCs to move");
    let mut client = transfer::partner(platform).await?;
    let customer = transfer::customer(&mut client).await?;
    let database = platform.database.client().await?;
    let (mut product, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..options.runs.max(3) {
        product.push(transfer::product(platform, &mut client, &serials, customer).await?);
        floor.push(transfer::alone(platform, &database, &serials, (pool, customer)).await?);
    }
    let median = |taken: &[transfer::Taken], of: fn(&transfer::Taken) -> f64| {
        Spread::of(&taken.iter().map(of).collect::<Vec<_>>()).median
    };
    let each = |seconds: f64| figure(seconds * 1e6 / (2 * transfer::PCS) as f64);
    let (by_product, alone) = (median(&product, |taken| taken.0), median(&floor, |taken| taken.0));
    let ratio = by_product / alone;
    eprintln!("{size} PCs, moves: {ratio:.2} times the floor");
    let row = object! {
        "item" => "move", "pcs" => size, "product_us" => each(by_product), "floor_us" => each(alone),
        "over_the_floor" => figure(ratio),
        "cpu_us_of_server_and_database" => each(median(&product, |taken| taken.1) / 1000.0),
        "cpu_us_of_the_floor" => each(median(&floor, |taken| taken.1) / 1000.0),
    };
    points.push(Point { work: "move", size, ratio, row });
    Ok(())
}

/// Reports, in turn with the floor.
async fn ingest(options: &Options, kept: Database, size: u64, points: &mut Vec<Point>) -> anyhow::Result<()> {
    // A database that a report would make ten times larger is no longer of its size.
    let small = size < 10 * LINES;
    let (mut product, mut floor) = (Vec::new(), Vec::new());
    let (mut product_cpu, mut floor_cpu) = (Vec::new(), Vec::new());
    for _ in 0..options.runs {
        for by_product in [true, false] {
            let database = if small { fill::copied(&kept, &options.dir).await? } else { kept.again() };
            let first = fill::take_lines(&database, LINES).await?;
            settle().await?;
            let idle = idle_share().await?;
            let (seconds, cpu_ms, database) = if by_product {
                report(options, database, first).await?
            } else {
                let mut maker = Maker::unchained_from(first);
                let taken =
                    floor::run(Floor::SameTables, &database, &mut maker, first..first + LINES).await?;
                (taken.seconds, taken.cpu_ms, database)
            };
            let who = if by_product { "product" } else { "floor" };
            eprintln!("{size} PCs, {LINES} lines, {who}: {seconds:.2} s, idle before {idle:.2}");
            let (times, cpu) =
                if by_product { (&mut product, &mut product_cpu) } else { (&mut floor, &mut floor_cpu) };
            times.push(seconds);
            cpu.push(cpu_ms);
            if small {
                database.remove().await?;
            }
        }
    }
    let median = |figures: &[f64]| Spread::of(figures).median;
    let ratio = median(&product) / median(&floor);
    let each = |seconds: f64| figure(seconds * 1e6 / LINES as f64);
    let row = object! {
        "item" => "line", "pcs" => size, "product_us" => each(median(&product)), "floor_us" => each(median(&floor)),
        "over_the_floor" => figure(ratio),
        "cpu_us_of_server_and_database" => each(median(&product_cpu) / 1000.0),
        "cpu_us_of_the_floor" => each(median(&floor_cpu) / 1000.0),
    };
    points.push(Point { work: "line", size, ratio, row });
    Ok(())
}

/// Hands in a report of new PCs; seconds and milliseconds of processor.
async fn report(options: &Options, database: Database, first: u64) -> anyhow::Result<(f64, f64, Database)> {
    let directory = tempfile::Builder::new().prefix("roadstead-w9-").tempdir_in(&options.dir)?;
    let csv = directory.path().join("sales.csv");
    let written = generator::write_csv(&csv, first..first + LINES, &Sellers::skewed(), Style::Plain)?;
    let mut platform = Platform::again(&options.server, database).await?;
    let cpu = platform.cpu_ms()?;
    let start = Instant::now();
    let pieces = Pieces::new(std::fs::File::open(&csv)?, written.bytes);
    let submitted = platform.distributor.post_csv("/api/v1/sell-through-reports", pieces).await?;
    let result = platform.until_done(text_at(&submitted, "/operation/id")?).await?;
    let seconds = start.elapsed().as_secs_f64();
    let cpu_ms = platform.cpu_ms()? - cpu;
    Platform::all_placed(&result, LINES)?;
    let Platform { process, database, .. } = platform;
    drop(process);
    Ok((seconds, cpu_ms, database))
}
