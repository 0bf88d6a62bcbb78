//! The operator's daily use: bulk imports, terms, corrections, disputes, what needs attention.

use reqwest::Method;
use roadstead_domain::access::Role;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use crate::sign_in::Portal;
use crate::world::{Answer, Client, World, csv};

async fn import(client: &Client, query: &str, table: &str) -> Answer {
    let path = format!("/api/v1/partners/import{query}");
    client.send(Method::POST, &path, Some(("text/csv", table.as_bytes().to_vec()))).await
}

async fn put(client: &Client, path: &str, body: Value) -> Answer {
    let body = ("application/json", body.to_string().into_bytes());
    client.send(Method::PUT, &format!("/api/v1/{path}"), Some(body)).await
}

fn outcomes(answer: &Value) -> Vec<&str> {
    answer["rows"].as_array().unwrap().iter().map(|row| row["outcome"].as_str().unwrap()).collect()
}

#[rstest]
#[tokio::test]
async fn partners_are_imported_after_a_preview_all_or_none(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "import").await;
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG000000A R-1", "5CG000000B R-2"])).await;
    let table = "partner_number,name,support_level,role,course_completed_on,certified_on,expires_on\n\
                 R-1,Alpha,premium,service_delivery,2026-01-01,2026-01-02,\n\
                 R-1,Alpha,premium_plus,resell_and_view_monitor,2026-01-01,2026-01-02,2027-01-02\n\
                 R-2,Beta,premium,service_delivery,2026-01-01,,\n";
    let preview = import(&world.operator, "?validate_only=true", table).await.expect(200);
    assert_eq!(outcomes(&preview), ["created", "updated", "created"]);
    assert_eq!(preview["applied"], false);
    assert!(world.operator.all("partners").await.is_empty(), "a preview writes nothing");

    let wrong =
        format!("{table}R-3,,premium,service_delivery,2026-01-01,2026-01-02,2026-01-01\n,Nameless,,,,,\n");
    let refused = import(&world.operator, "", &wrong).await.expect(200);
    assert_eq!(refused["applied"], false);
    assert_eq!(outcomes(&refused), ["created", "updated", "created", "rejected", "rejected"]);
    assert_eq!(refused["rows"][3]["code"], "qualification.expires_before_certified");
    assert_eq!(
        (&refused["rows"][4]["row"], &refused["rows"][4]["column"]),
        (&json!(6), &json!("partner_number"))
    );
    assert!(world.operator.all("partners").await.is_empty(), "nothing while a row is wrong");

    let done = import(&world.operator, "", table).await.expect(200);
    assert_eq!(done["applied"], true);
    let alpha = world.operator.get("partners/R-1").await.expect(200);
    assert_eq!(alpha["qualifications"].as_array().unwrap().len(), 2);
    let again = import(&world.operator, "", table).await.expect(200);
    assert_eq!(outcomes(&again), ["unchanged", "unchanged", "unchanged"]);
    let renewed = "Partnernummer;Servicestufe;Rolle;Kurs abgeschlossen am;Zertifiziert am\n\
                   R-2;Premium;Service Delivery;01.01.2026;02.01.2026\n";
    assert_eq!(outcomes(&import(&world.operator, "", renewed).await.expect(200)), ["updated"]);
    // What waited for them is judged again, by itself.
    let partner = world.token(Role::PartnerAdmin, Some("R-2")).await;
    crate::world::eventually("the PC is in the pool", async || {
        (partner.pool().await == ["5CG000000B"]).then_some(())
    })
    .await;
    assert_eq!(import(&distributor, "", table).await.refused(404), "not_found");
    assert_eq!(import(&world.operator, "", "name\nx").await.refused(422), "file.column_missing");
}

