//! Support cases: opened by partners, answered and decided by the operator, settled by late reports.

use reqwest::Method;
use roadstead_domain::access::{self, Role};
use roadstead_domain::partner::{PartnerRole, Qualification, SupportLevel};
use roadstead_server::flows::users::{self, NewUser};
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use roadstead_store::partners;
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{Client, World, csv, eventually};

async fn open(partner: &Client, serials: &[&str]) -> String {
    let body = json!({ "kind": "missing_devices", "text": "PCs are missing", "serials": serials });
    partner.post("support-cases", body).await.expect(201)["id"].as_str().unwrap().to_owned()
}

fn serials(case: &Value) -> Vec<String> {
    let listed = case["serials"].as_array().unwrap();
    let text = |missed: &Value| {
        format!("{} {}", missed["serial"].as_str().unwrap(), missed["verdict"].as_str().unwrap())
    };
    listed.iter().map(text).collect()
}

#[rstest]
#[tokio::test]
async fn b22_b23_b25_a_case_before_any_pc_goes_to_the_operator_who_asks_back(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "b22").await;
    world.newcomer("R-1").await;
    let partner = world.token(Role::PartnerAdmin, Some("R-1")).await;
    world.user("operator@example.com", Role::Operator, None).await;
    let body = json!({ "kind": "question", "text": "When do our PCs come?" });
    let id = partner.post("support-cases", body).await.expect(201)["id"].as_str().unwrap().to_owned();
    let queue = world.operator.all("support-cases?open=true").await;
    assert_eq!((queue.len(), &queue[0]["state"]), (1, &json!("new")));
    assert_eq!(queue[0]["partner"]["partner_number"], "R-1");
    let said = json!({ "text": "Please send the serials" });
    world.operator.post(&format!("support-cases/{id}/messages"), said).await.expect(201);
    let case = partner.get(&format!("support-cases/{id}")).await.expect(200);
    assert_eq!(case["state"], "waiting_for_partner");
    assert_eq!(case["messages"][1]["from"], "operator");
    let answer = json!({ "text": "Here", "serials": ["5cg0000001", "x"] });
    let case = partner.post(&format!("support-cases/{id}/messages"), answer).await.expect(201);
    assert_eq!(case["state"], "in_work");
    assert_eq!(serials(&case), ["5CG0000001 support.not_reported", "x support.not_a_serial"]);
    // The operator's team is told by mail.
    let mails = world.operator.all("mails").await;
    assert!(mails.iter().any(|mail| mail["kind"] == "support_case"), "{mails:?}");
    partner.post(&format!("support-cases/{id}/close"), json!({})).await.expect(200);
    let late = partner.post(&format!("support-cases/{id}/messages"), json!({ "text": "?" })).await;
    assert_eq!(late.refused(409), "support.closed");
    assert!(world.operator.all("support-cases?open=true").await.is_empty());
}

#[rstest]
#[tokio::test]
async fn b26_approval_places_exactly_those_pcs_and_the_distributor_is_a_duplicate(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "b26").await;
    let (partner, other) = (world.partner("R-1").await, world.partner("R-2").await);
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG0000009 R-2"])).await;
    let id = open(&partner, &["5CG0000001", "5CG0000002", "5CG0000009"]).await;
    let case = partner.get(&format!("support-cases/{id}")).await.expect(200);
    assert_eq!(
        serials(&case),
        [
            "5CG0000001 support.not_reported",
            "5CG0000002 support.not_reported",
            "5CG0000009 support.not_reported"
        ],
        "another partner's PC is answered like one that nobody knows"
    );
    let decide = |serials: Value, decision: &str| json!({ "serials": serials, "decision": decision, "reason": "Invoice seen" });
    let path = format!("support-cases/{id}/decision");
    assert_eq!(partner.post(&path, decide(json!(["5CG0000001"]), "approve")).await.refused(404), "not_found");
    let refused = world.operator.post(&path, decide(json!(["5CG0000007"]), "approve")).await;
    assert_eq!(refused.refused(409), "support.serial_not_listed");
    world.operator.post(&path, decide(json!(["5CG0000002"]), "refuse")).await.expect(200);
    let decided = world.operator.post(&path, decide(json!(["5CG0000001"]), "approve")).await.expect(200);
    assert!(decided["report"]["id"].is_string());
    eventually("the approved PC is there", async || (partner.pool().await == ["5CG0000001"]).then_some(()))
        .await;
    assert_eq!(other.pool().await, ["5CG0000009"]);
    let report = distributor.report("", "text/csv", csv(&["5CG0000001 R-1 invoice=LATE"])).await;
    assert_eq!(distributor.verdicts(&report).await, ["duplicate"]);
    let case = partner.get(&format!("support-cases/{id}")).await.expect(200);
    let decisions: Vec<&Value> = case["serials"].as_array().unwrap().iter().map(|s| &s["decision"]).collect();
    assert_eq!(decisions, [&json!("approved"), &json!("refused"), &Value::Null]);
    assert_eq!(other.get(&format!("support-cases/{id}")).await.refused(404), "not_found");
}

