//! What the self-service switch and a move let through: pop-ups taken back and shown again, alerts that follow their PC.

use std::collections::BTreeSet;

use roadstead_domain::access::Role;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use super::{Channel, bad_disk, case, deliver_service, form, send};
use crate::pc::Pc;
use crate::sign_in::Portal;

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

/// A PC whose disk has died shows no pop-up: whoever looks after it opens the case, and says who called.
#[rstest]
#[tokio::test]
async fn a_pc_that_is_silent_gets_a_case_by_hand_outside_of_a_pool(#[values(Sqlite, Postgres)] kind: Kind) {
    let case = case(kind, "silentpc").await;
    let (world, partner, pc) = (&case.world, &case.partner, &case.pc);
    let desk = world.token(Role::CustomerSupport, None).await;
    let werft = partner.invited_customer("Werft").await;
    let admin = world.token(Role::ItAdmin, Some(&werft)).await;
    admin.post(&format!("customers/{werft}/assigned-partner/accept"), json!({})).await.expect(200);
    case.to_customer(&werft).await;
    pc.post("check-ins", json!({})).await.expect(200);
    let contact = json!({ "name": "Inga Boje", "phone": "1" });
    let uncalled = json!({ "serial": pc.serial, "contact": contact, "text": "Nothing happens" });
    let mut called = uncalled.clone();
    called["caller"] = json!("Inga");
    for minutes in [0, 59] {
        world.clock.step_seconds(minutes * 60);
        for client in [partner, &admin] {
            let refused = client.post("repair-cases", called.clone()).await.refused(409);
            assert_eq!(refused, "repair_case.pop_ups_on", "after {minutes} minutes");
        }
    }
    world.clock.step_seconds(60);
    let refused = partner.post("repair-cases", uncalled.clone()).await.expect(422);
    assert_eq!(
        (&refused["code"], &refused["errors"][0]["field"]),
        (&json!("field.missing"), &json!("caller"))
    );
    let opened = partner.post("repair-cases", called.clone()).await.expect(201);
    let path = format!("repair-cases/{}", opened["id"].as_str().unwrap());
    assert_eq!(desk.get(&path).await.expect(200)["opened_by"], "partner");
    // Nobody has to call their own IT.
    admin.post("repair-cases", uncalled.clone()).await.expect(201);
    // It is heard of again.
    pc.post("check-ins", json!({})).await.expect(200);
    assert_eq!(admin.post("repair-cases", uncalled).await.refused(409), "repair_case.pop_ups_on");
    // In a pool nobody but the user opens one, whom customer support stands in for.
    called["serial"] = json!("5CG0000003");
    assert_eq!(partner.post("repair-cases", called.clone()).await.refused(409), "repair_case.pool");
    desk.post("repair-cases", called).await.expect(201);
    // The page asks whoever has to say.
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    world.user("it@example.com", Role::ItAdmin, Some(&werft)).await;
    for (who, asks) in [("one@example.com", true), ("it@example.com", false)] {
        let page = Portal::sign_in(world, who).await.get("/repair-cases/new").await.text;
        assert_eq!(page.contains("name=\"caller\""), asks, "{page}");
    }
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

/// A full disk is told to whoever sits at a PC of a pool, where nobody else could be, and to those who look after it
/// elsewhere.
#[rstest]
#[tokio::test]
async fn b27_a_move_takes_back_the_pop_ups_whose_kind_makes_none_in_the_new_place(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let case = case(kind, "kinds").await;
    let (partner, pc) = (&case.partner, &case.pc);
    let customer = partner.customer("A").await;
    let readings = json!({ "readings": {
        "disks": [{ "name": "/dev/sda", "passed": false }],
        "volumes": [{ "name": "/home", "total_bytes": 100_000_000_000_u64, "free_bytes": 1000 }],
    } });
    pc.post("check-ins", readings.clone()).await.expect(200);
    let mut channel = Channel::open(pc, None, "en").await;
    channel.expect("settings").await;
    let shown = [channel.expect("pop_up").await, channel.expect("pop_up").await];
    let of = |alert: &str| shown.iter().find(|pop_up| pop_up["alert"] == alert).unwrap()["id"].clone();
    let (full, failing) = (of("disk.full"), of("disk.failing"));

    case.to_customer(&customer).await;
    assert_eq!(channel.expect("withdraw").await, json!({ "id": full, "reason": "pop_up.moved" }));
    assert_eq!(channel.expect("pop_up").await["id"], failing);
    assert_eq!(partner.all("alerts").await.len(), 2, "the alerts themselves go with the PC");
    // Back in the pool the user is the only addressee again.
    send(partner, &pc.serial, "unassigned").await;
    assert_eq!(channel.expect("pop_up").await["id"], failing);
    pc.post("check-ins", readings).await.expect(200);
    let again = channel.expect("pop_up").await;
    assert_eq!((&again["alert"], again["id"] != full), (&json!("disk.full"), true));
}

/// Two events of this name from each channel, settings left out, under numbers that rise from the last one on; their data.
async fn two_each(channels: &mut [(Channel, i64)], name: &str) -> Vec<Value> {
    let mut told = Vec::new();
    for (channel, last) in channels {
        for _ in 0..2 {
            let (mut number, mut event, mut data) = channel.next().await;
            while event == "settings" {
                (number, event, data) = channel.next().await;
            }
            assert_eq!(event, name, "{data}");
            let number: i64 = number.parse().unwrap();
            assert!(number > *last, "{number} after {last}: {data}");
            *last = number;
            told.push(data);
        }
    }
    told
}

fn ids(told: &[Value]) -> BTreeSet<String> {
    told.iter().map(|data| data["id"].to_string()).collect()
}

/// What is done for all PCs at once does to each of them what it does to one alone.
#[rstest]
#[tokio::test]
async fn several_pop_ups_of_several_pcs_are_taken_back_shown_again_and_follow(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let case = case(kind, "several").await;
    let partner = &case.partner;
    let other = Pc::new(&case.world, "5CG0000003", 3);
    other.enrol().await.expect(201);
    let pcs = [case.pc.clone(), other];
    let readings = json!({ "readings": {
        "disks": [{ "name": "/dev/sda", "passed": false }], "memory": { "uncorrected": 1 },
    } });
    let mut channels: Vec<(Channel, i64)> = Vec::new();
    for pc in &pcs {
        pc.post("check-ins", readings.clone()).await.expect(200);
        channels.push((Channel::open(pc, None, "en").await, 0));
    }
    let shown = ids(&two_each(&mut channels, "pop_up").await);
    assert_eq!(shown.len(), 4);

    let moved = async |to: &str| {
        let items = pcs.each_ref().map(|pc| json!({ "serial": pc.serial, "to": to }));
        let shown = partner.post("transfers", json!({ "items": items })).await.expect(201);
        let path = format!("transfers/{}/commit", shown["id"].as_str().unwrap());
        partner.post(&path, json!({ "digest": shown["digest"] })).await.expect(200);
    };
    let a = partner.customer("A").await;
    moved(&a).await;
    assert_eq!(ids(&two_each(&mut channels, "pop_up").await), shown, "told again");
    case.turn(&a, "off").await;
    let withdrawn = two_each(&mut channels, "withdraw").await;
    assert_eq!(ids(&withdrawn), shown);
    assert!(withdrawn.iter().all(|told| told["reason"] == "pop_up.switched_off"), "{withdrawn:?}");
    case.turn(&a, "on").await;
    let again = ids(&two_each(&mut channels, "pop_up").await);
    assert_eq!((again.len(), again.is_disjoint(&shown)), (4, true));

    // Its switch goes off with the first of them.
    let body = json!({
        "name": "DaaS", "address": "Kai 1", "city": "Hamburg", "postal_code": "20457", "plan": "premium_plus",
        "management": "partner", "self_service": "off_when_allowed",
    });
    let off = partner.post("customers", body).await.expect(201)["id"].as_str().unwrap().to_owned();
    moved(&off).await;
    let withdrawn = two_each(&mut channels, "withdraw").await;
    assert_eq!(ids(&withdrawn), again);
    assert!(withdrawn.iter().all(|told| told["reason"] == "pop_up.moved"), "{withdrawn:?}");
    let alerts = partner.all("alerts").await;
    assert_eq!(alerts.len(), 4);
    assert!(alerts.iter().all(|alert| alert["tenant"]["id"] == json!(off)), "{alerts:?}");
}