#[rstest]
#[tokio::test]
async fn a_term_by_sku_is_data_and_a_correction_is_logged(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "terms").await;
    let partner = world.partner("R-1").await;
    let late = world.newcomer("R-2").await;
    let distributor = world.distributor("D-1").await;
    let lines = ["5CG000000A R-1 level=U8PL1E invoice=I-1", "5CG000000B R-2 level=u8pl1e invoice=I-2"];
    let unknown = distributor.report("", "text/csv", csv(&lines)).await;
    assert_eq!(distributor.verdicts(&unknown).await, ["rejected.support_level_unknown"; 2]);

    for (body, code) in [
        (json!({ "support_level": "gold", "months": 12 }), "field.unknown_value"),
        (json!({ "support_level": "premium", "months": 0 }), "term.out_of_range"),
        (json!({ "support_level": null, "months": 12 }), "field.missing"),
    ] {
        assert_eq!(put(&world.operator, "service-terms/U8PL1E", body).await.refused(422), code);
    }
    let term = json!({ "support_level": "premium", "months": 60 });
    assert_eq!(put(&world.operator, "service-terms/U8PL1E", term.clone()).await.status.as_u16(), 204);
    assert_eq!(put(&partner, "service-terms/X", term).await.refused(404), "not_found");
    let lines = ["5CG000000A R-1 level=U8PL1E invoice=I-3", "5CG000000B R-2 level=u8pl1e invoice=I-4"];
    distributor.report("", "text/csv", csv(&lines)).await;
    let right = |pc: &Value| {
        let right = &pc["entitlements"][0];
        (right["ends_on"].as_str().unwrap().to_owned(), right["assumed"].as_bool().unwrap())
    };
    let pc = partner.get("devices/5CG000000A").await.expect(200);
    assert_eq!(right(&pc), ("2031-11-18".to_owned(), false));
    // A line that waited gets the term of its SKU, too.
    world.certify(&late).await;
    let second = world.token(Role::PartnerAdmin, Some("R-2")).await;
    crate::world::eventually("the PC is placed", async || (!second.pool().await.is_empty()).then_some(()))
        .await;
    let pc = second.get("devices/5CG000000B").await.expect(200);
    assert_eq!(right(&pc), ("2031-11-18".to_owned(), false));

    // A correction: dates that cannot be are refused, a good one is there at once, in the list's filter too.
    let path = "devices/5CG000000A/entitlements/premium";
    let body = |from: &str, to: &str| json!({ "starts_on": from, "ends_on": to, "reason": "Vertrag 7" });
    assert_eq!(partner.all("unassigned-devices?support_level=premium").await.len(), 1);
    let wrong = put(&world.operator, path, body("2026-01-01", "2026-01-01")).await;
    assert_eq!(wrong.refused(422), "entitlement.ends_before_it_starts");
    assert_eq!(put(&partner, path, body("2020-01-01", "2021-01-01")).await.refused(404), "not_found");
    let none =
        put(&world.operator, "devices/5CGNOBODY9/entitlements/premium", body("2020-01-01", "2021-01-01"))
            .await;
    assert_eq!(none.refused(404), "not_found");
    let done = put(&world.operator, path, body("2020-01-01", "2021-01-01")).await;
    assert_eq!(done.status.as_u16(), 204, "{}", done.text);
    let pc = partner.get("devices/5CG000000A").await.expect(200);
    assert_eq!((right(&pc).0.as_str(), &pc["support_level"]), ("2021-01-01", &Value::Null));
    assert!(pc["entitlements"][0]["corrected_at"].is_string());
    assert!(partner.all("unassigned-devices?support_level=premium").await.is_empty());
    assert_eq!(partner.all("unassigned-devices?support_level=none").await.len(), 1);
    let log = partner.all("audit-log").await;
    let corrected = log.iter().find(|entry| entry["action"] == "entitlement.corrected").unwrap();
    assert_eq!(corrected["detail"]["reason"], "Vertrag 7");
    assert_eq!(corrected["detail"]["before"], json!(["2026-11-18", "2031-11-18"]));
    assert!(log.iter().any(|entry| entry["action"] == "device.looked_at"));
    assert!(second.all("audit-log").await.iter().all(|entry| entry["action"] != "entitlement.corrected"));
    let gone = world.operator.send(Method::DELETE, "/api/v1/service-terms/U8PL1E", None).await;
    assert_eq!(gone.status.as_u16(), 204);
    assert_eq!(world.operator.get("service-terms").await.expect(200)["items"], json!([]));
}

