//! W6 and W8: agents with a live channel each. A check-in raises an alert for one of them; the clock runs from its send
//! until the pop-up has been read from that agent's channel. What an agent's desktop does with it then is not measured.
//! Then the self-service switch of their tenant is turned off, and the clock runs until each channel has told that its
//! pop-up is withdrawn. And what the channels cost the server in memory.

use std::collections::HashSet;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::json;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::Options;
use crate::agents::{Agents, Health};
use crate::commits::Commits;
use crate::engine::Engine;
use crate::http::Credential;
use crate::load::{self, Target};
use crate::machine::{self, idle_share, percentile, settle};
use crate::object;
use crate::report::{Bound, Outcome, Table, Workload, figure};
use crate::server::Process;
use crate::signed::{Connection, Signed};
use crate::transfer;

/// Agents and alerts that the bounds are about.
const FULL_AGENTS: u64 = 10_000;
const FULL_ALERTS: usize = 300;
/// An alert comes so long after the one before: 300 take a minute, in which every channel looks for news of its own
/// accord once.
const PACE: Duration = Duration::from_millis(200);
/// A pop-up that is not there by then will not come.
const PATIENCE: Duration = Duration::from_secs(60);
/// Half of all pop-ups, and 99 of 100, are there within this.
const P50_MS: f64 = 50.0;
const P99_MS: f64 = 500.0;
/// The last pop-up is off the screens within this once the switch is turned.
const WITHDRAWN_MS: f64 = 1_000.0;
/// Bytes of memory that an agent's channel may cost.
const BYTES: f64 = 20_000.0;
/// Channels that are opened at a time.
const AT_ONCE: usize = 64;
/// Files that server and generator have open besides the channels.
const BESIDES: u64 = 500;

/// What a channel tells of a pop-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    Shown,
    Withdrawn,
}

/// News on an agent's channel.
struct Told {
    agent: usize,
    news: News,
    at: Instant,
}

