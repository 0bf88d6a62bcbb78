//! Transfers: preview, commit, undo, and what keeps them from doing harm.

use std::time::Duration;

use reqwest::Method;
use roadstead_domain::access::{self, Action, Actor, Caller, Home, Role};
use roadstead_domain::audit::{CHAIN_START, ChainEntry};
use roadstead_domain::ids::{DeviceId, OperationId, TenantId, TransferId};
use roadstead_domain::transfer::MOST_ROWS;
use roadstead_server::flows::transfers::in_background;
use roadstead_server::jobs::keep_house;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use roadstead_store::{jobs, operations, transfers};
use rstest::rstest;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::sign_in::Portal;
use crate::world::{Client, World, csv, eventually};

/// A partner with these PCs in its pool.
async fn partner_with(world: &World, number: &str, serials: &[&str]) -> Client {
    let partner = world.partner(number).await;
    let lines: Vec<String> = serials
        .iter()
        .map(|serial| format!("{serial} {number} name=Werft_Nord invoice=INV-{serial}"))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let distributor = world.distributor(&format!("D-{number}")).await;
    distributor.report("", "text/csv", csv(&lines)).await;
    partner
}

async fn preview(partner: &Client, rows: &[(&str, &str)]) -> Value {
    let items: Vec<Value> = rows.iter().map(|(serial, to)| json!({ "serial": serial, "to": to })).collect();
    partner.post("transfers", json!({ "items": items })).await.expect(201)
}

fn id_and_digest(transfer: &Value) -> (String, Value) {
    (transfer["id"].as_str().unwrap().to_owned(), json!({ "digest": transfer["digest"] }))
}

async fn commit(partner: &Client, rows: &[(&str, &str)]) -> String {
    let (id, digest) = id_and_digest(&preview(partner, rows).await);
    partner.post(&format!("transfers/{id}/commit"), digest).await.expect(200);
    id
}

async fn devices(caller: &Client, customer: &str) -> Vec<String> {
    let items = caller.all(&format!("customers/{customer}/devices")).await;
    items.iter().map(|item| item["serial_number"].as_str().unwrap().to_owned()).collect()
}

fn codes(transfer: &Value) -> Vec<String> {
    let items = transfer["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| {
            let codes: Vec<&str> =
                item["reasons"].as_array().unwrap().iter().map(|r| r["code"].as_str().unwrap()).collect();
            format!("{} {}", item["verdict"].as_str().unwrap(), codes.join(" ")).trim_end().to_owned()
        })
        .collect()
}

#[rstest]
#[tokio::test]
async fn b38_b39_the_partner_moves_pcs_alone_and_each_is_there_once(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "b38").await;
    let partner = partner_with(&world, "R-1", &["5CG0000001", "5CG0000002", "5CG0000003"]).await;
    let (north, south) = (partner.customer("Werft Nord").await, partner.customer("Werft Süd").await);
    let shown = preview(&partner, &[("5cg0000001", &north), ("5CG0000002", &south)]).await;
    assert_eq!(codes(&shown), ["ready", "ready transfer.nothing_shows_the_customer"]);
    assert_eq!(partner.pool().await.len(), 3, "a preview moves nothing");
    let (id, digest) = id_and_digest(&shown);
    let done = partner.post(&format!("transfers/{id}/commit"), digest.clone()).await.expect(200);
    assert_eq!((&done["state"], &done["moved"]), (&json!("committed"), &json!(2)));
    assert_eq!(partner.pool().await, ["5CG0000003"]);
    assert_eq!(devices(&partner, &north).await, ["5CG0000001"]);
    assert_eq!(devices(&partner, &south).await, ["5CG0000002"]);
    // A lost answer, asked for again, moves nothing a second time.
    partner.post(&format!("transfers/{id}/commit"), digest).await.expect(200);
    assert_eq!(devices(&partner, &north).await, ["5CG0000001"]);

    let admin = world.token(Role::ItAdmin, Some(&north)).await;
    assert_eq!(devices(&admin, &north).await, ["5CG0000001"]);
    for log in [&partner, &admin] {
        let entries = log.all("audit-log").await;
        assert!(entries.iter().any(|entry| entry["action"] == "transfer.committed"), "{entries:?}");
    }
    let level = &partner.all(&format!("customers/{north}/devices")).await[0]["support_level"];
    assert_eq!(level, "premium_plus", "the entitlement goes with the PC");
}

#[rstest]
#[tokio::test]
async fn a_later_line_for_a_pc_with_a_customer_moves_nothing(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "d16").await;
    let partner = partner_with(&world, "R-1", &["5CG0000001"]).await;
    world.partner("R-2").await;
    let north = partner.customer("Werft Nord").await;
    commit(&partner, &[("5CG0000001", &north)]).await;
    let distributor = world.distributor("D-9").await;
    let lines = ["5CG0000001 R-1 invoice=NEW", "5CG0000001 R-2 invoice=OTHER", "5CG0000001 R-1 kind=return"];
    let report = distributor.report("", "text/csv", csv(&lines)).await;
    let verdicts = distributor.verdicts(&report).await;
    assert_eq!(
        verdicts,
        [
            "recorded.already_with_customer",
            "disputed.customer_of_other_partner",
            "disputed.return_of_assigned"
        ]
    );
    assert_eq!(devices(&partner, &north).await, ["5CG0000001"]);
    assert_eq!(partner.pool().await, Vec::<String>::new());
}

