//! The agent itself against the platform: it joins, says how the PC is, and bears what goes wrong in between.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use roadstead_agent::agent::Agent;
use roadstead_agent::config::Config;
use roadstead_agent::health::Health;
use roadstead_domain::access;
use roadstead_domain::clock::Ambient;
use roadstead_store::engine::Kind::{Postgres, Sqlite};
use roadstead_store::testing::{SeededEntropy, SteppedClock};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::world::{World, csv};

const READINGS: &str = r#"{"disks":[{"name":"/dev/sda","passed":true,"attributes":{"5":0}}]}"#;

/// An agent that is started again must not repeat its nonces.
static SEEDS: AtomicU64 = AtomicU64::new(1);

fn agent(world: &World, home: &Path, server: &str, serial: &str, cpin: Option<&str>) -> Agent {
    let file = home.join("readings.json");
    std::fs::write(&file, READINGS).unwrap();
    let mut config = format!("server = \"{server}\"\nserial = \"{serial}\"\nproduct_number = \"6T1A2EA\"\n");
    config += &format!("state = \"{}\"\ndomain = \"werft.example\"\n", home.join("state").display());
    if let Some(cpin) = cpin {
        config += &format!("cpin = \"{cpin}\"\n");
    }
    std::fs::write(home.join("agent.toml"), config).unwrap();
    let config = Config::read(&home.join("agent.toml")).unwrap();
    let ambient = Ambient {
        clock: world.clock.clone(),
        entropy: SeededEntropy::new(SEEDS.fetch_add(1, Ordering::Relaxed)),
    };
    Agent::new(config, Health::recorded(&file).unwrap(), ambient).unwrap()
}

async fn readings_of(world: &World, serial: &str) -> Option<Value> {
    let mut tx = world.app.store.read(&access::system()).await.unwrap();
    let found = roadstead_store::enrolments::with_serial(&mut tx, &access::system(), serial).await.unwrap();
    let seen = roadstead_store::check_ins::last(&mut tx, found.first()?.device).await.unwrap()?;
    Some(serde_json::from_str(&seen.readings).unwrap())
}

#[tokio::test]
async fn an_agent_joins_by_its_serial_and_says_how_the_pc_is() {
    let world = World::start(Sqlite, "agent").await;
    world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let home = TempDir::new().unwrap();
    let mut agent = agent(&world, home.path(), &world.url, "5CG000000A", None);
    // Nobody has reported it yet: it waits, and asks again when it was told to.
    let wait = agent.step().await.unwrap();
    assert!(wait.as_secs() >= 720, "{wait:?}");
    distributor.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    agent.step().await.unwrap();
    assert_eq!(readings_of(&world, "5CG000000A").await, None, "it does not ask before its time");
    world.clock.step_seconds(900);
    let wait = agent.step().await.unwrap();
    assert!((240..=360).contains(&wait.as_secs()), "{wait:?}");
    let readings = readings_of(&world, "5CG000000A").await.unwrap();
    assert_eq!(readings["disks"][0]["attributes"]["5"], 0);
    assert!(readings["taken_at"].is_string());
}

#[tokio::test]
async fn an_agent_joins_by_the_cpin_and_again_after_a_restart_by_nothing_but_its_key() {
    let world = World::start(Postgres, "agentpin").await;
    let partner = world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    let customer = partner.customer("Werft Nord").await;
    let made = partner.post(&format!("customers/{customer}/cpins"), json!({})).await.expect(201);
    let home = TempDir::new().unwrap();
    let pin = made["cpin"].as_str();
    agent(&world, home.path(), &world.url, "5CG000000A", pin).step().await.unwrap();
    assert!(readings_of(&world, "5CG000000A").await.is_some());
    let devices = partner.all(&format!("customers/{customer}/devices")).await;
    assert_eq!(devices[0]["serial_number"], "5CG000000A");
    assert!(devices[0]["last_seen"].is_string(), "{devices:?}");
    let mut again = agent(&world, home.path(), &world.url, "5CG000000A", pin);
    again.step().await.unwrap();
    assert!(!again.is_failing());
    let log = partner.all("audit-log").await;
    assert_eq!(log.iter().filter(|entry| entry["action"] == "device.enrolled").count(), 1);
}