#[rstest]
#[tokio::test]
async fn a_late_report_solves_the_case_by_itself(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "late").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let id = open(&partner, &["5CG0000001", "5CG0000002"]).await;
    distributor.report("", "text/csv", csv(&["5CG0000001 R-1"])).await;
    assert_eq!(partner.get(&format!("support-cases/{id}")).await.expect(200)["state"], "new");
    distributor.report("", "text/csv", csv(&["5CG0000002 R-1"])).await;
    eventually("the case is solved", async || {
        let case = partner.get(&format!("support-cases/{id}")).await.expect(200);
        (case["state"] == "solved").then_some(())
    })
    .await;
}

#[rstest]
#[tokio::test]
async fn what_cannot_be_a_case_is_refused(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "nocase").await;
    let partner = world.partner("R-1").await;
    for (body, code) in [
        (json!({ "kind": "repair", "text": "x" }), "field.unknown_value"),
        (json!({ "kind": "question", "text": " " }), "field.missing"),
        (json!({ "kind": "question", "text": "x".repeat(10_001) }), "field.too_long"),
        (json!({ "kind": "question", "serials": vec!["5CG0000001"; 10_001] }), "support.too_many_serials"),
    ] {
        assert_eq!(partner.post("support-cases", body).await.refused(422), code);
    }
    assert!(partner.all("support-cases").await.is_empty());
    // A case has a limit in all: its pages and decisions look at every serial of it.
    let serials: Vec<String> = (1..=10_000).map(|n| format!("5CG{n:07}")).collect();
    let full =
        partner.post("support-cases", json!({ "kind": "question", "text": "x", "serials": serials })).await;
    let full = format!("support-cases/{}/messages", full.expect(201)["id"].as_str().unwrap());
    let known = json!({ "text": "x", "serials": [&serials[0]] });
    partner.post(&full, known).await.expect(201);
    let more = json!({ "text": "x", "serials": ["5CG9999999"] });
    assert_eq!(partner.post(&full, more).await.refused(422), "support.too_many_serials");
    let reader = world.token(Role::PartnerReadOnly, Some("R-1")).await;
    assert_eq!(
        reader.post("support-cases", json!({ "kind": "question", "text": "x" })).await.refused(403),
        "forbidden"
    );
    let path = "/api/v1/support-cases";
    assert_eq!(world.nobody().send(Method::GET, path, None).await.status.as_u16(), 401);
}

#[rstest]
#[tokio::test]
async fn b22_customers_and_reporters_open_cases_and_nobody_sees_anothers(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "forall").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let customer = partner.customer("Hafen").await;
    let admin = world.token(Role::ItAdmin, Some(&customer)).await;
    distributor.report("", "text/csv", csv(&["5CG0000001 R-1", "5CG0000002 R-77"])).await;
    let asked = open(&admin, &["5CG0000001"]).await;
    let case = admin.get(&format!("support-cases/{asked}")).await.expect(200);
    assert_eq!(
        serials(&case),
        ["5CG0000001 support.not_owned"],
        "the pool of its partner is not its business"
    );
    let reported = open(&distributor, &["5CG0000001", "5CG0000002", "5CG0000003"]).await;
    let case = distributor.get(&format!("support-cases/{reported}")).await.expect(200);
    assert_eq!(
        serials(&case),
        ["5CG0000001 support.accepted", "5CG0000002 support.seller_unknown", "5CG0000003 support.not_sent"]
    );
    for (who, foreign) in
        [(&admin, &reported), (&distributor, &asked), (&partner, &asked), (&partner, &reported)]
    {
        assert_eq!(who.get(&format!("support-cases/{foreign}")).await.refused(404), "not_found");
    }
    assert_eq!(admin.all("support-cases").await.len(), 1);
    let desk = world.operator.all("support-cases").await;
    // Both were opened at the same moment of the test's clock.
    let mut from: Vec<&str> = desk.iter().map(|case| case["partner"]["name"].as_str().unwrap()).collect();
    from.sort_unstable();
    assert_eq!(from, ["Distributor D-1", "Hafen"]);
    // The clock runs while the operator is to answer.
    assert!(desk[0]["answer_by"].is_string(), "{desk:?}");
    let said = json!({ "text": "Which reseller?" });
    world.operator.post(&format!("support-cases/{reported}/messages"), said).await.expect(201);
    let answered = world.operator.get(&format!("support-cases/{reported}")).await.expect(200);
    assert_eq!(answered["answer_by"], Value::Null);
    let decision = json!({ "serials": ["5CG0000003"], "decision": "approve", "reason": "x" });
    let refused = world.operator.post(&format!("support-cases/{reported}/decision"), decision).await;
    assert_eq!(refused.refused(409), "support.only_for_partners");
    let reader = world.token(Role::ReportAdmin, Some(&customer)).await;
    let body = json!({ "kind": "question", "text": "x" });
    assert_eq!(reader.post("support-cases", body.clone()).await.refused(403), "forbidden");
    assert_eq!(world.operator.post("support-cases", body).await.refused(404), "not_found");
}