#[rstest]
#[tokio::test]
async fn one_blocked_row_stops_all_unless_good_rows_only(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "blocked").await;
    let partner = partner_with(&world, "R-1", &["5CG0000001", "5CG0000002"]).await;
    let other = partner_with(&world, "R-2", &["5CG0000009"]).await;
    let north = partner.customer("Werft Nord").await;
    let invited = partner.invited_customer("Werft West").await;
    let foreign = other.customer("Fremd GmbH").await;
    let shown = preview(
        &partner,
        &[
            ("5CG0000001", &north),
            ("5CG0000009", &north),
            ("5CG0000008", &north),
            ("5CG0000002", &foreign),
            ("5CG0000002", "C-2222-2222"),
            ("5CG0000002", &invited),
            ("", ""),
        ],
    )
    .await;
    assert_eq!(
        codes(&shown),
        [
            "ready",
            "blocked transfer.device_not_found",
            "blocked transfer.device_not_found",
            "blocked transfer.target_not_found",
            "blocked transfer.target_not_found",
            "blocked transfer.customer_not_accepted transfer.nothing_shows_the_customer",
            "blocked transfer.serial_missing transfer.target_missing",
        ]
    );
    let (id, mut body) = id_and_digest(&shown);
    let path = format!("transfers/{id}/commit");
    let refused = partner.post(&path, body.clone()).await.expect(409);
    assert_eq!(refused["code"], "transfer.rows_blocked");
    assert_eq!(refused["errors"][0], json!({ "row": 2, "serial": "5CG0000009" }));
    assert_eq!(partner.pool().await.len(), 2, "all or none");
    // The rows that stop it, as a file to be mended and sent again.
    let file = partner.get(&format!("transfers/{id}/items?format=csv&verdict=blocked")).await;
    let lines: Vec<&str> = file.text.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!((lines.len(), file.status.as_u16()), (7, 200), "{}", file.text);
    assert!(lines[1].starts_with(&format!("2,5CG0000009,{north},blocked,,transfer.device_not_found,")));
    let again = ("text/csv", file.text.into_bytes());
    let again = partner.send(Method::POST, "/api/v1/transfers", Some(again)).await.expect(201);
    assert_eq!((&again["rows"], &again["blocked"]), (&json!(5), &json!(5)), "all but the empty one");
    body["good_rows_only"] = true.into();
    let done = partner.post(&path, body).await.expect(200);
    assert_eq!(done["moved"], 1);
    let results: Vec<&str> =
        done["items"].as_array().unwrap().iter().map(|item| item["result"].as_str().unwrap()).collect();
    assert_eq!(results[..2], ["moved", "left_out"]);
    assert_eq!(partner.pool().await, ["5CG0000002"]);
    assert_eq!(other.pool().await, ["5CG0000009"]);
}

/// What a partner could move and now cannot: a tenant that is disabled, closed, or has ended its partner meanwhile.
#[rstest]
#[tokio::test]
async fn a_target_that_closed_since_the_preview_takes_nothing(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "closing").await;
    let partner = partner_with(&world, "R-1", &["5CG0000001"]).await;
    let id = partner.invited_customer("Werft Nord").await;
    let admin = world.token(Role::ItAdmin, Some(&id)).await;
    admin.post(&format!("customers/{id}/assigned-partner/accept"), json!({})).await.expect(200);
    let disable = async |disabled: bool| {
        partner.patch(&format!("customers/{id}"), json!({ "disabled": disabled })).await.expect(200);
    };
    let (transfer, digest) = id_and_digest(&preview(&partner, &[("5CG0000001", &id)]).await);
    let path = format!("transfers/{transfer}/commit");
    let refused = async || {
        let refused = partner.post(&path, digest.clone()).await.expect(409);
        assert_eq!(refused["errors"], json!([{ "row": 1, "serial": "5CG0000001" }]));
        assert_eq!(refused["code"], "transfer.changed_since");
        codes(&preview(&partner, &[("5CG0000001", &id)]).await)
    };
    disable(true).await;
    assert_eq!(refused().await, ["blocked transfer.customer_disabled"]);
    disable(false).await;
    admin.patch(&format!("customers/{id}/assigned-partner"), json!({ "access": "closed" })).await.expect(200);
    assert_eq!(refused().await, ["blocked transfer.customer_closed"]);
    admin.post(&format!("customers/{id}/assigned-partner/end"), json!({})).await.expect(200);
    assert_eq!(refused().await, ["blocked transfer.target_not_found"]);
    assert_eq!(partner.pool().await, ["5CG0000001"]);
}

