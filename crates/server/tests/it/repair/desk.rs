//! Repair cases: what the user submits, who gets it and works on it, and what is forgotten in the end.

use reqwest::Method;
use roadstead_domain::access::Role;
use roadstead_server::app::Config;
use roadstead_server::jobs;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use super::{Channel, bad_disk, case, deliver_service, form, good_disk, send};
use crate::pc::Pc;
use crate::world::{Client, World, csv};

#[rstest]
#[tokio::test]
async fn b29_b30_b31_b32_what_the_user_submits_goes_to_customer_support_which_alone_schedules(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let case = case(kind, "support").await;
    let (world, partner, pc) = (&case.world, &case.partner, &case.pc);
    let desk = world.token(Role::CustomerSupport, None).await;
    world.user("desk@example.com", Role::CustomerSupport, None).await;
    let pop_up = case.pop_up().await;
    let id = pop_up["id"].as_str().unwrap();
    for step in ["displayed", "viewed"] {
        assert_eq!(pc.post(&format!("pop-ups/{id}/{step}"), json!({})).await.status.as_u16(), 204);
    }
    assert!(desk.all("repair-cases").await.is_empty(), "looking is not submitting");
    let shown = pc.get(&format!("pop-ups/{id}")).await.expect(200);
    assert!(shown["displayed_at"].is_string() && shown["case"].is_null(), "{shown}");
    // The form of another PC is not this one's.
    let other = Pc::new(world, "5CG0000003", 3);
    other.enrol().await.expect(201);
    assert_eq!(other.post("repair-cases", form(&pop_up, 1)).await.refused(404), "not_found");
    assert_eq!(other.get(&format!("pop-ups/{id}")).await.refused(404), "not_found");
    let mut nameless = form(&pop_up, 1);
    nameless["contact"] = json!({ "name": "Inga" });
    let refused = case.submit(&nameless).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "contact.email");

    let sent = case.submit(&form(&pop_up, 1)).await.expect(201);
    assert_eq!((&sent["state"], &sent["can_cancel"]), (&json!("new"), &json!(true)));
    let number = sent["number"].as_str().unwrap();
    let seen = desk.get(&format!("repair-cases/{number}")).await.expect(200);
    assert_eq!(
        (&seen["desk"]["code"], &seen["desk"]["reason"], &seen["desk"]["own"], &seen["serial_number"]),
        (&json!("customer_support"), &json!("route.view_monitor"), &json!(true), &json!("5CG0000001"))
    );
    assert_eq!(seen["person"]["text"], "CANARY it clicks");
    // The partner sees that there is one, and nothing of the person.
    let look = partner.get(&format!("repair-cases/{number}")).await;
    assert!(!look.text.contains("CANARY") && !look.text.contains("inga@"), "{}", look.text);
    assert_eq!(look.expect(200)["desk"]["own"], false);
    let alert = partner.all("alerts").await.remove(0);
    assert_eq!(alert["repair"], "open");
    let by_hand = json!({ "alert": alert["id"], "contact": { "name": "P", "phone": "1" } });
    assert_eq!(partner.post("repair-cases", by_hand).await.refused(409), "repair_case.pool");

    let appointment = json!({
        "from": "2027-01-04T08:00:00Z", "until": "2027-01-04T10:00:00Z", "time_zone": "Europe/Berlin", "note": "Tor 3",
    });
    let path = format!("repair-cases/{number}/appointment");
    assert_eq!(partner.post(&path, appointment.clone()).await.refused(409), "repair_case.not_yours");
    assert_eq!(world.operator.post(&path, appointment.clone()).await.refused(404), "not_found");
    let mut channel = Channel::open(pc, None, "en").await;
    channel.expect("settings").await;
    assert_eq!(channel.expect("case").await["state"], "new");
    desk.post(&path, appointment).await.expect(200);
    let told = channel.expect("case").await;
    assert_eq!((&told["state"], &told["can_cancel"]), (&json!("scheduled"), &json!(false)));
    assert_eq!(told["appointment"]["time_zone"], "Europe/Berlin");
    let cancel = format!("repair-cases/{}/cancel", sent["id"].as_str().unwrap());
    assert_eq!(pc.post(&cancel, json!({})).await.refused(409), "repair_case.too_late");
    assert_eq!(partner.get(&format!("repair-cases/{number}")).await.expect(200)["state"], "scheduled");

    let close = json!({ "result": "New disk", "failure_code": "HDD-01" });
    desk.post(&format!("repair-cases/{number}/close"), close).await.expect(200);
    assert_eq!(channel.expect("case").await["result"], "New disk");
    let mails = world.operator.all("mails").await;
    let to = |who: &str| mails.iter().filter(|mail| mail["recipient"] == who).count();
    assert_eq!((to("desk@example.com"), to("inga@example.com")), (1, 3), "{mails:?}");
    let log = partner.all("audit-log").await;
    assert!(log.iter().any(|entry| entry["action"] == "repair_case.opened"));
    assert!(!serde_json::to_string(&log).unwrap().contains("CANARY"));
}

