//! W5: PCs enrol by a cPIN, every tenth with a slip in it, and check in, every twentieth with a worn disk; each request is
//! signed by the PC's own key before the clock runs. What follows from check-ins of a crowd is written after their answers: a
//! row of its own counts until that is done, and the processor's time with it. Beside it durable commits of one row, one a
//! request and as many as there are connections, and a web floor that checks the same signatures.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use hyper::StatusCode;
use serde_json::{Map, Value};

use crate::Options;
use crate::agents::{Agents, Health, Pc, until_judged};
use crate::commits::Commits;
use crate::engine::{Cell, Engine, EngineName, Inside};
use crate::load::{Slice, Slices};
use crate::machine::{idle_share, settle};
use crate::object;
use crate::report::{Bound, Outcome, Table, Workload, figure};
use crate::server::Process;
use crate::signed::{Connection, send_all};

/// Connections at a time.
const CONNECTIONS: [usize; 2] = [16, 64];
/// The number that the bounds are about.
const JUDGED: usize = 64;
/// PCs that the bounds are about.
const FULL: u64 = 20_000;
/// Every so many-th cPIN has a slip.
const SLIP: usize = 10;
/// Every so many-th check-in brings an alert.
const ALERT: usize = 20;
/// What check-ins reach of commits of one row on PostgreSQL at least.
const OF_COMMITS: f64 = 2.0;
/// What they reach of the web floor at least.
const OF_WEB: f64 = 0.5;

/// Both at both numbers of connections.
pub async fn run(options: &Options, engine: &Engine) -> anyhow::Result<Workload> {
    let agents = Agents::start(options, engine, options.pcs).await?;
    let inside = agents.platform.look_inside().await?;
    let length = Duration::from_secs_f64(options.seconds);
    let (mut rows, mut bounds, mut enrolled) = (Vec::new(), Vec::new(), Vec::new());
    for (pcs, connections) in agents.pcs.chunks(agents.pcs.len().div_ceil(CONNECTIONS.len())).zip(CONNECTIONS)
    {
        let place = place("enrolment by cPIN", connections).await?;
        let mut requests = Vec::with_capacity(pcs.len());
        for (at, pc) in pcs.iter().enumerate() {
            if at % SLIP == SLIP - 1 {
                requests.push(agents.enrolment_with_slip(pc)?);
            } else {
                requests.push(agents.enrolment(pc));
                enrolled.push(pc);
            }
        }
        let mut product = Slices::default();
        let cpu = agents.platform.cpu_ms()?;
        product
            .slices
            .push(send_all(agents.platform.process.address, Arc::new(requests), connections).await?);
        product.cpu_ms += agents.platform.cpu_ms()? - cpu;
        rows.push(product.row("product", &place, None));
        let [one, together] = commits(&agents, &inside, connections, length).await?;
        rows.push(one.row("floor, 1 a commit", &place, None));
        rows.push(together.row(&format!("floor, {connections} a commit"), &place, None));
        let sql =
            "SELECT COUNT(*) FROM placements p JOIN device_keys k ON k.device = p.device WHERE p.tenant = $1";
        let there = inside.number(sql, &[Cell::Id(agents.customer)]).await?;
        ensure!(there == i64::try_from(enrolled.len())?, "{there} PCs are in the tenant with a key");
        let keys = inside.number("SELECT COUNT(*) FROM device_keys", &[]).await?;
        ensure!(keys == there, "{keys} PCs have a key, {there} of them were let in");
    }
    agents.platform.database.settle().await?;

    let origin = format!("http://{}", agents.platform.process.address);
    let web_floor = Process::start(Command::new(std::env::current_exe()?).args(["signed-floor", &origin]))?;
    refuses_forgeries(&agents, &web_floor, &enrolled).await?;
    let mut alerts = 0;
    for (phase, connections) in CONNECTIONS.into_iter().enumerate() {
        let found = check_in(options, &agents, &inside, &web_floor, &enrolled, (phase, connections)).await?;
        rows.extend(found.rows);
        if connections == JUDGED {
            bounds.extend(judge(options, engine, &found.rates));
        }
        let seen = inside.number("SELECT COUNT(*) FROM check_ins", &[]).await?;
        ensure!(seen == i64::try_from(enrolled.len())?, "{seen} PCs were seen");
        alerts += found.alerts;
        for table in ["alerts", "pop_ups"] {
            let raised = inside.number(&format!("SELECT COUNT(*) FROM {table}"), &[]).await?;
            ensure!(raised == i64::try_from(alerts)?, "{raised} rows in {table} instead of {alerts}");
        }
    }
    let facts = object! {
        "engine" => engine.settings(), "pcs" => options.pcs, "enrolled" => enrolled.len(),
        "how" => "POST /device/v1/enrolments and /device/v1/check-ins, each signed by the PC's key (RFC 9421) for the address \
                  by which PCs know the platform; the PCs were sold with a support level and are in their partner's pool",
        "slices" => format!("each PC checks in {} times, in {} slices in turn with the floors", options.times, options.rounds),
        "durability" => "an enrolment is a commit of its own; check-ins that come while one commits are the next commit",
        "wrong_cpins" => "every tenth has a slip and is refused by its check character; guesses are throttled, so that they \
                          are no load",
        "alerts" => "every twentieth check-in says that the disk is worn out, which is an alert with a pop-up; the PC's next one says \
                    that it is not",
        "web_floor" => "axum in a process of its own; the same requests, their signatures checked by the product's own \
                        functions (roadstead-domain, ed25519-dalek), the body read, the same answer",
        "checked" => "every answer's status; forged signatures are refused by both; the PCs in the tenant, their keys, the \
                      PCs that were seen, alerts and pop-ups",
    };
    drop((inside, web_floor, enrolled));
    agents.platform.remove().await?;
    Ok(Workload { id: "W5", facts, tables: vec![Table { title: "per second", rows }], bounds })
}

