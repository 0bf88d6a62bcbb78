//! What the self-service switch and a move let through: pop-ups taken back and shown again, alerts that follow their PC.

use roadstead_domain::access::Role;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::json;

use super::{Channel, bad_disk, case, deliver_service, form, send};
use crate::pc::Pc;

#[rstest]
#[tokio::test]
async fn b46_b47_b48_off_takes_pop_ups_back_and_lets_the_partner_open_the_case(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let case = case(kind, "switchoff").await;
    let (partner, pc) = (&case.partner, &case.pc);
    let (a, b) = (partner.customer("A").await, partner.customer("B").await);
    case.to_customer(&a).await;
    send(partner, "5CG0000003", &b).await;
    let neighbour = Pc::new(&case.world, "5CG0000003", 3);
    neighbour.enrol().await.expect(201);
    let pop_up = case.pop_up().await;
    let alert = partner.all("alerts").await.remove(0);
    let by_hand = json!({ "alert": alert["id"], "contact": { "name": "P", "phone": "1" }, "text": "x" });
    assert_eq!(partner.post("repair-cases", by_hand.clone()).await.refused(409), "repair_case.pop_ups_on");

    // The channel is at another node than the one that turns the switch.
    let (second, _node) = case.world.second_node().await;
    let mut channel = Channel::open(&pc.at(&second), None, "en").await;
    channel.expect("settings").await;
    channel.expect("pop_up").await;
    case.turn(&a, "off").await;
    let mut withdrawn = channel.next().await;
    if withdrawn.1 == "settings" {
        assert_eq!(withdrawn.2["self_service"], false);
        withdrawn = channel.next().await;
    }
    assert_eq!(withdrawn.2, json!({ "id": pop_up["id"], "reason": "pop_up.switched_off" }));
    assert_eq!(case.submit(&form(&pop_up, 1)).await.refused(410), "pop_up.withdrawn");
    // The next condition: an alert, and no pop-up.
    pc.post("check-ins", json!({ "readings": { "memory": { "uncorrected": 2 } } })).await.expect(200);
    assert_eq!(partner.all("alerts").await.len(), 2);
    let state = pc.get(&format!("pop-ups/{}", pop_up["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(state["state"], "withdrawn");
    let it_admin = case.world.token(Role::ItAdmin, Some(&a)).await;
    assert_eq!(it_admin.all("alerts").await.len(), 2);
    // A's switch is A's alone.
    neighbour.post("check-ins", bad_disk()).await.expect(200);
    let mut next_door = Channel::open(&neighbour, None, "en").await;
    next_door.expect("settings").await;
    next_door.expect("pop_up").await;

    let opened = partner.post("repair-cases", by_hand.clone()).await.expect(201);
    assert_eq!(partner.post("repair-cases", by_hand).await.refused(409), "repair_case.exists");
    let id = opened["id"].as_str().unwrap();
    let seen = partner.get(&format!("repair-cases/{id}")).await.expect(200);
    assert_eq!((&seen["opened_by"], &seen["desk"]["code"]), (&json!("partner"), &json!("customer_support")));
    assert_eq!(
        partner.post(&format!("repair-cases/{id}/steps/cancel"), json!({})).await.expect(200)["state"],
        "cancelled"
    );
    // On again: what lasts is shown.
    case.turn(&a, "on").await;
    let mut channel = Channel::open(pc, None, "en").await;
    channel.expect("settings").await;
    assert_eq!(channel.expect("pop_up").await["alert"], "memory.failing");
}

#[rstest]
#[tokio::test]
async fn d06_alerts_follow_the_pc_and_an_open_case_keeps_its_route(#[values(Sqlite, Postgres)] kind: Kind) {
    let case = case(kind, "follow").await;
    let (partner, pc) = (&case.partner, &case.pc);
    let pop_up = case.pop_up().await;
    let (a, b) = (partner.customer("A").await, partner.customer("B").await);
    let mut channel = Channel::open(pc, None, "en").await;
    channel.expect("settings").await;
    channel.expect("pop_up").await;
    // Moved while it is on the screen: told again under the same id, and still good.
    case.to_customer(&a).await;
    assert_eq!(channel.expect("pop_up").await["id"], pop_up["id"]);
    assert_eq!(partner.all("alerts").await[0]["tenant"]["id"], json!(a));
    let sent = case.submit(&form(&pop_up, 1)).await.expect(201);
    let number = sent["number"].as_str().unwrap();
    deliver_service(&case.world, "R-1", "premium_plus").await;
    case.to_customer(&b).await;
    let it_admin = case.world.token(Role::ItAdmin, Some(&b)).await;
    let alerts = it_admin.get("alerts").await;
    assert!(!alerts.text.contains("CANARY"), "{}", alerts.text);
    assert_eq!(alerts.expect(200)["items"][0]["repair"], "open");
    assert_eq!(it_admin.get(&format!("repair-cases/{number}")).await.refused(404), "not_found");
    let desk = case.world.token(Role::CustomerSupport, None).await;
    let kept = desk.get(&format!("repair-cases/{number}")).await.expect(200);
    assert_eq!(kept["desk"]["own"], true);
    let of_a = case.world.token(Role::ItAdmin, Some(&a)).await;
    let left = of_a.get(&format!("repair-cases/{number}")).await.expect(200);
    assert_eq!((&left["state"], &left["person"]), (&json!("new"), &json!(null)), "sealed by the move");
    // By now the partner delivers service: the desk may hand the case over, with a reason.
    let hand_over = format!("repair-cases/{number}/steps/hand-over");
    assert_eq!(desk.post(&hand_over, json!({})).await.refused(422), "field.missing");
    let handed = desk.post(&hand_over, json!({ "text": "Theirs by now" })).await;
    assert_eq!(handed.status.as_u16(), 204, "{}", handed.text);
    let theirs = partner.get(&format!("repair-cases/{number}")).await.expect(200);
    assert_eq!(
        (&theirs["desk"]["own"], &theirs["desk"]["reason"]),
        (&json!(true), &json!("route.handed_over"))
    );
    // Into a tenant whose switch is off: nothing stays on the screen.
    let c = partner.customer("C").await;
    pc.post("check-ins", json!({ "readings": { "memory": { "uncorrected": 1 } } })).await.expect(200);
    let mut channel = Channel::open(pc, None, "en").await;
    channel.expect("settings").await;
    let told = [channel.next().await, channel.next().await];
    let shown = told.iter().find(|(_, name, _)| name == "pop_up").unwrap().2.clone();
    send(partner, "5CG0000003", &c).await;
    case.turn(&c, "off").await;
    case.to_customer(&c).await;
    loop {
        let (_, name, data) = channel.next().await;
        if name == "withdraw" {
            assert_eq!(data, json!({ "id": shown["id"], "reason": "pop_up.moved" }));
            break;
        }
    }
}