#[rstest]
#[tokio::test]
async fn a_case_about_pcs_that_are_there_is_solved_at_once(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "atonce").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG0000001 R-1"])).await;
    let body = json!({ "kind": "missing_devices", "serials": ["5cg0000001"] });
    let id = partner.post("support-cases", body).await.expect(201)["id"].as_str().unwrap().to_owned();
    assert_eq!(partner.get(&format!("support-cases/{id}")).await.expect(200)["state"], "solved");
    let asked = open(&partner, &["5CG0000001"]).await;
    assert_eq!(
        partner.get(&format!("support-cases/{asked}")).await.expect(200)["state"],
        "new",
        "it says more"
    );
}

#[tokio::test]
async fn b49_every_page_has_a_link_to_a_support_case() {
    let world = World::start(Sqlite, "b49").await;
    let partner = world.partner("R-1").await;
    let customer = partner.customer("Hafen").await;
    let distributor = world.distributor("D-1").await;
    let report = distributor.report("", "text/csv", csv(&["5CG0000001 R-1"])).await;
    let items = json!({ "items": [{ "serial": "5CG0000001", "to": customer }] });
    let transfer = partner.post("transfers", items).await.expect(201)["id"].as_str().unwrap().to_owned();
    let case = open(&partner, &["5CG0000009"]).await;
    for (email, role, whose) in [
        ("partner@example.com", Role::PartnerAdmin, "R-1"),
        ("distributor@example.com", Role::Distributor, "D-1"),
        ("admin@example.com", Role::ItAdmin, customer.as_str()),
    ] {
        world.user(email, role, Some(whose)).await;
        let portal = crate::sign_in::Portal::sign_in(&world, email).await;
        let mut seen = 0;
        for (method, path) in roadstead_server::portal::routes().list {
            if method != Method::GET || path.starts_with("/assets") || path.ends_with(".csv") {
                continue;
            }
            let id = match path {
                path if path.starts_with("/customers") => &customer,
                path if path.starts_with("/transfers") => &transfer,
                path if path.starts_with("/support-cases") => &case,
                _ => &report,
            };
            let path =
                path.replace("{id}", id).replace("{serial}", "5CG0000001").replace("{name}", "transfers");
            let page = portal.get(&path).await;
            // What is not for this role is no screen of its own.
            if page.status.as_u16() == 200 && page.text.contains("<nav class=\"panel\"") {
                assert!(
                    page.text.contains("href=\"/support-cases/new?kind=question"),
                    "{email} at {path}: {}",
                    page.text
                );
                seen += 1;
            }
        }
        assert!(seen > 8, "{email} saw {seen} pages");
    }
}

/// Certified, as far as the record goes, without anything having been judged again for it.
async fn certified_silently(world: &World, partner: &str) {
    let (scope, now) = (roadstead_domain::access::system(), world.app.ambient.now());
    let day = |text: &str| Some(text.parse().unwrap());
    let qualification = Qualification {
        support_level: SupportLevel::Premium,
        role: PartnerRole::ServiceDelivery,
        course_completed_on: day("2026-01-01"),
        certified_on: day("2026-01-02"),
        expires_on: None,
    };
    let mut tx = world.app.store.write(&scope).await.unwrap();
    let (id, partner) = (world.app.ambient.id(), partner.parse().unwrap());
    partners::record_qualification(&mut tx, &scope, id, partner, &qualification, now).await.unwrap();
    tx.commit().await.unwrap();
}