#[rstest]
#[tokio::test]
async fn nothing_comes_back_to_a_disabled_customer(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "no_way_back").await;
    let partner = partner_with(&world, "R-1", &["5CG0000001", "5CG0000002"]).await;
    let (north, south) = (partner.customer("Werft Nord").await, partner.invited_customer("Werft Süd").await);
    let admin = world.token(Role::ItAdmin, Some(&south)).await;
    admin.post(&format!("customers/{south}/assigned-partner/accept"), json!({})).await.expect(200);
    commit(&partner, &[("5CG0000001", &north), ("5CG0000002", &north)]).await;
    let away = commit(&partner, &[("5CG0000001", &south)]).await;
    partner.patch(&format!("customers/{north}"), json!({ "disabled": true })).await.expect(200);

    // An undo judges as a transfer does, and an arrival that is declined goes to the pool instead.
    let path = format!("transfers/{away}/undo");
    let refused = partner.post(&path, json!({})).await.expect(409);
    assert_eq!(refused["code"], "transfer.undo_conflicts");
    assert_eq!(refused["errors"], json!([{ "row": 1, "serial": "5CG0000001" }]));
    let declined = json!({ "serials": ["5CG0000001"], "reason": "Not ours" });
    admin.post(&format!("customers/{south}/arrivals/decline"), declined).await.expect(200);
    assert_eq!(devices(&partner, &north).await, ["5CG0000002"]);
    assert_eq!(partner.pool().await, ["5CG0000001"]);

    // What is there can be taken away.
    commit(&partner, &[("5CG0000002", "unassigned")]).await;
    assert_eq!(devices(&partner, &north).await, Vec::<String>::new());
}

#[rstest]
#[tokio::test]
async fn a_foreign_serial_and_an_unknown_one_are_answered_alike(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "alike").await;
    let partner = partner_with(&world, "R-1", &["5CG0000001"]).await;
    partner_with(&world, "R-2", &["5CG0000009"]).await;
    let north = partner.customer("Werft Nord").await;
    let masked = |mut answer: Value, serial: &str| {
        for field in ["id", "digest", "created_at"] {
            answer[field] = Value::Null;
        }
        answer.to_string().replace(serial, "SERIAL")
    };
    let foreign = masked(preview(&partner, &[("5CG0000009", &north)]).await, "5CG0000009");
    let unknown = masked(preview(&partner, &[("5CG0000007", &north)]).await, "5CG0000007");
    assert_eq!(foreign, unknown);
}

#[rstest]
#[tokio::test]
async fn a_stale_or_foreign_digest_moves_nothing_and_names_the_rows(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "stale").await;
    let partner = partner_with(&world, "R-1", &["5CG0000001", "5CG0000002"]).await;
    let (north, south) = (partner.customer("Werft Nord").await, partner.customer("Werft Süd").await);
    let shown = preview(&partner, &[("5CG0000001", &north), ("5CG0000002", &north)]).await;
    let (id, digest) = id_and_digest(&shown);
    let path = format!("transfers/{id}/commit");
    for wrong in [json!({}), json!({ "digest": "00" }), json!({ "digest": "no digest" })] {
        assert_eq!(partner.post(&path, wrong).await.refused(409), "transfer.digest_wrong");
    }
    commit(&partner, &[("5CG0000002", &south)]).await;
    let refused = partner.post(&path, digest.clone()).await.expect(409);
    assert_eq!(refused["code"], "transfer.changed_since");
    assert_eq!(refused["errors"], json!([{ "row": 2, "serial": "5CG0000002" }]));
    // In the background the operation tells it.
    let body = ("application/json", digest.to_string().into_bytes());
    let later = &[("prefer", "respond-async")];
    let begun = partner.send_with(Method::POST, &format!("/api/v1/{path}"), Some(body), later).await;
    let told = partner.done(begun.expect(202)["operation"]["id"].as_str().unwrap()).await;
    assert_eq!(
        (&told["state"], &told["result"]["code"]),
        (&json!("failed"), &json!("transfer.changed_since"))
    );
    assert_eq!(told["result"]["rows"], json!([2]));
    assert_eq!(partner.get(&format!("transfers/{id}")).await.expect(200)["state"], "previewed");
    assert_eq!(devices(&partner, &north).await, Vec::<String>::new());
    let other = world.partner("R-2").await;
    assert_eq!(other.post(&path, digest).await.refused(404), "not_found");
}

