//! Moves while every PC checks in: none is lost, none is done twice, none is doubled. `make faults` runs it a hundred
//! times.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use roadstead_domain::access;
use roadstead_server::app::Config;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use roadstead_store::placements;
use rstest::rstest;
use serde_json::json;

use crate::pc::Pc;
use crate::world::{World, csv};

/// PCs, each moved [`ROUNDS`] times: 10,000 moves.
const PCS: usize = 1_000;
const ROUNDS: usize = 10;
/// PCs whose agents talk all the time.
const TALKING: u8 = 60;
/// How many talk at once.
const AT_ONCE: usize = 8;

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_moves_under_check_ins_lose_none(#[values(Sqlite, Postgres)] kind: Kind) {
    let times =
        std::env::var("ROADSTEAD_FAULT_ROUNDS").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    for time in 0..times {
        once(kind, &format!("moves{time}")).await;
    }
}

fn serial(n: usize) -> String {
    format!("5CG{n:07}")
}

async fn once(kind: Kind, name: &str) {
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
    let pcs: Vec<Pc> = (1..=TALKING).map(|key| Pc::new(&world, &serial(usize::from(key)), key)).collect();
    for pc in &pcs {
        pc.enrol().await.expect(201);
    }
    let (stop, told) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let talk = |own: Vec<Pc>| {
        let (stop, told) = (stop.clone(), told.clone());
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                for pc in &own {
                    pc.post("check-ins", json!({ "readings": {}, "user": "x" })).await.expect(200);
                    told.fetch_add(1, Ordering::Relaxed);
                }
            }
        })
    };
    let talking: Vec<_> = pcs.chunks(pcs.len().div_ceil(AT_ONCE)).map(|own| talk(own.to_vec())).collect();

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
    stop.store(true, Ordering::Relaxed);
    for talking in talking {
        talking.await.unwrap();
    }
    assert!(told.load(Ordering::Relaxed) > u64::from(TALKING), "the PCs talked meanwhile");

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
    let system = access::system();
    let mut tx = world.app.store.read(&system).await.unwrap();
    for (what, sql, expected) in [
        ("placements", "SELECT COUNT(*) FROM placements WHERE generation = 11", PCS),
        ("log entries", "SELECT COUNT(*) FROM placement_log", PCS * (ROUNDS + 1)),
        ("counted PCs", "SELECT CAST(SUM(devices) AS BIGINT) FROM tenant_counts", PCS),
        ("PCs that were seen", "SELECT COUNT(*) FROM check_ins", usize::from(TALKING)),
    ] {
        assert_eq!(tx.number(sql, vec![]).await.unwrap(), i64::try_from(expected).unwrap(), "{what}");
    }
    for (chain, name) in placements::chains(&mut tx, &system).await.unwrap() {
        assert!(placements::verify_chain(&mut tx, &system, chain).await.unwrap().is_ok(), "{name}");
    }
}

/// Where a PC is after so many rounds: it never stays where it is.
fn place(n: usize, round: usize) -> usize {
    round * (1 + n % 3)
}
