//! Check-ins of PCs: durable, once each, and silent about persons unless the tenant wants to know.

use roadstead_domain::access;
use roadstead_domain::wire::signature::Headers;
use roadstead_store::Tx;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use crate::pc::Pc;
use crate::world::{World, csv};

async fn tx(world: &World) -> Tx {
    world.app.store.read(&access::system()).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn a_pc_checks_in_once_enrolled(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "checkin").await;
    world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    let pc = Pc::new(&world, "5CG000000A", 1);
    let readings = json!({ "readings": { "disks": [{ "name": "/dev/sda", "attributes": { "5": 8 } }] }, "agent": "1.0" });
    assert_eq!(pc.post("check-ins", readings.clone()).await.refused(401), "device.unknown");
    pc.enrol().await.expect(201);
    let answer = pc.post("check-ins", readings.clone()).await.expect(200);
    assert_eq!(answer, json!({ "next_seconds": 300, "collect_user": false, "collect_location": false }));
    let found =
        roadstead_store::enrolments::with_serial(&mut tx(&world).await, &access::system(), "5CG000000A")
            .await;
    let device = found.unwrap()[0].device;
    let seen = roadstead_store::check_ins::last(&mut tx(&world).await, device).await.unwrap().unwrap();
    assert_eq!((seen.agent.as_str(), &seen.readings), ("1.0", &readings["readings"].to_string()));

    let headers = pc.sign("check-ins", &readings);
    pc.send("check-ins", &readings, &headers).await.expect(200);
    assert_eq!(pc.send("check-ins", &readings, &headers).await.refused(401), "signature.repeated");
    let stranger = Pc::new(&world, "5CG000000A", 2);
    assert_eq!(stranger.post("check-ins", readings.clone()).await.refused(401), "device.unknown");
    for bad in [json!({ "readings": 5 }), json!({ "readings": [] }), json!({ "agent": "x".repeat(201) })] {
        assert_eq!(pc.post("check-ins", bad).await.status.as_u16(), 422);
    }
    let large = json!({ "readings": { "x": "y".repeat(70_000) } });
    assert_eq!(pc.post("check-ins", large).await.refused(422), "field.too_long");
}

/// The server's clock was a day ahead, and all PCs with it, which go by the server's time.
#[rstest]
#[tokio::test]
async fn a_clock_that_is_set_back_keeps_no_pc_out(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "set_back").await;
    world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    let pc = Pc::new(&world, "5CG000000A", 1);
    pc.enrol().await.expect(201);
    world.clock.step_seconds(24 * 3600);
    pc.post("check-ins", json!({})).await.expect(200);
    world.clock.step_seconds(-24 * 3600);
    let body = json!({ "agent": "in time" });
    let headers = pc.sign("check-ins", &body);
    pc.send("check-ins", &body, &headers).await.expect(200);
    assert_eq!(pc.send("check-ins", &body, &headers).await.refused(401), "signature.repeated");
    // As far as clocks may differ it is the PC's own that was set back: it waits until its time has come again.
    world.clock.step_seconds(-300);
    assert_eq!(pc.post("check-ins", json!({})).await.refused(401), "signature.repeated");
    world.clock.step_seconds(301);
    pc.post("check-ins", json!({})).await.expect(200);
}

/// Whoever kept what a PC sent changes nothing by sending it again, in whatever order.
#[rstest]
#[tokio::test]
async fn of_check_ins_each_is_taken_once_and_none_after_one_that_was_signed_later(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "in_order").await;
    let partner = world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    let pc = Pc::new(&world, "5CG000000A", 1);
    pc.enrol().await.expect(201);
    let customer = partner.customer("Werft Nord").await;
    pc.enrol_with(&partner.cpin(&customer).await).await.expect(200);
    let wanted = json!({ "collect_user": true, "collect_location": true }).to_string().into_bytes();
    let path = format!("/api/v1/customers/{customer}/privacy");
    partner.send(reqwest::Method::PUT, &path, Some(("application/json", wanted))).await.expect(200);
    let kept = async || -> (String, String, i64) {
        let sql = "SELECT k.agent, p.last_user, (SELECT COUNT(*) FROM check_ins_to_judge) \
                   FROM check_ins k JOIN personal_data p ON p.device = k.device";
        tx(&world).await.optional(sql, vec![]).await.unwrap().unwrap()
    };
    let ill = json!({ "disks": [{ "name": "/dev/sda", "attributes": { "197": 9 } }] });
    let body = |name: &str, readings: &Value| json!({ "readings": readings, "agent": name, "user": name });
    let signed =
        |name: &str, readings: &Value| (body(name, readings), pc.sign("check-ins", &body(name, readings)));
    let send = async |(body, headers): &(Value, Headers)| pc.send("check-ins", body, headers).await;
    // A worn disk, and never sent in its time.
    let held_back = signed("held back", &ill);
    world.clock.step_seconds(1);
    let in_one_second = ["a", "b", "c"].map(|name| signed(name, &json!({})));
    for one in &in_one_second {
        send(one).await.expect(200);
        assert_eq!(kept().await.1, one.0["user"].as_str().unwrap());
    }
    let refused = async |what: &(Value, Headers), stands: &str| {
        assert_eq!(send(what).await.refused(401), "signature.repeated");
        assert_eq!(kept().await, (stands.to_owned(), stands.to_owned(), 0), "{}", what.0);
    };
    for one in in_one_second.iter().chain([&held_back]) {
        refused(one, "c").await;
    }
    world.clock.step_seconds(1);
    let next = signed("d", &json!({}));
    send(&next).await.expect(200);
    for one in in_one_second.iter().chain([&next, &held_back]) {
        refused(one, "d").await;
    }
    assert_eq!(partner.get("alerts").await.expect(200)["items"], json!([]));
    // Signed anew, what was held back is as good as any.
    send(&signed("held back", &ill)).await.expect(200);
    assert_eq!(kept().await.0, "held back");
}