/// The PC of a customer that ended its partner keeps its entitlement (decision 18), and one that came by cPIN may never have
/// been reported: both can be corrected, and whoever has the PC finds it in its log.
#[rstest]
#[tokio::test]
async fn a_correction_needs_no_partner_and_no_report(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "corrected_anywhere").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    let werft = partner.invited_customer("Werft").await;
    let admin = world.token(Role::ItAdmin, Some(&werft)).await;
    let step = |step: &str| format!("customers/{werft}/assigned-partner/{step}");
    admin.post(&step("accept"), json!({})).await.expect(200);
    let cpin = partner.cpin(&werft).await;
    for (key, serial) in [(1, "5CG000000A"), (2, "5CG000000N")] {
        let pc = crate::pc::Pc::new(&world, serial, key);
        assert_eq!(pc.enrol_with(&cpin).await.expect(201)["state"], "enrolled");
    }
    let levels = async || -> Vec<Value> {
        let devices = admin.all(&format!("customers/{werft}/devices")).await;
        devices.iter().map(|device| device["support_level"].clone()).collect()
    };
    assert_eq!(levels().await, [json!("premium_plus"), Value::Null]);
    let correct = async |serial: &str, level: &str, ends_on: &str| {
        let body = json!({ "starts_on": "2020-01-01", "ends_on": ends_on, "reason": "Vertrag 7" });
        let path = format!("devices/{serial}/entitlements/{level}");
        let done = put(&world.operator, &path, body).await;
        assert_eq!(done.status.as_u16(), 204, "{}", done.text);
    };
    // What the logs of partner and customer tell: looks, and corrections.
    let told = async |log: &Client| {
        let log = log.all("audit-log").await;
        ["device.looked_at", "entitlement.corrected"]
            .map(|action| log.iter().filter(|entry| entry["action"] == action).count())
    };

    correct("5CG000000N", "premium", "2031-01-01").await;
    assert_eq!(levels().await, [json!("premium_plus"), json!("premium")]);
    let pc = partner.get("devices/5CG000000N").await.expect(200);
    let right = &pc["entitlements"][0];
    assert_eq!((&right["ends_on"], &right["reported_by"]), (&json!("2031-01-01"), &Value::Null));
    assert!(right["corrected_at"].is_string());
    assert_eq!((told(&partner).await, told(&admin).await), ([1, 1], [1, 1]));

    admin.post(&step("end"), json!({})).await.expect(200);
    correct("5CG000000A", "premium_plus", "2021-01-01").await;
    assert_eq!(levels().await, [Value::Null, json!("premium")]);
    let log = admin.all("audit-log").await;
    let corrected = log.iter().filter(|entry| entry["action"] == "entitlement.corrected");
    let mut serials: Vec<_> = corrected.map(|entry| entry["detail"]["serial_number"].clone()).collect();
    serials.sort_by_key(Value::to_string);
    assert_eq!(serials, [json!("5CG000000A"), json!("5CG000000N")]);
    assert_eq!((told(&partner).await, told(&admin).await), ([1, 1], [2, 2]), "it is no longer the partner's");
}

#[rstest]
#[tokio::test]
async fn the_operators_pages_show_disputes_and_what_needs_attention(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "operator").await;
    let one = world.partner("R-1").await;
    world.partner("R-2").await;
    let distributor = world.distributor("D-1").await;
    world.user("operator@example.com", Role::Operator, None).await;
    let operator = Portal::sign_in(&world, "operator@example.com").await;
    let home = operator.get("/home").await.text;
    assert!(home.contains("Nothing needs your attention"), "{home}");
    let lines = ["5CG000000A R-1 invoice=I-1", "5CG000000A R-2 invoice=I-2", "5CG000000B R-77 invoice=I-3"];
    let report = distributor.report("", "text/csv", csv(&lines)).await;
    // A preview is nobody's dispute.
    distributor.report("?validate_only=true", "text/csv", csv(&["5CG000000A R-2 invoice=I-9"])).await;
    let home = operator.get("/home").await.text;
    assert!(
        home.contains("another reseller&#39;s sale came first")
            || home.contains("another reseller's sale came first"),
        "{home}"
    );
    assert!(home.contains("R-77"));
    let list = operator.get("/disputes").await.text;
    assert_eq!(list.matches("5CG000000A").count(), 1, "{list}");
    let dispute = operator.get(&format!("/disputes/{report}/2")).await;
    assert!(dispute.text.contains("I-1") && dispute.text.contains("I-2"), "both evidences: {}", dispute.text);
    assert!(one.all("audit-log").await.iter().any(|entry| entry["action"] == "device.looked_at"));
    assert_eq!(operator.get(&format!("/disputes/{report}/1")).await.status.as_u16(), 404);

    let partner = world.operator.get("partners/R-1").await.expect(200)["id"].as_str().unwrap().to_owned();
    world.qualify(&partner, "2026-01-02", json!("2026-12-20")).await;
    let soon = operator.get("/qualifications?standing=ends_soon").await.text;
    assert!(soon.contains("Partner R-1") && !soon.contains("Partner R-2"), "{soon}");
    world.clock.step_seconds(40 * 24 * 3600);
    let operator = Portal::sign_in(&world, "operator@example.com").await;
    let lapsed = operator.get("/qualifications?standing=lapsed").await.text;
    assert!(lapsed.contains("Partner R-1") && lapsed.contains("Lapsed"));
    assert!(operator.get("/home").await.text.contains("qualification has lapsed"));
    assert!(operator.get("/reporters").await.text.contains("Distributor D-1"));
    for path in ["/entitlements?q=5cg000000a", "/partners/import", "/qualifications?standing=valid"] {
        assert_eq!(operator.get(path).await.status.as_u16(), 200, "{path}");
    }
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let stranger = Portal::sign_in(&world, "one@example.com").await;
    for path in ["/home", "/disputes", "/qualifications", "/reporters", "/entitlements", "/partners/import"] {
        assert_eq!(stranger.get(path).await.status.as_u16(), 404, "{path}");
    }
}