#[rstest]
#[tokio::test]
async fn an_undo_restores_every_placement_or_lists_the_conflicts(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "undo").await;
    let serials = ["5CG0000001", "5CG0000002", "5CG0000003"];
    let partner = partner_with(&world, "R-1", &serials).await;
    let (north, south) = (partner.customer("Werft Nord").await, partner.customer("Werft Süd").await);
    commit(&partner, &[("5CG0000003", &south)]).await;
    let id =
        commit(&partner, &[("5CG0000001", &north), ("5CG0000002", &south), ("5CG0000003", &north)]).await;
    let path = format!("transfers/{id}/undo");
    let shown = partner.post(&format!("{path}?validate_only=true"), json!({})).await.expect(200);
    assert_eq!(codes(&shown), ["ready", "ready", "ready"]);
    assert_eq!(devices(&partner, &north).await.len(), 2, "a preview moves nothing");
    let done = partner.post(&path, json!({})).await.expect(200);
    assert_eq!(done["state"], "undone");
    assert_eq!(partner.pool().await, serials[..2]);
    assert_eq!(devices(&partner, &south).await, ["5CG0000003"]);
    assert_eq!(devices(&partner, &north).await, Vec::<String>::new());
    partner.post(&path, json!({})).await.expect(200);
    assert_eq!(partner.pool().await, serials[..2], "once only");

    // One of two has moved on since.
    let id = commit(&partner, &[("5CG0000001", &north), ("5CG0000002", &north)]).await;
    commit(&partner, &[("5CG0000001", &south)]).await;
    let path = format!("transfers/{id}/undo");
    let refused = partner.post(&path, json!({})).await.expect(409);
    assert_eq!(refused["code"], "transfer.undo_conflicts");
    assert_eq!(refused["errors"], json!([{ "row": 1, "serial": "5CG0000001" }]));
    let done = partner.post(&path, json!({ "good_rows_only": true })).await.expect(200);
    let results: Vec<&str> =
        done["items"].as_array().unwrap().iter().map(|item| item["result"].as_str().unwrap()).collect();
    assert_eq!(results, ["moved", "undone"]);
    assert_eq!(partner.pool().await, ["5CG0000002"]);
    let mut tx = world.app.store.read(&roadstead_domain::access::system()).await.unwrap();
    let own = partner.get("customers?limit=1").await.expect(200);
    let own: roadstead_domain::ids::TenantId = world.operator.get("partners/R-1").await.expect(200)["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{own}"))
        .parse()
        .unwrap();
    let scope = roadstead_domain::access::system();
    let chain = roadstead_store::placements::verify_chain(&mut tx, &scope, own).await.unwrap();
    assert!(chain.is_ok_and(|entries| entries > 8), "{chain:?}");
}

#[rstest]
#[tokio::test]
async fn many_rows_are_moved_in_the_background(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "many").await;
    let serials: Vec<String> = (0..1_200).map(|n| format!("5CG{n:07}")).collect();
    let names: Vec<&str> = serials.iter().map(String::as_str).collect();
    let partner = partner_with(&world, "R-1", &names).await;
    let north = partner.customer("Werft Nord").await;
    let rows: Vec<(&str, &str)> = names.iter().map(|serial| (*serial, north.as_str())).collect();
    let (id, digest) = id_and_digest(&preview(&partner, &rows).await);
    let accepted = partner.post(&format!("transfers/{id}/commit"), digest).await.expect(202);
    let operation = partner.done(accepted["operation"]["id"].as_str().unwrap()).await;
    assert_eq!((&operation["state"], &operation["result"]["moved"]), (&json!("succeeded"), &json!(1200)));
    assert_eq!(devices(&partner, &north).await, serials);
    let accepted = partner.post(&format!("transfers/{id}/undo"), json!({})).await.expect(202);
    let operation = partner.done(accepted["operation"]["id"].as_str().unwrap()).await;
    assert_eq!(operation["state"], "succeeded", "{operation}");
    assert_eq!(partner.pool().await, serials);
}

#[rstest]
#[tokio::test]
async fn of_two_transfers_of_one_pc_one_wins_and_the_other_is_told(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "race").await;
    let partner = partner_with(&world, "R-1", &["5CG0000001"]).await;
    let (north, south) = (partner.customer("Werft Nord").await, partner.customer("Werft Süd").await);
    let mut commits = Vec::new();
    for customer in [&north, &south] {
        let (id, digest) = id_and_digest(&preview(&partner, &[("5CG0000001", customer)]).await);
        commits.push((format!("transfers/{id}/commit"), digest));
    }
    let [(a, da), (b, db)] = &commits[..] else { unreachable!() };
    let (first, second) = tokio::join!(partner.post(a, da.clone()), partner.post(b, db.clone()));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", first.text, second.text);
    let loser = if first.status == 409 { first } else { second };
    assert_eq!(loser.refused(409), "transfer.changed_since");
    assert_eq!(devices(&partner, &north).await.len() + devices(&partner, &south).await.len(), 1);
}

