//! What readings come to: alerts and pop-ups on PCs, and check-ins that are slowed, clash or cannot be judged.

use roadstead_domain::throttle::CALLS_AT_ONCE;
use roadstead_server::flows;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use roadstead_store::engine::run_text;
use rstest::rstest;
use serde_json::json;

use super::{Channel, bad_disk, case, form, good_disk};
use crate::pc::Pc;
use crate::world::{World, csv};

#[rstest]
#[tokio::test]
async fn b02_b03_b27_b28_an_entitled_pc_in_the_pool_shows_every_kind_and_one_without_shows_none(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let case = case(kind, "popups").await;
    let (pc, partner) = (&case.pc, &case.partner);
    let mut channel = Channel::open(pc, None, "de-DE,de;q=0.9").await;
    let settings = channel.expect("settings").await;
    assert_eq!(
        settings,
        json!({ "check_in_seconds": 300, "collect_user": false, "collect_location": false, "self_service": true })
    );
    let readings = json!({ "readings": {
        "disks": [{ "name": "/dev/sda", "attributes": { "5": 8 } }],
        "volumes": [{ "name": "/home", "total_bytes": 100_000_000_000_u64, "free_bytes": 1000 }],
        "crashes": { "kernel": 4, "programs": 0 },
        "memory": { "corrected": 0, "uncorrected": 1 },
    } });
    pc.post("check-ins", readings.clone()).await.expect(200);
    let mut told = Vec::new();
    for _ in 0..4 {
        let pop_up = channel.expect("pop_up").await;
        assert_eq!((&pop_up["partner"], &pop_up["state"]), (&json!("Partner R-1"), &json!("open")));
        assert_eq!(pop_up["recipient"], json!({ "code": "customer_support", "name": "Kundensupport" }));
        told.push(pop_up["alert"].as_str().unwrap().to_owned());
        if pop_up["alert"] == "disk.predicted_failure" {
            assert_eq!(pop_up["title"], "Ein Datenträger könnte bald ausfallen");
            assert!(pop_up["text"].as_str().unwrap().contains("/dev/sda"), "{pop_up}");
            assert!(pop_up["contains"][0].as_str().unwrap().contains("5CG0000001"), "{pop_up}");
        }
    }
    told.sort();
    assert_eq!(told, ["disk.full", "disk.predicted_failure", "memory.failing", "os.crashes"]);
    // The same again is no other alert, and nothing is shown twice.
    pc.post("check-ins", readings).await.expect(200);
    let alerts = partner.all("alerts").await;
    assert_eq!(alerts.len(), 4);
    assert!(alerts.iter().all(|alert| alert["tenant"]["kind"] == "holding"));

    let bare = Pc::new(&case.world, "5CG0000002", 2);
    bare.enrol().await.expect(201);
    bare.post("check-ins", bad_disk()).await.expect(200);
    let mut nothing = Channel::open(&bare, Some("0"), "en").await;
    assert_eq!(nothing.expect("settings").await["self_service"], false);
    bare.post("check-ins", bad_disk()).await.expect(200);
    assert_eq!(partner.all("alerts?kind=disk.failing").await.len(), 1, "it is watched all the same");
    let alert = partner.all("alerts?kind=disk.failing").await.remove(0);
    assert_eq!(alert["serial_number"], "5CG0000002");
    let count = roadstead_domain::access::system();
    let mut tx = case.world.app.store.read(&count).await.unwrap();
    assert_eq!(tx.number("SELECT COUNT(*) FROM pop_ups", vec![]).await.unwrap(), 4);
}

