//! Why a PC is where it is, or is not there: for each reader its own chain, and nothing of anybody else.

mod disputes;
mod statements;

use roadstead_domain::access::Role;
use roadstead_server::app::Config;
use roadstead_server::jobs::keep_lines;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use crate::sign_in::Portal;
use crate::world::{Client, World, csv};

async fn explained(who: &Client, serial: &str) -> Value {
    who.get(&format!("serials/{serial}/explanation")).await.expect(200)
}

fn codes(explanation: &Value) -> Vec<&str> {
    explanation["causes"].as_array().unwrap().iter().map(|cause| cause["code"].as_str().unwrap()).collect()
}

#[rstest]
#[tokio::test]
async fn p8_the_chain_runs_from_the_first_report_to_now(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "chain").await;
    let newcomer = world.newcomer("R-1").await;
    let partner = world.token(Role::PartnerAdmin, Some("R-1")).await;
    let other = world.partner("R-2").await;
    let distributor = world.distributor("D-1").await;
    let sale = csv(&["5CG0000001 R-1 invoice=INV-7", "5CG!! R-1", "5CG0000002 R-77"]);
    distributor.report("", "text/csv", sale).await;
    // Waits for the certification, and the partner is told so with who reported it, and where.
    let waits = explained(&partner, "5cg0000001").await;
    assert_eq!(waits["verdict"], "support.waits");
    assert_eq!(codes(&waits), ["parked.partner_not_qualified", "explanation.not_certified", "support.waits"]);
    let evidence = &waits["causes"][0]["evidence"];
    assert_eq!(evidence["reported_by"], "Distributor D-1");
    assert_eq!((&evidence["line"], &evidence["invoice_number"]), (&json!(1), &json!("INV-7")));
    assert_eq!(evidence["report"], Value::Null, "a report is its reporter's and the operator's");
    assert_eq!(waits["next_step"]["code"], "next.open_case");
    assert_eq!(explained(&world.operator, "5CG0000001").await["next_step"]["code"], "next.open_partners");
    // The reporter sees its own lines, the seller that is not known, too.
    assert_eq!(explained(&distributor, "5CG0000002").await["verdict"], "support.seller_unknown");
    assert_eq!(explained(&distributor, "5CG0000003").await["verdict"], "support.not_sent");
    world.certify(&newcomer).await;
    crate::world::eventually("the late qualification places it", async || {
        (partner.pool().await == ["5CG0000001"]).then_some(())
    })
    .await;
    let there = explained(&partner, "5CG0000001").await;
    assert_eq!(codes(&there), ["explanation.waited", "placed", "support.there"]);
    assert_eq!(there["next_step"]["path"], "/transfers/new?serials=5CG0000001");
    assert_eq!(explained(&distributor, "5CG0000001").await["verdict"], "support.accepted");
    // Repeated, disputed, moved: each is a link of the chain.
    distributor.report("", "text/csv", csv(&["5CG0000001 R-1 invoice=INV-7 name=Again"])).await;
    distributor.report("", "text/csv", csv(&["5CG0000001 R-2 invoice=INV-8"])).await;
    let customer = partner.customer("Hafen").await;
    let items = json!({ "items": [{ "serial": "5CG0000001", "to": customer }] });
    let transfer = partner.post("transfers", items).await.expect(201);
    let (id, digest) = (transfer["id"].as_str().unwrap(), &transfer["digest"]);
    partner.post(&format!("transfers/{id}/commit"), json!({ "digest": digest })).await.expect(200);
    let moved = explained(&partner, "5CG0000001").await;
    assert_eq!(
        codes(&moved),
        [
            "explanation.waited",
            "placed",
            "duplicate",
            "moved.transfer",
            "explanation.contested",
            "support.there"
        ],
        "the other's line is known as a fact alone"
    );
    assert!(!moved.to_string().contains("R-2") && !moved.to_string().contains("INV-8"), "{moved}");
    assert_eq!(moved["causes"][3]["evidence"]["to"], "Hafen");
    let other_half = explained(&other, "5CG0000001").await;
    assert_eq!(codes(&other_half), ["disputed.sold_by_other_partner", "support.disputed"]);
    assert!(!other_half.to_string().contains("Partner R-1"), "{other_half}");
    // The customer sees its PC, and nothing of how it was sold.
    let admin = world.token(Role::ItAdmin, Some(&customer)).await;
    let owned = explained(&admin, "5CG0000001").await;
    assert_eq!(codes(&owned), ["moved.transfer", "support.there"]);
    assert!(!owned.to_string().contains("INV-7") && !owned.to_string().contains("Distributor"), "{owned}");
    assert_eq!(explained(&admin, "5CG0000002").await["verdict"], "support.not_owned");
    // The operator sees all of it, and each look is in the log of the partner that has the PC.
    let all = explained(&world.operator, "5CG0000001").await;
    assert!(codes(&all).contains(&"disputed.sold_by_other_partner"), "{all}");
    let log = partner.all("audit-log?action=device.looked_at").await;
    assert_eq!(log.len(), 1, "{log:?}");
    assert_eq!(explained(&partner, "x").await["verdict"], "support.not_a_serial");
}