#[tokio::test]
async fn a_clock_that_is_a_day_off_hinders_nothing() {
    let world = World::start(Sqlite, "agentskew").await;
    world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    let home = TempDir::new().unwrap();
    let file = home.path().join("readings.json");
    std::fs::write(&file, READINGS).unwrap();
    let config = format!(
        "server = \"{}\"\nserial = \"5CG000000A\"\nstate = \"{}\"\n",
        world.url,
        home.path().display()
    );
    std::fs::write(home.path().join("agent.toml"), config).unwrap();
    let config = Config::read(&home.path().join("agent.toml")).unwrap();
    let clock = SteppedClock::noon();
    clock.step_seconds(-24 * 3600);
    let ambient = Ambient { clock: clock.clone(), entropy: SeededEntropy::new(3) };
    let mut agent = Agent::new(config, Health::recorded(&file).unwrap(), ambient).unwrap();
    agent.step().await.unwrap();
    assert!(!agent.is_failing());
    let mut last = readings_of(&world, "5CG000000A").await.unwrap();
    // Set back a little, then by hours, then ahead by a day: each time it is heard at once.
    for step in [-200, -20 * 3600, 24 * 3600] {
        clock.step_seconds(step);
        agent.step().await.unwrap();
        assert!(!agent.is_failing(), "{step}");
        let heard = readings_of(&world, "5CG000000A").await.unwrap();
        assert_ne!(heard["taken_at"], last["taken_at"], "{step}");
        last = heard;
    }
}

/// A way to the server that can be cut.
struct Way {
    port: u16,
    task: JoinHandle<()>,
}

impl Way {
    async fn open(world: &World, port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = world.url.trim_start_matches("http://").to_owned();
        let task = tokio::spawn(async move {
            // Dropped with the task: connections that are open are cut.
            let mut open = tokio::task::JoinSet::new();
            while let Ok((mut from, _)) = listener.accept().await {
                let server = server.clone();
                open.spawn(async move {
                    let mut to = TcpStream::connect(server).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                });
            }
        });
        Self { port, task }
    }

    async fn cut(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

#[tokio::test]
async fn what_cannot_be_sent_waits_on_the_disk_and_arrives_in_order() {
    let world = World::start(Sqlite, "agentqueue").await;
    world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    let way = Way::open(&world, 0).await;
    let (port, url) = (way.port, format!("http://127.0.0.1:{}", way.port));
    let home = TempDir::new().unwrap();
    let mut first = agent(&world, home.path(), &url, "5CG000000A", None);
    first.step().await.unwrap();
    assert!(readings_of(&world, "5CG000000A").await.is_some());

    way.cut().await;
    let waits = [first.step().await.unwrap(), first.step().await.unwrap(), first.step().await.unwrap()];
    assert!(first.is_failing() && waits[0].as_secs() <= 5 && waits[2].as_secs() >= 10, "{waits:?}");
    let queue = home.path().join("state/queue");
    assert_eq!(std::fs::read_dir(&queue).unwrap().count(), 3);
    // The PC is switched off and on again meanwhile.
    drop(first);
    std::fs::write(home.path().join("readings.json"), READINGS.replace("\"5\":0", "\"5\":9")).unwrap();
    let _way = Way::open(&world, port).await;
    let mut second = agent(&world, home.path(), &url, "5CG000000A", None);
    second.step().await.unwrap();
    assert!(!second.is_failing());
    assert_eq!(std::fs::read_dir(&queue).unwrap().count(), 0);
    assert!(readings_of(&world, "5CG000000A").await.is_some());
}

#[tokio::test]
async fn an_agent_that_the_platform_no_longer_knows_asks_to_join_again() {
    let world = World::start(Sqlite, "agentlost").await;
    world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    let home = TempDir::new().unwrap();
    let mut agent = agent(&world, home.path(), &world.url, "5CG000000A", None);
    agent.step().await.unwrap();
    let mut tx = world.app.store.write(&access::system()).await.unwrap();
    tx.execute("DELETE FROM device_keys", vec![]).await.unwrap();
    tx.execute("DELETE FROM check_ins", vec![]).await.unwrap();
    tx.commit().await.unwrap();
    agent.step().await.unwrap();
    assert_eq!(readings_of(&world, "5CG000000A").await, None);
    agent.step().await.unwrap();
    assert!(readings_of(&world, "5CG000000A").await.is_some());
}