/// Opens the channels, raises alerts, and looks at the server's memory before and after.
pub async fn run(options: &Options, engine: &Engine) -> anyhow::Result<Vec<Workload>> {
    machine::open_files(options.agents + BESIDES)?;
    let agents = Agents::start(options, engine, options.agents).await?;
    agents.enrol_all().await?;
    // What enrolling has left in the server's memory is not the channels'.
    let agents = agents.restarted().await?;
    agents.check_in_all(Health::Good).await?;
    settle().await?;
    let idle = idle_share().await?;
    let process = &agents.platform.process;
    let mut memory = vec![("before", process.memory()?)];

    let (tell, mut told) = mpsc::unbounded_channel();
    let start = Instant::now();
    let mut channels = connect(&agents, &tell).await?;
    drop(tell);
    let connected = start.elapsed();
    memory.push(("every channel open", process.memory()?));

    let alerts = options.alerts.clamp(1, agents.pcs.len());
    let step = agents.pcs.len() / alerts;
    let mut pause = tokio::time::interval(PACE);
    let mut connection = Connection::open(process.address).await?;
    let (mut to_channel, mut to_answer) = (Vec::new(), Vec::new());
    let cpu = agents.platform.cpu_ms()?;
    let start = Instant::now();
    for at in 0..alerts {
        pause.tick().await;
        let agent = at * step;
        let signed = agents.check_in(&agents.pcs[agent], Health::Worn);
        let start = Instant::now();
        connection.ask(&signed).await?;
        to_answer.push(start.elapsed().as_secs_f64() * 1000.0);
        let told = tokio::time::timeout(PATIENCE, told.recv()).await.context("no pop-up")?;
        let told = told.context("every channel is closed")?;
        let (news, to) = (told.news, told.agent);
        ensure!(
            news == News::Shown && to == agent,
            "agent {to} was told {news:?} of the alert of agent {agent}"
        );
        to_channel.push((told.at - start).as_secs_f64() * 1000.0);
    }
    let cores = (agents.platform.cpu_ms()? - cpu) / 1000.0 / start.elapsed().as_secs_f64();
    memory.push(("after the alerts", process.memory()?));
    // Nobody was told a second time.
    ensure!(told.try_recv().is_err(), "an agent was told of an alert of nobody's");

    let mut partner = transfer::partner(&agents.platform).await?;
    let path = format!("/api/v1/customers/{}/notification-settings", agents.customer);
    let start = Instant::now();
    partner.patch(&path, &json!({ "self_service": "off" })).await?;
    let mut to_switch = vec![start.elapsed().as_secs_f64() * 1000.0];
    let (mut to_withdrawal, mut off) = (Vec::new(), HashSet::new());
    while off.len() < alerts {
        let told = tokio::time::timeout(PATIENCE, told.recv()).await.context("no withdrawal")?;
        let Told { agent, news, at } = told.context("every channel is closed")?;
        let had_one = agent % step == 0 && agent / step < alerts;
        ensure!(
            news == News::Withdrawn && had_one && off.insert(agent),
            "agent {agent} was told {news:?} when the switch was turned"
        );
        to_withdrawal.push((at - start).as_secs_f64() * 1000.0);
    }
    // Nor this, and every channel still stands.
    ensure!(told.try_recv().is_err(), "an agent was told of a withdrawal of nobody's");
    if let Some(ended) = channels.try_join_next() {
        ended??;
    }
    channels.abort_all();
    let inside = agents.platform.look_inside().await?;
    for rows in ["alerts", "pop_ups", "pop_ups WHERE state = 'withdrawn'"] {
        let there = inside.number(&format!("SELECT COUNT(*) FROM {rows}"), &[]).await?;
        ensure!(there == i64::try_from(alerts)?, "{there} rows of {rows} instead of {alerts}");
    }
    drop(channels);
    let mut floor = floor(&agents).await?;

    let rows = [
        ("check-in to its answer", &mut to_answer),
        ("check-in to the agent's channel", &mut to_channel),
        ("switch turned off to its answer", &mut to_switch),
        ("switch turned off to each agent's channel", &mut to_withdrawal),
    ];
    let mut table = Vec::new();
    let mut bounds = Vec::new();
    let full = options.agents >= FULL_AGENTS && alerts >= FULL_ALERTS;
    for (what, millis) in rows.into_iter().chain([("floor: 2 round trips and a commit", &mut floor)]) {
        millis.sort_unstable_by(f64::total_cmp);
        table.push(object! {
            "what" => what, "times" => millis.len(), "p50_ms" => figure(percentile(millis, 0.5)),
            "p99_ms" => figure(percentile(millis, 0.99)), "max_ms" => figure(percentile(millis, 1.0)),
        });
    }
    for (share, name, most) in [(0.5, "p50", P50_MS), (0.99, "p99", P99_MS)] {
        let measured = percentile(&to_channel, share);
        bounds.push(Bound {
            demand: format!("ms from the check-in to the agent's channel, {name} under {most}"),
            measured,
            outcome: Outcome::of(measured < most, full),
        });
    }
    let last = percentile(&to_withdrawal, 1.0);
    bounds.push(Bound {
        demand: format!("ms from turning the switch off to the last agent's channel, under {WITHDRAWN_MS}"),
        measured: last,
        outcome: Outcome::of(last < WITHDRAWN_MS, full),
    });
    let pop_ups = Workload {
        id: "W6",
        facts: object! {
            "engine" => engine.settings(), "agents" => options.agents, "alerts" => alerts, "idle_before" => figure(idle),
            "seconds_to_open_every_channel" => figure(connected.as_secs_f64()),
            "processors_busy_meanwhile" => figure(cores),
            "clock" => "from the check-in's send until the pop-up has been read from the channel of the agent that it is \
                        for; the display on a desktop is not part of it",
            "pace" => "five alerts a second, one after the other; every channel looks for news of its own accord once a minute",
            "switch" => "turned off once, by PATCH, when every alert has its pop-up: one transaction takes all of them back; \
                         the clock runs from the request's send until the withdrawal has been read from each channel",
            "floor" => "two GETs of 4 bytes from a bare axum server and a durable commit of one row, one after the other",
            "checked" => "each pop-up and each withdrawal comes to the agent of its PC, to nobody else, and once; no \
                          channel ends; alerts and pop-ups in the database, and that all are withdrawn",
        },
        tables: vec![Table { title: "from alert to pop-up, and back", rows: table }],
        bounds,
    };
    let footprint = footprint(options, engine, &memory);
    drop(inside);
    agents.platform.remove().await?;
    Ok(vec![pop_ups, footprint])
}