#[rstest]
#[tokio::test]
async fn b27_a_pop_up_expires_is_shown_again_while_it_lasts_and_goes_with_its_condition(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let case = case(kind, "expiry").await;
    let first = case.pop_up().await;
    let id = first["id"].as_str().unwrap().to_owned();
    case.pc.post(&format!("pop-ups/{id}/displayed"), json!({})).await;
    let mut channel = Channel::open(&case.pc, None, "en").await;
    channel.expect("settings").await;
    let (last, _, again) = channel.next().await;
    assert!(again["displayed_at"].is_string(), "who asks anew is told that it was displayed");
    case.world.clock.step_seconds(25 * 3600);
    flows::alerts::sweep(&case.world.app).await.unwrap();
    assert_eq!(channel.expect("withdraw").await, json!({ "id": id, "reason": "pop_up.expired" }));
    assert_eq!(case.submit(&form(&first, 1)).await.refused(410), "pop_up.expired");
    // Offline meanwhile; what is good by then is told, what is over is over.
    case.pc.post("check-ins", bad_disk()).await.expect(200);
    let mut resumed = Channel::open(&case.pc, Some(&last), "en").await;
    resumed.expect("settings").await;
    assert_eq!(resumed.expect("withdraw").await["id"], json!(id));
    let second = resumed.expect("pop_up").await;
    assert_ne!(second["id"], json!(id));
    // Gone once is not gone.
    case.pc.post("check-ins", good_disk()).await.expect(200);
    assert_eq!(case.partner.all("alerts").await.len(), 1);
    case.pc.post("check-ins", json!({ "readings": {} })).await.expect(200);
    assert_eq!(case.partner.all("alerts").await.len(), 1, "what was not read is not known to be gone");
    case.pc.post("check-ins", good_disk()).await.expect(200);
    assert!(case.partner.all("alerts").await.is_empty());
    assert_eq!(resumed.expect("withdraw").await["reason"], "pop_up.condition_gone");
    // What is over stays to be looked up, by whoever had the PC.
    let over = case.partner.all("alerts?closed=true").await.remove(0);
    assert_eq!((&over["kind"], &over["state"]), (&json!("disk.failing"), &json!("closed")));
    assert!(over["closed_at"].is_string(), "{over}");
    assert!(case.partner.all("alerts?closed=true&kind=disk.full").await.is_empty());
    assert!(case.world.partner("R-2").await.all("alerts?closed=true").await.is_empty());
}

#[rstest]
#[tokio::test]
async fn monitors_raise_and_close_alerts_within_their_own_reach(#[values(Sqlite, Postgres)] kind: Kind) {
    let case = case(kind, "monitors").await;
    let (partner, operator) = (&case.partner, &case.world.operator);
    let new =
        json!({ "serial": "5CG0000001", "kind": "battery.recall", "cause": "BAT0", "detail": "list 7" });
    let id = operator.post("alerts", new.clone()).await.expect(201)["id"].clone();
    assert_eq!(partner.post("alerts", new.clone()).await.expect(200)["id"], id);
    let stranger = case.world.partner("R-2").await;
    assert_eq!(stranger.post("alerts", new.clone()).await.refused(404), "not_found");
    let mut odd = new.clone();
    odd["kind"] = json!("disk.haunted");
    assert_eq!(partner.post("alerts", odd).await.refused(422), "field.unknown_value");
    let mut fleet = new;
    fleet["kind"] = json!("firmware.outdated");
    assert_eq!(partner.post("alerts", fleet).await.refused(409), "alert.not_here");
    let mut channel = Channel::open(&case.pc, None, "en").await;
    channel.expect("settings").await;
    let shown = channel.expect("pop_up").await;
    let close = format!("alerts/{}/close", id.as_str().unwrap());
    assert_eq!(stranger.post(&close, json!({})).await.refused(404), "not_found");
    assert_eq!(partner.post(&close, json!({})).await.status.as_u16(), 204);
    assert_eq!(
        channel.expect("withdraw").await,
        json!({ "id": shown["id"], "reason": "pop_up.condition_gone" })
    );
    assert!(partner.all("alerts").await.is_empty());
    // What the PC itself sees is the PC's to close.
    case.pc.post("check-ins", bad_disk()).await.expect(200);
    let seen = partner.all("alerts").await.remove(0);
    let close = format!("alerts/{}/close", seen["id"].as_str().unwrap());
    assert_eq!(partner.post(&close, json!({})).await.refused(409), "alert.agents");
}

