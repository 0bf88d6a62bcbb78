//! Sell-through reports and what their lines come to (behaviours 1, 13 to 17).

use roadstead_domain::access::Role;
use roadstead_server::app::Config;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::json;

use crate::world::{World, csv, eventually};

#[rstest]
#[tokio::test]
async fn b01_old_and_new_names_come_to_one_entitlement_family(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "b01").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let lines = [
        "5CG0000001 R-1 level=Premium",
        "5CG0000002 R-1 level=Premium+",
        "5CG0000003 R-1 level=Active_Care",
        "5CG0000004 R-1 level=premium_plus",
        "5CG0000005 R-1 level=",
    ];
    distributor.report("", "text/csv", csv(&lines)).await;
    let levels: Vec<_> =
        partner.all("unassigned-devices").await.iter().map(|pc| pc["support_level"].clone()).collect();
    assert_eq!(json!(levels), json!(["premium", "premium_plus", "premium_plus", "premium_plus", null]));
    assert_eq!(partner.all("unassigned-devices?support_level=premium").await.len(), 1);
}

#[rstest]
#[tokio::test]
async fn b05_pcs_of_several_customers_stand_in_one_list(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "b05").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let lines = ["5CG000000A R-1 buyer=C-1 name=Alpha", "5CG000000B R-1 buyer=C-2 name=Beta"];
    distributor.report("", "text/csv", csv(&lines)).await;
    let pool = partner.all("unassigned-devices").await;
    let customers: Vec<_> = pool.iter().map(|pc| pc["end_customer"].as_str().unwrap()).collect();
    assert_eq!(customers, ["Alpha", "Beta"]);
}

#[rstest]
#[tokio::test]
async fn b13_only_pcs_that_this_partner_resold_enter(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "b13").await;
    let (one, two) = (world.partner("R-1").await, world.partner("R-2").await);
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG000000A R-1", "5CG000000B R-2"])).await;
    assert_eq!(one.pool().await, ["5CG000000A"]);
    assert_eq!(two.pool().await, ["5CG000000B"]);
}

#[rstest]
#[tokio::test]
async fn b16_a_reseller_reports_for_itself_alone(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "b16").await;
    let partner = world.partner("R-1").await;
    world.partner("R-2").await;
    let body = json!({ "name": "Self", "reporter_number": "R-1", "kind": "reseller" });
    world.operator.post("reporters", body).await.expect(201);
    let reseller = world.token(Role::Distributor, Some("R-1")).await;
    let report = reseller.report("", "text/csv", csv(&["5CG000000A R-1", "5CG000000B R-2"])).await;
    assert_eq!(reseller.verdicts(&report).await, ["placed", "rejected.reporter_not_allowed"]);
    assert_eq!(partner.pool().await, ["5CG000000A"]);
}

#[rstest]
#[tokio::test]
async fn b17_reported_pcs_appear_without_a_click(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "b17").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    assert_eq!(partner.pool().await, ["5CG000000A"]);
}

#[rstest]
#[tokio::test]
async fn the_ordered_verdicts_through_the_api(
    #[values(Sqlite, Postgres)] kind: Kind,
    #[values(2, 10_000)] batch: usize,
) {
    let config = Config { batch_lines: batch, ..Config::default() };
    let world = World::with(kind, &format!("verdicts{batch}"), config).await;
    let (one, two) = (world.partner("R-1").await, world.partner("R-2").await);
    world.newcomer("R-3").await;
    let distributor = world.distributor("D-1").await;
    let story = [
        ("5CG000000A R-1", "placed"),
        ("5CG000000A R-1", "duplicate"),
        ("5CG000000A R-2 invoice=INV-2", "disputed.sold_by_other_partner"),
        ("5CG000000B R-3", "parked.partner_not_qualified"),
        ("5CG000000C R-9", "parked.unknown_seller"),
        ("5CG000000D R-1 kind=return", "disputed.return_of_unheld"),
        ("5CG000000E R-1", "placed"),
        ("5CG000000E R-1 kind=return", "returned"),
        ("5CG000000E R-2 invoice=INV-3", "placed"),
        ("5CG000000F R-1", "placed"),
        ("5CG000000F R-1 buyer=R-2 invoice=INV-4", "placed"),
        ("5CG000000G R-1", "placed"),
        ("5CG000000G R-1 buyer=R-3 invoice=INV-5", "parked.partner_not_qualified"),
        ("5CG000000B R-3 kind=return", "returned"),
        ("5CG000000A R-1 quantity=3 invoice=INV-6", "rejected.quantity_serial_mismatch"),
        ("5CG1 R-1", "rejected.serial_invalid"),
        ("1.23457E+12 R-1", "rejected.serial_scientific_notation"),
        ("5CG000000H R-1 date=31.02.2026", "rejected.date_invalid"),
        ("5CG000000H R-1 level=Gold", "rejected.support_level_unknown"),
        ("5CG000000H R-1 kind=gift", "rejected.transaction_unknown"),
    ];
    let lines: Vec<&str> = story.iter().map(|(line, _)| *line).collect();
    let expected: Vec<&str> = story.iter().map(|(_, verdict)| *verdict).collect();

    // A preview first: the same verdicts, and nothing is there afterwards.
    let preview = distributor.report("?validate_only=true", "text/csv", csv(&lines)).await;
    assert_eq!(distributor.verdicts(&preview).await, expected, "preview");
    assert!(one.pool().await.is_empty() && two.pool().await.is_empty());
    let unchanged = |entry: &serde_json::Value| entry["action"] != "pool.changed";
    assert!(one.all("audit-log").await.iter().all(unchanged));

    let report = distributor.report("", "text/csv", csv(&lines)).await;
    assert_eq!(distributor.verdicts(&report).await, expected);
    assert_eq!(one.pool().await, ["5CG000000A", "5CG000000G"]);
    assert_eq!(two.pool().await, ["5CG000000E", "5CG000000F"]);
    let counts = distributor.get(&format!("sell-through-reports/{report}")).await.expect(200);
    assert_eq!(counts["counts"]["placed"], 6);
    assert_eq!(counts["counts"].as_object().unwrap().values().map(|n| n.as_i64().unwrap()).sum::<i64>(), 20);
}