/// The same thing asked for at two nodes, by the second before the first has answered.
#[rstest]
#[tokio::test]
async fn what_is_asked_for_twice_at_once_is_done_once(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "twice").await;
    let (second, _node) = world.second_node().await;
    let partner = partner_with(&world, "R-1", &["5CG0000001"]).await;
    let there = partner.at(&second);
    let north = partner.customer("Werft Nord").await;
    let (id, digest) = id_and_digest(&preview(&partner, &[("5CG0000001", &north)]).await);
    for (what, body, state, left) in [("commit", digest, "committed", 1), ("undo", json!({}), "undone", 0)] {
        let path = format!("transfers/{id}/{what}");
        let both = tokio::join!(partner.post(&path, body.clone()), there.post(&path, body.clone()));
        for answer in [both.0, both.1] {
            assert_eq!(answer.expect(200)["state"], state);
        }
        assert_eq!(devices(&partner, &north).await.len(), left);
    }
}

/// Whether somebody who does not want to wait asks before or after somebody who does.
#[rstest]
#[tokio::test]
async fn an_operation_that_was_promised_ends(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "promised").await;
    let (second, _node) = world.second_node().await;
    let partner = partner_with(&world, "R-1", &["5CG0000001"]).await;
    let there = partner.at(&second);
    let north = partner.customer("Werft Nord").await;
    let (id, digest) = id_and_digest(&preview(&partner, &[("5CG0000001", &north)]).await);
    for (what, body, left) in [("commit", digest, 1), ("undo", json!({}), 0)] {
        let path = format!("transfers/{id}/{what}");
        let bytes = Some(("application/json", body.to_string().into_bytes()));
        let (long, later) = (format!("/api/v1/{path}"), [("prefer", "respond-async")]);
        let both = tokio::join!(
            partner.send_with(Method::POST, &long, bytes, &later),
            there.post(&path, body.clone())
        );
        for answer in [both.0, both.1] {
            assert!([200, 202].contains(&answer.status.as_u16()), "{}", answer.text);
            if answer.status == 202 {
                let operation = partner.done(answer.json()["operation"]["id"].as_str().unwrap()).await;
                assert_eq!(operation["state"], "succeeded", "{operation}");
            }
        }
        assert_eq!(devices(&partner, &north).await.len(), left);
    }
}

/// The lease of a job may end before its one transaction does: then another node runs it, too.
#[rstest]
#[tokio::test]
async fn a_transfer_that_two_nodes_run_is_done_once_and_succeeds(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "runners").await;
    let partner = partner_with(&world, "R-1", &["5CG0000001"]).await;
    let north = partner.customer("Werft Nord").await;
    let shown = preview(&partner, &[("5CG0000001", &north)]).await;
    let id: TransferId = shown["id"].as_str().unwrap().parse().unwrap();
    let own = world.operator.get("partners/R-1").await.expect(200);
    let own: TenantId = own["id"].as_str().unwrap().parse().unwrap();
    let caller = Caller { actor: Actor::System, role: Role::PartnerAdmin, home: Home::Partner(own) };
    let (app, scope) = (&world.app, access::authorize(&caller, Action::Transfer).unwrap());
    for (before, under_way, job, left) in [
        ("previewed", "committing", jobs::Kind::CommitTransfer, 1),
        ("committed", "undoing", jobs::Kind::UndoTransfer, 0),
    ] {
        // Without a job: nobody runs it but these two.
        let (operation, now): (OperationId, _) = (app.ambient.id(), app.ambient.now());
        let mut tx = app.store.write(&scope).await.unwrap();
        operations::create(&mut tx, operation, "transfer", Some(own.0), 1, now).await.unwrap();
        let begun = transfers::advance(&mut tx, &scope, id, before, under_way, Some(operation)).await;
        assert!(begun.unwrap());
        tx.commit().await.unwrap();
        let both = tokio::join!(in_background::run(app, id, job), in_background::run(app, id, job));
        both.0.and(both.1).unwrap();
        let ended = partner.get(&format!("operations/{operation}")).await.expect(200);
        assert_eq!((&ended["state"], &ended["result"]["moved"]), (&json!("succeeded"), &json!(1)));
        assert_eq!(devices(&partner, &north).await.len(), left);
    }
}

/// Begins to carry a preview of R-1's out, without a job: nobody goes on with it.
pub(crate) async fn begun(world: &World, id: &str) {
    let own = world.operator.get("partners/R-1").await.expect(200);
    let own: TenantId = own["id"].as_str().unwrap().parse().unwrap();
    let caller = Caller { actor: Actor::System, role: Role::PartnerAdmin, home: Home::Partner(own) };
    let (app, scope) = (&world.app, access::authorize(&caller, Action::Transfer).unwrap());
    let (operation, now): (OperationId, _) = (app.ambient.id(), app.ambient.now());
    let id: TransferId = id.parse().unwrap();
    let mut tx = app.store.write(&scope).await.unwrap();
    operations::create(&mut tx, operation, "transfer", Some(own.0), 1, now).await.unwrap();
    let begun = transfers::advance(&mut tx, &scope, id, "previewed", "committing", Some(operation)).await;
    assert!(begun.unwrap());
    tx.commit().await.unwrap();
}