/// Opens the channel of every agent, and waits until each was told the settings of its tenant.
async fn connect(
    agents: &Agents,
    tell: &mpsc::UnboundedSender<Told>,
) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    let address = agents.platform.process.address;
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let (stands, mut standing) = mpsc::channel(AT_ONCE);
    let mut channels = JoinSet::new();
    for (agent, pc) in agents.pcs.iter().enumerate() {
        let turn = tokio::time::timeout(PATIENCE, turns.clone().acquire_owned()).await;
        let turn =
            turn.with_context(|| format!("{AT_ONCE} channels do not open, after {agent} agents"))??;
        let (tell, stands, asked) = (tell.clone(), stands.clone(), agents.get(pc, "events"));
        channels.spawn(async move { follow(agent, address, asked, (stands, turn), tell).await });
        if let Some(ended) = channels.try_join_next() {
            ended??;
        }
        while standing.try_recv().is_ok() {}
    }
    drop(stands);
    let all = async {
        // Ends when everybody has let go.
        while standing.recv().await.is_some() {}
    };
    tokio::time::timeout(PATIENCE, all).await.context("not every channel stands")?;
    if let Some(ended) = channels.try_join_next() {
        ended??;
    }
    Ok(channels)
}

async fn follow<T>(
    agent: usize,
    address: std::net::SocketAddr,
    asked: Signed,
    stands: (mpsc::Sender<()>, T),
    tell: mpsc::UnboundedSender<Told>,
) -> anyhow::Result<()> {
    let mut events = Connection::open(address).await?.follow(&asked).await?;
    let (name, ..) = events.next().await?;
    ensure!(name == "settings", "the channel of agent {agent} began with {name}");
    drop(stands);
    loop {
        let (name, _, at) = events.next().await?;
        let news = match name.as_str() {
            "pop_up" => News::Shown,
            "withdraw" => News::Withdrawn,
            _ => continue,
        };
        tell.send(Told { agent, news, at })?;
    }
}

/// Milliseconds of two round trips and a commit, each time one after the other.
async fn floor(agents: &Agents) -> anyhow::Result<Vec<f64>> {
    let origin = format!("http://{}", agents.platform.process.address);
    let server = Process::start(Command::new(std::env::current_exe()?).args(["signed-floor", &origin]))?;
    let target = Target {
        address: server.address,
        paths: vec![("/ping".to_owned(), 4)],
        credential: Credential::token(""),
    };
    let length = Duration::from_secs(1);
    let trips = load::ask(&target, 1, length).await?;
    let inside = agents.platform.look_inside().await?;
    let commits = Commits { connections: 1, rows: 1, tables: 1 };
    let commits = commits.run(&agents.platform.database, &inside, length).await?;
    let both = trips.millis.chunks_exact(2).zip(&commits.millis);
    Ok(both.map(|(trips, commit)| trips[0] + trips[1] + commit).collect())
}

fn footprint(options: &Options, engine: &Engine, memory: &[(&str, (f64, f64))]) -> Workload {
    let (_, before) = memory[0];
    let each = |now: f64, before: f64| (now - before).max(0.0) / options.agents as f64;
    let rows = memory.iter().map(|(when, (rss, pss))| {
        object! {
            "when" => when, "rss_mb" => figure(rss / 1e6), "pss_mb" => figure(pss / 1e6),
            "rss_bytes_an_agent" => each(*rss, before.0).round(), "pss_bytes_an_agent" => each(*pss, before.1).round(),
        }
    });
    let most = memory.iter().map(|(_, (rss, _))| each(*rss, before.0)).fold(0.0, f64::max);
    Workload {
        id: "W8",
        facts: object! {
            "engine" => engine.settings(), "agents" => options.agents,
            "how" => "the server's own process, started anew once every PC has enrolled; before: every PC has checked in \
                      once, no channel is open",
        },
        tables: vec![Table { title: "memory of the server", rows: rows.collect() }],
        bounds: vec![Bound {
            demand: format!("bytes resident for each connected agent, under {BYTES}"),
            measured: most,
            outcome: Outcome::of(most < BYTES, options.agents >= FULL_AGENTS),
        }],
    }
}