/// A group's serials with the senders of their evidence, and `!` where the case's side does not see it.
fn told(group: &Value) -> Vec<String> {
    let one = |listed: &Value| {
        let evidence = listed["evidence"].as_array().unwrap().iter().map(|line| {
            let shown = if line["shown"] == json!(true) { "" } else { "!" };
            format!(" {shown}{}:{}", line["file"].as_str().unwrap(), line["line"])
        });
        format!("{}{}", listed["serial_number"].as_str().unwrap(), evidence.collect::<String>())
    };
    group["serials"].as_array().unwrap().iter().map(one).collect()
}

#[rstest]
#[tokio::test]
async fn p9_what_no_rule_solved_is_one_bundle_with_its_evidence(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "bundle").await;
    let newcomer = world.newcomer("R-1").await;
    let partner = world.token(Role::PartnerAdmin, Some("R-1")).await;
    let other = world.partner("R-2").await;
    let distributor = world.distributor("D-1").await;
    distributor
        .report("", "text/csv", csv(&["5CG0000001 R-1 invoice=INV-1", "5CG0000002 R-2 invoice=INV-2"]))
        .await;
    let id = open(&partner, &["5CG0000001", "5CG0000002", "5CG0000003", "x"]).await;
    let path = format!("support-cases/{id}/bundle");

    let bundle = world.operator.get(&path).await.expect(200);
    let groups: Vec<(&str, Vec<String>)> = bundle["left"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| (group["verdict"].as_str().unwrap(), told(group)))
        .collect();
    assert_eq!(
        groups,
        [
            ("support.not_a_serial", vec!["x".to_owned()]),
            ("support.waits", vec!["5CG0000001 report.csv:1".to_owned()]),
            ("support.not_reported", vec!["5CG0000002 !report.csv:2".to_owned(), "5CG0000003".to_owned()]),
        ]
    );
    assert_eq!(bundle["solved"], json!([]));
    let held = &bundle["left"][2]["serials"][0];
    assert_eq!(
        (
            &held["place"]["partner"],
            &held["evidence"][0]["invoice_number"],
            &held["evidence"][0]["reported_by"]
        ),
        (&json!("Partner R-2"), &json!("INV-2"), &json!("Distributor D-1"))
    );
    let log = other.all("audit-log?action=device.looked_at").await;
    assert_eq!(log[0]["detail"]["serial_number"], "5CG0000002", "whose PC it is finds the look");
    // Its own side finds its own evidence, and nothing of the other's.
    let own = partner.get(&path).await.expect(200);
    assert_eq!(told(&own["left"][1]), ["5CG0000001 report.csv:1"]);
    assert_eq!(told(&own["left"][2]), ["5CG0000002", "5CG0000003"]);
    assert!(!own.to_string().contains("R-2") && !own.to_string().contains("INV-2"), "{own}");
    assert_eq!(other.get(&path).await.refused(404), "not_found");

    // As one file.
    let file = world.operator.get(&format!("{path}?format=csv")).await;
    let rows: Vec<&str> = file.text.trim_start_matches('\u{feff}').lines().collect();
    assert!(rows[0].starts_with("Serial Number,Code,Result,Decision,Reason,Held By"), "{}", file.text);
    assert_eq!(rows.len(), 5);
    assert!(rows[3].starts_with("5CG0000002,support.not_reported,"), "{}", rows[3]);
    assert!(rows[3].contains(",Partner R-2,no,") && rows[3].contains(",INV-2,placed,no"), "{}", rows[3]);
    assert!(world.operator.bytes(&format!("{path}?format=xlsx")).await.starts_with(b"PK"));
    assert_eq!(world.operator.get(&format!("{path}?format=pdf")).await.refused(422), "field.unknown_value");

    // Nothing can be tried again for one that is not certified; certified, it is by itself.
    let solve = format!("support-cases/{id}/solve");
    assert_eq!(partner.post(&solve, json!({})).await.refused(404), "not_found");
    assert_eq!(world.operator.post(&solve, json!({})).await.refused(409), "support.nothing_to_solve");
    world.clock.step_seconds(60);
    world.certify(&newcomer).await;
    eventually("the waiting line is judged", async || (partner.pool().await.len() == 1).then_some(())).await;
    distributor.report("", "text/csv", csv(&["5CG0000003 R-1"])).await;
    let bundle = world.operator.get(&path).await.expect(200);
    let solved: Vec<(&str, &str)> = bundle["solved"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["serial_number"].as_str().unwrap(), one["by"].as_str().unwrap()))
        .collect();
    assert_eq!(solved, [("5CG0000001", "solved.replay"), ("5CG0000003", "solved.late_report")]);
    assert_eq!(told(&bundle["left"][1]), ["5CG0000002 !report.csv:2"], "the rest is as it was");
}