#[rstest]
#[tokio::test]
async fn the_same_bytes_are_the_same_report_and_the_same_lines_change_nothing(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "again").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let lines = ["5CG000000A R-1", "5CG000000B R-1", "5CG000000C R-9", "5CG000000B R-1 kind=return"];
    let first = distributor.report("", "text/csv", csv(&lines)).await;
    assert_eq!(distributor.report("", "text/csv", csv(&lines)).await, first);
    assert_eq!(distributor.all("sell-through-reports").await.len(), 1);
    let before = partner.all("unassigned-devices").await;

    let mut other_bytes = csv(&["5CG000000C R-9", "5CG000000A R-1"]);
    other_bytes.extend(b"\n\n");
    let again = distributor.report("", "text/csv", other_bytes).await;
    assert_ne!(again, first);
    assert_eq!(distributor.verdicts(&again).await, ["duplicate", "duplicate"]);
    assert_eq!(partner.all("unassigned-devices").await, before);
}

#[rstest]
#[tokio::test]
async fn parked_lines_are_replayed_when_the_seller_becomes_known_and_certified(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let config = Config { batch_lines: 2, ..Config::default() };
    let world = World::with(kind, "replay", config).await;
    let other = world.partner("R-2").await;
    let distributor = world.distributor("D-1").await;
    let lines = [
        "5CG000000A R-1",
        "5CG000000B R-1",
        "5CG000000C R-1 kind=sale",
        "5CG000000C R-1 kind=return",
        "5CG000000D R-1",
        "5CG000000D R-2 invoice=INV-2",
    ];
    let report = distributor.report("", "text/csv", csv(&lines)).await;
    let unknown = "parked.unknown_seller";
    assert_eq!(distributor.verdicts(&report).await, [unknown, unknown, unknown, unknown, unknown, "placed"]);

    let partner = world.newcomer("R-1").await;
    let (parked, disputed) = ("parked.partner_not_qualified", "disputed.sold_by_other_partner");
    eventually("the seller is known", async || {
        let verdicts = distributor.verdicts(&report).await;
        (verdicts == [parked, parked, parked, "returned", disputed, "placed"]).then_some(())
    })
    .await;
    world.certify(&partner).await;
    let admin = world.token(Role::PartnerAdmin, Some("R-1")).await;
    eventually("the PCs have arrived", async || {
        (admin.pool().await == ["5CG000000A", "5CG000000B"]).then_some(())
    })
    .await;
    assert_eq!(
        distributor.verdicts(&report).await,
        ["placed", "placed", parked, "returned", disputed, "placed"],
        "a withdrawn sale stays withdrawn, and a parked one claims nothing"
    );
    assert_eq!(other.pool().await, ["5CG000000D"]);
    let counts = distributor.get(&format!("sell-through-reports/{report}")).await.expect(200);
    assert_eq!(counts["counts"], json!({ "placed": 3, "returned": 1, parked: 1, disputed: 1 }));
}

#[tokio::test]
async fn lines_say_where_why_and_what_to_do_in_the_callers_language() {
    let world = World::start(Sqlite, "reasons").await;
    world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let lines = ["5CG000000A R-1", "5CG12!4ABC R-1 date=31.02.2026"];
    let report = distributor.report("", "text/csv", csv(&lines)).await;
    let path = format!("/api/v1/sell-through-reports/{report}/lines?verdict=rejected");
    let german = [("accept-language", "de")];
    let page = distributor.send_with(reqwest::Method::GET, &path, None, &german).await.expect(200);
    let line = &page["items"][0];
    assert_eq!((line["line"].as_i64(), line["row"].as_i64()), (Some(2), Some(3)));
    assert_eq!(line["serial_number"], "5CG12!4ABC");
    assert_eq!(line["verdict"], "rejected.serial_invalid");
    let reasons = line["reasons"].as_array().unwrap();
    assert_eq!(reasons[0]["message"], "Das ist keine Seriennummer");
    assert_eq!(
        (&reasons[1]["field"], &reasons[1]["received"]),
        (&json!("transaction_date"), &json!("31.02.2026"))
    );

    let errors = distributor.get(&format!("sell-through-reports/{report}/errors.csv")).await;
    let rows: Vec<&str> = errors.text.lines().collect();
    assert_eq!(rows.len(), 2, "{}", errors.text);
    assert!(rows[1].starts_with("3,2,rejected.serial_invalid | rejected.date_invalid,"), "{}", rows[1]);
    assert!(rows[1].contains("5CG12!4ABC") && rows[1].contains("31.02.2026"));
}

