//! Background work that keeps failing is given up, shown to the operator, and goes on when the cause is mended.

use std::time::Duration;

use reqwest::Method;
use roadstead_domain::access::Role;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use roadstead_store::engine::run_text;
use rstest::rstest;
use serde_json::Value;

use crate::sign_in::Portal;
use crate::world::{Client, World, csv, eventually};

/// Lets every insert of a report's line fail.
async fn break_lines(world: &World) {
    let sql = match world.app.store.kind() {
        Sqlite => {
            "CREATE TRIGGER broken BEFORE INSERT ON report_lines BEGIN SELECT RAISE(ABORT, 'it is broken'); END"
        }
        Postgres => {
            "CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'it is broken'; END $$; \
             CREATE TRIGGER broken BEFORE INSERT ON report_lines FOR EACH ROW EXECUTE FUNCTION broken()"
        }
    };
    run_text(&world.app.store, sql).await.unwrap();
}

async fn mend_lines(world: &World) {
    let sql = match world.app.store.kind() {
        Sqlite => "DROP TRIGGER broken",
        Postgres => "DROP TRIGGER broken ON report_lines",
    };
    run_text(&world.app.store, sql).await.unwrap();
}

/// Hands in a report whose job dies; what is listed of it, and its operation.
async fn give_up(world: &World, distributor: &Client, file: Vec<u8>) -> (Value, String) {
    let path = "/api/v1/sell-through-reports";
    let submitted = distributor.send(Method::POST, path, Some(("text/csv", file))).await.expect(202);
    let dead = eventually("the job is given up", async || {
        world.clock.step_seconds(300);
        world.app.wake();
        world.operator.all("dead-jobs").await.pop()
    })
    .await;
    assert_eq!(dead["subject"], submitted["report"]["id"]);
    (dead, format!("operations/{}", submitted["operation"]["id"].as_str().unwrap()))
}

#[rstest]
#[tokio::test]
async fn what_was_given_up_is_listed_and_goes_on_when_it_is_tried_again(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "deadjobs").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    break_lines(&world).await;
    let (dead, operation) = give_up(&world, &distributor, csv(&["5CG000000A R-1"])).await;
    assert_eq!((&dead["kind"], &dead["attempts"]), (&"ingest_report".into(), &8.into()));
    assert!(dead["last_error"].as_str().unwrap().contains("it is broken"), "{dead}");
    assert!(dead["since"].as_str() > dead["created_at"].as_str(), "{dead}");
    assert_eq!(distributor.get(&operation).await.expect(200)["state"], "failed");
    assert_eq!(distributor.get("dead-jobs").await.refused(404), "not_found");

    world.user("boss@example.com", Role::Operator, None).await;
    let boss = Portal::sign_in(&world, "boss@example.com").await;
    let page = boss.get("/jobs").await.text;
    let retry = format!("/jobs/{}/retry", dead["id"].as_str().unwrap());
    assert!(page.contains(&format!("action=\"{retry}\"")) && page.contains("it is broken"), "{page}");

    mend_lines(&world).await;
    let forged = boss.post(&retry, "csrf=wrong", &[]).await;
    assert_eq!(forged.status.as_u16(), 403);
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
    let csrf = rest.split('"').next().unwrap();
    let tried = boss.post(&retry, &format!("csrf={csrf}"), &[]).await;
    assert_eq!(tried.status.as_u16(), 303, "{}", tried.text);
    let ended = distributor.done(operation.strip_prefix("operations/").unwrap()).await;
    assert_eq!(ended["state"], "succeeded");
    assert_eq!(partner.pool().await, ["5CG000000A"]);
    assert!(world.operator.all("dead-jobs").await.is_empty());

    let log = world.operator.all("audit-log").await;
    let entry = log.iter().find(|entry| entry["action"] == "job.retried").unwrap();
    assert_eq!((&entry["subject"], &entry["actor_kind"]), (&dead["id"], &"user".into()));
    assert_eq!(entry["detail"]["kind"], "ingest_report");
    let again = format!("dead-jobs/{}/retry", dead["id"].as_str().unwrap());
    assert_eq!(world.operator.post(&again, Value::Null).await.refused(404), "not_found");
}

#[tokio::test]
async fn a_report_that_is_sent_again_after_it_was_given_up_is_no_longer_listed() {
    let world = World::start(Sqlite, "deadagain").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let file = csv(&["5CG000000A R-1"]);
    break_lines(&world).await;
    give_up(&world, &distributor, file.clone()).await;
    mend_lines(&world).await;
    let sent = tokio::time::timeout(Duration::from_secs(30), distributor.report("", "text/csv", file));
    sent.await.unwrap();
    assert_eq!(partner.pool().await, ["5CG000000A"]);
    assert!(world.operator.all("dead-jobs").await.is_empty());
}
