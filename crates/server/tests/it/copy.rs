//! A small vendor moves from the embedded database to PostgreSQL: what it had is there, and life goes on.

use std::path::Path;

use roadstead_domain::access;
use roadstead_server::app::Config;
use roadstead_server::demo;
use roadstead_store::Store;
use roadstead_store::engine::Kind::Sqlite;
use roadstead_store::engine::copy::to_postgres;
use roadstead_store::testing::fresh_postgres;
use tokio::process::Command;

use crate::world::{World, csv};

#[tokio::test]
async fn a_small_vendor_moves_up_and_finds_everything_there() {
    let small = World::start(Sqlite, "copyfrom").await;
    demo::fill(&small.app, small.directory()).await.unwrap();
    let partner = small.partner("R-1").await;
    let distributor = small.distributor("D-1").await;
    let first = csv(&["5CG000000A R-1", "5CG000000B R-1", "5CG000000C R-NEW", "5CG!! R-1"]);
    let report = distributor.report("", "text/csv", first.clone()).await;
    let lines = distributor.all(&format!("sell-through-reports/{report}/lines")).await;
    let log = distributor.all("audit-log").await;
    let everybody = small.operator.all("partners").await;

    let url = fresh_postgres("copyto").await.unwrap();
    let scope = access::system();
    let early = to_postgres(small.directory(), &url, &scope).await.unwrap_err().to_string();
    assert!(early.contains("is in use: stop the server"), "{early}");

    let (directory, ambient, clock) = small.stopped().await;
    let copied = to_postgres(directory.path(), &url, &scope).await.unwrap();
    assert!(copied.entries > 2, "{copied:?}");
    let store = Store::open_postgres(&url).await.unwrap();
    let large = World::on(store, directory, Config::default(), ambient, clock).await;
    let (partner, distributor) = (partner.at(&large.url), distributor.at(&large.url));
    assert_eq!(partner.pool().await, ["5CG000000A", "5CG000000B"]);
    assert_eq!(distributor.all(&format!("sell-through-reports/{report}/lines")).await, lines);
    assert_eq!(distributor.all("audit-log").await, log);
    assert_eq!(large.operator.all("partners").await, everybody);

    // The same bytes are still the same report, a parked line still waits, and the chain goes on.
    assert_eq!(distributor.report("", "text/csv", first).await, report);
    let newcomer = large.partner("R-NEW").await;
    crate::world::eventually("the parked line is placed", async || {
        (newcomer.pool().await == ["5CG000000C"]).then_some(())
    })
    .await;
    let back = csv(&["5CG000000A R-1 kind=return date=2026-11-19", "5CG000000D R-1"]);
    let next = distributor.report("", "text/csv", back).await;
    assert_eq!(distributor.verdicts(&next).await, ["returned", "placed"]);
    assert_eq!(partner.pool().await, ["5CG000000B", "5CG000000D"]);
    let (_, said, _) = run(&["audit", "verify", "--database", &url]).await;
    assert_eq!(said.trim(), format!("{} entries hold", copied.entries + 3));
}

#[tokio::test]
async fn a_pc_that_does_not_stand_where_the_log_says_is_told_as_verify_tells_it_and_nothing_is_copied() {
    let small = World::start(Sqlite, "straycopy").await;
    small.partner("R-1").await;
    let lines = csv(&["5CG000000A R-1", "5CG000000B R-1"]);
    small.distributor("D-1").await.report("", "text/csv", lines).await;
    let (directory, ..) = small.stopped().await;
    change(directory.path(), "UPDATE placements SET since = since + 1 WHERE serial = '5CG000000A'").await;
    let url = fresh_postgres("straycopy").await.unwrap();
    let data = directory.path().to_str().unwrap();
    let copy = ["copy", "--from", "sqlite", "--to", "postgres", "--data", data, "--database", &url];

    let (held, stray, sum) = run(&["audit", "verify", "--data", data]).await;
    assert!(!held && stray.starts_with("5CG000000A (") && stray.lines().count() == 1, "{stray}");
    let counted = "1 PCs do not stand where the logs say";
    assert!(sum.contains(counted), "{sum}");
    let (copied, listed, said) = run(&copy).await;
    assert!(!copied && listed.is_empty() && said.contains("nothing was copied"), "{listed}{said}");
    assert!(said.contains(stray.trim()) && said.contains(counted), "{said}");

    change(directory.path(), "UPDATE placements SET since = since - 1 WHERE serial = '5CG000000A'").await;
    let (copied, said, error) = run(&copy).await;
    assert!(copied && said.contains("every PC stands where they say"), "{said}{error}");
}

/// Changes a row of the embedded database, which nobody has open.
async fn change(directory: &Path, sql: &'static str) {
    let store = Store::open_sqlite(directory).await.unwrap();
    let mut tx = store.write(&access::system()).await.unwrap();
    assert_eq!(tx.execute(sql, vec![]).await.unwrap(), 1, "{sql}");
    tx.commit().await.unwrap();
    store.close().await;
}

/// Runs the program: whether it succeeded, and what it said on both outputs.
async fn run(args: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_roadstead")).args(args).output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}