#[rstest]
#[tokio::test]
async fn silence_and_an_ending_entitlement_are_told_to_those_who_look_after_the_pc(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let case = case(kind, "fleet").await;
    let customer = case.partner.customer("A").await;
    case.to_customer(&customer).await;
    case.pc.post("check-ins", json!({})).await.expect(200);
    let kinds = async || {
        let alerts = case.partner.all("alerts").await;
        let mut kinds: Vec<String> =
            alerts.iter().map(|alert| alert["kind"].as_str().unwrap().to_owned()).collect();
        kinds.sort();
        kinds
    };
    flows::alerts::look_around(&case.world.app).await.unwrap();
    assert!(kinds().await.is_empty());
    // Sold on 2026-11-18 for an assumed 36 months; it is the first of November 2029.
    case.world.clock.step_seconds(1075 * 24 * 3600);
    for _ in 0..2 {
        flows::alerts::look_around(&case.world.app).await.unwrap();
        assert_eq!(kinds().await, ["entitlement.expiring", "heartbeat.lost"]);
    }
    case.pc.post("check-ins", json!({})).await.expect(200);
    assert_eq!(kinds().await, ["entitlement.expiring"]);
    let path = "/api/v1/devices/5CG0000001/entitlements/premium_plus";
    let dates = json!({ "starts_on": "2026-11-18", "ends_on": "2031-11-18", "reason": "Vertrag 7" })
        .to_string()
        .into_bytes();
    let answer =
        case.world.operator.send(reqwest::Method::PUT, path, Some(("application/json", dates))).await;
    assert!(answer.status.is_success(), "{}", answer.text);
    flows::alerts::look_around(&case.world.app).await.unwrap();
    assert!(kinds().await.is_empty());
}

#[rstest]
#[tokio::test]
async fn a_pc_that_floods_is_slowed_and_no_other_with_it(#[values(Sqlite, Postgres)] kind: Kind) {
    let case = case(kind, "flood").await;
    let neighbour = Pc::new(&case.world, "5CG0000003", 3);
    neighbour.enrol().await.expect(201);
    let at_once = case.world.app.config.check_ins_at_once;
    for _ in 0..at_once {
        case.pc.post("check-ins", good_disk()).await.expect(200);
    }
    let headers = case.pc.sign("check-ins", &bad_disk());
    let (status, wait) = case.pc.refused_until("check-ins", &bad_disk(), &headers).await;
    assert_eq!(status, 429);
    assert!((1..=10).contains(&wait), "{wait}");
    assert_eq!(case.pc.post("check-ins", bad_disk()).await.refused(429), "check_in.too_often");
    assert!(case.partner.all("alerts").await.is_empty(), "what was refused was not read");
    neighbour.post("check-ins", bad_disk()).await.expect(200);
    // Whoever waits as told comes through, with the very request that was refused.
    case.world.clock.step_seconds(wait);
    case.pc.send("check-ins", &bad_disk(), &headers).await.expect(200);
    assert_eq!(case.partner.all("alerts").await.len(), 2);
}