/// A large one is done in one step: how long it has been asked for is what there is to tell of it.
#[rstest]
#[tokio::test]
async fn a_transfer_under_way_says_since_when(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "sincewhen").await;
    let partner = partner_with(&world, "R-1", &["5CG0000001"]).await;
    let north = partner.customer("Werft Nord").await;
    let (id, _) = id_and_digest(&preview(&partner, &[("5CG0000001", &north)]).await);
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let portal = Portal::sign_in(&world, "one@example.com").await;
    let page = async || portal.get(&format!("/transfers/{id}")).await.text;
    assert!(!page().await.contains("data-elapsed"));
    begun(&world, &id).await;
    world.clock.step_seconds(42);
    let under_way = page().await;
    assert!(under_way.contains("in one step, all of them or none"), "{under_way}");
    assert!(under_way.contains("Asked for on ") && under_way.contains("data-elapsed=\"42\""), "{under_way}");
    assert!(under_way.contains("data-counted=\"{time} so far.\""), "{under_way}");
    let transfer: TransferId = id.parse().unwrap();
    in_background::run(&world.app, transfer, jobs::Kind::CommitTransfer).await.unwrap();
    assert!(!page().await.contains("data-elapsed"));
}

/// Forgets what is past its time, once.
async fn swept(world: &World) {
    let stop = CancellationToken::new();
    stop.cancel();
    keep_house(world.app.clone(), stop).await;
}

#[rstest]
#[tokio::test]
async fn a_preview_is_forgotten_after_a_week_and_a_transfer_is_not(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "oldpreviews").await;
    let partner = partner_with(&world, "R-1", &["5CG0000001", "5CG0000002"]).await;
    let north = partner.customer("Werft Nord").await;
    let (old, _) = id_and_digest(&preview(&partner, &[("5CG0000001", &north)]).await);
    let done = commit(&partner, &[("5CG0000002", &north)]).await;
    world.clock.step_seconds(8 * 24 * 3600);
    let (new, _) = id_and_digest(&preview(&partner, &[("5CG0000001", &north)]).await);
    swept(&world).await;
    assert_eq!(partner.get(&format!("transfers/{old}")).await.refused(404), "not_found");
    for kept in [done, new] {
        let transfer = partner.get(&format!("transfers/{kept}")).await.expect(200);
        assert_eq!(transfer["items"].as_array().unwrap().len(), 1, "{transfer}");
    }
    let mut tx = world.app.store.read(&access::system()).await.unwrap();
    assert_eq!(tx.number("SELECT COUNT(*) FROM transfer_items", vec![]).await.unwrap(), 2);
}

#[tokio::test]
async fn an_old_preview_that_is_being_carried_out_is_not_forgotten() {
    let world = World::start(Postgres, "heldpreview").await;
    let partner = partner_with(&world, "R-1", &["5CG0000001"]).await;
    let north = partner.customer("Werft Nord").await;
    let (id, digest) = id_and_digest(&preview(&partner, &[("5CG0000001", &north)]).await);
    world.clock.step_seconds(8 * 24 * 3600);
    // The commit holds its transfer, and waits for the moves of another node.
    let system = access::system();
    let mut other = world.app.store.write(&system).await.unwrap();
    other.lock_placements().await.unwrap();
    let (there, path) = (partner.clone(), format!("transfers/{id}/commit"));
    let committed = tokio::spawn(async move { there.post(&path, digest).await });
    eventually("the commit holds the transfer", async || {
        let mut tx = world.app.store.read(&system).await.unwrap();
        let free = "SELECT COUNT(*) FROM (SELECT id FROM transfers FOR UPDATE SKIP LOCKED) AS t";
        (tx.number(free, vec![]).await.unwrap() == 0).then_some(())
    })
    .await;
    tokio::time::timeout(Duration::from_secs(30), swept(&world)).await.expect("nobody is waited for");
    other.commit().await.unwrap();
    let done = committed.await.unwrap().expect(200);
    assert_eq!((&done["state"], &done["items"][0]["result"]), (&json!("committed"), &json!("moved")));
    assert_eq!(devices(&partner, &north).await, ["5CG0000001"]);
}

#[rstest]
#[tokio::test]
async fn a_list_may_come_as_csv(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "csvlist").await;
    let partner = partner_with(&world, "R-1", &["5CG0000001", "5CG0000002"]).await;
    let north = partner.customer("Werft Nord").await;
    let text = format!("\u{feff}Seriennummer;Kunden-ID\n5CG0000001;{north}\n\n5cg0000002;{north}\n");
    let path = "/api/v1/transfers";
    let shown = partner.send(Method::POST, path, Some(("text/csv", text.into_bytes()))).await.expect(201);
    assert_eq!(codes(&shown), ["ready", "ready"]);
    let refused = partner.send(Method::POST, path, Some(("text/csv", b"serial\n5CG1\n".to_vec()))).await;
    let refused = refused.expect(422);
    assert_eq!(
        (&refused["code"], &refused["errors"][0]["field"]),
        (&json!("transfer.column_missing"), &json!("to"))
    );
    assert_eq!(partner.post("transfers", json!({ "items": [] })).await.refused(422), "transfer.empty");
    let reader = world.token(Role::PartnerReadOnly, Some("R-1")).await;
    assert_eq!(reader.post("transfers", json!({ "items": [] })).await.refused(403), "forbidden");
    assert_eq!(reader.all("transfers").await.len(), 1);
}

