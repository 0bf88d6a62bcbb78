//! `roadstead audit verify` finds what somebody with SQL changes in the logs of moves, or in where PCs are.

use std::collections::BTreeSet;

use roadstead_domain::access;
use roadstead_server::app::Config;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use roadstead_store::testing::{ambient, fresh_postgres};
use roadstead_store::{Store, args};
use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;
use uuid::Uuid;

use crate::world::{World, csv};

type Logged = (
    Uuid,
    i64,
    Uuid,
    String,
    Option<Uuid>,
    Option<Uuid>,
    i64,
    Option<Uuid>,
    Option<i64>,
    Option<String>,
    Option<Uuid>,
    i64,
    Vec<u8>,
    i64,
);
type Placed = (Uuid, Option<Uuid>, i64, String, String, i64, Option<Uuid>, Option<i64>);

/// A change of an entry in the log of R-1.
macro_rules! logged {
    ($set:literal, $seq:literal) => {
        concat!(
            "UPDATE placement_log SET ",
            $set,
            " WHERE partner = (SELECT tenant FROM partners WHERE number = 'R-1') AND seq = ",
            $seq
        )
    };
}

/// A change of where a PC is.
macro_rules! placed {
    ($set:literal, $serial:literal) => {
        concat!("UPDATE placements SET ", $set, " WHERE serial = '", $serial, "'")
    };
}

/// Column, change, and the number of the entry in the log of R-1 that verify has to name. Entry 2 is an arrival by a
/// report's line, entry 4 a transfer.
const LOG: &[(&str, &str, i64)] = &[
    ("partner", logged!("partner = (SELECT tenant FROM partners WHERE number = 'R-2')", 4), 4),
    ("seq", logged!("seq = 40", 4), 4),
    ("device", logged!("device = (SELECT id FROM devices WHERE serial = '5CG000000C')", 4), 4),
    ("serial", logged!("serial = '5CG000000X'", 4), 4),
    ("from_tenant", logged!("from_tenant = NULL", 4), 4),
    ("from_tenant", logged!("from_tenant = to_tenant", 2), 2),
    ("to_tenant", logged!("to_tenant = NULL", 4), 4),
    ("to_tenant", logged!("to_tenant = from_tenant", 4), 4),
    ("generation", logged!("generation = generation + 1", 4), 4),
    ("report", logged!("report = cause_id", 4), 4),
    ("report", logged!("report = NULL", 2), 2),
    ("report", logged!("report = device", 2), 2),
    ("line", logged!("line = 1", 4), 4),
    ("line", logged!("line = line + 1", 2), 2),
    ("cause", logged!("cause = 'undo'", 4), 4),
    ("cause", logged!("cause = 'undo'", 2), 2),
    ("cause_id", logged!("cause_id = device", 4), 4),
    ("cause_id", logged!("cause_id = report", 2), 2),
    ("at", logged!("at = at + 1", 4), 4),
    ("hash", logged!("hash = (SELECT h.hash FROM placement_log_heads h WHERE h.seq = 6)", 4), 4),
    ("version", logged!("version = 1", 4), 4),
    ("version", logged!("version = 3", 4), 4),
];