#[rstest]
#[tokio::test]
async fn other_calls_have_a_pace_that_holds_up_neither_check_ins_nor_the_channel(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let case = case(kind, "calls").await;
    let (pc, neighbour) = (&case.pc, Pc::new(&case.world, "5CG0000003", 3));
    let pop_up = format!("pop-ups/{}", case.pop_up().await["id"].as_str().unwrap());
    // It has enrolled, which was the first.
    for _ in 1..CALLS_AT_ONCE {
        pc.get(&pop_up).await.expect(200);
    }
    assert_eq!(pc.get(&pop_up).await.refused(429), "device.too_often");
    assert_eq!(pc.enrol().await.refused(429), "device.too_often");
    let (displayed, nothing) = (format!("{pop_up}/displayed"), json!({}));
    let headers = pc.sign(&displayed, &nothing);
    let (status, wait) = pc.refused_until(&displayed, &nothing, &headers).await;
    assert_eq!((status, wait), (429, 1));
    neighbour.enrol().await.expect(201);
    pc.post("check-ins", bad_disk()).await.expect(200);
    Channel::open(pc, None, "en").await.expect("settings").await;
    case.world.clock.step_seconds(wait);
    assert_eq!(pc.send(&displayed, &nothing, &headers).await.status.as_u16(), 204);

    // The channel has a pace of its own: it was opened twice, and a second has passed since.
    for _ in 1..CALLS_AT_ONCE {
        Channel::open(pc, None, "en").await;
    }
    let refused = pc.open("events", &[]).await;
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().ok()), (429, Some("1")));
}

#[tokio::test]
async fn two_that_raise_the_same_pop_up_make_one_and_neither_is_turned_away() {
    let case = case(Postgres, "clash").await;
    let pop_up = case.pop_up().await;
    case.world.clock.step_seconds(25 * 3600);
    flows::alerts::sweep(&case.world.app).await.unwrap();
    // Another node is raising the next pop-up of the same alert at this very moment.
    let system = roadstead_domain::access::system();
    let mut other = case.world.app.store.write(&system).await.unwrap();
    let old: uuid::Uuid = pop_up["id"].as_str().unwrap().parse().unwrap();
    let copied = "INSERT INTO pop_ups (id, alert, device, seq, state, created_at, expires_at) \
                  SELECT $1, alert, device, 1000, 'open', created_at, 4000000000000000 FROM pop_ups WHERE id = $2";
    let new = uuid::Uuid::from_u128(77);
    assert_eq!(other.execute(copied, roadstead_store::args![new, old]).await.unwrap(), 1);
    let ours = other.number("SELECT CAST(pg_backend_pid() AS bigint)", vec![]).await.unwrap();
    let pc = case.pc.clone();
    let asked = tokio::spawn(async move { pc.post("check-ins", bad_disk()).await });
    crate::world::eventually("the check-in waits for the other node", async || {
        let mut tx = case.world.app.store.read(&system).await.unwrap();
        let waiting = "SELECT COUNT(*) FROM pg_locks w JOIN pg_locks h ON h.transactionid = w.transactionid \
                       AND h.granted WHERE NOT w.granted AND h.pid = $1";
        (tx.number(waiting, roadstead_store::args![ours]).await.unwrap() > 0).then_some(())
    })
    .await;
    other.commit().await.unwrap();
    asked.await.unwrap().expect(200);
    let mut tx = case.world.app.store.read(&system).await.unwrap();
    let open = "SELECT COUNT(*) FROM pop_ups WHERE state = 'open'";
    assert_eq!(tx.number(open, vec![]).await.unwrap(), 1);
}

/// Each time that a batch writes alerts, however many; PostgreSQL alone can say.
const COUNTED: &str = "CREATE TABLE written (at BIGINT); GRANT SELECT, INSERT ON written TO roadstead_app; \
    CREATE FUNCTION note_written() RETURNS trigger LANGUAGE plpgsql AS \
    $$ BEGIN INSERT INTO written VALUES (1); RETURN NULL; END $$; \
    CREATE TRIGGER written AFTER INSERT ON alerts FOR EACH STATEMENT EXECUTE FUNCTION note_written()";

