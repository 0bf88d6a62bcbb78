//! `Idempotency-Key`: one request works, whatever comes beside or after it gets its answer.

use std::collections::HashSet;

use futures_util::future::join_all;
use reqwest::Method;
use roadstead_domain::access;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{Answer, Client, World, csv};

async fn send(client: &Client, path: &str, kind: &str, body: &str, key: &str) -> Answer {
    let body = Some((kind, body.as_bytes().to_vec()));
    client.send_with(Method::POST, &format!("/api/v1/{path}"), body, &[("idempotency-key", key)]).await
}

/// A partner without a number of its own would be made again by each request that works: reporters and partners refuse
/// that, invitations do not, so each that works leaves a line in the log.
async fn invited(world: &World) -> usize {
    let log = world.operator.all("audit-log").await;
    log.iter().filter(|entry| entry["action"] == "user.invited").count()
}

#[rstest]
#[tokio::test]
async fn of_many_at_once_one_works(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "idemonce").await;
    let body = json!({ "email": "anna@example.com", "name": "Anna", "role": "operator" }).to_string();
    let mut nodes = vec![world.operator.clone()];
    let second = if kind == Postgres { Some(world.second_node().await) } else { None };
    if let Some((url, _)) = &second {
        nodes.push(world.operator.at(url));
    }
    let requests =
        (0..12).map(|n| send(&nodes[n % nodes.len()], "invitations", "application/json", &body, "k"));
    let mut ids = HashSet::new();
    for answer in join_all(requests).await {
        match answer.status.as_u16() {
            201 => ids.insert(answer.json()["id"].to_string()),
            _ => {
                assert_eq!(answer.refused(409), "idempotency_key.in_progress");
                false
            }
        };
    }
    assert_eq!((ids.len(), invited(&world).await), (1, 1));
    // In whatever way the type is written.
    let again = send(&world.operator, "invitations", "application/json", &body, "k").await.expect(201);
    assert!(ids.contains(&again["id"].to_string()));
    for key in ["k2", "k2"] {
        send(&world.operator, "invitations", "Application/JSON; charset=utf-8", &body, key).await.expect(201);
    }
    assert_eq!(invited(&world).await, 2);
    assert_eq!(
        send(&world.operator, "invitations", "application/json", &body, "").await.refused(400),
        "idempotency_key.invalid"
    );
}

#[rstest]
#[tokio::test]
async fn a_file_under_a_key_comes_whole_each_time(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "idemfile").await;
    let partner = world.partner("R-1").await;
    let list = json!({ "serials": ["5CG0000001"] }).to_string();
    for _ in 0..2 {
        let asked = reqwest::Client::new()
            .post(format!("{}/api/v1/serials/verdicts?format=xlsx", world.url))
            .bearer_auth(partner.token.as_ref().unwrap())
            .header("idempotency-key", "k")
            .header("content-type", "application/json")
            .body(list.clone());
        let sheet = asked.send().await.unwrap();
        let kind = sheet.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(kind.starts_with("application/vnd.openxmlformats"), "{kind}");
        assert!(sheet.bytes().await.unwrap().starts_with(b"PK\x03\x04"));
    }
}

#[rstest]
#[tokio::test]
async fn a_claim_of_a_node_that_died_ends(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "idemclaim").await;
    let body = json!({ "email": "anna@example.com", "name": "Anna", "role": "operator" }).to_string();
    let first = send(&world.operator, "invitations", "application/json", &body, "k").await;
    first.expect(201);
    // As a node leaves it that is killed while it works.
    let mut tx = world.app.store.write(&access::system()).await.unwrap();
    let claimed = tx
        .execute(
            "UPDATE idempotency_keys SET status = 0, body = '', claimed_until = created_at + 600000000",
            vec![],
        )
        .await
        .unwrap();
    assert_eq!(claimed, 1);
    tx.commit().await.unwrap();
    let again = send(&world.operator, "invitations", "application/json", &body, "k").await;
    assert_eq!(again.refused(409), "idempotency_key.in_progress");
    world.clock.step_seconds(601);
    send(&world.operator, "invitations", "application/json", &body, "k").await.expect(201);
    assert_eq!(invited(&world).await, 2);
}

#[rstest]
#[tokio::test]
async fn a_refused_request_frees_its_key_and_a_secret_is_not_kept(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "idemfree").await;
    let bad = json!({ "email": "anna", "name": "Anna", "role": "operator" }).to_string();
    let good = json!({ "email": "anna@example.com", "name": "Anna", "role": "operator" }).to_string();
    let refused = send(&world.operator, "invitations", "application/json", &bad, "k").await;
    assert_eq!(refused.refused(422), "field.not_an_address");
    crate::world::eventually("the key is free", async || {
        let answer = send(&world.operator, "invitations", "application/json", &good, "k").await;
        (answer.status.as_u16() == 201).then_some(())
    })
    .await;
    let token = json!({ "name": "monitor", "role": "operator" }).to_string();
    let made = send(&world.operator, "tokens", "application/json", &token, "t").await.expect(201);
    let secret = made["token"].as_str().unwrap().to_owned();
    let mut tx = world.app.store.read(&access::system()).await.unwrap();
    let kept = tx
        .number(
            "SELECT COUNT(*) FROM idempotency_keys WHERE body LIKE $1",
            vec![roadstead_store::engine::Arg::from(format!("%{secret}%"))],
        )
        .await
        .unwrap();
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn an_upload_with_a_key_is_taken_once() {
    let world = World::start(Sqlite, "idemupload").await;
    let distributor = world.distributor("D-1").await;
    let file = String::from_utf8(csv(&["5CG000000A R-1"])).unwrap();
    let large = format!("{file}{}", "\n".repeat(3 << 20));
    for (key, file) in [("small", &file), ("large", &large)] {
        let path = "sell-through-reports?validate_only=true";
        let first = send(&distributor, path, "text/csv", file, key).await.expect(202);
        let second = send(&distributor, path, "text/csv", file, key).await.expect(202);
        assert_eq!(first["report"]["id"], second["report"]["id"], "two previews without a key are two");
        let other: Value = send(&distributor, path, "text/csv", &format!("{file}\n"), key).await.expect(422);
        assert_eq!(other["code"], "idempotency_key.reused");
    }
}
