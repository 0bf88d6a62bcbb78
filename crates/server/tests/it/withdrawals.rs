//! Reports in daily use: previews that are handed in, reports that are taken back and handed in again, columns that a
//! reporter names once.

use reqwest::Method;
use roadstead_domain::access::Role;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use crate::sign_in::Portal;
use crate::world::{Answer, Client, World, csv};

async fn act(client: &Client, report: &str, act: &str) -> Answer {
    client.send(Method::POST, &format!("/api/v1/sell-through-reports/{report}/{act}"), None).await
}

/// Does it and waits until its report is judged.
async fn done(client: &Client, report: &str, what: &str) -> (String, Value) {
    let submitted = act(client, report, what).await.expect(202);
    client.done(submitted["operation"]["id"].as_str().unwrap()).await;
    let id = submitted["report"]["id"].as_str().unwrap().to_owned();
    let counts = client.get(&format!("sell-through-reports/{id}")).await.expect(200)["counts"].clone();
    (id, counts)
}

#[rstest]
#[tokio::test]
async fn a_preview_is_handed_in_without_being_sent_again(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "preview").await;
    let partner = world.partner("R-1").await;
    let (distributor, other) = (world.distributor("D-1").await, world.distributor("D-2").await);
    let preview = distributor.report("?validate_only=true", "text/csv", csv(&["5CG000000A R-1"])).await;
    assert!(partner.pool().await.is_empty());
    assert_eq!(act(&other, &preview, "submit").await.refused(404), "not_found");
    let (report, counts) = done(&distributor, &preview, "submit").await;
    assert_eq!(counts, json!({ "placed": 1 }));
    assert_eq!(partner.pool().await, ["5CG000000A"]);
    let (again, _) = done(&distributor, &preview, "submit").await;
    assert_eq!(again, report, "the same bytes are the same report");
    assert_eq!(act(&distributor, &report, "submit").await.refused(422), "report.no_preview");
}

#[rstest]
#[tokio::test]
async fn a_report_is_taken_back_and_that_is_undone(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "withdraw").await;
    let partner = world.partner("R-1").await;
    let late = world.newcomer("R-2").await;
    let (distributor, other) = (world.distributor("D-1").await, world.distributor("D-2").await);
    other.report("", "text/csv", csv(&["5CG000000X R-1 invoice=I-0"])).await;
    let lines = [
        "5CG000000A R-1 invoice=I-1 level=Premium name=Muster_AG",
        "5CG000000B R-2 invoice=I-2",
        "5CG000000C R-1 invoice=I-3",
        "5CG000000X R-1 invoice=I-4",
        "5CG!! R-1",
    ];
    let report = distributor.report("", "text/csv", csv(&lines)).await;
    // One of its PCs was returned and sold again meanwhile: that sale is not this report's.
    let meanwhile = ["5CG000000C R-1 kind=return invoice=I-3", "5CG000000C R-1 invoice=I-5"];
    distributor.report("", "text/csv", csv(&meanwhile)).await;
    let before = partner.pool().await;
    assert_eq!(before, ["5CG000000A", "5CG000000C", "5CG000000X"]);

    assert_eq!(act(&other, &report, "withdraw").await.refused(404), "not_found");
    let (preview, counts) = done(&distributor, &report, "withdraw?validate_only=true").await;
    assert_eq!(counts, json!({ "returned": 2 }));
    assert_eq!(partner.pool().await, before, "a preview changes nothing");
    let (withdrawal, counts) = done(&distributor, &preview, "submit").await;
    assert_eq!(counts, json!({ "returned": 2 }));
    assert_eq!(partner.pool().await, ["5CG000000C", "5CG000000X"]);
    let seen = distributor.get(&format!("sell-through-reports/{withdrawal}")).await.expect(200);
    assert_eq!(seen["withdraws"], json!(report));
    assert_eq!(act(&distributor, &report, "withdraw").await.refused(422), "report.nothing_to_withdraw");
    assert_eq!(act(&distributor, &preview, "withdraw").await.refused(422), "report.not_withdrawable");
    assert_eq!(act(&distributor, &report, "undo").await.refused(422), "report.not_withdrawable");
    // What waited no longer waits.
    world.certify(&late).await;
    let second = world.token(Role::PartnerAdmin, Some("R-2")).await;
    assert!(second.pool().await.is_empty());

    let (undone, counts) = done(&distributor, &withdrawal, "undo").await;
    assert_eq!(counts, json!({ "placed": 2 }));
    assert_eq!(partner.pool().await, before);
    assert_eq!(second.pool().await, ["5CG000000B"], "judged against the present state");
    let pc = partner.get("devices/5CG000000A").await.expect(200);
    assert_eq!((&pc["end_customer"], &pc["support_level"]), (&json!("Muster AG"), &json!("premium")));
    // And once more: each withdrawal is one of its own.
    let (_, counts) = done(&distributor, &undone, "withdraw").await;
    assert_eq!(counts, json!({ "returned": 2 }));
    assert_eq!(partner.pool().await, ["5CG000000C", "5CG000000X"]);
}