/// Column, change, and whose entry verify has to name, with its number.
const PLACES: &[(&str, &str, &str, i64)] = &[
    (
        "device",
        placed!("device = (SELECT tenant FROM partners WHERE number = 'R-2')", "5CG000000A"),
        "R-1",
        4,
    ),
    ("tenant", placed!("tenant = NULL", "5CG000000A"), "R-1", 4),
    (
        "tenant",
        placed!("tenant = (SELECT p.tenant FROM placements p WHERE p.serial = '5CG000000C')", "5CG000000A"),
        "R-1",
        4,
    ),
    // Back in after a return, and out of where the other partner got it.
    (
        "tenant",
        placed!("tenant = (SELECT p.tenant FROM placements p WHERE p.serial = '5CG000000A')", "5CG000000B"),
        "R-1",
        5,
    ),
    ("tenant", placed!("tenant = NULL", "5CG000000C"), "R-2", 1),
    ("generation", placed!("generation = generation + 1", "5CG000000A"), "R-1", 4),
    ("generation", placed!("generation = generation - 1", "5CG000000A"), "R-1", 4),
    ("serial", placed!("serial = '5CG000000X'", "5CG000000A"), "R-1", 4),
    ("since", placed!("since = since + 1", "5CG000000A"), "R-1", 4),
    ("report", placed!("report = device", "5CG000000A"), "R-1", 4),
    ("report", placed!("report = NULL", "5CG000000A"), "R-1", 4),
    ("line", placed!("line = line + 1", "5CG000000A"), "R-1", 4),
];

/// What lists search in says nothing of where a PC is, and no log tells it.
const UNSEEN: &str = "search";

async fn columns(world: &World, kind: Kind, table: &str) -> BTreeSet<String> {
    let sql = match (kind, table) {
        (Sqlite, "placements") => "SELECT name FROM pragma_table_info('placements')",
        (Sqlite, _) => "SELECT name FROM pragma_table_info('placement_log')",
        (Postgres, "placements") => {
            "SELECT column_name::text FROM information_schema.columns WHERE table_name = 'placements'"
        }
        (Postgres, _) => {
            "SELECT column_name::text FROM information_schema.columns WHERE table_name = 'placement_log'"
        }
    };
    let mut tx = world.app.store.read(&access::system()).await.unwrap();
    let names: Vec<(String,)> = tx.all(sql, vec![]).await.unwrap();
    names.into_iter().map(|(name,)| name).collect()
}

/// What the tables held before somebody changed them.
struct Kept {
    log: Vec<Logged>,
    places: Vec<Placed>,
}

impl Kept {
    async fn of(world: &World) -> Self {
        let mut tx = world.app.store.read(&access::system()).await.unwrap();
        let log = "SELECT partner, seq, device, serial, from_tenant, to_tenant, generation, report, line, cause, \
                   cause_id, at, hash, version FROM placement_log";
        let places = "SELECT device, tenant, generation, serial, search, since, report, line FROM placements";
        Self { log: tx.all(log, vec![]).await.unwrap(), places: tx.all(places, vec![]).await.unwrap() }
    }

