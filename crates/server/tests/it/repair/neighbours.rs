//! What one PC's key shows and does of another PC: nothing.

use std::collections::BTreeSet;

use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::json;

use super::{Channel, bad_disk, case, form};
use crate::pc::Pc;

/// The channel, which never ends: what it tells is looked at in the end.
const ENDLESS: &str = "/device/v1/events";

#[rstest]
#[tokio::test]
async fn every_route_of_agents_called_by_another_pc_shows_and_changes_nothing(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let case = case(kind, "agents").await;
    let disks = ["CANARY sda", "CANARY sdb"].map(|name| json!({ "name": name, "passed": false }));
    case.pc.post("check-ins", json!({ "readings": { "disks": disks } })).await.expect(200);
    let mut channel = Channel::open(&case.pc, None, "en").await;
    channel.expect("settings").await;
    let (open, submitted) = (channel.expect("pop_up").await, channel.expect("pop_up").await);
    let sent = case.submit(&form(&submitted, 1)).await.expect(201);
    let (pop_up, repair_case) = (open["id"].as_str().unwrap(), sent["id"].as_str().unwrap());
    let own = [format!("pop-ups/{pop_up}"), format!("repair-cases/{repair_case}")];
    let mut before = Vec::new();
    for path in &own {
        before.push(case.pc.get(path).await.expect(200));
    }
    let secrets = ["CANARY", sent["number"].as_str().unwrap()];
    for (shown, secret) in before.iter().zip(secrets) {
        assert!(shown.to_string().contains(secret), "{shown}");
    }

    let other = Pc::new(&case.world, "5CG0000003", 3);
    other.enrol().await.expect(201);
    let mut next_door = Channel::open(&other, Some("0"), "en").await;
    next_door.expect("settings").await;
    let nobodys = Pc::new(&case.world, "5CG0000009", 9);
    let mut called = BTreeSet::new();
    for (method, route) in roadstead_server::device::routes().list {
        if route == ENDLESS {
            continue;
        }
        let id = if route.contains("/pop-ups/") { pop_up } else { repair_case };
        let path = route.strip_prefix("/device/v1/").unwrap().replace("{id}", id);
        let body = match path.as_str() {
            "enrolments" => continue,
            "repair-cases" => form(&open, 2),
            _ => json!({ "text": "What is it?" }),
        };
        for (who, is_known) in [(&other, true), (&nobodys, false)] {
            let answer = match method.as_str() {
                "GET" => who.get(&path).await,
                _ => who.post(&path, body.clone()).await,
            };
            let told = secrets.iter().find(|secret| answer.text.contains(**secret));
            assert_eq!(told, None, "{method} {path}: {}", answer.text);
            match (is_known, path.as_str()) {
                (false, _) => assert_eq!(answer.refused(401), "device.unknown", "{method} {path}"),
                (true, "check-ins") => drop(answer.expect(200)),
                (true, _) => assert_eq!(answer.refused(404), "not_found", "{method} {path}"),
            }
        }
        called.insert(path);
    }
    assert_eq!(called.len(), 9, "{called:?}");
    for (path, before) in own.iter().zip(before) {
        assert_eq!(case.pc.get(path).await.expect(200), before, "{path}");
    }
    // Asking to join by the other's serial is asking for the other's place: tested in `enrolments.rs`.
    case.submit(&form(&open, 2)).await.expect(201);
    other.post("check-ins", bad_disk()).await.expect(200);
    let told = next_door.expect("pop_up").await.to_string();
    assert!(!told.contains("CANARY"), "its channel tells of its own first: {told}");
}
