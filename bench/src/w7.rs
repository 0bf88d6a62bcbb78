//! W7: users press Submit, twice at once each. One after the other: until the case stands on the page of the desk that
//! repairs, which looks again when its live stream says so, as the page itself does. Then many at a time, for the rate.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use hyper::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::Options;
use crate::agents::{Agents, Health, Pc};
use crate::asked::PARTNER;
use crate::commits::Commits;
use crate::engine::Engine;
use crate::generator::Level;
use crate::http::{Client, Events, text_at};
use crate::load::{Slice, Slices};
use crate::machine::{idle_share, percentile, settle};
use crate::object;
use crate::report::{Bound, Outcome, Table, Workload, figure};
use crate::signed::{Connection, Signed};

/// Cases that the bound is about.
const FULL: u64 = 1_000;
/// Of so many at most the way to the page is measured, one after the other.
const ONE_BY_ONE: usize = 300;
/// Users who press Submit at a time for the rate.
const USERS: usize = 16;
/// 99 of 100 cases are on the page within this.
const P99_MS: f64 = 1000.0;
/// The page of a partner's desk.
const PAGE: &str = "/repair-desk";

/// One user's Submit, signed twice: the two are on their way at once.
struct Press {
    serial: String,
    requests: [Signed; 2],
}

/// Both parts.
pub async fn run(options: &Options, engine: &Engine) -> anyhow::Result<Workload> {
    let agents = Agents::start(options, engine, options.cases).await?;
    agents.enrol_all().await?;
    agents.check_in_all(Health::Worn).await?;
    let pop_ups = pop_ups(&agents).await?;
    let csdp = agents.pcs.iter().filter(|pc| pc.level == Level::Plus).count();
    let alone = ONE_BY_ONE.min(csdp / 2);
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    for pc in &agents.pcs {
        // Only the level that the partner may repair comes to its desk.
        let is_first = pc.level == Level::Plus && first.len() < alone;
        let press = view(&agents, pc, pop_ups.get(&pc.serial).context("a PC without a pop-up")?).await?;
        if is_first { first.push(press) } else { rest.push(press) }
    }
    agents.platform.database.settle().await?;
    settle().await?;
    let idle = idle_share().await?;
    let (mut to_page, mut to_answer) = one_by_one(&agents, &first).await?;
    let mut product = Slices::default();
    let cpu = agents.platform.cpu_ms()?;
    product.slices.push(at_once(&agents, rest).await?);
    product.cpu_ms += agents.platform.cpu_ms()? - cpu;

    let inside = agents.platform.look_inside().await?;
    let count = i64::try_from(agents.pcs.len())?;
    for what in ["*", "DISTINCT alert", "DISTINCT submitted"] {
        let cases = inside.number(&format!("SELECT COUNT({what}) FROM repair_cases"), &[]).await?;
        ensure!(cases == count, "{cases} cases by {what} instead of {count}");
    }
    let sql = "SELECT COUNT(*) FROM repair_cases WHERE (desk = 'csdp') = (support_level = 'premium_plus')";
    let routed = inside.number(sql, &[]).await?;
    ensure!(routed == count, "{routed} of {count} cases are with the right desk");
    let theirs = inside.number("SELECT COUNT(*) FROM repair_cases WHERE desk = 'csdp'", &[]).await?;
    ensure!(theirs == i64::try_from(csdp)?, "{theirs} cases are with the partner instead of {csdp}");

    let mut floor = Slices::default();
    let before = engine.cpu_ms()?;
    let commits = Commits { connections: USERS, rows: 1, tables: 3 };
    let length = Duration::from_secs_f64(options.seconds);
    floor.slices.push(commits.run(&agents.platform.database, &inside, length).await?);
    floor.cpu_ms += engine.cpu_ms()? - before;

    let place = object! { "connections" => USERS };
    let rates = vec![
        product.row("cases, each submitted twice at once", &place, None),
        floor.row("floor, commits of 3 inserts", &place, None),
    ];
    let mut page = Vec::new();
    for (what, millis) in [("both answers", &mut to_answer), ("the case on the desk's page", &mut to_page)] {
        millis.sort_unstable_by(f64::total_cmp);
        page.push(object! {
            "until" => what, "times" => millis.len(), "p50_ms" => figure(percentile(millis, 0.5)),
            "p99_ms" => figure(percentile(millis, 0.99)), "max_ms" => figure(percentile(millis, 1.0)),
        });
    }
    let p99 = percentile(&to_page, 0.99);
    let facts = object! {
        "engine" => engine.settings(), "cases" => count, "idle_before" => figure(idle),
        "with_the_partners_desk" => csdp, "with_customer_support" => agents.pcs.len() - csdp,
        "clock" => "from the two sends until the page with the case has been read; the page is asked for when the stream of \
                    the desk's signed-in user says repair_case.changed, as the page itself does",
        "checked" => "of two answers one made the case and both name it; as many cases as pop-ups and Submits, each with the \
                      desk that its PC's level wants",
    };
    drop(inside);
    agents.platform.remove().await?;
    Ok(Workload {
        id: "W7",
        facts,
        tables: vec![
            Table { title: "milliseconds after Submit", rows: page },
            Table { title: "cases per second", rows: rates },
        ],
        bounds: vec![Bound {
            demand: format!("ms from Submit to the desk's page, p99 under {P99_MS}"),
            measured: p99,
            outcome: Outcome::of(p99 < P99_MS, options.cases >= FULL),
        }],
    })
}