#[rstest]
#[tokio::test]
async fn a_storm_of_new_alerts_is_written_together_and_told_to_each_pc_in_order(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "storm").await;
    let partner = world.partner("R-1").await;
    let lines: Vec<String> = (10..30).map(|n| format!("5CG00000{n} R-1")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    world.distributor("D-1").await.report("", "text/csv", csv(&lines)).await;
    let pcs: Vec<Pc> = (10..30_u8).map(|n| Pc::new(&world, &format!("5CG00000{n}"), n)).collect();
    futures_util::future::join_all(pcs.iter().map(|pc| async { pc.enrol().await.expect(201) })).await;
    if kind == Postgres {
        run_text(&world.app.store, COUNTED).await.unwrap();
    }
    let all = async |readings: serde_json::Value| {
        let body = json!({ "readings": readings });
        futures_util::future::join_all(pcs.iter().map(|pc| async {
            pc.post("check-ins", body.clone()).await.expect(200);
        }))
        .await;
        world.until_judged().await;
    };
    all(json!({
        "disks": [{ "name": "/dev/sda", "passed": false }],
        "volumes": [{ "name": "/home", "total_bytes": 100_000_000_000_u64, "free_bytes": 1000 }],
        "crashes": { "kernel": 4, "programs": 0 },
    }))
    .await;
    assert_eq!(partner.all("alerts").await.len(), 60);
    let system = roadstead_domain::access::system();
    if kind == Postgres {
        let mut tx = world.app.store.read(&system).await.unwrap();
        let statements = tx.number("SELECT COUNT(*) FROM written", vec![]).await.unwrap();
        assert!(statements <= 20, "{statements} statements for 20 check-ins with 3 alerts each");
    }
    // Something new, and twice in a row the disk is sound: a pop-up, and later one less.
    let memory = json!({ "uncorrected": 1 });
    for _ in 0..2 {
        all(json!({ "disks": [{ "name": "/dev/sda", "passed": true }], "memory": memory.clone() })).await;
    }
    let mut tx = world.app.store.read(&system).await.unwrap();
    let sql = "SELECT d.serial, p.seq, a.kind, p.state FROM pop_ups p JOIN alerts a ON a.id = p.alert \
               JOIN devices d ON d.id = p.device ORDER BY d.serial, p.seq";
    let told: Vec<(String, i64, String, String)> = tx.all(sql, vec![]).await.unwrap();
    let expected: Vec<(String, i64, String, String)> = (10..30)
        .flat_map(|n| {
            [
                (2, "disk.full", "open"),
                (3, "os.crashes", "open"),
                (4, "memory.failing", "open"),
                (5, "disk.failing", "withdrawn"),
            ]
            .map(|(seq, kind, state)| (format!("5CG00000{n}"), seq, kind.to_owned(), state.to_owned()))
        })
        .collect();
    assert_eq!(told, expected);
    assert_eq!(partner.all("alerts").await.len(), 60);
    assert_eq!(partner.all("alerts?closed=true").await.len(), 20);
}

#[tokio::test]
async fn an_alert_that_somebody_else_raises_at_the_same_moment_is_theirs() {
    let case = case(Postgres, "raised").await;
    let system = roadstead_domain::access::system();
    // Another node is writing one of the two that this check-in finds.
    let mut other = case.world.app.store.write(&system).await.unwrap();
    let theirs = "INSERT INTO alerts (id, device, tenant, kind, cause, severity, source, detail, state, seen, gone, \
                  opened_at) SELECT $1, p.device, p.tenant, 'disk.failing', '/dev/sda', 'critical', 'monitor', '', \
                  'open', 1, 0, 0 FROM devices d CROSS JOIN placements p WHERE d.serial = '5CG0000001' \
                  AND p.device = d.id";
    let new = uuid::Uuid::from_u128(78);
    assert_eq!(other.execute(theirs, roadstead_store::args![new]).await.unwrap(), 1);
    let ours = other.number("SELECT CAST(pg_backend_pid() AS bigint)", vec![]).await.unwrap();
    let readings = json!({ "readings": {
        "disks": [{ "name": "/dev/sda", "passed": false }], "memory": { "uncorrected": 1 },
    } });
    let pc = case.pc.clone();
    let asked = tokio::spawn(async move { pc.post("check-ins", readings).await });
    crate::world::eventually("the check-in waits for the other node", async || {
        let mut tx = case.world.app.store.read(&system).await.unwrap();
        let waiting = "SELECT COUNT(*) FROM pg_locks w JOIN pg_locks h ON h.transactionid = w.transactionid \
                       AND h.granted WHERE NOT w.granted AND h.pid = $1";
        (tx.number(waiting, roadstead_store::args![ours]).await.unwrap() > 0).then_some(())
    })
    .await;
    other.commit().await.unwrap();
    asked.await.unwrap().expect(200);
    assert_eq!(case.partner.all("alerts").await.len(), 2);
    let mut tx = case.world.app.store.read(&system).await.unwrap();
    let sql = "SELECT a.kind, p.seq FROM pop_ups p JOIN alerts a ON a.id = p.alert";
    let told: Vec<(String, i64)> = tx.all(sql, vec![]).await.unwrap();
    assert_eq!(told, [("memory.failing".to_owned(), 1)]);
}

