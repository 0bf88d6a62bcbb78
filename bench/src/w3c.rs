//! W3c: search, filter and the count above the list in a tenant of 1,000,000 PCs, one answer after the other.

use std::time::Instant;

use anyhow::{Context, ensure};

use crate::Options;
use crate::asked;
use crate::engine::{Cell, Engine, Inside};
use crate::http::Client;
use crate::machine::{idle_share, percentile, settle};
use crate::object;
use crate::report::{Bound, Outcome, Table, Workload, figure};
use crate::server::Platform;

/// The size that the bound is about.
const FULL: u64 = 1_000_000;
/// Answers of each kind.
const ANSWERS: usize = 300;
/// Answers of each kind that are held against an exact count of the database.
const CHECKED: usize = 5;
/// Milliseconds.
const MOST: f64 = 100.0;

/// A kind of question: its name, a path for each number, and the database's exact count of what it finds.
struct Kind {
    name: &'static str,
    path: fn(&str) -> String,
    count: &'static str,
    /// The value that is asked for, of a PC's serial, end customer and invoice.
    value: fn(&[Cell], usize) -> anyhow::Result<String>,
}

const KINDS: [Kind; 3] = [
    Kind {
        name: "search, 4 characters",
        path: |value| format!("/unassigned-devices?q={value}"),
        count: "SELECT COUNT(*) FROM placements WHERE tenant = $1 AND search LIKE '%' || $2 || '%'",
        value: |pc, number| {
            // Four neighbours of a serial, from another place each time.
            let serial = pc[0].text()?.to_lowercase();
            let from = number % (serial.len() - 3);
            Ok(serial[from..from + 4].to_owned())
        },
    },
    Kind {
        name: "end customer",
        path: |value| format!("/unassigned-devices?end_customer={value}"),
        count: "SELECT COUNT(*) FROM placements p JOIN report_lines l ON l.report = p.report AND l.line = p.line \
                WHERE p.tenant = $1 AND LOWER(l.buyer_name) = LOWER($2)",
        value: |pc, _| Ok(pc[1].text()?.to_owned()),
    },
    Kind {
        name: "invoice",
        path: |value| format!("/unassigned-devices?invoice_number={value}"),
        count: "SELECT COUNT(*) FROM placements p JOIN report_lines l ON l.report = p.report AND l.line = p.line \
                WHERE p.tenant = $1 AND LOWER(l.invoice) = LOWER($2)",
        value: |pc, _| Ok(pc[2].text()?.to_owned()),
    },
];

/// Asks the product, in a tenant of `options.lines` PCs. There is no floor: the bound is in milliseconds.
pub async fn run(options: &Options, engine: &Engine, platform: &Platform) -> anyhow::Result<Workload> {
    let inside = platform.look_inside().await?;
    let tenant = asked::tenant(platform, &inside).await?;
    let session = platform.partner_session(asked::PARTNER).await?;
    let mut client = Client::with(platform.process.address, session).await?;
    let pcs = some_pcs(&inside, tenant, options.lines).await?;
    settle().await?;
    let idle = idle_share().await?;
    let (mut rows, mut bounds) = (Vec::new(), Vec::new());

    // What the platform has not yet in its memory.
    let before = Instant::now();
    client.get_bytes("/unassigned-devices?q=first").await?;
    let first = before.elapsed().as_secs_f64() * 1000.0;

    for kind in &KINDS {
        let mut millis = Vec::with_capacity(ANSWERS);
        let (mut most, cpu) = (0, platform.cpu_ms()?);
        for (number, pc) in pcs.iter().enumerate() {
            let value = (kind.value)(pc, number)?;
            let path = (kind.path)(&encoded(&value));
            let before = Instant::now();
            let page = client.get_bytes(&path).await?;
            millis.push(before.elapsed().as_secs_f64() * 1000.0);
            let (total, _) = counts(&page)?;
            most = most.max(total);
            if number < CHECKED {
                let count = inside.number(kind.count, &[Cell::Id(tenant), Cell::Text(value.clone())]).await?;
                ensure!(total == count && count > 0, "{}: {total} instead of {count} for {value}", kind.name);
            }
        }
        let cpu = (platform.cpu_ms()? - cpu) / ANSWERS as f64;
        rows.push(row(kind.name, &mut millis, most, cpu));
        bounds.push(bound(kind.name, &millis, options));
    }
    rows.push(pages(&mut client, platform, options, &mut bounds).await?);
    let facts = object! {
        "pcs_in_the_tenant" => options.lines,
        "answers" => format!("{ANSWERS} of each kind, one after the other: the page that a person sees"),
        "engine" => engine.settings(),
        "idle_before" => figure(idle),
        "first_after_a_start_ms" => figure(first),
        "peak_mb_of_the_server" => figure(platform.process.peak_mb()?),
        "checked" => format!("{CHECKED} totals of each kind against an exact count of the database"),
    };
    Ok(Workload { id: "W3c", facts, tables: vec![Table { title: "milliseconds an answer", rows }], bounds })
}

