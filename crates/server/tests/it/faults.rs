//! The database goes away and comes back: what was acknowledged stays, what was under way goes on.

use roadstead_server::app::Config;
use roadstead_store::engine::Kind::Postgres;
use roadstead_store::jobs::MOST_ATTEMPTS;
use roadstead_store::placements;
use roadstead_store::testing::cut_postgres;

use crate::world::{World, csv, eventually};

#[tokio::test]
async fn a_report_bears_more_cut_connections_than_a_job_may_fail() {
    const LINES: usize = 6000;
    let config = Config { batch_lines: 50, ..Config::default() };
    let world = World::with(Postgres, "cut", config).await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let lines: Vec<String> = (0..LINES).map(|n| format!("5CG{n:07} R-1")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let submitted = distributor.send(
        reqwest::Method::POST,
        "/api/v1/sell-through-reports",
        Some(("text/csv", csv(&lines))),
    );
    let submitted = submitted.await.expect(202);
    let operation = format!("operations/{}", submitted["operation"]["id"].as_str().unwrap());

    let (mut cuts, mut seen) = (0, 0);
    let ended = loop {
        // A lease ends, and the next attempt is due.
        world.clock.step_seconds(120);
        world.app.wake();
        let answer = distributor.get(&operation).await;
        if !answer.status.is_success() {
            assert_eq!(answer.json()["code"], "database.unavailable");
            continue;
        }
        let answer = answer.json();
        if answer["state"] != "running" {
            break answer;
        }
        let done = answer["done"].as_i64().unwrap();
        if done > seen && cuts < 2 * MOST_ATTEMPTS {
            seen = done;
            cuts += 1;
            cut_postgres("cutPostgres", false).await.unwrap();
        }
    };
    assert_eq!(ended["state"], "succeeded", "{ended}");
    assert!(cuts > MOST_ATTEMPTS, "only {cuts} cuts");
    assert_eq!(ended["result"]["counts"], serde_json::json!({ "placed": LINES }));
    assert_eq!(partner.pool().await.len(), LINES);
    let scope = roadstead_domain::access::system();
    let mut tx = world.app.store.read(&scope).await.unwrap();
    let partners = roadstead_store::partners::find(&mut tx, &scope, "R-1").await.unwrap().unwrap();
    let chain = placements::verify_chain(&mut tx, &scope, roadstead_domain::ids::TenantId(partners.id)).await;
    assert_eq!(chain.unwrap(), Ok(LINES as i64));
}

#[tokio::test]
async fn while_the_database_is_gone_requests_say_so_and_nothing_is_half_done() {
    let world = World::start(Postgres, "gone").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let mut page = partner.stream("events", None).await;
    distributor.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    page.next_event().await;

    cut_postgres("gonePostgres", true).await.unwrap();
    assert_eq!(partner.get("unassigned-devices").await.refused(503), "database.unavailable");
    let file = csv(&["5CG000000B R-1"]);
    let refused = distributor.send(
        reqwest::Method::POST,
        "/api/v1/sell-through-reports",
        Some(("text/csv", file.clone())),
    );
    assert_eq!(refused.await.refused(503), "database.unavailable");
    let html = reqwest::get(format!("{}/sign-in", world.url)).await.unwrap();
    assert_eq!(html.status(), 200, "the sign-in page needs no database");

    cut_postgres("gonePostgres", false).await.unwrap();
    eventually("the pool is there again", async || {
        partner.get("unassigned-devices").await.status.is_success().then_some(())
    })
    .await;
    assert_eq!(partner.pool().await, ["5CG000000A"]);
    // The refused report left nothing behind that would take the same bytes for a report that is there.
    let report = distributor.report("", "text/csv", file).await;
    assert_eq!(distributor.verdicts(&report).await, ["placed"]);
    assert_eq!(partner.pool().await, ["5CG000000A", "5CG000000B"]);
}