#[rstest]
#[tokio::test]
async fn the_form_reads_a_table_by_the_names_of_its_columns(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "formtable").await;
    let partner = partner_with(&world, "R-1", &["5CG0000001"]).await;
    let north = partner.customer("Werft Nord").await;
    let shown = preview(&partner, &[("5CG0000001", &north), ("5CG0000009", &north)]).await;
    let wanted = ["ready", "blocked transfer.device_not_found"];
    assert_eq!(codes(&shown), wanted);
    let (id, _) = id_and_digest(&shown);
    let file = partner.get(&format!("transfers/{id}/items?format=csv")).await.text;
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let portal = Portal::sign_in(&world, "one@example.com").await;
    let send = async |text: &str, to: &str| {
        world.clock.step_seconds(1);
        portal.submit_from("/transfers/new", "/transfers", &[("serials", text), ("to", to)]).await
    };
    let german = file.replacen("Row,Serial,To,", "Zeile,Seriennummer,Ziel,", 1);
    assert_ne!(german, file);
    let swapped = format!("Kunden-ID;Menge;Seriennummer\r\n{north};1;5CG0000001\r\n;1;5CG0000009\r\n");
    let list = format!("5CG0000001;{north}\n5CG0000009\n");
    let customer = north.as_str();
    for (text, to) in [(&file, ""), (&german, ""), (&swapped, customer), (&list, customer)] {
        let sent = send(text, to).await;
        assert_eq!(sent.status.as_u16(), 303, "{text}: {}", sent.text);
        let made = partner.all("transfers").await.remove(0);
        let made = partner.get(&format!("transfers/{}", made["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(codes(&made), wanted, "{text}");
    }
    assert_eq!(partner.all("transfers").await.len(), 5);
    let refused = send("Serial;To;Customer\n5CG0000001;C-1;C-2\n", "").await;
    assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
    // A list as long as it may be has its place in a form; of a longer one the rows are told.
    let long: String = (0..=MOST_ROWS).map(|n| format!("5CG{n:07};C-7K2M-Q9XD\n")).collect();
    assert!(long.len() > 2 << 20);
    let refused = send(&long, "").await;
    assert_eq!(refused.status.as_u16(), 422);
    assert!(refused.text.contains("Too many rows at once"));
}

#[rstest]
#[tokio::test]
async fn d08_a_customer_sends_an_arrival_back_for_14_days(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "d08").await;
    let partner = partner_with(&world, "R-1", &["5CG0000001", "5CG0000002", "5CG0000003"]).await;
    let (run, invited) = (partner.customer("Own").await, partner.invited_customer("Werft Nord").await);
    let admin = world.token(Role::ItAdmin, Some(&invited)).await;
    admin.post(&format!("customers/{invited}/assigned-partner/accept"), json!({})).await.expect(200);
    commit(&partner, &[("5CG0000001", &run)]).await;
    commit(&partner, &[("5CG0000001", &invited), ("5CG0000002", &invited)]).await;
    let arrivals = admin.all(&format!("customers/{invited}/arrivals")).await;
    assert_eq!(arrivals.len(), 2, "{arrivals:?}");
    let path = format!("customers/{invited}/arrivals/decline");
    let decline = |serials: &[&str]| json!({ "serials": serials, "reason": "Not our PCs" });
    assert_eq!(admin.post(&path, json!({ "serials": ["5CG0000001"] })).await.refused(422), "field.missing");
    let refused = admin.post(&path, decline(&["5CG0000001", "5CG0000003"])).await.expect(409);
    assert_eq!(refused["errors"], json!([{ "row": 2, "serial": "5CG0000003" }]));
    assert_eq!(devices(&admin, &invited).await.len(), 2, "all or none");
    let done = admin.post(&path, decline(&["5CG0000001", "5cg0000002"])).await.expect(200);
    assert_eq!(done["declined"], 2);
    assert_eq!(devices(&admin, &invited).await, Vec::<String>::new());
    assert_eq!(devices(&partner, &run).await, ["5CG0000001"], "each goes back to where it came from");
    assert_eq!(partner.pool().await, ["5CG0000002", "5CG0000003"]);
    let log = partner.all("audit-log").await;
    let told = log.iter().find(|entry| entry["action"] == "arrival.declined").unwrap();
    assert_eq!(told["detail"]["reason"], "Not our PCs");

    // After 14 days it stays, and the partner itself has no such call.
    commit(&partner, &[("5CG0000002", &invited)]).await;
    assert!([403, 404].contains(&partner.post(&path, decline(&["5CG0000002"])).await.status.as_u16()));
    world.clock.step_seconds(14 * 24 * 3600);
    assert_eq!(admin.post(&path, decline(&["5CG0000002"])).await.refused(409), "arrival.too_late");
    let of_run = world.token(Role::ItAdmin, Some(&run)).await;
    let path = format!("customers/{run}/arrivals/decline");
    assert_eq!(of_run.post(&path, decline(&["5CG0000001"])).await.refused(409), "customer.partner_managed");
}

/// As many as a node has connections to PostgreSQL, one of which holds everybody else's moves up.
#[rstest]
#[tokio::test]
async fn many_arrivals_are_answered_at_once(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "answers").await;
    let serials: Vec<String> = (0..16).map(|n| format!("5CG{n:07}")).collect();
    let names: Vec<&str> = serials.iter().map(String::as_str).collect();
    let partner = partner_with(&world, "R-1", &names).await;
    let customer = partner.invited_customer("Werft Nord").await;
    let admin = world.token(Role::ItAdmin, Some(&customer)).await;
    admin.post(&format!("customers/{customer}/assigned-partner/accept"), json!({})).await.expect(200);
    let rows: Vec<(&str, &str)> = names.iter().map(|serial| (*serial, customer.as_str())).collect();
    commit(&partner, &rows).await;
    let answers: Vec<_> = serials
        .iter()
        .enumerate()
        .map(|(n, serial)| {
            let admin = admin.clone();
            let what = if n % 2 == 0 { "confirm" } else { "decline" };
            let path = format!("customers/{customer}/arrivals/{what}");
            // One that is listed twice is confirmed or declined once.
            let body = json!({ "serials": [serial, serial.to_lowercase()], "reason": "Not ours" });
            tokio::spawn(async move { admin.post(&path, body).await.expect(200) })
        })
        .collect();
    for (n, answer) in answers.into_iter().enumerate() {
        let what = if n % 2 == 0 { "confirmed" } else { "declined" };
        assert_eq!(answer.await.unwrap()[what], 1, "{n}");
    }
    let there: Vec<&str> = names.iter().copied().step_by(2).collect();
    assert_eq!(devices(&admin, &customer).await, there);
}

