//! Background work that keeps failing is given up, shown to the operator, and goes on when the cause is mended.

use std::time::Duration;

use reqwest::Method;
use roadstead_domain::access::{self, Role};
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use roadstead_store::engine::run_text;
use rstest::rstest;
use serde_json::{Value, json};

use crate::sign_in::Portal;
use crate::world::{Client, World, csv, eventually};

/// Lets every insert into a table fail.
async fn break_inserts(world: &World, table: &str) {
    let sql = match world.app.store.kind() {
        Sqlite => format!(
            "CREATE TRIGGER broken BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'it is broken'); END"
        ),
        Postgres => format!(
            "CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'it is broken'; END $$; \
             CREATE TRIGGER broken BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION broken()"
        ),
    };
    run_text(&world.app.store, sql.leak()).await.unwrap();
}

async fn mend_inserts(world: &World, table: &str) {
    let sql = match world.app.store.kind() {
        Sqlite => "DROP TRIGGER broken".to_owned(),
        Postgres => format!("DROP TRIGGER broken ON {table}"),
    };
    run_text(&world.app.store, sql.leak()).await.unwrap();
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
    break_inserts(&world, "report_lines").await;
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

    mend_inserts(&world, "report_lines").await;
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
    break_inserts(&world, "report_lines").await;
    give_up(&world, &distributor, file.clone()).await;
    mend_inserts(&world, "report_lines").await;
    let sent = tokio::time::timeout(Duration::from_secs(30), distributor.report("", "text/csv", file));
    sent.await.unwrap();
    assert_eq!(partner.pool().await, ["5CG000000A"]);
    assert!(world.operator.all("dead-jobs").await.is_empty());
}

/// Asks for a transfer in the background while no move can be written; its operation, once its job is dead.
async fn give_up_transfer(world: &World, partner: &Client, path: &str, body: &Value) -> Value {
    break_inserts(world, "placement_log").await;
    let body = Some(("application/json", body.to_string().into_bytes()));
    let later = [("prefer", "respond-async")];
    let accepted =
        partner.send_with(Method::POST, &format!("/api/v1/{path}"), body, &later).await.expect(202);
    let dead = eventually("the job is given up", async || {
        // Less than a lease: no second runner takes it.
        world.clock.step_seconds(20);
        world.app.wake();
        world.operator.all("dead-jobs").await.pop()
    })
    .await;
    assert!(dead["last_error"].as_str().unwrap().contains("it is broken"), "{dead}");
    mend_inserts(world, "placement_log").await;
    let operation = accepted["operation"]["id"].as_str().unwrap();
    partner.get(&format!("operations/{operation}")).await.expect(200)
}

#[rstest]
#[tokio::test]
async fn a_transfer_whose_job_is_given_up_says_so_and_can_be_asked_for_again(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "deadtransfer").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let browser = Portal::sign_in(&world, "one@example.com").await;
    let north = partner.customer("Werft Nord").await;
    let rows = json!({ "items": [{ "serial": "5CG000000A", "to": north }] });
    let shown = partner.post("transfers", rows).await.expect(201);
    let id = shown["id"].as_str().unwrap();
    let (page, said) = (format!("/transfers/{id}"), "It failed again and again and was given up");
    for (what, body, before, after) in [
        ("commit", json!({ "digest": shown["digest"] }), "previewed", "committed"),
        ("undo", json!({}), "committed", "undone"),
    ] {
        let path = format!("transfers/{id}/{what}");
        assert!(!browser.get(&page).await.text.contains(said), "before the {what}");
        let ended = give_up_transfer(&world, &partner, &path, &body).await;
        let (state, result) = (&ended["state"], &ended["result"]);
        assert_eq!((state, &result["code"]), (&json!("failed"), &json!("transfer.gave_up")), "{ended}");
        assert_eq!(result["state"], before);
        assert_eq!(partner.get(&format!("transfers/{id}")).await.expect(200)["state"], before);
        let text = browser.get(&page).await.text;
        assert!(text.contains(said), "{text}");

        if what == "commit" {
            // The operator tries the job again: it finds nothing to do.
            let dead = world.operator.all("dead-jobs").await.pop().unwrap();
            let retry = format!("dead-jobs/{}/retry", dead["id"].as_str().unwrap());
            world.operator.post(&retry, Value::Null).await.expect(200);
            eventually("the job is done", async || {
                let mut tx = world.app.store.read(&access::system()).await.ok()?;
                let left = "SELECT COUNT(*) FROM jobs WHERE kind = 'commit_transfer'";
                (tx.number(left, vec![]).await.ok()? == 0).then_some(())
            })
            .await;
            assert_eq!(partner.get(&format!("transfers/{id}")).await.expect(200)["state"], before);
            assert_eq!(partner.pool().await, ["5CG000000A"]);
        }
        let done = partner.post(&path, body).await.expect(200);
        assert_eq!((&done["state"], &done["moved"]), (&json!(after), &json!(1)));
        assert!(world.operator.all("dead-jobs").await.is_empty(), "it was done without the job");
    }
    assert_eq!(partner.pool().await, ["5CG000000A"]);
}
