//! From a reading to a repair: alerts, pop-ups on PCs, cases, who gets them, and the switch.

use std::time::Duration;

use roadstead_domain::access::Role;
use roadstead_server::app::Config;
use roadstead_server::{flows, jobs};
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use crate::pc::Pc;
use crate::world::{Answer, Client, World, csv};

/// The events of a PC's channel.
struct Channel {
    response: reqwest::Response,
    buffer: String,
}

impl Channel {
    async fn open(pc: &Pc, last: Option<&str>, language: &str) -> Self {
        let mut headers = vec![("accept-language", language)];
        headers.extend(last.map(|last| ("last-event-id", last)));
        let response = pc.open("events", &headers).await;
        assert_eq!(response.status().as_u16(), 200);
        Self { response, buffer: String::new() }
    }

    /// The next event: its id, name and data.
    async fn next(&mut self) -> (String, String, Value) {
        let wait = Duration::from_secs(30);
        loop {
            while let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let field = |name: &str| {
                    block.lines().find_map(|line| line.strip_prefix(name)).map(|text| text.trim().to_owned())
                };
                let (id, event, data) = (field("id:"), field("event:"), field("data:"));
                self.buffer = rest.to_owned();
                if let (Some(event), Some(data)) = (event, data) {
                    return (id.unwrap(), event, serde_json::from_str(&data).unwrap());
                }
            }
            let chunk = tokio::time::timeout(wait, self.response.chunk()).await.expect("an event").unwrap();
            self.buffer += std::str::from_utf8(&chunk.expect("the channel is open")).unwrap();
        }
    }

    /// The data of the next event, which has this name.
    async fn expect(&mut self, name: &str) -> Value {
        let (_, event, data) = self.next().await;
        assert_eq!(event, name, "{data}");
        data
    }
}

fn bad_disk() -> Value {
    json!({ "readings": { "disks": [{ "name": "/dev/sda", "passed": false }] } })
}

fn good_disk() -> Value {
    json!({ "readings": { "disks": [{ "name": "/dev/sda", "passed": true }] } })
}

fn form(pop_up: &Value, id: u128) -> Value {
    json!({
        "id": uuid::Uuid::from_u128(id), "pop_up": pop_up["id"], "recipient": pop_up["recipient"]["code"],
        "contact": { "name": "CANARY Inga Boje", "email": "inga@example.com", "phone": "" },
        "text": "CANARY it clicks", "preferred_times": "in the morning",
    })
}

pub(crate) async fn deliver_service(world: &World, number: &str, level: &str) {
    let partner = world.operator.get(&format!("partners/{number}")).await.expect(200);
    let body = json!({
        "support_level": level, "role": "service_delivery",
        "course_completed_on": "2026-01-01", "certified_on": "2026-01-02", "expires_on": null,
    });
    let path = format!("partners/{}/qualifications", partner["id"].as_str().unwrap());
    world.operator.post(&path, body).await.expect(201);
}

/// A View/Monitor partner with an entitled PC in its pool, enrolled, and its pop-up.
struct Case {
    world: World,
    partner: Client,
    pc: Pc,
}

async fn case(kind: Kind, name: &str) -> Case {
    let world = World::start(kind, name).await;
    let partner = world.partner("R-1").await;
    let lines = ["5CG0000001 R-1", "5CG0000002 R-1 level=", "5CG0000003 R-1"];
    world.distributor("D-1").await.report("", "text/csv", csv(&lines)).await;
    let pc = Pc::new(&world, "5CG0000001", 1);
    pc.enrol().await.expect(201);
    Case { world, partner, pc }
}

impl Case {
    /// The pop-up that follows from a bad disk.
    async fn pop_up(&self) -> Value {
        self.pc.post("check-ins", bad_disk()).await.expect(200);
        let mut channel = Channel::open(&self.pc, None, "en").await;
        channel.expect("settings").await;
        channel.expect("pop_up").await
    }

    async fn to_customer(&self, customer: &str) {
        send(&self.partner, &self.pc.serial, customer).await;
    }

    async fn turn(&self, customer: &str, to: &str) {
        let path = format!("customers/{customer}/notification-settings");
        self.partner.patch(&path, json!({ "self_service": to })).await.expect(200);
    }

    async fn submit(&self, form: &Value) -> Answer {
        self.pc.post("repair-cases", form.clone()).await
    }
}

async fn send(partner: &Client, serial: &str, to: &str) -> Value {
    let items = json!({ "items": [{ "serial": serial, "to": to }] });
    let shown = partner.post("transfers", items).await.expect(201);
    let digest = json!({ "digest": shown["digest"] });
    partner.post(&format!("transfers/{}/commit", shown["id"].as_str().unwrap()), digest).await.expect(200)
}

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
    assert_eq!((to("desk@example.com"), to("inga@example.com")), (1, 2), "{mails:?}");
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
    assert_eq!(statuses[0], 503);
    assert!(statuses[1..].iter().all(|status| *status == 200), "{statuses:?}");
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