#[rstest]
#[tokio::test]
async fn p9_a_late_qualification_solves_a_case_by_itself(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "latequal").await;
    let newcomer = world.newcomer("R-1").await;
    let partner = world.token(Role::PartnerAdmin, Some("R-1")).await;
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG0000001 R-1"])).await;
    let id = open(&partner, &["5CG0000001"]).await;
    assert_eq!(partner.get(&format!("support-cases/{id}")).await.expect(200)["state"], "new");
    world.certify(&newcomer).await;
    eventually("the case is solved", async || {
        let case = partner.get(&format!("support-cases/{id}")).await.expect(200);
        (case["state"] == "solved").then_some(())
    })
    .await;
}

#[rstest]
#[tokio::test]
async fn p9_what_a_rule_can_solve_is_solved_at_once_and_by_the_button(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "solve").await;
    let (first, second) = (world.newcomer("R-1").await, world.newcomer("R-2").await);
    let one = world.token(Role::PartnerAdmin, Some("R-1")).await;
    let two = world.token(Role::PartnerAdmin, Some("R-2")).await;
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG0000001 R-1", "5CG0000002 R-2"])).await;
    let id = open(&one, &["5CG0000001"]).await;
    world.clock.step_seconds(60);
    certified_silently(&world, &first).await;
    certified_silently(&world, &second).await;
    // The button.
    let started = world.operator.post(&format!("support-cases/{id}/solve"), json!({})).await.expect(202);
    assert_eq!(started["partners"], 1);
    let solved = async |who: &Client, id: &str| {
        eventually("the case is solved", async || {
            let case = who.get(&format!("support-cases/{id}")).await.expect(200);
            (case["state"] == "solved").then_some(())
        })
        .await;
    };
    solved(&one, &id).await;
    assert_eq!(one.pool().await, ["5CG0000001"]);
    assert!(two.pool().await.is_empty(), "only what the case is about");
    let bundle = one.get(&format!("support-cases/{id}/bundle")).await.expect(200);
    assert_eq!(bundle["solved"][0]["by"], "solved.replay");
    // At once, when the case is opened, also by the reporter that sent the line.
    let id = open(&distributor, &["5CG0000002"]).await;
    eventually("it is placed", async || (!two.pool().await.is_empty()).then_some(())).await;
    assert_eq!(two.pool().await, ["5CG0000002"]);
    let again = world.operator.post(&format!("support-cases/{id}/solve"), json!({})).await;
    assert_eq!(again.refused(409), "support.nothing_to_solve");
}

async fn state_of(who: &Client, id: &str) -> String {
    let case = who.get(&format!("support-cases/{id}")).await.expect(200);
    case["state"].as_str().unwrap().to_owned()
}

#[rstest]
#[tokio::test]
async fn a_reporters_case_is_solved_once_its_own_lines_are_taken(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "ofreporter").await;
    world.partner("R-1").await;
    let newcomer = world.newcomer("R-2").await;
    let (one, two) = (world.distributor("D-1").await, world.distributor("D-2").await);
    let sold = ["5CG0000005 R-1 invoice=A", "5CG0000005 R-1 kind=return invoice=A"];
    one.report("", "text/csv", csv(&sold)).await;
    let id = open(&one, &["5CG0000001", "5CG0000002", "5CG0000003"]).await;
    let returned = open(&one, &["5CG0000005"]).await;
    let foreign = open(&two, &["5CG0000001"]).await;
    let refused = open(&one, &["5CG0000001", "5CG0000009"]).await;
    let decision = json!({ "serials": ["5CG0000009"], "decision": "refuse", "reason": "Not sold" });
    world.operator.post(&format!("support-cases/{refused}/decision"), decision).await.expect(200);
    two.report("", "text/csv", csv(&["5CG0000003 R-1"])).await;
    // A line that is taken, one that waits, and one that repeats another reporter's.
    one.report(
        "",
        "text/csv",
        csv(&["5CG0000001 R-1", "5CG0000002 R-2", "5CG0000003 R-1", "5CG0000009 R-1"]),
    )
    .await;
    // Reports of a reporter are worked on one after the other, so that by now that one's end is over.
    one.report("", "text/csv", csv(&["5CG0000007 R-1"])).await;
    assert_eq!(state_of(&one, &id).await, "new", "one of its lines waits");
    world.clock.step_seconds(60);
    world.certify(&newcomer).await;
    eventually("the case is solved", async || (state_of(&one, &id).await == "solved").then_some(())).await;
    one.report("", "text/csv", csv(&["5CG0000008 R-1"])).await;
    one.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    for (who, case, state) in [
        (&one, &returned, "new"),
        (&two, &foreign, "new"),
        (&one, &refused, "in_work"),
        (&one, &id, "solved"),
    ] {
        assert_eq!(state_of(who, case).await, state);
    }
}

