//! Moves while PCs check in, some with a failing disk: no move is lost, none is done twice, none is doubled, and alerts are
//! where their PC is. In `make test` 60 of 1,000 PCs have an agent; `make faults` runs it a hundred times, with every PC
//! checking in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use roadstead_domain::access;
use roadstead_server::app::Config;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use roadstead_store::placements;
use rstest::rstest;
use serde_json::{Value, json};

use crate::pc::Pc;
use crate::world::{World, csv};

/// PCs, each moved [`ROUNDS`] times: 10,000 moves.
const PCS: usize = 1_000;
const ROUNDS: usize = 10;
/// PCs whose agents talk all the time, where it is not all of them.
const TALKING: usize = 60;
/// Every so many of them has a failing disk. PCs go three ways ([`place`]); this leaves some on each.
const FAILING: usize = 5;
/// How many talk at once.
const AT_ONCE: usize = 8;

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_moves_under_check_ins_lose_none(#[values(Sqlite, Postgres)] kind: Kind) {
    let times = std::env::var("ROADSTEAD_FAULT_ROUNDS").ok().map(|times| times.parse::<u32>().unwrap());
    let talking = if times.is_some() { PCS } else { TALKING };
    for time in 0..times.unwrap_or(1) {
        once(kind, &format!("moves{time}"), talking).await;
    }
}

fn serial(n: usize) -> String {
    format!("5CG{n:07}")
}

/// What a PC says of itself.
fn said(n: usize) -> Value {
    let disks = [json!({ "name": "/dev/sda", "passed": false })];
    let readings = if n.is_multiple_of(FAILING) { json!({ "disks": disks }) } else { json!({}) };
    json!({ "readings": readings, "user": "x" })
}

async fn once(kind: Kind, name: &str, talking: usize) {
    // They talk as fast as they can.
    let config = Config { check_ins_at_once: u32::MAX, ..Config::default() };
    let world = World::with(kind, name, config).await;
    let partner = world.partner("R-1").await;
    let lines: Vec<String> = (0..PCS).map(|n| format!("{} R-1", serial(n))).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    world.distributor("D-1").await.report("", "text/csv", csv(&lines)).await;
    let mut targets = vec!["unassigned".to_owned()];
    for name in ["Werft", "Kai", "Reede"] {
        targets.push(partner.customer(name).await);
    }
    let first = Pc::new(&world, &serial(0), 1);
    let pcs: Vec<(Pc, Value)> =
        (0..talking).map(|n| (first.beside(&serial(n), u32::try_from(n).unwrap()), said(n))).collect();
    for own in pcs.chunks(AT_ONCE) {
        for enrolled in futures_util::future::join_all(own.iter().map(|(pc, _)| pc.enrol())).await {
            enrolled.expect(201);
        }
    }
    let (stop, told) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let talk = |own: Vec<(Pc, Value)>| {
        let (stop, told) = (stop.clone(), told.clone());
        tokio::spawn(async move {
            loop {
                // The last time round begins when every move is done: each of them is heard where it stays.
                let is_last = stop.load(Ordering::Relaxed);
                for (pc, said) in &own {
                    pc.post("check-ins", said.clone()).await.expect(200);
                    told.fetch_add(1, Ordering::Relaxed);
                }
                if is_last {
                    break;
                }
            }
        })
    };
    let agents: Vec<_> = pcs.chunks(pcs.len().div_ceil(AT_ONCE)).map(|own| talk(own.to_vec())).collect();

    // Each PC goes round the targets at a pace of its own; the n-th PC is at target (n + round) of four.
    for round in 1..=ROUNDS {
        let items: Vec<_> = (0..PCS)
            .map(|n| json!({ "serial": serial(n), "to": targets[(place(n, round)) % targets.len()] }))
            .collect();
        let preview = partner.post("transfers", json!({ "items": items })).await.expect(201);
        assert_eq!((&preview["ready"], &preview["blocked"]), (&json!(PCS), &json!(0)), "round {round}");
        let path = format!("transfers/{}/commit", preview["id"].as_str().unwrap());
        let done = partner.post(&path, json!({ "digest": preview["digest"] })).await.expect(200);
        assert_eq!(done["moved"], PCS, "round {round}");
    }
    let meanwhile = told.load(Ordering::Relaxed);
    stop.store(true, Ordering::Relaxed);
    for agent in agents {
        agent.await.unwrap();
    }
    assert!(meanwhile > TALKING, "the PCs talked meanwhile");

    // Every PC is where its last move put it, and nowhere else.
    for (at, target) in targets.iter().enumerate() {
        let path = match at {
            0 => "unassigned-devices".to_owned(),
            _ => format!("customers/{target}/devices"),
        };
        let mut there: Vec<String> = partner
            .all(&path)
            .await
            .iter()
            .map(|item| item["serial_number"].as_str().unwrap().to_owned())
            .collect();
        there.sort_unstable();
        let expected: Vec<String> =
            (0..PCS).filter(|n| place(*n, ROUNDS) % targets.len() == at).map(serial).collect();
        assert_eq!(there.len(), expected.len(), "{path}");
        assert_eq!(there, expected, "{path}");
    }
    let (system, failing) = (access::system(), talking.div_ceil(FAILING));
    let mut tx = world.app.store.read(&system).await.unwrap();
    for (what, sql, expected) in [
        ("placements", "SELECT COUNT(*) FROM placements WHERE generation = 11", PCS),
        ("log entries", "SELECT COUNT(*) FROM placement_log", PCS * (ROUNDS + 1)),
        ("counted PCs", "SELECT CAST(SUM(devices) AS BIGINT) FROM tenant_counts", PCS),
        ("PCs that were seen", "SELECT COUNT(*) FROM check_ins", talking),
        ("alerts", "SELECT COUNT(*) FROM alerts", failing),
        (
            "open alerts where their PC is",
            "SELECT COUNT(*) FROM alerts a JOIN placements p ON p.device = a.device AND p.tenant = a.tenant \
             WHERE a.state = 'open'",
            failing,
        ),
        ("pop-ups that stand", "SELECT COUNT(*) FROM pop_ups WHERE state = 'open'", failing),
    ] {
        assert_eq!(tx.number(sql, vec![]).await.unwrap(), i64::try_from(expected).unwrap(), "{what}");
    }
    for (chain, name) in placements::chains(&mut tx, &system).await.unwrap() {
        assert!(placements::verify_chain(&mut tx, &system, chain).await.unwrap().is_ok(), "{name}");
    }
    let mut after = Some(uuid::Uuid::nil());
    while let Some(from) = after {
        let (strays, next) = placements::strays(&mut tx, &system, from).await.unwrap();
        assert_eq!(strays, []);
        after = next;
    }
}

/// Where a PC is after so many rounds: it never stays where it is.
fn place(n: usize, round: usize) -> usize {
    round * (1 + n % 3)
}
