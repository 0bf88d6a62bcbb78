//! Two at the same moment: cases that are opened, merged and closed while somebody else does something about the same PC.

use roadstead_domain::access::{Role, system};
use roadstead_server::flows;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use roadstead_store::{Tx, args};
use rstest::rstest;
use serde_json::json;
use uuid::Uuid;

use super::{Case, Channel, bad_disk, case, form};
use crate::world::{World, eventually};

/// Waits until so many wait for rows that somebody else has changed; on SQLite, until anybody waits to write.
async fn awaited(world: &World, count: i64) {
    eventually("they wait for each other", async || {
        if world.app.store.kind() == Sqlite {
            return world.app.store.is_awaited().then_some(());
        }
        let mut tx = world.app.store.read(&system()).await.unwrap();
        let waiting = "SELECT COUNT(DISTINCT w.pid) FROM pg_locks w JOIN pg_stat_activity a ON a.pid = w.pid \
                       WHERE NOT w.granted AND w.locktype IN ('transactionid', 'tuple') \
                       AND a.datname = current_database()";
        (tx.number(waiting, vec![]).await.unwrap() >= count).then_some(())
    })
    .await;
}

/// A PC with a customer, and what a monitor says of it. It has not checked in, so that its user may submit and its partner
/// may open the case by hand.
async fn monitored(kind: Kind, name: &str) -> (Case, Uuid) {
    let case = case(kind, name).await;
    let customer = case.partner.customer("A").await;
    case.to_customer(&customer).await;
    let told =
        json!({ "serial": "5CG0000001", "kind": "battery.recall", "cause": "BAT0", "detail": "list 7" });
    let raised = case.partner.post("alerts", told).await.expect(201);
    (case, raised["id"].as_str().unwrap().parse().unwrap())
}

#[tokio::test]
async fn an_alert_makes_one_case_when_two_open_it_at_once() {
    let (case, alert) = monitored(Postgres, "onealert").await;
    let mut channel = Channel::open(&case.pc, None, "en").await;
    channel.expect("settings").await;
    let form = form(&channel.expect("pop_up").await, 1);
    let by_hand = json!({ "alert": alert, "contact": { "name": "P", "phone": "1" } });
    // Both have begun before either can end.
    let mut held = case.world.app.store.write(&system()).await.unwrap();
    held.execute("UPDATE alerts SET repair = repair WHERE id = $1", args![alert]).await.unwrap();
    let (partner, pc) = (case.partner.clone(), case.pc.clone());
    let opened = tokio::spawn(async move { partner.post("repair-cases", by_hand).await });
    let sent = tokio::spawn(async move { pc.post("repair-cases", form).await });
    awaited(&case.world, 2).await;
    held.commit().await.unwrap();
    let (opened, sent) = (opened.await.unwrap(), sent.await.unwrap());
    // Who comes second by hand is told so; the PC gets the case that is there.
    let statuses = (opened.status.as_u16(), sent.status.as_u16());
    assert!([(201, 200), (409, 201)].contains(&statuses), "{} {}", opened.text, sent.text);
    let mut tx = case.world.app.store.read(&system()).await.unwrap();
    assert_eq!(tx.number("SELECT COUNT(*) FROM repair_cases", vec![]).await.unwrap(), 1);
}

#[tokio::test]
async fn the_end_of_a_case_lets_a_check_in_of_its_pc_through() {
    let case = case(Postgres, "endscase").await;
    let desk = case.world.token(Role::CustomerSupport, None).await;
    let sent = case.submit(&form(&case.pop_up().await, 1)).await.expect(201);
    // A check-in has seen the condition again, and will tell the PC something.
    let mut check_in = case.world.app.store.write(&system()).await.unwrap();
    assert_eq!(check_in.execute("UPDATE alerts SET seen = seen + 1", vec![]).await.unwrap(), 1);
    let path = format!("repair-cases/{}/close", sent["id"].as_str().unwrap());
    let close = json!({ "result": "New disk", "failure_code": "HDD-01" });
    let closed = tokio::spawn(async move { desk.post(&path, close).await });
    awaited(&case.world, 1).await;
    assert_eq!(check_in.execute("UPDATE device_channels SET seq = seq + 1", vec![]).await.unwrap(), 1);
    check_in.commit().await.unwrap();
    closed.await.unwrap().expect(200);
    assert_eq!(case.partner.all("alerts").await[0]["repair"], "done");
}

#[tokio::test]
async fn two_cases_that_are_merged_into_each_other_leave_one_open() {
    let case = case(Postgres, "merges").await;
    let desk = case.world.token(Role::CustomerSupport, None).await;
    let open = async || {
        let contact = json!({ "name": "Inga Boje", "phone": "1" });
        let body = json!({ "serial": "5CG0000001", "contact": contact, "text": "Clicks", "caller": "Inga" });
        desk.post("repair-cases", body).await.expect(201)["id"].as_str().unwrap().to_owned()
    };
    let (first, second) = (open().await, open().await);
    // Both have begun before either can end: the PC's number is taken.
    let mut held = case.world.app.store.write(&system()).await.unwrap();
    assert_eq!(held.execute("UPDATE device_channels SET seq = seq", vec![]).await.unwrap(), 1);
    let merge = |from: &str, into: &str| {
        let (desk, path) = (desk.clone(), format!("repair-cases/{from}/steps/merge"));
        let said = json!({ "into": into });
        tokio::spawn(async move { desk.post(&path, said).await })
    };
    let merges = [merge(&first, &second), merge(&second, &first)];
    awaited(&case.world, 2).await;
    held.commit().await.unwrap();
    let mut refused = Vec::new();
    for merge in merges {
        let answer = merge.await.unwrap();
        if !answer.status.is_success() {
            refused.push(answer.refused(422));
        }
    }
    assert_eq!(refused, ["repair_case.cannot_merge"]);
    let cases = desk.all("repair-cases").await;
    assert_eq!(cases.iter().filter(|case| case["state"] == "closed").count(), 1, "{cases:?}");
}