/// Moves a PC from the partner's pool to its customer.
async fn hand_over(partner: &Client, serial: &str, customer: &str) {
    let items = json!({ "items": [{ "serial": serial, "to": customer }] });
    let transfer = partner.post("transfers", items).await.expect(201);
    let commit = format!("transfers/{}/commit", transfer["id"].as_str().unwrap());
    partner.post(&commit, json!({ "digest": transfer["digest"] })).await.expect(200);
}

#[rstest]
#[tokio::test]
async fn a_withdrawn_pc_that_is_with_a_customer_is_disputed_until_that_is_undone(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "withdrawassigned").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let report = distributor.report("", "text/csv", csv(&["5CG000000A R-1", "5CG000000B R-1"])).await;
    let customer = partner.customer("Hafen").await;
    hand_over(&partner, "5CG000000B", &customer).await;
    let with_customer = async || {
        let pcs = partner.all(&format!("customers/{customer}/devices")).await;
        pcs.iter().map(|pc| pc["serial_number"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let open = async || world.operator.all("disputes").await;

    let (preview, counts) = done(&distributor, &report, "withdraw?validate_only=true").await;
    assert_eq!(counts, json!({ "returned": 1, "disputed.return_of_assigned": 1 }));
    assert!(open().await.is_empty(), "a preview changes nothing");
    let (withdrawal, _) = done(&distributor, &preview, "submit").await;
    assert!(partner.pool().await.is_empty());
    assert_eq!(with_customer().await, ["5CG000000B"], "nothing is taken from a customer");
    let disputes = open().await;
    assert_eq!((disputes.len(), &disputes[0]["serial_number"]), (1, &json!("5CG000000B")), "{disputes:?}");
    assert_eq!(disputes[0]["report"], json!(withdrawal));

    let (preview, counts) = done(&distributor, &withdrawal, "undo?validate_only=true").await;
    assert_eq!(counts, json!({ "placed": 1, "duplicate": 1 }));
    assert_eq!(open().await.len(), 1, "a preview closes nothing");
    done(&distributor, &preview, "submit").await;
    assert_eq!(partner.pool().await, ["5CG000000A"]);
    assert_eq!(with_customer().await, ["5CG000000B"]);
    assert!(open().await.is_empty());
    let path = format!("disputes/{withdrawal}/{}", disputes[0]["line"]);
    let decision = world.operator.get(&path).await.expect(200)["decision"].clone();
    assert_eq!(
        (&decision["outcome"], &decision["reason"]),
        (&json!("dismissed"), &json!("report.withdrawal_undone"))
    );
    for log in [&world.operator, &partner] {
        let entries = log.all("audit-log?action=dispute.decided").await;
        assert_eq!((entries.len(), &entries[0]["detail"]["serial_number"]), (1, &json!("5CG000000B")));
    }
    world.user("operator@example.com", Role::Operator, None).await;
    let page = Portal::sign_in(&world, "operator@example.com").await.get(&format!("/{path}")).await.text;
    assert!(page.contains("The withdrawal that made this dispute was undone."), "{page}");
}

#[rstest]
#[tokio::test]
async fn a_withdrawal_that_made_disputes_alone_is_undone_and_done_again(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "disputesalone").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let report = distributor.report("", "text/csv", csv(&["5CG000000A R-1", "5CG000000B R-1"])).await;
    let customer = partner.customer("Hafen").await;
    for serial in ["5CG000000A", "5CG000000B"] {
        hand_over(&partner, serial, &customer).await;
    }
    let open = async || world.operator.all("disputes").await;
    let (withdrawal, counts) = done(&distributor, &report, "withdraw").await;
    assert_eq!(counts, json!({ "disputed.return_of_assigned": 2 }));
    // What the operator has decided stays so.
    let decided = format!("disputes/{withdrawal}/{}", open().await[1]["line"]);
    let decision = json!({ "outcome": "dismissed", "reason": "Seen" });
    world.operator.post(&format!("{decided}/decision"), decision).await.expect(200);
    let (_, counts) = done(&distributor, &withdrawal, "undo").await;
    assert_eq!(counts, json!({ "duplicate": 1 }));
    assert!(open().await.is_empty());
    assert_eq!(world.operator.get(&decided).await.expect(200)["decision"]["reason"], "Seen");
    world.clock.step_seconds(1);
    assert_eq!(act(&distributor, &withdrawal, "undo").await.refused(422), "report.nothing_to_withdraw");

    // Withdrawn once more, what was undone is disputed anew; what was decided is not asked again.
    let (again, counts) = done(&distributor, &report, "withdraw").await;
    assert_eq!(counts, json!({ "disputed.return_of_assigned": 1, "duplicate": 1 }));
    let disputes = open().await;
    assert_eq!((disputes.len(), &disputes[0]["report"]), (1, &json!(again)), "{disputes:?}");
    assert_eq!(partner.all(&format!("customers/{customer}/devices")).await.len(), 2);
}

#[rstest]
#[tokio::test]
async fn columns_are_named_once_and_remembered(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "columns").await;
    let partner = world.partner("R-1").await;
    let (distributor, other) = (world.distributor("D-1").await, world.distributor("D-2").await);
    let file = |serial: &str| {
        format!("Tag,VK-Stelle,Art.,Geräte-Kennung,Anz.,Serial Number\n2026-11-18,R-1,6T1A2EA,{serial},1,1\n")
    };
    let send = async |client: &Client, text: String| {
        client.send(Method::POST, "/api/v1/sell-through-reports", Some(("text/csv", text.into_bytes()))).await
    };
    let refused = send(&distributor, file("5CG000000A")).await.expect(422);
    assert_eq!(refused["code"], "file.column_missing");
    assert_eq!(refused["headers"].as_array().unwrap().len(), 6, "{refused}");
    let put = async |client: &Client, headers: Value| {
        let body = ("application/json", json!({ "headers": headers }).to_string().into_bytes());
        client.send(Method::PUT, "/api/v1/own-headers", Some(body)).await
    };
    let good = json!({
        "Tag": "transaction_date", "VK-Stelle": "seller", "Art.": "product", "Geräte-Kennung": "serial",
        "Anz.": "quantity", "Serial Number": null,
    });
    for (headers, code) in [
        (json!({ "Tag": "transaction_date", "Datum 2": "transaction_date" }), "mapping.column_twice"),
        (json!({ "Tag": "seller", "TAG ": "serial" }), "mapping.header_twice"),
        (json!({ "Tag": "colour" }), "field.unknown_value"),
        (json!({ "": "seller" }), "field.missing"),
    ] {
        assert_eq!(put(&distributor, headers).await.refused(422), code);
    }
    assert_eq!(put(&distributor, good.clone()).await.status.as_u16(), 204);
    assert_eq!(distributor.get("own-headers").await.expect(200)["headers"], good);
    let report = distributor.report("", "text/csv", file("5CG000000A")).await;
    assert_eq!(distributor.verdicts(&report).await, ["placed"]);
    assert_eq!(partner.pool().await, ["5CG000000A"]);
    // They are this reporter's alone.
    assert_eq!(send(&other, file("5CG000000B")).await.expect(422)["code"], "file.column_missing");
    assert_eq!(other.get("own-headers").await.expect(200)["headers"], json!({}));
    assert_eq!(other.get("own-headers?reporter=D-1").await.refused(404), "reporter.unknown");
    assert_eq!(world.operator.get("own-headers?reporter=D-1").await.expect(200)["headers"], good);
    assert_eq!(partner.get("own-headers").await.refused(404), "not_found");

    // The same on the page, from the headers of the refusal.
    world.user("d2@example.com", Role::Distributor, Some("D-2")).await;
    let portal = Portal::sign_in(&world, "d2@example.com").await;
    let page = portal.get("/reports/columns?h=Ger%C3%A4te-Kennung&h=Qty").await.text;
    assert!(page.contains("Geräte-Kennung") && page.contains("name=\"field-1\""), "{page}");
    let twice =
        [("header-0", "Geräte-Kennung"), ("field-0", "serial"), ("header-1", "Nr"), ("field-1", "serial")];
    let refused = portal.submit_from("/reports", "/reports/columns", &twice).await;
    assert_eq!(refused.status.as_u16(), 422);
    assert!(refused.text.contains("Two headers are given the same meaning"), "{}", refused.text);
    let good =
        [("header-0", "Geräte-Kennung"), ("field-0", "serial"), ("header-1", "Qty"), ("field-1", "quantity")];
    assert_eq!(portal.submit_from("/reports", "/reports/columns", &good).await.status.as_u16(), 303);
    assert_eq!(other.get("own-headers").await.expect(200)["headers"], json!({ "Geräte-Kennung": "serial" }));
    let template = portal.get("/reports/template.csv").await.text;
    assert!(template.contains("Serial Number") && template.contains("Reseller ID"));
}

#[tokio::test]
async fn a_header_in_two_rows_is_refused_with_its_place() {
    let world = World::start(Sqlite, "tworows").await;
    let distributor = world.distributor("D-1").await;
    let text = "Sale,,,Device,\nDate,Reseller,Number,Serial,Qty\n2026-11-18,R-1,6T1A2EA,5CG000000A,1\n";
    let body = Some(("text/csv", text.as_bytes().to_vec()));
    let refused = distributor.send(Method::POST, "/api/v1/sell-through-reports", body).await.expect(422);
    assert_eq!((&refused["code"], &refused["errors"][0]["row"]), (&json!("file.column_missing"), &json!(1)));
    assert!(distributor.all("sell-through-reports").await.is_empty(), "nothing was kept");
}
