//! W1e: from the last byte of a report to the event on the partner's open page.

use std::io::Cursor;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::sync::mpsc;

use crate::Options;
use crate::engine::{Cell, Database, Engine};
use crate::generator::{self, Sellers};
use crate::http::{Events, Pieces, text_at};
use crate::machine::{Spread, idle_share, percentile, settle};
use crate::object;
use crate::report::{Bound, Outcome, Table, Workload, figure};
use crate::server::Platform;

/// Lines of a report that the bound is about.
const FULL: u64 = 10_000;
/// 99 of 100 reports are on the page within this.
const P99_MS: f64 = 2000.0;
/// The partner whose page is open.
const PARTNER: usize = 0;

/// PCs that a report brought, and when the page knew.
struct Arrival {
    report: String,
    arrived: u64,
    at: Instant,
}

/// Hands in one report after another while the page is open.
pub async fn run(options: &Options, engine: &Engine) -> anyhow::Result<Workload> {
    settle().await?;
    let database = Database::fresh(engine, &options.dir).await?;
    let mut platform = Platform::start(&options.server, database).await?;
    let events = platform.partner(PARTNER).await?.follow("/api/v1/events").await?;
    let (sender, mut arrivals) = mpsc::unbounded_channel();
    let page = tokio::spawn(listen(events, sender));
    let lines = options.report_lines;
    let idle = idle_share().await?;
    let cpu = platform.cpu_ms()?;
    let mut to_page = Vec::new();
    let mut to_answer = Vec::new();
    for number in 0..options.reports {
        let csv = generator::csv(number * lines..(number + 1) * lines, &Sellers::One(PARTNER));
        let bytes = csv.len() as u64;
        let pieces = Pieces::new(Cursor::new(csv), bytes);
        let last_byte = pieces.last_byte();
        let submitted = platform.distributor.post_csv("/api/v1/sell-through-reports", pieces).await?;
        let answered = Instant::now();
        let start = *last_byte.get().context("the report was not sent to its end")?;
        let report = text_at(&submitted, "/report/id")?;
        let seen = all_arrived(&mut arrivals, report, lines).await?;
        to_page.push((seen - start).as_secs_f64() * 1000.0);
        to_answer.push((answered - start).as_secs_f64() * 1000.0);
        let result = platform.until_done(text_at(&submitted, "/operation/id")?).await?;
        Platform::all_placed(&result, lines)?;
    }
    let cpu_ms = (platform.cpu_ms()? - cpu) / options.reports.max(1) as f64;
    page.abort();
    let sql = "SELECT c.devices FROM tenant_counts c JOIN tenants t ON t.id = c.tenant JOIN partners n \
               ON n.tenant = t.parent WHERE n.number = $1";
    let number = Cell::Text(platform.partners[PARTNER].number.clone());
    let rows = platform.look_inside().await?.number(sql, &[number]).await?;
    ensure!(u64::try_from(rows)? == options.reports * lines, "{rows} PCs in the pool");

    platform.remove().await?;

    let mut sorted = to_page.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let (spread, p99) = (Spread::of(&to_page), percentile(&sorted, 0.99));
    let full = lines >= FULL && options.reports >= 30;
    Ok(Workload {
        id: "W1e",
        facts: object! {
            "engine" => engine.settings(),
            "reports" => options.reports, "lines_of_each" => lines, "idle_before" => figure(idle),
            "clock" => "from the last byte's hand-over to the connection until the event that tells of the \
                        report's last PC has been read from the partner's stream",
            "checked" => "PCs told by the events and placed by the report; the pool's counter",
        },
        tables: vec![Table {
            title: "milliseconds after the last byte",
            rows: vec![
                object! {
                    "until" => "event on the page", "min" => figure(spread.min), "p50" => figure(spread.median),
                    "p99" => figure(p99), "max" => figure(spread.max), "server_cpu_ms" => figure(cpu_ms),
                },
                {
                    let spread = Spread::of(&to_answer);
                    object! {
                        "until" => "answer to the sender", "min" => figure(spread.min),
                        "p50" => figure(spread.median), "p99" => figure(spread.max),
                        "max" => figure(spread.max), "server_cpu_ms" => "-",
                    }
                },
            ],
        }],
        bounds: vec![Bound {
            demand: format!("ms to the partner's page, p99 under {P99_MS}"),
            measured: p99,
            outcome: Outcome::of(p99 < P99_MS, full),
        }],
    })
}

async fn listen(mut events: Events, told: mpsc::UnboundedSender<Arrival>) -> anyhow::Result<()> {
    loop {
        let (name, data, at) = events.next().await?;
        if name == "unassigned_devices.changed" {
            let arrived = data["arrived"].as_u64().context("an event without a number")?;
            let report = text_at(&data, "/report")?.to_owned();
            told.send(Arrival { report, arrived, at })?;
        }
    }
}

/// Waits for the event that makes this report's PCs complete.
async fn all_arrived(
    arrivals: &mut mpsc::UnboundedReceiver<Arrival>,
    report: &str,
    lines: u64,
) -> anyhow::Result<Instant> {
    let complete = async {
        let mut seen = 0;
        while let Some(arrival) = arrivals.recv().await {
            if arrival.report == report {
                seen += arrival.arrived;
            }
            if seen >= lines {
                ensure!(seen == lines, "the page was told of {seen} PCs instead of {lines}");
                return Ok(arrival.at);
            }
        }
        anyhow::bail!("the stream of events broke off")
    };
    tokio::time::timeout(Duration::from_secs(60), complete).await.context("no event for a minute")?
}