#[rstest]
#[tokio::test]
async fn a_foreign_serial_and_an_unknown_one_are_explained_byte_for_byte_alike(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "explainalike").await;
    let (owner, stranger) = (world.partner("R-1").await, world.partner("R-2").await);
    let distributor = world.distributor("D-1").await;
    let other = world.distributor("D-2").await;
    let lines = ["5CGFOREIGN R-1", "5CGPARKED1 R-77", "5CGRETURN1 R-1 kind=return"];
    distributor.report("", "text/csv", csv(&lines)).await;
    let customer = stranger.customer("Next Door").await;
    let admin = world.token(Role::ItAdmin, Some(&customer)).await;
    assert_eq!(explained(&owner, "5CGFOREIGN").await["verdict"], "support.there");
    for who in [&stranger, &other, &admin] {
        let unknown = who.get("serials/5CGUNKNOWN/explanation").await;
        assert_eq!(unknown.status.as_u16(), 200);
        for serial in ["5CGFOREIGN", "5CGPARKED1", "5CGRETURN1"] {
            let foreign = who.get(&format!("serials/{serial}/explanation")).await;
            assert_eq!(foreign.text.replace(serial, "5CGUNKNOWN"), unknown.text);
        }
        let list = json!({ "serials": ["5CGFOREIGN", "5CGUNKNOWN"] });
        let items = who.post("serials/verdicts", list).await.expect(200)["items"].clone();
        assert_eq!(items[0]["verdict"], items[1]["verdict"]);
    }
    assert_eq!(world.nobody().get("serials/5CGFOREIGN/explanation").await.refused(401), "unauthenticated");
}

#[rstest]
#[tokio::test]
async fn ten_thousand_serials_get_ten_thousand_verdicts_also_as_files(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "tenk").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let lines: Vec<String> = (0..200).map(|n| format!("5CG{n:07} R-1")).collect();
    distributor.report("", "text/csv", csv(&lines.iter().map(String::as_str).collect::<Vec<_>>())).await;
    let serials: Vec<String> = (0..10_000).map(|n| format!("5cg{n:07}")).collect();
    let found = partner.post("serials/verdicts", json!({ "serials": serials })).await.expect(200);
    let items = found["items"].as_array().unwrap();
    assert_eq!(items.len(), 10_000);
    let there = items.iter().filter(|item| item["verdict"] == "support.there").count();
    let absent = items.iter().filter(|item| item["verdict"] == "support.not_reported").count();
    assert_eq!((there, absent), (200, 9_800));
    assert_eq!(items[9_999]["serial_number"], "5CG0009999", "in the order of the list");
    let list = json!({ "serials": ["5CG0000001", "=1+1", "5CG0000001", " "] });
    let file = partner.post("serials/verdicts?format=csv", list.clone()).await;
    assert_eq!(file.status.as_u16(), 200);
    assert_eq!(file.text.lines().count(), 3, "{}", file.text);
    assert!(file.text.contains("'=1+1,support.not_a_serial"), "no cell is a formula: {}", file.text);
    let sheet = partner.post("serials/verdicts?format=xlsx", list.clone()).await;
    assert!(sheet.text.starts_with("PK"));
    assert_eq!(partner.post("serials/verdicts?format=odt", list).await.refused(422), "field.unknown_value");
    let many = json!({ "serials": vec!["5CG0000001"; 10_001] });
    assert_eq!(partner.post("serials/verdicts", many).await.refused(422), "support.too_many_serials");
    // The operator's look at a list is in the partner's log whole.
    world.operator.post("serials/verdicts", json!({ "serials": serials })).await.expect(200);
    let log = partner.all("audit-log?action=device.looked_at").await;
    let logged: usize =
        log.iter().map(|entry| entry["detail"]["serial_numbers"].as_array().map_or(0, Vec::len)).sum();
    assert_eq!(logged, 200, "{log:?}");
}

