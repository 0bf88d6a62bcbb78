//! Two servers on one database against one, on the same machine: what is shared costs nothing more, what is not may be
//! faster. Servers, database and generator share the processors, so this says what a second node costs here, not what
//! a second machine brings.

use std::io::Cursor;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;

use crate::Options;
use crate::asked;
use crate::engine::{Database, Engine, EngineName};
use crate::generator::{self, Sellers};
use crate::http::{Client, Credential, Pieces, text_at};
use crate::load::{self, Slice, Target};
use crate::machine::{Spread, idle_share, settle};
use crate::object;
use crate::report::{Table, Workload, figure};
use crate::server::{self, Platform, make_token};

/// Connections in all.
const CONNECTIONS: usize = 32;
/// Lines of each of the two reports.
const LINES: u64 = 50_000;

/// Pages and reports, by one node and by two.
pub async fn run(options: &Options, engine: &Engine) -> anyhow::Result<Workload> {
    ensure!(engine.name() == EngineName::Postgres, "several servers share a PostgreSQL");
    let database = Database::fresh(engine, &options.dir).await?;
    let mut platform = Platform::start(&options.server, database).await?;
    asked::fill(&mut platform, options).await?;
    platform.database.settle().await?;
    let second = server::serve(&options.server, &platform.database)?;
    let token = platform.partner_token(asked::PARTNER)?;
    let mut client = Client::connect(platform.process.address, &token).await?;
    let path = asked::page_path(50, None)?;
    let bytes = client.get_bytes(&path).await?;
    ensure!(
        Client::connect(second.address, &token).await?.get_bytes(&path).await? == bytes,
        "the two nodes answer differently"
    );
    let target = |address| Target {
        address,
        paths: vec![(path.clone(), bytes.len() as u64)],
        credential: Credential::token(&token),
    };
    let (a, b) = (target(platform.process.address), target(second.address));
    settle().await?;
    let length = Duration::from_secs_f64(options.seconds);
    let idle = idle_share().await?;
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        one.push(load::ask(&a, CONNECTIONS, length).await?.rate());
        let both =
            tokio::join!(load::ask(&a, CONNECTIONS / 2, length), load::ask(&b, CONNECTIONS / 2, length));
        two.push(Slice::rate(&both.0?) + Slice::rate(&both.1?));
    }
    let mut rows = vec![row("pages per second", idle, &one, &two)];

    // A reporter of its own for each of two reports at a time: jobs of one reporter wait for one another.
    let operator = make_token(&options.server, &platform.database, "operator", None)?;
    let mut client = Client::connect(platform.process.address, &operator).await?;
    client
        .post(
            "/api/v1/reporters",
            &json!({ "name": "Second Distribution", "reporter_number": "D-2", "kind": "distributor" }),
        )
        .await?;
    let tokens = [
        make_token(&options.server, &platform.database, "distributor", Some("D-1"))?,
        make_token(&options.server, &platform.database, "distributor", Some("D-2"))?,
    ];
    let idle = idle_share().await?;
    let (mut one, mut two) = (Vec::new(), Vec::new());
    let mut next = options.lines;
    for _ in 0..options.runs {
        for (nodes, rates) in [(1, &mut one), (2, &mut two)] {
            settle().await?;
            let other = if nodes == 2 { second.address } else { platform.process.address };
            let mut first = Client::connect(platform.process.address, &tokens[0]).await?;
            let mut other = Client::connect(other, &tokens[1]).await?;
            let start = Instant::now();
            let done = tokio::join!(
                report(&mut first, next..next + LINES),
                report(&mut other, next + LINES..next + 2 * LINES)
            );
            done.0?;
            done.1?;
            rates.push(2.0 * LINES as f64 / start.elapsed().as_secs_f64());
            next += 2 * LINES;
        }
    }
    rows.push(row("lines per second, two reports at a time", idle, &one, &two));
    drop(second);
    platform.remove().await?;
    Ok(Workload {
        id: "nodes",
        facts: object! {
            "engine" => engine.settings(), "pcs" => options.lines,
            "pages" => format!("the first page of 50, {CONNECTIONS} connections to one node, or half of them to each"),
            "reports" => format!("{LINES} lines of two distributors at once, both to one node, or one to each; any \
                                  node may judge either"),
            "checked" => "both nodes answer the same bytes; every line placed",
            "said_honestly" => "both nodes, PostgreSQL and the generator share the processors of one machine",
        },
        tables: vec![Table { title: "two nodes over one", rows }],
        bounds: Vec::new(),
    })
}

fn row(what: &str, idle: f64, one: &[f64], two: &[f64]) -> serde_json::Map<String, serde_json::Value> {
    let (one, two) = (Spread::of(one), Spread::of(two));
    object! {
        "what" => what, "idle_before" => figure(idle), "one_node" => figure(one.median), "min" => figure(one.min),
        "max" => figure(one.max), "two_nodes" => figure(two.median), "min_of_two" => figure(two.min),
        "max_of_two" => figure(two.max), "ratio" => figure(two.median / one.median),
    }
}

async fn report(client: &mut Client, numbers: std::ops::Range<u64>) -> anyhow::Result<()> {
    let lines = numbers.end - numbers.start;
    let csv = generator::csv(numbers, &Sellers::skewed());
    let bytes = csv.len() as u64;
    let pieces = Pieces::new(Cursor::new(csv), bytes);
    let submitted = client.post_csv("/api/v1/sell-through-reports", pieces).await?;
    let path = format!("/api/v1/operations/{}", text_at(&submitted, "/operation/id")?);
    let result = server::until_done(client, &path).await?;
    Platform::all_placed(&result, lines)
}