fn approve(serials: &[&str]) -> Value {
    json!({ "serials": serials, "decision": "approve", "reason": "Invoice seen" })
}

#[rstest]
#[tokio::test]
async fn two_who_approve_the_same_at_once_are_one_approval(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "atonce2").await;
    let partner = world.partner("R-1").await;
    let (one, other) = (world.operator.clone(), world.token(Role::Operator, None).await);
    for round in 0..8 {
        let serials = [format!("5CG000{round}001"), format!("5CG000{round}002")];
        let serials = [serials[0].as_str(), serials[1].as_str()];
        let id = open(&partner, &serials).await;
        let path = format!("support-cases/{id}/decision");
        let (first, second) =
            tokio::join!(one.post(&path, approve(&serials)), other.post(&path, approve(&serials)));
        let (first, second) = (first.expect(200), second.expect(200));
        assert_eq!(first, second, "the second one is told of the same report");
        assert!(first["report"]["id"].is_string());
        eventually("the case is solved", async || (state_of(&partner, &id).await == "solved").then_some(()))
            .await;
        // Once more, later: nothing happens for it, and the case stays solved.
        assert_eq!(one.post(&path, approve(&serials)).await.expect(200), first);
        assert_eq!(state_of(&partner, &id).await, "solved");
    }
    assert_eq!(partner.pool().await.len(), 16);
    let log = partner.all("audit-log?action=support_case.changed").await;
    assert_eq!(log.iter().filter(|entry| entry["detail"]["approved"] == true).count(), 8, "one a case");
}

