//! The database goes away and comes back: what was acknowledged stays, what was under way goes on.

use roadstead_server::app::Config;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use roadstead_store::engine::run_text;
use roadstead_store::jobs::MOST_ATTEMPTS;
use roadstead_store::testing::cut_postgres;
use roadstead_store::{Error, Tx, placements};
use rstest::rstest;

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

/// Leaves the database without room: to grow at all on SQLite; on PostgreSQL lines and files meet the error of a full disk.
async fn fill_disk(world: &World) {
    let sql = match world.app.store.kind() {
        Sqlite => "PRAGMA max_page_count = 1",
        Postgres => {
            "CREATE SEQUENCE tries; GRANT ALL ON SEQUENCE tries TO roadstead_app; \
             CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('tries'); \
             RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$; \
             CREATE TRIGGER no_room BEFORE INSERT ON report_lines EXECUTE FUNCTION no_room(); \
             CREATE TRIGGER no_room BEFORE INSERT ON report_pieces EXECUTE FUNCTION no_room()"
        }
    };
    run_text(&world.app.store, sql).await.unwrap();
}

async fn make_room(world: &World) {
    let sql = match world.app.store.kind() {
        Sqlite => "PRAGMA max_page_count = 1073741823",
        Postgres => "DROP FUNCTION no_room CASCADE",
    };
    run_text(&world.app.store, sql).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn a_full_disk_is_said_and_work_goes_on_when_there_is_room(#[values(Sqlite, Postgres)] kind: Kind) {
    const LINES: usize = 6000;
    let config = Config { batch_lines: 50, most_batches: 1, ..Config::default() };
    let world = World::with(kind, "full", config).await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let upload = async |file: Vec<u8>| {
        let path = "/api/v1/sell-through-reports";
        distributor.send(reqwest::Method::POST, path, Some(("text/csv", file))).await
    };
    let lines: Vec<String> = (0..LINES).map(|n| format!("5CG{n:07} R-1")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let submitted = upload(csv(&lines)).await.expect(202);
    let operation = format!("operations/{}", submitted["operation"]["id"].as_str().unwrap());
    let done = async || distributor.get(&operation).await.expect(200)["done"].as_i64().unwrap();
    eventually("the report is under way", async || (done().await > 0).then_some(())).await;
    if kind == Postgres {
        fill_disk(&world).await;
    }

    // Pages that are free are used up before it says so. SQLite's limit is the connection's, and a connection that met it
    // in a transaction is replaced: so again and again.
    let scope = roadstead_domain::access::system();
    let mut more = 0;
    let refused = eventually("there is no room", async || {
        if kind == Sqlite {
            fill_disk(&world).await;
        }
        more += 1;
        let answer = upload(csv(&[&format!("MXL{more:07} R-1")])).await;
        (!answer.status.is_success()).then_some(answer)
    })
    .await;
    eventually("the work under way met it too", async || {
        if kind == Sqlite {
            fill_disk(&world).await;
        }
        let mut tx = world.app.store.read(&scope).await.unwrap();
        let met = "SELECT COUNT(*) FROM jobs WHERE last_error LIKE 'no room is left%' AND attempts = 0";
        (tx.number(met, vec![]).await.unwrap() > 0).then_some(())
    })
    .await;
    assert_eq!(refused.refused(507), "storage.full");
    assert_eq!(partner.get("unassigned-devices").await.status.as_u16(), 200, "who only reads is served");
    if kind == Postgres {
        eventually("it was tried more often than a job may fail", async || {
            world.clock.step_seconds(120);
            world.app.wake();
            let mut tx = world.app.store.read(&scope).await.unwrap();
            let tries = tx.number("SELECT last_value FROM tries", vec![]).await.unwrap();
            (tries > 2 * MOST_ATTEMPTS).then_some(())
        })
        .await;
    }
    assert!(done().await < LINES as i64);
    assert_eq!(distributor.get(&operation).await.expect(200)["state"], "running");

    make_room(&world).await;
    upload(csv(&[&format!("MXL{more:07} R-1")])).await.expect(202);
    let all = eventually("everything is there", async || {
        world.clock.step_seconds(120);
        world.app.wake();
        let pool = partner.pool().await;
        (pool.len() == LINES + more).then_some(pool)
    })
    .await;
    assert_eq!(all.len(), LINES + more);
    let ended = distributor.get(&operation).await.expect(200);
    assert_eq!(ended["result"]["counts"], serde_json::json!({ "placed": LINES }));
    let mut tx = world.app.store.read(&scope).await.unwrap();
    let partners = roadstead_store::partners::find(&mut tx, &scope, "R-1").await.unwrap().unwrap();
    let chain = placements::verify_chain(&mut tx, &scope, roadstead_domain::ids::TenantId(partners.id)).await;
    assert_eq!(chain.unwrap(), Ok((LINES + more) as i64));
}

#[tokio::test]
async fn a_connection_that_is_cut_inside_a_transaction_leaves_nothing_of_it() {
    let world = World::start(Postgres, "cutinside").await;
    let scope = roadstead_domain::access::system();
    let add = async |tx: &mut Tx, number: &str| {
        let (id, now) = (world.app.ambient.id(), world.app.ambient.now());
        roadstead_store::partners::create(tx, &scope, id, number, number, now).await
    };
    for at_commit in [false, true] {
        let mut tx = world.app.store.write(&scope).await.unwrap();
        add(&mut tx, "R-1").await.unwrap();
        cut_postgres("cutinsidePostgres", false).await.unwrap();
        let said = if at_commit { tx.commit().await } else { add(&mut tx, "R-2").await };
        assert!(matches!(said, Err(Error::Unavailable(_))), "{said:?}");
        let left = eventually("the database answers", async || {
            let answer = world.operator.get("partners").await;
            answer.status.is_success().then(|| answer.json())
        })
        .await;
        assert_eq!(left["items"], serde_json::json!([]));
    }
}
