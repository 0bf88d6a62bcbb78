//! Disputes: both evidences, a decision with its reason, its undoing; each side is told of its own half.

use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{Client, World, csv, eventually};

/// A PC of R-1 that R-2 sold, too: both partners, and the path of the dispute.
async fn disputed(world: &World) -> (Client, Client, String) {
    let (one, two) = (world.partner("R-1").await, world.partner("R-2").await);
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG0000001 R-1 invoice=INV-ONE"])).await;
    let report = distributor.report("", "text/csv", csv(&["5CG0000001 R-2 invoice=INV-TWO"])).await;
    assert_eq!(distributor.verdicts(&report).await, ["disputed.sold_by_other_partner"]);
    (one, two, format!("disputes/{report}/1"))
}

async fn verdict(who: &Client) -> String {
    let explained = who.get("serials/5CG0000001/explanation").await.expect(200);
    explained["verdict"].as_str().unwrap().to_owned()
}

fn decision(outcome: &str) -> Value {
    json!({ "outcome": outcome, "reason": "Invoice seen" })
}

#[rstest]
#[tokio::test]
async fn a_dispute_that_is_dismissed_leaves_the_pc_and_can_be_undone(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "dismissed").await;
    let (one, two, path) = disputed(&world).await;
    assert_eq!(world.operator.all("disputes").await.len(), 1);
    let found = world.operator.get(&path).await.expect(200);
    assert_eq!(found["disputed"]["invoice_number"], "INV-TWO");
    assert_eq!(found["held"]["evidence"]["invoice_number"], "INV-ONE");
    assert_eq!(found["decision"], Value::Null);
    let path_of = |what: &str| format!("{path}/{what}");
    assert_eq!(two.post(&path_of("decision"), decision("upheld")).await.refused(404), "not_found");
    let none = json!({ "outcome": "dismissed", "reason": " " });
    assert_eq!(world.operator.post(&path_of("decision"), none).await.refused(422), "field.missing");
    world.operator.post(&path_of("decision"), decision("dismissed")).await.expect(200);
    assert_eq!(
        world.operator.post(&path_of("decision"), decision("upheld")).await.refused(409),
        "dispute.decided"
    );
    assert_eq!(one.pool().await, ["5CG0000001"]);
    assert_eq!(
        (verdict(&one).await, verdict(&two).await),
        ("support.there".into(), "support.decided_against".into())
    );
    // Each side is told of its own half.
    for (side, foreign) in [(&one, "R-2"), (&two, "R-1")] {
        let log = side.all("audit-log?action=dispute.decided").await;
        assert_eq!(log.len(), 1, "{log:?}");
        let text = log[0].to_string();
        assert!(
            !text.contains(foreign) && !text.contains("INV-") && !text.contains("Invoice seen"),
            "{text}"
        );
    }
    world.operator.post(&path_of("undo"), json!({})).await.expect(200);
    assert_eq!(verdict(&two).await, "support.disputed");
    assert_eq!(world.operator.post(&path_of("undo"), json!({})).await.refused(409), "dispute.open");
}

#[rstest]
#[tokio::test]
async fn a_dispute_that_is_upheld_moves_the_pc_by_a_report_and_back_by_the_undoing(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "upheld").await;
    let (one, two, path) = disputed(&world).await;
    let done = world.operator.post(&format!("{path}/decision"), decision("upheld")).await.expect(200);
    assert!(done["report"]["id"].is_string());
    eventually("the PC is with the other", async || (two.pool().await == ["5CG0000001"]).then_some(())).await;
    assert!(one.pool().await.is_empty());
    assert_eq!(
        (verdict(&one).await, verdict(&two).await),
        ("support.returned".into(), "support.there".into())
    );
    world.operator.post(&format!("{path}/undo"), json!({})).await.expect(200);
    eventually("the PC is back", async || (one.pool().await == ["5CG0000001"]).then_some(())).await;
    assert!(two.pool().await.is_empty());
    // Again, with a customer in between: nothing is taken from a customer.
    let customer = one.customer("Hafen").await;
    let items = json!({ "items": [{ "serial": "5CG0000001", "to": customer }] });
    let transfer = one.post("transfers", items).await.expect(201);
    let (id, digest) = (transfer["id"].as_str().unwrap(), &transfer["digest"]);
    one.post(&format!("transfers/{id}/commit"), json!({ "digest": digest })).await.expect(200);
    let refused = world.operator.post(&format!("{path}/decision"), decision("upheld")).await;
    assert_eq!(refused.refused(409), "dispute.with_customer");
}