#[rstest]
#[tokio::test]
async fn two_who_decide_differently_at_once_leave_one_decision(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "differ").await;
    let (partner, other) = (world.partner("R-1").await, world.partner("R-2").await);
    let (one, two) = (world.operator.clone(), world.token(Role::Operator, None).await);
    let refuse =
        |serials: &[&str]| json!({ "serials": serials, "decision": "refuse", "reason": "No evidence" });
    for round in 0..5 {
        let serial = format!("5CG000{round}001");
        let serial = [serial.as_str()];
        let id = open(&partner, &serial).await;
        let path = format!("support-cases/{id}/decision");
        let (yes, no) = tokio::join!(one.post(&path, approve(&serial)), two.post(&path, refuse(&serial)));
        yes.expect(200);
        // It came first and was overruled, or it came too late.
        match no.status.as_u16() {
            200 => {}
            _ => assert_eq!(no.refused(409), "support.already_approved"),
        }
        let late = two.post(&path, refuse(&serial)).await.expect(409);
        assert_eq!(late["code"], "support.already_approved");
        assert_eq!(late["errors"], json!([{ "row": 1, "serial": serial[0] }]));
        let case = partner.get(&format!("support-cases/{id}")).await.expect(200);
        assert_eq!(case["serials"][0]["decision"], "approved", "what was approved is placed");
        // The same serial for two partners: both are handed in, and the second one is in dispute.
        let serial = format!("5CG000{round}002");
        let serial = [serial.as_str()];
        let (mine, theirs) = (open(&partner, &serial).await, open(&other, &serial).await);
        let path = |id: &str| format!("support-cases/{id}/decision");
        let (mine, theirs) = (path(&mine), path(&theirs));
        let (first, second) =
            tokio::join!(one.post(&mine, approve(&serial)), two.post(&theirs, approve(&serial)));
        let mut verdicts = Vec::new();
        for answer in [first.expect(200), second.expect(200)] {
            let path = format!("sell-through-reports/{}", answer["report"]["id"].as_str().unwrap());
            eventually("it is judged", async || {
                let report = one.get(&path).await.expect(200);
                (report["state"] == "succeeded").then_some(())
            })
            .await;
            verdicts.extend(one.verdicts(path.trim_start_matches("sell-through-reports/")).await);
        }
        verdicts.sort_unstable();
        assert_eq!(verdicts, ["disputed.sold_by_other_partner", "placed"]);
        // One closes while another approves: afterwards it is closed, approved or not.
        let serial = format!("5CG000{round}003");
        let serial = [serial.as_str()];
        let id = open(&partner, &serial).await;
        let (approving, closing) =
            (format!("support-cases/{id}/decision"), format!("support-cases/{id}/close"));
        let (yes, closed) =
            tokio::join!(one.post(&approving, approve(&serial)), two.post(&closing, json!({})));
        closed.expect(200);
        let case = partner.get(&format!("support-cases/{id}")).await.expect(200);
        assert_eq!(case["state"], "closed");
        match yes.status.as_u16() {
            200 => assert_eq!(case["serials"][0]["decision"], "approved"),
            _ => {
                assert_eq!(yes.refused(409), "support.closed");
                assert_eq!(case["serials"][0]["decision"], Value::Null);
            }
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_long_list_is_shown_page_by_page_with_counts_of_all(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "pages").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let all: Vec<String> = (0..1050).map(|n| format!("5CG{n:07}")).collect();
    let placed: Vec<String> = all.iter().step_by(7).map(|serial| format!("{serial} R-1")).collect();
    distributor.report("", "text/csv", csv(&placed.iter().map(String::as_str).collect::<Vec<_>>())).await;
    let id = open(&partner, &all.iter().map(String::as_str).collect::<Vec<_>>()).await;

    // The case has the first thousand, and says where the others are.
    let case = partner.get(&format!("support-cases/{id}")).await.expect(200);
    let mut listed = serials(&case);
    assert_eq!(listed.len(), 1000);
    let rest = format!("support-cases/{id}/serials?cursor={}", case["serials_cursor"].as_str().unwrap());
    let rest = partner.get(&rest).await.expect(200);
    assert_eq!(rest["next_cursor"], Value::Null);
    listed.extend(serials(&json!({ "serials": rest["items"] })));
    let paged = partner.all(&format!("support-cases/{id}/serials")).await;
    assert_eq!(serials(&json!({ "serials": paged })), listed);
    assert_eq!(listed.len(), 1050);
    assert_eq!(listed[7], "5CG0000007 support.there");
    let wrong = partner.get(&format!("support-cases/{id}/serials?cursor=zz")).await;
    assert_eq!(wrong.refused(400), "cursor.invalid");

    // The bundle, what is left first.
    let (mut cursor, mut found, mut pages) = (String::new(), Vec::new(), 0);
    loop {
        let path = format!("support-cases/{id}/bundle?limit=400&cursor={cursor}");
        let page = world.operator.get(&path).await.expect(200);
        assert_eq!(page["counts"], json!({ "support.not_reported": 900, "support.solved": 150 }));
        for group in page["left"].as_array().unwrap() {
            assert_eq!(group["verdict"], "support.not_reported");
            found.extend(told(group));
        }
        let solved = page["solved"].as_array().unwrap();
        found.extend(solved.iter().map(|one| one["serial_number"].as_str().unwrap().to_owned()));
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!((pages, found.len()), (3, 1050));
    assert_eq!((found[0].as_str(), found[900].as_str()), ("5CG0000001", "5CG0000000"));
    found.sort_unstable();
    assert_eq!(found, all);
    let path = format!("support-cases/{id}/bundle?verdict=support.solved&limit=100");
    let solved = partner.get(&path).await.expect(200);
    assert_eq!(solved["left"], json!([]));
    assert_eq!(solved["solved"].as_array().unwrap().len(), 100);
    let path = format!("support-cases/{id}/bundle?cursor=zz");
    assert_eq!(partner.get(&path).await.refused(400), "cursor.invalid");
    let file = world.operator.get(&format!("support-cases/{id}/bundle?format=csv&limit=10")).await;
    assert_eq!(file.text.lines().count(), 1051, "the file has all of it");

    // The page.
    world.user("operator@example.com", Role::Operator, None).await;
    let desk = crate::sign_in::Portal::sign_in(&world, "operator@example.com").await;
    let (mut path, mut ticks, mut pages) = (format!("/support-cases/{id}"), Vec::new(), 0);
    loop {
        let page = desk.get(&path).await.text;
        assert!(page.contains(">No report names the partner as its seller: 900<"), "{page}");
        assert!(page.contains(">Solved: 150<"), "{page}");
        let boxes = page.split("form=\"decide\" name=\"serials\" value=\"").skip(1);
        ticks.extend(boxes.map(|rest| rest.split('"').next().unwrap().to_owned()));
        pages += 1;
        let next = page.split("rel=\"next\" href=\"").nth(1);
        match next {
            Some(rest) => path = rest.split('"').next().unwrap().replace("&#38;", "&"),
            None => break,
        }
    }
    assert_eq!((pages, ticks.len()), (11, 900));
    let only = desk.get(&format!("/support-cases/{id}?verdict=support.solved")).await.text;
    assert!(only.contains("5CG0000007") && !only.contains("5CG0000001"), "{only}");
    assert!(!only.contains("form=\"decide\" name=\"serials\""), "only what was asked for");
    // A list is decided as ticks are.
    let from = format!("/support-cases/{id}");
    let list = ["5CG0000001", "5CG0001049"].join("\r\n");
    let fields = [("reason", "Invoice seen"), ("decision", "approve"), ("serials", list.as_str())];
    desk.submit_from(&from, &format!("{from}/decision"), &fields).await;
    eventually("they are placed", async || (partner.pool().await.len() == 152).then_some(())).await;
    let now = world.operator.get(&format!("support-cases/{id}/bundle?limit=1")).await.expect(200);
    assert_eq!(now["counts"], json!({ "support.not_reported": 898, "support.solved": 152 }));
}

#[tokio::test]
async fn b49_pages_about_missing_pcs_lead_to_their_guide_in_both_languages() {
    let world = World::start(Sqlite, "guided").await;
    let partner = world.partner("R-1").await;
    world.partner("R-2").await;
    let distributor = world.distributor("D-1").await;
    let report =
        distributor.report("", "text/csv", csv(&["5CG0000001 R-1", "5CG0000001 R-2 invoice=B"])).await;
    assert_eq!(distributor.verdicts(&report).await[1], "disputed.sold_by_other_partner");
    let case = open(&partner, &["5CG0000009"]).await;
    let pages = [
        (Role::Operator, "/explain?q=5CG0000001".to_owned(), "support"),
        (Role::Operator, "/support-cases".to_owned(), "support"),
        (Role::Operator, format!("/support-cases/{case}"), "support"),
        (Role::Operator, "/disputes".to_owned(), "disputes"),
        (Role::Operator, format!("/disputes/{report}/2"), "disputes"),
        (Role::PartnerAdmin, "/explain".to_owned(), "support"),
        (Role::PartnerAdmin, "/support-cases".to_owned(), "support"),
        (Role::PartnerAdmin, "/support-cases/new".to_owned(), "support"),
        (Role::PartnerAdmin, format!("/support-cases/{case}"), "support"),
        (Role::Distributor, "/support-cases/new".to_owned(), "support"),
        (Role::Distributor, "/reports".to_owned(), "reports"),
        (Role::Distributor, format!("/reports/{report}"), "reports"),
        (Role::Distributor, "/reports/columns".to_owned(), "reports"),
        (Role::Distributor, "/reports/quality".to_owned(), "reports"),
    ];
    for language in ["en", "de"] {
        for (role, whose) in
            [(Role::Operator, None), (Role::PartnerAdmin, Some("R-1")), (Role::Distributor, Some("D-1"))]
        {
            let email = format!("{language}-{}@example.com", role.as_str());
            let new = NewUser {
                email: &email,
                name: "Test Person",
                password: crate::world::PASSWORD,
                role,
                whose,
                language: Some(language),
            };
            users::create(&world.app, &access::system(), new).await.unwrap();
            let portal = crate::sign_in::Portal::sign_in(&world, &email).await;
            for (_, path, guide) in pages.iter().filter(|(of, ..)| *of == role) {
                let page = portal.get(path).await;
                assert_eq!(page.status.as_u16(), 200, "{path}");
                let (_, content) = page.text.split_once("<main").unwrap();
                assert!(content.contains(&format!("href=\"/help/{guide}\"")), "{email} at {path}: {content}");
                let guide = portal.get(&format!("/help/{guide}")).await;
                assert_eq!(guide.status.as_u16(), 200);
                assert!(guide.text.contains(&format!("<html lang=\"{language}\"")), "{}", guide.text);
            }
        }
    }
    let guides = ["support", "disputes", "reports"].map(|name| {
        ["en", "de"].map(|lang| {
            let path = format!("{}/../../docs/guides/{lang}/{name}.md", env!("CARGO_MANIFEST_DIR"));
            std::fs::read_to_string(path).unwrap()
        })
    });
    for [en, de] in guides {
        assert_ne!(en, de);
    }
}