#[rstest]
#[tokio::test]
async fn b33_b34_with_service_delivery_it_goes_to_the_partners_csdp_account(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let case = case(kind, "csdp").await;
    let (world, partner) = (&case.world, &case.partner);
    let desk = world.token(Role::CustomerSupport, None).await;
    let pop_up = case.pop_up().await;
    // Decision 12: shown was customer support; by the time of Submit it would be the partner.
    deliver_service(world, "R-1", "premium_plus").await;
    let refused = case.submit(&form(&pop_up, 1)).await.expect(409);
    assert_eq!(refused["code"], "pop_up.recipient_changed");
    assert!(refused["recipient"]["code"].as_str().unwrap().starts_with("csdp:"), "{refused}");
    assert_eq!(refused["recipient"]["name"], "Partner R-1");
    assert!(partner.all("repair-cases").await.is_empty());
    let mut again = form(&pop_up, 1);
    again["recipient"] = refused["recipient"]["code"].clone();
    let sent = case.submit(&again).await.expect(201);
    let number = sent["number"].as_str().unwrap();
    assert_eq!(desk.get(&format!("repair-cases/{number}")).await.refused(404), "not_found");
    let seen = partner.get(&format!("repair-cases/{number}")).await.expect(200);
    assert_eq!((&seen["desk"]["own"], &seen["person"]["name"]), (&json!(true), &json!("CANARY Inga Boje")));

    // Ask, be answered from the PC, schedule, order once, close, claim.
    partner
        .post(&format!("repair-cases/{number}/steps/ask"), json!({ "text": "Which floor?" }))
        .await
        .expect(200);
    let id = sent["id"].as_str().unwrap();
    let asked = case.pc.get(&format!("repair-cases/{id}")).await.expect(200);
    assert_eq!(asked["question"], "Which floor?");
    world.clock.step_seconds(1);
    case.pc.post(&format!("repair-cases/{id}/answer"), json!({ "text": "Third" })).await.expect(200);
    world.clock.step_seconds(1);
    partner
        .post(&format!("repair-cases/{number}/steps/note"), json!({ "text": "Bring a ladder" }))
        .await
        .expect(200);
    let appointment =
        json!({ "from": "2027-01-04T08:00:00Z", "until": "2027-01-04T10:00:00Z", "time_zone": "UTC" });
    partner.post(&format!("repair-cases/{number}/appointment"), appointment).await.expect(200);
    let parts = format!("repair-cases/{number}/parts");
    let order = json!({ "order_reference": "PO-1", "part": "SSD", "quantity": 1 });
    partner.post(&parts, order.clone()).await.expect(200);
    assert_eq!(partner.post(&parts, order).await.refused(409), "repair_case.reference_used");
    let claim = format!("repair-cases/{number}/claim");
    assert_eq!(
        partner.post(&claim, json!({ "reference": "CL-1" })).await.refused(409),
        "repair_case.not_closed"
    );
    let close = json!({ "result": "New disk", "failure_code": "HDD-01" });
    partner.post(&format!("repair-cases/{number}/close"), close).await.expect(200);
    let done = partner.post(&claim, json!({ "reference": "CL-1" })).await.expect(200);
    assert_eq!(
        (&done["claim_reference"], &done["parts"][0]["order_reference"]),
        (&json!("CL-1"), &json!("PO-1"))
    );
    let kinds: Vec<&str> =
        done["notes"].as_array().unwrap().iter().map(|n| n["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["question", "answer", "note"]);
}

/// A question stands for as long as its answer is waited for: each is mailed, and what comes after it is mailed and shown
/// instead of it.
#[rstest]
#[tokio::test]
async fn each_question_is_mailed_and_none_outlasts_the_waiting(#[values(Sqlite, Postgres)] kind: Kind) {
    let case = case(kind, "questions").await;
    let (world, pc) = (&case.world, &case.pc);
    let desk = world.token(Role::CustomerSupport, None).await;
    let ask = async |path: &str, text: &str| {
        desk.post(&format!("{path}/steps/ask"), json!({ "text": text })).await.expect(200);
        // The next mail comes after it.
        world.clock.step_seconds(1);
    };
    let phoned = async || {
        let contact = json!({ "name": "Inga Boje", "email": "inga@example.com" });
        let body = json!({ "serial": pc.serial, "contact": contact, "text": "It clicks", "caller": "Inga" });
        let opened = desk.post("repair-cases", body).await.expect(201);
        format!("repair-cases/{}", opened["id"].as_str().unwrap())
    };
    // As the desk and the PC see it.
    let question = async |path: &str| {
        let (at_desk, at_pc) = (desk.get(path).await.expect(200), pc.get(path).await.expect(200));
        assert_eq!(at_desk["person"]["question"], at_pc["question"]);
        at_pc["question"].clone()
    };

    let sent = case.submit(&form(&case.pop_up().await, 1)).await.expect(201);
    let cancelled = format!("repair-cases/{}", sent["id"].as_str().unwrap());
    ask(&cancelled, "Which floor?").await;
    assert_eq!(question(&cancelled).await, "Which floor?");
    pc.post(&format!("{cancelled}/cancel"), json!({})).await.expect(200);
    assert_eq!(question(&cancelled).await, json!(null));

    let closed = phoned().await;
    ask(&closed, "Which room?").await;
    ask(&closed, "Which rack?").await;
    let close = json!({ "result": "New disk", "failure_code": "HDD-01" });
    desk.post(&format!("{closed}/close"), close).await.expect(200);
    world.clock.step_seconds(1);
    assert_eq!(question(&closed).await, json!(null));
    assert_eq!(pc.get(&closed).await.expect(200)["result"], "New disk");

    let ordered = phoned().await;
    ask(&ordered, "Which slot?").await;
    let order = json!({ "order_reference": "PO-1", "part": "SSD", "quantity": 1 });
    desk.post(&format!("{ordered}/parts"), order).await.expect(200);
    assert_eq!(question(&ordered).await, json!(null));

    let mut tx = world.app.store.read(&roadstead_domain::access::system()).await.unwrap();
    let sql = "SELECT data FROM mails WHERE kind = 'repair_case_user' ORDER BY id";
    let mails: Vec<(String,)> = tx.all(sql, vec![]).await.unwrap();
    let said = mails.iter().map(|(data,)| serde_json::from_str::<Value>(data).unwrap()["said"].clone());
    let said: Vec<Value> = said.collect();
    let parts = "Parts were ordered for the repair.";
    assert_eq!(said, ["Which floor?", "Which room?", "Which rack?", "New disk", "Which slot?", parts]);
    // Of a case that was phoned in the PC tells nothing by itself.
    let last = "SELECT link FROM mails WHERE kind = 'repair_case_user' ORDER BY id DESC LIMIT 1";
    let (link,): (String,) = tx.optional(last, vec![]).await.unwrap().unwrap();
    let page = world.nobody().send_with(Method::GET, &link, None, &[]).await.text;
    assert!(page.contains("Whoever repairs reaches you") && !page.contains("the PC goes on"), "{page}");
}

/// Another order is mailed and shown though the case stands where it stood; a request that is repeated orders nothing.
#[rstest]
#[tokio::test]
async fn each_order_of_parts_is_told_and_a_repeated_request_is_not(#[values(Sqlite, Postgres)] kind: Kind) {
    let case = case(kind, "part_orders").await;
    let (world, pc) = (&case.world, &case.pc);
    let desk = world.token(Role::CustomerSupport, None).await;
    let sent = case.submit(&form(&case.pop_up().await, 1)).await.expect(201);
    let path = format!("/api/v1/repair-cases/{}/parts", sent["id"].as_str().unwrap());
    let order = async |reference: &str, key: &str| {
        let body = json!({ "order_reference": reference, "part": "CANARY SSD", "quantity": 1 }).to_string();
        let body = Some(("application/json", body.into_bytes()));
        let answer = desk.send_with(Method::POST, &path, body, &[("idempotency-key", key)]).await;
        // The next mail comes after it.
        world.clock.step_seconds(1);
        answer
    };
    let mut channel = Channel::open(pc, None, "en").await;
    channel.expect("settings").await;
    assert_eq!(channel.expect("case").await["part_orders"], 0);
    for (reference, part_orders) in [("PO-1", 1), ("PO-2", 2), ("PO-3", 3)] {
        for _ in 0..2 {
            assert_eq!(order(reference, reference).await.expect(200)["state"], "in_repair");
        }
        let told = channel.expect("case").await;
        assert_eq!((&told["state"], &told["part_orders"]), (&json!("in_repair"), &json!(part_orders)));
    }
    assert_eq!(order("PO-3", "another").await.refused(409), "repair_case.reference_used");

    let mut tx = world.app.store.read(&roadstead_domain::access::system()).await.unwrap();
    let sql = "SELECT data FROM mails WHERE kind = 'repair_case_user' ORDER BY id";
    let mails: Vec<(String,)> = tx.all(sql, vec![]).await.unwrap();
    let said = mails.iter().map(|(data,)| serde_json::from_str::<Value>(data).unwrap()["said"].clone());
    let said: Vec<Value> = said.collect();
    let more = "More parts were ordered for the repair.";
    assert_eq!(said, ["Parts were ordered for the repair.", more, more]);
}

/// What was set stays set while an answer is waited for: the user cannot cancel, and the answer leads back to it.
#[rstest]
#[tokio::test]
async fn a_question_undoes_neither_parts_nor_an_appointment(#[values(Sqlite, Postgres)] kind: Kind) {
    let case = case(kind, "resumed").await;
    let (world, pc) = (&case.world, &case.pc);
    let desk = world.token(Role::CustomerSupport, None).await;
    let sent = case.submit(&form(&case.pop_up().await, 1)).await.expect(201);
    let path = format!("repair-cases/{}", sent["id"].as_str().unwrap());
    let ask = async || {
        desk.post(&format!("{path}/steps/ask"), json!({ "text": "Which floor?" })).await.expect(200);
        pc.get(&path).await.expect(200)["can_cancel"].clone()
    };
    let answer = async || {
        pc.post(&format!("{path}/answer"), json!({ "text": "Third" })).await.expect(200)["state"].clone()
    };
    let cancel = async || pc.post(&format!("{path}/cancel"), json!({})).await.refused(409);
    assert_eq!(ask().await, true, "nothing is set yet");
    assert_eq!(answer().await, "claimed");

    let order = json!({ "order_reference": "PO-1", "part": "SSD", "quantity": 1 });
    desk.post(&format!("{path}/parts"), order).await.expect(200);
    assert_eq!(ask().await, false);
    assert_eq!(cancel().await, "repair_case.too_late");
    assert_eq!(answer().await, "in_repair");

    let appointment =
        json!({ "from": "2027-01-04T08:00:00Z", "until": "2027-01-04T10:00:00Z", "time_zone": "UTC" });
    desk.post(&format!("{path}/appointment"), appointment).await.expect(200);
    assert_eq!(ask().await, false);
    assert_eq!(cancel().await, "repair_case.too_late");
    assert_eq!(answer().await, "scheduled");
}

/// From the first mail on, which says who has the case, each carries the link that ends them: its user has no account.
#[rstest]
#[tokio::test]
async fn the_user_is_mailed_from_the_beginning_until_they_want_no_more(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let case = case(kind, "usermails").await;
    let (world, partner) = (&case.world, &case.partner);
    let desk = world.token(Role::CustomerSupport, None).await;
    let sent = case.submit(&form(&case.pop_up().await, 1)).await.expect(201);
    let path = format!("repair-cases/{}", sent["id"].as_str().unwrap());
    // Kind, data and link of each mail. The next one comes after it.
    let mails = async || {
        let mut tx = world.app.store.read(&roadstead_domain::access::system()).await.unwrap();
        let sql = "SELECT kind, data, link FROM mails WHERE recipient = 'inga@example.com' ORDER BY id";
        let mails: Vec<(String, String, Option<String>)> = tx.all(sql, vec![]).await.unwrap();
        drop(tx);
        world.clock.step_seconds(1);
        let read = |(kind, data, link): (String, String, Option<String>)| {
            (kind, serde_json::from_str::<Value>(&data).unwrap(), link.expect("a link"))
        };
        mails.into_iter().map(read).collect::<Vec<_>>()
    };
    let (received, data, link) = mails().await.remove(0);
    assert_eq!((received.as_str(), &data["desk"]), ("repair_case_received", &json!("Customer support")));
    // Handed over before anybody took it on: its state is the same, whose it is is not.
    deliver_service(world, "R-1", "premium_plus").await;
    let hand_over = format!("{path}/steps/hand-over");
    let handed = desk.post(&hand_over, json!({ "text": "Theirs by now" })).await;
    assert_eq!(handed.status.as_u16(), 204, "{}", handed.text);
    let told = mails().await;
    assert_eq!((told.len(), told[1].0.as_str()), (2, "repair_case_received"));
    assert_eq!((&told[1].1["desk"], &told[1].2), (&json!("Partner R-1"), &link));
    let assign = format!("{path}/steps/assign");
    partner.post(&assign, json!({})).await.expect(200);
    let told = mails().await;
    assert_eq!((told.len(), told[2].0.as_str(), &told[2].2), (3, "repair_case_user", &link));

    // Looking ends nothing: mail programs look at links by themselves.
    let nobody = world.nobody();
    let look = async || nobody.send_with(Method::GET, &link, None, &[]).await;
    let end = async |token: &str| {
        let body = ("application/x-www-form-urlencoded", format!("token={token}").into_bytes());
        nobody.send_with(Method::POST, "/repair-mails", Some(body), &[]).await
    };
    let muted = async || partner.get(&path).await.expect(200)["person"]["mails_muted"].clone();
    for _ in 0..2 {
        let page = look().await;
        assert_eq!(page.status.as_u16(), 200);
        let number = sent["number"].as_str().unwrap();
        assert!(page.text.contains(number) && page.text.contains("method=\"post\" action=\"/repair-mails"));
        assert!(page.text.contains("the PC goes on telling you"), "{}", page.text);
        assert!(!page.text.contains("CANARY") && !page.text.contains("5CG0000001"), "{}", page.text);
    }
    let spent = end("spent").await;
    assert_eq!(spent.status.as_u16(), 404);
    assert!(spent.text.contains("It belongs to no repair case any more"), "{}", spent.text);
    assert_eq!(muted().await, false);
    let (_, token) = link.split_once("token=").unwrap();
    let token = token.split('&').next().unwrap();
    for _ in 0..2 {
        assert_eq!(end(token).await.status.as_u16(), 200);
        assert_eq!(muted().await, true);
    }
    assert!(!look().await.text.contains("action=\"/repair-mails"));
    partner.post(&format!("{path}/steps/ask"), json!({ "text": "Which floor?" })).await.expect(200);
    assert_eq!(mails().await.len(), 3);
    // The PC goes on telling them.
    assert_eq!(case.pc.get(&path).await.expect(200)["question"], "Which floor?");
    let log = partner.all("audit-log").await;
    let ended = log.iter().filter(|entry| entry["detail"]["step"] == "mails_muted").count();
    assert_eq!(ended, 1, "{log:?}");
}

#[rstest]
#[tokio::test]
async fn d13_however_often_and_wherever_it_is_sent_it_is_one_case(#[values(Sqlite, Postgres)] kind: Kind) {
    let case = case(kind, "once").await;
    let (second, _node) = case.world.second_node().await;
    let desk = case.world.token(Role::CustomerSupport, None).await;
    let pop_up = case.pop_up().await;
    let there = case.pc.at(&second);
    let sends = (0..6_u128).map(|n| {
        let (pc, form) = (if n % 2 == 0 { &case.pc } else { &there }, form(&pop_up, 1 + n / 3));
        async move { pc.post("repair-cases", form).await }
    });
    let answers = futures_util::future::join_all(sends).await;
    let created = answers.iter().filter(|answer| answer.status.as_u16() == 201).count();
    let ids: std::collections::BTreeSet<String> = answers
        .into_iter()
        .map(|answer| {
            assert!(matches!(answer.status.as_u16(), 200 | 201), "{}", answer.text);
            answer.json()["id"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!((created, ids.len()), (1, 1));
    assert_eq!(desk.all("repair-cases").await.len(), 1);
    // While it is open the condition makes no other pop-up.
    case.pc.post("check-ins", bad_disk()).await.expect(200);
    let mut channel = Channel::open(&case.pc, None, "en").await;
    channel.expect("settings").await;
    channel.expect("case").await;
}

/// An alert names its PC; a serial may name several.
#[rstest]
#[tokio::test]
async fn a_case_of_an_alert_is_of_its_pc_though_another_has_the_serial(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let case = case(kind, "twomakers").await;
    let (world, partner, pc) = (&case.world, &case.partner, &case.pc);
    let customer = partner.customer("A").await;
    case.to_customer(&customer).await;
    let told = json!({ "serial": pc.serial, "kind": "battery.recall", "cause": "BAT0", "detail": "list 7" });
    let raised = partner.post("alerts", told.clone()).await.expect(201);
    let file = "Transaction Date,Reseller ID,Product Number,Serial Number,Quantity,Manufacturer\n\
                2026-11-18,R-1,6T1A2EA,5CG0000001,1,Acme\n";
    world.distributor("D-2").await.report("", "text/csv", file).await;
    // The other manufacturer's is in the pool, where nobody opens a case by hand.
    assert!(partner.pool().await.contains(&pc.serial));
    assert_eq!(partner.post("alerts", told).await.refused(409), "serial.ambiguous");
    let by_hand = json!({ "alert": raised["id"], "contact": { "name": "P", "phone": "1" } });
    let opened = partner.post("repair-cases", by_hand).await.expect(201);
    let path = format!("repair-cases/{}", opened["id"].as_str().unwrap());
    assert_eq!(partner.get(&path).await.expect(200)["alert_kind"], "battery.recall");
    assert_eq!(partner.all("alerts").await[0]["repair"], "open");
}

/// A case that became part of another goes on in that one: what it was made for is repaired once that one is over.
#[rstest]
#[tokio::test]
async fn an_alert_is_repaired_once_the_case_that_took_its_case_in_is_over(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let case = case(kind, "takenin").await;
    let (world, partner, pc) = (&case.world, &case.partner, &case.pc);
    let desk = world.token(Role::CustomerSupport, None).await;
    let customer = partner.customer("A").await;
    case.to_customer(&customer).await;
    let told = json!({ "serial": pc.serial, "kind": "battery.recall", "cause": "BAT0", "detail": "list 7" });
    let raised = partner.post("alerts", told).await.expect(201);
    let by_hand = json!({ "alert": raised["id"], "contact": { "name": "P", "phone": "1" } });
    let opened = partner.post("repair-cases", by_hand.clone()).await.expect(201);
    let first = opened["id"].as_str().unwrap();
    let phoned = async || {
        let contact = json!({ "name": "Inga Boje", "phone": "1" });
        let body = json!({ "serial": pc.serial, "contact": contact, "text": "It clicks", "caller": "Inga" });
        desk.post("repair-cases", body).await.expect(201)["id"].as_str().unwrap().to_owned()
    };
    let (second, last) = (phoned().await, phoned().await);
    let merge = async |from: &str, into: &str| {
        desk.post(&format!("repair-cases/{from}/steps/merge"), json!({ "into": into })).await.expect(200);
    };
    let repair = async || partner.all("alerts").await[0]["repair"].clone();
    let forgotten = async || {
        let system = roadstead_domain::access::system();
        let before = world.app.ambient.now().plus_seconds(1);
        let mut tx = world.app.store.write(&system).await.unwrap();
        let count = roadstead_store::repair_cases::forget(&mut tx, &system, before, 100).await.unwrap();
        tx.commit().await.unwrap();
        count
    };

    merge(first, &second).await;
    assert_eq!(repair().await, "open");
    assert_eq!(partner.post("repair-cases", by_hand).await.refused(409), "repair_case.exists");
    merge(&second, &last).await;
    assert_eq!(repair().await, "open");
    assert_eq!(forgotten().await, 0, "the cases that went on in one that is open");
    let close = json!({ "result": "New battery", "failure_code": "BAT-01" });
    desk.post(&format!("repair-cases/{last}/close"), close).await.expect(200);
    assert_eq!(repair().await, "done");
    assert_eq!([forgotten().await, forgotten().await, forgotten().await], [1, 1, 1], "the last one first");
}

/// What the user wrote belongs to the PC's stay: sealed by a move, open again by an undo alone, deleted in the end. The desk
/// to which it was sent goes on with it.
#[rstest]
#[tokio::test]
async fn d07_free_text_is_sealed_by_a_move_and_deleted_after_the_case(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let case = case(kind, "freetext").await;
    let (world, partner, pc) = (&case.world, &case.partner, &case.pc);
    let desk = world.token(Role::CustomerSupport, None).await;
    let mut customers = Vec::new();
    for name in ["Werft", "Kai"] {
        let id = partner.invited_customer(name).await;
        let admin = world.token(Role::ItAdmin, Some(&id)).await;
        admin.post(&format!("customers/{id}/assigned-partner/accept"), json!({})).await.expect(200);
        customers.push((id, admin));
    }
    let [(werft, admin), (kai, other)] = &customers[..] else { panic!() };
    case.to_customer(werft).await;
    let sent = case.submit(&form(&case.pop_up().await, 1)).await.expect(201);
    let path = format!("repair-cases/{}", sent["number"].as_str().unwrap());
    let own_path = format!("repair-cases/{}", sent["id"].as_str().unwrap());
    desk.post(&format!("{path}/steps/ask"), json!({ "text": "CANARY Which floor, Inga?" })).await.expect(200);
    let shows = async |who: &Client| who.get(&path).await.text.contains("CANARY");
    assert!(shows(&desk).await && shows(admin).await && !shows(partner).await);

    let transfer = send(partner, &pc.serial, kai).await;
    assert_eq!(transfer["privacy"]["commit"]["free_text"], json!({ "kept": 0, "wiped": 0, "sealed": 1 }));
    assert!(shows(&desk).await && !shows(admin).await && !shows(partner).await);
    assert_eq!(
        admin.get(&path).await.expect(200)["state"],
        "waiting_for_user",
        "that there was one is no secret"
    );
    // The new tenant sees that it is being repaired, and nothing of before.
    assert_eq!(other.get(&path).await.refused(404), "not_found");
    let devices = format!("customers/{kai}/devices");
    let arrivals = format!("customers/{kai}/arrivals");
    for list in [&devices[..], &arrivals, "repair-cases", "alerts", "audit-log"] {
        let seen = json!(other.all(list).await).to_string();
        assert!(!seen.contains("CANARY"), "{list}: {seen}");
    }
    assert_eq!(other.all("alerts").await[0]["repair"], "open");
    // The PC itself goes on with its case until it is over.
    assert_eq!(pc.get(&own_path).await.expect(200)["question"], "CANARY Which floor, Inga?");
    pc.post(&format!("{own_path}/answer"), json!({ "text": "CANARY third" })).await.expect(200);
    let close = json!({ "result": "CANARY new disk", "failure_code": "HDD-01" });
    desk.post(&format!("{path}/close"), close).await.expect(200);
    let told = pc.get(&own_path).await.text;
    assert!(!told.contains("CANARY"), "whoever has the PC by now: {told}");

    let undo = format!("transfers/{}/undo", transfer["id"].as_str().unwrap());
    let undone = partner.post(&undo, json!({})).await.expect(200);
    assert_eq!(undone["privacy"]["undo"]["free_text"], json!({ "kept": 1, "wiped": 0, "sealed": 0 }));
    assert!(shows(admin).await && pc.get(&own_path).await.text.contains("CANARY new disk"), "as it was");

    // A plain move to and fro opens nothing, and in the end there is nothing left to open.
    send(partner, &pc.serial, kai).await;
    send(partner, &pc.serial, werft).await;
    assert!(shows(&desk).await && !admin.get(&path).await.text.contains("clicks"));
    world.clock.step_seconds(31 * 24 * 3600);
    jobs::wipe_sealed(&world.app).await.unwrap();
    let kept = desk.get(&path).await.expect(200);
    assert_eq!((&kept["person"]["text"], &kept["person"]["email"]), (&json!(""), &json!("")));
    assert_eq!((&kept["notes"], &kept["failure_code"]), (&json!([]), &json!("HDD-01")));
}

/// A customer without a partner keeps its PCs and their entitlements; its cases go to customer support until another
/// partner has accepted.
#[rstest]
#[tokio::test]
async fn d18_without_a_partner_cases_go_to_customer_support(#[values(Sqlite, Postgres)] kind: Kind) {
    let case = case(kind, "partnerless").await;
    let (world, partner, pc) = (&case.world, &case.partner, &case.pc);
    let next = world.partner("R-2").await;
    deliver_service(world, "R-1", "premium_plus").await;
    deliver_service(world, "R-2", "premium_plus").await;
    let desk = world.token(Role::CustomerSupport, None).await;
    let werft = partner.invited_customer("Werft").await;
    let admin = world.token(Role::ItAdmin, Some(&werft)).await;
    let step = |step: &str| format!("customers/{werft}/assigned-partner/{step}");
    admin.post(&step("accept"), json!({})).await.expect(200);
    case.to_customer(&werft).await;
    admin.post(&step("end"), json!({})).await.expect(200);

    let devices = admin.all(&format!("customers/{werft}/devices")).await;
    assert_eq!(
        (&devices[0]["serial_number"], &devices[0]["support_level"]),
        (&json!("5CG0000001"), &json!("premium_plus"))
    );
    assert!(!partner.pool().await.contains(&pc.serial), "ending moves nothing");
    let pop_up = case.pop_up().await;
    assert_eq!(pop_up["recipient"]["code"], "customer_support");
    let sent = case.submit(&form(&pop_up, 1)).await.expect(201);
    let path = format!("repair-cases/{}", sent["number"].as_str().unwrap());
    assert_eq!(desk.get(&path).await.expect(200)["desk"]["reason"], "route.no_partner");
    assert_eq!(partner.get(&path).await.refused(404), "not_found");

    admin.post(&step("ask"), json!({ "partner_number": "R-2" })).await.expect(200);
    pc.post("check-ins", json!({ "readings": { "memory": { "uncorrected": 1 } } })).await.expect(200);
    let shown = async || {
        let mut channel = Channel::open(pc, None, "en").await;
        loop {
            let (_, name, data) = channel.next().await;
            if name == "pop_up" {
                return data["recipient"]["code"].as_str().unwrap().to_owned();
            }
        }
    };
    assert_eq!(shown().await, "customer_support", "asked is not accepted");
    next.post(&step("accept"), json!({})).await.expect(200);
    assert!(shown().await.starts_with("csdp:"), "the new partner delivers the service");
    assert_eq!(desk.get(&path).await.expect(200)["desk"]["own"], true, "an open case keeps its route");
}

#[rstest]
#[tokio::test]
async fn what_is_long_over_is_forgotten_and_what_lasts_is_not(#[values(Sqlite, Postgres)] kind: Kind) {
    let config = Config { keep_repair_months: Some(6), ..Config::default() };
    let world = World::with(kind, "forget", config).await;
    let partner = world.partner("R-1").await;
    let lines = ["5CG0000001 R-1", "5CG0000002 R-1"];
    world.distributor("D-1").await.report("", "text/csv", csv(&lines)).await;
    let pc = Pc::new(&world, "5CG0000001", 1);
    pc.enrol().await.expect(201);
    let desk = world.token(Role::CustomerSupport, None).await;
    let open = async |serial: &str| {
        let contact = json!({ "name": "CANARY Inga", "phone": "1" });
        let body = json!({ "serial": serial, "contact": contact, "text": "CANARY", "caller": "Inga" });
        desk.post("repair-cases", body).await.expect(201)["id"].as_str().unwrap().to_owned()
    };
    let (over, lasting) = (open("5CG0000001").await, open("5CG0000002").await);
    let order = json!({ "order_reference": "PO-1", "part": "SSD", "quantity": 1 });
    desk.post(&format!("repair-cases/{over}/parts"), order.clone()).await.expect(200);
    let close = json!({ "result": "New disk", "failure_code": "HDD-01" });
    desk.post(&format!("repair-cases/{over}/close"), close).await.expect(200);
    pc.post("check-ins", bad_disk()).await.expect(200);
    for _ in 0..2 {
        pc.post("check-ins", good_disk()).await.expect(200);
    }
    pc.post("check-ins", json!({ "readings": { "memory": { "uncorrected": 1 } } })).await.expect(200);
    let counts = async || {
        let mut tx = world.app.store.read(&roadstead_domain::access::system()).await.unwrap();
        let mut counts = Vec::new();
        for sql in [
            "SELECT COUNT(*) FROM alerts",
            "SELECT COUNT(*) FROM pop_ups p JOIN alerts a ON a.id = p.alert WHERE a.kind = 'disk.failing'",
            "SELECT COUNT(*) FROM repair_cases",
        ] {
            counts.push(tx.number(sql, vec![]).await.unwrap());
        }
        counts
    };
    world.clock.step_seconds(100 * 24 * 3600);
    roadstead_server::jobs::keep_repairs(&world.app).await.unwrap();
    assert_eq!(counts().await, [2, 1, 2], "it is not long enough ago");
    world.clock.step_seconds(100 * 24 * 3600);
    roadstead_server::jobs::keep_repairs(&world.app).await.unwrap();
    assert_eq!(counts().await, [1, 0, 1]);
    assert_eq!(desk.get(&format!("repair-cases/{over}")).await.refused(404), "not_found");
    assert_eq!(partner.all("alerts").await[0]["kind"], "memory.failing");
    // The reference was used, however long ago.
    let parts = format!("repair-cases/{lasting}/parts");
    assert_eq!(desk.post(&parts, order).await.refused(409), "repair_case.reference_used");
    let other = json!({ "order_reference": "PO-2", "part": "SSD", "quantity": 1 });
    desk.post(&parts, other).await.expect(200);
}

#[rstest]
#[tokio::test]
async fn what_one_node_raises_the_other_tells_and_what_one_takes_the_other_shows(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let case = case(kind, "twonodes").await;
    let (second, _node) = case.world.second_node().await;
    let there = case.pc.at(&second);
    // The channel stands at the second node before anything happens.
    let mut channel = Channel::open(&there, None, "en").await;
    channel.expect("settings").await;
    case.pc.post("check-ins", bad_disk()).await.expect(200);
    let pop_up = channel.expect("pop_up").await;
    let sent = case.submit(&form(&pop_up, 1)).await.expect(201);
    let mut told = [channel.next().await, channel.next().await];
    told.sort_by_key(|(_, name, _)| name.clone());
    let [(_, case_name, told_case), (_, _, withdrawn)] = told;
    assert_eq!((case_name.as_str(), &told_case["id"]), ("case", &sent["id"]));
    assert_eq!(withdrawn["reason"], "pop_up.submitted");
    // Sent again, to the other node: the same case.
    assert_eq!(there.post("repair-cases", form(&pop_up, 1)).await.expect(200)["id"], sent["id"]);
    let desk = case.world.token(Role::CustomerSupport, None).await.at(&second);
    let path = format!("repair-cases/{}/steps/ask", sent["id"].as_str().unwrap());
    desk.post(&path, json!({ "text": "Which floor?" })).await.expect(200);
    assert_eq!(channel.expect("case").await["question"], "Which floor?");
    let at_first = case.pc.get(&format!("repair-cases/{}", sent["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(at_first["question"], "Which floor?");
}