#[tokio::test]
async fn the_page_explains_a_serial_and_a_list_with_the_next_step() {
    let world = World::start(Sqlite, "explainpage").await;
    world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG0000001 R-1"])).await;
    world.user("partner@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let portal = Portal::sign_in(&world, "partner@example.com").await;
    let page = portal.get("/explain?q=5CG0000001").await;
    assert!(page.text.contains("Distributor D-1") && page.text.contains("/transfers/new?serials=5CG0000001"));
    let page = portal.get("/explain?q=5CG0000009").await;
    assert!(
        page.text.contains("/support-cases/new?kind=missing_devices&#38;serials=5CG0000009"),
        "{}",
        page.text
    );
    let page = portal.get("/transfers/new?serials=5CG0000001").await;
    assert!(page.text.contains(">5CG0000001</textarea>"));
    let page = portal.submit("/explain", &[("serials", "5CG0000001\n5CG0000009")]).await;
    assert!(page.text.contains("No report names you as its seller"), "{}", page.text);
    let page = portal.submit("/explain", &[("serials", "5CG0000001\n5CG0000009"), ("format", "csv")]).await;
    assert_eq!(page.text.lines().count(), 3);
    let page = portal.get("/devices/5CG0000001").await;
    assert!(page.text.contains("/explain?q=5CG0000001"));
}

#[rstest]
#[tokio::test]
async fn p8_until_when_a_partner_is_not_certified_is_told_with_its_day(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "until").await;
    let distributor = world.distributor("D-1").await;
    let (soon, lapsed) = (world.newcomer("R-1").await, world.newcomer("R-2").await);
    world.qualify(&soon, "2026-12-24", Value::Null).await;
    world.qualify(&lapsed, "2026-01-02", json!("2026-10-01")).await;
    distributor.report("", "text/csv", csv(&["5CG0000001 R-1", "5CG0000002 R-2"])).await;
    let one = world.token(Role::PartnerAdmin, Some("R-1")).await;
    let two = world.token(Role::PartnerAdmin, Some("R-2")).await;
    for (who, serial, code, day, text) in [
        (&one, "5CG0000001", "explanation.certified_from", "2026-12-24", "not certified until 24 Dec 2026"),
        (&world.operator, "5CG0000001", "explanation.certified_from", "2026-12-24", "until 24 Dec 2026"),
        (&two, "5CG0000002", "explanation.certified_until", "2026-10-01", "ended on 1 Oct 2026"),
    ] {
        let found = explained(who, serial).await;
        assert_eq!(codes(&found), ["parked.partner_not_qualified", code, "support.waits"]);
        let cause = &found["causes"][1];
        assert_eq!(cause["day"], day);
        assert!(cause["text"].as_str().unwrap().contains(text), "{cause}");
    }
    // How a partner stands with the programme is none of its distributor's business.
    let sent = explained(&distributor, "5CG0000001").await;
    assert_eq!(codes(&sent), ["parked.partner_not_qualified", "support.waits"]);

    // Once it is certified, the chain says until when the line had waited.
    world.clock.step_seconds(2 * 24 * 3600);
    world.qualify(&soon, "2026-01-02", Value::Null).await;
    crate::world::eventually("the line is judged again", async || {
        (one.pool().await.len() == 1).then_some(())
    })
    .await;
    let there = explained(&one, "5CG0000001").await;
    assert_eq!(codes(&there), ["explanation.waited", "placed", "support.there"]);
    let (received, judged) = (&there["causes"][0]["at"], &there["causes"][1]["at"]);
    assert_eq!(there["causes"][0]["evidence"]["received_at"], *received);
    assert!(judged.as_str().unwrap().starts_with(there["causes"][0]["day"].as_str().unwrap()), "{there}");
    assert!(received.as_str() < judged.as_str());
}

#[rstest]
#[tokio::test]
async fn p8_what_is_no_longer_kept_is_said_to_be_archived(#[values(Sqlite, Postgres)] kind: Kind) {
    let config = Config { keep_line_months: Some(12), ..Config::default() };
    let world = World::with(kind, "archived", config).await;
    let (partner, other) = (world.partner("R-1").await, world.partner("R-2").await);
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG0000001 R-1", "5CG0000002 R-1"])).await;
    let before = explained(&partner, "5CG0000001").await;
    assert_eq!(codes(&before), ["placed", "support.there"]);
    // On PostgreSQL whole years go.
    world.clock.step_seconds(800 * 24 * 3600);
    keep_lines(&world.app).await.unwrap();
    let found = explained(&partner, "5CG0000001").await;
    assert_eq!(codes(&found), ["archived.line", "archived.before", "support.there"]);
    assert_eq!(found["causes"][0]["evidence"]["to"], "unassigned");
    assert_eq!(found["causes"][1]["day"].as_str().unwrap().len(), 10);
    assert_eq!(found["next_step"]["code"], "next.transfer", "it is still there to be worked with");
    assert_eq!(
        codes(&explained(&world.operator, "5CG0000001").await)[..2],
        ["archived.line", "archived.before"]
    );
    // Who never had it is told the same as of one that never was.
    let foreign = explained(&other, "5CG0000001").await;
    assert_eq!(codes(&foreign), ["archived.before", "support.not_reported"]);
    let unknown = explained(&other, "5CGUNKNOWN").await;
    assert_eq!(foreign.to_string().replace("5CG0000001", "5CGUNKNOWN"), unknown.to_string());
    assert_eq!(codes(&explained(&distributor, "5CG0000001").await), ["archived.before", "support.not_sent"]);
    // A line of today is whole.
    distributor.report("", "text/csv", csv(&["5CG0000003 R-1"])).await;
    assert_eq!(codes(&explained(&partner, "5CG0000003").await), ["placed", "support.there"]);
}