#[rstest]
#[tokio::test]
async fn a_pc_that_cannot_be_judged_is_turned_away_alone(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "alone").await;
    world.partner("R-1").await;
    let lines: Vec<String> = (10..50).map(|n| format!("5CG00000{n} R-1")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    world.distributor("D-1").await.report("", "text/csv", csv(&lines)).await;
    let pcs: Vec<Pc> = (10..50_u8).map(|n| Pc::new(&world, &format!("5CG00000{n}"), n)).collect();
    futures_util::future::join_all(pcs.iter().map(|pc| async { pc.enrol().await.expect(201) })).await;
    pcs[0].post("check-ins", bad_disk()).await.expect(200);
    // A node of another release has left an alert of a kind that this one does not know.
    let system = roadstead_domain::access::system();
    let mut tx = world.app.store.write(&system).await.unwrap();
    tx.execute("UPDATE pop_ups SET state = 'expired'", vec![]).await.unwrap();
    tx.execute("UPDATE alerts SET kind = 'disk.haunted', source = 'monitor'", vec![]).await.unwrap();
    tx.commit().await.unwrap();
    let readings = json!({ "readings": {} });
    let answers =
        futures_util::future::join_all(pcs.iter().map(|pc| pc.post("check-ins", readings.clone()))).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    // Whoever comes with many is not kept waiting to hear that it could not be judged.
    assert!([200, 503].contains(&statuses[0]), "{statuses:?}");
    assert!(statuses[1..].iter().all(|status| *status == 200), "{statuses:?}");
    world.until_all_judged_but(1).await;
    let mut tx = world.app.store.read(&system).await.unwrap();
    let left = "SELECT d.serial FROM check_ins_to_judge j JOIN devices d ON d.id = j.device";
    let left: Vec<(String,)> = tx.all(left, vec![]).await.unwrap();
    assert_eq!(left, [("5CG0000010".to_owned(),)]);
    drop(tx);
    // Whoever comes alone is told to come again.
    assert_eq!(pcs[0].post("check-ins", json!({ "readings": {} })).await.status.as_u16(), 503);
}

#[rstest]
#[tokio::test]
async fn what_a_node_had_not_judged_when_it_ended_another_one_does(#[values(Sqlite, Postgres)] kind: Kind) {
    let case = case(kind, "unjudged").await;
    case.pc.post("check-ins", good_disk()).await.expect(200);
    // A node has taken and answered a worse one, and was gone.
    let system = roadstead_domain::access::system();
    let mut tx = case.world.app.store.write(&system).await.unwrap();
    let readings = bad_disk()["readings"].to_string();
    tx.execute("UPDATE check_ins SET readings = $1", roadstead_store::args![readings]).await.unwrap();
    let marked = "INSERT INTO check_ins_to_judge (device, seen_at) SELECT device, seen_at FROM check_ins";
    assert_eq!(tx.execute(marked, vec![]).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert!(case.partner.all("alerts").await.is_empty());
    case.world.clock.step_seconds(31);
    let (_url, _node) = case.world.second_node().await;
    case.world.until_judged().await;
    let alerts = case.partner.all("alerts").await;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(alerts[0]["kind"], "disk.failing");
}