/// A move of the case's PC that is not over yet. On SQLite whoever raises an alert waits for its end.
async fn moving(case: &Case, to: &str) -> Tx {
    let mut moving = case.world.app.store.write(&system()).await.unwrap();
    let sql = "UPDATE placements SET tenant = $2, generation = generation + 1 WHERE serial = $1";
    let to: Uuid = to.parse().unwrap();
    assert_eq!(moving.execute(sql, args![case.pc.serial.as_str(), to]).await.unwrap(), 1);
    moving
}

/// That the PC has one alert of this kind, and where.
async fn has_one_alert(case: &Case, kind: &str, tenant: &str) {
    let alerts = case.partner.all(&format!("alerts?kind={kind}")).await;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(alerts[0]["tenant"]["id"], tenant);
}

#[tokio::test]
async fn a_check_in_during_a_move_leaves_no_alert_where_the_pc_was() {
    let case = case(Postgres, "raisedmoving").await;
    let customer = case.partner.customer("A").await;
    let moving = moving(&case, &customer).await;
    case.pc.post("check-ins", bad_disk()).await.expect(200);
    moving.commit().await.unwrap();
    case.pc.post("check-ins", bad_disk()).await.expect(200);
    has_one_alert(&case, "disk.failing", &customer).await;
}

#[tokio::test]
async fn a_check_in_during_a_move_is_judged_when_the_pc_has_moved() {
    let case = case(Postgres, "judgedmoved").await;
    let customer = case.partner.customer("A").await;
    let moving = moving(&case, &customer).await;
    case.pc.post("check-ins", bad_disk()).await.expect(200);
    moving.commit().await.unwrap();
    assert!(case.partner.all("alerts").await.is_empty());
    case.world.clock.step_seconds(31);
    let (_url, _node) = case.world.second_node().await;
    case.world.until_judged().await;
    has_one_alert(&case, "disk.failing", &customer).await;
}

#[tokio::test]
async fn a_monitor_that_tells_of_a_pc_during_its_move_is_asked_to_come_again() {
    let case = case(Postgres, "toldmoving").await;
    let customer = case.partner.customer("A").await;
    let told = json!({ "serial": case.pc.serial, "kind": "disk.failing", "cause": "sda", "detail": "x" });
    let moving = moving(&case, &customer).await;
    assert_eq!(case.partner.post("alerts", told.clone()).await.refused(409), "alert.pc_is_moving");
    moving.commit().await.unwrap();
    case.partner.post("alerts", told).await.expect(201);
    has_one_alert(&case, "disk.failing", &customer).await;
}

#[tokio::test]
async fn a_look_for_silent_pcs_during_a_move_leaves_no_alert_where_the_pc_was() {
    let case = case(Postgres, "silentmoving").await;
    let (first, second) = (case.partner.customer("A").await, case.partner.customer("B").await);
    case.to_customer(&first).await;
    case.pc.post("check-ins", json!({})).await.expect(200);
    case.world.clock.step_seconds(400 * 24 * 3600);
    let moving = moving(&case, &second).await;
    flows::alerts::look_around(&case.world.app).await.unwrap();
    moving.commit().await.unwrap();
    flows::alerts::look_around(&case.world.app).await.unwrap();
    has_one_alert(&case, "heartbeat.lost", &second).await;
}

#[rstest]
#[tokio::test]
async fn a_pc_that_moves_while_its_case_is_opened_is_not_found(#[values(Sqlite, Postgres)] kind: Kind) {
    let (case, alert) = monitored(kind, "movesaway").await;
    let stranger = case.world.partner("R-2").await.customer("B").await;
    let stranger: Uuid = stranger.parse().unwrap();
    // The PC is still found where it was; by the time that its case is written it is with the stranger.
    let mut moving = case.world.app.store.write(&system()).await.unwrap();
    for sql in [
        "UPDATE alerts SET tenant = $2 WHERE id = $1",
        "UPDATE placements SET tenant = $2, generation = generation + 1 \
         WHERE device = (SELECT device FROM alerts WHERE id = $1)",
    ] {
        assert_eq!(moving.execute(sql, args![alert, stranger]).await.unwrap(), 1);
    }
    let by_hand = json!({ "alert": alert, "contact": { "name": "P", "phone": "1" } });
    let partner = case.partner.clone();
    let opened = tokio::spawn(async move { partner.post("repair-cases", by_hand).await });
    awaited(&case.world, 1).await;
    moving.commit().await.unwrap();
    assert_eq!(opened.await.unwrap().refused(404), "not_found");
    let mut tx = case.world.app.store.read(&system()).await.unwrap();
    assert_eq!(tx.number("SELECT COUNT(*) FROM repair_cases", vec![]).await.unwrap(), 0);
}
