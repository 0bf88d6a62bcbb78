//! A node of the last release and one of this release on one database, as during an upgrade: what the last release said
//! to PostgreSQL was recorded (`tests/previous`), and is said again while this one serves.

use std::process::Stdio;
use std::time::Duration;

use roadstead_domain::access::{self, Role};
use roadstead_server::app::Config;
use roadstead_store::testing::{ambient, fresh_postgres, hold_migrations, say};
use roadstead_store::{Store, partners, placements};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::world::{World, csv};

const SCHEMA: &str = include_str!("../previous/schema.sql");
const CONVERSATION: &str = include_str!("../previous/conversation.sql");

#[tokio::test]
async fn a_node_of_the_last_release_works_on_beside_one_of_this_release() {
    let url = fresh_postgres("previous").await.unwrap();
    say(&url, SCHEMA).await.unwrap();
    let (alone, beside) = CONVERSATION.split_once("-- part 2\n").unwrap();
    say(&url, alone).await.unwrap();

    // The node of this release comes and migrates; it finds what the other one wrote.
    let store = Store::open_postgres(&url).await.unwrap();
    let (ambient, clock) = ambient();
    let world = World::on(store, TempDir::new().unwrap(), Config::default(), ambient, clock).await;
    let first = world.token(Role::PartnerAdmin, Some("R-1")).await;
    assert_eq!(first.pool().await, ["5CG000000A", "5CG000000B"]);
    let second = world.partner("R-2").await;
    let distributor = world.distributor("D-2").await;
    distributor.report("", "text/csv", csv(&["MXL000000A R-2"])).await;

    // The other one works on: a user, a return, a sale and a duplicate for is certified.
    let mut page = first.stream("events", None).await;
    let said = say(&url, beside).await.unwrap();
    assert!(said > 100, "{said} statements");
    let (_, heard) = page.next_event().await;
    assert!(heard.contains("unassigned"), "{heard}");
    assert_eq!(first.pool().await, ["5CG000000B", "5CG000000C"]);
    let freed = world.token(Role::PartnerAdmin, Some("R-9")).await;
    assert_eq!(freed.pool().await, ["5CG000000P"]);
    let portal = crate::sign_in::Portal::sign_in(&world, "one@example.com").await;
    assert_eq!(portal.get("/unassigned-devices").await.status.as_u16(), 200);

    // And this one goes on where the other one stopped.
    let lines = ["5CG000000B R-1 kind=return date=2026-11-21", "5CG000000D R-1", "5CG000000C R-2"];
    let report = distributor.report("", "text/csv", csv(&lines)).await;
    let verdicts = distributor.verdicts(&report).await;
    assert_eq!(verdicts, ["returned", "placed", "disputed.sold_by_other_partner"]);
    assert_eq!(first.pool().await, ["5CG000000C", "5CG000000D"]);
    assert_eq!(second.pool().await, ["MXL000000A"]);
    let scope = access::system();
    let mut tx = world.app.store.read(&scope).await.unwrap();
    for (number, entries) in [("R-1", 6), ("R-2", 1), ("R-9", 1)] {
        let partner = partners::find(&mut tx, &scope, number).await.unwrap().unwrap();
        let partner = roadstead_domain::ids::TenantId(partner.id);
        assert_eq!(
            placements::verify_chain(&mut tx, &scope, partner).await.unwrap(),
            Ok(entries),
            "{number}"
        );
    }
    let versions = "SELECT COUNT(DISTINCT version) FROM placement_log";
    assert_eq!(tx.number(versions, vec![]).await.unwrap(), 2, "each node hashes as it knows");
    let (strays, next) = placements::strays(&mut tx, &scope, uuid::Uuid::nil()).await.unwrap();
    assert_eq!((strays, next), (vec![], None));
}

#[tokio::test]
async fn a_second_migration_says_that_it_waits_and_then_finds_all_done() {
    let url = fresh_postgres("secondmigration").await.unwrap();
    let first = hold_migrations(&url).await.unwrap();
    let mut second = Command::new(env!("CARGO_BIN_EXE_roadstead"))
        .args(["migrate", "--database", &url])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(second.stderr.take().unwrap()).lines();
    let said =
        tokio::time::timeout(Duration::from_secs(30), said.next_line()).await.unwrap().unwrap().unwrap();
    assert!(said.contains("another program migrates this database"), "{said}");
    assert!(second.try_wait().unwrap().is_none(), "it waits");
    drop(first);
    let done = second.wait_with_output().await.unwrap();
    assert!(done.status.success());
    assert!(String::from_utf8(done.stdout).unwrap().starts_with("the database is up to date"));
}