#[rstest]
#[tokio::test]
async fn d09_nothing_personal_is_kept_in_a_pool_nor_where_it_is_not_wanted(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "personal").await;
    let partner = world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    let pc = Pc::new(&world, "5CG000000A", 1);
    pc.enrol().await.expect(201);
    let told = json!({ "user": "CANARY Inga Boje", "location": "CANARY Kaiweg 1" });
    pc.post("check-ins", told.clone()).await.expect(200);
    let rows = async || -> Vec<(i64, Option<String>, Option<String>)> {
        let sql = "SELECT generation, last_user, location FROM personal_data ORDER BY generation";
        tx(&world).await.all(sql, vec![]).await.unwrap()
    };
    assert_eq!(rows().await, []);
    let customer = partner.customer("Werft Nord").await;
    let joined = pc.enrol_with(&partner.cpin(&customer).await).await;
    assert_eq!(joined.expect(200)["state"], "enrolled");
    pc.post("check-ins", told.clone()).await.expect(200);
    assert_eq!(rows().await, [], "the customer has switched nothing on");
    let path = format!("/api/v1/customers/{customer}/privacy");
    let body = |user: bool, location: bool| {
        let body = json!({ "collect_user": user, "collect_location": location });
        Some(("application/json", body.to_string().into_bytes()))
    };
    partner.send(reqwest::Method::PUT, &path, body(true, false)).await.expect(200);
    let answer = pc.post("check-ins", told.clone()).await.expect(200);
    assert_eq!((&answer["collect_user"], &answer["collect_location"]), (&json!(true), &json!(false)));
    assert_eq!(rows().await, [(2, Some("CANARY Inga Boje".to_owned()), None)]);

    // Back in the pool: a new generation, of which nothing is known, whatever the PC sends.
    let back =
        partner.post("transfers", json!({ "items": [{ "serial": "5CG000000A", "to": "unassigned" }] })).await;
    let back = back.expect(201);
    let commit = format!("transfers/{}/commit", back["id"].as_str().unwrap());
    partner.post(&commit, json!({ "digest": back["digest"] })).await.expect(200);
    let answer = pc.post("check-ins", told).await.expect(200);
    assert_eq!(answer["collect_user"], false);
    assert_eq!(rows().await.iter().filter(|(generation, ..)| *generation > 2).count(), 0);
    for path in ["unassigned-devices", "devices/5CG000000A", "audit-log"] {
        let answer = partner.get(path).await;
        assert!(!answer.text.contains("CANARY"), "{path}: {}", answer.text);
    }
}

#[rstest]
#[tokio::test]
async fn many_at_once_are_each_written_and_a_repeated_one_spoils_no_other(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "group").await;
    world.partner("R-1").await;
    let lines: Vec<String> = (10..50).map(|n| format!("5CG00000{n} R-1")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    world.distributor("D-1").await.report("", "text/csv", csv(&lines)).await;
    let pcs: Vec<Pc> = (10..50_u8).map(|n| Pc::new(&world, &format!("5CG00000{n}"), n)).collect();
    futures_util::future::join_all(pcs.iter().map(|pc| async { pc.enrol().await.expect(201) })).await;
    let body = json!({ "readings": {}, "agent": "first" });
    let used = pcs[0].sign("check-ins", &body);
    pcs[0].send("check-ins", &body, &used).await.expect(200);
    let answers = futures_util::future::join_all(pcs.iter().enumerate().map(|(n, pc)| {
        let (body, used) = (&body, &used);
        async move {
            let fresh = pc.sign("check-ins", body);
            pc.send("check-ins", body, if n == 0 { used } else { &fresh }).await.status.as_u16()
        }
    }));
    let answers = answers.await;
    assert_eq!(answers[0], 401);
    assert!(answers[1..].iter().all(|status| *status == 200), "{answers:?}");
    let count = tx(&world).await.number("SELECT COUNT(*) FROM check_ins", vec![]).await.unwrap();
    assert_eq!(count, 40);
}