/// The open pop-up of each serial.
async fn pop_ups(agents: &Agents) -> anyhow::Result<HashMap<String, Uuid>> {
    let sql = "SELECT d.serial, p.id FROM pop_ups p JOIN devices d ON d.id = p.device WHERE p.state = 'open'";
    let rows = agents.platform.look_inside().await?.rows(sql, &[]).await?;
    rows.iter().map(|row| Ok((row[0].text()?.to_owned(), row[1].id()?))).collect()
}

/// The user presses View; what Submit will send.
async fn view(agents: &Agents, pc: &Pc, pop_up: &Uuid) -> anyhow::Result<Press> {
    let mut connection = Connection::open(agents.platform.process.address).await?;
    connection.ask(&agents.post(pc, &format!("pop-ups/{pop_up}/viewed"), &json!({}))).await?;
    let shown = connection.ask(&agents.get(pc, &format!("pop-ups/{pop_up}"))).await?;
    let shown: Value = serde_json::from_slice(&shown)?;
    let submit = json!({
        "id": Uuid::now_v7(), "pop_up": pop_up, "recipient": text_at(&shown, "/recipient/code")?,
        "contact": { "name": "Robin Berth", "email": "robin@customer.example", "phone": "" },
        "text": "It has become slow.", "preferred_times": "mornings",
    });
    let requests = [(); 2].map(|()| agents.post(pc, "repair-cases", &submit));
    Ok(Press { serial: pc.serial.clone(), requests })
}

/// Both at once; 201 and 200 with one case.
async fn submit(connections: &mut [Connection; 2], press: &Press) -> anyhow::Result<()> {
    let [one, other] = connections;
    let (one, other) = tokio::join!(one.send(&press.requests[0]), other.send(&press.requests[1]));
    let mut made = 0;
    let mut cases = Vec::new();
    for answer in [one?, other?] {
        let (status, bytes) = answer;
        ensure!(status.is_success(), "Submit answered {status}: {}", String::from_utf8_lossy(&bytes));
        made += usize::from(status == StatusCode::CREATED);
        cases.push(text_at(&serde_json::from_slice(&bytes)?, "/id")?.to_owned());
    }
    ensure!(made == 1 && cases[0] == cases[1], "two presses made {made} cases: {cases:?}");
    Ok(())
}

async fn two(agents: &Agents) -> anyhow::Result<[Connection; 2]> {
    let address = agents.platform.process.address;
    Ok([Connection::open(address).await?, Connection::open(address).await?])
}

/// One after the other: milliseconds until each is on the page, and until its answers are here.
async fn one_by_one(agents: &Agents, presses: &[Press]) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let desk = agents.platform.partner_session(PARTNER).await?;
    let address = agents.platform.process.address;
    let mut events = Client::with(address, desk.clone()).await?.follow("/api/v1/events").await?;
    let mut page = Client::with(address, desk).await?;
    page.get_bytes(PAGE).await?;
    let mut connections = two(agents).await?;
    let (mut to_page, mut to_answer) = (Vec::new(), Vec::new());
    for press in presses {
        let start = Instant::now();
        let answered = async {
            submit(&mut connections, press).await?;
            anyhow::Ok(start.elapsed())
        };
        let (answered, seen) = tokio::join!(answered, on_the_page(&mut events, &mut page, &press.serial));
        to_answer.push(answered?.as_secs_f64() * 1000.0);
        to_page.push((seen? - start).as_secs_f64() * 1000.0);
    }
    Ok((to_page, to_answer))
}

/// Looks at the page each time the stream says so, until this PC is on it.
async fn on_the_page(events: &mut Events, page: &mut Client, serial: &str) -> anyhow::Result<Instant> {
    let looking = async {
        loop {
            let (name, ..) = events.next().await?;
            if name == "repair_case.changed" {
                let html = page.get_bytes(PAGE).await?;
                let seen = Instant::now();
                if std::str::from_utf8(&html)?.contains(serial) {
                    return anyhow::Ok(seen);
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), looking)
        .await
        .context("the case is not on the desk's page")?
}

/// Many users at a time, one answer a case.
async fn at_once(agents: &Agents, presses: Vec<Press>) -> anyhow::Result<Slice> {
    let (presses, next) = (Arc::new(presses), Arc::new(AtomicUsize::new(0)));
    let mut users = JoinSet::new();
    let mut connections = Vec::with_capacity(USERS);
    for _ in 0..USERS {
        connections.push(two(agents).await?);
    }
    let start = Instant::now();
    for mut connections in connections {
        let (presses, next) = (presses.clone(), next.clone());
        users.spawn(async move {
            let (mut millis, mut before) = (Vec::new(), Instant::now());
            while let Some(press) = presses.get(next.fetch_add(1, Ordering::Relaxed)) {
                submit(&mut connections, press).await?;
                let now = Instant::now();
                millis.push((now - before).as_secs_f64() * 1000.0);
                before = now;
            }
            anyhow::Ok((before, millis))
        });
    }
    let mut parts = Vec::new();
    while let Some(part) = users.join_next().await {
        parts.push(part??);
    }
    Ok(Slice::gather(start, parts))
}