    async fn put_back(&self, world: &World) {
        let mut tx = world.app.store.write(&access::system()).await.unwrap();
        tx.execute("DELETE FROM placement_log", vec![]).await.unwrap();
        tx.execute("DELETE FROM placements", vec![]).await.unwrap();
        for row in self.log.clone() {
            let (
                partner,
                seq,
                device,
                serial,
                from,
                to,
                generation,
                report,
                line,
                cause,
                id,
                at,
                hash,
                version,
            ) = row;
            let sql = "INSERT INTO placement_log (partner, seq, device, serial, from_tenant, to_tenant, generation, \
                       report, line, cause, cause_id, at, hash, version) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
            let values = args![
                partner, seq, device, serial, from, to, generation, report, line, cause, id, at, hash,
                version
            ];
            tx.execute(sql, values).await.unwrap();
        }
        for (device, tenant, generation, serial, search, since, report, line) in self.places.clone() {
            let sql = "INSERT INTO placements (device, tenant, generation, serial, search, since, report, line) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
            let values = args![device, tenant, generation, serial, search, since, report, line];
            tx.execute(sql, values).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}

async fn change(world: &World, sql: &'static str) {
    let mut tx = world.app.store.write(&access::system()).await.unwrap();
    assert_eq!(tx.execute(sql, vec![]).await.unwrap(), 1, "{sql}");
    tx.commit().await.unwrap();
}

#[rstest]
#[tokio::test]
async fn whatever_is_changed_by_sql_is_found_and_its_entry_named(#[values(Sqlite, Postgres)] kind: Kind) {
    let directory = TempDir::new().unwrap();
    let data = directory.path().to_str().unwrap().to_owned();
    let (store, mut place) = match kind {
        Sqlite => (Store::open_sqlite(directory.path()).await.unwrap(), vec![]),
        Postgres => {
            let url = fresh_postgres("verified").await.unwrap();
            (Store::open_postgres(&url).await.unwrap(), vec!["--database".to_owned(), url])
        }
    };
    place.extend(["--data".to_owned(), data]);
    let (ambient, clock) = ambient();
    let world = World::on(store, directory, Config::default(), ambient, clock).await;
    let (one, two) = (world.partner("R-1").await, world.partner("R-2").await);
    let distributor = world.distributor("D-1").await;

    // Three arrive, one goes on to a customer, one is returned, one is sold to the other partner.
    let lines = ["5CG000000A R-1", "5CG000000B R-1", "5CG000000C R-1"];
    distributor.report("", "text/csv", csv(&lines)).await;
    let customer = one.customer("Werft").await;
    let items = json!({ "items": [{ "serial": "5CG000000A", "to": customer }] });
    let shown = one.post("transfers", items).await.expect(201);
    let digest = json!({ "digest": shown["digest"] });
    one.post(&format!("transfers/{}/commit", shown["id"].as_str().unwrap()), digest).await.expect(200);
    let lines = ["5CG000000B R-1 kind=return date=2026-11-20", "5CG000000C R-1 buyer=R-2 invoice=INV-8"];
    distributor.report("", "text/csv", csv(&lines)).await;
    assert_eq!((one.pool().await, two.pool().await), (vec![], vec!["5CG000000C".to_owned()]));

    let verify = async || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_roadstead"));
        let output = command.args(["audit", "verify"]).args(&place).output().await.unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let holds = (true, "7 entries hold\n".to_owned());
    assert_eq!(verify().await, holds);
    let kept = Kept::of(&world).await;

    for &(column, sql, entry) in LOG {
        change(&world, sql).await;
        let (held, said) = verify().await;
        let named = format!("): entry {entry} does not follow from the one before");
        let is_named = said.lines().any(|line| line.starts_with("Partner R-1 (") && line.ends_with(&named));
        assert!(!held && is_named, "{column}: {sql}: {said}");
        kept.put_back(&world).await;
    }
    for &(column, sql, whose, entry) in PLACES {
        let partner = world.operator.get(&format!("partners/{whose}")).await.expect(200);
        change(&world, sql).await;
        let (held, said) = verify().await;
        let named = format!("does not stand where entry {entry} of {} says", partner["id"].as_str().unwrap());
        assert!(!held && said.contains(&named), "{column}: {sql}: {said}");
        assert!(!said.contains("does not follow"), "{column}: {sql}: {said}");
        kept.put_back(&world).await;
    }
    // One that no log knows of: slipped in beside the others, or the whole log of it is gone.
    change(&world, placed!("device = (SELECT tenant FROM partners WHERE number = 'R-2')", "5CG000000A"))
        .await;
    let (_, said) = verify().await;
    assert!(said.contains("): no log knows of it"), "{said}");
    kept.put_back(&world).await;
    change(&world, "DELETE FROM placements WHERE serial = '5CG000000C'").await;
    let (held, said) = verify().await;
    assert!(!held && said.lines().count() == 1 && said.contains("5CG000000C ("), "{said}");
    kept.put_back(&world).await;
    assert_eq!(verify().await, holds);

    let log: BTreeSet<String> = LOG.iter().map(|(column, ..)| (*column).to_owned()).collect();
    assert_eq!(log, columns(&world, kind, "placement_log").await);
    let mut places: BTreeSet<String> = PLACES.iter().map(|(column, ..)| (*column).to_owned()).collect();
    places.insert(UNSEEN.to_owned());
    assert_eq!(places, columns(&world, kind, "placements").await);
}