#[rstest]
#[tokio::test]
async fn a_proof_of_one_serial_is_checked_offline(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "proof").await;
    let partner = partner_with(&world, "R-1", &["5CG0000001", "5CG0000002"]).await;
    let north = partner.customer("Werft Nord").await;
    commit(&partner, &[("5CG0000002", &north)]).await;
    let proof = partner.get("audit-log/proof?serial=5cg0000002").await;
    assert_eq!(proof.status, 200, "{}", proof.text);
    let directory = tempfile::TempDir::new().unwrap();
    let check = |text: &str| {
        let file = directory.path().join("proof.csv");
        std::fs::write(&file, text).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_roadstead"));
        command.args(["audit", "check", "--serial", "5CG0000002"]).arg(&file).output().unwrap()
    };
    let held = check(&proof.text);
    let said = String::from_utf8_lossy(&held.stdout).into_owned();
    assert!(held.status.success() && said.contains("2 moves of 5CG0000002 in 2 entries hold"), "{held:?}");
    let last = proof.text.trim_end().len() - 1;
    let other = if proof.text.as_bytes()[last] == b'0' { "1" } else { "0" };
    let flipped = format!("{}{other}\n", &proof.text[..last]);
    let broken = check(&flipped);
    assert!(!broken.status.success());
    assert!(String::from_utf8_lossy(&broken.stderr).contains("row 2 does not follow"), "{broken:?}");
    // One that an earlier release made.
    let to = TenantId(uuid::Uuid::from_u128(3));
    let entry = ChainEntry {
        partner: TenantId(uuid::Uuid::from_u128(1)),
        seq: 1,
        device: DeviceId(uuid::Uuid::from_u128(2)),
        serial: "5CG0000002",
        from: None,
        to: Some(to),
        generation: 1,
        at: 5,
        grounds: None,
    };
    let (partner, device) = (entry.partner, entry.device);
    let (before, hash) = (hex::encode(CHAIN_START), hex::encode(entry.hash(&CHAIN_START)));
    let old = |at: i64| {
        format!(
            "partner,seq,device,serial,from,to,generation,at,before,hash\n\
             {partner},1,{device},5CG0000002,,{to},1,{at},{before},{hash}\n"
        )
    };
    assert!(check(&old(5)).status.success(), "{:?}", check(&old(5)));
    assert!(!check(&old(6)).status.success());
    let stranger = partner_with(&world, "R-2", &[]).await;
    assert_eq!(stranger.get("audit-log/proof?serial=5CG0000002").await.refused(404), "not_found");
}