/// The first page without a filter, with the count above it.
async fn pages(
    client: &mut Client,
    platform: &Platform,
    options: &Options,
    bounds: &mut Vec<Bound>,
) -> anyhow::Result<serde_json::Map<String, serde_json::Value>> {
    let (mut millis, cpu) = (Vec::with_capacity(ANSWERS), platform.cpu_ms()?);
    for _ in 0..ANSWERS {
        let before = Instant::now();
        let page = client.get_bytes("/unassigned-devices").await?;
        millis.push(before.elapsed().as_secs_f64() * 1000.0);
        let (total, pool) = counts(&page)?;
        ensure!(total == pool && pool == i64::try_from(options.lines)?, "{total} above the list of {pool}");
    }
    let cpu = (platform.cpu_ms()? - cpu) / ANSWERS as f64;
    let row = row("no filter, with the count", &mut millis, options.lines as i64, cpu);
    bounds.push(bound("no filter, with the count", &millis, options));
    Ok(row)
}

/// Serial, end customer and invoice of PCs from all over the tenant.
async fn some_pcs(inside: &Inside, tenant: uuid::Uuid, lines: u64) -> anyhow::Result<Vec<Vec<Cell>>> {
    let serials =
        (0..ANSWERS as u64).map(|at| crate::generator::serial(at * (lines / ANSWERS as u64).max(1)));
    let sql = "SELECT p.serial, l.buyer_name, l.invoice FROM placements p \
               JOIN report_lines l ON l.report = p.report AND l.line = p.line WHERE p.tenant = $1 AND p.serial = $2";
    let mut pcs = Vec::with_capacity(ANSWERS);
    for serial in serials {
        pcs.push(inside.row(sql, &[Cell::Id(tenant), Cell::Text(serial)]).await?);
    }
    Ok(pcs)
}

/// What stands above the list in an English page: how many pass, and how many there are.
fn counts(page: &[u8]) -> anyhow::Result<(i64, i64)> {
    let html = std::str::from_utf8(page)?;
    let (_, rest) = html.split_once("data-pool=\"").context("no count above the list")?;
    let (pool, rest) = rest.split_once("\">").context("no count above the list")?;
    let passing: String = rest.chars().take_while(|c| *c != ' ').filter(char::is_ascii_digit).collect();
    Ok((passing.parse()?, pool.parse()?))
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn row(kind: &str, millis: &mut [f64], most: i64, cpu: f64) -> serde_json::Map<String, serde_json::Value> {
    millis.sort_unstable_by(f64::total_cmp);
    object! {
        "what" => kind, "p50_ms" => figure(percentile(millis, 0.5)), "p99_ms" => figure(percentile(millis, 0.99)),
        "max_ms" => figure(percentile(millis, 1.0)), "most_found" => most, "cpu_ms_each" => figure(cpu),
    }
}

/// `millis` are sorted.
fn bound(kind: &str, millis: &[f64], options: &Options) -> Bound {
    let measured = percentile(millis, 0.99);
    Bound {
        demand: format!("p99 of {kind}, under {MOST} ms"),
        measured,
        outcome: Outcome::of(measured < MOST, options.lines >= FULL),
    }
}
