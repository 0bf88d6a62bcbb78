//! PCs that ask to join: signed requests, trust on first use, quarantine.

use roadstead_domain::wire::signature::Headers;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::json;

use crate::pc::Pc;
use crate::world::{World, csv};

#[rstest]
#[tokio::test]
async fn a_pc_in_a_pool_enrols_by_its_serial_and_a_second_key_waits(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "tofu").await;
    let partner = world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-1"])).await;

    let pc = Pc::new(&world, " 5cg000000a", 1);
    let answer = pc.enrol().await.expect(201);
    assert_eq!((&answer["state"], &answer["reason"]), (&json!("enrolled"), &json!(null)));
    let again = pc.enrol().await.expect(200);
    assert_eq!((&again["id"], &again["state"]), (&answer["id"], &json!("enrolled")));

    let thief = Pc::new(&world, "5CG000000A", 2).enrol().await.expect(201);
    assert_eq!(thief["state"], "waiting");
    assert_eq!(thief["reason"], "enrolment.second_key");
    assert_eq!(thief["message"], "The PC has another key already");
    assert_eq!(thief["retry_after_seconds"], 900);
    assert_eq!(pc.enrol().await.expect(200)["state"], "enrolled", "the first key stays");

    // The partner's log has both; the PC is still where it was, once.
    let log = partner.all("audit-log").await;
    let actions: Vec<&str> = log.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    for action in ["enrolment.waiting", "device.enrolled"] {
        assert_eq!(actions.iter().filter(|logged| **logged == action).count(), 1, "{actions:?}");
    }
    assert_eq!(partner.pool().await, ["5CG000000A"]);

    // One key cannot be two PCs.
    world.distributor("D-2").await.report("", "text/csv", csv(&["5CG000000B R-1"])).await;
    let copied = Pc::new(&world, "5CG000000B", 1).enrol().await.expect(201);
    assert_eq!((&copied["state"], &copied["reason"]), (&json!("waiting"), &json!("enrolment.key_taken")));
}

#[rstest]
#[tokio::test]
async fn b14_a_pc_that_was_never_reported_waits_in_quarantine(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "quarantine").await;
    let partner = world.partner("R-1").await;
    let pc = Pc::new(&world, "5CG000000C", 1);
    let waiting = pc.enrol().await.expect(201);
    assert_eq!((&waiting["state"], &waiting["reason"]), (&json!("waiting"), &json!("enrolment.not_placed")));
    assert_eq!(partner.pool().await, Vec::<String>::new());

    // A line places it, and the PC asks again.
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000C R-1"])).await;
    let enrolled = pc.enrol().await.expect(200);
    assert_eq!((&enrolled["id"], &enrolled["state"]), (&waiting["id"], &json!("enrolled")));
    assert_eq!(partner.pool().await, ["5CG000000C"]);
}

#[tokio::test]
async fn keys_that_race_for_a_serial_before_it_is_placed_all_wait() {
    let world = World::start(Sqlite, "rivals").await;
    world.partner("R-1").await;
    let (pc, thief) = (Pc::new(&world, "5CG000000D", 1), Pc::new(&world, "5CG000000D", 2));
    thief.enrol().await.expect(201);
    pc.enrol().await.expect(201);
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000D R-1"])).await;
    for each in [&thief, &pc, &thief] {
        assert_eq!(each.enrol().await.expect(200)["reason"], "enrolment.rival_keys");
    }
}

#[rstest]
#[tokio::test]
async fn a_request_is_taken_once_and_only_as_it_was_signed(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "signed").await;
    let pc = Pc::new(&world, "5CG000000E", 1);
    let wish = pc.wish();
    let headers = pc.sign("enrolments", &wish);
    pc.send("enrolments", &wish, &headers).await.expect(201);
    assert_eq!(pc.send("enrolments", &wish, &headers).await.refused(401), "signature.repeated");

    let mut other = wish.clone();
    other["serial"] = "5CG000000F".into();
    assert_eq!(pc.send("enrolments", &other, &headers).await.refused(401), "signature.digest");
    let thief = Pc::new(&world, "5CG000000E", 2);
    let forged = thief.sign("enrolments", &wish);
    assert_eq!(pc.send("enrolments", &wish, &forged).await.refused(401), "signature.wrong");
    let elsewhere = pc.at("http://elsewhere.example").sign("enrolments", &wish);
    assert_eq!(pc.send("enrolments", &wish, &elsewhere).await.refused(401), "signature.wrong");
    let headers = pc.sign("enrolments", &wish);
    let bare = Headers { signature_input: String::new(), ..headers.clone() };
    assert_eq!(pc.send("enrolments", &wish, &bare).await.refused(401), "signature.missing");
    let short = Headers { signature_input: headers.signature_input.replace("\"@method\" ", ""), ..headers };
    assert_eq!(pc.send("enrolments", &wish, &short).await.refused(401), "signature.coverage");

    for (field, value, code) in [
        ("public_key", "AAAA", "key.invalid"),
        ("serial", "5C", "serial.invalid"),
        ("serial", "", "serial.invalid"),
    ] {
        let mut bad = pc.wish();
        bad[field] = value.into();
        assert_eq!(pc.post("enrolments", bad).await.refused(422), code);
    }
    assert_eq!(pc.post("enrolments", json!([])).await.refused(400), "request.invalid");
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_the_time_and_one_retry_by_it_works() {
    let world = World::start(Sqlite, "skew").await;
    let pc = Pc::new(&world, "5CG000000G", 1);
    let wish = pc.wish();
    let early = pc.sign("enrolments", &wish);
    world.clock.step_seconds(24 * 3600);
    let refused = pc.send("enrolments", &wish, &early).await.expect(401);
    assert_eq!(refused["code"], "signature.clock_skewed");
    assert_eq!(refused["server_time"].as_str().unwrap().split('T').next(), Some("2026-11-23"), "{refused}");
    pc.enrol().await.expect(201);
}

#[tokio::test]
async fn one_of_two_nodes_takes_a_request_that_both_are_sent() {
    let world = World::start(Postgres, "nodesonce").await;
    let (other, _second) = world.second_node().await;
    let pc = Pc::new(&world, "5CG000000H", 1);
    // A proxy in front of both: the signature is for one address.
    let there = Pc::new(&world, "5CG000000H", 1).at(&other);
    let wish = pc.wish();
    let (here_headers, there_headers) = (pc.sign("enrolments", &wish), there.sign("enrolments", &wish));
    let answers = futures_util::join!(
        pc.send("enrolments", &wish, &here_headers),
        there.send("enrolments", &wish, &there_headers)
    );
    let statuses = [answers.0.status.as_u16(), answers.1.status.as_u16()];
    assert!(statuses == [201, 200] || statuses == [200, 201], "{answers:?}");
}