async fn place(what: &str, connections: usize) -> anyhow::Result<Map<String, Value>> {
    settle().await?;
    let idle = idle_share().await?;
    Ok(object! { "what" => what, "connections" => connections, "idle_before" => figure(idle) })
}

/// Commits of one row from as many connections, and of as many rows from one.
async fn commits(
    agents: &Agents,
    inside: &Inside,
    connections: usize,
    length: Duration,
) -> anyhow::Result<[Slices; 2]> {
    let mut found = [Slices::default(), Slices::default()];
    let one = Commits { connections, rows: 1, tables: 1 };
    let together = Commits { connections: 1, rows: connections, tables: 1 };
    for (slices, commits) in found.iter_mut().zip([one, together]) {
        let (database, engine) = (&agents.platform.database, &agents.platform.database.engine);
        let cpu = engine.cpu_ms()?;
        slices.slices.push(commits.run(database, inside, length).await?);
        slices.cpu_ms += engine.cpu_ms()? - cpu;
    }
    Ok(found)
}

/// Neither product nor floor takes a request with the signature of another.
async fn refuses_forgeries(agents: &Agents, web_floor: &Process, enrolled: &[&Pc]) -> anyhow::Result<()> {
    let [one, other] = [0, 1].map(|at| enrolled.get(at).map(|pc| agents.check_in(pc, Health::Good)));
    let forged = one.context("no PC")?.forged(&other.context("one PC only")?);
    for address in [agents.platform.process.address, web_floor.address] {
        let (status, _) = Connection::open(address).await?.send(&forged).await?;
        ensure!(status == StatusCode::UNAUTHORIZED, "a forged signature was answered {status} by {address}");
    }
    Ok(())
}

/// What check-ins came to.
struct Found {
    rows: Vec<Map<String, Value>>,
    /// Check-ins with an alert.
    alerts: usize,
    rates: Rates,
}

struct Rates {
    product: f64,
    web: f64,
    commits: f64,
}

/// Every PC checks in so many times, in slices in turn with the floors.
async fn check_in(
    options: &Options,
    agents: &Agents,
    inside: &Inside,
    web_floor: &Process,
    enrolled: &[&Pc],
    (phase, connections): (usize, usize),
) -> anyhow::Result<Found> {
    let length = Duration::from_secs_f64(options.seconds / 2.0);
    let place = place("check-in", connections).await?;
    let (mut product, mut judged, mut web) = (Slices::default(), Slices::default(), Slices::default());
    let (mut one, mut together) = (Slices::default(), Slices::default());
    let mut alerts = 0;
    for part in enrolled.chunks(enrolled.len().div_ceil(options.rounds.max(1))) {
        let times = (phase * options.times..).take(options.times);
        // Each time others are worn, and those of the time before are well again.
        let of_all = times.flat_map(|time| part.iter().enumerate().map(move |(at, pc)| (time + at, pc)));
        let requests = of_all.map(|(at, pc)| {
            let health = if at % ALERT == 0 { Health::Worn } else { Health::Good };
            alerts += usize::from(health == Health::Worn);
            agents.check_in(pc, health)
        });
        let requests = Arc::new(requests.collect::<Vec<_>>());
        let cpu = agents.platform.cpu_ms()?;
        let slice = send_all(agents.platform.process.address, requests.clone(), connections).await?;
        let after = until_judged(inside).await?;
        let cpu = agents.platform.cpu_ms()? - cpu;
        judged.slices.push(Slice { seconds: slice.seconds + after, millis: Vec::new(), ..slice });
        product.slices.push(slice);
        (product.cpu_ms, judged.cpu_ms) = (product.cpu_ms + cpu, judged.cpu_ms + cpu);
        let cpu = web_floor.cpu_ms()?;
        web.slices.push(send_all(web_floor.address, requests, connections).await?);
        web.cpu_ms += web_floor.cpu_ms()? - cpu;
        for (all, found) in
            [&mut one, &mut together].into_iter().zip(commits(agents, inside, connections, length).await?)
        {
            all.slices.extend(found.slices);
            all.cpu_ms += found.cpu_ms;
        }
    }
    let rates =
        Rates { product: product.rates().median, web: web.rates().median, commits: one.rates().median };
    let rows = vec![
        product.row("product", &place, None),
        judged.row("product, with what follows", &place, None),
        web.row("floor, web with signatures", &place, None),
        one.row("floor, 1 a commit", &place, None),
        together.row(&format!("floor, {connections} a commit"), &place, None),
    ];
    Ok(Found { rows, alerts, rates })
}

fn judge(options: &Options, engine: &Engine, rates: &Rates) -> Vec<Bound> {
    let bound = |demand: &str, floor: f64, least: f64| Bound {
        demand: format!("check-ins per second of {demand}, {JUDGED} connections, at least {least}"),
        measured: rates.product / floor,
        outcome: Outcome::of(rates.product >= least * floor, options.pcs >= FULL),
    };
    let mut bounds = vec![bound("the web floor's with the same signature check", rates.web, OF_WEB)];
    // The embedded database has one writer that is in nobody's way: only a server's commits wait for each other.
    if engine.name() == EngineName::Postgres {
        bounds.push(bound("commits of one row", rates.commits, OF_COMMITS));
    }
    bounds
}
