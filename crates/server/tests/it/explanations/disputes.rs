//! Disputes: both evidences, a decision with its reason, its undoing; each side is told of its own half.

use roadstead_domain::access::Role;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use roadstead_store::engine::run_text;
use rstest::rstest;
use serde_json::{Value, json};

use crate::sign_in::Portal;
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

/// What Home says of an open one.
const MATTER: &str = "Disputed: another reseller&#39;s sale came first";

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
    world.user("operator@example.com", Role::Operator, None).await;
    let portal = Portal::sign_in(&world, "operator@example.com").await;
    assert!(portal.get("/home").await.text.contains(MATTER));
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
    // It is no longer among the open ones, nor counted on Home.
    assert!(world.operator.all("disputes").await.is_empty());
    let decided = world.operator.all("disputes?state=decided").await;
    assert_eq!((decided.len(), &decided[0]["outcome"]), (1, &json!("dismissed")));
    assert_eq!(world.operator.all("disputes?state=all").await, decided);
    assert_eq!(world.operator.get("disputes?state=closed").await.refused(422), "field.unknown_value");
    assert!(!portal.get("/home").await.text.contains(MATTER));
    assert!(portal.get("/disputes").await.text.contains("No open dispute"));
    assert!(portal.get("/disputes?state=decided").await.text.contains("the line counts for nothing"));
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
    assert_eq!(world.operator.all("disputes").await.len(), 1, "it is open again");
    assert!(portal.get("/home").await.text.contains(MATTER));
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

/// Whoever writes a decision dies of it: the connection is cut on PostgreSQL, the statement fails on SQLite.
async fn cut_decisions(world: &World, table: &str, when: &str) {
    let sql = match world.app.store.kind() {
        Sqlite => {
            format!("CREATE TRIGGER cut BEFORE {when} ON {table} BEGIN SELECT RAISE(ABORT, 'cut'); END")
        }
        Postgres => format!(
            "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS \
             $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$; \
             CREATE TRIGGER cut BEFORE {when} ON {table} FOR EACH ROW EXECUTE FUNCTION cut()"
        ),
    };
    run_text(&world.app.store, sql.leak()).await.unwrap();
}

async fn mend(world: &World) {
    let sql = if world.app.store.kind() == Sqlite { "DROP TRIGGER cut" } else { "DROP FUNCTION cut CASCADE" };
    run_text(&world.app.store, sql).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn a_crash_between_a_decision_and_its_report_leaves_neither(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "cutdecision").await;
    let (one, two, path) = disputed(&world).await;
    // The operator's first report makes its reporter; after that a decision is all that is written.
    let reports = async || world.operator.all("sell-through-reports").await.len();
    let before = reports().await;
    cut_decisions(&world, "dispute_decisions", "INSERT").await;
    let broken = world.operator.post(&format!("{path}/decision"), decision("upheld")).await;
    assert!(broken.status.is_server_error(), "{broken:?}");
    let open = eventually("the database answers", async || {
        let answer = world.operator.get("disputes").await;
        answer.status.is_success().then(|| answer.json()["items"].as_array().unwrap().len())
    })
    .await;
    assert_eq!((open, reports().await), (1, before), "the dispute is open, and nothing was handed in for it");
    assert_eq!((one.pool().await.len(), two.pool().await.len()), (1, 0));
    mend(&world).await;
    world.operator.post(&format!("{path}/decision"), decision("upheld")).await.expect(200);
    eventually("the PC is with the other", async || (two.pool().await == ["5CG0000001"]).then_some(())).await;
    assert_eq!(reports().await, before + 1);

    // The same of the undoing.
    cut_decisions(&world, "dispute_decisions", "UPDATE").await;
    let broken = world.operator.post(&format!("{path}/undo"), json!({})).await;
    assert!(broken.status.is_server_error(), "{broken:?}");
    eventually("the database answers", async || {
        world.operator.get(&path).await.status.is_success().then_some(())
    })
    .await;
    assert_eq!(reports().await, before + 1);
    assert_eq!(two.pool().await, ["5CG0000001"]);
    mend(&world).await;
    world.operator.post(&format!("{path}/undo"), json!({})).await.expect(200);
    eventually("the PC is back", async || (one.pool().await == ["5CG0000001"]).then_some(())).await;
}

#[rstest]
#[tokio::test]
async fn a_crash_between_an_approval_and_its_report_leaves_neither(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "cutapproval").await;
    let partner = world.partner("R-1").await;
    let body = json!({ "kind": "missing_devices", "serials": ["5CG0000001"] });
    let id = partner.post("support-cases", body).await.expect(201)["id"].as_str().unwrap().to_owned();
    cut_decisions(&world, "support_serials", "UPDATE").await;
    let approve = json!({ "serials": ["5CG0000001"], "decision": "approve", "reason": "Invoice seen" });
    let path = format!("support-cases/{id}/decision");
    let broken = world.operator.post(&path, approve.clone()).await;
    assert!(broken.status.is_server_error(), "{broken:?}");
    let reports = eventually("the database answers", async || {
        let answer = world.operator.get("sell-through-reports").await;
        answer.status.is_success().then(|| answer.json()["items"].as_array().unwrap().len())
    })
    .await;
    assert_eq!(reports, 0, "nothing was handed in");
    mend(&world).await;
    world.operator.post(&path, approve).await.expect(200);
    eventually("the PC is there", async || (partner.pool().await == ["5CG0000001"]).then_some(())).await;
}