#[tokio::test]
async fn a_mended_error_file_can_be_sent_again() {
    let world = World::start(Sqlite, "mended").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let report = distributor.report("", "text/csv", csv(&["5CG12!4ABC R-1"])).await;
    let errors = distributor.get(&format!("sell-through-reports/{report}/errors.csv")).await.text;
    let mended = errors.replace("5CG12!4ABC", "5CG1234ABC");
    distributor.report("", "text/csv", mended).await;
    assert_eq!(partner.pool().await, ["5CG1234ABC"]);
}

/// Adds a column to a file of [`csv`]: the invoice that a correction replaces.
fn superseding(lines: &[&str], invoice: &str) -> Vec<u8> {
    let text = String::from_utf8(csv(lines)).unwrap();
    let mut rows = text.lines();
    let mut file = format!("{},Supersedes\n", rows.next().unwrap());
    for row in rows {
        file += &format!("{row},{invoice}\n");
    }
    file.into_bytes()
}

#[rstest]
#[tokio::test]
async fn a_preview_takes_nothing_back(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "previewback").await;
    let partner = world.newcomer("R-1").await;
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    let preview =
        distributor.report("?validate_only=true", "text/csv", csv(&["5CG000000A R-1 kind=return"])).await;
    assert_eq!(distributor.verdicts(&preview).await, ["returned"]);
    world.certify(&partner).await;
    let admin = world.token(Role::PartnerAdmin, Some("R-1")).await;
    eventually("the PC has arrived", async || (admin.pool().await == ["5CG000000A"]).then_some(())).await;
}

#[rstest]
#[tokio::test]
async fn a_correction_of_another_file_moves_the_pc_and_what_it_is(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "correction").await;
    let (one, two) = (world.partner("R-1").await, world.partner("R-2").await);
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG000000A R-1 invoice=K1 level=Premium+"])).await;
    let correction = superseding(&["5CG000000A R-2 kind=correction invoice=K2 level=Premium"], "K1");
    let text = String::from_utf8(correction).unwrap().replace("6T1A2EA,Notebook 14", "9Z9Z9EA,Desktop");
    let report = distributor.report("", "text/csv", text).await;
    assert_eq!(distributor.verdicts(&report).await, ["placed"]);
    assert!(one.pool().await.is_empty());
    let pc = &two.all("unassigned-devices").await[0];
    assert_eq!(pc["support_level"], "premium", "what the wrong line brought is gone");
    assert_eq!((pc["product_number"].as_str(), pc["model"].as_str()), (Some("9Z9Z9EA"), Some("Desktop")));
}

#[tokio::test]
async fn a_corrected_level_in_one_file_is_the_corrected_one() {
    let world = World::start(Sqlite, "corrected").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let lines = [
        "5CG000000A R-1 invoice=K1 level=Premium+",
        "5CG000000A R-1 kind=correction invoice=K2 level=Premium",
    ];
    distributor.report("", "text/csv", superseding(&lines, "K1")).await;
    assert_eq!(partner.all("unassigned-devices").await[0]["support_level"], "premium");
}

#[rstest]
#[tokio::test]
async fn a_small_report_does_not_wait_for_another_reporters_large_one(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let config = Config { batch_lines: 20, ..Config::default() };
    let world = World::with(kind, "lanes", config).await;
    world.partner("R-1").await;
    let (large, small) = (world.distributor("D-1").await, world.distributor("D-2").await);
    let lines: Vec<String> = (0..20_000).map(|n| format!("5CG{n:07} R-1")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let body = Some(("text/csv", csv(&lines)));
    let submitted = large.send(reqwest::Method::POST, "/api/v1/sell-through-reports", body).await.expect(202);
    small.report("", "text/csv", csv(&["MXL0000001 R-1"])).await;
    let operation = submitted["operation"]["id"].as_str().unwrap();
    let running = large.get(&format!("operations/{operation}")).await.expect(200);
    assert_eq!(running["state"], "running", "the large one is not done yet: {running}");
}

#[rstest]
#[tokio::test]
async fn a_nul_in_a_request_is_an_unreadable_character_on_both_engines(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "nul").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    assert!(partner.all("unassigned-devices?q=%00").await.is_empty());
    assert!(partner.all("unassigned-devices?model=%00").await.is_empty());
    assert_eq!(world.operator.get("partners/a%00b").await.refused(404), "not_found");
    let body = json!({ "name": "a\u{0}b", "partner_number": "R-7" });
    world.operator.post("partners", body).await.expect(201);
    let long = "x".repeat(60_000);
    assert_eq!(partner.get(&format!("unassigned-devices?q={long}")).await.status.as_u16(), 200);
}
